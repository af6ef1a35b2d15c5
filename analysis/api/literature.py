"""What publications state, and where they contradict each other."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.api.values import ValueSerializer, writable_sample
from analysis.models import Conflict, Publication, Value
from analysis.services.conflicts import decide, propose
from analysis.services.literature import enter_published, find_or_add_publication, publications_for
from samples.models import Project


class PublicationSerializer(serializers.ModelSerializer):
    class Meta:
        model = Publication
        fields = ["key", "title", "journal", "doi"]


class PublicationRequestSerializer(serializers.Serializer):
    """A known publication by its short name or its DOI; a new one with its title."""

    key = serializers.CharField(default="", allow_blank=True, help_text="Short name, such as Li2023")
    title = serializers.CharField(default="", allow_blank=True)
    journal = serializers.CharField(default="", allow_blank=True)
    doi = serializers.CharField(default="", allow_blank=True)


class PublishedValueSerializer(serializers.Serializer):
    sample = serializers.CharField(help_text="Sample code")
    property = serializers.CharField()
    component = serializers.CharField(default="", allow_blank=True)
    value = serializers.FloatField(default=None, allow_null=True)
    sigma = serializers.FloatField(default=None, allow_null=True, min_value=0)
    upper = serializers.FloatField(default=None, allow_null=True, help_text="Upper end of a range")
    unit = serializers.CharField()
    comparator = serializers.ChoiceField(Value.Comparator.choices, default=Value.Comparator.EQUAL)
    text = serializers.CharField(default="", allow_blank=True, help_text="Where it gives no number")
    publication = PublicationRequestSerializer()
    place = serializers.CharField(max_length=200, help_text="Page, figure or table")
    inferred = serializers.BooleanField(default=False, help_text="Concluded by the reader, not stated")
    doubtful = serializers.BooleanField(default=False, help_text="The transcription is in doubt (OCR)")
    note = serializers.CharField(default="", allow_blank=True)


class PublicationViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """The publications on which values that you may see stand."""

    serializer_class = PublicationSerializer
    queryset = Publication.objects.none()
    ordering = ("pk",)

    def get_queryset(self) -> QuerySet[Publication]:
        return publications_for(self.request.user)


class PublishedValueView(APIView):
    @extend_schema(
        request=PublishedValueSerializer,
        responses={201: ValueSerializer},
        operation_id="values_published_create",
    )
    def post(self, request: Request) -> Response:
        """A value that a publication states. Where it disagrees with another source, both stay and a conflict
        is proposed."""
        form = PublishedValueSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = dict(form.validated_data)
        sample = writable_sample(request.user, said.pop("sample"))
        source, key = said.pop("publication"), said.pop("property")
        try:
            with transaction.atomic():
                publication = find_or_add_publication(**source)
                value = enter_published(
                    user=request.user, sample=sample, publication=publication, property_key=key, **said
                )
        except ModelError as error:
            raise ValidationError(error.message_dict) from None
        return Response(ValueSerializer(value).data, status=201)


class ConflictSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug", read_only=True)
    values = ValueSerializer(many=True, read_only=True)
    publications = PublicationSerializer(many=True, read_only=True)
    decided_by = serializers.CharField(source="decided_by.username", default=None, read_only=True)

    class Meta:
        model = Conflict
        fields = [
            "id", "project", "code", "category", "title", "detail", "suggestion", "publications", "values",
            "found_at", "decision", "decided_value", "decided_by", "decided_at",
        ]  # fmt: skip


class ConflictRequestSerializer(serializers.Serializer):
    project = serializers.CharField(help_text="Slug")
    code = serializers.CharField(default="", allow_blank=True, max_length=60)
    category = serializers.ChoiceField(Conflict.Category.choices)
    title = serializers.CharField(max_length=300)
    detail = serializers.CharField(default="", allow_blank=True)
    suggestion = serializers.CharField(default="", allow_blank=True)
    values = serializers.ListField(child=serializers.IntegerField(), default=list, max_length=100)


class ConflictDecisionSerializer(serializers.Serializer):
    decision = serializers.CharField()
    value = serializers.IntegerField(default=None, allow_null=True, help_text="The value to believe")


class ConflictFilter(django_filters.FilterSet):
    project = django_filters.CharFilter("project__slug")
    sample = django_filters.CharFilter("values__sample__code", distinct=True)
    state = django_filters.ChoiceFilter(
        choices=[("open", "Open"), ("decided", "Decided")], method="by_state", label="open or decided"
    )

    class Meta:
        model = Conflict
        fields: ClassVar = ["category"]

    def by_state(self, rows: QuerySet[Conflict], name: str, state: str) -> QuerySet[Conflict]:
        return rows.filter(decided_at__isnull=state == "open")


class ConflictViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Sources that disagree. Both are kept; a manager decides with words, and nothing is deleted."""

    serializer_class = ConflictSerializer
    filterset_class = ConflictFilter
    queryset = Conflict.objects.none()

    def get_queryset(self) -> QuerySet[Conflict]:
        seen = Conflict.objects.visible_to(self.request.user).select_related("project", "decided_by")
        return seen.prefetch_related(
            "publications", "values__sample", "values__publication", "values__reviews__by"
        )

    @extend_schema(request=ConflictRequestSerializer, responses={201: ConflictSerializer})
    def create(self, request: Request) -> Response:
        form = ConflictRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(form.validated_data)
        project = Project.objects.visible_to(request.user).filter(slug=said.pop("project")).first()
        if project is None:
            raise Http404
        asked = set(said.pop("values"))
        values = list(Value.objects.visible_to(request.user).filter(pk__in=asked))
        if len(values) < len(asked):
            raise ValidationError({"values": "There is no such value among those you may see."})
        if not Project.objects.open_to(request.user).filter(pk=project.pk).exists():
            raise PermissionDenied(
                "You may look at this project but not write to it; ask its manager for that."
            )
        try:
            made = propose(user=request.user, project=project, values=values, **said)
        except ModelError as error:
            raise ValidationError(error.message_dict) from None
        return Response(ConflictSerializer(made).data, status=201)

    @extend_schema(request=ConflictDecisionSerializer, responses={200: ConflictSerializer})
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """A manager's decision, in words; optionally the value to believe."""
        conflict = self.get_object()
        form = ConflictDecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = form.validated_data["value"]
        value = None
        if chosen is not None:
            value = conflict.values.filter(pk=chosen).first()
            if value is None:
                raise ValidationError({"value": "Choose one of the values of this conflict, or none."})
        try:
            decide(
                conflict=conflict, user=request.user, decision=form.validated_data["decision"], value=value
            )
        except ModelError as error:
            raise ValidationError(error.message_dict) from None
        return Response(ConflictSerializer(self.get_queryset().get(pk=conflict.pk)).data)

"""What waits for a person, with why and a suggestion; and the rules that decide without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import PermissionDenied as Refused
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from measurements import services
from measurements.models import InboxRule, Instrument, Measurement
from measurements.querysets import REASONS
from measurements.serializers import MeasurementSerializer
from measurements.services import RefusedError
from measurements.services.rules import apply_now, must_manage, save_rule, trial
from measurements.services.suggesting import suggest
from measurements.services.waiting import WORDS, why
from samples.api.sentences import visible_sample
from samples.models import Project

MOST_AT_ONCE = 500


class ReasonField(serializers.Serializer):
    key = serializers.ChoiceField(choices=list(WORDS.items()))
    sentence = serializers.CharField()


class SuggestionSerializer(serializers.Serializer):
    code = serializers.CharField()
    found = serializers.CharField(help_text="Where, in words.")
    exact = serializers.BooleanField(help_text="false: it only resembles what stands there")


class WaitingSerializer(MeasurementSerializer):
    reasons = ReasonField(many=True)
    suggestion = SuggestionSerializer(allow_null=True)

    class Meta(MeasurementSerializer.Meta):
        fields = [*MeasurementSerializer.Meta.fields, "reasons", "suggestion"]
        read_only_fields = fields


class InboxFilter(django_filters.FilterSet):
    project = django_filters.CharFilter(field_name="project__slug", label="Slug of the project")
    instrument = django_filters.CharFilter(field_name="instrument__name", label="Name of the instrument")
    reason = django_filters.ChoiceFilter(choices=list(WORDS.items()), method="because", label="Why it waits")

    class Meta:
        model = Measurement
        fields: ClassVar[list[str]] = []

    def because(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(REASONS[value])


class AssignSerializer(serializers.Serializer):
    measurements = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=MOST_AT_ONCE
    )
    sample = serializers.CharField(
        max_length=200, required=False, help_text="One for all; left out: each its exact suggestion."
    )


class RefusalSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    message = serializers.CharField()


class AssignedSerializer(serializers.Serializer):
    assigned = serializers.ListField(child=serializers.IntegerField())
    refused = RefusalSerializer(many=True)


class InboxViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """What waits for a person: no sample, no reading, no technique, or two answers to one question."""

    queryset = Measurement.objects.none()
    serializer_class = WaitingSerializer
    filterset_class = InboxFilter

    def get_queryset(self) -> QuerySet[Measurement]:
        rows = Measurement.objects.visible_to(self.request.user).inbox()
        return rows.select_related("sample", "project", "instrument").prefetch_related("files__blob")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        explained(request.user, rows)
        return self.get_paginated_response(WaitingSerializer(rows, many=True).data)

    @extend_schema(request=AssignSerializer, responses=AssignedSerializer)
    @action(detail=False, methods=["post"], filter_backends=[], pagination_class=None)
    def assign(self, request: Request) -> Response:
        """One sample for many, or each its own suggestion. Those that cannot be are named with the reason."""
        form = AssignSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data["measurements"]
        rows = list(self.get_queryset().filter(pk__in=wanted))
        explained(request.user, rows)
        code = form.validated_data.get("sample")
        given = visible_sample(request.user, code) if code else None
        assigned = []
        refused = [
            {"id": pk, "message": "It is not in your inbox."} for pk in set(wanted) - {row.pk for row in rows}
        ]
        for row in rows:
            try:
                services.assign(row, given or _suggested(request, row), user=request.user)
                assigned.append(row.pk)
            except (RefusedError, Refused) as error:
                refused.append({"id": row.pk, "message": str(error)})
        return Response({"assigned": assigned, "refused": sorted(refused, key=lambda each: each["id"])})


def explained(user: Any, rows: Sequence[Measurement]) -> None:
    reasons, suggested = why(user, rows), suggest(user, rows)
    for row in rows:
        row.reasons = [reason._asdict() for reason in reasons[row.pk]]
        row.suggestion = suggested.get(row.pk)


def _suggested(request: Request, row: Any) -> Any:
    if row.suggestion is None or not row.suggestion.exact:
        raise RefusedError("sample", "Nothing names its sample exactly; say which it is.")
    return visible_sample(request.user, row.suggestion.code)


class InboxRuleSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug", help_text="Slug; not to be changed later.")
    instrument = serializers.CharField(
        source="instrument.name", allow_null=True, required=False, help_text="null: files of every origin"
    )
    created_by = serializers.CharField(source="created_by.username", read_only=True, default=None)

    class Meta:
        model = InboxRule
        fields = [
            "id", "project", "instrument", "source", "header_key", "pattern", "technique", "enabled",
            "created_at", "created_by",
        ]  # fmt: skip
        read_only_fields = ["created_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"pattern": {"validators": []}}  # the service says it


class TrialSerializer(serializers.Serializer):
    measurement = serializers.IntegerField(source="measurement.pk")
    text = serializers.CharField(help_text="What the rule looked at.")
    sample = serializers.CharField(source="sample.code", allow_null=True, default=None)
    sentence = serializers.CharField(help_text="Why it would get none.")


class ProjectNameSerializer(serializers.Serializer):
    project = serializers.SlugField()


class AppliedSerializer(serializers.Serializer):
    assigned = serializers.IntegerField()


class InboxRuleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Rules of the inboxes of your projects. Managers make and change them; disabling replaces deleting."""

    queryset = InboxRule.objects.none()
    serializer_class = InboxRuleSerializer
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[InboxRule]:
        rows = InboxRule.objects.visible_to(self.request.user)
        return rows.select_related("project", "instrument", "created_by")

    @extend_schema(responses={201: InboxRuleSerializer})
    def create(self, request: Request) -> Response:
        form = InboxRuleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rule = save_rule(self._filled(self._new(form), form), request.user)
        return Response(InboxRuleSerializer(rule).data, status=201)

    @extend_schema(responses=InboxRuleSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        rule = self.get_object()
        must_manage(rule.project, request.user)
        form = InboxRuleSerializer(rule, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        save_rule(self._filled(rule, form), request.user)
        return Response(InboxRuleSerializer(rule).data)

    @extend_schema(responses=TrialSerializer(many=True))
    @action(detail=False, methods=["post"], url_path="try", filter_backends=[], pagination_class=None)
    def attempt(self, request: Request) -> Response:
        """What a rule like this would make of what waits now. Nothing is saved and nothing is assigned."""
        form = InboxRuleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rule = self._filled(self._new(form), form)
        must_manage(rule.project, request.user)
        rule.full_clean(exclude=["created_by"])
        return Response(TrialSerializer(trial(rule, request.user), many=True).data)

    @extend_schema(request=ProjectNameSerializer, responses=AppliedSerializer)
    @action(detail=False, methods=["post"], filter_backends=[], pagination_class=None)
    def apply(self, request: Request) -> Response:
        """All enabled rules of a project on all that waits for a sample there."""
        form = ProjectNameSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response({"assigned": apply_now(self._project(form.validated_data["project"]), request.user)})

    def _new(self, form: Any) -> InboxRule:
        return InboxRule(project=self._project(form.validated_data["project"]["slug"]))

    def _project(self, slug: str) -> Project:
        project = Project.objects.visible_to(self.request.user).filter(slug=slug).first()
        if project is None:
            raise ValidationError({"project": [f"There is no project “{slug}”."]})
        return project

    def _filled(self, rule: InboxRule, form: Any) -> InboxRule:
        for name, value in form.validated_data.items():
            if name == "instrument":
                rule.instrument = self._instrument(rule.project, (value or {}).get("name"))
            elif name != "project":
                setattr(rule, name, value)
        return rule

    def _instrument(self, project: Project, name: str | None) -> Instrument | None:
        if not name:
            return None
        found = Instrument.objects.visible_to(self.request.user).filter(name=name, project=project).first()
        if found is None:
            raise ValidationError({"instrument": [f"{project} has no instrument “{name}”."]})
        return found

"""Exposures over REST: what happened to a sample after it was made."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from samples.api.sentences import MomentField, ReasonSerializer, in_sentences, must_write, visible_sample
from samples.models import Exposure
from samples.pagination import NewestFirst
from samples.services import exposures


class ExposureSerializer(serializers.ModelSerializer):
    sample = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = Exposure
        fields = [
            "id", "sample", "kind", "medium", "started_at", "ended_at", "temperature_c",
            "relative_humidity", "irradiance_mw_per_cm2", "wavelength_nm", "notes",
        ]  # fmt: skip


class NewExposureSerializer(serializers.Serializer):
    sample = serializers.CharField(max_length=40, help_text="Its code.")
    kind = serializers.ChoiceField(choices=Exposure.Kind.choices)
    started_at = MomentField(help_text="With its zone.")
    ended_at = MomentField(required=False, allow_null=True, help_text="Empty: it goes on.")
    medium = serializers.CharField(required=False, allow_blank=True, max_length=80)
    temperature_c = serializers.FloatField(required=False, allow_null=True)
    relative_humidity = serializers.FloatField(
        required=False, allow_null=True, help_text="A fraction; 40 % is 0.40."
    )
    irradiance_mw_per_cm2 = serializers.FloatField(required=False, allow_null=True)
    wavelength_nm = serializers.FloatField(required=False, allow_null=True)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class EndSerializer(serializers.Serializer):
    ended_at = MomentField(required=False, help_text="Left out: now.")


class ExposureFilter(django_filters.FilterSet):
    sample = django_filters.CharFilter(field_name="sample__code", label="Code of the sample")
    kind = django_filters.ChoiceFilter(choices=Exposure.Kind.choices)
    goes_on = django_filters.BooleanFilter(
        field_name="ended_at", lookup_expr="isnull", label="true: not ended yet"
    )

    class Meta:
        model = Exposure
        fields: ClassVar[list[str]] = []


class ExposureViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Exposures of the samples of your projects."""

    queryset = Exposure.objects.none()
    serializer_class = ExposureSerializer
    filterset_class = ExposureFilter
    pagination_class = NewestFirst
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Exposure]:
        return Exposure.objects.visible_to(self.request.user).select_related("sample")

    @extend_schema(request=NewExposureSerializer, responses={201: ExposureSerializer})
    def create(self, request: Request) -> Response:
        """Record an exposure of a sample."""
        form = NewExposureSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(form.validated_data)
        sample = visible_sample(request.user, said.pop("sample"))
        must_write(request.user, sample.project_id)
        with in_sentences():
            row = exposures.expose(
                user=request.user,
                sample=sample,
                kind=said.pop("kind"),
                started_at=said.pop("started_at"),
                ended_at=said.pop("ended_at", None),
                conditions=said,
            )
        return Response(ExposureSerializer(row).data, status=201)

    @extend_schema(request=EndSerializer, responses=ExposureSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """It is over."""
        row = self.get_object()
        must_write(request.user, row.sample.project_id)
        form = EndSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with in_sentences():
            ended = exposures.end(user=request.user, exposure=row, at=form.validated_data.get("ended_at"))
        return Response(ExposureSerializer(ended).data)

    @extend_schema(request=ReasonSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, pk: str) -> Response:
        """It was entered by mistake; the audit trail keeps it, with the reason."""
        row = self.get_object()
        must_write(request.user, row.sample.project_id)
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with in_sentences():
            exposures.remove(user=request.user, exposure=row, reason=form.validated_data["reason"])
        return Response(status=204)

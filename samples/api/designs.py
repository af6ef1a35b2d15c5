"""Designs over REST: what an array would take, the array itself, its weighing table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema, inline_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from samples.api.sentences import in_sentences, must_write
from samples.models import Design, Project
from samples.pagination import NewestFirst
from samples.services import designs

TABLES = ("json", "csv", "pdf")


class ArraySerializer(serializers.Serializer):
    """What is asked for. Which numbers make sense together is checked by the service, with a sentence."""

    project = serializers.CharField(help_text="Slug of a project that you may write to.")
    perovskite = serializers.ListField(child=serializers.CharField(max_length=120), help_text="Materials.")
    glass = serializers.ListField(child=serializers.CharField(max_length=120), help_text="Materials.")
    loading_mass_fraction = serializers.ListField(child=serializers.FloatField(), help_text="0 to 1.")
    sintering_temperature_c = serializers.ListField(child=serializers.FloatField(), required=False)
    quench_medium = serializers.ListField(child=serializers.CharField(max_length=20), required=False)
    milling_duration_min = serializers.ListField(child=serializers.FloatField(), required=False)
    batch_mass_g = serializers.FloatField(help_text="Of each sample.")
    replicates = serializers.IntegerField(required=False)
    cells = serializers.IntegerField(
        required=False, allow_null=True, help_text="For a balanced fraction: how many of the combinations."
    )
    furnace_capacity = serializers.IntegerField(required=False, help_text="Samples per furnace run.")
    jars = serializers.IntegerField(required=False, help_text="Mixtures in the mill at once.")
    milling_speed_rpm = serializers.FloatField(required=False, allow_null=True)
    ramp_c_per_min = serializers.FloatField(required=False, allow_null=True)
    hold_min = serializers.FloatField(required=False, allow_null=True)
    gas = serializers.CharField(required=False, allow_blank=True, max_length=40)
    seed = serializers.IntegerField(required=False, help_text="Draws the same order again.")


class NamedArraySerializer(ArraySerializer):
    name = serializers.CharField(max_length=200)


class DesignSerializer(serializers.ModelSerializer):
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Design
        fields = ["id", "name", "project", "seed", "levels", "created_at"]


NEED = inline_serializer(
    "Need",
    {
        "material": serializers.CharField(),
        "needed_g": serializers.FloatField(),
        "held_g": serializers.FloatField(),
        "promised_g": serializers.FloatField(),
        "short_g": serializers.FloatField(),
        "lots": serializers.IntegerField(),
        "lots_unknown": serializers.IntegerField(),
        "verdict": serializers.ChoiceField(choices=["suffices", "short", "not known", "no lot"]),
    },
    many=True,
)
FORECAST = inline_serializer(
    "Forecast",
    {
        **{
            name: serializers.IntegerField()
            for name in ("samples", "cells", "combinations", "furnace_runs", "mill_runs")
        },
        "furnace_h": serializers.FloatField(allow_null=True),
        "mill_h": serializers.FloatField(),
        "mass_g": serializers.FloatField(),
        "needs": NEED,
        "warnings": serializers.ListField(child=serializers.CharField()),
        "seed": serializers.IntegerField(),
    },
)
WITHDRAWN = inline_serializer("Withdrawn", {"withdrawn": serializers.IntegerField()})


class DesignViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,
):
    """Arrays of planned samples."""

    serializer_class = DesignSerializer
    pagination_class = NewestFirst
    queryset = Design.objects.none()

    def get_queryset(self) -> QuerySet[Design]:
        return Design.objects.visible_to(self.request.user).select_related("project")

    @extend_schema(request=NamedArraySerializer, responses={201: DesignSerializer})
    def create(self, request: Request) -> Response:
        said = _said(request, NamedArraySerializer)
        name = said.pop("name")
        array = _array(request, said)
        with in_sentences():
            design = designs.create_design(user=request.user, array=array, name=name)
        return Response(DesignSerializer(design).data, status=201)

    @extend_schema(request=ArraySerializer, responses=FORECAST)
    @action(detail=False, methods=["post"])
    def forecast(self, request: Request) -> Response:
        """Grams, hours and lots, before anything is created. Send its seed back to get the same order."""
        array = _array(request, _said(request, ArraySerializer))
        with in_sentences():
            found = designs.forecast(array, request.user)
        needs = [asdict(need) | {"short_g": need.short_g, "verdict": need.verdict} for need in found.needs]
        return Response(asdict(found) | {"needs": needs, "seed": array.seed})

    @extend_schema(
        parameters=[OpenApiParameter("as", enum=TABLES, description="json when left out.")],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/pdf"): OpenApiTypes.BINARY,
        },
    )
    @action(detail=True, methods=["get"])
    def weighing(self, request: Request, pk: str | None = None) -> HttpResponse:
        """What to weigh for each sample, in the order of making."""
        design = self.get_object()
        kind = request.query_params.get("as", "json")
        if kind not in TABLES:
            raise serializers.ValidationError(f"A weighing table comes as {', '.join(TABLES)}.")
        if kind == "json":
            _, rows = designs.weighing_rows(design, request.user)
            return Response({"rows": [asdict(row) for row in rows]})
        return designs.weighing_file(design, request.user, kind)

    @extend_schema(request=None, responses=WITHDRAWN)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        """Voids its samples while none of them is made, weighed, started or measured."""
        design = self.get_object()
        must_write(request.user, design.project_id)
        with in_sentences():
            return Response({"withdrawn": designs.withdraw(user=request.user, design=design)})


def _said(request: Request, serializer: type[ArraySerializer]) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _array(request: Request, said: dict[str, Any]) -> designs.Array:
    slug = said.pop("project")
    project = Project.objects.open_to(request.user).filter(slug=slug).first()
    if project is None:
        raise serializers.ValidationError(
            {"project": f"There is no project “{slug[:60]}” that you may write to."}
        )
    with in_sentences():
        return designs.read_array(project, said)

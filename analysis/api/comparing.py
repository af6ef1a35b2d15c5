"""Two runs of one measurement side by side."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import services
from analysis.api.values import ValueSerializer
from analysis.models import Run
from samples.incoming import row_number


class PairSerializer(serializers.Serializer):
    """What both said of one thing. `sigmas` is (new − old)/√((σ₁² + σ₂²)/2): both mostly read the same data,
    so that their sigmas do not add up."""

    property = serializers.CharField(source="property_key")
    component = serializers.CharField()
    old = ValueSerializer(allow_null=True)
    new = ValueSerializer(allow_null=True)
    difference = serializers.FloatField(allow_null=True)
    sigmas = serializers.FloatField(allow_null=True, help_text="null where no sigma is stated")


class ComparisonSerializer(serializers.Serializer):
    old = serializers.IntegerField(help_text="The run that was asked for first.")
    new = serializers.IntegerField()
    values = PairSerializer(many=True)


class CompareView(APIView):
    """`?with=` another run of the same subject; the one asked for first is old."""

    @extend_schema(
        operation_id="runs_compare",
        parameters=[OpenApiParameter("with", int, required=True, description="The other run.")],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        seen = Run.objects.visible_to(request.user)
        run = get_object_or_404(seen, pk=pk)
        other = seen.filter(pk=row_number(request.query_params.get("with", "")) or 0).first()
        if other is None:
            raise serializers.ValidationError({"with": "Name another run with `?with=` and its id."})
        if _subject(run) != _subject(other):
            raise serializers.ValidationError(
                {"with": f"Runs {run.pk} and {other.pk} are not of the same measurement or sample."}
            )
        old, new = sorted((run, other), key=lambda each: (each.requested_at, each.pk))
        pairs = services.compare(old, new)
        return Response(ComparisonSerializer({"old": old.pk, "new": new.pk, "values": pairs}).data)


def _subject(run: Run) -> Any:
    return run.measurement_id, run.sample_id, run.project_id

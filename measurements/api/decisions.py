"""What a person decides about a measurement: its sample, void or not, read again. Each with its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from measurements import moves, services
from measurements.models import Decision
from measurements.serializers import MeasurementDetailSerializer
from samples.api.sentences import ReasonSerializer, must_write, visible_sample
from samples.services.correcting import LONGEST_REASON


class MoveSerializer(ReasonSerializer):
    sample = serializers.CharField(
        max_length=200, allow_null=True, help_text="Code of the right sample; null: back into the inbox."
    )


class MaybeReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(
        max_length=LONGEST_REASON, required=False, allow_blank=True, default="", help_text="For the history."
    )


class DecisionSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Decision.Kind.choices)
    from_sample = serializers.CharField(allow_null=True, help_text="null: the inbox, or not of this kind")
    to_sample = serializers.CharField(allow_null=True)
    before = serializers.CharField(help_text="Of a technique or a status: what stood there.")
    after = serializers.CharField()
    by = serializers.CharField(allow_null=True, help_text="null: a rule, or nobody")
    rule = serializers.CharField(allow_null=True, help_text="The pattern of the rule that decided.")
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class Decisions:
    """For the view set of measurements."""

    @extend_schema(request=MoveSerializer, responses=MeasurementDetailSerializer)
    @action(detail=True, methods=["post"])
    def move(self: Any, request: Request, pk: str) -> Response:
        """To its right sample, with a reason. Values, runs and figures follow; moving back undoes it."""
        measurement = self.get_object()
        must_write(request.user, measurement.project_id)
        form = MoveSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        code = form.validated_data["sample"]
        to = visible_sample(request.user, code) if code is not None else None
        services.move(measurement, to, user=request.user, reason=form.validated_data["reason"])
        return _changed(self)

    @extend_schema(request=ReasonSerializer, responses=MeasurementDetailSerializer)
    @action(detail=True, methods=["post"])
    def void(self: Any, request: Request, pk: str) -> Response:
        """It leaves lists and figures; bytes and values stay at their addresses."""
        return _act(self, request, services.void, ReasonSerializer)

    @extend_schema(request=ReasonSerializer, responses=MeasurementDetailSerializer)
    @action(detail=True, methods=["post"])
    def restore(self: Any, request: Request, pk: str) -> Response:
        """No longer void: as it was before."""
        return _act(self, request, services.restore, ReasonSerializer)

    @extend_schema(request=MaybeReasonSerializer, responses=MeasurementDetailSerializer)
    @action(detail=True, methods=["post"])
    def reread(self: Any, request: Request, pk: str) -> Response:
        """Hand its files to the readers once more; what they gave before stays readable."""
        return _act(self, request, services.reread, MaybeReasonSerializer)

    @extend_schema(request=MaybeReasonSerializer, responses=MeasurementDetailSerializer)
    @action(detail=True, methods=["post"])
    def keep(self: Any, request: Request, pk: str) -> Response:
        """A conflict is none: it is right as it is."""
        return _act(self, request, services.keep, MaybeReasonSerializer)

    @extend_schema(responses=DecisionSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def decisions(self: Any, request: Request, pk: str) -> Response:
        """What was decided about it, by whom and why; the oldest first."""
        rows = list(self.get_object().decisions.select_related("by", "rule"))
        codes = moves.codes_seen(rows, request.user)
        return Response([_told(row, codes) for row in rows])


def _act(view: Any, request: Request, act: Callable[..., None], form_of: type[Any]) -> Response:
    measurement = view.get_object()
    must_write(request.user, measurement.project_id)
    form = form_of(data=request.data)
    form.is_valid(raise_exception=True)
    act(measurement, user=request.user, reason=form.validated_data["reason"])
    return _changed(view)


def _changed(view: Any) -> Response:
    """As it is now. Who moves it to where they may look sees it there."""
    return Response(MeasurementDetailSerializer(view.get_object()).data)


def _told(row: Decision, codes: dict[int, str]) -> dict[str, Any]:
    moved = row.kind in (Decision.Kind.ASSIGNED, Decision.Kind.MOVED)
    return {
        "kind": row.kind,
        "from_sample": moves.said(row, "from", codes) if moved and row.from_sample_id else None,
        "to_sample": moves.said(row, "to", codes) if moved and row.to_sample_id else None,
        "before": row.before,
        "after": row.after,
        "by": row.by.username if row.by else None,
        "rule": str(row.rule) if row.rule else None,
        "at": row.at,
        "reason": row.reason,
    }

"""Calibrations over REST: which there are, which was valid when, adding and withdrawing them."""

from __future__ import annotations

from typing import Any

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analysis import services
from analysis.models import Calibration
from analysis.querysets import CalibrationQuerySet
from measurements.models import Instrument, Measurement
from measurements.serializers import TimeWithZoneField
from samples.api.sentences import ReasonSerializer

LARGEST_KEY = 10**18


class CalibrationSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug", read_only=True)
    made_by = serializers.CharField(source="made_by.username", read_only=True)
    withdrawn_by = serializers.CharField(source="withdrawn_by.username", default=None, read_only=True)
    ends_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Until when it is valid: its own end, or where the next one takes over; null: it goes on.",
    )
    in_force = serializers.SerializerMethodField()
    used_by = serializers.IntegerField(
        read_only=True, help_text="How many runs that you may see were given it."
    )

    class Meta:
        model = Calibration
        fields = [
            "id", "project", "instrument", "kind", "measurement", "valid_from", "valid_until", "ends_at",
            "in_force", "used_by", "note", "made_by", "made_at", "withdrawn_at", "withdrawn_by",
            "withdraw_reason",
        ]  # fmt: skip
        read_only_fields = fields

    def get_in_force(self, row: Calibration) -> bool:
        return row.is_in_force


class NewCalibrationSerializer(serializers.Serializer):
    instrument = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY)
    kind = serializers.ChoiceField(Calibration.Kind.choices)
    measurement = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY)
    valid_from = TimeWithZoneField()
    valid_until = TimeWithZoneField(
        default=None, allow_null=True, help_text="Null: until another takes over."
    )
    note = serializers.CharField(default="", allow_blank=True, max_length=2000)
    from_elsewhere = serializers.BooleanField(
        default=False, help_text="It holds although its measurement names another instrument, or none."
    )


class ReplacementSerializer(serializers.Serializer):
    measurement = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY)
    reason = serializers.CharField(max_length=1000)
    from_elsewhere = serializers.BooleanField(default=False)


class PerhapsReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(default="", allow_blank=True, max_length=1000)


class CalibrationFilter(django_filters.FilterSet):
    instrument = django_filters.NumberFilter(
        "instrument_id", min_value=0, max_value=LARGEST_KEY, help_text="Its number."
    )
    project = django_filters.CharFilter("project__slug")
    kind = django_filters.ChoiceFilter(choices=Calibration.Kind.choices)
    valid_at = django_filters.CharFilter(
        method="at", help_text="A time with its zone; the one that would be used first comes first."
    )

    class Meta:
        model = Calibration
        fields: list[str] = []

    @extend_schema_field(OpenApiTypes.DATETIME)
    def at(self, rows: CalibrationQuerySet, name: str, text: str) -> CalibrationQuerySet:
        try:
            moment = TimeWithZoneField().run_validation(text)
        except serializers.ValidationError as error:
            raise ValidationError({name: error.detail}) from None
        return rows.valid_at(moment)


class CalibrationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Measurements on which other numbers depend: blanks, dark counts, IRFs, corrections, standards.

    Members of the instrument's project see them, its managers decide about them. Runs are given the one that
    was valid when their measurement was made; when that changes, they are flagged and asked again.
    """

    serializer_class = CalibrationSerializer
    filterset_class = CalibrationFilter
    queryset = Calibration.objects.none()
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Calibration]:
        return Calibration.objects.visible_to(self.request.user).for_list(self.request.user)

    @extend_schema(request=NewCalibrationSerializer, responses={201: CalibrationSerializer})
    def create(self, request: Request) -> Response:
        """Add one. What it takes over is flagged and asked again."""
        said = _valid(NewCalibrationSerializer, request)
        seen = Instrument.objects.visible_to(request.user)
        instrument = seen.filter(pk=said.pop("instrument")).first()
        if instrument is None:
            raise ValidationError({"instrument": ["There is no such instrument in your projects."]})
        said["measurement"] = self._measurement(said["measurement"])
        try:
            row = services.add_calibration(user=request.user, instrument=instrument, **said)
        except ModelError as error:
            raise as_rest(error) from None
        return self._answer(row, 201)

    @extend_schema(request=ReasonSerializer, responses=CalibrationSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """It is used no more; what was computed with it is flagged, and asked again where possible."""
        row, said = self.get_object(), _valid(ReasonSerializer, request)
        try:
            services.withdraw_calibration(row, user=request.user, reason=said["reason"])
        except ModelError as error:
            raise as_rest(error) from None
        return self._answer(row)

    @extend_schema(request=PerhapsReasonSerializer, responses=CalibrationSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Take a withdrawal back."""
        row, said = self.get_object(), _valid(PerhapsReasonSerializer, request)
        try:
            services.restore_calibration(row, user=request.user, reason=said["reason"])
        except ModelError as error:
            raise as_rest(error) from None
        return self._answer(row)

    @extend_schema(request=ReplacementSerializer, responses={201: CalibrationSerializer})
    @action(detail=True, methods=["post"])
    def replace(self, request: Request, pk: str) -> Response:
        """Withdraw it, and put another measurement in its place for all of its time."""
        row, said = self.get_object(), _valid(ReplacementSerializer, request)
        measurement = self._measurement(said.pop("measurement"))
        try:
            new = services.replace_calibration(row, measurement, user=request.user, **said)
        except ModelError as error:
            raise as_rest(error) from None
        return self._answer(new, 201)

    def _measurement(self, pk: int) -> Measurement:
        row = Measurement.objects.visible_to(self.request.user).filter(pk=pk).first()
        if row is None:
            raise ValidationError({"measurement": [f"There is no measurement {pk} in your projects."]})
        return row

    def _answer(self, row: Calibration, status: int = 200) -> Response:
        return Response(CalibrationSerializer(self.get_queryset().get(pk=row.pk)).data, status=status)


def _valid(kind: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    form = kind(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def as_rest(error: ModelError) -> ValidationError:
    return ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)

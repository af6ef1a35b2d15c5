from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analysis import services
from analysis.models import Review, Value
from analysis.prov_json import document
from analysis.provenance import provenance
from analysis.services.entering_many import COLUMNS, MOST_ROWS, REQUIRED, TableError, enter_many, table_of
from samples.models import Sample


class ReviewSerializer(serializers.ModelSerializer):
    """A person's judgement of a value; the last one counts, all of them stay."""

    verdict = serializers.ChoiceField(Review.Verdict.choices)
    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = Review
        fields = ["verdict", "reason", "by", "at"]


class ValueSerializer(serializers.ModelSerializer):
    reviews = ReviewSerializer(many=True, read_only=True)
    sample = serializers.SlugRelatedField(slug_field="code", read_only=True)
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    doi = serializers.CharField(source="publication.doi", default="", read_only=True)

    class Meta:
        model = Value
        fields = [
            "id", "property", "component", "value", "sigma", "upper", "unit", "comparator", "text", "origin",
            "inferred", "doubtful", "current", "rejected", "method", "run", "measurement", "sample",
            "project", "doi", "place", "note", "reviews",
        ]  # fmt: skip


class EnteredValueSerializer(serializers.Serializer):
    """A value entered by hand; `reason` says where the number comes from and stands beside it for ever."""

    sample = serializers.CharField(help_text="Sample code")
    property = serializers.CharField()
    component = serializers.CharField(default="", allow_blank=True)
    value = serializers.FloatField()
    sigma = serializers.FloatField(default=None, allow_null=True, min_value=0)
    unit = serializers.CharField()
    comparator = serializers.ChoiceField(Value.Comparator.choices, default=Value.Comparator.EQUAL)
    reason = serializers.CharField()


class ValueBatchSerializer(serializers.Serializer):
    """Either rows, or a CSV file with the same columns."""

    rows = serializers.ListField(
        child=serializers.DictField(child=serializers.JSONField(allow_null=True)),
        required=False,
        max_length=MOST_ROWS,
        help_text=f"Objects with {', '.join(COLUMNS)}; {', '.join(REQUIRED)} are required.",
    )
    file = serializers.FileField(required=False)
    dry_run = serializers.BooleanField(default=False, help_text="Check everything; save nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("rows" in attrs) == ("file" in attrs):
            raise ValidationError("Send either rows or a file.")
        return attrs


class ValueBatchRowSerializer(serializers.Serializer):
    row = serializers.IntegerField(source="number", help_text="Its line in the file, or its place from 1.")
    problems = serializers.DictField(child=serializers.CharField(), help_text="By column; empty: it is fine.")
    value = serializers.IntegerField(source="value.pk", default=None, allow_null=True)


class ValueBatchReportSerializer(serializers.Serializer):
    saved = serializers.BooleanField()
    rows = ValueBatchRowSerializer(many=True)


class ValueFilter(django_filters.FilterSet):
    sample = django_filters.CharFilter("sample__code")
    project = django_filters.CharFilter(method="of_project", label="Of its samples, or of it as a whole")
    over = django_filters.ChoiceFilter(
        method="of_kind",
        choices=[("measurement", "measurement"), ("sample", "sample"), ("project", "project")],
        label="What the value belongs to",
    )
    measurement = django_filters.NumberFilter("measurement_id")
    run = django_filters.NumberFilter("run_id")

    class Meta:
        model = Value
        fields: ClassVar = ["property", "component", "method", "origin", "current", "rejected"]

    def of_project(self, values: QuerySet[Value], name: str, slug: str) -> QuerySet[Value]:
        return values.filter(Q(sample__project__slug=slug) | Q(project__slug=slug))

    def of_kind(self, values: QuerySet[Value], name: str, kind: str) -> QuerySet[Value]:
        if kind == "measurement":
            return values.filter(measurement__isnull=False)
        return values.filter(measurement__isnull=True, **{f"{kind}__isnull": False})


class ValueViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Every number with its sigma, its unit and its one source."""

    serializer_class = ValueSerializer
    filterset_class = ValueFilter
    queryset = Value.objects.none()

    def get_queryset(self) -> QuerySet[Value]:
        seen = Value.objects.visible_to(self.request.user).select_related("sample", "project", "publication")
        return seen.prefetch_related("reviews__by")

    @extend_schema(request=EnteredValueSerializer, responses={201: ValueSerializer})
    def create(self, request: Request) -> Response:
        form = EnteredValueSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        entered = dict(form.validated_data)
        sample = writable_sample(request.user, entered.pop("sample"))
        try:
            value = services.enter_value(
                user=request.user, sample=sample, property_key=entered.pop("property"), **entered
            )
        except ModelError as error:
            raise ValidationError(error.message_dict) from None
        return Response(ValueSerializer(value).data, status=201)

    @extend_schema(
        request=ValueBatchSerializer,
        responses={200: ValueBatchReportSerializer, 201: ValueBatchReportSerializer},
    )
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        """Many values entered by hand: all of them or none, with what is wrong by row and column."""
        form = ValueBatchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        try:
            rows = (
                table_of(asked["file"].read().decode("utf-8", errors="replace"))
                if asked.get("file")
                else (list(enumerate(asked["rows"], start=1)))
            )
            report = enter_many(request.user, rows, dry_run=asked["dry_run"])
        except TableError as error:
            raise ValidationError({"file" if asked.get("file") else "rows": str(error)}) from None
        body = ValueBatchReportSerializer(report).data
        if report.wrong:
            count = len(report.wrong)
            said = f"{count} row{'s' if count > 1 else ''} to put right; nothing was entered."
            return Response({"error": {"message": said}, **body}, status=400)
        return Response(body, status=201 if report.saved else 200)

    @extend_schema(request=ReviewSerializer, responses={200: ValueSerializer})
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Accept or reject it, with a reason. What is rejected leaves every figure, not the record."""
        value = self.get_object()
        form = ReviewSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.review(value=value, user=request.user, **form.validated_data)
        return Response(ValueSerializer(self.get_queryset().get(pk=value.pk)).data)

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=["json", "prov"], description="prov: W3C PROV-JSON")],
        responses={200: dict[str, Any]},
    )
    @action(detail=True)
    def provenance(self, request: Request, pk: str) -> Response:
        """From the value back to the bytes: run, parameters, libraries, calibrations, datasets, readers, raw
        files; what it superseded, and who judged it."""
        value, form = self.get_object(), request.query_params.get("as", "json")
        if form not in ("json", "prov"):
            raise ValidationError({"as": "It is written as “json” or as “prov”."})
        told = document([value], request.user) if form == "prov" else provenance(value, request.user)
        return Response(told)


def writable_sample(user: Any, code: str) -> Sample:
    sample = Sample.objects.visible_to(user).filter(code=code).first()
    if sample is None:
        raise Http404
    if not Sample.objects.open_to(user).filter(pk=sample.pk).exists():
        raise PermissionDenied("You may look at this project but not write to it; ask its manager for that.")
    return sample

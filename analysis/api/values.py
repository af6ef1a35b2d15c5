from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analysis import services
from analysis.models import Review, Value
from analysis.provenance import provenance
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
    doi = serializers.CharField(source="publication.doi", default="", read_only=True)

    class Meta:
        model = Value
        fields = [
            "id", "property", "component", "value", "sigma", "upper", "unit", "comparator", "text", "origin",
            "inferred", "doubtful", "current", "rejected", "method", "run", "measurement", "sample", "doi",
            "place", "note", "reviews",
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


class ValueFilter(django_filters.FilterSet):
    sample = django_filters.CharFilter("sample__code")
    project = django_filters.CharFilter("sample__project__slug")
    measurement = django_filters.NumberFilter("measurement_id")
    run = django_filters.NumberFilter("run_id")

    class Meta:
        model = Value
        fields: ClassVar = ["property", "component", "method", "origin", "current", "rejected"]


class ValueViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Every number with its sigma, its unit and its one source."""

    serializer_class = ValueSerializer
    filterset_class = ValueFilter
    queryset = Value.objects.none()

    def get_queryset(self) -> QuerySet[Value]:
        seen = Value.objects.visible_to(self.request.user).select_related("sample", "publication")
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

    @extend_schema(request=ReviewSerializer, responses={200: ValueSerializer})
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Accept or reject it, with a reason. What is rejected leaves every figure, not the record."""
        value = self.get_object()
        form = ReviewSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.review(value=value, user=request.user, **form.validated_data)
        return Response(ValueSerializer(self.get_queryset().get(pk=value.pk)).data)

    @extend_schema(responses={200: dict[str, Any]})
    @action(detail=True)
    def provenance(self, request: Request, pk: str) -> Response:
        """From the value back to the bytes: run, parameters, libraries, datasets, readers, raw files."""
        return Response(provenance(self.get_object()))


def writable_sample(user: Any, code: str) -> Sample:
    sample = Sample.objects.visible_to(user).filter(code=code).first()
    if sample is None:
        raise Http404
    if not Sample.objects.open_to(user).filter(pk=sample.pk).exists():
        raise PermissionDenied("You may look at this project but not write to it; ask its manager for that.")
    return sample

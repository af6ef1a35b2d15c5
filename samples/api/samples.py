"""Samples over REST: which, with which processing."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from samples.api.corrections import Corrections
from samples.api.people import SampleSharing
from samples.models import ProcessFactors, Sample
from samples.pagination import ByCode

FACTORS = [f for f in ProcessFactors._meta.fields if f.name not in ("sample", "derived_at")]
NUMERIC_FACTORS = [f.name for f in FACTORS if f.get_internal_type() == "FloatField"]
TEXT_FACTORS = [f.name for f in FACTORS if f.get_internal_type() == "CharField"]


class FactorsSerializer(serializers.ModelSerializer):
    """Processing as derived from the whole ancestry; null or empty where it is not recorded."""

    class Meta:
        model = ProcessFactors
        fields = [f.name for f in FACTORS]


class SampleSerializer(serializers.ModelSerializer):
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    factors = serializers.SerializerMethodField()

    class Meta:
        model = Sample
        fields = [
            "id", "code", "name", "notation", "project", "state",
            "planned", "made_at", "amount_g", "location",
            "embargoed_until", "voided_at", "void_reason", "factors",
        ]  # fmt: skip

    @extend_schema_field(FactorsSerializer(allow_null=True))
    def get_factors(self, sample: Sample) -> dict[str, Any] | None:
        factors = getattr(sample, "factors", None)
        return {name: getattr(factors, name) for name in (f.name for f in FACTORS)} if factors else None


class SampleFilter(django_filters.FilterSet):
    """`?search=&project=&code=&state=` and `?<factor>=`, `?<factor>__gte=`, `?<factor>__lte=`."""

    search = django_filters.CharFilter(method="by_words", label="Words in code, name or notation")
    project = django_filters.CharFilter(field_name="project__slug")
    code = django_filters.CharFilter(field_name="code")
    state = django_filters.ChoiceFilter(choices=Sample.State.choices)
    planned = django_filters.BooleanFilter()
    void = django_filters.BooleanFilter(
        field_name="voided_at", lookup_expr="isnull", exclude=True, label="Void; without it, only what is not"
    )

    class Meta:
        model = Sample
        fields: ClassVar[list[str]] = []

    def by_words(self, samples: Any, name: str, value: str) -> Any:
        return samples.search(value)


for factor in NUMERIC_FACTORS:
    for lookup in ("exact", "gte", "lte"):
        key = factor if lookup == "exact" else f"{factor}__{lookup}"
        SampleFilter.base_filters[key] = django_filters.NumberFilter(f"factors__{factor}", lookup_expr=lookup)
for factor in TEXT_FACTORS:
    SampleFilter.base_filters[factor] = django_filters.CharFilter(f"factors__{factor}")


class SampleViewSet(Corrections, SampleSharing, viewsets.ReadOnlyModelViewSet):
    """Samples of your projects, with their process factors."""

    serializer_class = SampleSerializer
    filterset_class = SampleFilter
    pagination_class = ByCode
    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    queryset = Sample.objects.none()

    def get_queryset(self) -> QuerySet[Sample]:
        rows = Sample.objects.visible_to(self.request.user).for_list()
        return rows if self.action != "list" or "void" in self.request.query_params else rows.kept()

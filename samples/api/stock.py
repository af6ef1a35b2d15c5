"""What is left and where it went, over REST: stock entries, weigh-outs, composition, lineage."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from samples.api.materials import chosen_place
from samples.api.sentences import MomentField, in_sentences, must_write, visible_sample
from samples.composition import Composition, Share, composition_of
from samples.genealogy import kin
from samples.models import Ingredient, Sample, StockEntry
from samples.pagination import NewestFirst
from samples.services import genealogy, stock

MOST_KIN = 1000


class StockEntrySerializer(serializers.ModelSerializer):
    sample = serializers.SlugRelatedField(slug_field="code", read_only=True)
    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = StockEntry
        fields = [
            "id", "sample", "kind", "mass_g", "mass_sigma_g", "left_g", "reason", "waste_stream", "at", "by",
        ]  # fmt: skip


class NewStockEntrySerializer(serializers.Serializer):
    """`amount` is the first known amount of a sample; the other kinds change what is left, with a reason."""

    sample = serializers.CharField(max_length=40, help_text="Its code.")
    kind = serializers.ChoiceField(choices=[("amount", "First amount"), *StockEntry.Kind.choices])
    mass_g = serializers.FloatField(
        required=False, allow_null=True, help_text="Of a disposal: empty for all that is left."
    )
    mass_sigma_g = serializers.FloatField(required=False, allow_null=True)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    waste_stream = serializers.CharField(required=False, allow_blank=True, max_length=80)


class StockEntryFilter(django_filters.FilterSet):
    sample = django_filters.CharFilter(field_name="sample__code")
    project = django_filters.CharFilter(field_name="sample__project__slug")
    kind = django_filters.ChoiceFilter(choices=StockEntry.Kind.choices)

    class Meta:
        model = StockEntry
        fields: ClassVar[list[str]] = []


class StockEntryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Recounts, losses and disposals. An entry is never changed: a wrong one is followed by a recount."""

    queryset = StockEntry.objects.none()
    serializer_class = StockEntrySerializer
    filterset_class = StockEntryFilter
    pagination_class = NewestFirst
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[StockEntry]:
        return StockEntry.objects.visible_to(self.request.user).select_related("sample", "by")

    @extend_schema(request=NewStockEntrySerializer, responses={201: StockEntrySerializer})
    def create(self, request: Request) -> Response:
        """Recount, lose or dispose of; or state the first amount, which answers with the sample's amounts."""
        form = NewStockEntrySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        sample = visible_sample(request.user, said["sample"])
        must_write(request.user, sample.project_id)
        mass_g = said.get("mass_g")
        if mass_g is None and said["kind"] != "disposal":
            raise ValidationError({"mass_g": ["Give the mass in grams."]})
        with in_sentences():
            if said["kind"] == "amount":
                stock.set_amount(sample, mass_g, request.user)
                return Response({"sample": sample.code, "left_g": sample.mass_left_g}, status=201)
            entry = stock.enter(
                sample,
                said["kind"],
                mass_g,
                said.get("reason", ""),
                request.user,
                sigma_g=said.get("mass_sigma_g"),
                waste_stream=said.get("waste_stream", ""),
            )
        return Response(StockEntrySerializer(entry).data, status=201)


class WeighOutSerializer(serializers.ModelSerializer):
    sample = serializers.CharField(source="sample.code", read_only=True, allow_null=True)
    material = serializers.CharField(source="material.name", read_only=True, allow_null=True)
    into = serializers.SerializerMethodField(help_text="Codes of the samples of that preparation.")
    weighed_by = serializers.CharField(source="weighed_by.username", read_only=True, allow_null=True)

    class Meta:
        model = Ingredient
        fields = [
            "id", "sample", "material", "preparation", "into", "mass_g", "mass_sigma_g", "planned_mass_g",
            "weighed_at", "weighed_by",
        ]  # fmt: skip

    def get_into(self, row: Ingredient) -> list[str]:
        return [sample.code for sample in row.preparation.samples.all()]


class NewWeighOutSerializer(serializers.Serializer):
    """Grams of one sample into another, or the grams of an ingredient that is planned or to be corrected."""

    ingredient = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
    sample = serializers.CharField(required=False, max_length=40, help_text="Code of what is weighed.")
    into = serializers.CharField(required=False, max_length=40, help_text="Code of what is made.")
    mass_g = serializers.FloatField()
    mass_sigma_g = serializers.FloatField(required=False, allow_null=True, help_text="One sigma.")
    weighed_at = MomentField(required=False, allow_null=True)
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=1000, help_text="Of a correction."
    )


class WeighOutFilter(django_filters.FilterSet):
    sample = django_filters.CharFilter(field_name="sample__code", label="Code of what was weighed")
    into = django_filters.CharFilter(field_name="preparation__samples__code", label="Code of what was made")

    class Meta:
        model = Ingredient
        fields: ClassVar[list[str]] = []


class WeighOutViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Weigh-outs: how much of what went where. More than a known amount is refused."""

    queryset = Ingredient.objects.none()
    serializer_class = WeighOutSerializer
    filterset_class = WeighOutFilter
    pagination_class = NewestFirst
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Ingredient]:
        return (
            genealogy.visible_ingredients(self.request.user)
            .select_related("sample", "material", "weighed_by", "preparation")
            .prefetch_related("preparation__samples")
        )

    @extend_schema(request=NewWeighOutSerializer, responses={201: WeighOutSerializer})
    def create(self, request: Request) -> Response:
        """Weigh out; nothing is saved when the parent's known amount does not suffice."""
        form = NewWeighOutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        with in_sentences(), transaction.atomic():
            row = self._ingredient(request.user, said)
            stock.weigh_out(
                ingredient=row,
                mass_g=said["mass_g"],
                sigma_g=said.get("mass_sigma_g"),
                user=request.user,
                at=said.get("weighed_at"),
                reason=said.get("reason", ""),
            )
        return Response(WeighOutSerializer(row).data, status=201)

    def _ingredient(self, user: Any, said: dict[str, Any]) -> Ingredient:
        if "ingredient" in said:
            row = get_object_or_404(self.get_queryset(), pk=said["ingredient"])
            must_write(user, row.preparation.project_id)
            if row.sample is not None:
                must_write(user, row.sample.project_id)
            return row
        if "sample" not in said or "into" not in said:
            raise ValidationError("Name the ingredient, or both sample and into by their codes.")
        parent, child = visible_sample(user, said["sample"]), visible_sample(user, said["into"])
        must_write(user, parent.project_id)
        must_write(user, child.project_id)
        return genealogy.add_ingredient(into=child, sample=parent)


class PutSerializer(serializers.Serializer):
    place = serializers.IntegerField(allow_null=True, min_value=1, max_value=2**62)


class PlaceView(APIView):
    """Where a sample stands; null takes it out."""

    @extend_schema(request=PutSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, code: str) -> Response:
        sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
        must_write(request.user, sample.project_id)
        form = PutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        place = chosen_place(request.user, form.validated_data["place"])
        with in_sentences():
            stock.put(sample, place, request.user)
        return Response({"sample": sample.code, "place": place.path if place else ""})

    @extend_schema(request=PutSerializer, responses=OpenApiTypes.OBJECT, operation_id="sample_put")
    def put(self, request: Request, code: str) -> Response:
        """The same, for those who say it with PUT."""
        return self.post(request, code)


class CompositionView(APIView):
    """What is in a sample by mass and by element, derived from weighings through its whole ancestry."""

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="sample_composition")
    def get(self, request: Request, code: str) -> Response:
        sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
        return Response(told(composition_of(sample)))


def told(found: Composition) -> dict[str, Any]:
    def share(part: Share) -> dict[str, Any]:
        return {
            "name": part.name,
            "formula": part.formula,
            "mass_fraction": part.fraction,
            "sigma": part.sigma,
            "nominal": part.nominal,
            "deviates": part.deviates,
        }

    return {
        "known": found.is_known,
        "materials": [share(part) for part in found.materials],
        "elements": [share(part) for part in found.elements],
        "loading": share(found.loading) if found.loading else None,
        "unknown_mass_fraction": sum(part for _, part in found.unknown) if found.unknown else 0.0,
        "without_formula": list(found.without_formula),
    }


class LineageView(APIView):
    """The nearest relatives in both directions, with the grams that went from one to the next."""

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="sample_lineage")
    def get(self, request: Request, code: str) -> Response:
        sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
        near = kin(sample.pk, MOST_KIN)
        seen = Sample.objects.visible_to(request.user).filter(pk__in=near.generation)
        members = {row.pk: row for row in seen.select_related("material")}
        return Response(
            {
                "sample": sample.code,
                "samples": [
                    {
                        "code": row.code,
                        "notation": row.notation,
                        "state": row.state,
                        "generation": near.generation[row.pk],
                        "mass_left_g": row.mass_left_g,
                    }
                    for row in sorted(members.values(), key=lambda row: (near.generation[row.pk], row.code))
                ],
                "links": [
                    {
                        "parent": members[link.parent].code,
                        "child": members[link.child].code,
                        "mass_g": link.mass_g,
                        "sigma_g": link.sigma_g,
                    }
                    for link in near.links
                    if link.parent in members and link.child in members
                ],
                "more_ancestors": near.more_ancestors,
                "more_descendants": near.more_descendants,
            }
        )

"""What goes in and comes out when preparations are read and recorded over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from samples.api.sentences import MomentField
from samples.exchange.exporting import HIDDEN
from samples.models import Ingredient, Preparation, Sample
from samples.services import performing
from samples.services.performing import Place
from samples.step_kinds import as_written


class PreparationSerializer(serializers.ModelSerializer):
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    samples = serializers.SlugRelatedField(slug_field="code", many=True, read_only=True)
    recipe_name = serializers.SerializerMethodField()

    class Meta:
        model = Preparation
        fields = [
            "id", "project", "recipe", "recipe_name", "samples", "batch_mass_g", "design", "run_order",
            "block", "started_at", "performed_at", "notes", "created_at",
        ]  # fmt: skip

    def get_recipe_name(self, row: Preparation) -> str | None:
        return str(row.recipe) if row.recipe else None


class DeviationSerializer(serializers.Serializer):
    label = serializers.CharField()
    planned = serializers.JSONField()
    actual = serializers.JSONField()
    unit = serializers.CharField()
    difference = serializers.FloatField(allow_null=True)
    significant = serializers.BooleanField()


class IngredientSerializer(serializers.ModelSerializer):
    """Of a sample that the reader may not see: that something goes in, and nothing else about it."""

    material = serializers.SerializerMethodField()
    sample = serializers.SlugRelatedField(slug_field="code", read_only=True)
    deviations = serializers.SerializerMethodField()

    class Meta:
        model = Ingredient
        fields = [
            "id", "material", "sample", "planned_mass_g", "mass_g", "mass_sigma_g", "weighed_at",
            "deviations",
        ]  # fmt: skip

    def to_representation(self, row: Ingredient) -> dict[str, Any]:
        if row.sample_id in self.context["hidden"]:
            nothing = dict.fromkeys(self.fields)
            return nothing | {"id": row.pk, "sample": HIDDEN, "deviations": []}
        return super().to_representation(row)

    def get_material(self, row: Ingredient) -> str | None:
        material = row.material or (row.sample.material if row.sample else None)
        return material.name if material else None

    @extend_schema_field(DeviationSerializer(many=True))
    def get_deviations(self, row: Ingredient) -> Any:
        return DeviationSerializer(performing.deviations(row), many=True).data


class PlaceSerializer(serializers.Serializer):
    """A step as planned and as performed; null where it was not, or is not yet."""

    key = serializers.CharField()
    kind = serializers.SerializerMethodField()
    planned = serializers.SerializerMethodField()
    performed = serializers.SerializerMethodField()
    performed_at = serializers.SerializerMethodField()
    deviations = serializers.SerializerMethodField()

    def get_kind(self, line: Place) -> str:
        return line.kind.key

    def get_planned(self, line: Place) -> dict[str, Any] | None:
        return as_written(line.planned) if line.planned else None

    def get_performed(self, line: Place) -> dict[str, Any] | None:
        return as_written(line.performed) if line.performed else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_performed_at(self, line: Place) -> Any:
        return line.performed.performed_at if line.performed else None

    @extend_schema_field(DeviationSerializer(many=True))
    def get_deviations(self, line: Place) -> Any:
        return DeviationSerializer(performing.deviations(line), many=True).data


class SheetSerializer(PreparationSerializer):
    """`context` holds `hidden`: the samples that the reader may not see."""

    ingredients = IngredientSerializer(many=True, read_only=True)
    steps = serializers.SerializerMethodField()

    class Meta(PreparationSerializer.Meta):
        fields = [*PreparationSerializer.Meta.fields, "ingredients", "steps"]

    @extend_schema_field(PlaceSerializer(many=True))
    def get_steps(self, row: Preparation) -> Any:
        return PlaceSerializer(performing.sheet(row), many=True).data


class PerformSerializer(serializers.Serializer):
    as_run = serializers.DictField(
        required=False, help_text="The fields of its kind; a sintering also segments. Left out: not recorded."
    )
    performed_at = MomentField(required=False, allow_null=True, help_text="Left out: now; null: not known.")
    notes = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=1000, help_text="Needed to correct a record."
    )


class AddStepSerializer(PerformSerializer):
    kind = serializers.CharField(max_length=40, help_text="Such as milling, sintering, quench, drying.")


class WeighSerializer(serializers.Serializer):
    mass_g = serializers.FloatField()
    mass_sigma_g = serializers.FloatField(required=False, allow_null=True, help_text="Of the balance.")
    sample = serializers.CharField(required=False, max_length=40, help_text="Code of the lot it comes from.")
    weighed_at = MomentField(required=False, help_text="Left out: now.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class FinishSerializer(serializers.Serializer):
    performed_at = MomentField(required=False, allow_null=True, help_text="Left out: now; null: not known.")
    amounts_g = serializers.DictField(
        child=serializers.FloatField(allow_null=True), required=False, help_text="Yield by sample code."
    )
    left_out = serializers.BooleanField(
        required=False, default=False, help_text="Steps without a record were left out on purpose."
    )


class PortionSerializer(serializers.Serializer):
    code = serializers.CharField(required=False, allow_blank=True, max_length=40)
    name = serializers.CharField(required=False, allow_blank=True, max_length=160)
    amount_g = serializers.FloatField(required=False, allow_null=True)


class SplitSerializer(serializers.Serializer):
    portions = PortionSerializer(many=True, allow_empty=False, max_length=100)


class PartSerializer(serializers.Serializer):
    sample = serializers.CharField(max_length=40)
    mass_g = serializers.FloatField(required=False, allow_null=True, help_text="Left out: not weighed.")
    mass_sigma_g = serializers.FloatField(required=False, allow_null=True)


class PoolSerializer(serializers.Serializer):
    parts = PartSerializer(many=True, allow_empty=False, max_length=50)
    code = serializers.CharField(required=False, allow_blank=True, max_length=40)
    name = serializers.CharField(required=False, allow_blank=True, max_length=160)
    state = serializers.ChoiceField(choices=Sample.State.choices, required=False, default="mixture")
    mixed_at = MomentField(required=False, allow_null=True, help_text="Left out: now; null: not known.")
    amount_g = serializers.FloatField(required=False, allow_null=True)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=10_000)

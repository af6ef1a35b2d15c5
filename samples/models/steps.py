"""Typed steps. One table per kind serves plan and performance: a step belongs to a recipe or to a
preparation, and a performed step points at the planned one that it carries out."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from samples.models.audit import audited
from samples.models.freezing import SEGMENT_FROZEN, frozen_with_its_recipe
from samples.models.limits import ABSOLUTE_ZERO_C, above_zero, within
from samples.models.preparations import Preparation
from samples.models.recipes import Recipe

HOTTEST_FURNACE_C = 3000


def of_a_recipe_or_a_preparation(model: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=f"{model}_planned_or_performed",
        condition=Q(recipe__isnull=False, preparation__isnull=True)
        | Q(recipe__isnull=True, preparation__isnull=False),
    )


def one_step_per_place(model: str) -> list[models.UniqueConstraint]:
    return [
        models.UniqueConstraint(name=f"{model}_place_once_per_{owner}", fields=[owner, "order"])
        for owner in ("recipe", "preparation")
    ]


class Step(models.Model):
    """What every step has. `inferred` names the fields that a reader of the publication inferred."""

    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, null=True, blank=True)
    preparation = models.ForeignKey(Preparation, on_delete=models.CASCADE, null=True, blank=True)
    planned = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="performed"
    )
    order = models.PositiveSmallIntegerField()
    performed_at = models.DateTimeField(null=True, blank=True)
    inferred = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    notes = models.TextField(blank=True)

    class Meta:
        abstract = True
        default_related_name = "%(class)s_steps"
        ordering = ["order"]


@audited
class Milling(Step):
    mill = models.CharField(max_length=60, blank=True, help_text="Such as planetary, mixer.")
    rpm = models.FloatField(null=True, blank=True)
    duration_min = models.FloatField(null=True, blank=True)
    cycles = models.PositiveSmallIntegerField(null=True, blank=True)
    ball_mass_g = models.FloatField(null=True, blank=True)
    ball_diameter_mm = models.FloatField(null=True, blank=True)
    ball_material = models.CharField(max_length=60, blank=True)
    powder_mass_g = models.FloatField(null=True, blank=True)
    jar = models.CharField(max_length=60, blank=True)

    class Meta(Step.Meta):
        triggers = [frozen_with_its_recipe()]
        constraints = [
            of_a_recipe_or_a_preparation("milling"),
            *one_step_per_place("milling"),
            above_zero("milling", "rpm"),
            above_zero("milling", "duration_min"),
            above_zero("milling", "ball_mass_g"),
            above_zero("milling", "ball_diameter_mm"),
            above_zero("milling", "powder_mass_g"),
        ]

    def __str__(self) -> str:
        parts = [
            "mill",
            f"{self.duration_min:g} min" if self.duration_min is not None else "",
            f"{self.rpm:g} rpm" if self.rpm is not None else "",
        ]
        return " ".join(part for part in parts if part)

    @property
    def ball_to_powder_ratio(self) -> float | None:
        if self.ball_mass_g is None or self.powder_mass_g is None:
            return None
        return self.ball_mass_g / self.powder_mass_g


@audited
class Sintering(Step):
    equipment = models.CharField(max_length=80, blank=True)

    class Meta(Step.Meta):
        triggers = [frozen_with_its_recipe()]
        constraints = [of_a_recipe_or_a_preparation("sintering"), *one_step_per_place("sintering")]

    def __str__(self) -> str:
        peak = self.peak_c()
        return "sinter" if peak is None else f"sinter {peak:g} °C"

    def peak_c(self) -> float | None:
        targets = [segment.target_c for segment in self.segments.all()]
        return max(targets, default=None)


@audited
class FurnaceSegment(models.Model):
    """Go to `target_c` at `ramp_c_per_min` (a magnitude: cooling is a lower target), then stay `hold_min`."""

    sintering = models.ForeignKey(Sintering, on_delete=models.CASCADE, related_name="segments")
    order = models.PositiveSmallIntegerField()
    target_c = models.FloatField()
    ramp_c_per_min = models.FloatField(null=True, blank=True)
    hold_min = models.FloatField(null=True, blank=True)
    gas = models.CharField(max_length=40, blank=True)
    flow_ml_min = models.FloatField(null=True, blank=True)
    pressure_kpa = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["order"]
        triggers = [SEGMENT_FROZEN]
        constraints = [
            models.UniqueConstraint(name="furnacesegment_place_once", fields=["sintering", "order"]),
            within("furnacesegment", "target_c", ABSOLUTE_ZERO_C, HOTTEST_FURNACE_C),
            above_zero("furnacesegment", "ramp_c_per_min"),
            within("furnacesegment", "hold_min", low=0),
            within("furnacesegment", "flow_ml_min", low=0),
            within("furnacesegment", "pressure_kpa", low=0),
        ]

    def __str__(self) -> str:
        return f"to {self.target_c:g} °C"


@audited
class Quench(Step):
    class Medium(models.TextChoices):
        LIQUID_NITROGEN = "liquid_nitrogen", "Liquid nitrogen"
        WATER = "water", "Water"
        ICE_WATER = "ice_water", "Ice water"
        OIL = "oil", "Oil"
        AIR = "air", "Air"
        METAL_PLATE = "metal_plate", "Metal plate"
        FURNACE = "furnace", "Furnace cooling"
        INSTRUMENT_RAMP = "instrument_ramp", "Instrument ramp"
        SLOW = "slow", "Slow, rate not stated"

    medium = models.CharField(max_length=20, choices=Medium.choices)
    delay_s = models.FloatField(null=True, blank=True)
    rate_c_per_min = models.FloatField(null=True, blank=True)
    gas = models.CharField(max_length=40, blank=True)

    class Meta(Step.Meta):
        triggers = [frozen_with_its_recipe()]
        constraints = [
            of_a_recipe_or_a_preparation("quench"),
            *one_step_per_place("quench"),
            models.CheckConstraint(
                name="quench_medium_known",
                condition=Q(
                    medium__in=[
                        "liquid_nitrogen",
                        "water",
                        "ice_water",
                        "oil",
                        "air",
                        "metal_plate",
                        "furnace",
                        "instrument_ramp",
                        "slow",
                    ]
                ),
            ),
            within("quench", "delay_s", low=0),
            above_zero("quench", "rate_c_per_min"),
        ]

    def __str__(self) -> str:
        return f"quench in {self.get_medium_display().lower()}"


@audited
class OtherStep(Step):
    """Whatever needs no columns of its own on a dashboard yet."""

    class Kind(models.TextChoices):
        DISSOLVING = "dissolving", "Dissolving"
        SOLVOTHERMAL = "solvothermal", "Solvothermal growth"
        WASHING = "washing", "Washing"
        DRYING = "drying", "Drying"
        MELTING = "melting", "Melting"
        MIXING = "mixing", "Mixing"
        PRESSING = "pressing", "Pressing"
        COATING = "coating", "Coating"
        CRUSHING = "crushing", "Crushing"
        STORING = "storing", "Storing"
        FIB = "fib", "FIB cut"
        OTHER = "other", "Other"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    temperature_c = models.FloatField(null=True, blank=True)
    duration_min = models.FloatField(null=True, blank=True)
    solvent = models.CharField(max_length=60, blank=True)
    volume_ml = models.FloatField(null=True, blank=True)
    pressure_mpa = models.FloatField(null=True, blank=True)
    cycles = models.PositiveSmallIntegerField(null=True, blank=True)
    gas = models.CharField(max_length=40, blank=True)
    equipment = models.CharField(max_length=80, blank=True)

    class Meta(Step.Meta):
        triggers = [frozen_with_its_recipe()]
        constraints = [
            of_a_recipe_or_a_preparation("otherstep"),
            *one_step_per_place("otherstep"),
            within("otherstep", "temperature_c", ABSOLUTE_ZERO_C, HOTTEST_FURNACE_C),
            within("otherstep", "duration_min", low=0),
            above_zero("otherstep", "volume_ml"),
            above_zero("otherstep", "pressure_mpa"),
        ]

    def __str__(self) -> str:
        parts = [
            self.get_kind_display().lower(),
            f"{self.temperature_c:g} °C" if self.temperature_c is not None else "",
            f"in {self.solvent}" if self.solvent else "",
        ]
        return " ".join(part for part in parts if part)


STEP_MODELS: tuple[type[Any], ...] = (Milling, Sintering, Quench, OtherStep)

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from samples.models.acyclic import INGREDIENT_MAKES_NO_CYCLE
from samples.models.audit import audited
from samples.models.designs import Design
from samples.models.limits import above_zero, within
from samples.models.materials import Material
from samples.models.people import Project
from samples.models.recipes import Recipe
from samples.querysets import PreparationQuerySet


@audited
class Preparation(models.Model):
    """A recipe carried out, or what is known of a history without one. Yields one or more samples."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="preparations")
    recipe = models.ForeignKey(
        Recipe, on_delete=models.PROTECT, null=True, blank=True, related_name="preparations"
    )
    performed_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: planned, or date not recorded."
    )
    performed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True, help_text="When its run sheet was begun.")
    batch_mass_g = models.FloatField(
        null=True, blank=True, help_text="Planned mass of all ingredients together."
    )
    design = models.ForeignKey(
        Design, on_delete=models.PROTECT, null=True, blank=True, related_name="preparations"
    )
    run_order = models.PositiveIntegerField(null=True, blank=True, help_text="Place in the randomised order.")
    block = models.PositiveIntegerField(null=True, blank=True, help_text="Which furnace run.")
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PreparationQuerySet.as_manager()

    class Meta:
        constraints = [
            above_zero("preparation", "batch_mass_g"),
            models.UniqueConstraint(
                name="preparation_run_order_once_per_design", fields=["design", "run_order"]
            ),
        ]

    def __str__(self) -> str:
        return f"Preparation {self.pk}" + (f" of {self.recipe}" if self.recipe else "")

    def get_absolute_url(self) -> str:
        return reverse("preparation", args=[self.pk])


@audited
class Ingredient(models.Model):
    """A weigh-out: how many grams from which sample, or of which material where its lot was not recorded."""

    preparation = models.ForeignKey(Preparation, on_delete=models.CASCADE, related_name="ingredients")
    sample = models.ForeignKey(
        "samples.Sample", on_delete=models.PROTECT, null=True, blank=True, related_name="uses"
    )
    material = models.ForeignKey(
        Material, on_delete=models.PROTECT, null=True, blank=True, related_name="uses"
    )
    mass_g = models.FloatField(null=True, blank=True, help_text="Empty when not recorded: never zero.")
    mass_sigma_g = models.FloatField(null=True, blank=True, help_text="One sigma of the balance.")
    planned_mass_g = models.FloatField(null=True, blank=True)
    weighed_at = models.DateTimeField(null=True, blank=True)
    weighed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        triggers = [INGREDIENT_MAKES_NO_CYCLE]
        constraints = [
            models.CheckConstraint(
                name="ingredient_from_a_sample_or_a_material",
                condition=Q(sample__isnull=False, material__isnull=True)
                | Q(sample__isnull=True, material__isnull=False),
            ),
            above_zero("ingredient", "mass_g"),
            within("ingredient", "mass_sigma_g", low=0),
            above_zero("ingredient", "planned_mass_g"),
            models.CheckConstraint(
                name="ingredient_sigma_only_with_mass",
                condition=Q(mass_sigma_g__isnull=True) | Q(mass_g__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        amount = "unknown mass" if self.mass_g is None else f"{self.mass_g:g} g"
        return f"{amount} of {self.sample or self.material}"

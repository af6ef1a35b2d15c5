from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from samples.models.audit import audited
from samples.models.freezing import RECIPE_FROZEN, frozen_with_its_recipe
from samples.models.limits import within
from samples.models.materials import Material
from samples.models.people import Project
from samples.querysets import OfProject


@audited
class Recipe(models.Model):
    """A plan: what to weigh and what to do with it. Frozen once a preparation uses it."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="recipes")
    name = models.CharField(max_length=160)
    version = models.PositiveIntegerField(default=1)
    notes = models.TextField(blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True, help_text="When a preparation first used it.")
    derived_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="derivatives"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = OfProject.as_manager()

    class Meta:
        ordering = ["name", "-version"]
        triggers = [RECIPE_FROZEN]
        constraints = [
            models.UniqueConstraint(name="recipe_version_once", fields=["project", "name", "version"]),
            models.CheckConstraint(name="recipe_name_not_empty", condition=~Q(name="")),
            models.CheckConstraint(name="recipe_version_from_1", condition=Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


@audited
class Component(models.Model):
    """One material of a recipe; the fractions of a recipe sum to one (samples.services checks)."""

    class Basis(models.TextChoices):
        MASS = "mass", "Mass"
        MOLE = "mole", "Mole"
        VOLUME = "volume", "Volume"

    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="components")
    material = models.ForeignKey(Material, on_delete=models.PROTECT, related_name="components")
    mass_fraction = models.FloatField()
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.MASS)
    stated_fraction = models.FloatField(
        null=True,
        blank=True,
        help_text="As written by mole or volume; the mass fraction is computed from it.",
    )

    class Meta:
        ordering = ["pk"]
        triggers = [frozen_with_its_recipe()]
        constraints = [
            models.UniqueConstraint(name="component_material_once_per_recipe", fields=["recipe", "material"]),
            models.CheckConstraint(
                name="component_mass_fraction_between_0_and_1",
                condition=Q(mass_fraction__gte=0, mass_fraction__lte=1),
                violation_error_message="A mass fraction lies between 0 and 1; 25 % is 0.25.",
            ),
            within("component", "stated_fraction", 0, 1),
            models.CheckConstraint(
                name="component_basis_known", condition=Q(basis__in=["mass", "mole", "volume"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mass_fraction:g} {self.material}"

from __future__ import annotations

from django.db import models
from django.db.models import Q

from samples.models.limits import above_zero
from samples.models.people import Project
from samples.querysets import OfProject


class Material(models.Model):
    """A substance as such; a bottle of it is a Sample."""

    class Kind(models.TextChoices):
        PRECURSOR = "precursor", "Precursor"
        PEROVSKITE = "perovskite", "Perovskite"
        FRAMEWORK = "framework", "Framework"
        GLASS = "glass", "Glass"
        SOLVENT = "solvent", "Solvent"
        GAS = "gas", "Gas"
        OTHER = "other", "Other"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="materials")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    formula = models.CharField(max_length=120, blank=True)
    molar_mass_g_per_mol = models.FloatField(
        null=True, blank=True, help_text="Computed from the formula where it states all amounts."
    )
    density_g_per_cm3 = models.FloatField(null=True, blank=True)
    hazards = models.TextField(blank=True)

    objects = OfProject.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(name="material_name_once_per_project", fields=["project", "name"]),
            models.CheckConstraint(name="material_name_not_empty", condition=~Q(name="")),
            models.CheckConstraint(
                name="material_kind_known",
                condition=Q(
                    kind__in=["precursor", "perovskite", "framework", "glass", "solvent", "gas", "other"]
                ),
            ),
            above_zero("material", "molar_mass_g_per_mol"),
            above_zero("material", "density_g_per_cm3"),
        ]

    def __str__(self) -> str:
        return self.name

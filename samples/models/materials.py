from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from samples.models.audit import audited
from samples.models.limits import above_zero, within
from samples.models.people import Project
from samples.querysets import OfProject

CAS = r"^[0-9]{2,7}-[0-9]{2}-[0-9]$"


@audited
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
    cas = models.CharField(
        "CAS number",
        max_length=12,
        blank=True,
        validators=[RegexValidator(CAS, "A CAS number looks like 7440-02-0.")],
    )
    minimum_stock_g = models.FloatField(
        null=True, blank=True, help_text="Warn when all lots together hold less; empty: never."
    )
    linker_x_feed = models.FloatField(
        null=True,
        blank=True,
        help_text="x in Zn(Im)₂₋ₓ(bIm)ₓ as it was weighed in, for a mixed-linker framework.",
    )
    linker_x_product = models.FloatField(null=True, blank=True, help_text="x as found in the product.")

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
            above_zero("material", "minimum_stock_g"),
            within("material", "linker_x_feed", 0, 2),
            within("material", "linker_x_product", 0, 2),
            models.CheckConstraint(
                name="material_cas_printed_as_usual", condition=Q(cas="") | Q(cas__regex=CAS)
            ),
        ]

    def __str__(self) -> str:
        return self.name

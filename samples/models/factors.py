from __future__ import annotations

from django.db import models
from django.db.models import F

from samples.models.limits import ABSOLUTE_ZERO_C, within
from samples.models.samples import Sample
from samples.querysets import OfSample

SORTED_BY = {"loading": "loading_mass_fraction", "temperature": "sintering_temperature_c"}


class ProcessFactors(models.Model):
    """One row per sample, derived from its whole ancestry: the x-axis of every dashboard.

    Never edited: `samples.services.derive_factors` writes it. Its columns are the factor keys of the API.
    """

    sample = models.OneToOneField(Sample, on_delete=models.CASCADE, primary_key=True, related_name="factors")
    loading_mass_fraction = models.FloatField(
        "loading", null=True, help_text="Mass of perovskite per mass of sample (1)."
    )
    loading_mole_fraction = models.FloatField(
        "loading by mole", null=True, help_text="Moles of perovskite per moles of formula units (1)."
    )
    loading_volume_fraction = models.FloatField(
        "loading by volume", null=True, help_text="Volume of perovskite per volume of sample (1)."
    )
    milling_duration_min = models.FloatField(
        "milling time", null=True, help_text="All milling since the components came together (min)."
    )
    milling_speed_rpm = models.FloatField("milling speed", null=True, help_text="Last milling (rpm).")
    ball_to_powder_ratio = models.FloatField(
        "ball-to-powder ratio", null=True, help_text="Last milling, g/g (1)."
    )
    sintering_temperature_c = models.FloatField(
        "sintering temperature", null=True, help_text="Highest temperature of the last sintering (°C)."
    )
    sintering_ramp_c_per_min = models.FloatField(
        "heating rate", null=True, help_text="Into the hottest segment (°C/min)."
    )
    sintering_hold_min = models.FloatField("hold", null=True, help_text="At the highest temperature (min).")
    sintering_gas = models.CharField("sintering gas", max_length=40, blank=True)
    quench_medium = models.CharField("quench", max_length=20, blank=True)
    quench_rate_c_per_min = models.FloatField("quench rate", null=True, help_text="Where recorded (°C/min).")
    quenched_at = models.DateTimeField(
        "quenched at", null=True, help_text="End of the last quench, where recorded."
    )
    halide = models.CharField("halide", max_length=20, blank=True, help_text="Of the perovskite: Cl, Br, I.")
    perovskite = models.CharField("perovskite", max_length=60, blank=True)
    glass_batch = models.CharField(
        "glass batch", max_length=40, blank=True, help_text="Code of the glass used."
    )
    derived_at = models.DateTimeField(auto_now=True)

    objects = OfSample.as_manager()

    class Meta:
        verbose_name_plural = "process factors"
        indexes = [  # in the order in which lists are read: unknown values last, either way
            *(
                models.Index(F(column).asc(nulls_last=True), "sample", name=f"factors_by_{word}")
                for word, column in SORTED_BY.items()
            ),
            *(
                models.Index(F(column).desc(nulls_last=True), "sample", name=f"factors_by_{word}_down")
                for word, column in SORTED_BY.items()
            ),
            models.Index("quench_medium", "sample", name="factors_by_quench"),
            models.Index("halide", name="factors_by_halide"),
        ]
        constraints = [
            within("processfactors", "loading_mass_fraction", 0, 1),
            within("processfactors", "loading_mole_fraction", 0, 1),
            within("processfactors", "loading_volume_fraction", 0, 1),
            within("processfactors", "sintering_temperature_c", low=ABSOLUTE_ZERO_C),
        ]

    def __str__(self) -> str:
        return f"factors of {self.sample_id}"

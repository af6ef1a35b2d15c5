"""Calibrations: measurements of an instrument on which other numbers depend."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analysis.querysets import CalibrationQuerySet
from measurements.models import Instrument, Measurement
from samples.models import Project
from samples.models.audit import audited


@audited
class Calibration(models.Model):
    """A measurement that serves as blank, IRF, sphere correction or standard of an instrument for a time.

    Never changed and never removed: a better one replaces it from a date on, a wrong one is withdrawn with a
    reason, and everything that used it is flagged and asked again.
    """

    class Kind(models.TextChoices):
        BLANK = "blank", "Blank"
        DARK = "dark", "Dark counts"
        IRF = "irf", "Instrument response function"
        SPHERE = "sphere", "Integrating-sphere correction"
        SPECTRAL = "spectral", "Spectral correction"
        XRD_PROFILE = "xrd_profile", "Diffraction profile (LaB₆, Si)"
        Q_SCALE = "q_scale", "q scale (AgBeh)"
        TEMPERATURE = "temperature", "Temperature and heat (In, Zn)"
        ENERGY = "energy", "Energy reference"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="calibrations")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="calibrations")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, related_name="calibrates")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Empty: until another takes over.")
    note = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdraw_reason = models.TextField(blank=True)

    objects = CalibrationQuerySet.as_manager()

    class Meta:
        ordering = ["instrument", "kind", "-valid_from"]
        indexes = [
            models.Index(name="calibration_choice", fields=["instrument", "kind", "-valid_from"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="calibration_kind_known",
                condition=Q(
                    kind__in=[
                        "blank", "dark", "irf", "sphere", "spectral", "xrd_profile", "q_scale", "temperature",
                        "energy",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="calibration_ends_after_it_begins",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
            ),
            models.CheckConstraint(
                name="calibration_withdrawn_with_a_reason",
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdraw_reason=""),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.instrument} from {self.valid_from:%Y-%m-%d}"

    @property
    def is_in_force(self) -> bool:
        return self.withdrawn_at is None and self.measurement.status == Measurement.Status.READ

"""What a bottle is, how much of it is left and why, and what happened to a sample after it was made."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from samples.models.audit import audited
from samples.models.limits import ABSOLUTE_ZERO_C, above_zero, within
from samples.models.samples import Sample
from samples.querysets import OfSample


@audited
class Lot(models.Model):
    """A sample that was bought: what its label and certificate say."""

    sample = models.OneToOneField(Sample, on_delete=models.CASCADE, primary_key=True, related_name="lot")
    supplier = models.CharField(max_length=120, blank=True)
    catalogue_number = models.CharField(max_length=80, blank=True)
    lot_number = models.CharField(max_length=80, blank=True)
    purity = models.FloatField(null=True, blank=True, help_text="Mass fraction; 99.99 % is 0.9999.")
    received_on = models.DateField(null=True, blank=True)
    opened_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)

    objects = OfSample.as_manager()

    class Meta:
        constraints = [
            within("lot", "purity", 0, 1),
            models.CheckConstraint(
                name="lot_not_opened_before_it_came",
                condition=Q(opened_on__isnull=True)
                | Q(received_on__isnull=True)
                | Q(opened_on__gte=F("received_on")),
                violation_error_message="A lot cannot be opened before it was received.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} {self.lot_number}".strip() or f"lot of {self.sample_id}"


@audited
class StockEntry(models.Model):
    """A change of a sample's amount that is no weigh-out. Never edited: a wrong one is followed by a recount.

    mass_g : what was found, for a recount; what went, for a loss or a disposal (empty: an unknown rest)
    left_g : what was left after it; empty while the amount is not known
    """

    class Kind(models.TextChoices):
        RECOUNT = "recount", "Recount"
        LOSS = "loss", "Loss"
        DISPOSAL = "disposal", "Disposal"

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="stock_entries")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    mass_g = models.FloatField(null=True, blank=True)
    mass_sigma_g = models.FloatField(null=True, blank=True)
    left_g = models.FloatField(null=True, blank=True)
    reason = models.TextField()
    waste_stream = models.CharField(
        max_length=80, blank=True, help_text="Of a disposal, such as Pb solid waste."
    )
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = OfSample.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="stockentry_kind_known", condition=Q(kind__in=["recount", "loss", "disposal"])
            ),
            within("stockentry", "mass_g", low=0),
            within("stockentry", "mass_sigma_g", low=0),
            within("stockentry", "left_g", low=0),
            models.CheckConstraint(
                name="stockentry_mass_unknown_only_of_a_whole_disposal",
                condition=Q(mass_g__isnull=False) | Q(kind="disposal", left_g=0),
            ),
            models.CheckConstraint(name="stockentry_has_a_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        amount = "the rest" if self.mass_g is None else f"{self.mass_g:g} g"
        return f"{self.get_kind_display()} of {amount} of {self.sample_id}"


@audited
class Exposure(models.Model):
    """What happened to a sample after it was made: stored, immersed, heated, lit."""

    class Kind(models.TextChoices):
        AMBIENT = "ambient", "Ambient air"
        IMMERSION = "immersion", "Immersion"
        HEAT = "heat", "Heat"
        LIGHT = "light", "Light"
        SONICATION = "sonication", "Sonication"
        HUMIDITY = "humidity", "Humidity"
        OTHER = "other", "Other"

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="exposures")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    medium = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it goes on.")
    temperature_c = models.FloatField(null=True, blank=True)
    relative_humidity = models.FloatField(null=True, blank=True, help_text="A fraction; 40 % is 0.40.")
    irradiance_mw_per_cm2 = models.FloatField(null=True, blank=True)
    wavelength_nm = models.FloatField(null=True, blank=True)
    notes = models.TextField(blank=True)

    objects = OfSample.as_manager()

    class Meta:
        ordering = ["started_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="exposure_kind_known",
                condition=Q(
                    kind__in=["ambient", "immersion", "heat", "light", "sonication", "humidity", "other"]
                ),
            ),
            models.CheckConstraint(
                name="exposure_ends_after_it_starts",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                violation_error_message="An exposure cannot end before it starts.",
            ),
            within("exposure", "temperature_c", low=ABSOLUTE_ZERO_C),
            within("exposure", "relative_humidity", 0, 1),
            within("exposure", "irradiance_mw_per_cm2", low=0),
            above_zero("exposure", "wavelength_nm"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.sample_id}"

"""What analysis does when a measurement was read or found its sample."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from analysis import services
from analysis.services import recalibrating
from measurements.models import Measurement
from measurements.signals import measurement_placed, measurement_read, measurement_settled
from samples.models import Sample


@receiver(measurement_read)
def run_fitting_methods(measurement: Measurement, **kwargs: Any) -> None:
    services.request_runs(measurement)


@receiver(measurement_settled)
def tell_who_listens(measurement: Measurement, **kwargs: Any) -> None:
    """Inside the transaction that settles it."""
    services.tell_of_measurement(measurement)


@receiver(measurement_placed)
def values_follow_their_measurement(measurement: Measurement, **kwargs: Any) -> None:
    """Inside the transaction that moves it, declares it void or takes that back."""
    services.follow(measurement)


@receiver(post_save, sender=Sample)
def derived_values_follow_their_sample(instance: Sample, created: bool, **kwargs: Any) -> None:
    """Its embargo, its voiding, a correction: what rests on its values may have to be derived anew."""
    if not created:
        services.note_corrected(instance)


@receiver(measurement_placed)
def calibrations_follow_their_measurement(measurement: Measurement, **kwargs: Any) -> None:
    """One that is void takes the calibrations that rest on it along."""
    for calibration in measurement.calibrates.select_related("instrument"):
        recalibrating.flag(calibration.instrument)

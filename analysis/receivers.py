"""What analysis does when a measurement was read or found its sample."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from analysis import services
from measurements.models import Measurement
from measurements.signals import measurement_placed, measurement_read


@receiver(measurement_read)
def run_fitting_methods(measurement: Measurement, **kwargs: Any) -> None:
    services.request_runs(measurement)


@receiver(measurement_placed)
def values_follow_their_measurement(measurement: Measurement, **kwargs: Any) -> None:
    """Inside the transaction that moves it, declares it void or takes that back."""
    services.follow(measurement)

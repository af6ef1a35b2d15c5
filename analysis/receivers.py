"""What analysis does when a measurement was read or found its sample."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from analysis import services
from analysis.models import Value
from measurements.models import Measurement
from measurements.signals import measurement_assigned, measurement_read


@receiver(measurement_read)
def run_fitting_methods(measurement: Measurement, **kwargs: Any) -> None:
    services.request_runs(measurement)


@receiver(measurement_assigned)
def values_follow_their_measurement(measurement: Measurement, **kwargs: Any) -> None:
    Value.objects.filter(measurement=measurement).update(sample=measurement.sample)

"""What follows a reading, in this room."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from measurements import services
from measurements.models import Measurement
from measurements.signals import measurement_read


@receiver(measurement_read)
def look_over_what_the_file_says(measurement: Measurement, **kwargs: Any) -> None:
    """Its header may name the sample that it waits for, or another than the one it came for."""
    services.look_over(measurement)

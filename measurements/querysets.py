"""Questions about measurements."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from samples.querysets import OfProject


class MeasurementQuerySet(OfProject):
    def inbox(self) -> MeasurementQuerySet:
        """What waits for a sample."""
        return self.filter(sample__isnull=True).exclude(status="void")

    def unread_for(self, seconds: float) -> MeasurementQuerySet:
        """Received long enough ago that a message to read it must have been lost."""
        return self.filter(status="received", received_at__lt=timezone.now() - timedelta(seconds=seconds))

    def for_list(self) -> MeasurementQuerySet:
        return self.select_related("project", "sample", "instrument").annotate(
            file_count=models.Count("files")
        )


class OfMeasurement(OfProject):
    project_path = "measurement__project"

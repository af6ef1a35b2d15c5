"""Questions about runs and values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from measurements.querysets import OfMeasurement
from samples.querysets import OfProject


class RunQuerySet(OfMeasurement):
    def claimable(self) -> RunQuerySet:
        """Queued, or running under a lease that its worker no longer renews."""
        return self.filter(Q(status="queued") | Q(status="running", lease_until__lt=timezone.now()))

    def abandoned(self) -> RunQuerySet:
        return self.filter(status="running", lease_until__lt=timezone.now())

    def forgotten_for(self, seconds: float) -> RunQuerySet:
        """Queued long enough ago that the message to execute it must have been lost."""
        return self.filter(status="queued", queued_at__lt=timezone.now() - timedelta(seconds=seconds))

    def outdated(self, method: str, version: int) -> RunQuerySet:
        """Runs whose values are current although the method has moved on."""
        return self.filter(method=method, method_version__lt=version, values__current=True).distinct()

    def for_list(self) -> RunQuerySet:
        return self.select_related("measurement", "measurement__sample", "measurement__project")


class ValueQuerySet(OfProject):
    sample_path = "sample"

    def current(self) -> ValueQuerySet:
        return self.filter(current=True)

    def _belongs_to(self, projects: Any) -> Q:
        """Through the sample, or through the measurement while that waits in the inbox for one."""
        return Q(sample__project__in=projects) | Q(sample__isnull=True, measurement__project__in=projects)

"""Questions about runs and values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from measurements.querysets import OfMeasurement
from samples.querysets import OfProject, hidden_from

LEASE = timedelta(seconds=30)


def lapsed() -> Q:
    """Leases that nobody renews any more. By the database's clock; and one that ends later than any lease can
    was written before that clock was set back, so it says nothing."""
    return Q(lease_until__lt=Now()) | Q(lease_until__gt=Now() + 2 * LEASE)


class RunQuerySet(OfMeasurement):
    def visible_to(self, user: Any, **known: Any) -> RunQuerySet:
        return super().visible_to(user, **known).exclude(sample__in=hidden_from(user))

    def _belongs_to(self, projects: Any) -> Q:
        """Through what it analysed: a measurement, the values of a sample, or those of a project."""
        return (
            Q(measurement__project__in=projects) | Q(sample__project__in=projects) | Q(project__in=projects)
        )

    def claimable(self) -> RunQuerySet:
        """Queued, or running under a lease that its worker no longer renews."""
        return self.filter(Q(status="queued") | Q(lapsed(), status="running"))

    def abandoned(self) -> RunQuerySet:
        return self.filter(lapsed(), status="running")

    def forgotten_for(self, seconds: float) -> RunQuerySet:
        """Queued long enough ago that the message to execute it must have been lost."""
        return self.filter(status="queued", queued_at__lt=timezone.now() - timedelta(seconds=seconds))

    def outdated(self, method: str, version: int) -> RunQuerySet:
        """Runs whose values are current although the method has moved on."""
        return self.filter(method=method, method_version__lt=version, values__current=True).distinct()

    def for_list(self) -> RunQuerySet:
        return self.select_related(
            "measurement__sample", "measurement__project", "sample__project", "project"
        )


class ValueQuerySet(OfProject):
    sample_path = "sample"

    def current(self) -> ValueQuerySet:
        return self.filter(current=True)

    def _belongs_to(self, projects: Any) -> Q:
        """Through the sample, or the measurement while that waits for one, or the project as a whole."""
        waiting = Q(sample__isnull=True, measurement__project__in=projects)
        return Q(sample__project__in=projects) | waiting | Q(project__in=projects)


class CalibrationQuerySet(OfProject):
    sample_path = "measurement__sample"

    def in_force(self) -> CalibrationQuerySet:
        return self.filter(withdrawn_at__isnull=True)

    def valid_at(self, moment: Any) -> CalibrationQuerySet:
        """In force at that moment, the latest first."""
        begun = self.in_force().filter(valid_from__lte=moment)
        return begun.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=moment)).order_by(
            "-valid_from", "-pk"
        )

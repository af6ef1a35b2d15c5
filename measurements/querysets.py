"""Questions about measurements."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from samples.models import Preparation, Sample
from samples.querysets import OfProject

LOST_AFTER = timedelta(seconds=20)
LOST_AGAIN_AFTER = timedelta(minutes=2)  # with a long queue the message may well be waiting
# No sample, no reading, no technique, or two answers to one question. An index holds exactly these rows.
WAITS_FOR_A_PERSON = Q(status__in=["received", "read", "failed"]) & (
    Q(sample__isnull=True) | Q(status="failed") | Q(technique="unknown", status="read") | Q(conflict__gt="")
)

REASONS = {
    "sample": Q(sample__isnull=True),
    "format": Q(status="failed"),
    "technique": Q(technique="unknown", status="read"),
    "conflict": Q(conflict__gt=""),
}


class MeasurementQuerySet(OfProject):
    sample_path = "sample"

    def inbox(self) -> MeasurementQuerySet:
        """What waits for a person. What serves as a calibration need not have a sample; analysis, which knows
        of those, is reached through the relation and not imported."""
        serving = self.model._meta.get_field("calibrates").related_model.objects.in_force()
        needs_only_a_sample = Q(status="read", conflict="") & ~Q(technique="unknown")
        waiting = self.filter(WAITS_FOR_A_PERSON)
        return waiting.exclude(needs_only_a_sample & Q(pk__in=serving.order_by().values("measurement")))

    def without_sample(self) -> MeasurementQuerySet:
        return self.filter(sample__isnull=True).exclude(status="void")

    def forgotten(self) -> MeasurementQuerySet:
        """Received long enough ago that the message to read it must have been lost, oldest first."""
        now = timezone.now()
        never_requeued = Q(queued_at=None, received_at__lt=now - LOST_AFTER)
        requeued_long_ago = Q(queued_at__lt=now - LOST_AGAIN_AFTER)
        return self.filter(never_requeued | requeued_long_ago, status="received").order_by("received_at")

    def for_list(self) -> MeasurementQuerySet:
        return self.select_related("project", "sample", "instrument").annotate(
            file_count=models.Count("files")
        )


class OfMeasurement(OfProject):
    project_path = "measurement__project"
    sample_path = "measurement__sample"


class AttachmentQuerySet(models.QuerySet):
    """Who sees a sample or a preparation sees what is attached to it; who may write there may attach."""

    def visible_to(self, user: Any) -> AttachmentQuerySet:
        return self._of(Sample.objects.visible_to(user), Preparation.objects.visible_to(user))

    def open_to(self, user: Any) -> AttachmentQuerySet:
        return self._of(Sample.objects.open_to(user), Preparation.objects.open_to(user))

    def in_use(self) -> AttachmentQuerySet:
        return self.filter(voided_at__isnull=True)

    def _of(self, samples: models.QuerySet, preparations: models.QuerySet) -> AttachmentQuerySet:
        return self.filter(
            Q(sample__in=samples.order_by().values("pk"))
            | Q(preparation__in=preparations.order_by().values("pk"))
        )


class BatchQuerySet(OfProject):
    """A batch is its maker's, while a contributor: it names samples of several projects."""

    def _in_projects(self, user: Any, role: int, *, embargo: bool = True, projects: Any = None) -> Any:
        found = super()._in_projects(user, role, embargo=embargo, projects=projects)
        return found.filter(created_by=user) if user.is_authenticated else found

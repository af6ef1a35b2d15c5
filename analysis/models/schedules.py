"""The scheduler's rows under the eyes of the audit trail."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models
from django_celery_beat.models import PeriodicTask


class ScheduleQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> ScheduleQuerySet:
        """For operators: it is one for all projects."""
        return self if user.is_staff else self.none()


# Only what people decide: the scheduler itself notes every start in the same row.
@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    fields=["id", "name", "enabled", "crontab", "interval"],
    append_only=True,
    model_name="ScheduleEvent",
)
class Schedule(PeriodicTask):
    objects = ScheduleQuerySet.as_manager()

    class Meta:
        proxy = True
        default_permissions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Schedule: {self.name}"

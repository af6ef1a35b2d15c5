"""When the nightly reanalysis runs: a row of the scheduler, edited in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from samples.models import User

TASK = "analysis.tasks.reanalyse_outdated"
NAME = "reanalyse what is outdated"
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
EVERY_DAY = "*"


@dataclass(frozen=True)
class Nightly:
    """`day` 0 is Sunday; None is every day. The time is UTC."""

    enabled: bool
    at: time
    day: int | None = None

    def __str__(self) -> str:
        if not self.enabled:
            return "Reanalysis begins only when a manager asks for it."
        when = "every day" if self.day is None else f"every {DAYS[self.day]}"
        return f"Everything outdated is asked again {when} at {self.at:%H:%M} UTC."


def nightly() -> Nightly:
    """As it stands; switched off where an administrator gave it a rhythm that these words cannot tell."""
    row = PeriodicTask.objects.filter(task=TASK).select_related("crontab").order_by("pk").first()
    if row is None or row.crontab is None:
        return Nightly(False, time(2, 30))
    minute, hour, day = (row.crontab.minute, row.crontab.hour, row.crontab.day_of_week)
    if not (minute.isdecimal() and hour.isdecimal()):
        return Nightly(False, time(2, 30))
    return Nightly(
        enabled=row.enabled, at=time(int(hour), int(minute)), day=int(day) % 7 if day.isdecimal() else None
    )


@transaction.atomic
def set_nightly(wanted: Nightly, user: User) -> None:
    """For the whole installation, so only its operators may."""
    if not user.is_staff:
        raise PermissionDenied("Only an operator of this installation may change when reanalysis runs.")
    crontab, _ = CrontabSchedule.objects.get_or_create(
        minute=str(wanted.at.minute),
        hour=str(wanted.at.hour),
        day_of_week=EVERY_DAY if wanted.day is None else str(wanted.day),
        day_of_month="*",
        month_of_year="*",
        timezone="UTC",
    )
    row = PeriodicTask.objects.filter(task=TASK).order_by("pk").first() or PeriodicTask(name=NAME, task=TASK)
    row.crontab, row.enabled = crontab, wanted.enabled
    row.interval = row.solar = row.clocked = None
    row.save()  # its signal tells the running scheduler

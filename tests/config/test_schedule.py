"""What the scheduler asks for exists, and Celery would take it."""

from __future__ import annotations

import pytest
from celery import current_app
from django.conf import settings

ENTRIES = settings.CELERY_BEAT_SCHEDULE


@pytest.mark.parametrize("name", ENTRIES)
def test_a_scheduled_task_exists_and_its_limits_fit_each_other(name: str) -> None:
    current_app.loader.import_default_modules()
    task = current_app.tasks[ENTRIES[name]["task"]]
    # A task that names only a hard limit gets the soft default beside it; Celery refuses one above the other.
    soft = task.soft_time_limit or settings.CELERY_TASK_SOFT_TIME_LIMIT
    hard = task.time_limit or settings.CELERY_TASK_TIME_LIMIT
    assert soft <= hard


def test_what_is_said_to_happen_by_itself_is_on_the_schedule() -> None:
    scheduled = {entry["task"] for entry in ENTRIES.values()}
    assert {"measurements.tasks.sweep_store", "measurements.tasks.check_fixity"} <= scheduled

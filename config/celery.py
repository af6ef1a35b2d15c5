"""The Celery application. Messages carry primary keys as JSON and nothing else."""

from __future__ import annotations

import gc
import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("vitrine")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def log_as_everybody_else(loglevel: int | None = None, **_: Any) -> None:
    from config import logs

    logs.configure(loglevel)


@signals.worker_process_init.connect
def leave_alone_what_is_loaded(**_: Any) -> None:
    """What stays for good need not be looked through for garbage, and a batch of runs makes hardly any."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@signals.before_task_publish.connect
def say_who_asked(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """The worker's lines name the request that a task comes from."""
    from samples import tracing

    asked_by = tracing.current().get("request_id")
    if headers is not None and asked_by:
        headers["request_id"] = asked_by


@signals.task_prerun.connect
def say_what_it_is_about(task: Any, task_id: str, args: Any = (), **_: Any) -> None:
    from config import logs
    from samples import tracing

    tracing.begin(logs.of_task(task, task_id, args))


@signals.task_postrun.connect
def be_about_nothing(**_: Any) -> None:
    from samples import tracing

    tracing.begin({})

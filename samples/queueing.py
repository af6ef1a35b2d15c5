"""Handing work to the broker: after the commit, and never at the price of the request.

The row is the truth. When the broker is down the message is lost, the row stays, and the sweep finds it.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def enqueue(task: Task, *args: int, **options: Any) -> None:
    """Send `task` with primary keys once the current transaction has committed."""
    transaction.on_commit(lambda: _send(task, args, options))


def _send(task: Task, args: tuple[int, ...], options: dict[str, Any]) -> None:
    try:
        task.apply_async(args, ignore_result=True, retry=False, **options)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("The broker does not answer (%s); the sweep will queue %s%s.", error, task.name, args)

"""Handing work to the broker: after the commit, and never at the price of the request.

The row is the truth. When the broker is down the message is lost, the row stays, and the sweep finds it.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Task, current_app
from django.db import transaction
from kombu.exceptions import ChannelError, OperationalError
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


def broker_is_idle() -> bool:
    """Whether no message waits: only then must a row that still waits have lost its own."""
    try:
        with current_app.connection_for_read() as broker:
            queue = current_app.conf.task_default_queue
            return broker.default_channel.queue_declare(queue, passive=True).message_count == 0
    except ChannelError:  # no such queue yet, so nothing in it
        return True
    except (OperationalError, RedisError, OSError):
        return False

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
    transaction.on_commit(lambda: send(task, *args, **options))


def send(task: Task, *args: int, **options: Any) -> None:
    """At once. A broker that is down costs half a second and this message."""
    try:
        task.apply_async(args, ignore_result=True, retry=False, **options)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("The broker does not answer (%s); the sweep will queue %s%s.", error, task.name, args)


def waiting_messages(queue: str) -> int | None:
    """How many messages nobody has taken yet; None when the broker does not answer."""
    try:
        with current_app.connection_for_read() as broker:
            return int(broker.default_channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # no such queue yet, so nothing in it
        return 0
    except (OperationalError, RedisError, OSError):
        return None

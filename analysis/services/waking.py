"""Telling the workers that there is something to do.

The rows are the queue: a message only says that a lane is not empty, and whoever gets it claims the most
urgent runs. So one waiting message is enough for any number of runs, and a lost one costs nothing but time.
"""

from __future__ import annotations

import threading

from celery import Task
from django.db import transaction

from analysis.models import Run
from samples.queueing import send, waiting_messages

FAST, LONG = str(Run.Lane.FAST), str(Run.Lane.LONG)  # lanes, and the queues of their messages
_woken = threading.local()


def wake(lane: str) -> None:
    """Once the transaction has committed, see to it that a message waits; one for any number of calls."""
    lanes = _woken.__dict__.setdefault("lanes", set())
    lanes.add(lane)
    transaction.on_commit(_send)


def _send() -> None:
    lanes: set[str] = _woken.__dict__.pop("lanes", set())
    for lane in sorted(lanes):
        if waiting_messages(lane) == 0:
            send(_task(lane))


def work_waits(lane: str) -> bool:
    return Run.objects.filter(status=Run.Status.QUEUED, lane=lane).exists()


def _task(lane: str) -> Task:
    from analysis import tasks

    return tasks.execute_batch if lane == FAST else tasks.execute_long

"""Telling the workers that there is something to do.

The rows are the queue: a message only says that a lane is not empty, and whoever gets it claims the most
urgent runs. So one waiting message is enough for any number of runs, and a lost one costs nothing but time.
"""

from __future__ import annotations

from functools import partial

from celery import Task
from django.db import transaction

from analysis.models import Run
from samples.queueing import send, waiting_messages

FAST, LONG = str(Run.Lane.FAST), str(Run.Lane.LONG)  # lanes, and the queues of their messages


def wake(lane: str) -> None:
    """Once the transaction has committed, see to it that a message waits."""
    transaction.on_commit(partial(_send, lane))


def _send(lane: str) -> None:
    if waiting_messages(lane) == 0:
        send(_task(lane))


def work_waits(lane: str) -> bool:
    return Run.objects.filter(status=Run.Status.QUEUED, lane=lane).exists()


def _task(lane: str) -> Task:
    from analysis import tasks

    return tasks.execute_batch if lane == FAST else tasks.execute_long

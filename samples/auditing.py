"""Who, from where and why: what every event of the audit trail is told besides what changed.

The triggers copy it from the session in which a statement runs; `pghistory` puts it there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pghistory
from celery import signals

from samples.models import User


def because(reason: str, user: User | None = None) -> pghistory.context:
    """With this around them, changes carry the reason; one request, task or script has one reason."""
    told: dict[str, Any] = {"reason": reason} if reason else {}
    if user is not None and user.pk is not None:
        told["user"] = user.pk
    return pghistory.context(**told)


_tasks: dict[str, pghistory.context] = {}


@signals.task_prerun.connect
def _task_begins(task_id: str, task: Any, **_: Any) -> None:
    _tasks[task_id] = pghistory.context(task=task.name)
    _tasks[task_id].__enter__()


@signals.task_postrun.connect
def _task_ends(task_id: str, **_: Any) -> None:
    told = _tasks.pop(task_id, None)
    if told is not None:
        told.__exit__(None, None, None)


# Held here: the hook that tells the database ends when its context is forgotten.
_command: pghistory.context | None = None


def name_command(arguments: Sequence[str]) -> pghistory.context | None:
    """For the rest of this process when it is a management command: `manage.py reanalyse`."""
    program = Path(arguments[0]) if arguments else Path()
    is_command = program.name == "manage.py" or program.parts[-2:] == ("django", "__main__.py")
    if not is_command or len(arguments) < 2:
        return None
    told = pghistory.context(command=arguments[1])
    told.__enter__()
    return told


def begin() -> None:
    global _command
    _command = name_command(sys.argv)

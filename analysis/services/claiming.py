"""Who has a run: claimed by UPDATE, held under a lease, given back by UPDATE.

All times are the database's: workers on several hosts have several clocks, and any of them may jump.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from analysis.models import Run
from analysis.querysets import LEASE, RunQuerySet
from analysis.sandbox import Progress

RENEW_EVERY_S = 8.0
Answer = TypeVar("Answer")


class NotOursError(Exception):
    """Somebody else has taken over everything we were computing, or it was cancelled."""


class CancelledError(Exception):
    """A person asked for the end of the run."""


def claim(run_pk: int) -> Run | None:
    """The run, now running and ours; None when somebody else has it or it is finished."""
    claimed = _take(
        "SELECT id FROM analysis_run WHERE id = %s AND (status = 'queued' OR status = 'running' AND"
        " (lease_until < statement_timestamp() OR lease_until > statement_timestamp() + 2 * %s))"
        " FOR UPDATE SKIP LOCKED",
        [run_pk, LEASE],
    )
    return claimed[0] if claimed else None


def claim_next(lane: str, limit: int, *, alone: bool = False) -> list[Run]:
    """Up to `limit` waiting runs, the most urgent first, in one statement. Two workers never wait for each
    other, and never get the same run."""
    return _take(
        "SELECT id FROM analysis_run WHERE status = 'queued' AND lane = %s AND alone = %s"
        " ORDER BY priority, id LIMIT %s FOR UPDATE SKIP LOCKED",
        [lane, alone, limit],
    )


def _take(which: str, params: list[object]) -> list[Run]:
    # MATERIALIZED: the choice is made once, or SKIP LOCKED would choose anew for every row.
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH next AS MATERIALIZED ({which})"  # noqa: S608  the two above
            " UPDATE analysis_run AS run SET status = 'running', started_at = statement_timestamp(),"
            " lease_until = statement_timestamp() + %s, attempts = attempts + 1, host = %s,"
            " progress = NULL, progress_note = '' FROM next WHERE run.id = next.id RETURNING run.id",
            [*params, LEASE, socket.gethostname()[:120]],
        )
        keys = [pk for (pk,) in cursor.fetchall()]
    return list(Run.objects.filter(pk__in=keys).order_by("priority", "pk")) if keys else []


def ours(run: Run) -> RunQuerySet:
    """The row while it is still ours: a worker that lost its lease changes nothing any more."""
    return Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, attempts=run.attempts)


def still_ours(runs: Iterable[Run]) -> set[int]:
    """Renew the lease of all of them in one statement; the keys of those that we still have."""
    pairs = [(run.pk, run.attempts) for run in runs]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_run AS run SET lease_until = statement_timestamp() + %s"
            " FROM unnest(%s::bigint[], %s::int[]) AS mine(id, attempts)"
            " WHERE run.id = mine.id AND run.attempts = mine.attempts AND run.status = 'running'"
            " RETURNING run.id",
            [LEASE, [pk for pk, _ in pairs], [attempts for _, attempts in pairs]],
        )
        return {pk for (pk,) in cursor.fetchall()}


def give_back(runs: Iterable[Run], *, alone: bool = False) -> None:
    """Unfinished, and for no fault of theirs: they wait again, and the attempt does not count.

    alone : each by itself from now on, for one of them may have killed its batch
    """
    pairs = [(run.pk, run.attempts) for run in runs]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_run AS run SET status = 'queued', queued_at = statement_timestamp(),"
            " lease_until = NULL, attempts = run.attempts - 1, alone = run.alone OR %s"
            " FROM unnest(%s::bigint[], %s::int[]) AS mine(id, attempts)"
            " WHERE run.id = mine.id AND run.attempts = mine.attempts AND run.status = 'running'",
            [alone, [pk for pk, _ in pairs], [attempts for _, attempts in pairs]],
        )


class Lease:
    """Keeps runs ours while a child computes: to be called about once a second."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        self.renew_at = time.monotonic() + RENEW_EVERY_S

    def __call__(self, said: Progress | None) -> None:
        if len(self.runs) == 1:
            again_if_dropped(lambda: self._tell(self.runs[0], said))
        if time.monotonic() >= self.renew_at:
            self.renew_at = time.monotonic() + RENEW_EVERY_S
            if not again_if_dropped(lambda: still_ours(self.runs)):
                raise NotOursError

    def _tell(self, run: Run, said: Progress | None) -> None:
        """What a person sees of a run that is alone, and what they may ask of it."""
        if said is not None:
            ours(run).update(progress=said.fraction, progress_note=said.note[:200])
        if ours(run).filter(cancel_asked_at__isnull=False).exists():
            raise CancelledError


def again_if_dropped(ask: Callable[[], Answer]) -> Answer:
    """What `ask` gives; once more over a new connection when the database has dropped this one."""
    try:
        return ask()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or (connection.connection is not None and connection.is_usable()):
            raise
        connection.close()
        return ask()

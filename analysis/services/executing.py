"""Executing runs: claimed by UPDATE, held under a lease, computed in a child, finished by UPDATE.

Fast runs travel in batches; long ones alone. Twice does no harm, and whatever dies on the way, the members of
a batch are answered each for itself: one poisonous file fails alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from django.db import DataError, IntegrityError, transaction
from django.db.models.functions import Now

from analysis import methods, sandbox
from analysis.models import Run
from analysis.sandbox import Answer, ChildDiedError, Progress
from analysis.services import derived
from analysis.services.choosing import named_inputs
from analysis.services.claiming import (
    CancelledError,
    Lease,
    NotOursError,
    again_if_dropped,
    claim,
    claim_next,
    give_back,
    ours,
)
from analysis.services.currency import decide_current
from analysis.services.gathering import jobs, keep_copies
from analysis.services.requesting import request_run
from analysis.services.storing import Found, finish
from analysis.services.waking import FAST, LONG, wake, work_waits
from analysis.services.webhooks import tell_of_runs
from measurements.store import StoreError, StoreFullError, StoreUnavailableError, store

log = logging.getLogger(__name__)

BATCH = 250
SUSPECTS = 100  # of a batch that died, those that came next are tried singly; the others begin again
SINGLES = 4  # runs whose batch died, taken along with each batch
BATCH_S = 10.0  # what has not begun by then waits for the next batch: somebody urgent may have come
STORE_EVERY_S = 2.0


class MethodMistakeError(Exception):
    """A method that raised what it should not; the traceback of its process is in the log."""


class _EnoughError(Exception):
    """The batch has had its time."""


def execute(run_pk: int) -> None:
    """Run it if nobody else has it. A refusal of the method is a result: failed, with its sentence."""
    run = again_if_dropped(partial(claim, run_pk))
    if run is None:
        return
    mistakes = _compute([run]) if _is_of_this_version(run) else []
    if mistakes:
        raise MethodMistakeError(mistakes[0].mistake)


def execute_batch() -> int:
    """Claim and execute the most urgent fast runs; how many there were."""
    runs = again_if_dropped(partial(claim_next, FAST, BATCH))
    singles = again_if_dropped(partial(claim_next, FAST, SINGLES, alone=True))
    _hand_on(FAST, len(runs) == BATCH or len(singles) == SINGLES)
    together = [run for run in runs if _is_of_this_version(run)]
    _compute(together)
    for run in singles:
        if _is_of_this_version(run):
            _compute([run])
    return len(runs) + len(singles)


def execute_long() -> int:
    """Claim and execute the most urgent long run."""
    runs = again_if_dropped(partial(claim_next, LONG, 1))
    runs = runs or again_if_dropped(partial(claim_next, LONG, 1, alone=True))
    _hand_on(LONG, bool(runs))
    for run in runs:
        if _is_of_this_version(run):
            _compute([run])
    return len(runs)


def _hand_on(lane: str, more: bool) -> None:
    """Another worker may begin on the rest at once; one message is enough for any number of runs."""
    if more and work_waits(lane):
        wake(lane)


def _compute(runs: Sequence[Run]) -> list[Answer]:
    """Answer all of them, and store what was found; the mistakes that methods made."""
    waiting = {run.pk: run for run in runs}
    if not waiting:
        return []
    work = _Work(waiting)
    try:
        work.through()
    except CancelledError:
        _end(runs[0], str(Run.Status.CANCELLED), "It was cancelled by a person.")
    except NotOursError:
        log.warning("Runs %s were taken over by another worker", sorted(waiting))
    except _EnoughError:
        give_back(list(waiting.values()))
        wake(FAST)
    except (StoreFullError, StoreUnavailableError) as error:
        _leave_for_later(list(waiting.values()), error)
    except ChildDiedError as death:
        work.store()
        _after_a_death(list(waiting.values()), death)
    return work.mistakes


class _Work:
    """One child's work. `waiting` : runs without an answer so far, by key; the caller sees what is left."""

    def __init__(self, waiting: dict[int, Run]) -> None:
        self.waiting = waiting
        self.runs = dict(waiting)
        self.answers: list[Answer] = []
        self.mistakes: list[Answer] = []
        self.lease = Lease(list(waiting.values()))
        self.began = self.stored_at = time.monotonic()
        self.answered = 0

    def through(self) -> None:
        copies: dict[str, bytes] = {}
        with ExitStack() as borrowed:
            asked = again_if_dropped(lambda: jobs(list(self.runs.values()), borrowed, copies))
            for job in sandbox.in_order(asked):  # so that what is left begins with what was being computed
                self.waiting[job.key] = self.waiting.pop(job.key)
            self.methods = {job.key: job.loaded for job in asked}
            for answer in sandbox.answers(asked, pulse=self.pulse, leave=lambda: copies, take=_keep):
                self.answers.append(answer)
                del self.waiting[answer.key]
        self.store()

    def pulse(self, said: Progress | None) -> None:
        self.lease(said)
        if self.answers and time.monotonic() - self.stored_at > STORE_EVERY_S:
            self.store()
        if self.answered and self.waiting and time.monotonic() - self.began > BATCH_S:
            raise _EnoughError

    def store(self) -> None:
        """What has been answered since the last time."""
        answers, self.answers = self.answers, []
        self.answered += len(answers)
        self.stored_at = time.monotonic()
        found = [
            Found(
                self.runs[answer.key],
                self.methods[answer.key],
                answer.outcome,
                answer.duration_s,
                answer.compiled,
            )
            for answer in answers
            if answer.outcome is not None
        ]
        _finish(found)
        for answer in answers:
            run = self.runs[answer.key]
            if answer.refusal:
                again_if_dropped(partial(fail, run, answer.refusal, answer.duration_s))
            elif answer.mistake:
                self.mistakes.append(answer)
                log.error("Run %s (%s): %s", run.pk, run, answer.details)
                again_if_dropped(partial(fail, run, _mistaken(answer.mistake), None))


def _keep(copies: Mapping[str, bytes]) -> None:
    again_if_dropped(partial(keep_copies, copies))


def _finish(found: list[Found]) -> None:
    try:
        again_if_dropped(partial(finish, found))
    except StoreError as error:
        if not store().is_reachable():
            _leave_for_later([each.run for each in found], error)
            return
        log.error("The curves of %d runs could not be stored: %s", len(found), error)
        for each in found:
            fail(each.run, f"Its result could not be stored. {error}", each.duration_s)
    except (DataError, IntegrityError, TypeError, ValueError) as error:
        if len(found) > 1:  # one of them cannot be stored, and the others shall not suffer for it
            for each in found:
                _finish([each])
            return
        log.exception("The result of run %s could not be stored", found[0].run.pk)
        fail(found[0].run, _mistaken(f"{type(error).__name__}: {error}"), found[0].duration_s)


def _after_a_death(left: list[Run], death: ChildDiedError) -> None:
    """Whose fault it was shows when each has a process of its own."""
    if len(left) == 1:
        again_if_dropped(partial(fail, left[0], str(death), None))
        return
    log.warning("A batch died with %d runs unanswered (%s); the next are tried singly", len(left), death)
    again_if_dropped(partial(give_back, left[:SUSPECTS], alone=True))
    again_if_dropped(partial(give_back, left[SUSPECTS:]))
    wake(FAST)


def _leave_for_later(runs: list[Run], error: StoreError) -> None:
    """An outage is no fault of theirs, and no message is sent: the sweep asks again."""
    log.warning("%d runs wait for the raw files to be reachable: %s", len(runs), error)
    again_if_dropped(partial(give_back, runs))


def _mistaken(mistake: str) -> str:
    return (
        f"The method itself failed ({mistake}). The data are safe; please report it, and run it again when "
        "it is mended."
    )


def fail(run: Run, sentence: str, duration_s: float | None) -> None:
    _end(run, str(Run.Status.FAILED), sentence or "The method gave no reason.", duration_s)


@transaction.atomic
def _end(run: Run, status: str, sentence: str, duration_s: float | None = None) -> None:
    ended = ours(run).update(
        status=status,
        finished_at=Now(),
        lease_until=None,
        progress=None,
        progress_note="",
        duration_s=duration_s,
        message=sentence[:2000],
    )
    if not ended:
        return
    if run.measurement_id is None and status == str(Run.Status.FAILED) and run.verifies_id is None:
        decide_current(run.over, run.method)
    tell_of_runs([run.pk])


def _is_of_this_version(run: Run) -> bool:
    """Asked of one version, met by another: the question is put again to the version that is here."""
    try:
        newest = methods.get(run.method).method.version
    except KeyError as error:
        fail(run, f"{error.args[0]} This worker cannot execute it.", None)
        return False
    if newest == run.method_version:
        return True
    answers_for_itself = run.measurement is None or run.verifies_id is not None
    if run.method_version < newest and not answers_for_itself:
        request_run(
            run.measurement,
            run.method,
            run.params,
            trigger=Run.Trigger.SUPERSESSION,
            inputs=named_inputs(run),
        )
    elif run.measurement is None and run.verifies_id is None:
        derived.ask_newer(run)
    _end(
        run,
        str(Run.Status.CANCELLED),
        f"It was asked of version {run.method_version}; this worker has version {newest}.",
    )
    return False

"""Methods at arm's length: in a disposable process with limits on time and memory, one for each batch.

A method may call libraries that crash, leak or never return. Whatever happens to the child, the worker lives
on, and what the child had answered by then is kept. No Django here: after a fork the child must not touch the
parent's database connection or broker.
"""

from __future__ import annotations

import fcntl
import importlib
import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from analysis.sandbox import child
from analysis.sandbox.wire import messages
from analysis.sandbox.words import Answer, Farewell, Job, Progress

__all__ = ["Answer", "ChildDiedError", "Job", "Progress", "answers", "in_order"]

log = logging.getLogger(__name__)

MEMORY_BYTES = 2 * 1024**3
PULSE_S = 1.0
PIPE_BYTES = 1 << 20


class ChildDiedError(Exception):
    """The child ended before it had answered everything; the sentence is for the person, for whom its run
    failed."""


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """As the child will compute them: those that go together one after the other."""
    return [job for group in child.alike(jobs) for job in group]


def answers(
    jobs: Sequence[Job],
    *,
    pulse: Callable[[Progress | None], None] = lambda said: None,
    leave: Callable[[], Mapping[str, bytes]] = dict,
    take: Callable[[Mapping[str, bytes]], None] = lambda left: None,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[Answer]:
    """The answers in the order in which they come. Raises ChildDiedError when no more will.

    pulse : called about once a second while the child computes; what it raises ends the child
    leave, take : what the child gives at its very end, and who gets it here
    A child that says nothing for as long as its slowest method may take is killed.
    """
    incoming, outgoing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # of Linux; the child need not wait for us after every second answer
        with suppress(OSError):
            fcntl.fcntl(incoming, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    pid = os.fork()
    if pid == 0:
        os.close(incoming)
        child.serve(jobs, outgoing, leave, memory_bytes)
    os.close(outgoing)
    status = None
    try:
        patience_s = max((job.loaded.method.time_limit_s for job in jobs), default=1)
        open_jobs = {job.key for job in jobs}
        try:
            for said in _hear(incoming, patience_s, pulse):
                if isinstance(said, Answer):
                    open_jobs.discard(said.key)
                    yield said
                else:
                    _warm_up(said.packages)
                    take(said.left)
        except TimeoutError:
            raise ChildDiedError(_too_slow(patience_s)) from None
        if open_jobs:
            _, status = os.waitpid(pid, 0)
            raise ChildDiedError(_how_it_died(status, patience_s))
    finally:
        os.close(incoming)
        if status is None:  # it has said all, or has run out of time; or this process is told to stop
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _hear(
    incoming: int, patience_s: float, pulse: Callable[[Progress | None], None]
) -> Iterator[Answer | Farewell]:
    """What the child says, until it closes its end. TimeoutError when it gives no answer for too long."""
    received = bytearray()
    answer_by = time.monotonic() + patience_s
    next_pulse = time.monotonic() + PULSE_S
    latest: Progress | None = None
    while True:
        now = time.monotonic()
        if now >= answer_by:
            raise TimeoutError
        if now >= next_pulse:
            pulse(latest)
            latest, next_pulse = None, time.monotonic() + PULSE_S
        wait_s = max(min(answer_by, next_pulse) - time.monotonic(), 0)
        if not select.select([incoming], [], [], wait_s)[0]:
            continue
        piece = os.read(incoming, 1 << 20)
        if not piece:
            return
        received += piece
        for said in messages(received):
            if isinstance(said, Progress):
                latest = said
            else:
                answer_by = time.monotonic() + patience_s
                yield said


def _warm_up(packages: list[str]) -> None:
    for name in packages:
        try:
            importlib.import_module(name)
        except Exception:
            log.debug("%s could not be imported ahead", name, exc_info=True)


def _how_it_died(status: int, patience_s: float) -> str:
    if not os.WIFSIGNALED(status):
        return _too_much_memory()
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU:
        return _too_slow(patience_s)
    if number == signal.SIGKILL:
        return (
            "Its process was killed, probably because the machine ran out of memory. The data are safe; run "
            "it again when the machine is less busy, or on a worker with more memory."
        )
    return (
        f"The method crashed ({signal.Signals(number).name}). The data are safe; please report it, and run "
        "it again when it is mended."
    )


def _too_slow(limit_s: float) -> str:
    return (
        f"It took longer than the {limit_s:g} s this method is given. Choose a smaller window or fewer "
        "points, or ask its author for a longer limit."
    )


def _too_much_memory() -> str:
    return (
        f"It needed more than {MEMORY_BYTES / 1024**3:.0f} GiB of memory and was stopped. Choose a smaller "
        "window or fewer points, or ask its author to use less."
    )

"""Methods at arm's length: in a disposable process with limits on time and memory, one for each batch.

A method may call libraries that crash, leak or never return. Whatever happens to the child, the worker lives
on, and what the child had answered by then is kept. No Django here: after a fork the child must not touch the
parent's database connection or broker.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import logging
import os
import pickle
import resource
import select
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from analysis import methods
from analysis.methods import Dataset, LoadedMethod, MethodError, Outcome

log = logging.getLogger(__name__)

MEMORY_BYTES = 2 * 1024**3
TOGETHER = 100  # inputs that one call of run_many gets
PULSE_S = 1.0
SAY_EVERY_S = 0.2
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Job:
    """One question to one method. `inputs` gives the datasets, in the child, where a broken file can only
    hurt itself. `params` is Any because every method has its own."""

    key: int
    loaded: LoadedMethod
    params: Any
    inputs: Callable[[], Mapping[str, Dataset]]


@dataclass(frozen=True)
class Answer:
    """What came of a job: an outcome, the sentence of a refusal, or a mistake of the method."""

    key: int
    outcome: Outcome | None = None
    refusal: str = ""
    mistake: str = ""
    details: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True)
class Progress:
    fraction: float
    note: str


class ChildDiedError(Exception):
    """The child ended before it had answered everything; the sentence is for the person, for whom its run
    failed."""


def answers(
    jobs: Sequence[Job],
    *,
    pulse: Callable[[Progress | None], None] = lambda said: None,
    leave: Callable[[], Any] = lambda: None,
    take: Callable[[Any], None] = lambda left: None,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[Answer]:
    """The answers in the order in which they come. Raises ChildDiedError when no more will.

    pulse : called about once a second while the child computes; what it raises ends the child
    leave, take : what the child gives at its very end, and who gets it here
    A child that says nothing for as long as its slowest method may take is killed.
    """
    incoming, outgoing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(incoming)
        _child(jobs, outgoing, leave, memory_bytes)
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


# --- the child's side ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Farewell:
    packages: list[str]
    left: Any


def _child(jobs: Sequence[Job], outgoing: int, leave: Callable[[], Any], memory_bytes: int) -> None:
    """Never returns: neither exit handlers nor open transactions of the parent are the child's to end."""
    code = 1
    try:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        faulthandler.disable()  # its traceback would be the parent's
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        _limit(jobs, memory_bytes)
        known = set(sys.modules)
        with os.fdopen(outgoing, "wb", buffering=0) as pipe:
            _answer_all(jobs, lambda said: _say(pipe.fileno(), said))
            _say(pipe.fileno(), Farewell(_heavy(set(sys.modules) - known), leave()))
        code = 0
    except BaseException:
        log.exception("A method's process could not say what happened")
    finally:
        os._exit(code)


def _answer_all(jobs: Sequence[Job], say: Callable[[Any], None]) -> None:
    for group in _alike(jobs):
        loaded = group[0].loaded
        if loaded.run_many is None or len(group) == 1:
            for job in group:
                say(_answer_one(job, say))
        else:
            for start in range(0, len(group), TOGETHER):
                for answer in _answer_many(group[start : start + TOGETHER]):
                    say(answer)


def _alike(jobs: Sequence[Job]) -> list[list[Job]]:
    """Jobs of one method with equal parameters, which may be computed together."""
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.loaded.key, repr(job.params)), []).append(job)
    return list(groups.values())


def _answer_one(job: Job, say: Callable[[Any], None]) -> Answer:
    began = time.perf_counter()
    last = [0.0]

    def report(fraction: float, note: str) -> None:
        if time.monotonic() - last[0] >= SAY_EVERY_S:
            last[0] = time.monotonic()
            say(Progress(fraction, note))

    def compute() -> Outcome:
        with methods.report_to(report):
            return job.loaded.run(job.inputs(), job.params)

    return _judged(job, compute, lambda: time.perf_counter() - began)


def _answer_many(group: Sequence[Job]) -> list[Answer]:
    """Together; and when that goes wrong as a whole, one by one, so that each is answered for itself."""
    began = time.perf_counter()
    loaded = group[0].loaded
    assert loaded.run_many is not None
    answered, ready, inputs = [], [], []
    for job in group:
        try:
            inputs.append(job.inputs())
            ready.append(job)
        except MethodError as refusal:
            answered.append(Answer(job.key, refusal=str(refusal)))
        except MemoryError:
            raise
        except Exception as error:
            answered.append(_mistaken(job, error))
    try:
        found = loaded.run_many(inputs, group[0].params)
        if len(found) != len(ready):
            raise ValueError(f"run_many gave {len(found)} answers to {len(ready)} questions")
    except MemoryError:
        raise
    except Exception:
        log.exception("%s could not compute %d inputs together; trying one by one", loaded.key, len(ready))
        return answered + [_answer_one(job, lambda said: None) for job in ready]
    each_s = (time.perf_counter() - began) / len(group)
    for job, outcome in zip(ready, found, strict=True):
        answered.append(_judged(job, partial(_raised, outcome), lambda: each_s))
    return answered


def _raised(outcome: Outcome | MethodError) -> Outcome:
    if isinstance(outcome, MethodError):
        raise outcome
    return outcome


def _judged(job: Job, compute: Callable[[], Outcome], spent_s: Callable[[], float]) -> Answer:
    try:
        outcome = methods.check_outcome(job.loaded, compute())
        return Answer(job.key, outcome=outcome, duration_s=spent_s())
    except MethodError as refusal:
        sentence = str(refusal) or "The method gave no reason."
        return Answer(job.key, refusal=sentence, duration_s=spent_s())
    except MemoryError:
        raise
    except Exception as error:
        return _mistaken(job, error)


def _mistaken(job: Job, error: Exception) -> Answer:
    return Answer(
        job.key,
        mistake=f"{type(error).__name__}: {str(error)[:500]}",
        details=traceback.format_exc(limit=-8)[:4000],
    )


def _heavy(names: set[str]) -> list[str]:
    """Packages that the child had to import: its parent does so too, and the next child has them at once."""
    return sorted({name for name in names if "." not in name and not name.startswith("_")})


def _say(pipe: int, said: Any) -> None:
    body = pickle.dumps(said, protocol=5)
    message = memoryview(struct.pack("<Q", len(body)) + body)
    while message:
        message = message[os.write(pipe, message) :]


def _limit(jobs: Sequence[Job], memory_bytes: int) -> None:
    # A core of gigabytes for each crash would fill the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    compute_s = sum(job.loaded.method.time_limit_s for job in jobs) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (compute_s, compute_s + 1))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


# --- the parent's side -----------------------------------------------------------------------------------


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
        for said in _messages(received):
            if isinstance(said, Progress):
                latest = said
            else:
                answer_by = time.monotonic() + patience_s
                yield said


def _messages(received: bytearray) -> Iterator[Any]:
    """Whole messages, taken off the front."""
    while len(received) >= 8:
        (size,) = struct.unpack_from("<Q", received)
        if len(received) < 8 + size:
            return
        body = bytes(received[8 : 8 + size])
        del received[: 8 + size]
        yield pickle.loads(body)  # noqa: S301  our own child wrote it


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

"""The disposable process: computes, answers, ends."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from analysis import methods
from analysis.methods import MethodError, Outcome
from analysis.numerics.compiled import listening
from analysis.sandbox.wire import encoded
from analysis.sandbox.words import Answer, Farewell, Job, Progress
from measurements.sandbox import limit_this_process

log = logging.getLogger(__name__)

TOGETHER = 100  # inputs that one call of run_many gets
SAY_EVERY_S = 0.2
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def serve(
    jobs: Sequence[Job], outgoing: int, leave: Callable[[], Mapping[str, bytes]], memory_bytes: int
) -> None:
    """Never returns: neither exit handlers nor open transactions of the parent are the child's to end."""
    code = 1
    try:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        faulthandler.disable()  # its traceback would be the parent's
        gc.freeze()  # looking through what the parent left would copy every page of it
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
    for group in alike(jobs):
        loaded = group[0].loaded
        if loaded.run_many is None or len(group) == 1:
            for job in group:
                say(_answer_one(job, say))
        else:
            for start in range(0, len(group), TOGETHER):
                for answer in _answer_many(group[start : start + TOGETHER]):
                    say(answer)


def alike(jobs: Sequence[Job]) -> list[list[Job]]:
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
        with listening() as compiled:
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
        answer = _judged(job, partial(_raised, outcome), lambda: each_s)
        answered.append(replace(answer, compiled=compiled))
    return answered


def _raised(outcome: Outcome | MethodError) -> Outcome:
    if isinstance(outcome, MethodError):
        raise outcome
    return outcome


def _judged(job: Job, compute: Callable[[], Outcome], spent_s: Callable[[], float]) -> Answer:
    try:
        with listening() as compiled:
            outcome = methods.check_outcome(job.loaded, compute())
        return Answer(job.key, outcome=outcome, duration_s=spent_s(), compiled=compiled)
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
    message = memoryview(encoded(said))
    while message:
        message = message[os.write(pipe, message) :]


def _limit(jobs: Sequence[Job], memory_bytes: int) -> None:
    limit_this_process(sum(job.loaded.method.time_limit_s for job in jobs) + 1, memory_bytes)

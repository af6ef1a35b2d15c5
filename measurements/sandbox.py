"""Readers at arm's length: in a process of their own, with a limit on time and memory.

A file from outside may lead a library to endless loops, to gigabytes, or out of its own memory. Whatever
happens to the child, the worker lives on and the person gets a sentence. No Django here: after a fork the
child must not touch the parent's database connection or broker.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import math
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measurements.data import Dataset, ReadError
from measurements.nexus import read_nxdata, write_nxdata

log = logging.getLogger(__name__)

MEMORY_BYTES = 1024**3
COMPUTE_S = 9  # of processor time for any file, and more for large ones
COMPUTE_S_PER_BYTE = 1 / 5e6
WAIT_FACTOR = 10  # wall time for each second of processor time: the machine may be busy
KEPT = "The bytes are kept; export fewer points, or tell the maintainers which program wrote the file."


class ReaderMistakeError(Exception):
    """A reader that raised what it should not; `details` is the traceback of its process."""

    def __init__(self, mistake: str, details: str) -> None:
        super().__init__(mistake)
        self.details = details

    def __str__(self) -> str:
        return str(self.args[0])


def read_limited(
    read: Callable[[], dict[str, Dataset]],
    exchange: Path,
    *,
    compute_s: float = COMPUTE_S,
    memory_bytes: int = MEMORY_BYTES,
) -> dict[str, Dataset]:
    """What `read()` gives, computed by a forked child and handed over as NeXus in the file `exchange`.

    compute_s : processor time, after which the system kills the child
    memory_bytes : what the child may take beyond what this process has now
    Raises ReadError for everything that the file can be blamed for, ReaderMistakeError for the rest.
    """
    incoming, outgoing = os.pipe()
    # Of the parent: what a killed child unpacked would stay for ever.
    scratch = tempfile.mkdtemp(prefix="vitrine-reader-")
    pid = os.fork()
    if pid == 0:
        os.close(incoming)
        tempfile.tempdir = scratch
        _child(read, exchange, outgoing, math.ceil(compute_s), memory_bytes)
    os.close(outgoing)
    try:
        said = _hear(pid, incoming, WAIT_FACTOR * compute_s)
        if said.get("ok"):
            return read_nxdata(exchange)
    finally:
        os.close(incoming)
        exchange.unlink(missing_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)
    if "refused" in said:
        raise ReadError(said["refused"], line=said["line"], byte=said["byte"], reader=said.get("reader", ""))
    raise ReaderMistakeError(said["mistake"], said["traceback"])


def compute_s(size_bytes: int) -> float:
    """How much processor time a file of this size may take."""
    return COMPUTE_S + size_bytes * COMPUTE_S_PER_BYTE


def _child(
    read: Callable[[], dict[str, Dataset]], exchange: Path, outgoing: int, compute_s: int, memory_bytes: int
) -> None:
    """Never returns: neither exit handlers nor open transactions of the parent are the child's to end."""
    code = 1
    try:
        faulthandler.disable()  # its traceback would be the parent's
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM, signal.SIGXCPU):
            signal.signal(signal_number, signal.SIG_DFL)
        limit_this_process(compute_s, memory_bytes)
        with os.fdopen(outgoing, "w") as pipe:
            json.dump(_outcome(read, exchange), pipe)
        code = 0
    except BaseException:
        log.exception("A reader's process could not say what happened")
    finally:
        os._exit(code)


def _outcome(read: Callable[[], dict[str, Dataset]], exchange: Path) -> dict[str, Any]:
    try:
        write_nxdata(exchange, read())
        return {"ok": True}
    except ReadError as error:
        return {
            "refused": error.message, "line": error.line, "byte": error.byte, "reader": error.reader,
        }  # fmt: skip
    except MemoryError:
        return _refused(_too_much_memory())
    except Exception as error:
        import traceback

        return {
            "mistake": f"{type(error).__name__}: {str(error)[:500]}",
            "traceback": traceback.format_exc(limit=-8)[:4000],
        }


def _hear(pid: int, incoming: int, seconds: float) -> dict[str, Any]:
    """The child's one message; when it ends without one, or not at all, the sentence for that."""
    until, message, late = time.monotonic() + seconds, b"", False
    try:
        while not late:
            late = not select.select([incoming], [], [], max(until - time.monotonic(), 0))[0]
            piece = b"" if late else os.read(incoming, 65536)
            message += piece
            if not piece:
                break
    finally:
        # It has said all, or is ending, or has run out of time; or this process is told to stop.
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    if late:
        return _refused(_too_slow())
    try:
        said: dict[str, Any] = json.loads(message)
    except ValueError:
        return _refused(_how_it_died(status))
    return said


def _how_it_died(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return _too_much_memory()
    if os.WTERMSIG(status) == signal.SIGXCPU:
        return _too_slow()
    name = signal.Signals(os.WTERMSIG(status)).name
    return (
        f"its reader was stopped by the system ({name}). The file is probably damaged; the bytes are kept. "
        "Copy it again from the instrument, or tell the maintainers which program wrote it."
    )


def _too_slow() -> str:
    return f"reading it took too long and was stopped. {KEPT}"


def _too_much_memory() -> str:
    return f"reading it needed more than {MEMORY_BYTES / 1024**3:.0f} GiB of memory and was stopped. {KEPT}"


def _refused(sentence: str) -> dict[str, Any]:
    return {"refused": sentence, "line": None, "byte": None}


def limit_this_process(compute_s: int, memory_bytes: int) -> None:
    """Processor time, and memory beyond what it has now; what passes them is ended by the system."""
    # A core of a gigabyte for each damaged file would fill the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (compute_s, compute_s + 1))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

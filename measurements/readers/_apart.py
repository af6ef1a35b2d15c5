"""Reading in a process apart, for libraries that a damaged file can kill or send astray.

HDF5 is such a library: one altered byte of a file may end the process that reads it, and no exception tells.
So the reader's own function runs in a helper process with limits on memory and time. It is started on first
use, serves file after file, and ends when its owner does. A helper that dies costs its one file a sentence.

    def read(path): return apart.read(__name__, path)      in the worker
    def read_here(path): …                                 in the helper
"""

from __future__ import annotations

import importlib
import json
import os
import select
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal

LONGEST_S, SLOWEST_BYTES_PER_S = 9.0, 10e6
MOST_MEMORY_BYTES = 3 * 1024**3  # address space: libraries reserve far more than they use
MOST_BYTES = 2 * 1024**3
PIECE = 1024 * 1024
ROOT = Path(__file__).resolve().parents[2]
DIED = (
    "the library that reads this format ended itself over the file, which is therefore damaged, or of a "
    "variant that is not known yet. The bytes are kept: copy the file again from the instrument."
)
SLOW = (
    "reading took far longer than its size explains and was ended. The file is damaged: copy it again from "
    "the instrument. The bytes are kept."
)

_lock = threading.Lock()
_helper: tuple[int, subprocess.Popen[bytes]] | None = None


def read(module: str, path: Path) -> list[Dataset]:
    """What `read_here(path)` of the reader module gives, or ReadError: also if it kills its process."""
    with _lock:
        helper = _running()
        try:
            return _asked(helper, module, path)
        except (EOFError, OSError) as error:
            _end(helper)
            raise ReadError(SLOW if isinstance(error, TimeoutError) else DIED) from None
        except ReadError:
            raise
        except BaseException:
            _end(helper)  # an answer that nobody listened to must not be taken for the next one
            raise


def _running() -> subprocess.Popen[bytes]:
    """The helper of this very process: a forked worker does not share that of its parent."""
    global _helper
    if _helper is None or _helper[0] != os.getpid() or _helper[1].poll() is not None:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        _helper = os.getpid(), process
    return _helper[1]


def _end(helper: subprocess.Popen[bytes]) -> None:
    helper.kill()
    helper.wait()
    for pipe in (helper.stdin, helper.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # what was not sent yet goes nowhere
                continue


def _asked(helper: subprocess.Popen[bytes], module: str, path: Path) -> list[Dataset]:
    assert helper.stdin is not None
    assert helper.stdout is not None
    helper.stdin.write(json.dumps([module, str(path.resolve())]).encode() + b"\n")
    helper.stdin.flush()
    incoming = _Answer(helper.stdout, time.monotonic() + _longest_s(path))
    size = int.from_bytes(_take(incoming, 8), "little")
    answer = json.loads(_take(incoming, size))
    if "mistake" in answer:
        raise RuntimeError(answer["mistake"])
    if "error" in answer:
        raise ReadError(answer["error"], line=answer["line"], byte=answer["byte"])
    return [_unpacked(told, incoming) for told in answer["datasets"]]


def _longest_s(path: Path) -> float:
    return LONGEST_S + path.stat().st_size / SLOWEST_BYTES_PER_S


class _Answer:
    """Bytes of a pipe, until a moment."""

    def __init__(self, pipe: IO[bytes], until: float) -> None:
        self.pipe, self.until = pipe, until

    def some(self, most: int) -> bytes:
        ready, _, _ = select.select([self.pipe], [], [], max(self.until - time.monotonic(), 0))
        if not ready:
            raise TimeoutError
        piece = os.read(self.pipe.fileno(), min(most, PIECE))
        if not piece:
            raise EOFError
        return piece


def _take(incoming: _Answer, size: int) -> bytearray:
    if size > MOST_BYTES:
        raise EOFError
    taken = bytearray()
    while len(taken) < size:
        taken += incoming.some(size - len(taken))
    return taken


def _unpacked(told: dict[str, Any], incoming: _Answer) -> Dataset:
    def array(shape: list[int]) -> Array:
        size = 8 * int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(_take(incoming, size), dtype="<f8").reshape(shape)

    axes = tuple(Axis(name, unit, array([size])) for name, unit, size in told["axes"])
    name, unit, shape, has_errors = told["signal"]
    signal = Signal(name, unit, array(shape), array(shape) if has_errors else None)
    return Dataset(
        signal=signal,
        axes=axes,
        header=told["header"],
        acquired_at=datetime.fromisoformat(told["acquired_at"]) if told["acquired_at"] else None,
        conditions={key: Quantity(value, unit) for key, value, unit in told["conditions"]},
        title=told["title"],
        technique=told["technique"],
    )


# What follows runs in the helper.


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    _limit_memory()
    for line in sys.stdin.buffer:
        module, path = json.loads(line)
        for piece in _answer(module, Path(path)):
            answers.write(piece)
        answers.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows: the limit on the number of values must do
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(module: str, path: Path) -> Iterator[bytes]:
    arrays: list[Array] = []
    try:
        datasets = importlib.import_module(module).read_here(path)
        told: dict[str, Any] = {"datasets": [_packed(dataset, arrays) for dataset in datasets]}
    except ReadError as error:
        arrays, told = [], {"error": error.message, "line": error.line, "byte": error.byte}
    except MemoryError:
        arrays, told = [], {"error": "it needs more memory than a file may. Send its parts.", "line": None,
                            "byte": None}  # fmt: skip
    except Exception:
        # Ours, not the file's: the worker raises it again, with the place where it happened.
        arrays, told = [], {"mistake": traceback.format_exc()}
    head = json.dumps(told).encode()
    yield len(head).to_bytes(8, "little") + head
    for array in arrays:
        yield np.ascontiguousarray(array, dtype="<f8").tobytes()


def _packed(dataset: Dataset, arrays: list[Array]) -> dict[str, Any]:
    signal = dataset.signal
    arrays += [axis.values for axis in dataset.axes]
    arrays.append(signal.values)
    if signal.errors is not None:
        arrays.append(signal.errors)
    return {
        "axes": [[axis.name, axis.unit, axis.values.size] for axis in dataset.axes],
        "signal": [signal.name, signal.unit, list(signal.values.shape), signal.errors is not None],
        "header": dict(dataset.header),
        "acquired_at": dataset.acquired_at.isoformat() if dataset.acquired_at else None,
        "conditions": [[key, quantity.value, quantity.unit] for key, quantity in dataset.conditions.items()],
        "title": dataset.title,
        "technique": dataset.technique,
    }


if __name__ == "__main__":
    _serve()

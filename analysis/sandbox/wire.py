"""How the two processes write to each other: JSON, and numbers as they lie in memory. Never pickle.

The child has had a stranger's file in its hands, so nothing that it says may be more than words and numbers.

    u64 size of what follows, u32 size of the JSON, the JSON, then the buffers that it names, end to end
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.methods import Array, Curve, Outcome, Result
from analysis.sandbox.words import Answer, Farewell, Progress

HEAD = struct.Struct("<QI")
CURVE = ("name", "x_name", "x_unit", "y_name", "y_unit")


def encoded(said: Answer | Progress | Farewell) -> bytes:
    buffers: list[bytes] = []
    # Not orjson: it knows neither NaN nor half a surrogate, and a file's words may hold one.
    words = json.dumps(_WRITERS[type(said)](said, buffers), default=_as_python).encode("ascii")
    return HEAD.pack(4 + len(words) + sum(map(len, buffers)), len(words)) + words + b"".join(buffers)


def messages(received: bytearray) -> Iterator[Answer | Progress | Farewell]:
    """Whole messages, taken off the front."""
    while len(received) >= HEAD.size:
        size, of_words = HEAD.unpack_from(received)
        end = 8 + size
        if len(received) < end:
            return
        words, rest = (
            bytes(received[HEAD.size : HEAD.size + of_words]),
            bytes(received[HEAD.size + of_words : end]),
        )
        del received[:end]
        told = json.loads(words)
        yield _READERS[told["kind"]](told, _Buffers(rest))


def _as_python(value: Any) -> Any:
    """What a method may well give for a number: one of NumPy's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is neither a number nor a text")


class _Buffers:
    """What follows the words, taken in the order in which it was written."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = memoryview(content), 0

    def take(self, size: int) -> bytes:
        piece = bytes(self._content[self._at : self._at + size])
        if len(piece) != size:
            raise ValueError("a message of a method's process is shorter than it says")
        self._at += size
        return piece

    def arrays(self, sizes: list[int]) -> list[Array]:
        together = np.frombuffer(self.take(8 * sum(sizes)), dtype="<f8").astype(np.float64)
        ends = np.cumsum(sizes).tolist()
        return [together[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _write_answer(said: Answer, buffers: list[bytes]) -> dict[str, Any]:
    return {
        "kind": "answer",
        "key": said.key,
        "refusal": said.refusal,
        "mistake": said.mistake,
        "details": said.details,
        "duration_s": said.duration_s,
        "compiled": dict(said.compiled),
        "outcome": None if said.outcome is None else _write_outcome(said.outcome, buffers),
    }


def _write_outcome(outcome: Outcome, buffers: list[bytes]) -> dict[str, Any]:
    curves = []
    sizes: list[int] = []
    places: dict[int, int] = {}

    def place(numbers: Array) -> int:
        """Of an array that several curves share, mostly their x, there is one."""
        if id(numbers) not in places:
            array = np.ascontiguousarray(numbers, dtype="<f8").ravel()
            places[id(numbers)] = len(sizes)
            sizes.append(array.size)
            buffers.append(array.tobytes())
        return places[id(numbers)]

    for curve in outcome.curves:
        words = [getattr(curve, name) for name in CURVE]
        curves.append([words, place(curve.x), place(curve.y)])
    return {
        "values": [[r.property, float(r.value), float(r.sigma), r.component] for r in outcome.values],
        "curves": curves,
        "sizes": sizes,
        "warnings": list(outcome.warnings),
        "notes": dict(outcome.notes),
    }


def _read_answer(told: dict[str, Any], buffers: _Buffers) -> Answer:
    outcome = told["outcome"]
    return Answer(
        told["key"],
        None if outcome is None else _read_outcome(outcome, buffers),
        told["refusal"],
        told["mistake"],
        told["details"],
        told["duration_s"],
        told["compiled"],
    )


def _read_outcome(told: dict[str, Any], buffers: _Buffers) -> Outcome:
    arrays = buffers.arrays(told["sizes"])
    curves = [
        Curve(x=arrays[x], y=arrays[y], **dict(zip(CURVE, words, strict=True)))
        for words, x, y in told["curves"]
    ]
    values = tuple(Result(*each) for each in told["values"])
    return Outcome(values, tuple(curves), tuple(told["warnings"]), told["notes"])


def _write_progress(said: Progress, buffers: list[bytes]) -> dict[str, Any]:
    return {"kind": "progress", "fraction": said.fraction, "note": said.note}


def _read_progress(told: dict[str, Any], buffers: _Buffers) -> Progress:
    return Progress(told["fraction"], told["note"])


def _write_farewell(said: Farewell, buffers: list[bytes]) -> dict[str, Any]:
    buffers += said.left.values()
    sizes = {name: len(content) for name, content in said.left.items()}
    return {"kind": "farewell", "packages": said.packages, "left": sizes}


def _read_farewell(told: dict[str, Any], buffers: _Buffers) -> Farewell:
    return Farewell(told["packages"], {name: buffers.take(size) for name, size in told["left"].items()})


_WRITERS: dict[type, Any] = {Answer: _write_answer, Progress: _write_progress, Farewell: _write_farewell}
_READERS: dict[str, Any] = {"answer": _read_answer, "progress": _read_progress, "farewell": _read_farewell}

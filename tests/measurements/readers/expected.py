"""Compares datasets with the readings that independent libraries made of the same files (EXPECTED.json).

A reading is nested, and each library has its own words, but in the end there are summaries of arrays: how
many values, the first, the last, the smallest, the largest, their sum. Each must be found among the arrays
that our reader gave.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Dataset

FACTS = {
    "n": lambda a: a.size, "first": lambda a: a.flat[0], "last": lambda a: a.flat[-1],
    "min": lambda a: np.nanmin(a), "max": lambda a: np.nanmax(a), "sum": lambda a: np.nansum(a),
}  # fmt: skip
RELATIVE = 2e-6  # float32 files; sums of long ones
DIGITS = 5e-7


@cache
def readings_of(reference: Path) -> Mapping[str, list[dict[str, Any]]]:
    """All readings, by path relative to the folder of instrument files."""
    text = (reference / "instrument_files" / "EXPECTED.json").read_text()
    readings: Mapping[str, list[dict[str, Any]]] = json.loads(text)["readings"]
    return readings


def disagreements(
    datasets: Iterable[Dataset], readings: Iterable[Mapping[str, Any]], skip: Iterable[str] = ()
) -> list[str]:
    """Every summary of the readings that no array of ours has. `skip`: names in a reading to leave out."""
    arrays = list(_arrays(datasets))
    # Some libraries turn a falling axis round, and all that belongs to it.
    turned = [array[::-1] for array in arrays if array.ndim == 1]
    missing: list[tuple[str, str]] = []
    found: set[str] = set()
    for reading in readings:
        wanted = list(_summaries(reading, reading.get("reader", "?"), set(skip)))
        absent = [each for each in wanted if not _has(arrays, each)]
        if absent and all(_has(turned, each) for each in wanted):
            absent = []
        found |= {_array_named(each, reading) for each in wanted if each not in absent}
        missing += [(_array_named(each, reading), _sentence(each)) for each in absent]
    # Where two libraries differ over one array (OPUS: one leaves out its scale), one of them is right.
    return [sentence for name, sentence in missing if name not in found]


def _has(arrays: list[np.ndarray], summary: tuple[str, Mapping[str, float]]) -> bool:
    return any(_same(array, summary[1]) for array in arrays)


def _array_named(summary: tuple[str, Mapping[str, float]], reading: Mapping[str, Any]) -> str:
    """What two libraries call the same array alike, but for capitals."""
    return summary[0].removeprefix(str(reading.get("reader", "?"))).lower()


def _sentence(summary: tuple[str, Mapping[str, float]]) -> str:
    return f"{summary[0]}: nothing of ours has {dict(summary[1])}"


def summaries(readings: Iterable[Mapping[str, Any]]) -> int:
    """How many arrays the readings tell about."""
    return sum(1 for reading in readings for _ in _summaries(reading, "", set()))


def _arrays(datasets: Iterable[Dataset]) -> Iterator[np.ndarray]:
    for dataset in datasets:
        yield dataset.signal.values
        if dataset.signal.errors is not None:
            yield dataset.signal.errors
        for axis in dataset.axes:
            yield axis.values


def _summaries(node: Any, where: str, skip: set[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Facts of single arrays, wherever they are in the reading; x_ and y_ of one curve are two arrays."""
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from _summaries(child, f"{where}[{number}]", skip)
        return
    if not isinstance(node, Mapping) or ("NPT" in node and node["NPT"] != node.get("n")):
        return  # OPUS: a block that is shorter than its own parameter says was misread
    size = _size(node)
    found: dict[str, dict[str, float]] = {}
    for key, value in node.items():
        fact = re.fullmatch(r"(?:(.*)_)?(first|last|min|max|sum)(?:_row)?", key)
        if fact is None or key in skip:
            continue
        prefix, name = fact[1] or "", fact[2]
        if prefix == "abs":
            continue  # of complex numbers, which are two datasets here
        if isinstance(value, int | float):
            found.setdefault(prefix, {})[name] = float(value)
        elif isinstance(value, list) and all(isinstance(v, int | float) for v in value):
            for column, number in enumerate(value):
                found.setdefault(f"column {column + 1}", {})[name] = float(number)
    for prefix, facts in found.items():
        if not (prefix.startswith("column") and _counts_rows(facts, size)):
            yield f"{where}.{prefix}", facts | ({"n": float(size)} if size is not None else {})
    for key, child in node.items():
        if key not in skip and isinstance(child, Mapping | list):
            yield from _summaries(child, f"{where}.{key}", skip)


def _size(node: Mapping[str, Any]) -> int | None:
    """How many values an array of this summary has, if it says so."""
    for key in ("n", "n_rows"):
        if isinstance(node.get(key), int):
            return int(node[key])
    if _is_shape(node):
        return int(node["shape"][-1] if "first_row" in node else math.prod(node["shape"]))
    return None


def _counts_rows(facts: Mapping[str, float], size: int | None) -> bool:
    """Whether a column is only the number of its row."""
    return (
        size is not None
        and facts.get("first") in (0.0, 1.0)
        and facts.get("last") == facts["first"] + size - 1
    )


def _is_shape(node: Mapping[str, Any]) -> bool:
    shape = node.get("shape")
    return isinstance(shape, list) and all(isinstance(size, int) for size in shape)


def _same(array: np.ndarray, facts: Mapping[str, float]) -> bool:
    if not array.size or ("n" in facts and array.size != facts["n"]):
        return False
    if not np.any(np.isfinite(array)):
        return False
    scale = float(np.nanmax(np.abs(array))) or 1.0
    for name, wanted in facts.items():
        ours = float(FACTS[name](array))
        room = scale * RELATIVE * (array.size if name == "sum" else 1)
        if not math.isclose(ours, wanted, rel_tol=RELATIVE, abs_tol=min(room, abs(wanted) * 1e-4 + DIGITS)):
            return False
    return True

"""Interleaved timing: anchors and ours take turns, so that a busy moment of the machine hits all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def interleaved(
    candidates: Mapping[str, Callable[[], Any]], rounds: int, warmups: int = 1
) -> dict[str, float]:
    """Median seconds of each candidate over `rounds` rounds."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(warmups + rounds):
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            if turn >= warmups:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def table(medians: Mapping[str, float], ours: str) -> str:
    """Markdown: each candidate's median and how many times as long as ours it took."""
    rows = ["| | median | ratio to ours |", "|---|---|---|"]
    for name, seconds in medians.items():
        ratio = "1" if name == ours else f"{seconds / medians[ours]:.1f} ×"
        rows.append(f"| {name} | {seconds * 1000:.1f} ms | {ratio} |")
    return "\n".join(rows)

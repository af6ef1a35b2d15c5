"""Interleaved timing: anchors and ours take turns, so that a busy moment of the machine hits all of them."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
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


def family_megabytes(pid: int) -> float:
    """Of a process and all below it, what is not shared with others counted in full, the rest in parts."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    family, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        grown = bool(more)
        family |= more
    return sum(map(_pss_mb, family))


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))

"""What follows from the numbers of a recipe's steps. Pure; unknown stays None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

ROOM_C = 25.0


class Segment(Protocol):
    """Go to `target_c` at `ramp_c_per_min` (a magnitude), stay `hold_min`; None where not stated."""

    @property
    def target_c(self) -> float: ...
    @property
    def ramp_c_per_min(self) -> float | None: ...
    @property
    def hold_min(self) -> float | None: ...


def ramp_min(from_c: float, segment: Segment) -> float | None:
    """How long the way to the segment's target takes: 21.25 min from 25 to 450 °C at 20 °C/min."""
    rise_c = abs(segment.target_c - from_c)
    if rise_c == 0:
        return 0.0
    return rise_c / segment.ramp_c_per_min if segment.ramp_c_per_min else None


def programme_min(segments: Sequence[Segment], start_c: float = ROOM_C) -> float | None:
    """Minutes of all ramps and holds, from `start_c`; None while any of them is unknown."""
    total, now_c = 0.0, start_c
    for segment in segments:
        ramp = ramp_min(now_c, segment)
        if ramp is None or segment.hold_min is None:
            return None
        total += ramp + segment.hold_min
        now_c = segment.target_c
    return total if segments else None


def total_min(durations_min: Sequence[float | None]) -> float | None:
    """Cumulative time over several steps, such as all millings; None while one of them is unknown."""
    known = [duration for duration in durations_min if duration is not None]
    return sum(known) if known and len(known) == len(durations_min) else None

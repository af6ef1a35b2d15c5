"""All simulations there are."""

from __future__ import annotations

from benchmarks.coverage import absorption, lifetimes, photoluminescence, sphere, stability
from benchmarks.coverage.simulating import Case

CASES: tuple[Case, ...] = tuple(
    case for room in (photoluminescence, sphere, lifetimes, stability, absorption) for case in room.CASES
)

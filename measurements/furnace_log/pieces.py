"""A curve taken apart into straight pieces. Pure.

Douglas and Peucker's corners first; then each piece gets its own line by least squares and neighbouring lines
meet in a corner, which may lie between two readings.

D. H. Douglas, T. K. Peucker, Cartographica 10 (1973) 112.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from measurements.data import Array

TOLERANCE_C = 2.0
TOLERANCE_SIGMAS = 5.0
TOLERANCE_SHARE = 0.01  # of the whole span: the soft corner of a real furnace is still one corner
MOST_PIECES = 12
ROUNDS = 4
FLAT_C_PER_MIN = 0.5


@dataclass(frozen=True)
class Piece:
    """One straight piece between two corners."""

    start_min: float
    end_min: float
    start_c: float
    end_c: float

    @property
    def duration_min(self) -> float:
        return self.end_min - self.start_min

    @property
    def slope_c_per_min(self) -> float:
        return (self.end_c - self.start_c) / self.duration_min

    @property
    def is_hold(self) -> bool:
        return abs(self.slope_c_per_min) <= FLAT_C_PER_MIN


def noise(values: Array) -> float:
    """Sigma of one reading: second differences of straight lines are noise alone, of variance 6 sigma²."""
    second = np.diff(values, 2)
    sigma = float(np.median(np.abs(second)) / 0.6744897501960817 / math.sqrt(6))
    return 0.0 if sigma < 1e-9 else sigma


def straight_pieces(minutes: Array, values: Array, sigma: float) -> list[Piece]:
    """As few straight pieces as miss no reading by more than the tolerance."""
    span = float(values.max() - values.min())
    tolerance = max(TOLERANCE_C, TOLERANCE_SIGMAS * sigma, TOLERANCE_SHARE * span)
    corners = _corners(minutes, values, tolerance)
    while len(corners) > 2 * MOST_PIECES:
        tolerance *= 1.5
        corners = _corners(minutes, values, tolerance)
    polygon = _polygon(minutes, values, corners)
    while len(corners) > 2:
        # Noise and soft corners leave corners too many: the one that is missed least goes first.
        fewer = [corners[:n] + corners[n + 1 :] for n in range(1, len(corners) - 1)]
        polygons = [_polygon(minutes, values, left) for left in fewer]
        misses = [float(np.abs(np.interp(minutes, *drawn) - values).max()) for drawn in polygons]
        least = int(np.argmin(misses))
        if misses[least] > tolerance and len(corners) <= MOST_PIECES + 1:
            break
        corners, polygon = fewer[least], polygons[least]
    times, heights = polygon
    pieces = zip(times, times[1:], heights, heights[1:], strict=False)
    return [Piece(*(float(number) for number in piece)) for piece in pieces if piece[1] > piece[0]]


def _polygon(minutes: Array, values: Array, corners: list[int]) -> tuple[Array, Array]:
    """Corners where neighbouring lines meet. Each round hands the readings to the line they lie on."""
    for _ in range(ROUNDS):
        lines = [_line(minutes, values, a, b) for a, b in itertools.pairwise(corners)]
        times, heights = [float(minutes[0])], [_at(lines[0], minutes[0])]
        for number, (left, right) in enumerate(itertools.pairwise(lines), start=1):
            meeting = _meeting(left, right)
            low, high = float(minutes[corners[number - 1]]), float(minutes[corners[number + 1]])
            if meeting is None or not max(low, times[-1]) < meeting < high:
                meeting = float(minutes[corners[number]])
            times.append(meeting)
            heights.append((_at(left, meeting) + _at(right, meeting)) / 2)
        times.append(float(minutes[-1]))
        heights.append(_at(lines[-1], minutes[-1]))
        inner = [int(np.abs(minutes - time).argmin()) for time in times[1:-1]]
        moved = [0, *inner, minutes.size - 1]
        if moved == corners or any(b <= a for a, b in itertools.pairwise(moved)):
            break
        corners = moved
    return np.array(times), np.array(heights)


def _corners(minutes: Array, values: Array, tolerance: float) -> list[int]:
    """Douglas-Peucker, distances upright: readings between which straight lines miss none by more."""
    kept, waiting = {0, minutes.size - 1}, [(0, minutes.size - 1)]
    while waiting and len(kept) <= 4 * MOST_PIECES:
        a, b = waiting.pop(0)
        if b - a < 2:
            continue
        line = np.interp(minutes[a : b + 1], minutes[[a, b]], values[[a, b]])
        miss = np.abs(values[a : b + 1] - line)
        worst = int(miss.argmax())
        if miss[worst] > tolerance:
            kept.add(a + worst)
            waiting += [(a, a + worst), (a + worst, b)]
    return sorted(kept)


def _line(minutes: Array, values: Array, a: int, b: int) -> tuple[float, float, float]:
    """(middle, height there, slope). The readings at the ends are shared with soft corners: where there are
    enough others they are left out."""
    inner = slice(a + 1, b) if b - a >= 3 else slice(a, b + 1)
    t, v = minutes[inner], values[inner]
    middle, height = float(t.mean()), float(v.mean())
    spread = float(((t - middle) ** 2).sum())
    slope = float(((t - middle) * (v - height)).sum()) / spread if spread else 0.0
    return middle, height, slope


def _at(line: tuple[float, float, float], minute: float) -> float:
    middle, height, slope = line
    return height + slope * (float(minute) - middle)


def _meeting(left: tuple[float, float, float], right: tuple[float, float, float]) -> float | None:
    if abs(left[2] - right[2]) < 1e-9:
        return None
    return (_at(right, 0.0) - _at(left, 0.0)) / (left[2] - right[2])

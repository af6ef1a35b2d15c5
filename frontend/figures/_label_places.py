"""Where words beside a mark have room: on no curve, on no other words, inside the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from frontend.figures.base import Numbers

WIDE_PX, HIGH_PX = 420.0, 300.0  # of a panel as small as it gets, in letters of the page
LETTER_PX, LINE_PX = 6.6, 15.0
ASIDE_PX = 26.0
HEIGHTS_PX = (30.0, 52.0, 74.0, 96.0, 118.0, 140.0, 162.0, 184.0)  # above the mark
COLUMNS = 211
Box = tuple[float, float, float, float]  # left, right, low, high


@dataclass
class Room:
    """A panel in px from its lower left corner: its curves, and the boxes that are taken."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    taken: list[Box] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.at = np.linspace(*self.x_range, COLUMNS)
        self.heights: list[Numbers] = []

    def draw(self, x: Numbers, y: Numbers) -> None:
        known = np.isfinite(x) & np.isfinite(y)
        if known.sum() > 1:
            height = np.interp(self.at, x[known], y[known], left=np.nan, right=np.nan)
            self.heights.append(self._up(height))

    def beside(self, x: float, y: float, letters: int, sides: Sequence[int]) -> tuple[float, float, int]:
        """Where an arrow's tail stands, the nearest place that is free, else the least crossed, and its side;
        sides, by preference: 1 where the words go on to the right, -1 to the left."""
        left, low = (x - self.x_range[0]) / _span(self.x_range) * WIDE_PX, float(self._up(np.array(y)))
        best, least = (left, low, sides[0]), np.inf
        for height in HEIGHTS_PX:
            for side in sides:
                box = _box(left + side * ASIDE_PX, low + height, letters, side)
                if (cost := self._crossed(box)) < least:
                    best, least = (left + side * ASIDE_PX, low + height, side), cost
        at, up, side = best
        self.taken.append(_box(at, up, letters, side))
        across, height = at / WIDE_PX * _span(self.x_range), up / HIGH_PX * _span(self.y_range)
        return self.x_range[0] + across, self.y_range[0] + height, side

    def _crossed(self, box: Box) -> float:
        """How many columns of curves, and how much of other words and of the border, lie in a box."""
        left, right, low, high = box
        outside = max(0.0, -left) + max(0.0, right - WIDE_PX) + max(0.0, high - HIGH_PX)
        cost = 10.0 * outside + sum(1000.0 for other in self.taken if _overlap(box, other))
        columns = np.linspace(0, WIDE_PX, COLUMNS)
        inside = (columns[1:] >= left) & (columns[:-1] <= right)
        for height in self.heights:
            lower, upper = np.fmin(height[1:], height[:-1]), np.fmax(height[1:], height[:-1])
            cost += float((inside & (lower <= high) & (upper >= low)).sum())
        return cost

    def _up(self, y: Numbers) -> Numbers:
        return np.asarray((y - self.y_range[0]) / _span(self.y_range) * HIGH_PX)


def _span(ends: tuple[float, float]) -> float:
    return (ends[1] - ends[0]) or 1.0


def _box(x: float, middle: float, letters: int, side: int) -> Box:
    ends = sorted((x, x + side * letters * LETTER_PX))
    return ends[0], ends[1], middle - LINE_PX / 2, middle + LINE_PX / 2


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]

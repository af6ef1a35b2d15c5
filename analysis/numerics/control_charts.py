"""Shewhart's chart of single values: is a process as it always was?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

D2_OF_TWO = 1.128379167095513  # 2/√π: mean range of two normal values in units of σ
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Chart:
    """centre, sigma : mean, and σ from the mean moving range, which a slow drift does not inflate
    beyond, run, trend, two_of_three : (N,) where each rule of Nelson ends"""

    centre: float
    sigma: float
    beyond: NDArray[np.bool_]
    run: NDArray[np.bool_]
    trend: NDArray[np.bool_]
    two_of_three: NDArray[np.bool_]

    @property
    def lower(self) -> float:
        return self.centre - 3 * self.sigma

    @property
    def upper(self) -> float:
        return self.centre + 3 * self.sigma

    @property
    def flagged(self) -> NDArray[np.bool_]:
        return self.beyond | self.run | self.trend | self.two_of_three


def individuals_chart(values: ArrayLike, baseline: int | None = None) -> Chart:
    """values : (N,) in order of time, N ≥ 2
    baseline : how many of the first decide centre and limits; without it all of them

    Rules: a value beyond 3σ; nine in a row on one side; six in a row rising or falling; two of three beyond
    2σ on the same side.

    W. A. Shewhart, Economic Control of Quality (1931); L. S. Nelson, J. Qual. Technol. 16 (1984) 237.
    """
    given = np.asarray(values, float)
    first = given[:baseline]
    centre = float(first.mean())
    sigma = float(np.abs(np.diff(first)).mean()) / D2_OF_TWO
    away = given - centre
    side = np.sign(away)
    direction = np.sign(np.diff(given, prepend=given[0]))
    far = away > 2 * sigma, away < -2 * sigma
    return Chart(
        centre,
        sigma,
        np.abs(away) > 3 * sigma,
        _all_of(side > 0, 9) | _all_of(side < 0, 9),
        # Six values make five steps.
        _all_of(direction > 0, 5) | _all_of(direction < 0, 5),
        (_most_of(far[0], 2, 3) & far[0]) | (_most_of(far[1], 2, 3) & far[1]),
    )


def _all_of(holds: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    return _most_of(holds, length, length)


def _most_of(holds: NDArray[np.bool_], at_least: int, length: int) -> NDArray[np.bool_]:
    """(N,) where at least so many of the last `length` hold; of the first few, as many as there are."""
    sums = np.concatenate([[0], np.cumsum(holds)])
    ends = np.arange(1, holds.size + 1)
    return sums[ends] - sums[np.maximum(ends - length, 0)] >= at_least

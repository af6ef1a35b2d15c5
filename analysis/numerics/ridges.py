"""Where a property is highest along a line of points on a coarse grid: a parabola through the top few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BEND_SIGMAS = 5.0  # below which the top of a parabola may lie anywhere
LEAST_OF_TOP = 0.25  # of the highest value, for a point to be on the same parabola
RECTANGLE = 0.34  # steps of a grid: half of 68 % of a rectangle


def meant_loading(mass_fraction: float) -> float:
    """0.2499 was weighed where 0.25 was meant: two digits, so that samples of one row meet in it."""
    return float(f"{mass_fraction:.2g}")


def meant_temperature_c(temperature_c: float) -> float:
    return float(round(temperature_c))


@dataclass(frozen=True)
class Optimum:
    """at : the highest point's place. best, sigma : the top of a parabola through it and its neighbours
    refined : whether there were two neighbours to draw one through; else best is `at`, known to a step
    """

    at: float
    best: float
    sigma: float
    refined: bool
    value: float


def optimum(at: Sequence[float], values: Sequence[float], sigmas: Sequence[float | None]) -> Optimum:
    """The highest of (N,) values at ascending places, and the parabola through it and its two neighbours.

    The parabola goes through the logarithms where all three are above zero: emission falls off like a bell
    on both sides, and the logarithm of a bell is a parabola. The sigma is propagated from the three; where
    one of them is not known, it is that of a place known to half a step. Where all errors are
    known, more neighbours take part, as many as it takes to see them bend; where that is never seen, there is
    no parabola.
    """
    top = max(range(len(values)), key=lambda i: (values[i], -i))
    place, value = at[top], values[top]
    if 0 < top < len(values) - 1:
        around = slice(top - 1, top + 2)
        if min(values[around]) > 0 and all(sigmas[around]):
            refined = _through_more(at, values, sigmas, top)
        else:
            refined = _vertex(at[around], values[around], sigmas[around])
        if refined is not None:
            return Optimum(place, *refined, True, value)
    gaps = [abs(at[i] - place) for i in (top - 1, top + 1) if 0 <= i < len(values)]
    return Optimum(place, place, RECTANGLE * max(gaps) if gaps else 0.0, False, value)


def _vertex(
    at: Sequence[float], values: Sequence[float], sigmas: Sequence[float | None]
) -> tuple[float, float] | None:
    """Top of the parabola through three points and its sigma; None where they do not curve downwards."""
    highest = max(abs(value) for value in values)
    if highest == 0 or not math.isfinite(highest):
        return None
    logarithmic = min(values) > 1e-12 * highest
    heights = [math.log(v / highest) if logarithmic else v / highest for v in values]
    left, middle, right = at
    a, b = left - middle, right - middle  # the middle one is zero
    down, up = heights[0] - heights[1], heights[2] - heights[1]
    bend = (up / b - down / a) / (b - a)
    if bend >= 0 or not math.isfinite(bend):
        return None
    slope = down / a - bend * a
    best = middle - slope / (2 * bend)
    if not left <= best <= right:
        return None
    # Derivatives by the three heights, through those of bend and slope.
    by_left, by_right = -1 / a / (b - a), 1 / b / (b - a)
    by_bend = (by_left, -by_left - by_right, by_right)
    by_slope = (1 / a - a * by_bend[0], -1 / a - a * by_bend[1], -a * by_bend[2])
    total = 0.0
    for value, sigma, d_bend, d_slope in zip(values, sigmas, by_bend, by_slope, strict=True):
        if sigma is None:
            return best, RECTANGLE * (right - left) / 2
        relative = sigma / (value if logarithmic else highest)
        total += ((-d_slope / (2 * bend) + slope * d_bend / (2 * bend * bend)) * relative) ** 2
    return best, math.sqrt(total)


def _through_more(
    at: Sequence[float], values: Sequence[float], sigmas: Sequence[float | None], top: int
) -> tuple[float, float] | None:
    """The narrowest parabola through the logarithms around the highest whose bend is surely seen.

    Through five points where there are as many: of three, noise would choose those that bend most.
    """
    for reach in (*range(2, len(values)), 1):
        around = range(max(top - reach, 0), min(top + reach + 1, len(values)))
        chosen = [i for i in around if values[i] > LEAST_OF_TOP * values[top] or abs(i - top) == 1]
        known = [sigmas[i] for i in chosen]
        if (reach > 1 and len(chosen) < 4) or not all(known):
            continue
        x = np.array([at[i] - at[top] for i in chosen])
        y = np.log([values[i] / values[top] for i in chosen])
        weight = np.array([values[i] / float(s or 1.0) for i, s in zip(chosen, known, strict=True)])
        step = float(np.abs(x).max())
        design = np.vander(x / step, 3, increasing=True) * weight[:, None]
        covariance = np.linalg.inv(design.T @ design)
        _, slope, bend = covariance @ design.T @ (y * weight)
        if -bend < BEND_SIGMAS * math.sqrt(covariance[2, 2]):
            continue
        best = -slope / (2 * bend)
        by = np.array([0.0, -1 / (2 * bend), slope / (2 * bend**2)])
        place = at[top] + step * float(best)
        inside = at[chosen[0]] <= place <= at[chosen[-1]]
        return (place, step * math.sqrt(float(by @ covariance @ by))) if inside else None
    return None

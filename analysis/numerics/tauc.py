"""The optical gap after Tauc: a straight line through (α hν)^(1/r) against hν, down to where it meets zero.

J. Tauc, R. Grigorovici, A. Vancu, Phys. Status Solidi 15 (1966) 627.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.peaks import running_mean
from analysis.numerics.straight_lines import weighted_line

Array = NDArray[np.float64]

POWERS = {"direct": 2.0, "indirect": 0.5}  # 1/r: r = ½ for allowed direct, 2 for allowed indirect transitions
FEWEST = 5
SMOOTHING = 2


@dataclass(frozen=True)
class Gap:
    """gap, sigma : eV. slope : of the line. low, high : eV, what the line was laid through; r2 : of it."""

    gap: float
    sigma: float
    slope: float
    low: float
    high: float
    r2: float
    points: int


def transformed(energy: Array, alpha: Array, variance: Array, power: float) -> tuple[Array, Array]:
    """(α hν)^power and its variance; what is not above zero is zero. The mean shift that noise gives a square
    or a root is taken off, to second order in it."""
    size = np.maximum(alpha, np.sqrt(variance))  # a slope at zero would be infinite for the root
    y = np.maximum(alpha * energy, 0.0) ** power
    slope = power * (size * energy) ** (power - 1) * energy
    bend = power * (power - 1) * (size * energy) ** (power - 2) * energy**2
    clear = alpha > 3 * np.sqrt(variance)
    return y - np.where(clear, 0.5 * bend * variance, 0.0), slope**2 * variance


def gap(
    energy: Array, alpha: Array, variance: Array, power: float, low: float = 0.2, high: float = 0.8
) -> Gap | None:
    """energy : (N,) eV increasing, from below the edge up to where its rise ends; alpha : without background.

    The line goes through the points between `low` and `high` of the rise, told from a smoothed curve so that
    the noise of a point does not choose it. None where fewer than FEWEST lie there or the line does not rise.
    """
    y, var = transformed(energy, alpha, variance, power)
    smooth = running_mean(y, SMOOTHING)
    top = int(smooth.argmax())
    below = np.flatnonzero(smooth[: top + 1] < low * smooth[top])
    first = int(below[-1]) + 1 if below.size else 0
    last = first + int(np.argmax(smooth[first : top + 1] >= high * smooth[top]))
    if last - first < FEWEST:
        return None
    x, y, var = energy[first:last], y[first:last], var[first:last]
    sigma = np.sqrt(np.maximum(var, 1e-24 * float(np.max(y)) ** 2))
    weight = (sigma.min() / sigma) ** 2
    centre = float(weight @ x / weight.sum())
    line = weighted_line(x - centre, y, sigma)  # level and slope are independent about this centre
    if line is None or line.slope <= 3 * line.slope_sigma:
        return None
    variance_of_gap = (line.intercept_sigma / line.slope) ** 2
    variance_of_gap += (line.intercept * line.slope_sigma / line.slope**2) ** 2
    mean = float(weight @ y / weight.sum())
    residual = y - line.intercept - line.slope * (x - centre)
    r2 = 1 - float(weight @ residual**2) / float(weight @ (y - mean) ** 2)
    return Gap(
        centre - line.intercept / line.slope,
        float(np.sqrt(variance_of_gap)),
        line.slope,
        float(x[0]),
        float(x[-1]),
        r2,
        x.size,
    )

"""The shape of one peak without a model: top, half-height crossings, moments, each with its variance.

On a clean curve these are the textbook constructions (a parabola through the top five points, a line between
the two points around half height). Where the noise is larger than what those few points span, the same
constructions use more points, just enough to tame it: otherwise the position of the top would be the position
of the luckiest point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAD_TO_SIGMA = 1.4826
FOURTH_DIFFERENCE = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
TOP_SIGMA_PER_FWHM = 0.01
MIN_FOR_NOISE = 10
PLAIN_RATIO = 2.5  # of two variances from some fifty points: chance does not do that


@dataclass(frozen=True)
class Point:
    """A place on the axis with its height and their variances."""

    x: float
    y: float
    var_x: float
    var_y: float


@dataclass(frozen=True)
class Crossing:
    """Where a flank passes a level: x, its variance at a fixed level, and dy/dx there."""

    x: float
    var_x: float
    slope: float


def noise_sigma(y: Array) -> float:
    """Standard deviation of the noise from fourth differences, which a smooth curve hardly has.

    y : (N,) evenly spaced, N ≥ 5. Never zero: at least the quantisation of the numbers themselves.
    """
    return max(_scale(_differences(y)), _quantum(y))


def noise_variance(y: Array, smooth: Array, offset: float, height: float) -> Array:
    """(N,) variance of each point: the same everywhere, or a straight line in the signal if that is plain.

    smooth : (N,) the same curve without most of the noise; offset, height : of the peak
    """
    differences = _differences(y)
    level = (smooth[2:-2] - offset) / height
    even = noise_sigma(y) ** 2
    foot, head = differences[level < 0.05], differences[level > 0.5]
    if min(foot.size, head.size) < MIN_FOR_NOISE:
        return np.full(y.shape, even)
    low, high = _scale(foot) ** 2, _scale(head) ** 2
    if low / PLAIN_RATIO <= high <= low * PLAIN_RATIO:
        return np.full(y.shape, even)
    share = np.clip((smooth - offset) / (0.8 * height), 0.0, 1.25)  # the head's mean level is about 0.8
    return np.asarray(np.maximum(low + (high - low) * share, max(min(low, high), _quantum(y) ** 2)))


def _differences(y: Array) -> Array:
    return np.convolve(y, FOURTH_DIFFERENCE, mode="valid") / np.sqrt(70.0)


def _scale(differences: Array) -> float:
    """Standard deviation without outliers: the median finds them, the mean square of the rest is precise."""
    size = np.abs(differences)
    typical = MAD_TO_SIGMA * float(np.median(size))
    kept = size[size <= 3.5 * typical]
    return max(typical if kept.size == 0 else float(np.sqrt(np.mean(kept**2))), 0.0)


def _quantum(y: Array) -> float:
    """Rounding noise of the numbers as they were written: their smallest step over √12."""
    steps = np.abs(np.diff(np.sort(y)))
    steps = steps[steps > 0]
    rounding = np.finfo(float).eps * float(np.max(np.abs(y)))
    return max(float(steps.min()) if steps.size else 0.0, rounding) / np.sqrt(12)


def running_mean(y: Array, half: int) -> Array:
    """(N,) mean over 2·half+1 points; the ends repeat the outermost value."""
    padded = np.pad(y, half, mode="edge")
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")


def points_for_top(fwhm: float, step: float, noise_over_height: float) -> int:
    """How many points on each side of the top the parabola needs: two, more while the noise demands it."""
    curvature = 4 * np.log(2) / fwhm**2  # of a Gaussian of height one
    most = max(2, int(fwhm / 4 / step))  # further out no peak is a parabola
    for half in range(2, most):
        span = step * np.sqrt(half * (half + 1) * (2 * half + 1) / 3)
        if noise_over_height / (2 * curvature * span) <= TOP_SIGMA_PER_FWHM * fwhm:
            return half
    return most


def points_for_flank(fwhm: float, step: float, noise_over_height: float) -> int:
    """How many points on each side of a crossing: one, more until they span three times the noise."""
    rise_per_point = 2 * np.log(2) / fwhm * step
    return int(np.clip(np.ceil(3 * noise_over_height / rise_per_point), 1, max(1, int(0.15 * fwhm / step))))


def top(x: Array, y: Array, variance: Array, half: int) -> Point | None:
    """The vertex of a parabola through 2·half+1 points around the highest mean.

    Takes up to twice as many if by chance the first ones curve the wrong way; None if there is none.
    """
    for more in range(half, min(2 * half, (x.size - 1) // 2) + 1):
        found = _top(x, y, variance, more)
        if found is not None:
            return found
    return None


def _top(x: Array, y: Array, variance: Array, half: int) -> Point | None:
    middle = int(np.argmax(running_mean(y, half if half > 2 else 0)))
    middle = min(max(middle, half), x.size - 1 - half)
    for _ in range(2):  # the second time around the vertex of the first
        around = slice(middle - half, middle + half + 1)
        found = _vertex(x[around], y[around], variance[around])
        if found is None:
            return None
        middle = min(max(int(np.argmin(np.abs(x - found.x))), half), x.size - 1 - half)
    return found


def _vertex(x: Array, y: Array, variance: Array) -> Point | None:
    middle, scale = float(x.mean()), float(np.ptp(x)) / 2
    u = (x - middle) / scale
    solve = np.linalg.pinv(np.stack([np.ones_like(u), u, u * u], axis=1))
    c, b, a = solve @ y
    if not (a < 0 and abs(b) <= -2 * a):  # no maximum among these points
        return None
    covariance = (solve * variance) @ solve.T
    to_x = np.array([0.0, -1 / (2 * a), b / (2 * a * a)]) * scale
    to_y = np.array([1.0, -b / (2 * a), (b / (2 * a)) ** 2])
    return Point(
        x=float(middle - b / (2 * a) * scale),
        y=float(c - b * b / (4 * a)),
        var_x=float(to_x @ covariance @ to_x),
        var_y=float(to_y @ covariance @ to_y),
    )


def crossing(
    x: Array, y: Array, variance: Array, level: float, start: int, direction: int, half: int
) -> Crossing | None:
    """Walking from `start`, where the curve falls below `level`: a line through `half` points on either side.

    direction : +1 to longer, −1 to shorter wavelength. None if the curve never falls below.
    """
    smooth = running_mean(y, half - 1)
    path = smooth[start:] if direction > 0 else smooth[start::-1]
    below = np.flatnonzero(path < level)
    if below.size == 0 or below[0] == 0:
        return None
    last_above = start + direction * (int(below[0]) - 1)
    first = last_above - half + 1 if direction > 0 else last_above - half
    if first < 0 or first + 2 * half > x.size:
        return None
    around = slice(first, first + 2 * half)
    middle = float(x[around].mean())
    solve = np.linalg.pinv(np.stack([np.ones(2 * half), x[around] - middle], axis=1))
    base, slope = solve @ y[around]
    if slope * direction >= 0:
        return None
    reach = (level - base) / slope
    weights = solve[0] + reach * solve[1]
    return Crossing(float(middle + reach), float(weights**2 @ variance[around]) / slope**2, float(slope))


def trapezoid_weights(x: Array) -> Array:
    """(N,) weights that turn a sum into the trapezoidal integral."""
    steps = np.diff(x)
    return np.concatenate([[steps[0] / 2], (steps[:-1] + steps[1:]) / 2, [steps[-1] / 2]])

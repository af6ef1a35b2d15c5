"""The steepest tangent of a fall of absorbance, what lies beyond the fall, and where the two meet.

The tangent is that of an S-shaped curve through the points around the steepest fall; its window is just wide
enough for the noise, so that a clean curve is followed closely whatever its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.numerics import propagation
from analysis.numerics.absorption_edges import Fall
from analysis.numerics.least_squares import minimise

Array = NDArray[np.float64]

SLOPE_SIGMA = 0.01  # of the slope: what the window is widened for
PLACE_SIGMA = 0.01  # of the width of the fall
WIDEST = 0.6  # of the width of the fall, to each side
FEWEST = 4  # points to each side
SKEWED_TOLERANCE = 1.5  # a narrower window, for what bends differently to its two sides
MOST_SKEWED = 1e3  # of its drop over the fourth power of its width
PLAIN_MISFIT = 2.0  # χ² per degree of freedom from which the errors are widened


@dataclass(frozen=True)
class Tangent:
    """The line y + slope·(λ − x) at the steepest point; covariance (3, 3) of x, y, slope. `inflects`: x is an
    inflection; otherwise the curve is too angular for one, and x is only where the fall looks steepest."""

    x: float
    y: float
    slope: float
    covariance: Array
    inflects: bool


@dataclass(frozen=True)
class Baseline:
    """What is there without the edge: level + slope·(λ − at), or, as "scattering", level·(λ/at)^(−slope).

    covariance : (2, 2) of level and slope
    """

    kind: str
    at: float
    level: float
    slope: float
    covariance: Array
    points: int

    def __call__(self, x: Array | float, level: float | None = None, slope: float | None = None) -> Array:
        a = self.level if level is None else level
        b = self.slope if slope is None else slope
        if self.kind == "scattering":
            return np.asarray(a * (np.asarray(x) / self.at) ** -b)
        return np.asarray(a + b * (np.asarray(x) - self.at))


def tangent(x: Array, y: Array, variance: Array, fall: Fall, skewed: bool = False) -> Tangent | None:
    """The steepest tangent of one fall; None where what looked like a fall is noise.

    skewed : its two sides bend differently, as (1−R)²/2R makes them; costs an inflection twice as unsure
    """
    tolerance = SKEWED_TOLERANCE if skewed else 1.0
    step = float(np.median(np.diff(x)))
    widest = max(WIDEST * fall.width, FEWEST * step)
    # a straight line through 2h/step points has this error of its slope; what bends needs no less
    noise = float(np.interp(fall.steepest, x, variance)) / (SLOPE_SIGMA * fall.slope) ** 2
    half = float(np.clip((1.5 * step * noise) ** (1 / 3), FEWEST * step, widest))
    while True:
        found = _s_curve(x, y, variance, fall, half, skewed)
        if found is not None:
            relative = np.sqrt(found.covariance[2, 2]) / abs(found.slope)
            place = np.sqrt(found.covariance[0, 0]) / fall.width
            if relative <= tolerance * SLOPE_SIGMA and place <= tolerance * PLACE_SIGMA:
                break
        if half >= widest:
            break
        half = min(1.25 * half, widest)
    if found is None or not fall.blue - half <= found.x <= fall.red + half:
        return _without_inflection(x, y, variance, fall.steepest, half)
    return found


def _s_curve(x: Array, y: Array, variance: Array, fall: Fall, half: float, skewed: bool) -> Tangent | None:
    """y₀ + 2ws·tanh((λ−λ₀)/2w) + k·(λ−λ₀)⁴: λ₀ the inflection, s the slope there; w lets it bend, and k,
    where it is asked for, to one side more than to the other."""
    near = np.abs(x - fall.steepest) <= half * (1 + 1e-9)
    if np.count_nonzero(near) <= 2 * FEWEST:
        near = _nearest(x, fall.steepest)
    middle = float(np.interp(fall.steepest, x, y))
    t, scale = (x[near] - fall.steepest) / fall.width, abs(fall.drop)

    def model(p: Array) -> tuple[Array, Array]:
        center, level, slope, width, skew = (p[:, n, None] for n in range(5))
        off = t - center
        u = off / width
        h = np.tanh(u / 2)
        q = 1 - h**2
        curve = level + 2 * width * slope * h + skew * off**4
        slopes = (
            -slope * q - 4 * skew * off**3,
            np.ones_like(u),
            2 * width * h,
            slope * (2 * h - u * q),
            off**4,
        )
        return curve, np.stack(slopes, axis=1)

    given, weights = (y[near] - middle) / scale, float(variance[near].min()) / variance[near]
    most = MOST_SKEWED if skewed else 0.0
    lower, upper = np.array([[-1.0, -1.0, -10.0, 0.02, -most]]), np.array([[1.0, 1.0, -0.01, 20.0, most]])
    start = np.array([[0.0, 0.0, -1.0, 0.25, 0.0]])
    found = minimise(model, given[None], start, lower, upper, weights=weights[None], max_iterations=60)
    free = slice(5 if skewed else 4)
    if not found.converged[0] or found.at_bound[0, free].any():
        return None
    curve, jacobian = model(found.params)
    fitted = _weighted(jacobian[0, free].T, given - curve[0], variance[near] / scale**2)
    if fitted is None:
        return None
    center, level, slope, width = (float(number) for number in found.params[0][:4])
    covariance = fitted[1]
    if np.sqrt(covariance[3, 3]) > width / 2:  # hardly curved: the noise decides where it inflects
        return None
    units = np.array([fall.width, scale, scale / fall.width])
    return Tangent(
        fall.steepest + center * fall.width,
        middle + level * scale,
        slope * scale / fall.width,
        covariance[:3, :3] * np.outer(units, units),
        True,
    )


def _without_inflection(x: Array, y: Array, variance: Array, place: float, half: float) -> Tangent | None:
    """Where the noise hides the inflection, a cubic that has it at `place`: the slope is steepest there, so
    a small mistake of the place hardly changes it. Where there is none, at a corner, a straight line through
    the nearest points."""
    orders: tuple[tuple[int, ...], ...] = ((0, 1, 3), (0, 1))
    for order, points in zip(orders, (np.abs(x - place) <= half, _nearest(x, place)), strict=True):
        t = x[points] - place
        fitted = _weighted(np.stack([t**n for n in order], axis=1), y[points], variance[points])
        if fitted is None:
            continue
        p, errors = fitted
        if len(order) == 2 or (t.size > 2 * FEWEST and p[2] > -2 * np.sqrt(errors[2, 2])):
            covariance = np.zeros((3, 3))
            covariance[1:, 1:] = errors[:2, :2]
            covariance[0, 0] = half**2 / 3
            steep = -p[1] > 3 * np.sqrt(errors[1, 1])
            return Tangent(place, float(p[0]), float(p[1]), covariance, False) if steep else None
    return None


def _nearest(x: Array, place: float) -> NDArray[np.bool_]:
    chosen = np.zeros(x.size, dtype=bool)
    chosen[np.argsort(np.abs(x - place))[: 2 * FEWEST + 1]] = True
    return chosen


def _weighted(design: Array, y: Array, variance: Array) -> tuple[Array, Array] | None:
    """Parameters and covariance of a linear model; wider where the points scatter far more than they say."""
    root = 1 / np.sqrt(variance)
    a, b = design * root[:, None], y * root
    scale = np.linalg.norm(a, axis=0)
    if not np.all(scale > 0):
        return None
    normal = (a / scale).T @ (a / scale)
    if np.linalg.cond(normal) > 1e12:
        return None
    inverse = np.linalg.inv(normal) / np.outer(scale, scale)
    p = inverse @ (a.T @ b)
    freedom = y.size - p.size
    misfit = float(np.sum((b - a @ p) ** 2)) / freedom if freedom > 0 else 1.0
    return p, inverse * (misfit if misfit > PLAIN_MISFIT else 1.0)


def baseline(x: Array, y: Array, variance: Array, kind: str, at: float) -> Baseline | None:
    """Fitted to these points. kind : "constant", "line" or "scattering"; None where it cannot be."""
    if kind == "scattering":
        return _scattering(x, y, variance, at)
    size = 1 if kind == "constant" else 2
    if x.size < size + 1:
        return None
    fitted = _weighted(np.vander(x - at, size, increasing=True), y, variance)
    if fitted is None:
        return None
    p, errors = fitted
    covariance = np.zeros((2, 2))
    covariance[:size, :size] = errors
    return Baseline(kind, at, float(p[0]), float(p[1]) if size == 2 else 0.0, covariance, x.size)


def _scattering(x: Array, y: Array, variance: Array, at: float) -> Baseline | None:
    """level·(λ/at)^(−p) by Gauss and Newton."""
    if x.size < 5 or float(np.median(y)) <= 0:
        return None
    log = np.log(x / at)
    p = np.array([float(np.median(y)), 1.0])
    for _ in range(50):
        curve = p[0] * np.exp(-p[1] * log)
        design = np.stack([curve / p[0], -curve * log], axis=1)
        fitted = _weighted(design, y - curve, variance)
        if fitted is None:
            return None
        step, covariance = fitted
        p = p + np.clip(step, -0.5 * np.array([p[0], 2.0]), 0.5 * np.array([p[0], 2.0]))
        if np.all(np.abs(step) <= 1e-9 * np.abs(p) + 1e-12):
            return Baseline("scattering", at, float(p[0]), float(p[1]), covariance, x.size)
    return None


def intersection(line: Tangent, base: Baseline, subtracted: bool) -> tuple[float, float]:
    """λ_g and its σ: where the tangent meets the baseline.

    subtracted : the baseline was taken off the curve before the tangent was laid, which then meets zero
    """

    def meets(q: Array) -> float:
        x, y, slope, level, tilt = q
        if subtracted:  # the baseline as it might have been, less the one that was taken off
            here, there = x, x + 1.0
            moved = [float(base(at, level, tilt) - base(at)) for at in (here, there)]
            return float(x - (y - moved[0]) / (slope - (moved[1] - moved[0])))
        off, rise = float(base(x, level, tilt)), float(base(x + 1.0, level, tilt) - base(x, level, tilt))
        return float(x + (off - y) / (slope - rise))

    covariance = np.zeros((5, 5))
    covariance[:3, :3] = line.covariance
    covariance[3:, 3:] = base.covariance
    if not line.inflects:  # moving along the line changes nothing, and the place was not fitted
        covariance[0, :] = covariance[:, 0] = 0.0
    at = np.array([line.x, line.y, line.slope, base.level, base.slope])
    value, errors = propagation.linear(meets, at, covariance)
    return float(value[0]), float(np.sqrt(max(errors[0, 0], 0.0)))

"""Background, widths and moments of one emission line, each with its variance. Used by `pl_descriptors`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.methods._corrections import Correction
from analysis.methods._spectra import HC_EV_NM, Spectrum
from analysis.methods.base import Array
from analysis.numerics import peaks, tails
from analysis.numerics.gaussians import edge_points


@dataclass(frozen=True)
class Background:
    level: float
    variance: float


@dataclass(frozen=True)
class Measured:
    value: float
    variance: float


@dataclass(frozen=True)
class Line:
    """A peak on its axis. x : (N,) rising, y : (N,), variance : (N,) of y."""

    x: Array
    y: Array
    variance: Array
    background: Background
    top: peaks.Point
    half: int


def variance_of(data: Spectrum, correction: Correction | None) -> Array:
    """(N,) of each point: the noise is the detector's, so it is judged before the correction and carried
    through it, var(y·g) = g²·var(y) + y²·var(g)."""
    if correction is None:
        gain, var_gain = np.ones_like(data.y), np.zeros_like(data.y)
    else:
        gain, var_gain = correction.at(data.x)
    y = data.y / gain
    variance = tails.noise_variance(y)
    return np.asarray(gain**2 * variance + y**2 * var_gain)


def outer_median(data: Spectrum) -> float:
    edge = edge_points(data.x)
    return float(np.median(np.concatenate([data.y[:edge], data.y[-edge:]])))


def background_of(data: Spectrum, level: float, variance: Array) -> Background:
    """The median of n normal numbers varies π/2 times as much as their mean; of uneven ones, as if each had
    the harmonic mean of their σ, for the quiet points lie densest around it."""
    edge = edge_points(data.x)
    outer = np.sqrt(np.concatenate([variance[:edge], variance[-edge:]]))
    typical = float(np.mean(1 / outer)) ** -2
    return Background(level, typical * np.pi / 2 / (2 * edge))


def line_through(x: Array, y: Array, variance: Array, background: Background) -> Line | None:
    """The top of the line and how many points its flanks need; None without a rounded maximum."""
    step = float(np.median(np.diff(x)))
    smooth = peaks.running_mean(y, 2)
    highest = int(smooth.argmax())
    height = float(smooth[highest]) - background.level
    fwhm = max(float((smooth > background.level + height / 2).sum()) * step, 2 * step)
    ratio = float(np.sqrt(variance[highest])) / height
    top = peaks.top(x, y, variance, peaks.points_for_top(fwhm, step, ratio))
    if top is None:
        return None
    return Line(x, y, variance, background, top, peaks.points_for_flank(fwhm, step, ratio))


def over_energy(data: Spectrum, variance: Array, background: Background) -> tuple[Array, Array, Array]:
    """Energy in eV, rising, with the emission above the background per eV and its variance.

    I(E) = I(λ)·|dλ/dE| = I(λ)·λ²/hc. The background goes first: flat per nanometre, it is not flat per eV.
    J. Mooney, P. Kambhampati, J. Phys. Chem. Lett. 4 (2013) 3316.
    """
    jacobian = data.x**2 / HC_EV_NM
    y = (data.y - background.level) * jacobian
    return (HC_EV_NM / data.x)[::-1], y[::-1], (variance * jacobian**2)[::-1]


def widths(line: Line) -> tuple[Measured, Measured] | None:
    """Full width at half maximum, and the half on the side of larger x over the other one."""
    x, y, variance, top = line.x, line.y, line.variance, line.top
    level = (top.y + line.background.level) / 2
    var_level = (top.var_y + line.background.variance) / 4
    start = int(np.argmin(np.abs(x - top.x)))
    left = peaks.crossing(x, y, variance, level, start, -1, line.half)
    right = peaks.crossing(x, y, variance, level, start, +1, line.half)
    if left is None or right is None or not left.x < top.x < right.x:
        return None
    low, high = top.x - left.x, right.x - top.x
    moved = 1 / left.slope - 1 / right.slope  # both flanks move when the level does
    by_level = -(1 / right.slope) / low - high / low**2 / left.slope
    by_top = -1 / low - high / low**2
    var_ratio = (
        right.var_x / low**2 + left.var_x * high**2 / low**4 + by_top**2 * top.var_x + by_level**2 * var_level
    )
    fwhm = Measured(high + low, left.var_x + right.var_x + moved**2 * var_level)
    return fwhm, Measured(high / low, var_ratio)


def moments(data: Spectrum, variance: Array, background: Background) -> tuple[Measured, Measured] | None:
    """Centroid and integral above the background, which shifts all points together."""
    weights = peaks.trapezoid_weights(data.x)
    above = data.y - background.level
    integral = float(weights @ above)
    var_integral = float(weights**2 @ variance) + float(weights.sum()) ** 2 * background.variance
    if integral <= 3 * np.sqrt(var_integral):
        return None
    centroid = float((weights * data.x) @ above) / integral
    arm = weights * (data.x - centroid) / integral
    var_centroid = float(arm**2 @ variance) + float(arm.sum()) ** 2 * background.variance
    return Measured(centroid, var_centroid), Measured(integral, var_integral)

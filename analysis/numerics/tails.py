"""Exponential tails of spectra: slope, constant beneath, and the noise that says how far down they are real.

The exponential is fitted to the counts themselves, not a line to their logarithm: the logarithm of a noisy
number is on average too low, and the more so the weaker it is. Without noise both give the same slope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.numerics import peaks
from analysis.numerics.least_squares import covariances, minimise

Array = NDArray[np.float64]

BOLTZMANN_EV_PER_K = 8.617333262e-5  # CODATA 2018, exact
ZERO_C_IN_K = 273.15
STEEPEST = 700.0  # of an exponent: float64 knows no larger one
ROUNDS = 12
PLAIN_SIGMAS = 2.0  # shot noise that is less sure is none
NEIGHBOURS_ALIKE = 2.63  # Σρ² of squared fourth differences: they share points
AROUND, SMOOTH_PEAK = 40, 20  # points of a neighbourhood; of a peak that fourth differences do not see
PLAINLY = 8.0  # of two variances, one from a neighbourhood
OUTLIER = 12.0  # squared differences beyond this many variances are spikes


@dataclass(frozen=True)
class Tail:
    """y = constant + factor·exp(intercept + slope·(E − centre)) + beneath·(what was given to lie beneath it).

    chi2 : mean squared residual in units of the variance given; the sigmas are scaled by its root
    """

    slope: float
    intercept: float
    constant: float
    centre: float
    slope_sigma: float
    intercept_sigma: float
    constant_sigma: float
    chi2: float
    beneath: float = 0.0
    beneath_sigma: float = 0.0

    def exponential(self, energy: Array) -> Array:
        """(N,) without factor and constant."""
        exponent = self.intercept + self.slope * (energy - self.centre)
        return np.asarray(np.exp(np.clip(exponent, -STEEPEST, STEEPEST)))


def noise_variance(y: Array) -> Array:
    """(N,) variance of each point as a straight line in the signal: read noise plus shot noise.

    y : (N,) evenly sampled, N ≥ 15. From squared fourth differences, by weighted least squares; neither part
    is below zero and no variance below that of the digits. Where the line is plainly wrong, because a
    correction multiplied the noise at one end of the detector, the noise of the neighbourhood is taken.
    """
    squares = (np.convolve(y, peaks.FOURTH_DIFFERENCE, mode="valid")) ** 2 / 70.0
    level = peaks.running_mean(y, 2)
    floor = max(float(np.ptp(y)) * 1e-9, 1e-150) ** 2
    signal = np.clip(level - level.min(), 0.0, None)
    inner = signal[2:-2]
    variance = np.full(y.shape, max(peaks.noise_sigma(y) ** 2, floor))
    for _ in range(ROUNDS):
        at = variance[2:-2]
        kept = squares <= OUTLIER * at
        weight = kept / at**2
        read, shot, shot_sigma = _not_negative_line(inner, squares, weight)
        if shot < PLAIN_SIGMAS * shot_sigma:
            read, shot = float(np.sum(weight * squares) / max(np.sum(weight), 1e-300)), 0.0
        variance = np.maximum(read + shot * signal, floor)
    peak_points = np.count_nonzero(signal > signal.max() / 2)
    if y.size < 2 * AROUND or peak_points < SMOOTH_PEAK:
        return variance
    local = np.maximum(_local_variance(squares), floor)
    ratio = local / variance[2:-2]
    if ratio.max() < PLAINLY and ratio.min() > 1 / PLAINLY:
        return variance
    return np.pad(local, 2, mode="edge")


def _local_variance(squares: Array) -> Array:
    """(N,) running mean of squared differences without spikes."""
    half = AROUND // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(squares, half, mode="reflect"), 2 * half + 1)
    most = OUTLIER * peaks.MAD_TO_SIGMA**2 * np.median(windows, axis=1, keepdims=True)
    kept = windows <= most
    return np.asarray((windows * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1))


def _not_negative_line(x: Array, y: Array, weight: Array) -> tuple[float, float, float]:
    """Offset and slope of the weighted line through squared differences, neither below zero, and the
    sigma of the slope.

    weight : (N,) one over the squared variance; the square of a normal number varies by 2·variance².
    """
    total = float(weight.sum())
    if total <= 0:
        return float(y.mean()), 0.0, 0.0
    middle, height = float(weight @ x) / total, float(weight @ y) / total
    spread = float(weight @ (x - middle) ** 2)
    slope = float(weight @ ((x - middle) * (y - height))) / spread if spread > 0 else 0.0
    sigma = np.sqrt(2 * NEIGHBOURS_ALIKE / spread) if spread > 0 else 0.0
    offset = height - slope * middle
    if slope < 0:
        return height, 0.0, sigma
    if offset < 0:
        return 0.0, float(weight @ (x * y)) / float(weight @ x**2), sigma
    return offset, slope, sigma


def fit_tail(
    energy: Array,
    y: Array,
    factor: Array,
    variance: Array,
    with_constant: bool,
    start: tuple[float, float],
    beneath: Array | None = None,
) -> Tail | None:
    """y = constant + factor·exp(intercept + slope·(E − centre)) by weighted least squares; None if it fails.

    energy : (N,) eV. y : (N,) counts. factor : (N,) > 0, known, such as E² of the reciprocity relation
    variance : (N,) > 0 of y. start : slope in eV⁻¹ and constant to begin with
    beneath : (N,) of the order of one, beside a constant: a curve of known shape and unknown height
    The exponential takes part everywhere, so points where it has vanished hold the constant.
    """
    scale = float(np.max(np.abs(y)))
    if scale <= 0:
        return None
    centre = float(energy[int(np.argmax(y))])
    relative = energy - centre
    size = 4 if beneath is not None else 3 if with_constant else 2

    def model(params: Array) -> tuple[Array, Array]:
        exponent = np.clip(params[:, :1] + params[:, 1:2] * relative, -STEEPEST, STEEPEST / 4)
        curve = factor * np.exp(exponent)
        jacobian = np.empty((params.shape[0], size, y.size))
        jacobian[:, 0] = curve
        jacobian[:, 1] = curve * relative
        if with_constant:
            jacobian[:, 2] = 1.0
            curve = curve + params[:, 2:3]
        if beneath is not None:
            jacobian[:, 3] = beneath
            curve = curve + params[:, 3:4] * beneath
        return curve, jacobian

    slope, constant = start
    first = max(float(y.max()) - constant, 1e-6 * scale) / scale
    begin = [np.log(first / float(factor[int(np.argmax(y))])), slope]
    if with_constant:
        begin.append(constant / scale)
    if beneath is not None:
        begin.append(0.0)
    limits = np.array([[200.0, 1e5, 10.0, 10.0][:size]])
    scaled, weights = (y / scale)[None], (np.min(variance) / variance)[None]
    found = minimise(model, scaled, np.array([begin]), -limits, limits, weights=weights)
    if not found.converged[0] or found.at_bound[0].any():
        return None
    errors = covariances(model, scaled, found.params, weights)
    sigma = np.sqrt(np.diag(errors.classical[0]))
    if not np.all(np.isfinite(sigma)):
        return None
    p = [float(value) for value in found.params[0]]
    residual = errors.residuals[0] * scale
    return Tail(
        slope=p[1],
        intercept=p[0] + float(np.log(scale)),
        constant=p[2] * scale if with_constant else 0.0,
        centre=centre,
        slope_sigma=float(sigma[1]),
        intercept_sigma=float(sigma[0]),
        constant_sigma=float(sigma[2]) * scale if with_constant else 0.0,
        chi2=float(np.sum(residual**2 / variance)) / max(y.size - size, 1),
        beneath=p[3] * scale if beneath is not None else 0.0,
        beneath_sigma=float(sigma[3]) * scale if beneath is not None else 0.0,
    )


def r_squared(energy: Array, logarithm: Array) -> float:
    """R² of the plain line through (N,) logarithms; 0 when they do not vary."""
    x, y = energy - energy.mean(), logarithm - logarithm.mean()
    total = float(x @ x) * float(y @ y)
    return float(x @ y) ** 2 / total if total > 0 else 0.0


def curvature(energy: Array, logarithm: Array, weight: Array) -> tuple[float, float]:
    """How much the slope changes over the window, in parts of the mean slope, and its sigma.

    energy, logarithm, weight : (N,), weight 1/variance of the logarithm
    """
    half = float(np.ptp(energy)) / 2
    u = (energy - (energy.min() + half)) / half
    design = np.stack([np.ones_like(u), u, u * u], axis=1)
    normal = design.T @ (design * weight[:, None])
    if np.linalg.cond(normal) > 1e12:
        return 0.0, 1.0
    inverse = np.linalg.inv(normal)
    best = inverse @ (design.T @ (weight * logarithm))
    residual = logarithm - design @ best
    s2 = float(np.sum(weight * residual**2)) / max(energy.size - 3, 1)
    if best[1] == 0:
        return 0.0, 1.0
    return float(4 * best[2] / best[1]), float(4 * np.sqrt(inverse[2, 2] * s2) / abs(best[1]))


def inverse_thermal_energy(temperature_c: float) -> float:
    """1/kT in eV⁻¹."""
    return 1 / (BOLTZMANN_EV_PER_K * (temperature_c + ZERO_C_IN_K))

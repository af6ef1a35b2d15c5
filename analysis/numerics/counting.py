"""The most likely parameters of a curve that was counted, photon by photon.

Channels are independent Poisson counts, or have known weights. Levenberg-Marquardt on the deviance with
the expected information instead of the second derivatives: T. A. Laurence, B. A. Chromy, Nat. Methods 7
(2010) 338. Least squares with weights 1/y would instead lose about one count a channel and bias every
lifetime.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Model = Callable[[Array], tuple[Array, Array]]
"""(P,) parameters → (N,) curve and (P, N) derivatives."""

STEP_IN_SIGMAS_SQUARED = 1e-10
ROUNDING = 1e-12  # of the deviance: a sum of thousands of terms is not known better
PATIENCE, STALLED = 10, 1e-4  # so many steps in which the deviance fell by less: along a valley without end
MAX_DAMPING = 1e12
TINY = 1e-300


@dataclass(frozen=True)
class Optimum:
    """Where a fit ended.

    params : (P,); curve : (N,)
    deviance : twice the log-likelihood ratio to the data themselves, or Σ w (y − curve)²
    covariance : (P, P) inverse of the expected information over the parameters that were free and off their
        bounds; 0 for the others; NaN where the data do not determine it
    influence : (P, N) how far each parameter moves when a channel's count rises by one
    at_bound : (P,) the data push it outwards
    """

    params: Array
    curve: Array
    deviance: float
    converged: bool
    at_bound: NDArray[np.bool_]
    covariance: Array
    influence: Array


def most_likely(
    model: Model,
    y: Array,
    start: Array,
    lower: Array,
    upper: Array,
    *,
    weights: Array | None = None,
    max_iterations: int = 100,
) -> Optimum:
    """y : (N,) counts, or numbers that vary like counts; start, lower, upper : (P,)

    lower == upper fixes a parameter. weights : (N,) 1/σ² for least squares; None for Poisson counts.
    """
    merit = _Merit(y, weights)
    p = np.clip(start, lower, upper)
    curve, jacobian = model(p)
    deviance = merit.deviance(curve)
    normal, gradient = merit.normal_equations(curve, jacobian)
    damping, growth, converged = 1e-3, 2.0, False
    reached = [deviance]
    for _ in range(max_iterations):
        if len(reached) > PATIENCE and reached[-PATIENCE - 1] - deviance < STALLED:
            converged = True
            break
        held = (lower == upper) | _pushed_outwards(p, gradient, lower, upper)
        trial = _step(p, normal, gradient, held, damping, lower, upper)
        step = trial - p
        bend = float(step @ normal @ step)
        if bend <= max(STEP_IN_SIGMAS_SQUARED, ROUNDING * abs(deviance)) and damping < 1:
            converged = True
            break
        trial_curve, trial_jacobian = model(trial)
        trial_deviance = merit.deviance(trial_curve)
        if trial_deviance <= deviance:
            gain = (deviance - trial_deviance) / max(2 * float(gradient @ step) - bend, TINY)
            damping = max(damping * max(1 / 9, 1 - (2 * min(gain, 1.0) - 1) ** 3), 1e-12)
            growth = 2.0
            p, curve, jacobian, deviance = trial, trial_curve, trial_jacobian, trial_deviance
            normal, gradient = merit.normal_equations(curve, jacobian)
        else:
            damping, growth = damping * growth, 2 * growth
            if damping > MAX_DAMPING:
                break
        reached.append(deviance)
    outwards = _pushed_outwards(p, gradient, lower, upper) & (lower < upper)
    free = (lower < upper) & ~outwards
    covariance = _covariance(normal, free)
    influence = covariance @ (jacobian * merit.weights(curve))
    return Optimum(p, curve, deviance, converged, outwards, covariance, influence)


@dataclass(frozen=True)
class _Merit:
    y: Array
    fixed: Array | None

    def deviance(self, curve: Array) -> float:
        if not np.all(np.isfinite(curve)):
            return np.inf
        if self.fixed is not None:
            return float(self.fixed @ (self.y - curve) ** 2)
        if np.any(curve <= 0):
            return np.inf
        some = np.maximum(self.y, TINY)
        return float(2 * np.sum(curve - self.y - self.y * np.log(curve / some)))

    def weights(self, curve: Array) -> Array:
        return 1 / curve if self.fixed is None else self.fixed

    def normal_equations(self, curve: Array, jacobian: Array) -> tuple[Array, Array]:
        weighted = jacobian * self.weights(curve)
        return weighted @ jacobian.T, weighted @ (self.y - curve)


def _pushed_outwards(p: Array, gradient: Array, lower: Array, upper: Array) -> NDArray[np.bool_]:
    return np.asarray(((p <= lower) & (gradient < 0)) | ((p >= upper) & (gradient > 0)))


def _step(
    p: Array,
    normal: Array,
    gradient: Array,
    held: NDArray[np.bool_],
    damping: float,
    lower: Array,
    upper: Array,
) -> Array:
    """The damped step inside the box; what would cross a limit stops there, and the others answer to that."""
    moved = np.zeros(p.size)
    for _ in range(p.size + 1):
        free = ~held
        if not free.any():
            break
        right = gradient[free] - normal[np.ix_(free, held)] @ moved[held]
        scale = np.sqrt(np.maximum(np.diag(normal)[free], TINY))
        matrix = normal[np.ix_(free, free)] / np.outer(scale, scale) + damping * np.eye(scale.size)
        try:
            moved[free] = np.linalg.solve(matrix, right / scale) / scale
        except np.linalg.LinAlgError:
            moved[free] = right / scale**2 / (1 + damping)
        crossing = free & ((p + moved < lower) | (p + moved > upper))
        if not crossing.any():
            break
        moved[crossing] = np.clip(p + moved, lower, upper)[crossing] - p[crossing]
        held = held | crossing
    return np.clip(p + moved, lower, upper)


def _covariance(normal: Array, free: NDArray[np.bool_]) -> Array:
    covariance = np.zeros(normal.shape)
    if not free.any():
        return covariance
    information = normal[np.ix_(free, free)]
    diagonal = np.diag(information)
    if not (np.all(diagonal > 0) and np.all(np.isfinite(information))):
        covariance[np.ix_(free, free)] = np.nan
        return covariance
    scale = np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    if values[0] <= 1e-13 * values[-1]:
        covariance[np.ix_(free, free)] = np.nan
        return covariance
    covariance[np.ix_(free, free)] = (vectors / values) @ vectors.T / np.outer(scale, scale)
    return covariance


def non_negative(normal: Array, right: Array) -> Array:
    """x ≥ 0 that minimises xᵀ N x − 2 rᵀ x.

    normal : (P, P) positive semidefinite; right : (P,)
    C. L. Lawson, R. J. Hanson, Solving Least Squares Problems (1974), ch. 23.
    """
    scale = np.sqrt(np.maximum(np.diag(normal), TINY))
    matrix = normal / np.outer(scale, scale) + 1e-10 * np.eye(scale.size)
    right = right / scale
    x = np.zeros(scale.size)
    inside = np.zeros(scale.size, dtype=bool)
    enough = 1e-9 * float(np.max(np.abs(right), initial=0.0))
    for _ in range(3 * scale.size):
        uphill = np.where(inside, -np.inf, right - matrix @ x)
        best = int(np.argmax(uphill))
        if uphill[best] <= enough:
            break
        inside[best] = True
        while inside.any():
            trial = np.zeros(scale.size)
            trial[inside] = np.linalg.solve(matrix[np.ix_(inside, inside)], right[inside])
            falling = inside & (trial <= 0)
            if not falling.any():
                x = trial
                break
            share = np.min(x[falling] / np.maximum(x[falling] - trial[falling], TINY))
            x = x + share * (trial - x)
            inside &= x > 1e-14
            x[~inside] = 0.0
    return x / scale

"""How an intensity fades: not at all, along a line, as an exponential or a stretched one, as BIC prefers.

y = a;  y = a + b·u;  y = a·exp(−u/τ);  y = a·exp(−(u/τ)^β), u the time over the whole time observed.

Where two of them describe the series about as well, they may be far apart in when it fell by a few percent:
the sigma then contains how far.

R. Kohlrausch, Pogg. Ann. Phys. Chem. 91 (1854) 179; G. Schwarz, Ann. Statist. 6 (1978) 461.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.least_squares import Model, covariances, minimise
from analysis.numerics.residuals import bic

Array = NDArray[np.float64]

MIN_POINTS = 8
CONSTANT, LINE, EXPONENTIAL, STRETCHED = "constant", "line", "exponential", "stretched exponential"
STARTS = [(tau, beta) for tau in (0.1, 1.0, 10.0) for beta in (0.5, 1.3)]
MIN_DELTA_BIC = 2.0  # for a third parameter: positive evidence, R. E. Kass, A. E. Raftery, JASA 90 (1995) 773
LEAST_ODDS = 0.15  # against the best, for another to be in the sigma
TAU_LIMITS, BETA_LIMITS = (1e-3, 1e4), (0.1, 10.0)
NEVER = float("inf")


@dataclass(frozen=True)
class Loss:
    """One of the four, fitted. `span` is the time observed, in the unit of the times given.

    params, covariance : of (a, b) or (a, τ/span, β), where β of an exponential is held at one; a constant is
        the line that was fitted beside it, so that what it says of the end has the error of a slope and not
        that of a mean
    """

    kind: str
    span: float
    params: Array
    covariance: Array
    ssr: float
    bic: float
    residuals: Array

    @property
    def decays(self) -> bool:
        return self.kind in (EXPONENTIAL, STRETCHED)

    @property
    def doubt(self) -> float:
        """BIC, and what a third parameter is charged on top."""
        return self.bic + MIN_DELTA_BIC * (self.kind == STRETCHED)

    def curve(self, times: Array) -> Array:
        u = np.asarray(times, float) / self.span
        if self.decays:
            a, tau, beta = self.params
            return np.asarray(a * np.exp(-((u / tau) ** beta)))
        return np.asarray(self.params[0] + self.params[1] * u)

    def retained(self, share: float = 1.0) -> tuple[float, float]:
        """What is left of the first intensity after this share of the time, and its sigma."""
        if self.decays:
            _, tau, beta = self.params
            power = (share / tau) ** beta
            left = float(np.exp(-power))
            slope = np.array([0.0, left * power * beta / tau, -left * power * np.log(share / tau)])
        else:
            a, b = self.params
            left = float(1 + b * share / a)
            slope = np.array([-b * share / a**2, share / a])
        return left, float(np.sqrt(max(slope @ self.covariance @ slope, 0.0)))

    def time_to(self, level: float) -> tuple[float, float]:
        """When this share of the first intensity was left, and its sigma; NEVER, 0 if not while observed."""
        if self.decays:
            _, tau, beta = self.params
            depth = -np.log(level)
            u = float(tau * depth ** (1 / beta))
            slope = np.array([0.0, u / tau, -u * np.log(depth) / beta**2])
        else:
            a, b = self.params
            if b >= 0:
                return NEVER, 0.0
            u = float((level - 1) * a / b)
            slope = np.array([u / a, -u / b])
        if u > 1:
            return NEVER, 0.0
        return u * self.span, self.span * float(np.sqrt(max(slope @ self.covariance @ slope, 0.0)))


def fit_losses(times: Array, y: Array) -> list[Loss]:
    """All that could be fitted, the one to believe first: the lowest BIC, and a stretched exponential only if
    it is lower by MIN_DELTA_BIC, for otherwise it would now and then follow the noise at the end.

    times : (N,) from 0 on, increasing, N ≥ MIN_POINTS
    y : (N,) of the order of one, noise the same everywhere
    """
    span = float(times[-1])
    u = times / span
    line = _line(u, y, span)
    decays = (_decay(u, y, span, kind) for kind in (EXPONENTIAL, STRETCHED))
    found = [_constant(y, line), line, *(loss for loss in decays if loss is not None)]
    return sorted(found, key=lambda loss: loss.doubt)


def retained(losses: Sequence[Loss]) -> tuple[float, float]:
    """By the first of them; the sigma holds what the others say that are about as credible."""
    return _of_the_first(losses, lambda loss: loss.retained())


def time_to(losses: Sequence[Loss], level: float) -> tuple[float, float]:
    """Likewise; NEVER, 0 if not while observed."""
    return _of_the_first(losses, lambda loss: loss.time_to(level))


def _of_the_first(losses: Sequence[Loss], of: Callable[[Loss], tuple[float, float]]) -> tuple[float, float]:
    odds = np.exp([(losses[0].doubt - loss.doubt) / 2 for loss in losses])
    value, sigma = of(losses[0])
    if value == NEVER:
        return value, sigma
    told = np.array([of(loss)[0] for loss in losses])
    credible = (odds >= LEAST_ODDS) & (told < NEVER)
    spread = odds[credible] @ (told[credible] - value) ** 2 / odds[credible].sum()
    return value, float(np.hypot(sigma, np.sqrt(spread)))


def _line(u: Array, y: Array, span: float) -> Loss:
    columns = np.stack([np.ones_like(u), u])
    inverse = np.linalg.inv(columns @ columns.T)
    params = inverse @ (columns @ y)
    residuals = y - params @ columns
    ssr = _ssr(residuals, y)
    covariance = inverse * ssr / (y.size - 2)
    return Loss(LINE, span, params, covariance, ssr, bic(ssr, y.size, 2), residuals)


def _constant(y: Array, line: Loss) -> Loss:
    ssr = _ssr(y - y.mean(), y)
    return Loss(
        CONSTANT, line.span, line.params, line.covariance, ssr, bic(ssr, y.size, 1), np.asarray(y - y.mean())
    )


def _decay(u: Array, y: Array, span: float, kind: str) -> Loss | None:
    """None where the data do not determine it."""
    free = 3 if kind == STRETCHED else 2
    start = np.array([[y[0], tau, beta if free == 3 else 1.0] for tau, beta in STARTS])[:, :free]
    lower = np.broadcast_to([-np.inf, TAU_LIMITS[0], BETA_LIMITS[0]][:free], start.shape)
    upper = np.broadcast_to([np.inf, TAU_LIMITS[1], BETA_LIMITS[1]][:free], start.shape)
    model = _model(u, free)
    minima = minimise(model, np.tile(y, (len(start), 1)), start, lower, upper, max_iterations=60)
    usable = minima.converged & ~minima.at_bound.any(axis=1)
    if not usable.any():
        return None
    best = int(np.argmin(np.where(usable, minima.ssr, np.inf)))
    fitted = minima.params[best]
    errors = covariances(model, y[None], fitted[None])
    residuals = errors.residuals[0]
    if not np.all(np.isfinite(errors.classical[0])) or np.any(np.diag(errors.classical[0]) <= 0):
        return None
    params, covariance = np.ones(3), np.zeros((3, 3))
    params[:free], covariance[:free, :free] = fitted, errors.classical[0]
    ssr = _ssr(residuals, y)
    return Loss(kind, span, params, covariance, ssr, bic(ssr, y.size, free), residuals)


def _model(u: Array, free: int) -> Model:
    safe = np.maximum(u, 1e-12)  # 0 to any power is 0, and its logarithm is not needed

    def model(params: Array) -> tuple[Array, Array]:
        a, tau = params[:, :1], params[:, 1:2]
        beta = params[:, 2:] if free == 3 else 1.0
        logarithm = np.log(safe / tau)
        power = np.minimum(np.exp(np.minimum(beta * logarithm, 50.0)), 700.0)
        left = np.exp(-power)
        curve = a * left
        by_tau = curve * power * beta / tau
        by_beta = -curve * power * logarithm
        return curve, np.stack([left, by_tau, by_beta][:free], axis=1)

    return model


def _ssr(residuals: Array, y: Array) -> float:
    """Never zero: an exact series still has the rounding of its numbers."""
    return float(residuals @ residuals) + y.size * (np.finfo(float).eps * float(np.abs(y).max())) ** 2

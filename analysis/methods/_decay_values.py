"""What a fitted decay says about a sample, each number with its sigma from the full covariance.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from analysis.methods._decay_words import Fit
from analysis.methods.base import Array, Result
from analysis.numerics.propagation import linear


def values(fit: Fit) -> tuple[Result, ...]:
    return _of_stretched(fit) if fit.components == 0 else _of_exponentials(fit)


def of_one_pulse(fit: Fit, period_ns: float) -> Fit:
    """Amplitudes without the light of all earlier pulses: Σ exp(−(t + kT)/τ) = exp(−t/τ) / (1 − exp(−T/τ)).

    What remains of a stretched exponential is no stretched exponential, so that one is left as it is.
    """
    n = fit.components
    if n == 0 or not np.isfinite(period_ns):
        return fit
    periods = period_ns / fit.taus
    share = -np.expm1(-periods)
    turned = np.eye(fit.params.size)
    place = np.arange(n)
    turned[2 + place, 2 + place] = share
    turned[2 + place, 2 + n + place] = -fit.amplitudes * periods * np.exp(-periods)
    params = fit.params.copy()
    params[2 : 2 + n] *= share
    return replace(fit, params=params, covariance=turned @ fit.covariance @ turned.T)


def _of_exponentials(fit: Fit) -> tuple[Result, ...]:
    n = fit.components

    def shapes(params: Array) -> tuple[Array, Array]:
        return params[2 : 2 + n], np.exp(params[2 + n :])

    def everything(params: Array) -> Array:
        a, tau = shapes(params)
        light = a * tau
        means = (light.sum() / a.sum(), light @ tau / light.sum(), one_over_e(a, tau))
        return np.concatenate([tau, a, a / a.sum(), light / light.sum(), means])

    found, covariance = linear(everything, fit.params, fit.covariance)
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0))
    keys = ["trpl_lifetime", "trpl_amplitude"]
    if n > 1:
        keys += ["trpl_amplitude_share", "trpl_intensity_share"]
    made = [
        Result(key, float(found[row * n + i]), float(sigma[row * n + i]), str(i + 1))
        for row, key in enumerate(keys)
        for i in range(n)
    ]
    for at, key in enumerate(("trpl_tau_amp", "trpl_tau_int", "trpl_one_over_e_time")):
        made.append(Result(key, float(found[4 * n + at]), float(sigma[4 * n + at])))
    return tuple(made)


def _of_stretched(fit: Fit) -> tuple[Result, ...]:
    """⟨τ⟩ = (τ/β) Γ(1/β) by amplitude and τ Γ(2/β)/Γ(1/β) by intensity; 1/e at τ itself."""

    def everything(params: Array) -> Array:
        tau, beta = math.exp(params[3]), float(params[4])
        by_amplitude = tau / beta * math.gamma(1 / beta)
        by_light = tau * math.exp(math.lgamma(2 / beta) - math.lgamma(1 / beta))
        return np.array([tau, beta, params[2], by_amplitude, by_light, tau])

    found, covariance = linear(everything, fit.params, fit.covariance)
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0))
    keys = (
        ("trpl_stretched_lifetime", ""), ("trpl_stretching_exponent", ""), ("trpl_amplitude", ""),
        ("trpl_tau_amp", ""), ("trpl_tau_int", ""), ("trpl_one_over_e_time", ""),
    )  # fmt: skip
    return tuple(
        Result(key, float(value), float(error), component)
        for (key, component), value, error in zip(keys, found, sigma, strict=True)
        if not (key == "trpl_amplitude" and error == 0)
    )


def one_over_e(amplitudes: Array, taus: Array) -> float:
    """When the sum of exponentials has fallen to 1/e of its start."""
    aim = float(amplitudes.sum()) / math.e
    return _falling(lambda t: float(amplitudes @ np.exp(-t / taus)) - aim, float(taus.max()))


def _falling(function: Callable[[float], float], scale: float) -> float:
    """Where a falling function is zero, by bisection."""
    low, high = 0.0, scale
    while function(high) > 0:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if function(middle) > 0:
            low = middle
        else:
            high = middle
        if high - low <= 1e-14 * high:
            break
    return (low + high) / 2

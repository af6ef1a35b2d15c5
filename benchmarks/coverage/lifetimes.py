"""Decays in closed form: exponentials behind a Gaussian response, counted photon by photon."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf, erfcx, gammainc

from benchmarks.coverage.simulating import Case, Given, Key
from measurements.data import Array, Axis, Dataset, Signal

IRF_AT, PULSE_AT, IRF_SIGMA = 6.0, 8.0, 0.6
STEP_NS = 0.2
T_NS: Array = STEP_NS * np.arange(700, dtype=np.float64)
IRF_NS: Array = STEP_NS * np.arange(100, dtype=np.float64)


def dataset(y: Array, t: Array) -> Dataset:
    return Dataset(Signal("counts", "counts", np.asarray(y, float)), (Axis("time", "ns", t),))


def running(t: Array, tau: float, at: float = PULSE_AT, sigma: float = IRF_SIGMA) -> Array:
    """∫ up to t of the Gaussian of area one convolved with exp(−t/τ): (erf-step) − τ·(the convolution)."""
    u = np.asarray(t) - at
    z = (sigma / tau - u / sigma) / math.sqrt(2)
    early = np.exp(-0.5 * np.square(u / sigma)) * erfcx(np.maximum(z, -5))
    late = np.exp(sigma**2 / (2 * tau**2) - u / tau) * 2
    curve = np.where(z > -5, early, late) / 2
    return np.asarray(tau * ((1 + erf(u / sigma / math.sqrt(2))) / 2 - curve))


def pulse(t: Array, at: float) -> Array:
    """∫ up to t of the Gaussian of area one."""
    return np.asarray((1 + erf((t - at) / IRF_SIGMA / math.sqrt(2))) / 2)


def edges_of(t: Array) -> Array:
    """Of the channels: each holds the difference of a running total at its two."""
    step = float(t[1] - t[0])
    return np.append(t - step / 2, t[-1] + step / 2)


def exponentials(
    amplitudes: Sequence[float], taus: Sequence[float], peak: float, prompt: float = 0.0, t: Array = T_NS
) -> tuple[Array, float]:
    """The curve, and how many counts a channel an amplitude of one is. prompt : the share of the light that
    comes with the pulse itself."""
    lit = np.zeros(t.size)
    for a, tau in zip(amplitudes, taus, strict=True):
        lit += a * np.diff(running(edges_of(t), tau))
    flash = np.diff(pulse(edges_of(t), PULSE_AT))
    light = float(np.dot(amplitudes, taus)) * prompt / (1 - prompt)
    curve = lit + light * flash
    scale = peak / float(np.max(curve))
    return np.asarray(curve * scale), scale * float(t[1] - t[0])


def response(rng: np.random.Generator | None = None, peak: float = 1e6) -> Dataset:
    y = np.diff(pulse(edges_of(IRF_NS), IRF_AT))
    y *= peak / y.max()
    return dataset(y if rng is None else rng.poisson(y + 1).astype(float), IRF_NS)


def truth(amplitudes: Sequence[float], taus: Sequence[float], unit: float) -> dict[Key, float]:
    """unit : counts a channel that an amplitude of one is, without the pulse's width: at t₀."""
    a, tau = np.array(amplitudes), np.array(taus)
    share, light = a / a.sum(), a * tau
    fallen = brentq(lambda t: float(share @ np.exp(-t / tau)) - 1 / math.e, 0, 10 * tau.max(), xtol=1e-12)
    planted = {
        ("trpl_tau_amp", ""): light.sum() / a.sum(),
        ("trpl_tau_int", ""): float(light @ tau) / light.sum(),
        ("trpl_one_over_e_time", ""): fallen,
    }
    for i in range(a.size):
        planted["trpl_lifetime", str(i + 1)] = tau[i]
        planted["trpl_amplitude", str(i + 1)] = a[i] * unit
        if a.size > 1:
            planted["trpl_amplitude_share", str(i + 1)] = share[i]
            planted["trpl_intensity_share", str(i + 1)] = light[i] / light.sum()
    return {key: float(value) for key, value in planted.items()}


def of_exponentials(
    name: str,
    amplitudes: Sequence[float],
    taus: Sequence[float],
    *,
    peak: float,
    prompt: float = 0.0,
    background: float = 2.0,
    t: Array = T_NS,
    averaged: float = 0.0,
    counted_response: float = 0.0,
    **params: object,
) -> Case:
    """averaged : sweeps that were averaged after their background was taken off, 0 for plain counts
    counted_response : its highest channel, 0 for one without noise"""
    curve, unit = exponentials(amplitudes, taus, peak, prompt, t)
    sweeps = averaged or 1.0

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        y = rng.poisson(curve + background).astype(float)
        y = (y - background) / averaged if averaged else y
        seen = response(rng, counted_response) if counted_response else response()
        return {"sample": dataset(y, t), "irf": seen}

    return Case("trpl", name, simulate, truth(amplitudes, taus, unit / sweeps), params)


def tail(
    name: str, amplitudes: Sequence[float], taus: Sequence[float], peak: float, **params: object
) -> Case:
    """Without a response, from a pulse that is short beside a channel. What amplitudes weigh is of the
    highest channel, which noise picks among the first ones."""
    t = 0.5 * np.arange(600, dtype=np.float64)
    lit = np.zeros(t.size)
    for a, tau in zip(amplitudes, taus, strict=True):
        lit += np.where(t >= 10, a * np.exp(-np.maximum(t - 10, 0) / tau), 0)
    curve = peak * lit / sum(amplitudes) + 3.0

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        return {"sample": dataset(rng.poisson(curve).astype(float), t)}

    def planted(given: Given) -> dict[Key, float]:
        assert isinstance(given, Mapping)
        late = float(t[np.argmax(given["sample"].signal.values)]) - 10
        left = [a * math.exp(-late / tau) for a, tau in zip(amplitudes, taus, strict=True)]
        return truth(left, taus, peak / sum(amplitudes))

    at_first = truth(amplitudes, taus, peak / sum(amplitudes))
    return Case("trpl", name, simulate, at_first, params, truth_of=planted)


def stretched(
    name: str, tau: float, beta: float, peak: float, behind_a_pulse: bool, **params: object
) -> Case:
    t = 0.5 * np.arange(600, dtype=np.float64)
    step = 0.5
    fine = 50  # points a channel: their mean is its integral
    if behind_a_pulse:
        at = step / fine * (np.arange(fine * t.size) + 0.5) - step / 2
        late = np.maximum(at - 10, 0)
        edges = np.concatenate([[0.0], late + step / fine / 2])
        gained = np.diff(np.array([_of_stretched(edge, tau, beta) for edge in edges]))
        pulse = np.exp(-0.5 * (np.arange(-300, 301) * step / fine / 0.6) ** 2)
        smeared = np.convolve(np.where(at > 10, gained, 0), pulse / pulse.sum(), mode="same")
        lit = smeared.reshape(t.size, fine).sum(axis=1) / step
    else:
        lit = np.where(t >= 10, np.exp(-((np.maximum(t - 10, 0) / tau) ** beta)), 0)
    scale = peak / float(lit.max())
    curve = scale * lit + 5
    seen = response()

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        given = {"sample": dataset(rng.poisson(curve).astype(float), t)}
        return given | ({"irf": seen} if behind_a_pulse else {})

    planted = {
        ("trpl_stretched_lifetime", ""): tau,
        ("trpl_stretching_exponent", ""): beta,
        ("trpl_amplitude", ""): scale,
        ("trpl_tau_amp", ""): tau / beta * math.gamma(1 / beta),
        ("trpl_tau_int", ""): tau * math.gamma(2 / beta) / math.gamma(1 / beta),
        ("trpl_one_over_e_time", ""): tau,
    }
    return Case("trpl", name, simulate, planted, {"model": "stretched"} | params)


def _of_stretched(t: float, tau: float, beta: float) -> float:
    """∫₀ᵗ exp(−(t/τ)^β) = (τ/β) γ(1/β, (t/τ)^β)."""
    return float(tau / beta * math.gamma(1 / beta) * gammainc(1 / beta, (t / tau) ** beta))


CASES = (
    of_exponentials("one exponential, 300 counts", (1,), (12,), peak=300),
    of_exponentials("one exponential, 3·10³ counts", (1,), (12,), peak=3e3),
    of_exponentials("two, asked for", (0.6, 0.4), (4, 20), peak=3e3, model="2"),
    of_exponentials("two, chosen by BIC", (0.6, 0.4), (4, 20), peak=3e3),
    of_exponentials("two, a response of 10⁵ counts", (0.6, 0.4), (4, 20), peak=3e3, counted_response=1e5),
    of_exponentials("two, average of 25 sweeps", (0.6, 0.4), (4, 20), peak=2e4, background=40, averaged=25),
    of_exponentials("three, chosen by BIC", (0.6, 0.3, 0.1), (1.5, 7, 30), peak=1e5),
    of_exponentials("one and 3 % scattered light", (1,), (12,), peak=1e4, prompt=0.03),
    of_exponentials("one and 10 % scattered light", (1,), (12,), peak=1e4, prompt=0.1),
    of_exponentials("two and 10 % scattered light", (0.6, 0.4), (4, 20), peak=1e4, prompt=0.1),
    tail("tail, one exponential", (1,), (25,), 2e3),
    tail("tail, two, chosen by BIC", (0.6, 0.4), (8, 45), 5e3),
    stretched("stretched, tail, β 0.65", 30, 0.65, 3e3, False),
    stretched("stretched, tail, β 0.5", 15, 0.5, 3e3, False),
    stretched("stretched, reconvolved", 30, 0.65, 3e3, True),
)

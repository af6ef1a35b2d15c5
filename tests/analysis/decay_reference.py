"""Decays with planted truth, made without any of the code that is tested: closed forms and seeded photons."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, Signal

STEP_NS = 0.05
T_NS = STEP_NS * np.arange(4096)
IRF_SIGMA_NS = 0.15
IRF_AT_NS = 4.0


def decay(
    y: Array, t: Array | None = None, *, unit: str = "ns", conditions: dict[str, Quantity] | None = None
) -> Dataset:
    t = T_NS[: y.size] if t is None else t
    return Dataset(
        Signal("counts", "counts", np.asarray(y, float)),
        (Axis("time", unit, np.asarray(t, float)),),
        conditions=conditions or {},
    )


def expected(
    taus: Sequence[float] = (5.0, 30.0),
    amplitudes: Sequence[float] = (0.7, 0.3),
    *,
    peak: float = 1e4,
    background: float = 2.0,
    t: Array = T_NS,
    at: float = 5.0,
    sigma: float = IRF_SIGMA_NS,
) -> Array:
    """Exponentials convolved with a Gaussian, in closed form, scaled to their highest channel.

    exp(s²/2τ² − u/τ) erfc((s/τ − u/s)/√2)/2, u = t − t₀; averaged over a channel by Simpson's rule.
    """

    def sampled(times: Array) -> Array:
        total = np.zeros(times.size)
        u = times - at
        for tau, amplitude in zip(taus, amplitudes, strict=True):
            steep = (sigma / tau - u / sigma) / math.sqrt(2)
            erfc = np.array([math.erfc(min(x, 25.0)) for x in steep])
            total += amplitude / 2 * np.exp(np.minimum(sigma**2 / (2 * tau**2) - u / tau, 600)) * erfc
        return total

    step = float(t[1] - t[0])
    curve = (sampled(t - step / 2) + 4 * sampled(t) + sampled(t + step / 2)) / 6
    return np.asarray(curve / curve.max() * peak + background)


def photons(curve: Array, seed: int = 1) -> Array:
    return np.random.default_rng(seed).poisson(curve).astype(float)


def irf(
    step: float = STEP_NS, *, points: int = 0, peak: float = 1e6, background: float = 1.0, seed: int = 2
) -> Dataset:
    """A Gaussian, counted, on a grid of its own."""
    t = step * np.arange(points or round(40 / step))
    half = step / 2 / IRF_SIGMA_NS / math.sqrt(2)
    z = (t - IRF_AT_NS) / IRF_SIGMA_NS / math.sqrt(2)
    area = np.array([math.erf(x + half) - math.erf(x - half) for x in z])
    return decay(photons(peak * area / area.max() + background, seed), t)

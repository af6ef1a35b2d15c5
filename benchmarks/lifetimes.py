"""Reconvolution of a 4 096-channel decay with three exponentials: ours beside scipy's and lmfit's.

    .venv/bin/python -m benchmarks lifetimes

Same photons, same response, same starting point; interleaved in one run. Theirs is written as it usually is:
the response convolved with sampled exponentials by FFT, a shift by interpolation, derivatives by differences,
weights 1/y. Ours finds its own start and maximises the likelihood of the counts. Fails if the lifetimes do
not agree within a fifth of their standard errors, or with the truth within four: speed with other numbers is
no speed.
"""

from __future__ import annotations

import math

import lmfit
import numpy as np
from scipy.optimize import least_squares
from scipy.signal import fftconvolve

from analysis.methods import trpl
from analysis.methods._decay_problems import reconvolution
from analysis.methods._decay_response import response
from analysis.methods._decays import decay
from analysis.numerics.counting import most_likely
from analysis.numerics.decays import decay as curve_of
from analysis.numerics.decays import exponential
from benchmarks.measuring import interleaved, table
from measurements.data import Array, Axis, Dataset, Signal

CHANNELS, STEP_NS = 4096, 0.05
TAUS_NS, AMPLITUDES = (1.0, 6.0, 40.0), (5000.0, 3000.0, 2000.0)
BACKGROUND = 2.0
ROUNDS = 15
T_NS = STEP_NS * np.arange(CHANNELS)
TRUE = np.array([1.0, BACKGROUND, *AMPLITUDES, *TAUS_NS])
START = np.array([0.9, 1.0, 3000.0, 3000.0, 3000.0, 0.6, 4.0, 60.0])
OURS = "Vitrine, whole method: own start, likelihood, errors"
KERNEL = "Vitrine, from the same start"


def response_counts() -> Array:
    pulse = 1e6 * np.exp(-0.5 * ((T_NS - 4.0) / 0.15) ** 2)
    return np.random.default_rng(2).poisson(pulse + 1).astype(float)


def dataset(y: Array) -> Dataset:
    return Dataset(Signal("counts", "counts", y), (Axis("time", "ns", T_NS),))


def photons() -> Array:
    """From a response eight times finer than a channel, so that nobody's own grid made them."""
    fine = STEP_NS / 8 * np.arange(8 * CHANNELS)
    pulse = np.exp(-0.5 * ((fine - 4.0) / 0.15) ** 2)
    light = sum(a * np.exp(-fine / tau) for a, tau in zip(AMPLITUDES, TAUS_NS, strict=True))
    curve = fftconvolve(pulse / pulse.sum(), light)[: fine.size]
    late = np.interp(fine - 1.0, fine, curve, left=0.0)
    return np.random.default_rng(1).poisson(late.reshape(-1, 8).mean(axis=1) + BACKGROUND).astype(float)


class Usual:
    """The model as it is usually written."""

    def __init__(self, irf: Array) -> None:
        pulse = np.where(np.abs(T_NS - 4.0) < 1.0, irf - np.median(irf), 0.0)
        self.irf = pulse / pulse.sum()

    def __call__(self, p: Array) -> Array:
        shift, background, *rest = p
        light = sum(a * np.exp(-T_NS / tau) for a, tau in zip(rest[:3], rest[3:], strict=True))
        moved = np.interp(T_NS - shift, T_NS, self.irf, left=0.0, right=0.0)
        return np.asarray(fftconvolve(moved, light)[:CHANNELS] + background)


def by_scipy(model: Usual, y: Array) -> Array:
    weight = 1 / np.sqrt(np.maximum(y, 1))
    low = [-2, 0, 0, 0, 0, 0.02, 0.02, 0.02]
    high = [4, 1e3, 1e6, 1e6, 1e6, 2e3, 2e3, 2e3]
    return np.asarray(
        least_squares(lambda p: (model(p) - y) * weight, START, bounds=(low, high), x_scale=START).x
    )


def by_lmfit(model: Usual, y: Array) -> Array:
    weight = 1 / np.sqrt(np.maximum(y, 1))
    params = lmfit.Parameters()
    for place, value in enumerate(START):
        params.add(f"p{place}", value, min=-2 if place == 0 else 0 if place < 5 else 0.02)

    def residual(given: lmfit.Parameters) -> Array:
        return (model(np.array([given[f"p{n}"].value for n in range(8)])) - y) * weight

    found = lmfit.minimize(residual, params)
    return np.array([found.params[f"p{n}"].value for n in range(8)])


def by_scipy_likelihood(model: Usual, y: Array, start: Array) -> Array:
    """Signed roots of the deviance as residuals, so that least squares maximises the likelihood."""
    log_y = np.log(np.maximum(y, 1))

    def roots(p: Array) -> Array:
        curve = np.maximum(model(p), 1e-9)
        parts = curve - y + y * (log_y - np.log(curve))
        return np.sign(y - curve) * np.sqrt(2 * np.maximum(parts, 0))

    return np.asarray(least_squares(roots, start, x_scale=np.abs(start), xtol=1e-12, ftol=1e-14).x)


def main() -> str:
    y, irf = photons(), response_counts()
    inputs, params = {"sample": dataset(y), "irf": dataset(irf)}, trpl.Params(model="3")
    data = decay(inputs["sample"])
    seen, _ = response(inputs["irf"], data)
    problem, _ = reconvolution(data, seen, params)
    model = curve_of(problem.seen, exponential, 3)
    start = np.concatenate([START[:5], np.log(START[5:])])
    low = np.array([-2.0, 1e-6, 0, 0, 0, *[math.log(0.02)] * 3])
    high = np.array([4.0, 1e3, 1e6, 1e6, 1e6, *[math.log(2e3)] * 3])
    usual = Usual(irf)

    medians = interleaved(
        {
            "lmfit, weights 1/y, derivatives by differences": lambda: by_lmfit(usual, y),
            "scipy least_squares, the same": lambda: by_scipy(usual, y),
            KERNEL: lambda: most_likely(model, y, start, low, high),
            OURS: lambda: trpl.run(inputs, params),
        },
        ROUNDS,
    )
    said = [table(medians, OURS), ""]

    outcome = trpl.run(inputs, params)
    ours = {(r.property, r.component): (r.value, r.sigma) for r in outcome.values}
    taus = np.array([ours["trpl_lifetime", str(n)] for n in (1, 2, 3)])
    theirs = np.sort(by_scipy_likelihood(usual, y, by_scipy(usual, y))[5:])
    same = np.sort(np.exp(most_likely(model, y, start, low, high).params[5:]))
    said.append(
        f"Lifetimes {', '.join(f'{tau:.3f} ± {sigma:.3f}' for tau, sigma in taus)} ns, planted {TAUS_NS}."
    )
    for name, other in (("scipy, likelihood", theirs), ("our kernel", same)):
        far = float(np.abs((other - taus[:, 0]) / taus[:, 1]).max())
        said.append(f"Largest difference to {name}: {far:.2g} standard errors.")
        if far > 0.2:
            raise SystemExit("The lifetimes do not agree.")
    if np.abs((taus[:, 0] - TAUS_NS) / taus[:, 1]).max() > 4:
        raise SystemExit("The lifetimes are not those that were planted.")
    if medians[OURS] > 0.05:
        said.append(f"{1000 * medians[OURS]:.0f} ms are more than the 50 that were aimed at.")
    return "\n".join(said)


if __name__ == "__main__":
    print(main())

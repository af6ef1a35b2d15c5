"""Exponentials under one decay: from where a fit starts, which of several is believed, and its errors.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.methods._decay_starts import LEAST_SHARE, spectrum_start, split_start, with_taus
from analysis.methods._decay_words import Fit, Problem
from analysis.methods.base import Array, MethodError
from analysis.numerics.counting import Optimum, most_likely
from analysis.numerics.decays import Kernel, decay, exponential, stretched

MOST = 4
BIC_GAIN = 10.0
SIGMAS = 3.0
CLOSEST = 1.15  # neighbouring lifetimes nearer than this are one
BETA = (0.15, 2.0)


def fit(problem: Problem, model: str, prompt: bool = False) -> tuple[Fit, list[Fit], str]:
    """The fit that is believed, those it was chosen from, and why, in words.

    model : "auto", "1" to "4" or "stretched"
    prompt : beside others, a component as short as can be is taken for light of the pulse itself
    """
    if model == "stretched":
        only = _stretched(problem)
        return only, [only], "asked for"
    if model != "auto":
        only = _exponentials(problem, int(model), None)
        return only, [only], "asked for"
    best = _exponentials(problem, 1, None)
    tried, why = [best], "more would not be told apart"
    for count in range(2, MOST + 1):
        more = _exponentials(problem, count, best)
        tried.append(more)
        if best.bic - more.bic <= BIC_GAIN:
            why = f"BIC falls by {best.bic - more.bic:.1f} with {count}, {BIC_GAIN:g} are asked"
            break
        if doubt := unsound(more, prompt):
            why = f"of {count}, {doubt}"
            break
        best, why = more, f"BIC is {best.bic - more.bic:.0f} below that of {count - 1}"
    return best, tried, why


def unsound(fit: Fit, prompt: bool) -> str:
    """Why a component is not to be believed; empty when all are."""
    if not np.all(np.isfinite(fit.covariance)) or not fit.converged:
        return "the data do not determine every parameter"
    if on_a_limit(fit, prompt):
        return "a parameter sits on a limit"
    weak = [i for i, a in enumerate(fit.amplitudes) if a < SIGMAS * fit.sigma(2 + i)]
    if weak and fit.components != 0:
        return "an amplitude is within three standard errors of zero"
    shares = fit.amplitudes * fit.taus / (fit.amplitudes @ fit.taus)
    if shares.min() < LEAST_SHARE:
        return "a component holds less than a ten-thousandth of the light"
    if fit.components > 1 and np.min(fit.taus[1:] / fit.taus[:-1]) < CLOSEST:
        return "two lifetimes are the same"
    return ""


def on_a_limit(fit: Fit, prompt: bool) -> bool:
    """Whether a component is, but for the shortest lifetime of several where that may be the pulse itself: it
    has no error, so it must then be left out of what is reported."""
    limits = fit.at_bound[2:].copy()
    if fit.components > 1 and prompt:
        limits[fit.components] = False
    return bool(limits.any())


def without_the_shortest(fit: Fit) -> Fit:
    """For what follows from the others; curve and residuals stay those of all."""
    n = fit.components
    kept = np.delete(np.arange(fit.params.size), [2, 2 + n])
    return replace(
        fit,
        components=n - 1,
        params=fit.params[kept],
        covariance=fit.covariance[np.ix_(kept, kept)],
        at_bound=fit.at_bound[kept],
    )


def _exponentials(problem: Problem, count: int, before: Fit | None) -> Fit:
    starts = [spectrum_start(problem, count)]
    if before is not None:
        starts.append(split_start(problem, before))
    found = [_run(problem, exponential, count, start) for start in starts]
    if before is None and (found[0].at_bound[2:].any() or not found[0].converged):
        spread = np.geomspace(3 * problem.tau[0], problem.tau[1] / 30, count + 2)[1:-1]
        found.append(_run(problem, exponential, count, with_taus(problem, spread)))
    return min(found, key=lambda each: each.deviance)


def _stretched(problem: Problem) -> Fit:
    tau = spectrum_start(problem, 1)[3]
    amplitude = spectrum_start(problem, 1)[2]
    found = [
        _run(
            problem,
            stretched,
            0,
            np.array([problem.t0[0], problem.background[0], amplitude / beta, tau + np.log(beta), beta]),
        )
        for beta in (0.45, 0.75, 1.0)
    ]
    return min(found, key=lambda each: each.deviance)


def _run(problem: Problem, kernel: Kernel, components: int, start: Array) -> Fit:
    count = max(components, 1)
    noise = problem.noise
    model = decay(problem.seen, kernel, count)
    counts = (problem.y + noise.pedestal) / noise.gain
    scale = np.ones(start.size)
    scale[1 : 2 + count] = noise.gain
    offset = np.zeros(start.size)
    offset[1] = noise.pedestal
    lower, upper = _limits(problem, components, start.size)
    begin, lower, upper = ((each + offset) / scale for each in (start, lower, upper))
    if noise.weights is None:
        lower[1] = max(lower[1], 0.01 / counts.size)
        upper[1] = max(upper[1], lower[1])
    done = most_likely(model, counts, begin, lower, upper, weights=noise.weights)
    variance = done.curve if noise.weights is None else 1 / noise.weights
    residuals = (counts - done.curve) / np.sqrt(variance)
    free = int(((lower < upper) & ~done.at_bound).sum())
    chi2 = float(residuals @ residuals) / max(counts.size - free, 1)
    made = Fit(
        components,
        done.params * scale - offset,
        _covariance(problem, done, model(done.params)[1], variance, count) * np.outer(scale, scale),
        done.curve * noise.gain - noise.pedestal,
        residuals,
        chi2,
        done.deviance + free * float(np.log(counts.size)),
        done.converged,
        done.at_bound,
        free,
        done.deviance,
    )
    return _sorted(made)


def _limits(problem: Problem, components: int, size: int) -> tuple[Array, Array]:
    count = max(components, 1)
    lower, upper = np.zeros(size), np.zeros(size)
    lower[0], upper[0] = problem.t0[1:]
    lower[1], upper[1] = problem.background[1:]
    top = float(np.max(problem.y)) + problem.noise.pedestal
    lower[2 : 2 + count], upper[2 : 2 + count] = 0.0, 1e5 * top
    if problem.amplitude is not None:
        lower[2 : 2 + count] = upper[2 : 2 + count] = problem.amplitude
    lower[2 + count :], upper[2 + count :] = np.log(problem.tau)
    if components == 0:
        lower[-1], upper[-1] = BETA
    return lower, upper


def _covariance(problem: Problem, done: Optimum, jacobian: Array, variance: Array, count: int) -> Array:
    """Of the parameters, from how far each channel's noise moves them; what was held from the data adds its
    own: the amplitude the noise of the highest channel, the background that of the channels before."""
    influence = done.influence.copy()
    by_background = jacobian[1].copy()
    if problem.amplitude is not None:
        influence[:, problem.peak_at] -= done.influence @ jacobian[2]
        by_background -= jacobian[2]
    covariance = (influence * variance) @ influence.T
    moved = done.influence @ by_background * (problem.background_sigma / problem.noise.gain)
    return np.asarray(covariance + np.outer(moved, moved))


def _sorted(fit: Fit) -> Fit:
    """Shortest lifetime first."""
    if fit.components < 2:
        return fit
    order = np.argsort(fit.taus)
    n = fit.components
    places = np.concatenate([[0, 1], 2 + order, 2 + n + order])
    return replace(
        fit,
        params=fit.params[places],
        covariance=fit.covariance[np.ix_(places, places)],
        at_bound=fit.at_bound[places],
    )


def determined(fit: Fit, longest: float, prompt: bool) -> Fit:
    """The fit, or MethodError when no lifetime can be had from it."""
    if fit.at_bound[2 + max(fit.components, 1) :].any() and fit.components < 2:
        if fit.taus[0] < 1e-2 * longest:
            raise MethodError(
                "The decay is over as soon as the response: no lifetime can be told. Was the response itself "
                "measured here, or only scattered light?"
            )
        raise MethodError("The decay does not fall within the time that was watched. Measure longer.")
    if on_a_limit(fit, prompt):
        raise MethodError("A parameter sits on a limit: the data hold fewer components. Ask for fewer.")
    if not np.all(np.isfinite(fit.covariance)):
        raise MethodError(
            "The data do not determine every parameter of this model. Ask for fewer components, or measure "
            "longer."
        )
    if not fit.converged:
        raise MethodError("The fit did not settle. Ask for fewer components, or narrow the range.")
    return fit

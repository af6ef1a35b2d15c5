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
from analysis.numerics.decays import Convolver, Kernel, decay, exponential, stretched

MOST = 4
BIC_GAIN = 10.0
SIGMAS = 3.0
MISFIT_SIGMAS = 6.0  # of χ²ᵣ, above which the residual is more than noise
CLOSEST = 1.15  # neighbouring lifetimes nearer than this are one
PROMPT = 0.3  # of the response's width at half height: a shorter lifetime may be scattered light
PROMPT_SIGMAS, LEAST = 3.0, 0.15  # so far above this share of that width it is emission all the same
BETA = (0.15, 2.0)


def fit(problem: Problem, model: str, prompt: bool = False) -> tuple[Fit, list[Fit], str]:
    """The fit that is believed, those it was chosen from, and why, in words.

    model : "auto", "1" to "4" or "stretched"
    prompt : beside others, a component as short as the pulse is fitted as light of the pulse itself
    """
    if model == "stretched":
        only = _stretched(problem)
        return only, [only], "asked for"
    if model != "auto":
        only = _exponentials(problem, int(model), None)
        return (_asked_beside_a_flash(problem, only) if prompt else only), [only], "asked for"
    best = _exponentials(problem, 1, None)
    tried, why = [best], "more would not be told apart"
    for count in range(2, MOST + 1):
        more = _exponentials(problem, best.components + 1, best)
        if prompt and best.flash is None and may_be_prompt(problem, more) and not is_told(problem, more):
            more = _exponentials(problem, best.components, best, flash=True)
        tried.append(more)
        if best.bic - more.bic <= BIC_GAIN:
            why = f"BIC falls by {best.bic - more.bic:.1f} with {count}, {BIC_GAIN:g} are asked"
            break
        if doubt := unsound(more):
            why = f"of {count}, {doubt}"
            break
        best, why = more, f"BIC is {best.bic - more.bic:.0f} below that of {count - 1}"
    return best, tried, why


def _asked_beside_a_flash(problem: Problem, plain: Fit) -> Fit:
    """As many lifetimes as were asked for beside light of the pulse, where that is what they alone do not
    explain; one fewer where the shortest of them is that light."""
    short = may_be_prompt(problem, plain) and not is_told(problem, plain)
    if (not short and is_noise(plain)) or not isinstance(problem.seen, Convolver):
        return plain
    beside = _exponentials(problem, plain.components, plain, flash=True)
    if plain.bic - beside.bic > BIC_GAIN and is_noise(beside) and not unsound(beside):
        return beside
    return _exponentials(problem, plain.components - 1, None, flash=True) if short else plain


def is_noise(fit: Fit) -> bool:
    return bool(fit.chi2 < 1 + MISFIT_SIGMAS * (2 / fit.residuals.size) ** 0.5)


def may_be_prompt(problem: Problem, fit: Fit) -> bool:
    """Whether the shortest of several lifetimes is too short to be told from none by looking at it."""
    if fit.components < 2 or not isinstance(problem.seen, Convolver):
        return False
    return bool(fit.at_bound[2 + fit.components] or fit.taus[0] < PROMPT * problem.seen.response.fwhm)


def is_told(problem: Problem, fit: Fit) -> bool:
    """Whether the shortest lifetime is told from none. No response is known to better than LEAST of its
    width, for light of another colour or path has another one."""
    if fit.at_bound[2 + fit.components] or not isinstance(problem.seen, Convolver):
        return False
    sigma = float(fit.taus[0]) * fit.sigma(2 + fit.components) * max(fit.chi2, 1.0) ** 0.5
    return float(fit.taus[0]) - PROMPT_SIGMAS * sigma > LEAST * problem.seen.response.fwhm


def unsound(fit: Fit) -> str:
    """Why a component is not to be believed; empty when all are."""
    if not np.all(np.isfinite(fit.covariance)) or not fit.converged:
        return "the data do not determine every parameter"
    if fit.at_bound[2:].any():
        return "a parameter sits on a limit"
    weak = [i for i, a in enumerate(fit.amplitudes) if a < SIGMAS * fit.sigma(2 + i)]
    if weak and fit.components != 0:
        return "an amplitude is within three standard errors of zero"
    if fit.flash is not None and fit.flash[0] < SIGMAS * fit.flash[1]:
        return "light of the pulse itself is within three standard errors of none"
    shares = fit.amplitudes * fit.taus / (fit.amplitudes @ fit.taus)
    if shares.min() < LEAST_SHARE:
        return "a component holds less than a ten-thousandth of the light"
    if fit.components > 1 and np.min(fit.taus[1:] / fit.taus[:-1]) < CLOSEST:
        return "two lifetimes are the same"
    return ""


def _exponentials(problem: Problem, count: int, before: Fit | None, flash: bool = False) -> Fit:
    """before : the fit with one component fewer; a flash that it has is kept"""
    flash = flash or (before is not None and before.flash is not None)
    starts = [spectrum_start(problem, count)]
    if flash:  # which the shortest lump of the spectrum is
        starts = [np.delete(spectrum_start(problem, count + 1), [2, 3 + count])]
    if before is not None:
        starts.append(split_start(problem, before) if count > before.components else before.params)
    found = [_run(problem, exponential, count, start, flash) for start in starts]
    if before is None and (found[0].at_bound[2:].any() or not found[0].converged):
        spread = np.geomspace(3 * problem.tau[0], problem.tau[1] / 30, count + 2)[1:-1]
        found.append(_run(problem, exponential, count, with_taus(problem, spread), flash))
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


def _run(problem: Problem, kernel: Kernel, components: int, start: Array, flash: bool = False) -> Fit:
    count = max(components, 1)
    noise = problem.noise
    model = decay(problem.seen, kernel, count, flash)
    counts = (problem.y + noise.pedestal) / noise.gain
    lower, upper = _limits(problem, components, start.size)
    if flash:
        light = float(start[2 : 2 + count] @ np.exp(start[2 + count : 2 + 2 * count]))
        start, lower, upper = np.append(start, 0.05 * light), np.append(lower, 0.0), np.append(upper, np.inf)
    scale = np.ones(start.size)
    scale[1 : 2 + count] = noise.gain
    if flash:
        scale[-1] = noise.gain
    offset = np.zeros(start.size)
    offset[1] = noise.pedestal
    begin, lower, upper = ((each + offset) / scale for each in (start, lower, upper))
    if noise.weights is None:
        lower[1] = max(lower[1], 0.01 / counts.size)
        upper[1] = max(upper[1], lower[1])
    done = most_likely(model, counts, begin, lower, upper, weights=noise.weights)
    variance = done.curve if noise.weights is None else 1 / noise.weights
    residuals = (counts - done.curve) / np.sqrt(variance)
    free = int(((lower < upper) & ~done.at_bound).sum())
    chi2 = float(residuals @ residuals) / max(counts.size - free, 1)
    params = done.params * scale - offset
    covariance = _covariance(problem, done, model(done.params)[1], variance, count) * np.outer(scale, scale)
    kept = slice(0, params.size - flash)
    made = Fit(
        components,
        params[kept],
        covariance[kept, kept],
        done.curve * noise.gain - noise.pedestal,
        residuals,
        chi2,
        done.deviance + free * float(np.log(counts.size)),
        done.converged,
        done.at_bound[kept],
        free,
        done.deviance,
        (float(params[-1]), float(np.sqrt(covariance[-1, -1]))) if flash else None,
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


def determined(fit: Fit, longest: float) -> Fit:
    """The fit, or MethodError when no lifetime can be had from it."""
    if fit.at_bound[2 + max(fit.components, 1) :].any() and fit.components < 2:
        if fit.taus[0] < 1e-2 * longest:
            raise MethodError(
                "The decay is over as soon as the response: no lifetime can be told. Was the response itself "
                "measured here, or only scattered light?"
            )
        raise MethodError("The decay does not fall within the time that was watched. Measure longer.")
    if fit.at_bound[2:].any():
        raise MethodError("A parameter sits on a limit: the data hold fewer components. Ask for fewer.")
    if not np.all(np.isfinite(fit.covariance)):
        raise MethodError(
            "The data do not determine every parameter of this model. Ask for fewer components, or measure "
            "longer."
        )
    if not fit.converged:
        raise MethodError("The fit did not settle. Ask for fewer components, or narrow the range.")
    return fit

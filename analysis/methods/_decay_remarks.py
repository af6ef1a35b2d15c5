"""What is to be said about a fitted decay: flags for the person, diagnostics for the sceptic.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

import numpy as np

from analysis.methods._decay_fits import MISFIT_SIGMAS, is_noise
from analysis.methods._decay_words import Fit
from analysis.methods._decays import Decay, width
from analysis.methods.base import Array
from analysis.numerics.residuals import durbin_watson, runs, serial_correlation

WINDOW_TAUS = 3.0
PERIOD_TAUS = 5.0
BUMP_SIGMAS = 7.0
BESIDE_BUMP = 1.5  # χ²ᵣ of everything else
ALTERNATING_SIGMAS = 5.0


def remarks(data: Decay, fit: Fit, at: Array, counted: bool) -> tuple[list[str], float]:
    """Sentences, and by what the covariance is to be multiplied because the model does not fit."""
    said = []
    window = float(data.t[data.chosen][-1] - data.t[data.peak])
    longest = float(fit.taus.max())
    if window < WINDOW_TAUS * longest:
        said.append(
            f"The decay is watched for {_ns(window)}, {window / longest:.2g} times its longest lifetime; "
            f"at least {WINDOW_TAUS:g} are needed to tell it from the background."
        )
    if data.period_ns < PERIOD_TAUS * longest:
        said.append(
            f"A pulse comes every {_ns(data.period_ns)}, {data.period_ns / longest:.2g} times the longest "
            "lifetime: light of earlier pulses is still there. Measure at a lower repetition rate."
        )
    if fit.at_bound[2:].any():
        said.append("A parameter sits on a limit: this model has more components than the data.")
    points = fit.residuals.size
    scale = 1.0
    if not is_noise(fit):
        scale = fit.chi2
        alternate = serial_correlation(fit.residuals) * points**0.5 < -ALTERNATING_SIGMAS
        said.append(
            f"χ²ᵣ is {fit.chi2:.3g}: the residual is more than noise, so the sigmas are multiplied by "
            f"{scale**0.5:.3g}. "
            + (
                "It alternates from channel to channel, as where a counter's channels are not equally wide "
                "(differential nonlinearity); no model can mend that, adding channels up can."
                if alternate
                else "Try another model, the right response, or a later start."
            )
        )
    elif counted and fit.chi2 < 1 - MISFIT_SIGMAS * (2 / points) ** 0.5:
        said.append(
            f"χ²ᵣ is {fit.chi2:.3g}: the data vary less than counts do, as if smoothed or rescaled. Choose "
            "weights = fitted."
        )
    if bump := _bump(data, fit, at):
        said.append(bump)
    return said, scale


def _ns(time: float) -> str:
    return f"{time:.0f} ns" if time >= 1000 else f"{time:.3g} ns"


def _bump(data: Decay, fit: Fit, times: Array) -> str:
    """An afterpulse of the detector or a reflection: more counts than the fit over a few channels."""
    residuals = fit.residuals
    if residuals.size < 60:
        return ""
    wide = max(5, residuals.size // 200)
    sums = np.convolve(residuals, np.ones(wide), "valid") / wide**0.5
    sums[times[: sums.size] <= data.t[data.peak] + width(data)] = 0.0
    at = int(np.argmax(sums))
    beside = np.concatenate([residuals[: max(at - 4 * wide, 0)], residuals[at + 5 * wide :]])
    if sums[at] < BUMP_SIGMAS or not beside.size or beside @ beside / beside.size > BESIDE_BUMP:
        return ""
    where = times[at + wide // 2] - data.t[data.peak]
    return (
        f"{sums[at]:.0f} sigmas more light than the fit {_ns(where)} after the maximum: an afterpulse of "
        "the detector or a reflection?"
    )


def diagnostics(fit: Fit, tried: list[Fit], why: str, noise: str) -> dict[str, float | str]:
    residuals = fit.residuals
    notes: dict[str, float | str] = {
        "model": _named(fit),
        "why": why,
        "noise": noise,
        "points": float(residuals.size),
        "reduced_chi2": fit.chi2,
        "deviance": fit.deviance,
        "serial_correlation": serial_correlation(residuals),
        "durbin_watson": durbin_watson(residuals),
        "runs_sigmas": runs(residuals),
        "background": float(fit.params[1]),
        "sigma background": fit.sigma(1),
    }
    for each in tried:
        count = f"{each.components or 'stretched'}{' + scattered' if each.flash else ''}"
        notes[f"bic {count}"] = each.bic
        notes[f"reduced_chi2 {count}"] = each.chi2
    return notes


def _named(fit: Fit) -> str:
    words = {0: "stretched exponential", 1: "one exponential"}
    name = words.get(fit.components, f"{fit.components} exponentials")
    return name if fit.flash is None else f"{name} and scattered light"

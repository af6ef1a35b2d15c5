"""Lifetimes of the emission after a pulse: reconvolution with the instrument's response, else the tail.

Row A-07. Hou et al. 2021 (S8-S10, Table S1) compare amplitude- and intensity-weighted lifetimes of glasses
sintered at different temperatures and quenched in different media.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.methods._decay_fits import determined, fit, is_told, may_be_prompt
from analysis.methods._decay_problems import (
    after_response,
    is_white,
    reconvolution,
    tail,
    with_free_amplitude,
)
from analysis.methods._decay_remarks import diagnostics, remarks
from analysis.methods._decay_response import blame, first_pulse, response
from analysis.methods._decay_values import of_one_pulse, values
from analysis.methods._decay_words import COUNTS, Fit
from analysis.methods._decays import Decay, decay, in_unit
from analysis.methods.base import Array, Curve, Dataset, Method, MethodError, Outcome, Property, Role, param
from analysis.numerics.responses import Response

EACH = ("1", "2", "3", "4")

METHOD = Method(
    title="TRPL: lifetimes",
    version=4,
    accepts=(
        Role("sample", ("trpl",), help="Counts over time after the pulse.", axes=("time",)),
        Role(
            "irf",
            ("trpl",),
            help="Response of the instrument to the pulse itself, on any even time grid.",
            required=False,
            calibration="irf",
            axes=("time",),
        ),
    ),
    properties=(
        Property("trpl_tau_amp", "PL lifetime, amplitude-weighted", "ns", True, html="τ<sub>amp</sub>"),
        Property("trpl_tau_int", "PL lifetime, intensity-weighted", "ns", True, html="τ<sub>int</sub>"),
        Property("trpl_one_over_e_time", "PL decay to 1/e", "ns", True, html="t<sub>1/e</sub>"),
        Property("trpl_lifetime", "PL lifetime of a component", "ns", None, EACH, html="τ"),
        Property("trpl_amplitude", "PL amplitude of a component", "counts", None, ("", *EACH), html="a"),
        Property("trpl_amplitude_share", "Share of the amplitude", "1", None, EACH, as_percent=True),
        Property("trpl_intensity_share", "Share of the light", "1", None, EACH, html="f", as_percent=True),
        Property("trpl_stretched_lifetime", "PL lifetime, stretched", "ns", True, html="τ<sub>str</sub>"),
        Property("trpl_stretching_exponent", "PL stretching exponent", "1", None, html="β"),
    ),
    reference=(
        "Hou et al., Science 374 (2021), doi:10.1126/science.abf4460, Supplementary S8-S10 and Table S1"
    ),
    equation="I(t) = IRF(t − t₀) ⊗ Σ aᵢ exp(−t/τᵢ) + b;  τ_amp = Σaτ/Σa;  τ_int = Σaτ²/Σaτ",
    description=(
        "Most likely parameters of Poisson counts (of averaged or background-subtracted data with the noise "
        "found in them), shift t₀ and background free. Integrals over channels are exact. One more "
        "exponential, up to four, is kept when BIC falls by more than 10, no parameter sits on a limit and "
        "its amplitude exceeds three standard errors. Without a response the tail after the maximum is "
        "fitted, and said so. Where the response does not describe the pulse itself, the fit starts "
        "behind it, with t₀ held. Light that comes with the pulse itself is left out of lifetimes, shares "
        "and means. Component 1 has the shortest lifetime; amplitudes are counts a channel at t₀. "
        "Sigmas are from the full covariance, times √χ²ᵣ where the model does not fit."
    ),
)


@dataclass(frozen=True)
class Params:
    model: str = param(
        "auto",
        choices=("auto", "1", "2", "3", "4", "stretched"),
        help="How many exponentials, auto decides by BIC; or exp(−(t/τ)^β).",
    )
    fit: str = param(
        "auto", choices=("auto", "tail"), help="auto: reconvolution where there is a response. tail: without."
    )
    weights: str = param(
        "auto",
        choices=("auto", "poisson", "sqrt", "fitted"),
        help="poisson: likelihood of counts. sqrt: σ = √signal. fitted: noise found in the data. auto: "
        "poisson for whole counts, else fitted.",
    )
    background: str = param(
        "fit", choices=("fit", "before", "none"), help="Free, held at the mean before the pulse, or zero."
    )
    amplitude: str = param(
        "free", choices=("free", "peak"), help="peak: one component that starts at the highest channel."
    )
    scatter: str = param(
        "auto",
        choices=("auto", "no"),
        help="auto: beside others, a component below 0.3 of the response's width, by less than three "
        "sigmas above 0.15 of it, is scattered light and fitted without a lifetime.",
    )
    start_ns: float | None = param(None, unit="ns", help="Fit from here on, after the highest channel.")
    end_ns: float | None = param(None, unit="ns", help="Fit up to here, after the highest channel.")


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    _check(params)
    data = decay(datasets["sample"], params.start_ns, params.end_ns)
    warnings = list(data.warnings)
    if "irf" not in datasets or params.fit == "tail":
        return _tail(data, params, warnings, "irf" in datasets)
    if params.amplitude == "peak":
        raise MethodError("An amplitude held at the highest channel needs fit = tail; choose that.")
    if data.peak < 3:
        warnings.append(
            "The file starts at its maximum: with no rise to align the response with, the tail is fitted."
        )
        return _tail(data, params, warnings, False)
    seen, said = response(datasets["irf"], data)
    return _reconvolution(data, seen, params, warnings + said)


def _check(params: Params) -> None:
    if params.amplitude == "peak" and params.model not in ("1", "stretched"):
        raise MethodError("An amplitude can be held for one component only: choose model = 1 or stretched.")
    if params.start_ns is not None and params.end_ns is not None and params.start_ns >= params.end_ns:
        raise MethodError("start_ns must be below end_ns.")


def _tail(data: Decay, params: Params, warnings: list[str], asked: bool) -> Outcome:
    if not asked:
        warnings.append(
            "No response of the instrument: the tail after the maximum is fitted, and lifetimes near the "
            "width of the pulse are not to be trusted. Upload its decay with the role “irf”."
        )
    problem, rows = tail(data, params)
    best, tried, why = fit(problem, params.model)
    determined(best, problem.tau[1])
    notes: dict[str, float | str] = {"fit": "tail"}
    if params.amplitude == "peak":
        sentence, free = with_free_amplitude(problem, best, params.model)
        warnings.append(sentence)
        notes |= free
    best = of_one_pulse(best, data.period_ns)
    at = data.t[rows]
    after = at >= data.t[data.peak]
    curves = [
        _drawn("data", data, data.t, data.y),
        _drawn("fit", data, at[after], best.curve[after]),
        _drawn("residual", data, at[after], best.residuals[after]),
    ]
    return _outcome(data, at, best, tried, why, problem.noise.words, curves, warnings, notes)


def _reconvolution(data: Decay, seen: Response, params: Params, warnings: list[str]) -> Outcome:
    problem, rows = reconvolution(data, seen, params)
    prompt = params.scatter == "auto"
    best, tried, why = fit(problem, params.model, prompt)
    notes: dict[str, float | str] = {"fit": "reconvolution", "response_fwhm_ns": seen.fwhm}
    if params.start_ns is None and not is_white(best):
        reason, more = blame(data, seen, best, problem.noise)
        notes |= more
        behind, from_ns = after_response(data, first_pulse(seen), params, best)
        again = fit(behind[0], params.model, prompt) if behind is not None else None
        if behind and again and np.all(np.isfinite(again[0].covariance)) and again[0].chi2 < best.chi2 / 2:
            warnings.append(
                f"The response does not describe the pulse itself (χ²ᵣ {best.chi2:.3g} from its rise on). "
                f"{reason}The fit starts {from_ns:.3g} ns after the maximum, with t₀ held. What has decayed "
                "by then is not seen."
            )
            notes["chi2_with_the_rise"] = best.chi2
            (best, tried, why), (problem, rows) = again, behind
        elif reason:
            warnings.append(reason.strip())
    determined(best, problem.tau[1])
    if best.flash is not None:
        sentence, share = _scattered(best, best.flash[0])
        warnings.append(sentence)
        notes["scattered share of the light"] = share
    elif prompt and may_be_prompt(problem, best) and is_told(problem, best):
        warnings.append(_emission(best, seen))
    at = data.t[rows]
    shift = float(best.params[0])
    pulse = seen.start + shift + seen.step * np.arange(seen.counts.size, dtype=np.float64)
    shown = seen.counts / seen.counts.max() * data.y.max()
    curves = [
        _drawn("data", data, data.t, data.y),
        _drawn("irf", data, pulse, shown),
        _drawn("fit", data, at, best.curve),
        _drawn("residual", data, at, best.residuals),
    ]
    notes |= {"shift_ns": shift, "sigma shift_ns": best.sigma(0)}
    return _outcome(data, at, best, tried, why, problem.noise.words, curves, warnings, notes)


def _emission(found: Fit, seen: Response) -> str:
    return (
        f"A lifetime of {found.taus[0]:.2g} ns behind a response of {seen.fwhm:.2g} ns is told from light of "
        "the pulse itself and taken for emission. That rests on the shape of the response: compare with one "
        "measured again."
    )


def _scattered(found: Fit, flash: float) -> tuple[str, float]:
    share = flash / (flash + float(found.amplitudes @ found.taus))
    sentence = (
        f"{share:.2g} of the light comes with the pulse itself: it is taken for scattered light and is in no "
        "lifetime, share or mean. Choose scatter = no if it is emission."
    )
    return sentence, share


def _drawn(name: str, data: Decay, t: Array, y: Array) -> Curve:
    y_is = ("weighted residual", "1") if name == "residual" else (data.y_name, data.y_unit)
    return Curve(name, in_unit(data, t), y, "time", data.x_unit, *y_is)


def _outcome(
    data: Decay,
    at: Array,
    best: Fit,
    tried: list[Fit],
    why: str,
    noise: str,
    curves: list[Curve],
    warnings: list[str],
    notes: dict[str, float | str],
) -> Outcome:
    said, scale = remarks(data, best, at, noise == COUNTS)
    best = replace(best, covariance=best.covariance * scale)
    notes |= diagnostics(best, tried, why, noise)
    return Outcome(values(best), tuple(curves), (*warnings, *said), notes)

"""How the emission dies out below its maximum: the slope of the tail, and the Urbach energy behind it. A-04.

Absorption and emission of a body in equilibrium are tied together, I(E) ∝ E²·α(E)·exp(−E/kT), so that an
absorption tail exp(E/E_U) shows as an emission tail of slope s′ = 1/E_U − 1/kT once E² is divided out.
W. van Roosbroeck, W. Shockley, Phys. Rev. 94 (1954) 1558; F. Urbach, Phys. Rev. 92 (1953) 1324.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods import _tail_windows as windows
from analysis.methods._corrections import CORRECT_PARAM, DARK, SPECTRAL, corrected
from analysis.methods._spectra import HC_EV_NM, Spectrum, spectrum
from analysis.methods._tail_windows import Flank, Window
from analysis.methods.base import Curve, Dataset, Method, MethodError, Outcome, Property, Result, Role, param
from analysis.numerics import tails

METHOD = Method(
    title="PL: Urbach tail",
    version=1,
    accepts=(
        Role("sample", ("pl",), help="Emission spectrum against wavelength in nm.", axes=("wavelength",)),
        DARK,
        SPECTRAL,
    ),
    on_upload=False,
    properties=(
        Property(
            "pl_urbach_energy",
            "Urbach energy from PL",
            "meV",
            False,
            html="E<sub>U</sub>",
            help="With the reciprocity correction: 1/E_U = s′ + 1/kT.",
        ),
        Property("pl_urbach_tail", "PL tail energy", "meV", False, help="1/s′, with E² divided out."),
        Property(
            "pl_tail_slope", "PL tail, slope of ln I", "eV⁻¹", True, html="s", help="As a log plot shows."
        ),
        Property(
            "pl_tail_slope_reciprocal",
            "PL tail, slope of ln(I/E²)",
            "eV⁻¹",
            True,
            html="s′",
            help="As the reciprocity relation takes it.",
        ),
    ),
    reference=(
        "Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Fig. 2g and Supplementary "
        "Information 13; van Roosbroeck and Shockley, Phys. Rev. 94 (1954) 1558"
    ),
    equation="I(E) ∝ E²·exp(s′E);  1/E_U = s′ + 1/kT",
    description=(
        "The spectrum is turned to photon energy with its Jacobian, I(E) = I(λ)·λ²/hc. The tail is what "
        "lies below the maximum, between a tenth and a thousandth of it, above five times the noise, below "
        "the second Gaussian where two are credible, and below a shoulder that bends it. An exponential on "
        "a constant is fitted to the counts, each point weighted by its noise; the points beyond the tail "
        "hold the constant. At least 15 points and R² ≥ 0.98 of the logarithms are required. Twice: for "
        "ln I, whose slope s a log plot shows, and for ln(I/E²), whose slope s′ gives the tail energy 1/s′ "
        "and the Urbach energy. Unless BIC prefers the exponential by 10 to the flank of a Gaussian at the "
        "maximum, the value is flagged. The sigmas hold the scatter and the unknown constant, not an error "
        "of the temperature (0.2 % of E_U per kelvin) or a tail that is no exponential."
    ),
)

MIN_R2 = 0.98
UNDETERMINED = 0.25
COLDEST_C = -270.0  # liquid helium; colder, kT alone would be the result
PREFERRED = 10.0  # of BIC, as for a second Gaussian


@dataclass(frozen=True)
class Params:
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")
    tail_min_ev: float | None = param(
        None, unit="eV", min=0.01, max=100, help="Fix the low end of the tail, so that samples compare."
    )
    tail_max_ev: float | None = param(
        None, unit="eV", min=0.01, max=100, help="Fix the high end of the tail, so that samples compare."
    )
    background: str = param(
        "fit",
        choices=("fit", "none"),
        help="fit: a constant under the tail, found with it. none: there is none, the dark is subtracted.",
    )
    temperature_c: float = param(
        25.0,
        unit="°C",
        min=COLDEST_C,
        max=2000,
        help="Of the sample, where the measurement does not state it.",
    )
    correct: bool = CORRECT_PARAM


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    sample, correction, done = corrected(datasets, params.correct)
    data = spectrum(sample, params.window_min_nm, params.window_max_nm, datasets["sample"])
    temperature_c, doubts = _temperature(sample, params)
    flank = windows.flank(data, sample, None if correction is None else correction.at(data.x))
    limits = windows.Limits(params.tail_min_ev, params.tail_max_ev, params.background == "fit")
    flank, trimmed = windows.straightened(flank, limits)
    plain, _ = windows.fitted(flank, limits, power=0)
    tail, window = windows.fitted(flank, limits, power=2)
    r2 = _credible(flank, window, tail)
    thermal = tails.inverse_thermal_energy(temperature_c)
    inverse = tail.slope + thermal
    values = (
        Result("pl_urbach_energy", 1e3 / inverse, 1e3 * tail.slope_sigma / inverse**2),
        Result("pl_urbach_tail", 1e3 / tail.slope, 1e3 * tail.slope_sigma / tail.slope**2),
        Result("pl_tail_slope", plain.slope, plain.slope_sigma),
        Result("pl_tail_slope_reciprocal", tail.slope, tail.slope_sigma),
    )
    notes: dict[str, float | str] = {
        "points": float(window.size),
        "r2": r2,
        "tail from eV": float(flank.energy[window.stop - 1]),
        "tail to eV": float(flank.energy[window.start]),
        "maximum eV": flank.peak_ev,
        "temperature C": temperature_c,
        "E_U without E2 meV": 1e3 / (plain.slope + thermal),
        "constant": tail.constant,
        "constant sigma": tail.constant_sigma,
        "chi2": tail.chi2,
        "low end": window.ended_by,
        **done,
    }
    preferred = windows.for_exponential(flank, window, tail, limits)
    if preferred is not None:
        notes["ΔBIC of exponential over Gaussian"] = preferred
    if flank.second_nm is not None:
        notes["second Gaussian nm"] = flank.second_nm
    warnings = (
        *data.warnings,
        *doubts,
        *flank.warnings,
        *((trimmed,) if trimmed else ()),
        *_shape(flank, window, tail, preferred),
    )
    return Outcome(values, _curves(data, flank, window, tail, plain), warnings, notes)


def _temperature(sample: Dataset, params: Params) -> tuple[float, list[str]]:
    stated = sample.conditions.get("temperature")
    if stated is None or isinstance(stated.value, str) or stated.unit != "°C":
        return params.temperature_c, [
            f"The measurement does not state its temperature; {params.temperature_c:g} °C is taken for E_U."
        ]
    if not COLDEST_C <= stated.value <= 5000:
        raise MethodError(
            f"A temperature of {stated.value:g} °C cannot be that of what emits: it lies outside "
            f"{COLDEST_C:g} to 5000 °C. Correct it in the measurement."
        )
    return float(stated.value), []


def _credible(flank: Flank, window: Window, tail: tails.Tail) -> float:
    """R² of the logarithms; MethodError when the tail is none."""
    if tail.slope <= 0:
        raise MethodError(
            "Below its maximum the emission does not fall with energy, so there is no tail; look at the "
            "background, or narrow the window."
        )
    if tail.slope_sigma > UNDETERMINED * tail.slope:
        raise MethodError(
            f"The tail and a constant under it cannot be told apart: the slope is {tail.slope:.3g} ± "
            f"{tail.slope_sigma:.2g} eV⁻¹. Extend the scan to the red, or subtract the dark and choose the "
            "background none."
        )
    r2 = tails.r_squared(flank.energy[window.slice], windows.logarithm(flank, window, tail))
    if r2 < MIN_R2:
        raise MethodError(
            f"The red flank is not exponential: R² = {r2:.3f} over {window.size} points, at least {MIN_R2:g} "
            "is needed. A shoulder or a background may lie in it; fix the window with tail_min_ev and "
            "tail_max_ev."
        )
    return r2


def _shape(flank: Flank, window: Window, tail: tails.Tail, preferred: float | None) -> list[str]:
    said = []
    change, sigma = windows.bend(flank, window, tail)
    if preferred is not None and preferred < PREFERRED:
        said.append(
            f"An exponential does not fit clearly better than the flank of a Gaussian (ΔBIC {preferred:.3g}, "
            f"{PREFERRED:g} are needed): the Urbach energy is that of the mean slope, of no tail that was "
            "seen. Measure longer, so that the tail is followed further down."
        )
    elif windows.is_curved(change, sigma):
        said.append(
            f"The logarithm is curved: its slope changes by {100 * abs(change):.0f} % over the window, as "
            "the flank of a Gaussian does. The Urbach energy is that of the mean slope, of no exponential."
        )
    said += windows.beyond(flank, window, tail)
    return said


def _curves(
    data: Spectrum, flank: Flank, window: Window, tail: tails.Tail, plain: tails.Tail
) -> tuple[Curve, ...]:
    """The fit on the axis of the file; data and line as a log plot over energy shows them."""
    beyond = slice(window.start, window.end)
    fit = plain.constant + windows.factor(flank.energy, 0)[beyond] * plain.exponential(flank.energy[beyond])
    nm = ("wavelength", "nm", data.y_name, data.y_unit)
    ev = ("energy", "eV", "log10 of PL over its maximum", "1")
    per_ev = (flank.y - plain.constant) * flank.jacobian / flank.peak
    shown = (per_ev > 1e-5) & (flank.energy < flank.peak_ev + 0.1)
    at = flank.energy[window.slice][::-1]
    line = windows.factor(at, 0) * plain.exponential(at) * HC_EV_NM / at**2 / flank.peak
    return (
        Curve("tail fit", data.x[beyond], fit, *nm),
        Curve("tail constant", data.x[beyond], 0 * fit + plain.constant, *nm),
        Curve("tail data", flank.energy[shown][::-1], np.log10(per_ev[shown])[::-1], *ev),
        Curve("tail line", at, np.log10(np.maximum(line, 1e-300)), *ev),
    )

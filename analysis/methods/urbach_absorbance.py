"""How steeply the absorption begins: the Urbach energy from the foot of the absorption edge. A-04.

Below the edge ln α rises as a straight line of slope 1/E_U: no reciprocity is needed, nor a temperature.
F. Urbach, Phys. Rev. 92 (1953) 1324.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods._absorbance import SAMPLE, Absorbance, SpectrumParams, absorbance
from analysis.methods._absorption_foot import Foot, between, on_a_constant, on_scattering
from analysis.methods.base import Curve, Dataset, Method, MethodError, Outcome, Property, Result, param
from analysis.numerics import tails

METHOD = Method(
    title="UV-Vis: Urbach tail",
    version=2,
    accepts=(SAMPLE,),
    on_upload=False,
    properties=(
        Property(
            "urbach_energy",
            "Urbach energy from absorption",
            "meV",
            False,
            html="E<sub>U</sub>",
            help="1/slope of ln α below the edge.",
        ),
    ),
    reference=(
        "Urbach, Phys. Rev. 92 (1953) 1324; Li et al., Nat. Commun. 14 (2023), "
        "doi:10.1038/s41467-023-43247-6, Fig. 2g"
    ),
    equation="α(E) ∝ exp(E/E_U)",
    description=(
        "The steepest place of the spectrum over photon energy is the edge, twice the rise up to it its "
        "height. Between a tenth and a thousandth of that, and above five times the noise, an exponential on "
        "a constant is fitted; the points at lower energy hold the constant. At least 15 points and R² ≥ "
        "0.98 of the logarithms, noise apart, are required, and a fall at least as steep as λ⁻⁸, for "
        "scattering falls as λ⁻⁴. Where the signal beyond the edge plainly slopes, scattering takes part in "
        "the fit as a·λ⁻¹ to a·λ⁻⁴ on the constant, whichever fits best. Where absorption grows "
        "evenly with thickness, absorbance serves as well as α. The sigma holds the scatter, the unknown "
        "constant and scattering."
    ),
)
MIN_R2, UNDETERMINED = 0.98, 0.25
MOST_NOISE = 1.5  # χ², above which it is no noise that is left
LEAST_POWER = 8.0  # of the wavelength: twice that of the steepest scattering


@dataclass(frozen=True)
class Params(SpectrumParams):
    tail_min_ev: float | None = param(
        None, unit="eV", min=0.01, max=100, help="Fix the low end of the tail, so that samples compare."
    )
    tail_max_ev: float | None = param(
        None, unit="eV", min=0.01, max=100, help="Fix the high end of the tail, so that samples compare."
    )
    background: str = param(
        "auto",
        choices=("auto", "constant", "scattering"),
        help="What lies under the foot. auto: scattering where the signal beyond the edge plainly slopes.",
    )


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    measured = absorbance(datasets["sample"], params)
    candidates = on_scattering(measured, params) or [on_a_constant(measured, params)]
    data, foot, tail, stop = candidates[0]
    inside = slice(foot.first, stop)
    r2 = _credible(tail, _r_squared(foot, tail, inside), stop - foot.first)
    _check_no_scattering(tail, float(foot.energy[inside].mean()))
    energy_mev = 1e3 / tail.slope
    notes: dict[str, float | str] = {
        "points": float(stop - foot.first),
        "r2": r2,
        "tail from eV": float(foot.energy[stop - 1]),
        "tail to eV": float(foot.energy[foot.first]),
        "constant": tail.constant,
        "height of the edge": foot.height,
        "chi2": tail.chi2,
    }
    if foot.power:
        notes["scattering at the foot"] = float((measured.y - data.y)[foot.first])
        notes["scattering falls with the wavelength to the power"] = float(-foot.power)
    sigma = float(np.hypot(1e3 * tail.slope_sigma / tail.slope**2, between(candidates)))
    return Outcome(
        (Result("urbach_energy", energy_mev, sigma),),
        _curves(data, foot, tail, stop),
        (*data.warnings, *_bent(foot, tail, inside)),
        notes,
    )


def _r_squared(foot: Foot, tail: tails.Tail, inside: slice) -> float:
    """Of a line through the logarithms, without what the noise takes from it; noise as the fit found it."""
    energy, variance = foot.energy[inside], foot.variance[inside]
    logarithm = np.log(np.maximum(foot.y[inside] - tail.constant, np.sqrt(variance)))
    noise = np.clip(tail.chi2, 1.0, MOST_NOISE) * variance / tail.exponential(energy) ** 2
    spread = float(np.sum((logarithm - logarithm.mean()) ** 2))
    return min(tails.r_squared(energy, logarithm) + float(noise.sum()) / spread, 1.0)


def _credible(tail: tails.Tail, r2: float, points: int) -> float:
    if tail.slope <= 0 or tail.slope_sigma > UNDETERMINED * tail.slope:
        raise MethodError(
            "The foot of the edge cannot be told from a constant; extend the scan to longer wavelengths."
        )
    if r2 < MIN_R2:
        raise MethodError(
            f"The foot of the edge is not exponential: R² = {r2:.3f} over {points} points, at least "
            f"{MIN_R2:g} is needed. Scattering may lie under it; fix the window with tail_min_ev and "
            "tail_max_ev."
        )
    return r2


def _check_no_scattering(tail: tails.Tail, energy_ev: float) -> None:
    """Of A ∝ λ^(−p) the slope of ln A is p/E."""
    power = tail.slope * energy_ev
    if power < LEAST_POWER:
        raise MethodError(
            f"The foot of the edge falls only as λ^−{power:.1f}, as scattering does (up to λ⁻⁴): 1/slope is "
            f"{1e3 / tail.slope:.0f} meV, no Urbach energy. Measure with less scattering, or narrow the "
            "window."
        )


def _bent(foot: Foot, tail: tails.Tail, inside: slice) -> list[str]:
    above = np.maximum(foot.y[inside] - tail.constant, np.sqrt(foot.variance[inside]))
    change, sigma = tails.curvature(foot.energy[inside], np.log(above), above**2 / foot.variance[inside])
    if abs(change) <= 0.25 or abs(change) <= 4 * sigma:
        return []
    return [
        f"The logarithm is curved: its slope changes by {100 * abs(change):.0f} % over the window. "
        "Scattering or a second edge may lie under it; the Urbach energy is that of the mean slope."
    ]


def _curves(data: Absorbance, foot: Foot, tail: tails.Tail, stop: int) -> tuple[Curve, ...]:
    shown = slice(foot.first, foot.y.size)
    ev = ("energy", "eV", "log10 of absorption over its edge", "1")
    above = (foot.y - tail.constant) / foot.height
    visible = above > 1e-5
    at = foot.energy[foot.first : stop][::-1]
    line = tail.exponential(at) / foot.height
    return (
        Curve(
            "tail fit",
            data.x[shown],
            tail.constant + tail.exponential(foot.energy[shown]),
            "wavelength",
            "nm",
            data.y_name,
        ),
        Curve("tail data", foot.energy[visible][::-1], np.log10(above[visible])[::-1], *ev),
        Curve("tail line", at, np.log10(np.maximum(line, 1e-300)), *ev),
    )

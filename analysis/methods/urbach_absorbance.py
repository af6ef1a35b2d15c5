"""How steeply the absorption begins: the Urbach energy from the foot of the absorption edge. A-04.

Below the edge ln α rises as a straight line of slope 1/E_U: no reciprocity is needed, nor a temperature.
F. Urbach, Phys. Rev. 92 (1953) 1324.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods._absorbance import SAMPLE, Absorbance, SpectrumParams, absorbance
from analysis.methods._spectra import HC_EV_NM
from analysis.methods.base import Array, Curve, Dataset, Method, MethodError, Outcome, Property, Result, param
from analysis.numerics import absorption_edges, peaks, tails

METHOD = Method(
    title="UV-Vis: Urbach tail",
    version=1,
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
        "0.98 of the logarithms are required, and a fall at least as steep as λ⁻⁸, for scattering falls as "
        "λ⁻⁴. Where the absorption grows evenly with thickness, absorbance "
        "serves as well as α. The sigma holds the scatter and the unknown constant."
    ),
)
TOP, BOTTOM = 0.1, 1e-3  # of the height of the edge
NOISE_FACTOR, MIN_POINTS, MIN_R2, UNDETERMINED = 5.0, 15, 0.98, 0.25
EDGE_SHARE = 0.02  # of the points, over which the slope is taken
ROUNDS = 6
SMALLEST_SHARE = 0.1  # of the range of the signal, that an edge must drop by
LEAST_POWER = 8.0  # of the wavelength: twice that of the steepest scattering


@dataclass(frozen=True)
class Params(SpectrumParams):
    tail_min_ev: float | None = param(
        None, unit="eV", min=0.01, max=100, help="Fix the low end of the tail, so that samples compare."
    )
    tail_max_ev: float | None = param(
        None, unit="eV", min=0.01, max=100, help="Fix the high end of the tail, so that samples compare."
    )


@dataclass(frozen=True)
class Foot:
    """By falling energy: first is the first point below a tenth of the edge, stop one past the last above
    noise and a thousandth."""

    energy: Array
    y: Array
    variance: Array
    height: float
    background: float
    first: int


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    data = absorbance(datasets["sample"], params)
    foot = _foot(data, params)
    tail, stop = _fitted(foot, params)
    inside = slice(foot.first, stop)
    above = np.maximum(foot.y[inside] - tail.constant, np.sqrt(foot.variance[inside]))
    r2 = _credible(tail, tails.r_squared(foot.energy[inside], np.log(above)), stop - foot.first)
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
    sigma = 1e3 * tail.slope_sigma / tail.slope**2
    return Outcome(
        (Result("urbach_energy", energy_mev, sigma),),
        _curves(data, foot, tail, stop),
        (*data.warnings, *_bent(foot, tail, inside)),
        notes,
    )


def _foot(data: Absorbance, params: Params) -> Foot:
    energy = HC_EV_NM / data.x
    half = max(2, int(EDGE_SHARE * data.x.size))
    smooth = peaks.running_mean(data.y, half)
    edge = _edge(data, np.gradient(smooth, energy))
    beyond = data.y[edge:]
    background = float(np.median(beyond[-max(3, beyond.size // 10) :]))
    height = 2 * (float(smooth[edge]) - background)
    noise = float(np.sqrt(np.median(data.variance)))
    if height < NOISE_FACTOR * noise:
        raise MethodError("No absorption edge stands above the noise; widen the scan or the window.")
    below = np.flatnonzero(smooth[edge:] - background < TOP * height)
    if below.size == 0:
        raise MethodError(
            "The absorption does not fall to a tenth of its edge inside the window; widen the scan."
        )
    first = edge + int(below[0])
    if params.tail_max_ev is not None:
        first = int(np.count_nonzero(energy > params.tail_max_ev))
        if first <= edge:
            raise MethodError(
                f"The tail lies below the edge at {energy[edge]:.4g} eV; lower tail_max_ev "
                f"({params.tail_max_ev:g} eV)."
            )
    return Foot(energy, data.y, data.variance, height, background, first)


def _edge(data: Absorbance, rise: Array) -> int:
    """The index of the steepest point over energy inside a fall that recovers on both sides: scattering,
    which only gets steeper towards the blue, has none."""
    inside = np.zeros(data.x.size, bool)
    for fall in absorption_edges.falls(data.x, data.y, data.variance, SMALLEST_SHARE):
        inside |= (data.x >= fall.blue) & (data.x <= fall.red)
    if not inside.any():
        raise MethodError(
            "No absorption edge inside the window: nowhere is the signal steepest, away from both ends of "
            "the scan, by more than the noise. Scattering alone has none. Widen the scan or the window."
        )
    return int(np.argmax(np.where(inside, rise, -np.inf)))


def _fitted(foot: Foot, params: Params) -> tuple[tails.Tail, int]:
    """The low end follows from the fit itself, as in the tail of an emission."""
    quiet = np.maximum(NOISE_FACTOR * np.sqrt(foot.variance), BOTTOM * foot.height)
    if params.tail_min_ev is not None:
        stop = int(np.count_nonzero(foot.energy >= params.tail_min_ev))
    else:
        fallen = np.flatnonzero((peaks.running_mean(foot.y, 2) - foot.background < quiet)[foot.first :])
        stop = foot.first + int(fallen[0]) if fallen.size else foot.y.size
    tail = None
    for _ in range(ROUNDS):
        _check_points(foot, stop)
        tail = _fit(foot, stop)
        fallen = np.flatnonzero((tail.exponential(foot.energy) < quiet)[foot.first :])
        moved = foot.first + int(fallen[0]) if fallen.size else foot.y.size
        if params.tail_min_ev is not None or moved == stop:
            break
        stop = moved
    _check_points(foot, stop)
    return tail if tail is not None else _fit(foot, stop), stop


def _check_points(foot: Foot, stop: int) -> None:
    if stop - foot.first < MIN_POINTS:
        raise MethodError(
            f"{max(stop - foot.first, 0)} points lie in the foot of the edge, below a tenth of it and above "
            f"five times the noise; at least {MIN_POINTS} are needed. Measure in smaller steps, or longer."
        )


def _fit(foot: Foot, stop: int) -> tails.Tail:
    beyond = slice(foot.first, foot.y.size)
    drop = float(foot.energy[foot.first] - foot.energy[stop - 1])
    slope = float(np.clip(np.log(TOP / BOTTOM) / 2 / drop, 1.0, 1e4))
    energy, y = foot.energy[beyond], foot.y[beyond]
    tail = tails.fit_tail(energy, y, np.ones_like(y), foot.variance[beyond], True, (slope, foot.background))
    if tail is None:
        raise MethodError(
            "No exponential fits the foot of the edge; fix the window with tail_min_ev and tail_max_ev."
        )
    return tail


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

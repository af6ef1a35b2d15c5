"""The colour of an emission: CIE 1931 chromaticity and what follows from it. Row A-10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods._corrections import CORRECT_PARAM, DARK, SPECTRAL, Correction, corrected
from analysis.methods._signal_units import is_energy
from analysis.methods._spectra import Spectrum, spectrum
from analysis.methods.base import (
    Array,
    Curve,
    Dataset,
    Method,
    MethodError,
    Outcome,
    Property,
    Result,
    Role,
    param,
)
from analysis.numerics import colour, peaks, propagation, tails
from analysis.numerics.gaussians import edge_points

METHOD = Method(
    title="PL: colour",
    version=2,
    accepts=(
        Role("sample", ("pl",), help="Emission spectrum against wavelength in nm.", axes=("wavelength",)),
        DARK,
        SPECTRAL,
    ),
    properties=(
        Property("cie_x", "CIE 1931 x", "1", html="x"),
        Property("cie_y", "CIE 1931 y", "1", html="y"),
        Property("cie_u_prime", "CIE 1976 u′", "1", html="u′"),
        Property("cie_v_prime", "CIE 1976 v′", "1", html="v′"),
        Property("dominant_wavelength", "Dominant wavelength", "nm", html="λ<sub>d</sub>"),
        Property(
            "excitation_purity",
            "Excitation purity",
            "1",
            True,
            as_percent=True,
            help="0 for white, 100 % for one wavelength.",
        ),
        Property("cct", "Correlated colour temperature", "K", help="McCamy; only near the black bodies."),
        Property("duv", "Duv", "1", help="Distance from the black bodies in CIE 1960 u, v; above: positive."),
    ),
    reference=(
        "ISO/CIE 11664-1:2019 and 11664-3:2019; CIE 015:2018; C. S. McCamy, Color Res. Appl. 17 (1992) 142; "
        "Y. Ohno, LEUKOS 10 (2014) 47"
    ),
    equation="X = ∫ S(λ) x̄(λ) dλ and so on; x = X/(X+Y+Z), y = Y/(X+Y+Z)",
    description=(
        "Tristimulus values of the 2° observer. Counts are photons, so they are divided by λ first; an "
        "intensity in watts is taken as it is. The offset y₀, the median of the outer 5 % of points, is "
        "subtracted; where the two ends differ, only the lower one counts, and a spectrum that still emits "
        "at an end of the scan is flagged. Dominant wavelength and purity are told from the white point E "
        "unless asked otherwise. A colour temperature is given where Duv is within ±0.05 and McCamy's "
        "polynomial holds, 2 000 to 12 500 K. Sigmas are propagated from the noise of the spectrum and of "
        "y₀."
    ),
)

EDGE_NM = 5.0
MOST_AT_EDGE = 0.01
MIN_SIGNAL_TO_NOISE = 5.0
MOST_BEND = 0.2  # of a line, over four sigmas to either side
FOOT, MOST_FROM_FOOT = 0.05, 0.5
ENDS_DIFFER_SIGMAS = 4.0


@dataclass(frozen=True)
class Params:
    spectrum_in: str = param(
        "auto",
        choices=("auto", "photons", "energy"),
        help="What the intensity counts; auto: energy if its unit names watts, else photons.",
    )
    subtract_offset: bool = param(True, help="Subtract y₀; no for a spectrum without background.")
    white: str = param(
        "E", choices=tuple(colour.WHITES), help="White point of dominant wavelength and purity."
    )
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")
    correct: bool = CORRECT_PARAM


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    sample, correction, done = corrected(datasets, params.correct)
    data = spectrum(sample, params.window_min_nm, params.window_max_nm, datasets["sample"])
    variance = _variance(data, correction)
    none = Offset(0.0, 0.0, np.zeros(data.x.size))
    y0 = _offset(data, variance) if params.subtract_offset else none
    above = data.y - y0.level
    _check_there_is_light(data, above)
    photons = _in_photons(data, params.spectrum_in)
    weights = colour.tristimulus_weights(data.x) / (data.x if photons else 1.0)
    scale = float(np.abs(weights @ above).max())
    if scale <= 0:
        raise MethodError("The spectrum holds no visible light (380 to 780 nm); its colour is not defined.")
    weights = weights / scale  # only ratios count, and squares of 1e300 are not numbers
    xyz = weights @ above
    covariance = (weights * variance) @ weights.T
    shared = weights.sum(axis=1)
    along = (weights * variance) @ y0.parts  # the offset goes up and down with the points it is made of
    covariance += np.outer(shared, shared) * y0.variance - np.outer(shared, along) - np.outer(along, shared)
    total, var_total = float(xyz.sum()), float(covariance.sum())
    if total <= MIN_SIGNAL_TO_NOISE * np.sqrt(var_total):
        low, high = _around_the_maximum(data, above)
        raise MethodError(
            "The visible light does not stand above the error of the offset, which counts most where the eye "
            "sees best. Measure longer, or narrow the window to the emission, here some "
            f"{low:.0f} to {high:.0f} nm."
        )
    _check_it_is_the_emission(data, above, weights, total)
    values, warnings, notes = _values(xyz, covariance, np.array(colour.WHITES[params.white]))
    warnings = [*data.warnings, *_truncated(data, above), *warnings]
    notes |= {"offset": y0.level, "intensity counts": "photons" if photons else "energy", **done}
    energy = above / data.x if photons else above
    curve = Curve("energy", data.x, energy / np.abs(energy).max(), "wavelength", "nm", "relative energy", "1")
    return Outcome(tuple(values), (curve,), tuple(warnings), notes)


def _variance(data: Spectrum, correction: Correction | None) -> Array:
    """(N,) of each point: the detector's noise carried through the correction."""
    gain, var_gain = (1.0, 0.0) if correction is None else correction.at(data.x)
    y = data.y / gain
    edge = edge_points(data.x)
    level = float(np.median(np.concatenate([y[:edge], y[-edge:]])))
    if float(peaks.running_mean(y, 2).max()) <= level:
        raise MethodError("No light stands above the ends of the scan; widen the scan or the window.")
    return np.asarray(gain**2 * tails.noise_variance(y) + y**2 * var_gain)


@dataclass(frozen=True)
class Offset:
    """parts : (N,) how far it moves with each point"""

    level: float
    variance: float
    parts: Array


def _offset(data: Spectrum, variance: Array) -> Offset:
    """y₀. A median of n normal numbers varies π/2 times as much as their mean."""
    edge = edge_points(data.x)
    place = np.arange(data.x.size)
    ends = place < edge, place >= data.x.size - edge
    low, high = sorted((_median(data.y, variance, end) for end in ends), key=lambda end: end.level)
    if high.level - low.level > ENDS_DIFFER_SIGMAS * np.sqrt(low.variance + high.variance):
        return low  # the other end still emits
    return _median(data.y, variance, ends[0] | ends[1])


def _median(y: Array, variance: Array, of: NDArray[np.bool_]) -> Offset:
    typical, points = float(np.mean(1 / np.sqrt(variance[of]))) ** -2, int(of.sum())
    return Offset(float(np.median(y[of])), typical * np.pi / 2 / points, of / points)


def _check_there_is_light(data: Spectrum, above: Array) -> None:
    smooth = peaks.running_mean(above, 2)
    if float(smooth.max()) < MIN_SIGNAL_TO_NOISE * peaks.noise_sigma(data.y):
        raise MethodError("No light stands above the noise; measure longer or narrow the window.")


def _around_the_maximum(data: Spectrum, above: Array) -> tuple[float, float]:
    """Half a width at half maximum beyond it on either side."""
    smooth = peaks.running_mean(above, 4)
    top = int(smooth.argmax())
    low = np.flatnonzero(smooth[:top] < smooth[top] / 2)
    high = np.flatnonzero(smooth[top:] < smooth[top] / 2)
    left = data.x[low[-1]] if low.size else data.x[0]
    right = data.x[top + high[0]] if high.size else data.x[-1]
    beyond = (right - left) / 2
    return max(float(left - beyond), float(data.x[0])), min(float(right + beyond), float(data.x[-1]))


def _check_it_is_the_emission(data: Spectrum, above: Array, weights: Array, total: float) -> None:
    """The eye is a thousand times less sensitive to 760 nm than to its background at 560 nm."""
    smooth = peaks.running_mean(above, 2)
    foot = smooth < FOOT * float(smooth.max())
    share = float(np.abs(weights[:, foot] @ above[foot]).sum()) / total
    if share > MOST_FROM_FOOT:
        raise MethodError(
            f"{100 * min(share, 1):.0f} % of the visible light comes from where the spectrum is below "
            f"{100 * FOOT:.0f} % of its maximum at {data.x[int(smooth.argmax())]:.0f} nm: it would be the "
            "colour of the background. Choose a window around the emission, or measure with less stray light."
        )


def _in_photons(data: Spectrum, asked: str) -> bool:
    if asked != "auto":
        return asked == "photons"
    return not is_energy(data.y_unit)


def _truncated(data: Spectrum, above: Array) -> list[str]:
    """An end of the scan, inside the visible, where the sample still emits."""
    weights = peaks.trapezoid_weights(data.x)
    total = float(weights @ above)
    said = []
    for end, near in (
        (data.x[0], data.x <= data.x[0] + EDGE_NM),
        (data.x[-1], data.x >= data.x[-1] - EDGE_NM),
    ):
        share = float(weights[near] @ above[near]) / total if total > 0 else 0.0
        if share > MOST_AT_EDGE and 380 < end < 780:
            said.append(
                f"{100 * share:.2g} % of the light lies within {EDGE_NM:g} nm of the end of the scan at "
                f"{end:g} nm: it is cut off there, and this is the colour of the rest. Scan further."
            )
    return said


def _values(
    xyz: Array, covariance: Array, white: Array
) -> tuple[list[Result], list[str], dict[str, float | str]]:
    def derived(of_xyz: Array) -> Array:
        xy = colour.chromaticity(of_xyz)
        return np.concatenate([xy, colour.uv_prime(xy), colour.dominant_wavelength(xy, white)])

    found, errors = propagation.linear(derived, xyz, covariance)
    sigma = np.sqrt(np.maximum(np.diag(errors), 0.0))
    keys = ("cie_x", "cie_y", "cie_u_prime", "cie_v_prime")
    values = [Result(key, float(found[n]), float(sigma[n])) for n, key in enumerate(keys)]
    warnings = []
    xy, wavelength, spread = found[:2], float(found[4]), float(sigma[4])
    away, sigma_away = float(np.hypot(*(xy - white))), float(np.hypot(*sigma[:2]))
    notes: dict[str, float | str] = {"correlation of x and y": _correlation(errors)}
    bends, either_side = _hue(xy, errors[:2, :2], white)
    certain = away >= 3 * sigma_away and not bends
    if not certain:
        warnings.append(
            "The hue is not certain enough for a dominant wavelength and a purity; they are left out."
        )
    elif wavelength < 0:
        notes["complementary wavelength, nm"] = -wavelength
        warnings.append(
            f"A purple colour has no dominant wavelength; its complementary one is {-wavelength:.1f} nm."
        )
    else:
        values.append(Result("dominant_wavelength", wavelength, max(spread, either_side)))
    if certain:
        values.append(Result("excitation_purity", float(found[5]), float(sigma[5])))
    more, said = _temperature(xyz, covariance, xy)
    return values + more, warnings + said, notes


def _hue(xy: Array, covariance: Array, white: Array) -> tuple[bool, float]:
    """Whether the locus bends too much within the error of the colour for a wavelength with one sigma, as in
    the corners of deep red and violet; and how far one sigma of the colour moves it, to the farther side."""
    lengths, axes = np.linalg.eigh(covariance)
    along = axes[:, -1] * np.sqrt(max(float(lengths[-1]), 0.0))
    far_below, below, here, above, far_above = (
        colour.dominant_wavelength(xy + step * along, white)[0] for step in (-4, -1, 0, 1, 4)
    )
    either_side = float(max(abs(above - here), abs(here - below)))
    if not (min(far_below, below, here, above, far_above) > 0 or max(far_below, below, above, far_above) < 0):
        return True, either_side
    bend = abs(far_above + far_below - 2 * here)
    return bool(bend > MOST_BEND * abs(far_above - far_below) + 1e-6), either_side


def _correlation(covariance: Array) -> float:
    size = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
    return float(covariance[0, 1]) / size if size > 0 else 0.0


def _temperature(xyz: Array, covariance: Array, xy: Array) -> tuple[list[Result], list[str]]:
    near = colour.nearest_planckian(xy)
    if near is None:
        return [], []  # a saturated colour: nobody expects a temperature of it

    def derived(of_xyz: Array) -> Array:
        at = colour.chromaticity(of_xyz)
        again = colour.nearest_planckian(at)
        return np.array([colour.mccamy(at), near[1] if again is None else again[1]])

    found, errors = propagation.linear(derived, xyz, covariance)
    sigma = np.sqrt(np.maximum(np.diag(errors), 0.0))
    values = [Result("duv", float(found[1]), float(sigma[1]))]
    low, high = colour.MCCAMY_K
    if abs(found[1]) > colour.LARGEST_DUV:
        return values, []
    if not low <= found[0] <= high:
        return values, [
            f"McCamy's polynomial gives {found[0]:.0f} K, outside its {low:.0f} to {high:.0f} K; no colour "
            "temperature is given."
        ]
    return [Result("cct", float(found[0]), float(sigma[0])), *values], []

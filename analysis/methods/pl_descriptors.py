"""What a PL spectrum looks like, without a model: top, width, centroid, integral, asymmetry. Row A-01."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods import _pl_shape as shape
from analysis.methods._corrections import CORRECT_PARAM, DARK, SPECTRAL, corrected
from analysis.methods._pl_flags import flags
from analysis.methods._spectra import COUNTS_PER_SECOND, HC_EV_NM, Spectrum, spectrum
from analysis.methods.base import (
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
from analysis.numerics import peaks

METHOD = Method(
    title="PL: shape of the spectrum",
    version=3,
    accepts=(
        Role("sample", ("pl",), help="Emission spectrum against wavelength in nm.", axes=("wavelength",)),
        DARK,
        SPECTRAL,
    ),
    properties=(
        Property("pl_max_position", "PL maximum", "nm", html="λ<sub>max</sub>"),
        Property("pl_max_intensity", "PL intensity at the maximum, above the background", "counts", True),
        Property("pl_fwhm", "PL full width at half maximum", "nm", False),
        Property("pl_centroid", "PL centroid", "nm"),
        Property(
            "pl_integrated_intensity", "PL intensity, integrated above the background", "counts·nm", True
        ),
        Property("pl_asymmetry", "PL asymmetry, red half width over blue", "1"),
        Property(
            "pl_max_energy",
            "PL maximum per eV",
            "eV",
            html="E<sub>max</sub>",
            help="Of the spectrum over photon energy; not hc over the maximum per nm.",
        ),
        Property("pl_fwhm_energy", "PL full width at half maximum over energy", "eV", False),
        Property(
            "pl_brightness",
            "PL brightness",
            "counts·nm/s/mW",
            True,
            help="Integrated intensity over integration time and excitation power.",
        ),
    ),
    reference=(
        "Hou et al., Science 374 (2021) 621, doi:10.1126/science.abf4460, Fig. 1C; "
        "Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Supplementary Information 9"
    ),
    description=(
        "Background y₀: median of the outer 5 % of points. Maximum: parabola through the top five "
        "points. Width: linear interpolation at half of (maximum − y₀). Centroid and integral: "
        "trapezoidal, above y₀, over the window. Where the noise is larger than what those few points "
        "span, parabola and lines use more of them. Sigmas are propagated from the noise, which is "
        "estimated from fourth differences as read noise plus, where that is sure, shot noise. Dark counts "
        "and spectral correction of the instrument, where valid ones are known, are applied first, and the "
        "scatter of both goes into the sigmas; a common error of the whole correction curve does not. Over "
        "energy: I(E) = (I(λ) − y₀)·λ²/hc, the same constructions on that. Brightness: the integral over "
        "time and power where the measurement states both; an error of these is not in its sigma."
    ),
)

MIN_SIGNAL_TO_NOISE = 5.0


@dataclass(frozen=True)
class Params:
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")
    correct: bool = CORRECT_PARAM
    accumulations: str = param(
        "averaged",
        choices=("averaged", "added"),
        help="What the instrument does with several accumulations; counts for the brightness.",
    )


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    sample, correction, done = corrected(datasets, params.correct)
    data = spectrum(sample, params.window_min_nm, params.window_max_nm, datasets["sample"])
    level = shape.outer_median(data)
    smooth = peaks.running_mean(data.y, 2)
    height = float(smooth.max()) - level
    noise = peaks.noise_sigma(data.y)
    if height < MIN_SIGNAL_TO_NOISE * noise:
        raise MethodError("No peak stands above the noise; measure longer or narrow the window.")
    variance = shape.variance_of(data, correction)
    background = shape.background_of(data, level, variance)
    line = shape.line_through(data.x, data.y, variance, background)
    if line is None:
        raise MethodError(
            "The spectrum has no rounded maximum inside the window; widen the scan or the window."
        )
    fwhm_points = float((smooth > level + height / 2).sum())
    flagged = flags(data, sample, variance, background.level, line.top.x, fwhm_points)
    values, warnings = _values(data, line)
    bright, said = _brightness(data, line, sample, params)
    notes = {
        "background": background.level,
        "background sigma": float(np.sqrt(background.variance)),
        "noise": noise,
        "signal_to_noise": (line.top.y - background.level) / noise,
        "hc over the maximum per nm, eV": HC_EV_NM / line.top.x,
        **done,
        **said,
    }
    curves = (
        Curve("data", data.x, data.y, "wavelength", "nm", data.y_name, data.y_unit),
        Curve("offset", data.x, 0 * data.y + background.level, "wavelength", "nm", data.y_name, data.y_unit),
    )
    everything = (*data.warnings, *flagged, *warnings, *_about_accumulations(sample, params, bool(bright)))
    return Outcome((*values, *bright), curves, everything, notes)


def _result(key: str, found: shape.Measured) -> Result:
    return Result(key, found.value, float(np.sqrt(found.variance)))


def _values(data: Spectrum, line: shape.Line) -> tuple[list[Result], list[str]]:
    warnings = []
    top, background = line.top, line.background
    values = [Result("pl_max_position", top.x, float(np.sqrt(top.var_x)))]
    if data.in_counts:
        height = shape.Measured(top.y - background.level, top.var_y + background.variance)
        values.append(_result("pl_max_intensity", height))
    moments = shape.moments(data, line.variance, background)
    if moments is None:
        warnings.append(
            "The integral above the background is not above zero; centroid and integral are left out."
        )
    else:
        values.append(_result("pl_centroid", moments[0]))
        if data.in_counts:
            values.append(_result("pl_integrated_intensity", moments[1]))
    widths = shape.widths(line)
    if widths is None:
        warnings.append(
            "The peak does not fall to half its height on both sides of the window: no width is given."
        )
    else:
        values += [_result("pl_fwhm", widths[0]), _result("pl_asymmetry", widths[1])]
    return [*values, *_over_energy(data, line)], warnings


def _over_energy(data: Spectrum, line: shape.Line) -> list[Result]:
    """Nothing where the maximum per eV is not inside the window."""
    at_top = line.top.x**2 / HC_EV_NM
    flat = shape.Background(0.0, line.background.variance * at_top**2)
    turned = shape.line_through(*shape.over_energy(data, line.variance, line.background), flat)
    if turned is None:
        return []
    values = [Result("pl_max_energy", turned.top.x, float(np.sqrt(turned.top.var_x)))]
    widths = shape.widths(turned)
    return values if widths is None else [*values, _result("pl_fwhm_energy", widths[0])]


def _number(sample: Dataset, name: str, unit: str) -> float | None:
    """A positive condition in its unit, None where it is not stated."""
    stated = sample.conditions.get(name)
    if stated is None or isinstance(stated.value, str) or stated.unit != unit:
        return None
    return float(stated.value) if np.isfinite(stated.value) and stated.value > 0 else None


def _brightness(
    data: Spectrum, line: shape.Line, sample: Dataset, params: Params
) -> tuple[list[Result], dict[str, float | str]]:
    """The integral over time and power; nothing unless both are known: half a normalisation is none. Counts
    per second are over time already."""
    is_rate = data.y_unit.strip().lower() in COUNTS_PER_SECOND
    moments = shape.moments(data, line.variance, line.background) if is_rate or data.in_counts else None
    time_s = 1.0 if is_rate else _number(sample, "exposure_time", "s") or _number(sample, "dwell_time", "s")
    power_mw = _power_mw(sample)
    if moments is None or time_s is None or power_mw is None:
        return [], {}
    if params.accumulations == "added" and not is_rate:
        time_s *= _number(sample, "accumulations", "1") or 1.0
    per = time_s * power_mw
    if not 1e-30 < per < 1e30:
        return [], {}
    said: dict[str, float | str] = {"excitation power mW": power_mw}
    if not is_rate:
        said["integration time s"] = time_s
    integral = moments[1]
    sigma = float(np.sqrt(integral.variance)) / per
    return [Result("pl_brightness", integral.value / per, sigma)], said


def _power_mw(sample: Dataset) -> float | None:
    """As stated, else the irradiance on the spot."""
    stated = _number(sample, "laser_power", "mW")
    irradiance = _number(sample, "irradiance", "mW/cm²")
    spot_mm = _number(sample, "spot_diameter", "mm")
    if stated is not None or irradiance is None or spot_mm is None:
        return stated
    return irradiance * float(np.pi) / 4 * (spot_mm / 10) ** 2


def _about_accumulations(sample: Dataset, params: Params, bright: bool) -> list[str]:
    several = _number(sample, "accumulations", "1") or 1.0
    is_rate = sample.signal.unit.strip().lower() in COUNTS_PER_SECOND
    if not bright or is_rate or several <= 1 or params.accumulations == "added":
        return []
    return [
        f"The {several:g} accumulations are taken as averaged; if the instrument adds them, set "
        "accumulations to added, or the brightness is too high."
    ]

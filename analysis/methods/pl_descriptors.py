"""What a PL spectrum looks like, without a model: top, width, centroid, integral, asymmetry. Row A-01."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods._corrections import DARK, SPECTRAL, Correction, corrected
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
from analysis.numerics import peaks
from analysis.numerics.gaussians import edge_points

METHOD = Method(
    title="PL: shape of the spectrum",
    version=2,
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
        "estimated from fourth differences, separately below a twentieth and above half of the height if"
        " they differ. Dark counts and spectral correction of the instrument, where valid ones are known, "
        "are applied first, and the scatter of both goes into the sigmas; a common error of the whole "
        "correction curve does not."
    ),
)

MIN_SIGNAL_TO_NOISE = 5.0


@dataclass(frozen=True)
class Params:
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")
    correct: bool = param(
        True, help="Subtract the instrument's dark counts and apply its spectral correction, where known."
    )


@dataclass(frozen=True)
class Background:
    level: float
    variance: float


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    given = datasets if params.correct else {"sample": datasets["sample"]}
    sample, correction, done = corrected(given)
    data = spectrum(sample, params.window_min_nm, params.window_max_nm)
    step = float(np.median(np.diff(data.x)))
    background_level = _outer_median(data)
    smooth = peaks.running_mean(data.y, 2)
    height = float(smooth.max()) - background_level
    noise = peaks.noise_sigma(data.y)
    if height < MIN_SIGNAL_TO_NOISE * noise:
        raise MethodError("No peak stands above the noise; measure longer or narrow the window.")
    variance = _variance(data, correction)
    background = _background(data, background_level, variance)
    rough_fwhm = max(float((smooth > background_level + height / 2).sum()) * step, 2 * step)
    ratio = float(np.sqrt(variance[int(smooth.argmax())])) / height

    top = peaks.top(data.x, data.y, variance, peaks.points_for_top(rough_fwhm, step, ratio))
    if top is None:
        raise MethodError(
            "The spectrum has no rounded maximum inside the window; widen the scan or the window."
        )
    half = peaks.points_for_flank(rough_fwhm, step, ratio)
    values, warnings = _values(data, variance, background, top, half)
    notes = {
        "background": background.level,
        "background sigma": float(np.sqrt(background.variance)),
        "noise": noise,
        "signal_to_noise": (top.y - background.level) / noise,
        **done,
    }
    curves = (
        Curve("data", data.x, data.y, "wavelength", "nm", data.y_name, data.y_unit),
        Curve("offset", data.x, 0 * data.y + background.level, "wavelength", "nm", data.y_name, data.y_unit),
    )
    return Outcome(values, curves, (*data.warnings, *warnings), notes)


def _variance(data: Spectrum, correction: Correction | None) -> Array:
    """(N,) of each point: the noise is the detector's, so it is judged before the correction and carried
    through it, var(y·g) = g²·var(y) + y²·var(g)."""
    if correction is None:
        gain, var_gain = np.ones_like(data.y), np.zeros_like(data.y)
    else:
        gain, var_gain = correction.at(data.x)
    y = data.y / gain
    smooth = peaks.running_mean(y, 2)
    edge = edge_points(data.x)
    level = float(np.median(np.concatenate([y[:edge], y[-edge:]])))
    variance = peaks.noise_variance(y, smooth, level, float(smooth.max()) - level)
    return np.asarray(gain**2 * variance + y**2 * var_gain)


def _outer(data: Spectrum) -> Array:
    edge = edge_points(data.x)
    return np.concatenate([data.y[:edge], data.y[-edge:]])


def _outer_median(data: Spectrum) -> float:
    return float(np.median(_outer(data)))


def _background(data: Spectrum, level: float, variance: Array) -> Background:
    """The median of n normal numbers varies π/2 times as much as their mean; of uneven ones, as if each had
    the harmonic mean of their σ, for the quiet points lie densest around it."""
    edge = edge_points(data.x)
    outer = np.sqrt(np.concatenate([variance[:edge], variance[-edge:]]))
    typical = float(np.mean(1 / outer)) ** -2
    return Background(level, typical * np.pi / 2 / (2 * edge))


def _values(
    data: Spectrum, variance: Array, background: Background, top: peaks.Point, half: int
) -> tuple[tuple[Result, ...], list[str]]:
    warnings = []
    values = [Result("pl_max_position", top.x, float(np.sqrt(top.var_x)))]
    if data.in_counts:
        sigma = float(np.sqrt(top.var_y + background.variance))
        values.append(Result("pl_max_intensity", top.y - background.level, sigma))
    moments = _moments(data, variance, background)
    if moments:
        values += moments
    else:
        warnings.append(
            "The integral above the background is not above zero; centroid and integral are left out."
        )
    width = _half_height(data, variance, background, top, half)
    if width:
        values += width
    else:
        warnings.append(
            "The peak does not fall to half its height on both sides of the window: no width is given."
        )
    return tuple(values), warnings


def _half_height(
    data: Spectrum, variance: Array, background: Background, top: peaks.Point, half: int
) -> list[Result]:
    level, var_level = (top.y + background.level) / 2, (top.var_y + background.variance) / 4
    start = int(np.argmin(np.abs(data.x - top.x)))
    left = peaks.crossing(data.x, data.y, variance, level, start, -1, half)
    right = peaks.crossing(data.x, data.y, variance, level, start, +1, half)
    if left is None or right is None or not left.x < top.x < right.x:
        return []
    blue, red = top.x - left.x, right.x - top.x
    moved = 1 / left.slope - 1 / right.slope  # both flanks move when the level does
    var_fwhm = left.var_x + right.var_x + moved**2 * var_level
    by_level = -(1 / right.slope) / blue - red / blue**2 / left.slope
    by_top = -1 / blue - red / blue**2
    var_asymmetry = (
        right.var_x / blue**2
        + left.var_x * red**2 / blue**4
        + by_top**2 * top.var_x
        + by_level**2 * var_level
    )
    return [
        Result("pl_fwhm", red + blue, float(np.sqrt(var_fwhm))),
        Result("pl_asymmetry", red / blue, float(np.sqrt(var_asymmetry))),
    ]


def _moments(data: Spectrum, variance: Array, background: Background) -> list[Result]:
    """Integral and centroid above the background, which shifts all points together."""
    weights = peaks.trapezoid_weights(data.x)
    above = data.y - background.level
    integral = float(weights @ above)
    var_integral = float(weights**2 @ variance) + float(weights.sum()) ** 2 * background.variance
    if integral <= 3 * np.sqrt(var_integral):
        return []
    centroid = float((weights * data.x) @ above) / integral
    arm = weights * (data.x - centroid) / integral
    var_centroid = float(arm**2 @ variance) + float(arm.sum()) ** 2 * background.variance
    values = [Result("pl_centroid", centroid, float(np.sqrt(var_centroid)))]
    if data.in_counts:
        values.append(Result("pl_integrated_intensity", integral, float(np.sqrt(var_integral))))
    return values

"""A map of spectra as maps of the height, centre and width of its one peak, and what they say together.

The working half of `pl_map_gaussian` and `cl_map_gaussian`; not a method itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods._axes import POSITION, WAVELENGTH, kind_of
from analysis.methods._pl_series import saturation
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
    progress,
)
from analysis.numerics import peak_maps
from analysis.numerics.least_squares import Model, covariances
from analysis.numerics.ranks import spearman, spearman_sigma
from analysis.numerics.spikes import without_spikes

MIN_PIXELS, MIN_POINTS = 20, 15
LARGEST = 1e100
CHUNK = 256
SAME_NM = 1e-3  # centres closer than this need no finer histogram
LEANS_ON_NORMAL = 100  # pixels
FWHM_PER_SIGMA = float(np.sqrt(8 * np.log(2)))


DESCRIPTION = (
    "Up to three points in a row that no neighbour of a pixel knows are taken for cosmic rays; then one "
    "Gaussian on a level (or a line) is fitted to every pixel. Pixels whose peak is lower than five times "
    "the noise are left out. Centre and width: medians over the map, with the order statistics that enclose "
    "them as sigma. Spread: standard deviation of the centres without what the fits' own errors add. Maps "
    "are given as lines over the number of the pixel, row after row."
)


def declared(technique: str, prefix: str, *, version: int) -> Method:
    """The same method for another kind of light: its values are called by `prefix`."""
    light = technique.upper()
    return Method(
        title=f"{light}: map of the peak",
        version=version,
        accepts=(
            Role(
                "sample",
                (technique,),
                help="A spectrum at every place of a map, against wavelength in nm.",
                axes=("position", "position", "wavelength"),
            ),
        ),
        properties=_properties(prefix, light),
        reference="Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Fig. 2c-f, SI 11, 12",
        equation="y = a · exp(−(λ − c)²/2σ²) + b",
        description=DESCRIPTION,
        time_limit_s=300,
    )


def _properties(prefix: str, light: str) -> tuple[Property, ...]:
    own = "cl_peak" if prefix == "cl" else prefix
    over = "over the map"
    return (
        Property(f"{own}_center", f"{light} peak centre", "nm"),
        Property(f"{own}_spread", f"{light} peak centre, spread {over}", "nm", False),
        Property(f"{prefix}_fwhm", f"{light} full width at half maximum, median {over}", "nm", False),
        Property(
            f"{prefix}_center_brightness_rank",
            f"{light} centre against height, rank correlation {over}",
            "1",
            help="Below zero: brighter places emit at shorter wavelength.",
        ),
        Property(
            f"{prefix}_bright_share", f"{light}: share of the map with a peak", "1", True, as_percent=True
        ),
    )


@dataclass(frozen=True)
class MapParams:
    background: str = param(
        "level", choices=("level", "line"), help="Under the peak: one level, or a straight line."
    )
    min_signal_to_noise: float = param(
        5.0,
        min=1.0,
        max=1000.0,
        help="Pixels whose peak is lower than this many standard deviations are left out.",
    )
    remove_cosmic_rays: bool = param(True, help="Replace points that no neighbour of the pixel knows.")
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")


@dataclass(frozen=True)
class Cube:
    """x : (N,) nm; y : (rows, columns, N)"""

    x: Array
    y: Array
    y_name: str
    y_unit: str


@dataclass(frozen=True)
class Seen:
    """Of the P pixels with a peak: their place, their fits, and the variance of their centre and σ (HC3)."""

    pixels: NDArray[np.intp]
    params: Array
    variances: Array
    spectra: Array


def outcome(dataset: Dataset, params: MapParams, prefix: str) -> Outcome:
    cube, warnings = _cube(dataset, params)
    y = cube.y
    warnings += saturation(y, "pixels")
    if params.remove_cosmic_rays:
        y, spikes = without_spikes(y, (0, 1))
        if spikes:
            warnings.append(
                f"{spikes} points were taken for cosmic rays and replaced by those of neighbours."
            )
    progress(0.2, "peaks are fitted")
    seen, finite = _seen(cube, y.reshape(-1, cube.x.size), params)
    count = seen.pixels.size
    total = y.shape[0] * y.shape[1]
    if count < MIN_PIXELS:
        raise MethodError(
            f"In {count} of {total} pixels a peak stands {params.min_signal_to_noise:g} times above the "
            f"noise; at least {MIN_PIXELS} are needed. Measure longer, add up pixels or narrow the window."
        )
    if finite < total:
        warnings.append(f"{total - finite} pixels hold values that are not finite numbers and are left out.")
    centre, width, height = seen.params[:, 1], seen.params[:, 2], seen.params[:, 0]
    spread, spread_sigma = _spread(centre, seen.variances[:, 0])
    middle, middle_sigma = _median(width)
    rho, _ = spearman(height, centre)
    share = count / total
    own = "cl_peak" if prefix == "cl" else prefix
    values = [
        Result(f"{own}_center", *_median(centre)),
        Result(f"{own}_spread", spread, spread_sigma),
        Result(f"{prefix}_fwhm", FWHM_PER_SIGMA * middle, FWHM_PER_SIGMA * middle_sigma),
        Result(
            f"{prefix}_bright_share", share, float(np.sqrt(max(share * (1 - share), 0.25 / total) / total))
        ),
    ]
    if np.isfinite(rho):
        values.append(Result(f"{prefix}_center_brightness_rank", rho, spearman_sigma(rho, count)))
    notes = {
        "pixels": float(total),
        "pixels with a peak": float(count),
        "columns of the map": float(y.shape[1]),
        "median standard error of a centre (nm)": float(np.median(np.sqrt(seen.variances[:, 0]))),
        "median standard deviation of the peak (nm)": float(np.median(width)),
    }
    return Outcome(tuple(values), _curves(cube, seen), tuple(warnings), notes)


def _cube(dataset: Dataset, params: MapParams) -> tuple[Cube, list[str]]:
    values = dataset.signal.values
    if values.ndim != 3:
        shape = " × ".join(str(size) for size in values.shape)
        raise MethodError(f"A map of spectra is expected, but this dataset has the shape {shape}.")
    if values.shape[0] * values.shape[1] < MIN_PIXELS:
        raise MethodError(f"A map of at least {MIN_PIXELS} pixels is needed.")
    for axis in dataset.axes[:2]:
        if kind_of(axis.unit) not in (POSITION, WAVELENGTH, ""):  # a place may be in nm
            raise MethodError(f"A map runs over two lengths, this one over “{axis.unit}”; check the axes.")
    last = dataset.axes[2]
    if kind_of(last.unit) not in (WAVELENGTH, ""):
        raise MethodError(f"The spectra run over “{last.unit}”; export them against wavelength in nm.")
    x, y = np.asarray(last.values, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.size < MIN_POINTS or not np.all(np.isfinite(x)) or x.min() < 10 or x.max() > 100_000:
        raise MethodError("The last axis is not a wavelength in nm; check the axes.")
    if x[0] > x[-1]:
        x, y = x[::-1], y[..., ::-1]
    if np.any(np.diff(x) <= 1e-6):
        raise MethodError("The wavelengths do not increase from point to point; sort the file.")
    low = x[0] if params.window_min_nm is None else params.window_min_nm
    high = x[-1] if params.window_max_nm is None else params.window_max_nm
    inside = (x >= low) & (x <= high)
    if inside.sum() < MIN_POINTS:
        raise MethodError(f"{inside.sum()} wavelengths in the window; at least {MIN_POINTS} are needed.")
    x, y = x[inside], y[..., inside]
    if not np.nanmax(np.abs(y), initial=0.0) <= LARGEST:
        raise MethodError("Some intensities are beyond any detector's; check the file.")
    return Cube(x, y, dataset.signal.name or "intensity", dataset.signal.unit), []


def _seen(cube: Cube, spectra: Array, params: MapParams) -> tuple[Seen, int]:
    level = params.background == "level"
    fits = peak_maps.fit(cube.x, spectra, level=level)
    noise = np.sqrt(fits.ssr / max(cube.x.size - (4 if level else 5), 1))
    height, sigma = fits.params[:, 0], fits.params[:, 2]
    good = fits.converged & (height >= params.min_signal_to_noise * noise)
    good &= (sigma < 0.5 * np.ptp(cube.x)) & (height < 100 * np.ptp(spectra, axis=1))
    pixels = np.flatnonzero(good)
    parts = []
    for place in range(0, pixels.size, CHUNK):
        rows = pixels[place : place + CHUNK]
        parts.append(_variances(cube.x, spectra[rows], fits.params[rows], level))
        progress(0.5 + 0.5 * place / pixels.size, "errors are estimated")
    variances = np.concatenate(parts) if parts else np.empty((0, 2))
    finite = int(np.isfinite(spectra).all(axis=1).sum())
    return Seen(pixels, fits.params[pixels], variances, spectra[pixels]), finite


def _variances(x: Array, y: Array, params: Array, level: bool) -> Array:
    """(P, 2) of centre and σ, right also where brighter points are noisier."""
    scale = np.maximum(np.abs(params[:, 0]), 1e-300)[:, None]
    used = params[:, : 4 if level else 5].copy()
    used[:, [0, 3]] /= scale
    if not level:
        used[:, 4:] /= scale
    found = covariances(_model(x, level), y / scale, used)
    return np.stack([found.sandwich[:, 1, 1], found.sandwich[:, 2, 2]], axis=1)


def _model(x: Array, level: bool) -> Model:
    away = x - (x[0] + x[-1]) / 2

    def model(params: Array) -> tuple[Array, Array]:
        height, centre, sigma, offset = (column[:, None] for column in params.T[:4])
        u = (x - centre) / sigma
        shape = np.exp(-0.5 * u * u)
        by_centre = height * u * shape / sigma
        one = np.ones_like(shape)
        columns = [shape, by_centre, by_centre * u, one]
        curve = height * shape + offset
        if not level:
            columns.append(one * away)
            curve = curve + params[:, 4:] * away
        return curve, np.stack(columns, axis=1)

    return model


def _median(values: Array) -> tuple[float, float]:
    """The median, and half the distance between the order statistics that enclose it with 68 %.

    W. J. Conover, Practical Nonparametric Statistics, 3rd ed. (1999), 3.2.
    """
    away = 0.5 / np.sqrt(values.size)
    low, middle, high = np.quantile(values, [0.5 - away, 0.5, 0.5 + away])
    return float(middle), float(high - low) / 2


def _spread(values: Array, variances: Array) -> tuple[float, float]:
    """Standard deviation over the map without what the fits' own errors add, and its standard error.

    The fourth moment, which that needs, is itself unsure in a small map and then leans on a normal one.
    """
    usable = np.isfinite(variances)
    values, variances = values[usable], variances[usable]
    count = max(values.size, 2)
    off = values - values.mean()
    variance = float(off @ off) / (count - 1)
    own = count / (count + LEANS_ON_NORMAL)
    fourth = own * float(np.mean(off**4)) + (1 - own) * 3 * variance**2
    error = float(np.sqrt(max(fourth - variance**2, 0.0) / count))
    true = max(variance - float(variances.mean()), 0.0)
    spread = float(np.sqrt(true))
    # Where nothing is left, the variance is zero within its error, and so is its root.
    return spread, error / (2 * spread) if spread**2 > error else float(np.sqrt(error))


def _curves(cube: Cube, seen: Seen) -> tuple[Curve, ...]:
    """The mean spectrum with its mean fit, then each map as a line over the pixels, row after row."""
    mean = seen.spectra.mean(axis=0)
    fit = np.zeros_like(mean)
    for place in range(0, seen.pixels.size, CHUNK):
        fit += peak_maps.gaussian_on_line(cube.x, seen.params[place : place + CHUNK]).sum(axis=0)
    fit /= seen.pixels.size
    lines = {"data": mean, "fit": fit, "residual": mean - fit}
    curves = [
        Curve(name, cube.x, y, "wavelength", "nm", cube.y_name, cube.y_unit) for name, y in lines.items()
    ]
    counted, edges = histogram(seen.params[:, 1])
    middles = (edges[:-1] + edges[1:]) / 2
    curves.append(Curve("centre histogram", middles, counted.astype(float), "centre", "nm", "pixels", "1"))
    maps = {"height map": 0, "centre map": 1, "width map": 2}
    at = seen.pixels.astype(np.float64)
    for name, column in maps.items():
        unit = cube.y_unit if column == 0 else "nm"
        curves.append(Curve(name, at, seen.params[:, column], "pixel", "1", name.removesuffix(" map"), unit))
    return tuple(curves)


def histogram(centres: Array) -> tuple[Array, Array]:
    """Counts and edges, also where all centres are the same but for rounding."""
    around = max(0.0, SAME_NM - float(np.ptp(centres))) / 2
    counted, edges = np.histogram(
        centres,
        bins=min(50, max(10, int(np.sqrt(centres.size)))),
        range=(centres.min() - around, centres.max() + around),
    )
    return counted, edges

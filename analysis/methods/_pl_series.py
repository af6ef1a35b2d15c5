"""Spectra in a row: against time or temperature, each with its integral and its peak.

Not a method itself. Used by `photostability` and `photostability_trace`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.methods._axes import TEMPERATURE, TIME, WAVELENGTH, kind_of
from analysis.methods.base import Array, Dataset, MethodError
from analysis.numerics import peak_maps
from analysis.numerics.flat_tops import flat_tops
from analysis.numerics.gaussians import edge_points
from analysis.numerics.peaks import trapezoid_weights
from analysis.numerics.spikes import without_spikes
from measurements.data import Axis

MIN_SPECTRA, MIN_POINTS = 8, 15
MIN_SIGNAL_TO_NOISE = 5.0
LARGEST = 1e100
SECONDS = {
    "ps": 1e-12, "ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0,
    "h": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
WORDS = {TIME: "a time", TEMPERATURE: "a temperature"}


@dataclass(frozen=True)
class Series:
    """at : (N,) hours or °C, increasing; x : (M,) nm; y : (N, M)"""

    at: Array
    x: Array
    y: Array
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Frames:
    """Of N spectra: the integral above the background, and centre and width of the peak with their sigmas,
    NaN where no peak stands MIN_SIGNAL_TO_NOISE above the noise."""

    intensity: Array
    centre: Array
    centre_sigma: Array
    width: Array
    width_sigma: Array


def series(dataset: Dataset, kind: str, low_nm: float | None = None, high_nm: float | None = None) -> Series:
    """Raises MethodError when these are not spectra in a row."""
    if dataset.signal.values.ndim != 2:
        shape = " × ".join(str(size) for size in dataset.signal.values.shape)
        raise MethodError(f"A series of spectra is expected, but this dataset has the shape {shape}.")
    first, second = dataset.axes
    at, said = coordinate(first, kind)
    if kind_of(second.unit) not in (WAVELENGTH, ""):
        raise MethodError(f"The spectra run over “{second.unit}”; export them against wavelength in nm.")
    x = np.asarray(second.values, dtype=np.float64)
    y = np.asarray(dataset.signal.values, dtype=np.float64)
    at, y, more = _finite(at, y)
    if at.size < MIN_SPECTRA:
        raise MethodError(f"{at.size} spectra are too few; at least {MIN_SPECTRA} are needed.")
    x, y = _ascending(x, y)
    inside = (x >= (x[0] if low_nm is None else low_nm)) & (x <= (x[-1] if high_nm is None else high_nm))
    x, y = x[inside], y[:, inside]
    if x.size < MIN_POINTS:
        raise MethodError(f"{x.size} wavelengths in the window; at least {MIN_POINTS} are needed.")
    if np.abs(y).max() > LARGEST or np.ptp(y) < 1 / LARGEST:
        raise MethodError(f"Intensities from {y.min():g} to {y.max():g} are no detector's; check the file.")
    more += saturation(y, "spectra")
    y, spikes = without_spikes(y)
    if spikes:
        more.append(f"{spikes} points were taken for cosmic rays and replaced by those of their neighbours.")
    return Series(at, x, y, (*said, *more))


def saturation(y: Array, what: str) -> list[str]:
    """The sentence about them, if there are any; `what` they are, in the plural."""
    clipped = flat_tops(y)
    if not (count := int(clipped.sum())):
        return []
    return [
        f"In {count} of {clipped.size} {what} the maximum is flat: the detector was probably saturated, and "
        "what is said about intensities and peaks is wrong. Measure again with less light."
    ]


def coordinate(axis: Axis, kind: str) -> tuple[Array, list[str]]:
    """The first axis in hours or °C, in order."""
    unit = axis.unit.strip().lower()
    if kind_of(unit) != kind:
        what = f"is in “{axis.unit}”" if kind_of(unit) != "" else "has no unit"
        raise MethodError(f"The first axis {what}; {WORDS[kind]} is needed. Export it with its unit.")
    at = np.asarray(axis.values, dtype=np.float64)
    if at.size < MIN_SPECTRA:
        raise MethodError(f"{at.size} points are too few; at least {MIN_SPECTRA} are needed.")
    if not np.all(np.isfinite(at)) or np.abs(at).max() > LARGEST:
        raise MethodError(f"The first axis holds values that are not {WORDS[kind]}; check the file.")
    if kind == TIME:
        at = at * (SECONDS[unit] / 3600)
    elif unit == "k":
        at = at - 273.15
    if np.any(np.diff(at) <= 0) or np.ptp(at) < 1e-15:
        raise MethodError("The first axis does not increase from point to point; sort the file.")
    return at, []


def _finite(at: Array, y: Array) -> tuple[Array, Array, list[str]]:
    good = np.all(np.isfinite(y), axis=1)
    if good.all():
        return at, y, []
    lost = int((~good).sum())
    return at[good], y[good], [f"{lost} spectra hold values that are not finite numbers and are left out."]


def _ascending(x: Array, y: Array) -> tuple[Array, Array]:
    if not np.all(np.isfinite(x)) or x.size < 2 or x.min() < 10 or x.max() > 100_000:
        raise MethodError("The second axis is not a wavelength in nm; check the columns.")
    if x[0] > x[-1]:
        x, y = x[::-1], y[:, ::-1]
    if np.any(np.diff(x) <= 1e-6):
        raise MethodError("The wavelengths do not increase from point to point; sort the file.")
    return x, y


def above_background(data: Series) -> Array:
    """(N,) integrals above the median of the outer points."""
    edge = edge_points(data.x)
    outer = np.concatenate([data.y[:, :edge], data.y[:, -edge:]], axis=1)
    return np.asarray((data.y - np.median(outer, axis=1)[:, None]) @ trapezoid_weights(data.x))


def frames(data: Series) -> Frames:
    """Raises MethodError when the first spectrum has no peak to compare with."""
    intensity = above_background(data)
    fits = peak_maps.fit(data.x, data.y, level=True)
    noise = np.sqrt(fits.ssr / max(data.x.size - 4, 1))
    with np.errstate(invalid="ignore"):
        seen = fits.converged & (fits.params[:, 0] >= MIN_SIGNAL_TO_NOISE * noise)
    if not seen[0] or intensity[0] <= 0:
        raise MethodError(
            "No peak stands above the noise in the first spectrum, so there is nothing to compare the others "
            "with; measure longer or narrow the window."
        )
    picked = np.where(seen[:, None], fits.params, np.nan), np.where(seen[:, None], fits.errors, np.nan)
    return Frames(intensity, picked[0][:, 1], picked[1][:, 1], picked[0][:, 2], picked[1][:, 2])

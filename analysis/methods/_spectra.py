"""One emission spectrum on a nanometre axis: everything that is refused or flagged before any method looks.

Shared by the PL methods; not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.methods.base import Array, Dataset, MethodError

MIN_POINTS = 15
HC_EV_NM = 1239.841984  # E in eV is this over λ in nm (vacuum), CODATA 2018

NANOMETRES = {"nm", "nanometer", "nanometers", "nanometre", "nanometres"}
COUNTS = {"counts", "count", "cts", "ct"}
COUNTS_PER_SECOND = {"cps", "counts per second"} | {
    counts + per for counts in COUNTS for per in ("/s", "/sec", " s⁻¹", "·s⁻¹", " s-1", " s^-1")
}
UNSAID = {"", "1", "a.u.", "a.u", "au", "arb. u.", "arb. units", "arbitrary units", "rel. units"}


@dataclass(frozen=True)
class Spectrum:
    """x : (N,) nm, strictly increasing. y : (N,). in_counts : areas may be stored in counts·nm."""

    x: Array
    y: Array
    y_name: str
    y_unit: str
    in_counts: bool
    warnings: tuple[str, ...]


def spectrum(
    dataset: Dataset,
    window_min_nm: float | None = None,
    window_max_nm: float | None = None,
    as_measured: Dataset | None = None,
) -> Spectrum:
    """The part of a dataset inside the window, in order of wavelength.

    as_measured : the same before any correction, which leaves no two points of a clipped top equal
    Raises MethodError when it is not a spectrum that a peak could be found in.
    """
    if dataset.signal.values.ndim != 1:
        shape = " × ".join(str(size) for size in dataset.signal.values.shape)
        raise MethodError(f"One spectrum is expected, but this dataset has the shape {shape}.")
    axis, y = dataset.axes[0], np.asarray(dataset.signal.values, dtype=np.float64)
    x = np.asarray(axis.values, dtype=np.float64)
    if x.size == 0:
        raise MethodError("The spectrum is empty: it has no points.")
    _check_finite(x, y)
    warnings = _axis_warnings(axis.unit, x)
    _check_columns(x, y)
    _check_wavelengths(x)
    detected = y if as_measured is None else np.asarray(as_measured.signal.values, dtype=np.float64)
    _, detected = _inside(*_in_order(x, detected), window_min_nm, window_max_nm)
    x, y = _in_order(x, y)
    x, y = _inside(x, y, window_min_nm, window_max_nm)
    _check_range(x, y)
    in_counts, said = _counts(dataset.signal.unit)
    warnings += said + _saturation(x, detected)
    return Spectrum(x, y, dataset.signal.name or "intensity", dataset.signal.unit, in_counts, tuple(warnings))


def _check_finite(x: Array, y: Array) -> None:
    bad = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if bad.size:
        raise MethodError(
            f"{bad.size} of {x.size} points are not finite numbers, the first is point {bad[0] + 1} "
            f"({x[bad[0]]:g} nm: {y[bad[0]]:g}). Export the spectrum again without them."
        )


def _axis_warnings(unit: str, x: Array) -> list[str]:
    word = unit.strip().lower()
    if word in NANOMETRES:
        return []
    if word == "ev":
        if x.min() > 100:
            raise MethodError(
                f"The axis is said to be in eV but runs from {x.min():g} to {x.max():g}, as nanometres do; "
                "correct the unit, or export the file again."
            )
        raise MethodError(
            "The axis is in eV. Export the spectrum against wavelength in nm: the conversion also "
            "rescales the intensity (by E²), which only the instrument's software knows whether it has "
            "done."
        )
    if word in UNSAID and x.min() >= 150 and x.max() <= 3000:
        return [f"The file does not name the unit of its axis; {x.min():g} to {x.max():g} is taken as nm."]
    raise MethodError(f"The axis is in “{unit}”; this method needs a wavelength in nm. Export it in nm.")


def _check_columns(x: Array, y: Array) -> None:
    if _runs_like_wavelengths(y) and not _one_way(x):
        raise MethodError(
            f"The columns are swapped: the intensities run evenly from {y[0]:g} to {y[-1]:g} as wavelengths "
            "do, and the wavelengths do not. Export the spectrum again."
        )


def _runs_like_wavelengths(values: Array) -> bool:
    return bool(values.size >= MIN_POINTS and values.min() >= 150 and values.max() <= 3000) and _one_way(
        values
    )


def _one_way(values: Array) -> bool:
    steps = np.diff(values)
    return bool(np.all(steps > 0) or np.all(steps < 0))


def _check_wavelengths(x: Array) -> None:
    low, high = x.min(), x.max()
    if low >= 0.1 and high < 10:
        raise MethodError(
            f"The axis runs from {low:g} to {high:g}: photon energies in eV, not wavelengths in nm. Export "
            "the spectrum against wavelength in nm."
        )
    if low < 10 or high > 100_000:
        raise MethodError(f"An axis from {low:g} to {high:g} is not a wavelength in nm; check the columns.")


def _in_order(x: Array, y: Array) -> tuple[Array, Array]:
    if x.size > 1 and np.all(np.diff(x) < 0):
        x, y = x[::-1], y[::-1]
    steps = np.diff(x)
    if np.any(steps == 0):
        repeated = x[int(np.argmax(steps == 0))]
        raise MethodError(f"The wavelength {repeated:g} nm occurs twice; export one scan at a time.")
    if np.any(steps < 0):
        turn = x[int(np.argmax(steps < 0)) + 1]
        raise MethodError(f"The wavelengths run forwards and backwards (turn at {turn:g} nm); sort the file.")
    return x, y


def _inside(x: Array, y: Array, low: float | None, high: float | None) -> tuple[Array, Array]:
    if low is not None and high is not None and low > high:
        raise MethodError(f"The window from {low:g} to {high:g} nm is empty; swap its limits.")
    low, high = (x[0] if low is None else low), (x[-1] if high is None else high)
    inside = (x >= low) & (x <= high)
    x, y = x[inside], y[inside]
    if x.size < MIN_POINTS:
        raise MethodError(
            f"{x.size} points between {low:g} and {high:g} nm; at least {MIN_POINTS} are needed."
        )
    return x, y


def _check_range(x: Array, y: Array) -> None:
    if np.diff(x).min() < 1e-6:
        raise MethodError(f"Points {np.diff(x).min():.1g} nm apart are no spectrometer's; check the columns.")
    if np.all(y <= 0):
        raise MethodError("No intensity is above zero; was the dark spectrum subtracted twice?")
    low, high, largest = y.min(), y.max(), np.max(np.abs(y))
    if low == high:
        raise MethodError(f"All {y.size} points have the same intensity, {low:g}: there is no peak.")
    if largest > 1e100 or high - low < max(1e-100, 1e-12 * largest):
        raise MethodError(f"Intensities from {low:g} to {high:g} are no detector's; check the columns.")


def _counts(unit: str) -> tuple[bool, list[str]]:
    word = unit.strip().lower()
    if word in COUNTS:
        return True, []
    if word in UNSAID:
        return True, ["The file gives no unit for the intensity; areas and heights are in its own counts."]
    return False, [f"The intensity is in {unit}, not in counts; areas, heights and offset are left out."]


def _saturation(x: Array, y: Array) -> list[str]:
    """Three or more identical maxima in a row are a clipped detector, not a peak."""
    top = np.concatenate([[False], y == y.max(), [False]])
    edges = np.flatnonzero(np.diff(top.astype(int)))
    lengths = edges[1::2] - edges[::2]
    longest = int(np.argmax(lengths))
    if lengths[longest] < 3:
        return []
    first, last = x[edges[2 * longest]], x[edges[2 * longest + 1] - 1]
    return [
        f"The maximum is flat from {first:g} to {last:g} nm ({lengths[longest]} equal points): the "
        "detector was probably saturated. Measure again with less light."
    ]

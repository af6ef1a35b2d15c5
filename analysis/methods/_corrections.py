"""Dark counts subtracted, spectral correction applied: what the instrument adds, before any method looks.

measured(λ) = truth(λ) / correction(λ) + dark(λ). Not a method itself (the underscore keeps it out of the
registry).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.methods._spectra import NANOMETRES, UNSAID
from analysis.methods.base import Array, Dataset, MethodError, Role, param
from analysis.numerics.peaks import noise_sigma
from measurements.data import Signal

DARK = Role(
    "dark",
    ("pl",),
    help="Dark counts on the same wavelengths, taken as long; subtracted.",
    required=False,
    calibration="dark",
)
SPECTRAL = Role(
    "spectral",
    ("pl",),
    help="By what to multiply at each wavelength, relative; interpolated.",
    required=False,
    calibration="spectral",
)
CORRECT_PARAM = param(
    True, help="Subtract the instrument's dark counts and apply its spectral correction, where known."
)
SAME_WAVELENGTH = 0.01  # of a step
SAME_TIME = 0.01
MIN_POINTS = 5


@dataclass(frozen=True)
class Correction:
    """By what a spectrum was multiplied. x : (N,) nm ascending, gain : (N,), variance : (N,) of the gain."""

    x: Array
    gain: Array
    variance: Array

    def at(self, x: Array) -> tuple[Array, Array]:
        return np.interp(x, self.x, self.gain), np.interp(x, self.x, self.variance)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused at the end
def corrected(
    datasets: Mapping[str, Dataset], wanted: bool = True
) -> tuple[Dataset, Correction | None, dict[str, float | str]]:
    """The sample's spectrum without what the instrument added, by what it was multiplied, and what was done.

    Raises MethodError when a calibration does not fit the spectrum: a number that was half corrected would
    look like any other.
    """
    sample = datasets["sample"]
    done: dict[str, float | str] = {}
    if not wanted:
        return sample, None, done
    if sample.signal.values.ndim != 1 or sample.signal.values.size == 0:
        return sample, None, done  # refused with its own sentence later
    y = np.asarray(sample.signal.values, dtype=np.float64)
    x = np.asarray(sample.axes[0].values, dtype=np.float64)
    if "dark" in datasets:
        dark = _dark(sample, datasets["dark"], x)
        y = y - dark
        done["dark counts"] = "subtracted"
        done["mean dark counts"] = float(np.mean(dark))
    correction = None
    if "spectral" in datasets:
        correction = _correction(datasets["spectral"], x)
        gain, _ = correction.at(x)
        y = y * gain
        done["spectral correction"] = "applied"
        done["largest correction over smallest"] = float(gain.max() / gain.min())
    if not done:
        return sample, None, done
    told = [value for value in done.values() if isinstance(value, float)]
    if not np.all(np.isfinite(told)) or np.any(np.isfinite(sample.signal.values) & ~np.isfinite(y)):
        raise MethodError(
            "Corrected with these calibrations, the spectrum holds numbers that are not finite. Look at the "
            "calibrations, or run it without correction."
        )
    return replace(sample, signal=replace(sample.signal, values=y, errors=None)), correction, done


def _dark(sample: Dataset, dark: Dataset, x: Array) -> Array:
    _same_settings(sample, dark)
    if dark.signal.unit.strip().lower() != sample.signal.unit.strip().lower():
        raise MethodError(
            f"The dark counts are in “{dark.signal.unit}”, the spectrum in “{sample.signal.unit}”; export "
            "both alike, or run it without correction."
        )
    dark_x, dark_y = _line("dark counts", dark)
    place = np.clip(np.searchsorted(dark_x, x), 1, dark_x.size - 1)
    place = place - (x - dark_x[place - 1] < dark_x[place] - x)
    away = np.abs(dark_x[place] - x)
    step = np.median(np.abs(np.diff(x))) if x.size > 1 else 1.0
    if not np.all(away <= SAME_WAVELENGTH * step):
        where = x[int(np.argmax(away))]
        raise MethodError(
            f"The dark counts have no point at {where:g} nm. Measure them on the same wavelengths as the "
            "spectrum, or run it without correction."
        )
    return np.asarray(dark_y[place])


def _same_settings(sample: Dataset, dark: Dataset) -> None:
    """Dark counts grow with the time; where both files tell it, it must be the same."""
    for name, words in (("exposure_time", "exposure"), ("dwell_time", "time per point")):
        ours, theirs = sample.conditions.get(name), dark.conditions.get(name)
        if ours is None or theirs is None:
            continue
        if isinstance(ours.value, str) or isinstance(theirs.value, str):
            continue
        if abs(ours.value - theirs.value) > SAME_TIME * abs(ours.value):
            raise MethodError(
                f"The dark counts were taken with {theirs.value:g} {theirs.unit} of {words}, the spectrum "
                f"with {ours.value:g} {ours.unit}. Measure them alike, or run it without correction."
            )


def _correction(dataset: Dataset, x: Array) -> Correction:
    at, gain = _line("spectral correction", dataset)
    if x.min() < at[0] or x.max() > at[-1]:
        raise MethodError(
            f"The spectral correction covers {at[0]:g} to {at[-1]:g} nm, the spectrum {x.min():g} to "
            f"{x.max():g} nm. Narrow the scan, or run it without correction."
        )
    if gain.min() <= 0:
        raise MethodError(
            f"The spectral correction is {gain.min():g} at {at[int(np.argmin(gain))]:g} nm; a factor is "
            "above zero. Withdraw it, or run it without correction."
        )
    errors = dataset.signal.errors
    if errors is not None and np.all(np.isfinite(errors)):
        order = np.argsort(dataset.axes[0].values)
        variance = np.asarray(errors, dtype=np.float64)[order] ** 2
    else:
        variance = np.full(gain.shape, noise_sigma(gain) ** 2)
    return Correction(at, gain, variance)


def _line(what: str, dataset: Dataset) -> tuple[Array, Array]:
    """A calibration's curve by ascending wavelength."""
    signal: Signal = dataset.signal
    if signal.values.ndim != 1 or signal.values.size < MIN_POINTS:
        raise MethodError(f"The {what} are not one curve of at least {MIN_POINTS} points; withdraw them.")
    unit = dataset.axes[0].unit.strip().lower()
    if unit not in NANOMETRES and unit not in UNSAID:
        raise MethodError(f"The {what} run over “{unit}”, not over a wavelength in nm; withdraw them.")
    x = np.asarray(dataset.axes[0].values, dtype=np.float64)
    y = np.asarray(signal.values, dtype=np.float64)
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        raise MethodError(f"The {what} hold points that are not finite numbers; withdraw them.")
    order = np.argsort(x)
    x, y = x[order], y[order]
    if np.any(np.diff(x) <= 0):
        raise MethodError(f"A wavelength occurs twice in the {what}; withdraw them.")
    return x, y

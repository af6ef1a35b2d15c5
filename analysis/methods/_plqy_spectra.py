"""The spectra of an integrating sphere, checked, with what each count is worth in photons. Not a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods._signal_units import is_energy, is_rate
from analysis.methods._spectra import NANOMETRES, UNSAID
from analysis.methods.base import Array, Dataset, MethodError

MIN_POINTS = 5
NM_FROM, NM_TO = 150.0, 3000.0  # where an axis without a unit is taken for nanometres
LARGEST, SMALLEST = 1e60, 1e-60  # of a signal; products of several must stay finite
WORDS = {
    "on_beam": "on-beam spectrum",
    "off_beam": "off-beam spectrum",
    "empty": "spectrum of the empty sphere",
    "on_beam_emission": "on-beam emission",
    "off_beam_emission": "off-beam emission",
    "empty_emission": "emission range of the empty sphere",
    "reference": "reference spectrum",
    "sphere": "sphere calibration",
}
AUTO, PHOTONS, POWER = "auto", "photons", "power"


@dataclass(frozen=True)
class Scan:
    """One spectrum. x : (N,) nm ascending, y : (N,) as read, errors : (N,) or None; name and units as the
    file writes them; exposure_s and excitation_nm as it states them, else None."""

    role: str
    x: Array
    y: Array
    errors: Array | None
    name: str
    unit: str
    axis_unit: str
    exposure_s: float | None
    excitation_nm: float | None

    @property
    def words(self) -> str:
        return WORDS[self.role]

    def covers(self, low: float, high: float) -> bool:
        """Up to a step at either end."""
        step = float(np.median(np.diff(self.x)))
        return bool(self.x[0] <= low + step and self.x[-1] >= high - step)


def scan(role: str, dataset: Dataset, said: list[str]) -> Scan:
    """Raises MethodError with a sentence that names the role; what is only remarkable goes to `said`."""
    what = WORDS[role]
    if dataset.signal.values.ndim != 1:
        shape = " × ".join(str(size) for size in dataset.signal.values.shape)
        raise MethodError(f"The {what} has the shape {shape}; give one spectrum.")
    x = np.asarray(dataset.axes[0].values, dtype=np.float64)
    y = np.asarray(dataset.signal.values, dtype=np.float64)
    errors = dataset.signal.errors
    if x.size < MIN_POINTS:
        raise MethodError(f"The {what} has {x.size} points; at least {MIN_POINTS} are needed.")
    _check_numbers(what, x, y)
    _check_axis(what, dataset.axes[0].unit, x, said)
    x, y, errors = _in_order(what, x, y, errors)
    if errors is not None and not (np.all(np.isfinite(errors)) and 0 < errors.max() < LARGEST):
        errors = None
    return Scan(
        role,
        x,
        y,
        errors,
        dataset.signal.name,
        dataset.signal.unit,
        dataset.axes[0].unit,
        _stated(dataset, "exposure_time") or _stated(dataset, "dwell_time"),
        _stated(dataset, "excitation_wavelength"),
    )


def _check_numbers(what: str, x: Array, y: Array) -> None:
    bad = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if bad.size:
        raise MethodError(
            f"In the {what}, {bad.size} of {x.size} points are not finite numbers, the first is point "
            f"{bad[0] + 1}. Export it again without them."
        )
    if not np.any(y):
        return
    largest = float(np.max(np.abs(y)))
    if not SMALLEST < largest < LARGEST:
        raise MethodError(
            f"Intensities up to {largest:g} in the {what} are no detector’s; check the columns."
        )


def _check_axis(what: str, unit: str, x: Array, said: list[str]) -> None:
    word = unit.strip().lower()
    if word == "ev":
        raise MethodError(f"The {what} runs over eV. Export it against wavelength in nm.")
    if word not in NANOMETRES | UNSAID:
        raise MethodError(f"The {what} runs over “{unit}”; export it against wavelength in nm.")
    if x.min() < NM_FROM or x.max() > NM_TO:
        raise MethodError(
            f"The {what} runs from {x.min():g} to {x.max():g}, no wavelength in nm; check the columns."
        )
    if word in UNSAID:
        sentence = "The files do not name the unit of their axis; it is taken as nm."
        if sentence not in said:
            said.append(sentence)


def _in_order(what: str, x: Array, y: Array, errors: Array | None) -> tuple[Array, Array, Array | None]:
    if np.all(np.diff(x) < 0):
        x, y, errors = x[::-1], y[::-1], None if errors is None else errors[::-1]
    steps = np.diff(x)
    if np.any(steps < 1e-6):
        place = x[int(np.argmax(steps < 1e-6)) + 1]
        raise MethodError(
            f"In the {what}, the wavelengths do not rise at {place:g} nm; sort it, one scan at a time."
        )
    return x, y, errors


def _stated(dataset: Dataset, key: str) -> float | None:
    quantity = dataset.conditions.get(key)
    if quantity is None or isinstance(quantity.value, str) or not 0 < quantity.value < LARGEST:
        return None
    return float(quantity.value)


@dataclass(frozen=True)
class Worth:
    """What one count is worth at each wavelength. `knots` (N, K) spreads the K points of the calibration
    over the spectrum, `knot_variance` (K,) is theirs; both None where it is not known."""

    gain: Array
    knots: Array | None = None
    knot_variance: Array | None = None


def worth(one: Scan, sphere: Scan | None, low: float, high: float, *, power: bool, norm: float) -> Worth:
    """Calibration × wavelength × exposure. Outside `low` to `high` the calibration need not be any good."""
    weight = norm * (one.x / 500.0 if power else np.ones_like(one.x))
    if sphere is None:
        return Worth(weight)
    inside = (one.x >= low) & (one.x <= high)
    used = one.x[inside]
    if used.size and not sphere.covers(used[0], used[-1]):
        raise MethodError(
            f"The sphere calibration covers {sphere.x[0]:g} to {sphere.x[-1]:g} nm, the {one.words} needs "
            f"{used[0]:g} to {used[-1]:g} nm. Narrow the windows, or run it with another calibration."
        )
    factor = np.interp(one.x, sphere.x, sphere.y)
    if used.size and factor[inside].min() <= 0:
        where = used[int(np.argmin(factor[inside]))]
        raise MethodError(f"The sphere calibration is not above zero at {where:g} nm; withdraw it.")
    gain = weight * np.where(inside, factor, 0.0)
    if sphere.errors is None:
        return Worth(gain)
    knots = np.stack([np.interp(one.x, sphere.x, unit) for unit in np.eye(sphere.x.size)], axis=1)
    return Worth(gain, knots * (weight * inside)[:, None], sphere.errors**2)


def is_power(scans: Mapping[str, Scan], sphere: Scan | None, asked: str, said: list[str]) -> bool:
    """Whether, after the calibration, the signal is energy, and so grows into photons by the wavelength."""
    if asked != AUTO:
        return asked == POWER
    units = {one.unit.strip() for one in scans.values()} | ({sphere.unit.strip()} if sphere else set())
    if any("photon" in unit.lower() or unit.lower().startswith(("quanta", "ph/")) for unit in units):
        return False
    if any(is_energy(unit) for unit in units):
        return True
    if sphere is None:
        return False
    said.append(
        "The sphere calibration does not say whether it leads to power or to photons; lamps are certified in "
        "power, so each point is also multiplied by its wavelength. If that is wrong, choose signal=photons."
    )
    return True


def exposures(scans: Mapping[str, Scan], said: list[str]) -> dict[str, float]:
    """By what each spectrum is to be multiplied, so that all count for the same time."""
    own = {key: one for key, one in scans.items() if key != "reference"}
    totals = {key: one for key, one in own.items() if not is_rate(one.unit)}
    known = {key: one.exposure_s for key, one in totals.items() if one.exposure_s is not None}
    alike = dict.fromkeys(scans, 1.0)
    if not totals:
        return alike  # a rate is divided by its time already
    if len(totals) < len(own):
        if len(known) < len(totals):
            raise MethodError(
                "Some of the spectra are rates and others totals that do not state their exposure; export "
                "all of them in one unit."
            )
    elif known and len(known) < len(totals):
        said.append(
            "Only some files state their exposure, so it is not allowed for: all must have been exposed "
            "alike."
        )
        return alike
    elif len({round(t, 9) for t in known.values()}) < 2:
        return alike
    said.append("The spectra were taken with different exposures; each is divided by its own.")
    return alike | {key: 1 / t for key, t in known.items()}


def flat_top(one: Scan, low: float, high: float) -> str:
    """A sentence where the highest points inside are three or more equal ones: a clipped detector."""
    y = one.y[(one.x >= low) & (one.x <= high)]
    if y.size < 3 or y.max() <= 20:  # few counts are equal by chance
        return ""
    top = np.concatenate([[False], y == y.max(), [False]])
    edges = np.flatnonzero(np.diff(top.astype(int)))
    if int(np.max(edges[1::2] - edges[::2])) < 3:
        return ""
    return (
        f"The {one.words} is flat at its highest between {low:g} and {high:g} nm: the detector was probably "
        "saturated. Measure the laser through a neutral filter, and give its factor."
    )

"""What is odd about a dataset, as flags with a sentence each. The numbers are kept as they are.

Amber: look before you use it. Red: the numbers cannot mean what they seem to. For people, on the page of the
measurement; a method decides for itself what it can use. Pure floor: no Django here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from measurements.data import UNREAD, Dataset, Quantity

FEW_POINTS = 10
SENTENCES = 3
# A crystal has as many sites as it has, an elution as many vials, a point three coordinates, a colour three
# channels.
AS_MANY_AS_THERE_ARE = ("structure", "leaching", "computation", "environment", "image", "em")
SATURATED_RUN = 5
KEV_ANGSTROM = 12.398420  # h·c
ENERGY_TOLERANCE = 0.002
GREEN, AMBER, RED = "green", "amber", "red"
LEVELS = (GREEN, AMBER, RED)


class Flag(NamedTuple):
    """`check` names the rule that raised it."""

    check: str
    level: str
    sentence: str


def flags(dataset: Dataset, said: Mapping[str, Quantity] | None = None) -> list[Flag]:
    """Everything that the checks find, in the order of the checks.

    said : conditions that the sender gave beside the file; they are checked with what the file says
    """
    if said:
        dataset = replace(dataset, conditions={**said, **dataset.conditions})
    return [Flag(check.__name__.strip("_"), *said) for check in CHECKS for said in check(dataset)]


def worst(levels: list[str]) -> str:
    """The worst of some levels; green of none."""
    return max(levels, key=LEVELS.index, default=GREEN)


Said = Iterator[tuple[str, str]]


def _missing_values(dataset: Dataset) -> Said:
    y = dataset.signal.values
    missing = int(np.count_nonzero(~np.isfinite(y)))
    if missing == y.size and y.size:
        yield RED, "No value of the signal is a finite number."
    elif missing:
        are = "is not a finite number" if missing == 1 else "are not finite numbers"
        yield AMBER, f"{missing} of {y.size} values of the signal {are}."


def _unread_files(dataset: Dataset) -> Said:
    said = [sentence for key, sentence in dataset.header.items() if key.startswith(UNREAD)]
    if said:
        more = f" And {len(said) - SENTENCES} more." if len(said) > SENTENCES else ""
        what = "1 file" if len(said) == 1 else f"{len(said)} files"
        yield AMBER, f"{what} beside it could not be read. {' '.join(said[:SENTENCES])}{more}"


def _units(dataset: Dataset) -> Said:
    for axis in dataset.axes:
        if not axis.unit:
            yield AMBER, f"The file does not give the unit of “{axis.name}”."


def _monotonic_axis(dataset: Dataset) -> Said:
    for axis in dataset.axes:
        steps = np.diff(axis.values)
        if not steps.size or np.all(steps > 0) or np.all(steps < 0):
            continue
        one_way = np.all(steps >= 0) or np.all(steps <= 0)
        kind = f"repeats {np.count_nonzero(steps == 0)} values" if one_way else "goes back and forth"
        yield AMBER, f"The axis “{axis.name}” {kind}."


def _few_points(dataset: Dataset) -> Said:
    if dataset.technique in AS_MANY_AS_THERE_ARE:
        return
    for axis in dataset.axes[-1:]:
        if axis.values.size < FEW_POINTS:
            points = "1 point" if axis.values.size == 1 else f"{axis.values.size} points"
            yield AMBER, f"The axis “{axis.name}” has only {points}."


def _saturation(dataset: Dataset) -> Said:
    y = dataset.signal.values
    name, unit = dataset.signal.name.lower(), dataset.signal.unit
    if dataset.technique in NO_DETECTOR or unit in NO_COUNTS or "attenuation" in name:
        return  # a balance that shows the same mass is at rest, not saturated
    if y.ndim == 1 and _flat_top(y):
        yield (
            AMBER,
            "The highest value is repeated several times in a row: the detector may have been saturated.",
        )


NO_DETECTOR = ("tga", "dsc", "dilatometry", "environment", "leaching", "structure", "computation")
NO_COUNTS = ("mg", "g", "mg/s", "mg/min", "%/min", "°C", "K", "mW", "W/g", "µV", "mL/min", "s", "min")


def _errors(dataset: Dataset) -> Said:
    errors = dataset.signal.errors
    if errors is not None and np.any(errors == 0):
        yield AMBER, "Some of the errors that the file gives are zero."


def _impossible_axis(dataset: Dataset) -> Said:
    for axis in dataset.axes:
        if axis.unit in LOWEST and axis.values.size and axis.values.min() < LOWEST[axis.unit]:
            yield RED, f"The axis “{axis.name}” reaches {axis.values.min():g} {axis.unit}, which cannot be."


LOWEST = {"nm": 0.0, "Å": 0.0, "K": 0.0, "°C": -273.15}


def _energy_and_wavelength(dataset: Dataset) -> Said:
    """E·λ = 12.39842 keV·Å; 101 keV with 0.10173 Å happened in print (A-16). Warns and never alters."""
    energy, wavelength = dataset.conditions.get("xray_energy"), dataset.conditions.get("xray_wavelength")
    if energy is None or wavelength is None:
        return
    kev, angstrom = float(energy.value), float(wavelength.value)
    if kev <= 0 or angstrom <= 0 or abs(kev * angstrom / KEV_ANGSTROM - 1) > ENERGY_TOLERANCE:
        told = f"{kev:g} keV and {angstrom:g} Å do not belong together"
        if kev > 0 and angstrom > 0:
            told += (
                f": {kev:g} keV is {KEV_ANGSTROM / kev:.6g} Å, and {angstrom:g} Å is "
                f"{KEV_ANGSTROM / angstrom:.6g} keV"
            )
        yield RED, f"{told}. Neither was changed; correct the one that is wrong."


def _flat_top(y: np.ndarray) -> bool:
    """Whether the maximum stands at least five times side by side, and is not simply a constant signal."""
    finite = y[np.isfinite(y)]
    if finite.size < 2 * SATURATED_RUN or finite.max() == finite.min():
        return False
    top = np.concatenate([[0], (y == finite.max()).astype(int), [0]])
    starts, stops = np.flatnonzero(np.diff(top) == 1), np.flatnonzero(np.diff(top) == -1)
    return bool((stops - starts).max() >= SATURATED_RUN)


CHECKS: tuple[Callable[[Dataset], Said], ...] = (
    _unread_files,
    _missing_values,
    _units,
    _monotonic_axis,
    _few_points,
    _saturation,
    _errors,
    _impossible_axis,
    _energy_and_wavelength,
)

"""Small-angle scattering: its units, and the datasets that a table of q, intensity and errors becomes.

q is kept in Å⁻¹ and intensity in cm⁻¹ wherever the file says in which unit its numbers are; what it says is
in the header. A unit that is not known stays with the numbers as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._titles import name_and_unit
from measurements.vocabulary import condition

Q_UNIT, INTENSITY_UNIT = "Å⁻¹", "cm⁻¹"
LENGTHS_M = {  # of inverse lengths, as programs spell them without blanks, brackets and carets
    "å": 1e-10, "a": 1e-10, "angstrom": 1e-10, "angstroms": 1e-10, "ang": 1e-10, "nm": 1e-9, "n_m": 1e-9,
    "nanometer": 1e-9, "nanometre": 1e-9, "um": 1e-6, "µm": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0,
}  # fmt: skip
SETTINGS = {
    "xray_wavelength": re.compile(r"(?:incident[ _]|x-?ray[ _])?(?:wavelength|lambda)", re.I),
    "xray_energy": re.compile(r"(?:photon[ _]|x-?ray[ _]|beam[ _])?energy", re.I),
    "detector_distance": re.compile(r"sdd|sample.*detector.*|detector[ _]distance|camera[ _]?length", re.I),
    "exposure_time": re.compile(r"exposure(?:[ _]time)?|count(?:ing)?[ _]time|acq.*time", re.I),
    "transmission": re.compile(r"(?:sample[ _])?transmission", re.I),
    "thickness": re.compile(r"(?:sample[ _])?thickness", re.I),
    "temperature": re.compile(r"(?:sample[ _])?temperature", re.I),
    "sample_name": re.compile(r"sample(?:[ _](?:name|description|title))?", re.I),
    "detector": re.compile(r"detector(?:[ _]name)?", re.I),
}
WORDS = ("sample_name", "detector")
NUMBER_AND_UNIT = re.compile(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(\S*)\s*")


class Curve(NamedTuple):
    """A table as the file has it: sigma is of the intensity; `others` are its further columns by title."""

    q: Array
    intensity: Array
    sigma: Array | None = None
    q_unit: str = Q_UNIT
    intensity_unit: str = INTENSITY_UNIT
    others: Mapping[str, tuple[Array, str]] = {}

    def in_common_units(self) -> Curve:
        """The same in Å⁻¹ and cm⁻¹ where the units are known."""
        q, q_unit = per_length(self.q, self.q_unit, Q_UNIT)
        intensity, intensity_unit = per_length(self.intensity, self.intensity_unit, INTENSITY_UNIT)
        sigma = self.sigma
        if sigma is not None:
            sigma, _ = per_length(sigma, self.intensity_unit, INTENSITY_UNIT)
        others = {name: per_length(values, unit, Q_UNIT) for name, (values, unit) in self.others.items()}
        return Curve(q, intensity, sigma, q_unit, intensity_unit, others)


def datasets(
    curve: Curve,
    header: Mapping[str, str],
    conditions: Mapping[str, Quantity],
    acquired_at: datetime | None = None,
    title: str = "",
) -> list[Dataset]:
    """The scattering curve first, then each further column on the same q."""
    if not curve.q.size:
        raise ReadError("there is not one point. Was the file cut off? Export it again.")
    if not np.all(np.isfinite(curve.q)):
        raise ReadError("a value of q is not a number. Remove that point and send the file again.")
    sigma, others = curve.sigma, dict(curve.others)
    if sigma is not None and np.any(sigma < 0):  # then it is something else, whatever the program meant
        others["column of errors, negative in places"] = (sigma, curve.intensity_unit)
        sigma = None
    axis = Axis("q", curve.q_unit, curve.q)
    signals = [(title, Signal("Intensity", curve.intensity_unit, curve.intensity, sigma))]
    for name, (values, unit) in others.items():
        signals.append((f"{title}: {name}" if title else name, Signal(name, unit, values)))
    return [
        Dataset(signal, (axis,), header, acquired_at, conditions, title=own_title, technique="saxs")
        for own_title, signal in signals
    ]


def conditions(header: Mapping[str, str]) -> dict[str, Quantity]:
    """What is understood of a header of free words; a number needs its unit, in the key or behind it."""
    known: dict[str, Quantity] = {}
    for key, value in header.items():
        name, unit = name_and_unit(key)
        number = NUMBER_AND_UNIT.fullmatch(value)
        for ours, pattern in SETTINGS.items():
            if ours in known or not pattern.fullmatch(name):
                continue
            if ours in WORDS:
                known |= condition(ours, value)
            elif number:
                known |= condition(ours, number[1], number[2] or unit)
    return known


def wavelength(radiation: str, value: str | float | None, unit: str) -> dict[str, Quantity]:
    """Neutrons and X-rays have a wavelength each, and what is made of it differs."""
    key = "neutron_wavelength" if "neutron" in radiation.lower() else "xray_wavelength"
    return condition(key, value, unit)


def per_length(values: Array, unit: str, wanted: str) -> tuple[Array, str]:
    """Values in `wanted` (Å⁻¹ or cm⁻¹) if `unit` is an inverse length, else as they are."""
    length_m = _length_m(unit)
    if length_m is None:
        return values, unit
    factor = {Q_UNIT: 1e-10, INTENSITY_UNIT: 1e-2}[wanted] / length_m
    # Not multiplied at all when the unit is the wanted one: the numbers stay those of the file.
    return (values, wanted) if abs(factor - 1) < 1e-9 else (values * float(f"{factor:.12g}"), wanted)


def _length_m(unit: str) -> float | None:
    plain = unit.strip().lower().replace("\u212b", "å").replace("μ", "µ")
    for mark in " ^{}()*$\\":
        plain = plain.replace(mark, "")
    if plain.startswith("1/"):
        return LENGTHS_M.get(plain[2:])
    for power in ("-1", "⁻¹", "−1"):
        if plain.endswith(power):
            return LENGTHS_M.get(plain.removesuffix(power))
    return None

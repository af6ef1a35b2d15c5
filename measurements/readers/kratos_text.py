"""Kratos Vision dump (.kal): a dataset file as text, one object after the other, “key = value” line by line.

    Dataset filename          = t.dset
    Object name               = C 1s/2
       3 Spectrum scan start       = 1191.67 eV
       4 Spectrum scan step size   = 0.1 eV
       5 Abscissa label            = Kinetic Energy
      12 Ordinate values           = {10, 11,
    12, 13}
    5587 Transmission Function Object (ke,t) = {
        5615 Transmission Function Kinetic Energy = {100, 110}
        5616 Transmission Function Value = {1.0, 0.5}
    }

The numbers before the keys are left out by some programs. The file names the anode, not its energy, so the
axis stays kinetic. What the analyser transmits is a dataset of its own, and nothing is divided by it. Times
have no zone. No real file was at hand: made from what public programs that read it know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Kratos Vision text",
    extensions=(".kal",),
    vendor="Kratos",
    techniques=("xps",),
    description="Spectra of AXIS instruments as text from dump_dataset, with the analyser's transmission.",
    max_bytes=96 * 1024**2,
)
VERSION = 1

LINE = re.compile(r"\s*(?:\d{1,10}\s+)?(?P<key>[^\s=\d][^=]*?)\s*=\s?(?P<value>.*)$")
LONGEST_VALUE = 4000
VALUES = "Ordinate values"
UNITS = {"counts": "counts", "counts/sec": "counts/s", "counts/second": "counts/s", "cps": "counts/s"}
NUMBERS = {  # their key → ours, and the unit where the value names none
    "Pass energy": ("pass_energy", "eV"), "Dwell time": ("dwell_time", "s"),
    "# Sweeps completed": ("accumulations", "1"), "Stage X Rotation": ("tilt", "deg"),
}  # fmt: skip
WORDS = {
    "Stage Position Name": "sample_name", "Xray Gun Anode": "anode", "Xray Reference Energy": "light_source",
    "Date Acquired": "local_time", "HSA Lens Mode": "mode", "Vision Software Version": "software",
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()
    except ReadError:
        return NEVER
    keys = {found["key"] for line in lines if (found := LINE.match(line))}
    return 0.95 if {"Dataset filename", "Object name"} <= keys else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    datasets = [dataset for number, said in enumerate(_objects(lines)) for dataset in _spectrum(said, number)]
    if not datasets:
        raise ReadError("none of its objects holds a spectrum. Was the dump cut off? Write it again.")
    return sorted(datasets, key=lambda dataset: dataset.signal.name == "Transmission")


def _objects(lines: list[str]) -> Iterator[dict[str, str]]:
    """The settings of each object; a list in braces may go on over many lines."""
    said: dict[str, str] = {}
    place = 0
    while place < len(lines):
        found = LINE.match(lines[place])
        place += 1
        if found is None:
            continue
        key, value = found["key"].strip(), found["value"].strip()
        if value.startswith("{") and "}" not in value:
            parts = [value]
            while place < len(lines) and "=" not in lines[place]:
                parts.append(lines[place].strip())
                place += 1
                if "}" in parts[-1]:
                    break
            value = " ".join(parts)
        if key in ("Dataset filename", "Object name") and "Object name" in said:
            yield said
            said = {}
        said.setdefault(key, value)
    yield said


def _spectrum(said: dict[str, str], number: int) -> Iterator[Dataset]:
    start, step = _amount(said.get("Spectrum scan start"))[0], _amount(said.get("Spectrum scan step size"))[0]
    if VALUES not in said or start is None or step is None:
        return  # a stage position, an image
    values = _list(said[VALUES], VALUES, number)
    region = " ".join(
        filter(None, (said.get("Chemical symbol or formula"), said.get("Transition or charge state")))
    )
    title = ": ".join(dict.fromkeys(filter(None, (said.get("Object name", ""), region))))
    unit = said.get("Ordinate units", "")
    header = {key: value[:LONGEST_VALUE] for key, value in said.items() if key != VALUES}
    known = _conditions(said, region)
    axis = Axis(
        said.get("Abscissa label", "").capitalize() or "Energy",
        said.get("Abscissa units") or _amount(said["Spectrum scan start"])[1],
        start + step * np.arange(values.size, dtype=np.float64),
    )
    signal = Signal("Intensity", UNITS.get(unit.lower(), unit), values)
    yield Dataset(signal, (axis,), header, None, known, title, "xps")
    yield from _transmission(said, number, known, title)


def _transmission(
    said: dict[str, str], number: int, known: dict[str, Quantity], title: str
) -> Iterator[Dataset]:
    energies, values = (
        _list(said.get(f"Transmission Function {word}", ""), "Transmission Function", number)
        for word in ("Kinetic Energy", "Value")
    )
    if energies.size and energies.size == values.size:
        axis = Axis("Kinetic energy", "eV", energies)
        yield Dataset(
            Signal("Transmission", "1", values), (axis,), {}, None, known, f"{title}, transmission", "xps"
        )


def _list(text: str, key: str, number: int) -> Array:
    cells = text.strip().removeprefix("{").partition("}")[0].replace(",", " ").split()
    numbers = [as_number(cell) for cell in cells]
    for cell, value in zip(cells, numbers, strict=True):
        if value is None or not np.isfinite(value):
            raise ReadError(
                f"object {number + 1}: expected numbers in “{key}”, found “{cell[:40]}”. Write it again."
            )
    if key == VALUES and (not numbers or "}" not in text):
        raise ReadError(
            f"object {number + 1}: its list of values does not end. Was the file cut off? Write it again."
        )
    return np.array(numbers, dtype=np.float64)


def _amount(text: str | None) -> tuple[float | None, str]:
    """(1191.67, "eV") of “1191.67 eV”."""
    words = (text or "").split()
    number = as_number(words[0]) if words else None
    return (number if number is not None and np.isfinite(number) else None), " ".join(words[1:2])


def _conditions(said: dict[str, str], region: str) -> dict[str, Quantity]:
    known = condition("region", region)
    for key, ours in WORDS.items():
        known |= condition(ours, said.get(key))
    for key, (ours, unit) in NUMBERS.items():
        number, own = _amount(said.get(key))
        known |= condition(ours, number, own or unit)
    return known

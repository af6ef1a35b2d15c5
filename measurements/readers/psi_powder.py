"""Powder patterns of PSI's neutron diffractometers DMC and HRPT: three lines, then counts, then their errors.

    HRPT, title of the sample
    lambda=  1.49400, T= 300.000, dT=  0.100, Date=2001-06-16 06:25:59
       2.948   0.050 162.898 18000000., sample="…"
       7444.   7639.   7731.   7762.   7479.   7818.   7720.   7861.   7945.   8090.

Start, step and stop are angles; the counts are in fields of eight columns, and as many errors follow. Lines
after them name the files that were added.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._spectrum import head_lines, is_row, lines_of
from measurements.readers._text import as_number
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PSI powder data",
    extensions=(".dat",),
    vendor="PSI",
    techniques=("xrd",),
    description="Neutron powder patterns of DMC and HRPT with their errors.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

SECOND_LINE = re.compile(r"\s*lambda\s*=", re.IGNORECASE)
SETTING = re.compile(r"(?P<key>\w+)\s*=\s*(?P<value>\"[^\"]*\"|[^,]*)")
FIELD = 8


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 4)
    fits = len(lines) == 4 and SECOND_LINE.match(lines[1]) and _range(lines[2]) and is_row(lines[3])
    return 0.9 if fits else 0.0


def _range(line: str) -> tuple[float, float, int] | None:
    """Start, step and number of points."""
    numbers = [as_number(cell.rstrip(",")) for cell in line.split()[:3]]
    if len(numbers) < 3 or None in numbers:
        return None
    start, step, stop = (float(number) for number in numbers if number is not None)
    if not (0 < step < 10 and -180 <= start < stop <= 180):
        return None
    return start, step, round((stop - start) / step) + 1


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    found = _range(lines[2]) if len(lines) > 2 else None
    if found is None:
        raise ReadError("the third line gives no start, step and stop. Export the pattern again.", line=3)
    start, step, count = found
    values = _fields(lines, 3)
    if len(values) not in (count, 2 * count):
        raise ReadError(
            f"the third line announces {count} points and their errors, but {len(values)} numbers follow. "
            "Was the file cut off? Copy it again.",
            line=3,
        )
    errors = values[count:].copy() if len(values) == 2 * count else None
    if errors is not None and np.any(errors < 0):
        raise ReadError("an error is negative. The file is damaged; copy it again.")
    header = {f"line {number}": line.strip() for number, line in enumerate(lines[:3], start=1)}
    header |= {
        f"line {number}": line.strip()
        for number, line in enumerate(lines[3:], start=4)
        if line.strip() and not is_row(line)
    }
    signal = Signal("Intensity", "", values[:count].copy(), errors)
    axis = xrd.axis("2Theta", xrd.stepped(start, step, count))
    return [Dataset(signal, (axis,), header, conditions=_conditions(lines, step), technique="xrd")]


def _fields(lines: list[str], first: int) -> Array:
    """Fields of eight columns; large numbers leave no blank between them."""
    numbers: list[float] = []
    for number, line in enumerate(lines[first:], start=first + 1):
        if not is_row(line):
            continue
        text = line.rstrip()
        for cell in (text[at : at + FIELD].strip() for at in range(0, len(text), FIELD)):
            value = as_number(cell) if cell else None
            if value is None or not np.isfinite(value):
                raise ReadError(f"expected counts, found “{cell}”. Copy the file again.", line=number)
            numbers.append(value)
    return np.array(numbers, dtype=np.float64)


def _conditions(lines: list[str], step: float) -> dict[str, Quantity]:
    said = {found["key"].lower(): found["value"].strip(' "') for found in SETTING.finditer(lines[1])}
    temperature = as_number(said.get("t", ""))
    instrument, _, title = lines[0].partition(",")
    return {
        **condition("neutron_wavelength", said.get("lambda"), "Å"),
        **condition("temperature", temperature or None, "K"),  # zero is “not recorded”
        **condition("local_time", said.get("date")),
        **condition("instrument", instrument),
        **condition("sample_name", title),
        **condition("step_size", step, "deg"),
    }

"""ASP infrared spectra: one number in each line.

1932                 points
3999.43349933624     first wavenumber, cm⁻¹
400.688817501068     last wavenumber
1, 2, 4              three lines of flags whose meaning is not published
0.00861804045400133  the values, evenly spaced in wavenumber
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._spectrum import head_lines, lines_of, refuse_cut_off
from measurements.readers._text import as_number
from measurements.readers.base import Format

FORMAT = Format(
    name="ASP infrared spectrum",
    extensions=(".asp",),
    vendor="Agilent and others",
    techniques=("ftir",),
    description="Infrared spectra as one number in each line: points, first and last wavenumber, values.",
    max_bytes=32 * 1024**2,
)
VERSION = 1

ABOVE = 6
WHOLE = range(100)


def recognises(head: bytes, filename: str) -> float:
    every_line = head_lines(head, len(head))
    lines = every_line[:40]
    numbers = [as_number(line) for line in lines]
    if len(lines) < ABOVE + 1 or any(number is None for number in numbers[:-1]):
        return 0.0
    points, first, last, *flags = (n for n in numbers[:ABOVE] if n is not None)
    plausible = (
        points == int(points) and points > 1 and first != last and all(flag in WHOLE for flag in flags)
    )
    fits = sum(1 for line in every_line if line.strip()) <= ABOVE + points
    return 0.8 if plausible and fits and len(flags) == 3 else 0.0


def read(path: Path) -> list[Dataset]:
    lines = [line.strip() for line in lines_of(path)]
    while lines and not lines[-1]:
        lines.pop()
    numbers = [_number(line, place) for place, line in enumerate(lines, start=1)]
    if len(numbers) <= ABOVE:
        raise ReadError("the file ends before its first value. Copy or export it again.", line=len(lines))
    points, first, last = numbers[:3]
    values = np.array(numbers[ABOVE:], dtype=np.float64)
    refuse_cut_off(values.size, lines[0])
    if values.size != points:
        raise ReadError(f"the header announces {points:g} points, but there are {values.size}.", line=1)
    header = {
        "Points": lines[0], "First": lines[1], "Last": lines[2],
        "Flag 1": lines[3], "Flag 2": lines[4], "Flag 3": lines[5],
    }  # fmt: skip
    axis = Axis("Wavenumber", "cm⁻¹", np.linspace(first, last, values.size))
    return [Dataset(Signal("y", "", values), (axis,), header, technique="ftir")]


def _number(line: str, place: int) -> float:
    number = as_number(line)
    if number is None or (place <= ABOVE and not np.isfinite(number)):
        raise ReadError(f"expected a number, found “{line[:40]}”. Export the spectrum again.", line=place)
    return number

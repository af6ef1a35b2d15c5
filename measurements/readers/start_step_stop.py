"""Powder patterns of Rietveld programs: start, step and stop in one line, then nothing but counts.

      5.00    0.02   77.00  title
      1097    1133    1099    1076    1056    1056    1080    1101

FullProf (free format), DBWS, LHPM and RIET7 read it. Lines of text may stand above. No real file was at hand:
written after public descriptions of the format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from measurements.data import Dataset, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Start, step, stop and counts",
    extensions=(".dat", ".dbw", ".rit"),
    vendor="",
    techniques=("xrd",),
    description="Powder patterns for Rietveld programs: the range in the first line of numbers, then counts.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

MOST_LINES_ABOVE = 6
FEWEST_POINTS, MOST_POINTS = 50, 500_000
SURE, LIKELY = 0.6, 0.4


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return NEVER
    lines = text.splitlines()
    place = _place(lines)
    if place is None:
        return NEVER
    start, step, stop = _range(lines[place])
    announced = _points(start, step, stop)
    whole = len(head) < 60_000
    rows = [line.split() for line in (lines[place + 1 :] if whole else lines[place + 1 : -1]) if line.strip()]
    counts = [as_number(cell) for row in rows for cell in row]
    if not rows or len(rows[0]) < 4 or None in counts:
        return NEVER
    if whole:
        return SURE if abs(len(counts) - announced) <= 1 else NEVER
    return LIKELY if len(counts) < announced and len({len(row) for row in rows}) == 1 else NEVER


def _place(lines: list[str]) -> int | None:
    """The line with start, step and stop: the first with numbers, and there it is three that fit."""
    for place, line in enumerate(lines[: MOST_LINES_ABOVE + 1]):
        cells = line.split()
        if cells and as_number(cells[0]) is not None:
            numbers = [as_number(cell) for cell in cells]
            if len(cells) < 3 or None in numbers[:3] or (len(cells) > 3 and numbers[3] is not None):
                return None
            start, step, stop = _range(line)
            fits = 0 < step < 1 and -10 <= start < stop <= 180
            return place if fits and FEWEST_POINTS <= _points(start, step, stop) <= MOST_POINTS else None
    return None


def _range(line: str) -> tuple[float, float, float]:
    start, step, stop = (as_number(cell) or 0.0 for cell in line.split()[:3])
    return start, step, stop


def _points(start: float, step: float, stop: float) -> int:
    return round((stop - start) / step) + 1


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    place = _place(lines)
    if place is None:
        raise ReadError(
            "no line with start, step and stop stands above the counts. Export the pattern again."
        )
    start, step, stop = _range(lines[place])
    rows = xrd.numbers_in(lines[place + 1 :], place + 2, form="counts")
    values = np.array([value for row in rows for value in row])
    announced = _points(start, step, stop)
    if abs(values.size - announced) > 1:
        raise ReadError(
            f"from {start:g} to {stop:g} in steps of {step:g} are {announced} points, the file has "
            f"{values.size}. Was it cut off? Copy it again.",
            line=place + 1,
        )
    above = enumerate(lines[: place + 1], start=1)
    header = {f"line {number}": line.strip() for number, line in above if line.strip()}
    return [
        Dataset(
            Signal("Intensity", "", values),
            (xrd.axis("2Theta", xrd.stepped(start, step, values.size)),),
            header,
            conditions=condition("step_size", step, "deg"),
            technique="xrd",
        )
    ]

"""Tables with notes beside them: rows of numbers whose last cells say something about the measurement.

Programs for solar cells write so: wavelength, EQE, response, current, and to the right of the first rows the
date, the bias and what else there is to say; one such table below the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array
from measurements.readers import _titles
from measurements.readers._text import as_number, open_text

DELIMITERS = ("\t", ";", ",")
LARGEST_BYTES = 16 * 1024**2
FEWEST_ROWS, FEWEST_COLUMNS = 3, 2


class Table(NamedTuple):
    above: list[str]
    titles: list[str]
    rows: Array
    notes: dict[str, str]


def tables(path: Path) -> list[Table]:
    """All such tables; empty when there is none, or when one of them has a row that fits none."""
    if path.stat().st_size > LARGEST_BYTES:
        return []
    with open_text(path) as text:
        lines = text.read().split("\n")
    for delimiter in DELIMITERS:
        if found := _tables(lines, delimiter):
            return found
    return []


def _tables(lines: Sequence[str], delimiter: str) -> list[Table]:
    cells = [[cell.strip() for cell in line.split(delimiter)] for line in lines]
    found: list[Table] = []
    end = 0
    for place, row in enumerate(cells):
        titles = _titles_in(row)
        if place < end or len(titles) < FEWEST_COLUMNS:
            continue
        width = len(titles)
        leading = [_numbers(each[:width], width) for each in cells[place + 1 :]]
        rows = list(itertools.takewhile(bool, leading))
        end_of_rows = place + 1 + len(rows)
        beside = [each[width:] for each in cells[place:end_of_rows]]
        if len(rows) < FEWEST_ROWS or not any(map(any, beside)):
            continue
        found.append(Table(list(lines[end:place]), titles, np.array(rows, dtype=np.float64), _notes(beside)))
        end = end_of_rows
    # Numbers below the last table would be lost in silence.
    return [] if any(_numbers(row[:2], 2) for row in cells[end:]) else found


def _titles_in(row: Sequence[str]) -> list[str]:
    """The words that the row begins with, if one of them names a quantity and says its unit."""
    titles = list(itertools.takewhile(lambda cell: cell and as_number(cell) is None, row))
    named = [_titles.name_and_unit(title) for title in titles]
    while named and not named[-1][1]:  # the first note stands beside the last title
        named.pop()
    return titles[: len(named)] if named and _titles.WORDS.search(named[0][0]) else []


def _numbers(cells: Sequence[str], width: int) -> list[float]:
    """The numbers of the cells; empty unless there are `width` of them and nothing else."""
    numbers = [number for cell in cells if (number := as_number(cell)) is not None]
    return numbers if len(numbers) == len(cells) == width else []


def _notes(beside: Sequence[Sequence[str]]) -> dict[str, str]:
    notes: dict[str, str] = {}
    for number, cells in enumerate(beside, start=1):
        said = [cell for cell in cells if cell]
        if said:
            key = said[0] if len(said) > 1 and said[0] not in notes else f"note {number}"
            notes[key] = " ".join(said[1:] if key == said[0] else said)
    return notes

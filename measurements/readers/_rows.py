"""Rows of numbers among lines that are already in memory: all at once, and slowly only to name a bad line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from measurements.data import Array, ReadError
from measurements.readers._text import as_number


def rows_of(lines: Sequence[str], first_line: int, delimiter: str | None = None) -> Array:
    """(N, columns) of lines with equally many numbers; `first_line` is the first one's number in the file."""
    if not lines:
        return np.empty((0, 0))
    try:
        rows: Array = np.loadtxt(lines, dtype=np.float64, delimiter=delimiter, comments=None, ndmin=2)
        if len(rows) == len(lines):
            return rows
    except ValueError:
        pass  # Fortran's D exponents, a row that is cut off, or something that is no number
    cells = [line.split(delimiter) for line in lines]
    return np.array([_row(row, len(cells[0]), number) for number, row in enumerate(cells, start=first_line)])


def _row(cells: list[str], columns: int, line: int) -> list[float]:
    numbers = []
    for cell in cells:
        number = as_number(cell)
        if number is None:
            raise ReadError(
                f"expected a number, found “{cell.strip()[:40]}”. Export the file again.", line=line
            )
        numbers.append(number)
    if len(numbers) != columns:
        raise ReadError(
            f"expected {columns} numbers, found {len(numbers)}. Was the file cut off? Copy it again.",
            line=line,
        )
    return numbers


def refuse_gaps(axis: Array, first_line: int) -> None:
    """An axis without a number somewhere is no axis."""
    if not np.all(np.isfinite(axis)):
        place = int(np.flatnonzero(~np.isfinite(axis))[0])
        raise ReadError("the axis has no finite number here. Export the file again.", line=first_line + place)

"""Tables that are more than a few curves: maps of many columns, and rows that begin with a name.

A map is one dataset of two dimensions. Its second axis are the titles of the columns where these are numbers
(wavelengths, times, temperatures), else the number of the column. Names of rows are kept in the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._text import as_number, open_text

LARGEST_BYTES = 16 * 1024**2  # a table with names is held as text as a whole
SEPARATORS = ("\t", ";", ",")
FEWEST_NUMBERS, FEWEST_ROWS = 2, 2


class Named(NamedTuple):
    """A table whose rows begin with a name instead of a number."""

    corner: str
    titles: list[str]
    names: list[str]
    values: Array


def named_rows(path: Path) -> Named | None:
    """The table, if the whole file is one: a line of titles, if any, then names with numbers; else None."""
    if path.stat().st_size > LARGEST_BYTES:
        return None
    with open_text(path) as text:
        lines = [line for line in text.read().split("\n") if line.strip()]
    for separator in SEPARATORS:
        width = lines[0].count(separator) + 1 if lines else 0
        as_wide = all(line.count(separator) == width - 1 for line in lines)
        if width > FEWEST_NUMBERS and len(lines) > FEWEST_ROWS and as_wide:
            cells = [[cell.strip().strip('"') for cell in line.split(separator)] for line in lines]
            corner, *titles = [""] * width if _is_row(cells[0]) else cells.pop(0)
            values = _numbers([row[1:] for row in cells], decimal_comma=separator != ",")
            if values is not None and not any(as_number(row[0]) is not None for row in cells):
                titles = titles if any(titles) else [f"y{number}" for number in range(1, width)]
                return Named(corner, titles, [row[0] for row in cells], values)
    return None


def _is_row(first: list[str]) -> bool:
    """Whether the first line is a row as well: a name and numbers that do not simply rise or fall."""
    numbers = [number for cell in first[1:] if (number := as_number(cell)) is not None]
    steps = np.diff(numbers)
    return bool(first[0]) and len(numbers) == len(first) - 1 and not (np.all(steps > 0) or np.all(steps < 0))


def _numbers(rows: list[list[str]], *, decimal_comma: bool) -> Array | None:
    """The numbers of all rows; an empty cell is a number that is missing, a row without any is not a row."""
    for comma in (False, True) if decimal_comma else (False,):
        cells = [[(cell.replace(",", ".") if comma else cell) or "nan" for cell in row] for row in rows]
        try:
            values = np.array(cells, dtype=np.float64)
        except ValueError:
            continue
        return values if np.all(np.any(np.isfinite(values), axis=1)) else None
    return None


def of_names(table: Named) -> tuple[Axis, dict[str, str]]:
    """An axis that counts the rows, and a header with what each of them is called."""
    axis = Axis(table.corner or "Row", "1", np.arange(1.0, len(table.names) + 1))
    return axis, {"rows": "\n".join(table.names)}


def as_map(axis: Axis, titles: list[str] | None, values: Array, header: Mapping[str, str]) -> Dataset:
    """One dataset of two dimensions. `titles`: of the columns of `values`, if there are any."""
    count = values.shape[1]
    if len(values) < FEWEST_ROWS:
        raise ReadError(
            f"there are {count + 1} columns and a single row. Export one curve for each column, or a map in "
            "a format of its own.",
            line=1,
        )
    numbers = [as_number(title) for title in titles or []]
    own = dict(header)
    if numbers and all(number is not None and np.isfinite(number) for number in numbers):
        second = Axis("Column", "", np.array(numbers, dtype=np.float64))
    else:
        second = Axis("Column", "1", np.arange(1.0, count + 1))
        if titles:
            own["columns"] = "\n".join(titles)
    return Dataset(Signal("Value", "", values), (axis, second), own)


def titles_with_numbers(line: str, columns: int, separator: str | None) -> list[str] | None:
    """A title line such as ",300,310,320" or "T,300,310" or ",A,B", which only a program's table has."""
    if separator is None and line.lstrip().startswith(("#", "%", "!")):
        return None  # a comment
    cells = [cell.strip().strip('"') for cell in (line.split(separator) if separator else line.split())]
    if len(cells) == columns - 1 and separator is None:
        cells = ["", *cells]  # blanks leave no trace of an empty corner
    while len(cells) > columns and not cells[-1]:
        cells.pop()
    if len(cells) != columns or as_number(cells[0]) is not None or not all(cells[1:]):
        return None
    # “Detector,PMT” is a setting; “,PMT” and “T,300” are titles
    return cells if not cells[0] or all(as_number(cell) is not None for cell in cells[1:]) else None

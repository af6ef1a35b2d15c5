"""Tables under a line of titles in which cells are empty or hold words.

A row counts when it has as many cells as there are titles. An empty cell is a number that is missing; a
column of words goes into the header; a column without any number is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array
from measurements.readers._numbers import Dialect
from measurements.readers._text import open_text

DELIMITERS = ("\t", ";", ",")
MOST_LINES_ABOVE, LOOKED_AT, MOST_ROWS = 2000, 50, 2_000_000
FITTING = 0.95  # of the rows; lines of other lengths are remarks among them
SHORTEST = 2  # times the cells of a row are still as many as the titles
MOST_COLUMNS, MOST_WORDS, LONGEST_WORDS = 1000, 50, 2000


class Table(NamedTuple):
    """`columns`: title and one number for each row, NaN where there is none; `words`: of other columns."""

    above: list[str]
    columns: list[tuple[str, Array]]
    words: dict[str, str]


def table(path: Path) -> Table | None:
    """The first such table of the file; None when there is none."""
    with open_text(path) as text:
        lines = list(itertools.islice(text, MOST_LINES_ABOVE + LOOKED_AT))
        for delimiter in DELIMITERS:
            found = _title_line(lines, delimiter)
            if found is not None:
                place, titles = found
                rows = _rows(itertools.chain(lines[place + 1 :], text), len(titles), delimiter)
                return _columns([line.rstrip("\n") for line in lines[:place]], titles, list(rows), delimiter)
    return None


def _title_line(lines: Sequence[str], delimiter: str) -> tuple[int, list[str]] | None:
    dialect = Dialect(delimiter)
    for place, line in enumerate(lines[:MOST_LINES_ABOVE]):
        titles = dialect.cells(line) if delimiter in line else []
        if not 1 < len(titles) <= MOST_COLUMNS or not all(titles) or 2 * len(set(titles)) < len(titles):
            continue
        if any(_number(title, decimal_comma=True) is not None for title in titles):
            continue
        below = [row for row in lines[place + 1 : place + 1 + LOOKED_AT] if row.strip()]
        fitting = [row for row in _rows(below, len(titles), delimiter) if _has_numbers(row)]
        if len(fitting) > 1 and len(fitting) >= FITTING * len(below) - 1:
            return place, titles
    return None


def _rows(lines: Sequence[str] | Iterator[str], columns: int, delimiter: str) -> Iterator[list[str]]:
    dialect = Dialect(delimiter)
    for line in itertools.islice(lines, MOST_ROWS):
        given = line.count(delimiter) + 1
        cells = dialect.cells(line)
        # Some end a row with a delimiter too many, some leave out the empty cells at its end.
        if len(cells) <= columns <= SHORTEST * given:
            yield cells + [""] * (columns - len(cells))


def _has_numbers(row: Sequence[str]) -> bool:
    return sum(_number(cell, decimal_comma=True) is not None for cell in row) > 1


def _number(cell: str, *, decimal_comma: bool) -> float | None:
    number = Dialect(None).number(cell)
    return Dialect(None, decimal_comma=True).number(cell) if number is None and decimal_comma else number


def _columns(above: list[str], titles: list[str], rows: list[list[str]], delimiter: str) -> Table | None:
    columns: list[tuple[str, Array]] = []
    words: dict[str, str] = {}
    for title, cells in zip(titles, zip(*rows, strict=True), strict=True):
        numbers = [np.nan if not cell else _number(cell, decimal_comma=delimiter != ",") for cell in cells]
        if None in numbers:
            said = list(dict.fromkeys(cell for cell in cells if cell))
            words[title] = "; ".join(said[:MOST_WORDS])[:LONGEST_WORDS]
        elif any(cells):
            columns.append((title, np.array(numbers, dtype=np.float64)))
    return Table(above, columns, words) if len(columns) > 1 else None

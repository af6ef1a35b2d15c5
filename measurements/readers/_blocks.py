"""Several tables of numbers in one text, one below the other, with words between them.

A row that was damaged is a line of words as well. So a table must begin where the one before it has been
already, and no line between two of them may be as wide as their rows and begin with a cell that has a digit.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array
from measurements.readers._numbers import Dialect, Table, rows_in
from measurements.readers._text import open_text

LARGEST_BYTES = 64 * 1024**2  # all lines are in memory at once
SETTING = re.compile(r"\s*[^\W\d][^:=]{2,}[:=]\s*\S")  # no damaged row looks like “average power: -18 W”
FEWEST_ROWS = 3  # less may be numbers in a closing text


class Block(NamedTuple):
    """`above`: the lines between the block before and this one; `first_line`: the number of the first."""

    above: list[str]
    first_line: int
    rows: Array


def blocks_of(path: Path, dialect: Dialect, *, at_gaps: bool = False) -> list[Block] | None:
    """The tables of a text; None when something among them is neither a table nor words.

    at_gaps : a blank line or a comment ends a table, as in files for gnuplot
    """
    if path.stat().st_size > LARGEST_BYTES:
        return None
    with open_text(path) as text:
        lines = text.read().split("\n")
    blocks: list[Block] = []
    end = 0
    for first, stop, rows in rows_in(lines, dialect, at_gaps=at_gaps):
        lone = sum(1 for _ in itertools.takewhile(lambda row: row is not None and len(row) == 1, rows))
        table = [row for row in rows[lone:] if row is not None]
        width = len(table[0]) if table else 0
        whole = len(table) == len(rows) - lone and all(len(row) == width for row in table)
        if not whole or width < 2 or len(table) < FEWEST_ROWS:
            return None
        values = np.array(table, dtype=np.float64)
        if not np.all(np.isfinite(values[:, 0])):
            return None
        if blocks and not (
            _begins_anew(blocks[-1].rows, values) and _is_text(lines[end:first], width, dialect)
        ):
            return None
        blocks.append(Block(_above(lines[end:stop], first - end, lone, dialect), end + 1, values))
        end = stop
    return blocks if len(blocks) > 1 else None


def joined(path: Path, dialect: Dialect) -> Table | None:
    """One table with settings or results among its rows, as logs have them; None when it is something else.

    Its first column must go on in one direction past the words: else these are several tables.
    """
    if path.stat().st_size > LARGEST_BYTES:
        return None
    with open_text(path) as text:
        lines = text.read().split("\n")
    tables: list[Array] = []
    remarks: dict[int, str] = {}
    end = 0
    for first, stop, rows in rows_in(lines, dialect):
        table = [row for row in rows if row is not None]
        width = len(table[0]) if table else 0
        whole = len(table) == len(rows) and all(len(row) == width for row in table)
        if not whole or width < 2 or (tables and width != tables[0].shape[1]):
            return None
        if tables and not all(SETTING.match(line) for line in lines[end:first] if line.strip()):
            return None
        remarks.update({n + 1: lines[n].rstrip() for n in range(end, first) if tables and lines[n].strip()})
        tables.append(np.array(table, dtype=np.float64))
        end = stop
    if not tables or len(tables[0]) < FEWEST_ROWS:
        return None
    whole_table = np.concatenate(tables)
    steps = np.diff(whole_table[:, 0])
    goes_on = np.all(np.isfinite(steps)) and (np.all(steps >= 0) or np.all(steps <= 0))
    return Table(whole_table, remarks) if goes_on else None


def _begins_anew(before: Array, values: Array) -> bool:
    first, last = before[0, 0], before[-1, 0]
    return bool(values[0, 0] <= last if first < last else values[0, 0] >= last)


def _is_text(lines: list[str], width: int, dialect: Dialect) -> bool:
    cells = [dialect.cells(line) for line in lines if line.strip()]
    return not any(len(row) == width and any(map(str.isdigit, row[0])) for row in cells)


def _above(lines: list[str], words: int, lone: int, dialect: Dialect) -> list[str]:
    """The words, and the lone numbers after them: usually how many rows follow."""
    above = lines[:words]
    for line in lines[words:]:
        if not lone:
            break
        above.append(line)
        lone -= dialect.is_row(line)
    return above

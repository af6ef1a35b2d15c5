"""Rows of numbers in text: quick where all is well, exact about line and column where not."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from measurements.data import Array, ReadError
from measurements.readers._text import as_number, open_text

BLOCK_CHARACTERS = 4 * 1024**2
GAP = re.compile(r"\n[ \t;,]*\n[ \t]*[-+.\d]")
COMMENT = re.compile(r"\s*(?:#|%|!|//|\*)")
# 1'234.5, and 1 234,5 parted by a space that does not break; an ordinary space may part two numbers
GROUPED = re.compile(r"[+-]?\d{1,3}(?:['’\u00a0\u202f]\d{3})+(?:[.,]\d*)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
OVERFLOW = re.compile(r"ov(?:e?r|f|ld)|sat|\+{3}|1\.#|inf", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a row is written. `delimiter` None is any white space; `thousands`: 1,234.5 is one number."""

    delimiter: str | None
    decimal_comma: bool = False
    thousands: bool = False

    def cells(self, line: str) -> list[str]:
        """The cells of a row, without the empty one that a delimiter at the end of the line makes."""
        cells = self._split(line)
        cells = [cell.strip() for cell in cells]
        while len(cells) > 1 and not cells[-1]:
            cells.pop()
        return cells

    def _split(self, line: str) -> list[str]:
        if not self.delimiter:
            return line.split()
        if '"' in line:  # “100,"1,234"” are two cells
            try:
                return next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True), [""])
            except csv.Error:
                pass
        return line.split(self.delimiter)

    def number(self, cell: str) -> float | None:
        if self.delimiter and GROUPED.fullmatch(cell):
            cell = re.sub(r"[^\d.,+-]", "", cell)
        if self.thousands and THOUSANDS.fullmatch(cell):
            cell = cell.replace(",", "")
        if self.decimal_comma:
            if "." in cell:
                return None
            cell = cell.replace(",", ".", 1)
        return as_number(cell)

    def is_row(self, line: str) -> bool:
        """Whether it is meant as a row: it begins with a number."""
        return self.number(self.cells(line)[0]) is not None if line.strip() else False


class NumbersAgainError(ReadError):
    """Rows after the text that ended the rows."""


@dataclass
class Table:
    """`rows`: (N, columns). `remarks`: comments among the rows and lines after them, by line number.

    has_gaps : there are blank lines among the rows
    """

    rows: Array
    remarks: dict[int, str] = field(default_factory=dict)
    has_gaps: bool = False


def read_table(path: Path, dialect: Dialect, columns: int, lines_above: int) -> Table:
    """All rows below the header, in blocks, so that memory holds the numbers and little else.

    columns : how many numbers each row has
    Raises ReadError naming line and column.
    """
    with open_text(path) as text:
        for _ in range(lines_above):
            text.readline()
        return read_rows(text, dialect, columns, first_line=lines_above + 1)


def read_rows(text: TextIO, dialect: Dialect, columns: int, first_line: int) -> Table:
    blocks: list[Array] = []
    remarks: dict[int, str] = {}
    ended_at: int | None = None
    has_gaps = False
    line = first_line
    while block := text.read(BLOCK_CHARACTERS):
        block += text.readline()
        numbers = _quick(block, dialect, columns) if ended_at is None else None
        if numbers is None:
            numbers, ended_at = _exact(block, dialect, columns, line, remarks, ended_at)
        blocks.append(numbers)
        has_gaps = has_gaps or GAP.search(block) is not None
        line += block.count("\n")
    rows = np.concatenate(blocks) if blocks else np.empty((0, columns))
    return Table(rows, remarks, has_gaps)


def _quick(block: str, dialect: Dialect, columns: int) -> Array | None:
    """The rows of a block without anything unusual in it; None when there is."""
    if dialect.decimal_comma:
        if "." in block:
            return None
        block = block.replace(",", ".")
    if dialect.delimiter and f"{dialect.delimiter}\n" in block:
        block = block.replace(f"{dialect.delimiter}\n", "\n")
    if not block.strip():
        return np.empty((0, columns))
    try:
        rows: Array = np.loadtxt(
            io.StringIO(block), delimiter=dialect.delimiter, comments=None, ndmin=2, dtype=np.float64
        )
    except ValueError:
        return None
    return rows if rows.shape[1] == columns and np.all(np.isfinite(rows)) else None


def _exact(
    block: str, dialect: Dialect, columns: int, line: int, remarks: dict[int, str], ended_at: int | None
) -> tuple[Array, int | None]:
    """The same line by line. `ended_at` is the line where the rows gave way to closing text, if they did."""
    rows = []
    for number, content in enumerate(block.split("\n"), start=line):
        if not content.strip():
            continue
        if dialect.is_row(content):
            if ended_at is not None:
                raise NumbersAgainError(
                    f"there are numbers again after the text “{_short(remarks[ended_at])}” in line "
                    f"{ended_at}. Send each block of numbers as a file of its own.",
                    line=number,
                )
            rows.append(_row(content, dialect, columns, number))
        else:
            remarks[number] = content.rstrip()
            if not COMMENT.match(content) and ended_at is None:
                ended_at = number
    return np.array(rows, dtype=np.float64).reshape(-1, columns), ended_at


def _row(content: str, dialect: Dialect, columns: int, line: int) -> list[float]:
    cells = dialect.cells(content)
    numbers = []
    for column, cell in enumerate(cells[:columns], start=1):
        number = dialect.number(cell)
        if number is None:
            raise ReadError(_expected(column, cell), line=line)
        numbers.append(number)
    if len(cells) != columns:
        raise ReadError(
            f"expected {columns} numbers, found {len(cells)}. Was the file cut off or joined with another? "
            "Export it again.",
            line=line,
        )
    if not np.isfinite(numbers[0]):
        raise ReadError(
            "the first column has no number here. Remove that point and send it again.", line=line
        )
    return numbers


def _expected(column: int, cell: str) -> str:
    found = f"found “{_short(cell)}”" if cell else "found nothing"
    remedy = "Repair or remove that point and send the file again."
    if OVERFLOW.search(cell):
        remedy = "The detector was probably saturated; re-export without that point."
    return f"expected a number in column {column}, {found}. {remedy}"


def _short(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else "�" for letter in text.strip())
    return printable if len(printable) <= 40 else printable[:39] + "…"


def rows_in(
    lines: list[str], dialect: Dialect, *, at_gaps: bool = False
) -> Iterator[tuple[int, int, list[list[float] | None]]]:
    """Stretches of lines that are meant as rows: (first index, index after the last, the rows).

    A row that is not numbers throughout is None. Blank lines and comments end a stretch only `at_gaps`.
    """
    kinds = [_kind(line, dialect) for line in lines]
    start = 0
    ends = ("text", "nothing") if at_gaps else ("text",)
    for is_text, stretch in itertools.groupby(kinds, key=lambda kind: kind in ends):
        stop = start + len(list(stretch))
        if not is_text:
            places = [index for index in range(start, stop) if kinds[index] == "row"]
            if places:
                yield places[0], places[-1] + 1, [_numbers(lines[index], dialect) for index in places]
        start = stop


def _kind(line: str, dialect: Dialect) -> str:
    if not line.strip() or COMMENT.match(line):
        return "nothing"
    return "row" if dialect.is_row(line) else "text"


def _numbers(line: str, dialect: Dialect) -> list[float] | None:
    numbers = [dialect.number(cell) for cell in dialect.cells(line)]
    return None if any(number is None for number in numbers) else [n for n in numbers if n is not None]

"""Columns of numbers in text, as most programs can export them.

Separators tab, semicolon, comma or white space; decimal point or comma; lines above the numbers are kept as
they are, and the last of them may hold column titles with units. The first column is the axis; every other
column is a dataset of its own, unless its title says that it holds the errors of the column before it. Very
many columns are one map, and so are rows that begin with a name (_wide.py). Otherwise there is no uncertainty
in such a file, no date without a zone, and no unit that is not written: those stay unknown.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers import _beside, _blocks, _gaps, _titles, _wide
from measurements.readers._numbers import Dialect, NumbersAgainError, Table, read_table, rows_in
from measurements.readers._text import decoded, open_text
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Delimited text",
    extensions=(".txt", ".csv", ".dat", ".xy", ".asc", ".tsv"),
    vendor="",
    techniques=(),
    description="Two or more columns of numbers, separated by tab, semicolon, comma or spaces; decimal "
    "point or comma. Lines above the numbers are kept; “Wavelength (nm)” above a column gives its unit. "
    "Tables of very many columns are read as one map; empty cells below titles are numbers that are missing.",
)
VERSION = 5

LAST_RESORT = 0.1  # any text at all: what is wrong with it is said line by line in `read`
HEAD_CHARACTERS = (32 * 1024, 1024 * 1024)  # where the numbers must begin: usually, and at the latest
MAX_CURVES = 64  # columns without a name of their own; more of them are a map
MAX_NAMED_CURVES = 512
DIALECTS = (
    Dialect("\t"), Dialect("\t", decimal_comma=True),
    Dialect(";"), Dialect(";", decimal_comma=True),
    Dialect(","),
    Dialect(None), Dialect(None, decimal_comma=True),
    # "1,234" in quotes among commas, or where another number has a point: no decimal comma
    Dialect(",", thousands=True), Dialect("\t", thousands=True), Dialect(";", thousands=True),
    Dialect(None, thousands=True), Dialect(",", decimal_comma=True),
)  # fmt: skip
AXIS = re.compile(r"wave(?:length|number)|raman|2 ?theta|energy|voltage|potential|time\b|temp", re.IGNORECASE)
# Text formats whose numbers are not simply columns: half of one would be read as if it were the whole.
STRUCTURED = ("<", "{", "%PDF", "##TITLE", "##JCAMP", "data_", "VAMAS", "%!PS", "SQLite")
LIST = re.compile(r"\[(?![A-Za-z][^\[\]\"]*\][ \t;,]*[\r\n])")  # of JSON, not a line [SETTINGS]


class Layout(NamedTuple):
    dialect: Dialect
    columns: int
    first: int  # index of the first line with numbers


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return NEVER
    begin = text.lstrip("\ufeff \t\r\n")
    if not begin or begin.startswith(STRUCTURED) or LIST.match(begin):
        return NEVER
    return LAST_RESORT


def read(path: Path) -> list[Dataset]:
    found = _beginning(path)
    if found is None:
        return _named_rows(path)
    lines, layout = found
    above = lines[: layout.first]
    try:
        table = read_table(path, layout.dialect, layout.columns, lines_above=layout.first)
    except NumbersAgainError as refusal:
        return _several(path, above, layout, refusal)
    except ReadError as refusal:
        return _with_gaps(path, refusal)
    if (table.has_gaps or table.remarks) and _turns_back(table.rows[:, 0]):
        parts = _blocks.blocks_of(path, layout.dialect, at_gaps=True)
        if parts is not None:
            return _curves(parts, layout)
    return _of_table(table, above, layout)


def _of_table(table: Table, above: list[str], layout: Layout) -> list[Dataset]:
    columns, taken = _titles.titles(above, layout.columns, layout.dialect.delimiter)
    labels = None
    if columns is None and above:
        labels = _wide.titles_with_numbers(above[-1], layout.columns, layout.dialect.delimiter)
        taken = 1 if labels else 0
    header = _titles.settings(above[: len(above) - taken])
    for number, line in enumerate(above[len(above) - taken :], start=len(above) - taken + 1):
        header[f"line {number}"] = line.strip()
    header.update({f"line {number}": text for number, text in table.remarks.items()})
    if layout.columns > (MAX_NAMED_CURVES if columns else MAX_CURVES):
        titles = [name for name, _ in columns[1:]] if columns else labels[1:] if labels else None
        axis = Axis(*(columns[0] if columns else ("x", "")), table.rows[:, 0].copy())
        return [_wide.as_map(axis, titles, table.rows[:, 1:].copy(), header)]
    if labels:
        columns = [_titles.name_and_unit(labels[0] or "x"), *((label, "") for label in labels[1:])]
    return _datasets(table.rows, columns or _unnamed(layout.columns), header)


def _several(path: Path, above: list[str], layout: Layout, refusal: NumbersAgainError) -> list[Dataset]:
    """Curves one below the other, each with its own lines above it; or one with words among its rows."""
    blocks = _blocks.blocks_of(path, layout.dialect)
    if blocks is not None:
        return _curves(blocks, layout)
    whole = _blocks.joined(path, layout.dialect)
    if whole is None:
        return _with_notes(path, refusal)
    return _of_table(whole, above, layout)


def _turns_back(x: Array) -> bool:
    """Whether the first column is a saw: it goes one way, and back in steps."""
    steps = np.sign(np.diff(x))
    return bool(np.any(steps > 0) and np.any(steps < 0))


def _curves(blocks: list[_blocks.Block], layout: Layout) -> list[Dataset]:
    datasets: list[Dataset] = []
    columns: list[tuple[str, str]] | None = None
    for number, block in enumerate(blocks, start=1):
        width = block.rows.shape[1]
        own, taken = _titles.titles(block.above, width, layout.dialect.delimiter)
        if own is not None and columns is not None and not _titles.speaks_of_quantities(own):
            own, taken = None, 0  # “second ring” above two columns
        columns = own or (columns if columns is not None and len(columns) == width else None)
        text = block.above[: len(block.above) - taken]
        header = _titles.settings(text, block.first_line)
        words = [line.strip() for line in text if line.strip()]
        title = f"block {number}" + (f", {words[0]}" if len(words) == 1 else "")
        datasets += [
            replace(dataset, title=title)
            for dataset in _datasets(block.rows, columns or _unnamed(width), header)
        ]
    return datasets


def _named_rows(path: Path) -> list[Dataset]:
    """A table whose rows begin with a name."""
    table = _wide.named_rows(path)
    if table is None:
        nothing = ReadError(
            "there are no rows of numbers in it. Was the export cut off after its header? Export two or more "
            "columns of numbers."
        )
        return _with_gaps(path, nothing)
    axis, header = _wide.of_names(table)
    if len(table.titles) > MAX_CURVES:
        return [_wide.as_map(axis, table.titles, table.values, header)]
    rows = np.column_stack([axis.values, table.values])
    return _datasets(rows, [(axis.name, "1"), *map(_titles.name_and_unit, table.titles)], header)


def _with_gaps(path: Path, refusal: ReadError) -> list[Dataset]:
    """A table with empty cells, or with columns of words, below its line of titles."""
    table = _gaps.table(path)
    if table is None or len(table.columns) > MAX_NAMED_CURVES:
        return _with_notes(path, refusal)
    rows = np.column_stack([values for _, values in table.columns])
    rows = rows[np.isfinite(rows[:, 0])]
    if not rows.size:
        raise refusal
    header = _titles.settings(table.above) | table.words
    return _datasets(rows, [_titles.name_and_unit(title) for title, _ in table.columns], header)


def _with_notes(path: Path, refusal: ReadError) -> list[Dataset]:
    """Tables beside which there are notes."""
    tables = _beside.tables(path)
    if not tables:
        raise refusal
    datasets: list[Dataset] = []
    for number, table in enumerate(tables, start=1):
        columns = [_titles.name_and_unit(title) for title in table.titles]
        title = f"table {number}" if len(tables) > 1 else ""
        header = _titles.settings(table.above) | table.notes
        datasets += [replace(each, title=title) for each in _datasets(table.rows, columns, header)]
    return datasets


def _head(text: str, *, at_end: bool) -> list[str]:
    lines = text.split("\n")
    return lines if at_end else lines[:-1]  # the last one was cut by us


def _beginning(path: Path) -> tuple[list[str], Layout] | None:
    """The first lines and what they say about all the others; None when no row begins with a number."""
    for characters in HEAD_CHARACTERS:
        with open_text(path) as text:
            lines = _head(text.read(characters), at_end=not text.read(1))
        layouts = _layouts(lines)
        if layouts:
            _, layout = max(layouts, key=lambda scored: scored[0])
            _refuse_double_comma(lines, layout)
            return lines, layout
    return None


def _layouts(lines: list[str]) -> list[tuple[int, Layout]]:
    """The longest stretch of rows in every dialect that has one, with its number of good rows."""
    found = []
    for dialect in DIALECTS:
        best: tuple[int, Layout] | None = None
        for first, _, rows in rows_in(lines, dialect):
            widths = Counter(len(row) for row in rows if row is not None and len(row) > 1)
            if not widths:
                continue
            columns, good = widths.most_common(1)[0]
            if best is None or good > best[0]:
                best = good, Layout(dialect, columns, _past_lone_numbers(lines, first, rows, dialect))
        if best is not None:
            found.append(best)
    return found


def _past_lone_numbers(lines: list[str], first: int, rows: list[list[float] | None], dialect: Dialect) -> int:
    """A number alone above the rows, such as how many there are, belongs to the header."""
    lone = sum(1 for _ in itertools.takewhile(lambda row: row is not None and len(row) == 1, rows))
    while lone:
        first += 1
        if dialect.is_row(lines[first]):
            lone -= 1
    return first


def _refuse_double_comma(lines: list[str], layout: Layout) -> None:
    """400,5,12,75 may be two numbers with decimal commas: guessing would be wrong by orders of magnitude."""
    if layout.dialect.delimiter != "," or layout.columns % 2:
        return
    rows = [layout.dialect.cells(line) for line in lines[layout.first : layout.first + 200] if line.strip()]
    cells = [cell for row in rows for cell in row]
    fractions = [cell for row in rows for cell in row[1::2]]
    titles = _titles.split_titles(lines[layout.first - 1], layout.columns // 2, ",") if layout.first else None
    if any("." in cell for cell in cells) or layout.columns < 4:
        return
    if titles or any(len(cell) > 1 and cell.startswith("0") for cell in fractions):
        raise ReadError(
            "the comma seems to be both decimal mark and separator, so the numbers cannot be told apart. "
            "Export with semicolons or tabs between the columns.",
            line=layout.first + 1,
        )


def _unnamed(columns: int) -> list[tuple[str, str]]:
    signals = ["y"] if columns == 2 else [f"y{number}" for number in range(1, columns)]
    return [(name, "") for name in ["x", *signals]]


def _datasets(rows: Array, columns: list[tuple[str, str]], header: dict[str, str]) -> list[Dataset]:
    if _titles.are_pairs(columns):
        axis = columns[0][0].partition(",")[0], columns[0][1]
        curves = [rows[:, first : first + 2] for first in range(0, len(columns), 2)]
        whole = [curve[np.isfinite(curve[:, 0])] for curve in curves]  # the shorter ones end in empty cells
        return [
            dataset
            for curve, signal in zip(whole, columns[1::2], strict=True)
            for dataset in _on_one_axis(curve, [axis, signal], header)
            if len(curve)
        ]
    if _only_counts(rows, columns):
        return _on_one_axis(rows[:, 1:], columns[1:], header)
    return _on_one_axis(rows, columns, header)


def _only_counts(rows: Array, columns: list[tuple[str, str]]) -> bool:
    """Whether the first column numbers the rows and the second is what everything was measured over."""
    if len(columns) < 3 or columns[0][1] or not AXIS.match(columns[1][0]):
        return False
    return bool(np.array_equal(rows[:, 0] - rows[0, 0], np.arange(len(rows))) and rows[0, 0] in (0, 1))


def _on_one_axis(rows: Array, columns: list[tuple[str, str]], header: dict[str, str]) -> list[Dataset]:
    axis = Axis(*columns[0], rows[:, 0].copy())
    moment, understood = _titles.acquired_at(header), _titles.conditions(header)
    datasets = []
    column = 1
    while column < len(columns):
        has_sigma = column + 1 < len(columns) and _titles.is_sigma(columns[column + 1][0])
        errors = _errors(rows[:, column + 1]) if has_sigma else None
        signal = Signal(*columns[column], rows[:, column].copy(), errors)
        datasets.append(Dataset(signal, (axis,), header, moment, understood))
        column += 2 if has_sigma else 1
    return datasets


def _errors(values: Array) -> Array:
    if np.any(values < 0):
        raise ReadError(
            f"the column of errors holds {values.min():g}, and an error is never negative. Name that column "
            "otherwise, or export it again."
        )
    return values.copy()

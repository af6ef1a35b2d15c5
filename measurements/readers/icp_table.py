"""Results of ICP-MS and ICP-OES as a table: a sample in each row, an element in each column.

The line of titles has elements in it (“208Pb”, “Pb 220.353”, “133 Cs [He]”), perhaps with units (“(µg/L)”),
perhaps a second line below it with “Conc. [ ppb ]” and the like (Agilent MassHunter). Each numeric column
becomes a dataset over the number of the sample; names of samples are in the header. What is below a limit of
detection (“<0.05”) is a gap (NaN), and its words are in the header.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers._titles import name_and_unit
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="ICP table",
    extensions=(".csv", ".txt"),
    vendor="",
    techniques=("leaching",),
    description="Concentrations from ICP-MS or ICP-OES: samples in rows, elements in columns.",
    max_bytes=32 * 1024**2,
)
VERSION = 1

ELEMENTS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb "
    "Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Th U"
)
SYMBOL = f"(?:{'|'.join(sorted(ELEMENTS.split(), key=len, reverse=True))})"
# An isotope by its mass, or a line by its wavelength: a symbol alone would also be found in other tables.
ANALYTE = re.compile(rf"(?:\d{{1,3}}\s*-?\s*{SYMBOL}|{SYMBOL}\s*-?\s*\d{{1,3}}(?:\.\d+)?)(?![A-Za-z0-9])")
SAMPLE = re.compile(r"\s*(?:sample|solution)?[ _]*(?:name|id|label)?\s*", re.IGNORECASE)
DELIMITERS = ",;\t"
TITLE_LINES, FEWEST_COLUMNS, LONGEST_LINE = 30, 3, 10_000
BELOW = re.compile(r"^\s*[<>]|^\s*(?:n[./]?d\.?|<?lod|bdl|n[./]?a\.?|ovr?|-+)\s*$", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head[: 16 * 1024])
    except ReadError:
        return NEVER
    lines = text.splitlines()[:TITLE_LINES]
    return 0.6 if max(map(len, lines), default=0) < LONGEST_LINE and _titles(lines) else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().splitlines()
    found = _titles(lines[:TITLE_LINES])
    if found is None:
        raise ReadError(
            "no line of titles names elements such as 208Pb or Pb 220.353. Export it with titles."
        )
    at, delimiter, titles = found
    titles, rows = _body(lines[at + 1 :], delimiter, titles)
    if not rows:
        raise ReadError("there is no row of results below the titles. Was the file cut off?", line=at + 1)
    header = {f"line {number}": line for number, line in enumerate(lines[: at + 1], start=1) if line.strip()}
    name_column = _column_of_names(titles, rows)
    header |= {f"sample {number}": row[name_column] for number, row in enumerate(rows, start=1)}
    axis = Axis("Sample", "1", np.arange(1, len(rows) + 1, dtype=float))
    datasets = []
    for column, title in enumerate(titles):
        if not ANALYTE.search(title):
            continue
        values, odd = _values([row[column] for row in rows], delimiter)
        if values is None:
            continue
        name, unit = name_and_unit(title.replace("[ ", "[").replace(" ]", "]"))
        notes = {f"{title}, sample {number}": said for number, said in odd.items()}
        signal = Signal(" ".join(name.split()), unit, values)
        datasets.append(
            Dataset(signal, (axis,), header | notes, None, {}, " ".join(title.split()), "leaching")
        )
    if not datasets:
        raise ReadError(
            "the columns of the elements hold no numbers. Export the concentrations.", line=at + 1
        )
    return datasets


def _titles(lines: list[str]) -> tuple[int, str, list[str]] | None:
    for delimiter in DELIMITERS:
        for number, line in enumerate(lines):
            cells = _cells(line, delimiter)
            analytes = [cell for cell in cells if ANALYTE.match(cell)]
            below = _cells(lines[number + 1], delimiter) if number + 1 < len(lines) else []
            named = any(cell and SAMPLE.fullmatch(cell) for cell in [*cells, *below])
            plain = not any(as_number(cell) is not None for cell in cells)
            if len(cells) >= FEWEST_COLUMNS and named and analytes and plain:
                return number, delimiter, cells
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _body(lines: list[str], delimiter: str, titles: list[str]) -> tuple[list[str], list[list[str]]]:
    """Rows of results; a second line of titles, or one of units, completes the first."""
    cells = [_cells(line, delimiter) for line in lines if line.strip(f"{delimiter} ")]
    first = cells[0] if cells else []
    if first and not any(_number(cell, delimiter) is not None or BELOW.match(cell) for cell in first if cell):
        analyte, joined = "", []
        for column in range(max(len(titles), len(first))):
            title = titles[column] if column < len(titles) else ""
            analyte = title if ANALYTE.match(title) else (analyte if not title else "")
            below = first[column] if column < len(first) else ""
            joined.append(f"{analyte or title} {below}".strip())
        titles, cells = joined, cells[1:]
    return titles, [[*row, *[""] * len(titles)][: len(titles)] for row in cells]


def _column_of_names(titles: list[str], rows: list[list[str]]) -> int:
    for column, title in enumerate(titles):
        if re.search(r"sample|solution|label", title, re.I) and any(row[column] for row in rows):
            return column
    return 0


def _number(cell: str, delimiter: str) -> float | None:
    return as_number(cell.replace(",", ".") if delimiter != "," else cell)


def _values(cells: list[str], delimiter: str) -> tuple[Array | None, dict[int, str]]:
    values = np.full(len(cells), np.nan)
    odd: dict[int, str] = {}
    given = 0
    for index, cell in enumerate(cells):
        number = _number(cell, delimiter)
        if number is not None:
            values[index] = number
            given += 1
        elif cell:
            odd[index + 1] = cell
    words = sum(not BELOW.match(said) for said in odd.values())
    return (values, odd) if given and words <= len(cells) // 2 else (None, odd)

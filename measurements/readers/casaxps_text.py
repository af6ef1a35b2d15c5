"""Spectra that CasaXPS exports as text: a table for each region, below one another or side by side.

    Cycle 3:Ni:Survey
        Characteristic Energy eV	1.486610e+003	Acquisition Time s	1.000000e-001
    Name … Position … FWHM … Area … Lineshape      the components of a fit, if there is one
    K.E.	Counts		B.E.	CPS

Each table has the kinetic energy with counts and the binding energy with counts per second. Dataset 0 is the
first table by binding energy; the columns of a fit (components, background) follow. No date, no errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="CasaXPS text",
    extensions=(".txt", ".csv", ".asc"),
    vendor="Casa Software",
    techniques=("xps",),
    description="XPS regions exported from CasaXPS as text, with or without the components of a fit.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

AXES = {"B.E.": "Binding energy", "K.E.": "Kinetic energy"}
UNITS = {"CPS": "counts/s", "Counts": "counts"}
TITLE_ROW = re.compile(r"^\s*(?:B\.E\.|K\.E\.)\s*[\t,;]", re.MULTILINE)


def recognises(head: bytes, filename: str) -> bool | float:
    try:
        text = decoded(head)
    except ReadError:
        return False
    if not TITLE_ROW.search(text) or ("Counts" not in text and "CPS" not in text):
        return False
    return 0.95 if "Characteristic Energy" in text or text.startswith("Cycle") else 0.6


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    datasets = [dataset for table in _tables(lines) for dataset in _table_datasets(table)]
    if not datasets:
        raise ReadError("there is no row of titles with B.E. or K.E. and numbers below it. Export it again.")
    return datasets


@dataclass
class Column:
    """A column of numbers beside the energies it belongs to."""

    axis: str
    name: str
    energies: Array
    values: Array


@dataclass
class Table:
    """One region: what stands above it, and its columns."""

    title: str
    header: dict[str, str]
    columns: list[Column]


def _tables(lines: list[str]) -> Iterator[Table]:
    above: list[str] = []
    place = 0
    while place < len(lines):
        if not TITLE_ROW.match(lines[place] + "\t"):
            above.append(lines[place])
            place += 1
            continue
        delimiter = next(mark for mark in "\t;,\0" if mark in lines[place] or mark == "\0")
        titles = [cell.strip() for cell in lines[place].split(delimiter)]
        first = place + 1
        place = first
        while place < len(lines) and lines[place].strip() and not lines[place].lstrip()[0].isalpha():
            place += 1
        rows = [line.split(delimiter) for line in lines[first:place]]
        heads = [[cell.strip() for cell in line.split(delimiter)] for line in above if line.strip()]
        above = []
        if rows:
            yield from _side_by_side(titles, rows, heads, first + 1)


def _side_by_side(
    titles: list[str], rows: list[list[str]], heads: list[list[str]], line: int
) -> Iterator[Table]:
    """A table begins at the first energy, and again where an energy comes that it has already."""
    starts: list[int] = []
    seen: set[str] = set()
    for place, title in enumerate(titles):
        if title in AXES and (not starts or title in seen):
            starts.append(place)
            seen = set()
        if title in AXES:
            seen.add(title)
    for start, stop in zip(starts, [*starts[1:], len(titles)], strict=True):
        own = [head[start:stop] for head in heads]
        lines = [" ".join(filter(None, cells)) for cells in own]
        title = next((text for text in lines if text), "")
        header: dict[str, str] = {}
        for cells in own:
            filled = [cell for cell in cells if cell]
            if len(filled) % 2 == 0 and filled and filled[0].startswith("Characteristic"):
                header.update(zip(filled[::2], filled[1::2], strict=True))
            elif len(filled) > 1:
                header[filled[0]] = "\t".join(cells[1:]).strip("\t")
        header = {"title": title, **header}
        yield Table(title, header, list(_columns(titles, start, stop, rows, line)))


def _columns(titles: list[str], start: int, stop: int, rows: list[list[str]], line: int) -> Iterator[Column]:
    axis, axis_place = "", start
    for place in range(start, stop):
        title = titles[place]
        if title in AXES:
            axis, axis_place = AXES[title], place
        elif title:
            used = [
                (number, row)
                for number, row in enumerate(rows, start=line)
                if len(row) > axis_place and row[axis_place].strip()
            ]
            energies = np.array([_cell(row, axis_place, number) for number, row in used])
            values = np.array([_cell(row, place, number) for number, row in used])
            if energies.size:
                yield Column(axis, title, energies, values)


def _cell(row: list[str], place: int, line: int) -> float:
    text = row[place].strip() if place < len(row) else ""
    value = as_number(text.replace(",", "."))
    if value is None or not np.isfinite(value):
        found = f"“{text[:40]}”" if text else "nothing"
        raise ReadError(
            f"expected a number in column {place + 1}, found {found}. Was the export cut off?", line=line
        )
    return value


def _table_datasets(table: Table) -> list[Dataset]:
    parts = table.title.split(":")
    conditions = {
        **condition("photon_energy", table.header.get("Characteristic Energy eV"), "eV"),
        **condition("dwell_time", table.header.get("Acquisition Time s"), "s"),
        **condition("region", parts[-1] if len(parts) > 1 else None),
        **condition("sample_name", ":".join(parts[1:-1]) if len(parts) > 2 else None),
    }
    # What was measured before what was fitted to it, and binding energy before kinetic energy.
    ordered = sorted(table.columns, key=lambda column: (column.name not in UNITS, column.axis))
    titles = _distinct([f"{table.title}, {column.name}" for column in ordered])
    measured = {column.axis: UNITS[column.name] for column in table.columns if column.name in UNITS}
    return [
        Dataset(
            Signal(column.name, UNITS.get(column.name, measured.get(column.axis, "")), column.values),
            (Axis(column.axis, "eV", column.energies),),
            header=table.header, conditions=conditions, title=title,
        )
        for column, title in zip(ordered, titles, strict=True)
    ]  # fmt: skip


def _distinct(titles: list[str]) -> list[str]:
    """A fit may have several components of one name."""
    return [
        f"{title} ({number})" if (number := titles[: place + 1].count(title)) > 1 else title
        for place, title in enumerate(titles)
    ]

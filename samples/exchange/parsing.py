"""Sheets → rows of values, with a sentence for every cell that says something else than its column needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any

from django.db import models

from samples.exchange.cells import CellError, read, shortened
from samples.exchange.columns import Column
from samples.exchange.reading import Sheet, letters
from samples.exchange.tables import Table, table_called, tables

MOST_PROBLEMS = 500
WITH_UNIT = re.compile(r"(?P<words>.*?)\s*[\[(](?P<unit>[^\])]*)[\])]")
SAME_UNIT = {
    "": "",
    "mol": "mol",
    "degc": "°c",
    "c": "°c",
    "-": "1",
    "um": "µm",
    "μm": "µm",
    "g/cm3": "g/cm³",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, and what to do about it."""

    sheet: str
    cell: str
    message: str


@dataclass(eq=False)
class Row:
    """One row of a sheet: its values by column, and the object that it becomes.

    sound : no cell of it was refused; others may refer to it in any case, so that one mistake is told once
    """

    table: Table
    sheet: Sheet
    number: int
    values: dict[str, Any]
    places: dict[str, int]
    sound: bool = True
    made: models.Model | None = None
    found: bool = False
    links: dict[str, Any] = field(default_factory=dict)

    def address(self, *columns: str) -> str:
        """The first of the columns that the sheet has, or the row as a whole."""
        place = next((self.places[name] for name in columns if name in self.places), None)
        if place is None:
            return f"row {self.number}"
        return self.sheet.address(self.number, place)

    def problem(self, message: str, *columns: str) -> Problem:
        self.sound = False
        return Problem(shortened(self.sheet.name), shortened(self.address(*columns)), message)


def parse(sheets: Sequence[Sheet], zone: tzinfo) -> tuple[dict[str, list[Row]], list[Problem]]:
    """Rows by table, in the order of the tables."""
    problems: list[Problem] = []
    by_table: dict[str, list[Row]] = {}
    for sheet in sheets:
        table = table_called(sheet.name.strip().lower().replace(" ", "_"))
        if table is None:
            problems.append(Problem(shortened(sheet.name), "", _unknown_sheet(sheet)))
        elif table.name in by_table:
            problems.append(Problem(shortened(sheet.name), "", "This sheet is there twice; join the two."))
        else:
            by_table[table.name] = _rows(table, sheet, zone, problems)
    return {table.name: by_table.get(table.name, []) for table in tables()}, problems


def _unknown_sheet(sheet: Sheet) -> str:
    known = ", ".join(table.name for table in tables())
    return f"There is no table “{shortened(sheet.name)}”. Name the sheet, or the CSV file, as one of {known}."


def _rows(table: Table, sheet: Sheet, zone: tzinfo, problems: list[Problem]) -> list[Row]:
    places = _matched(table, sheet, problems)
    columns = table.by_name
    missing = [c.title for c in table.columns if c.required and c.name not in places]
    if missing and sheet.rows and not any(p.sheet == shortened(sheet.name) for p in problems):
        problems.append(Problem(shortened(sheet.name), "", f"The column “{missing[0]}” is missing; add it."))
    rows = []
    for number, cells in sheet.rows:
        row = Row(table, sheet, number, {}, places)
        for name, place in places.items():
            raw = cells[place] if place < len(cells) else None
            try:
                row.values[name] = read(raw, columns[name], zone)
            except CellError as error:
                row.values[name] = None
                problems.append(row.problem(str(error), name))
        beyond = next(
            (i for i, cell in enumerate(cells[len(sheet.titles) :]) if cell not in (None, "")), None
        )
        if beyond is not None:
            address = f"{letters(len(sheet.titles) + beyond)}{number}"
            problems.append(
                Problem(
                    shortened(sheet.name), address, "This cell stands under no title; give its column one."
                )
            )
        rows.append(row)
    return rows


def _matched(table: Table, sheet: Sheet, problems: list[Problem]) -> dict[str, int]:
    """Column name → place in the sheet."""
    known = {_plain(column.words): column for column in table.columns}
    known |= {_plain(column.name): column for column in table.columns}
    places: dict[str, int] = {}
    for place, title in enumerate(sheet.titles):
        if not title.strip():
            continue
        column, complaint = _column(title, known)
        if column is not None and column.name in places:
            complaint = f"The column “{column.title}” is there twice; keep one."
        elif column is not None:
            places[column.name] = place
        if complaint:
            address = sheet.titles[place] if sheet.named_cells else f"{letters(place)}{sheet.title_row}"
            problems.append(Problem(shortened(sheet.name), shortened(address), complaint))
    return places


def _column(title: str, known: dict[str, Column]) -> tuple[Column | None, str]:
    exact = known.get(_plain(title))
    if exact is not None and (not exact.unit or exact.unit == "1" or _plain(title) == _plain(exact.name)):
        return exact, ""
    with_unit = WITH_UNIT.fullmatch(" ".join(title.split()))
    words, unit = (with_unit["words"], with_unit["unit"]) if with_unit else (title, "")
    column = known.get(_plain(words))
    if column is None:
        near = get_close_matches(_plain(words), known, n=1, cutoff=0.6)
        hint = f" Did you mean “{known[near[0]].title}”?" if near else " Take the titles of the template."
        return None, f"There is no column “{shortened(title)}”.{hint}"
    if not column.unit and not unit:
        return column, ""
    if not unit:
        return None, f"“{shortened(title)}” states no unit; write “{column.title}”."
    if not column.unit:
        return None, f"“{shortened(words)}” has no unit; write “{column.title}”."
    if _unit(unit) != _unit(column.unit):
        return None, (
            f"“{shortened(words)}” is kept in {column.unit}, and this column is in {shortened(unit)}; "
            f"convert its numbers and write “{column.title}”."
        )
    return column, ""


def _plain(title: str) -> str:
    return " ".join(title.lower().replace("_", " ").strip().lstrip("\ufeff").split())


def _unit(unit: str) -> str:
    plain = unit.lower().replace(" ", "").replace("℃", "°c")
    return SAME_UNIT.get(plain, plain)

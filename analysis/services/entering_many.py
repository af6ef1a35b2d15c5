"""Many values entered by hand, from a table: all of it, or nothing, and a sentence for every bad cell."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from analysis import properties
from analysis.models import Value
from analysis.services.entering import enter_value
from samples.models import Sample, User

COLUMNS = ("sample", "property", "component", "value", "sigma", "unit", "comparator", "reason")
REQUIRED = ("sample", "property", "value", "unit", "reason")
MOST_ROWS = 2000
Row = Mapping[str, Any]


class TableError(Exception):
    """What is wrong with the table as a whole, in a sentence."""


@dataclass
class Checked:
    """A row with its number in the file, what is wrong with it by column, and the value that it became."""

    number: int
    row: Row
    problems: dict[str, str] = field(default_factory=dict)
    value: Value | None = None


@dataclass(frozen=True)
class Report:
    rows: list[Checked]
    saved: bool

    @property
    def wrong(self) -> list[Checked]:
        return [row for row in self.rows if row.problems]


def table_of(text: str) -> list[tuple[int, Row]]:
    """Rows of CSV with their line numbers; comma, semicolon or tabulator between the cells. Where it is no
    comma, a comma in a number is a decimal one."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise TableError("This is not a text. Save the table as CSV (UTF-8).")
    heading = text.partition("\n")[0]
    between = max(",;\t", key=heading.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=between, skipinitialspace=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or []]
        missing = [name for name in REQUIRED if name not in names]
        if missing:
            raise TableError(
                f"The first line must name the columns; it lacks {', '.join(missing)}. Known are: "
                f"{', '.join(COLUMNS)}."
            )
        unknown = [name for name in names if name not in COLUMNS]
        if unknown:
            raise TableError(f"“{unknown[0]}” is no column of values; known are: {', '.join(COLUMNS)}.")
        reader.fieldnames = names
        rows: list[tuple[int, Row]] = []
        for row in reader:
            number = reader.line_num
            if None in row or None in row.values():
                raise TableError(f"Line {number} has not as many cells as the first line has names.")
            cells = {name: cell.strip() for name, cell in row.items()}
            if between != ",":
                cells |= {name: cells[name].replace(",", ".") for name in ("value", "sigma") if name in cells}
            if any(cells.values()):
                rows.append((number, cells))
    except csv.Error as error:
        raise TableError(f"The table cannot be read as CSV: {error}.") from None
    return rows


def enter_many(user: User, rows: Iterable[tuple[int, Row]], *, dry_run: bool = False) -> Report:
    """Every row as `enter_value` would take it. One bad row, or a dry run, and nothing is saved."""
    checked = [Checked(number, row) for number, row in rows]
    if not checked:
        raise TableError("There is no row with a value in it.")
    if len(checked) > MOST_ROWS:
        raise TableError(f"There are {len(checked)} rows; {MOST_ROWS} are taken at once. Divide the table.")
    codes = {str(each.row.get("sample", "")) for each in checked}
    samples = {sample.code: sample for sample in Sample.objects.visible_to(user).filter(code__in=codes)}
    writable = set(Sample.objects.open_to(user).filter(code__in=codes).values_list("code", flat=True))
    said: dict[tuple[str, str, str], int] = {}
    with transaction.atomic():
        for each in checked:
            _enter(each, user, samples, writable, said)
        is_wrong = any(each.problems for each in checked)
        if is_wrong or dry_run:
            transaction.set_rollback(True)
            for each in checked:
                each.value = None
    return Report(checked, saved=not (is_wrong or dry_run))


def _enter(
    each: Checked,
    user: User,
    samples: Mapping[str, Sample],
    writable: set[str],
    said: dict[tuple[str, str, str], int],
) -> None:
    cells = {name: str(each.row.get(name) if each.row.get(name) is not None else "") for name in COLUMNS}
    sample = samples.get(cells["sample"])
    if sample is None:
        each.problems["sample"] = f"There is no sample “{cells['sample']}”. Check the code on the label."
    elif sample.code not in writable:
        each.problems["sample"] = "You may look at its project but not write to it; ask its manager."
    value = _number(cells["value"], "value", each)
    sigma = None if cells["sigma"] == "" else _number(cells["sigma"], "sigma", each)
    if sigma is not None and sigma < 0:
        each.problems["sigma"] = "A sigma is not negative."
    subject = (cells["sample"], cells["property"], cells["component"])
    earlier = said.setdefault(subject, each.number)
    if earlier != each.number:
        each.problems["property"] = f"Row {earlier} gives the same quantity of this sample already."
    if each.problems or value is None or sample is None:
        return
    factor, unit = _as_kept(cells["property"], cells["unit"])
    try:
        with transaction.atomic():
            each.value = enter_value(
                user=user,
                sample=sample,
                property_key=cells["property"],
                component=cells["component"],
                value=value * factor,
                sigma=None if sigma is None else sigma * factor,
                unit=unit,
                comparator=cells["comparator"] or "=",
                reason=cells["reason"],
            )
    except ValidationError as error:
        each.problems |= {
            name if name in COLUMNS else "value": " ".join(texts)
            for name, texts in error.message_dict.items()
        }


def _number(text: str, column: str, each: Checked) -> float | None:
    try:
        number = float(text.replace("−", "-"))
    except ValueError:
        each.problems[column] = f"“{text}” is not a number." if text else "It is missing."
        return None
    if not math.isfinite(number):
        each.problems[column] = "It must be a finite number."
        return None
    return number


def _as_kept(key: str, unit: str) -> tuple[float, str]:
    """Per cent become the fraction that is kept."""
    declared = properties.all().get(key)
    return (0.01, "1") if declared and declared.as_percent and unit == "%" else (1.0, unit)

"""A manifest → its rows. Nothing of it is believed: a cell that is not understood makes a sentence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import Any, BinaryIO

from rest_framework.exceptions import ValidationError

from measurements.serializers import ROLE_CHARACTERS, ConditionsField
from measurements.techniques import Technique
from samples.exchange import FileError
from samples.exchange.cells import DECIMAL_COMMA, NUMBER, CellError, Formula, read, shortened, written
from samples.exchange.columns import Column
from samples.exchange.reading import Sheet, sheets

MOST_BYTES = 5 * 1024**2
MOST_ROWS = 5_000
LONGEST_NAME = 1000
CONDITION = re.compile(r"[a-z][a-z0-9_]{0,59}")
SHA256 = re.compile(r"[0-9a-f]{64}")
TITLES = {"code": "sample", "filename": "file", "file_name": "file", "hash": "sha256", "label": "measurement"}

__all__ = ["COLUMNS", "FileError", "Manifest", "Row", "read_manifest", "template"]

COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("sample", "text", longest=200, help="Code on the label."),
        Column("technique", "text", longest=80, help="Its key or name; empty: as the file says."),
        Column("file", "text", longest=LONGEST_NAME, help="Name of the file, with its folder if it has one."),
        Column("role", "text", longest=ROLE_CHARACTERS, help="sample, blank, irf, …; empty for a lone file."),
        Column(
            "measurement",
            "text",
            longest=80,
            help="Rows with the same word here are one measurement with several files.",
        ),
        Column(
            "group", "text", longest=80, help="The same, among rows of the same sample and technique."
        ),
        Column("acquired_at", "moment", help="When it was measured, such as 2026-11-20T14:05+01:00."),
        Column("instrument", "text", longest=80, help="Name of the instrument, as Vitrine knows it."),
        Column("conditions", "json", help='A JSON object, such as {"gas": "Ar"}.'),
        Column("sha256", "text", longest=64, help="Of a file that is here already; then none is sent."),
    )
}  # fmt: skip
REQUIRED = ("sample", "file")


@dataclass(frozen=True)
class Row:
    """`said`: what was understood, by column; conditions in one dictionary. `wrong`: on the rest."""

    number: int
    said: dict[str, Any]
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    rows: list[Row]
    remarks: list[str]


def read_manifest(stream: BinaryIO, filename: str, *, size: int, zone: tzinfo | None) -> Manifest:
    """`zone` is that of times without one; None refuses them. Raises FileError with a sentence."""
    if size > MOST_BYTES:
        raise FileError(
            f"{filename} has {size / 1e6:.0f} MB; a manifest may have {MOST_BYTES / 1e6:.0f} MB. Split it."
        )
    sheet = _the_sheet(sheets(stream, filename, size=size, table="manifest"), filename)
    names, remarks = _columns(sheet)
    if len(sheet.rows) > MOST_ROWS:
        raise FileError(
            f"{filename} has {len(sheet.rows)} rows; a batch may have {MOST_ROWS}. Split it into several."
        )
    if not sheet.rows:
        raise FileError(f"{filename} has titles but no rows: write one row for each file.")
    return Manifest([_row(number, cells, names, zone) for number, cells in sheet.rows], remarks)


def is_manifest(stream: BinaryIO, filename: str, *, size: int) -> bool:
    """Whether this table has the titles of a manifest: for finding it among the files of a folder."""
    try:
        found = sheets(stream, filename, size=size, table="manifest") if size <= MOST_BYTES else []
    except FileError:
        return False
    return any(set(REQUIRED) <= {_named(title) for title in sheet.titles} for sheet in found)


def template() -> bytes:
    """A manifest to fill in, with two rows that show how."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*(name for name in COLUMNS if name not in ("group", "sha256")), "temperature_c"])
    for file, role in (("spectrum.txt", "sample"), ("blank.txt", "blank")):
        writer.writerow(["VT-7K3M2A", "pl", file, role, "1", "2026-11-20T14:05+01:00", "", "", 25])
    return out.getvalue().encode("utf-8-sig")


def _the_sheet(found: Sequence[Sheet], filename: str) -> Sheet:
    for sheet in found:
        if set(REQUIRED) <= {_named(title) for title in sheet.titles}:
            return sheet
    titles = ", ".join(f"“{shortened(title)}”" for sheet in found for title in sheet.titles[:12]) or "nothing"
    raise FileError(
        f"{filename} needs the titles “sample” and “file” in its first row; found: {titles}. "
        "Take the template if in doubt."
    )


def _named(title: str) -> str:
    plain = re.sub(r"[\s-]+", "_", title.strip().casefold())
    return TITLES.get(plain, plain)


def _columns(sheet: Sheet) -> tuple[list[str], list[str]]:
    """The name of each column, "" for one without title; and what to say of the table as a whole."""
    names: list[str] = []
    conditions = []
    for title in sheet.titles:
        name = _named(title)
        if name and name in names:
            raise FileError(f"Two columns are called “{shortened(title)}”. Leave one of them out.")
        if name and name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, n=1, cutoff=0.8)
            if near:
                raise FileError(f"There is no column “{shortened(title)}”. Did you mean “{near[0]}”?")
            if not CONDITION.fullmatch(name):
                raise FileError(
                    f"“{shortened(title)}” cannot be the name of a condition: use small letters, digits and "
                    f"_, with the unit at the end, such as temperature_c. Columns known by name: "
                    f"{', '.join(COLUMNS)}."
                )
            conditions.append(name)
        names.append(name)
    told = f"Kept as conditions: {', '.join(conditions)}." if conditions else ""
    return names, [told] if told else []


def _row(number: int, cells: Sequence[Any], names: Sequence[str], zone: tzinfo | None) -> Row:
    said: dict[str, Any] = {}
    conditions: dict[str, Any] = {}
    wrong: list[str] = []
    for name, cell in zip(names, cells, strict=False):
        if not name:
            continue
        try:
            if name in COLUMNS:
                value = _cell(name, cell, zone)
            else:
                value = _condition(name, cell)
        except CellError as error:
            wrong.append(f"{name.replace('_', ' ')}: {error}")
            continue
        if value is None:
            continue
        if name == "conditions":
            conditions = {**value, **conditions}
        elif name in COLUMNS:
            said[name] = written(value) if isinstance(value, datetime) else value
        else:
            conditions[name] = value
    if conditions:
        said["conditions"] = conditions
    return Row(number, said, wrong)


def _cell(name: str, cell: Any, zone: tzinfo | None) -> Any:
    if name == "acquired_at" and zone is None and _without_zone(cell):
        raise CellError("Give the time with its zone, such as 2026-11-20T14:05+01:00.")
    value = read(cell, COLUMNS[name], zone or UTC)
    if value is None:
        return None
    if name == "technique":
        return _technique(value)
    if name == "conditions":
        return _conditions(value)
    if name == "sha256":
        value = value.lower()
        if not SHA256.fullmatch(value):
            raise CellError(f"“{shortened(value)}” is no SHA-256: that has 64 hexadecimal digits.")
    if name == "file":
        return file_name(value)
    return value


def _without_zone(cell: Any) -> bool:
    try:
        moment = cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell).strip())
    except ValueError:
        return False  # `read` says what is wrong with it
    return moment.tzinfo is None


def _technique(text: str) -> str:
    wanted = text.strip().casefold()
    for key, label in Technique.choices:
        if wanted in (key, label.casefold()):
            return str(key)
    known = [key for key in Technique.values if key != "unknown"]
    near = get_close_matches(wanted, known, n=1, cutoff=0.6)
    hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
    raise CellError(f"“{shortened(text)}” is not a technique. {hint}")


def _conditions(value: Any) -> dict[str, Any]:
    """As over REST: an object, whose numbers are finite and whose texts the database can keep."""
    try:
        return ConditionsField().to_internal_value(value)
    except ValidationError as error:
        raise CellError(" ".join(map(str, error.detail))) from None


def _condition(name: str, cell: Any) -> Any:
    if isinstance(cell, Formula):
        raise CellError(f"It holds the formula “{shortened(cell.text)}”; paste its value instead.")
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, (int, float)):
        return read(cell, Column(name, "number"), UTC)
    text = read(cell, Column(name, "text", longest=500), UTC)
    is_number = text is not None and (NUMBER.fullmatch(text) or DECIMAL_COMMA.fullmatch(text))
    return read(text, Column(name, "number"), UTC) if is_number else text


def file_name(text: str) -> str:
    """A name inside the batch. Raises CellError for one that points elsewhere."""
    name = text.replace("\\", "/").removeprefix("./")
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise CellError(
            f"“{shortened(text)}” is a place on your own computer; write the file's name as in the folder "
            "that you send."
        )
    if not parts[-1]:
        raise CellError(f"“{shortened(text)}” names a folder, not a file.")
    return "/".join(part for part in parts if part not in ("", "."))

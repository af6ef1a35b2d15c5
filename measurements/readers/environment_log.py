"""Logs of sensors: rows that begin with a date and a time, then temperature, humidity, light, …

The axis is the time in s since the first row. Dates may be ISO, with a point (04.05.2026) or with a slash; in
the last case it is the rows that tell day from month: the right reading is in order and without gaps of
months. Where they cannot tell, it must make no difference. The zone is that of the time stamps, or of a title
such as “Date Time, GMT+02:00” (HOBO); without one the moment of the first row stays a local time. Empty cells
are gaps (NaN). Rows are kept in the order of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers._titles import name_and_unit
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Log with date and time",
    extensions=(".csv", ".txt", ".log"),
    vendor="",
    techniques=("environment",),
    description="Temperature, humidity, light and other readings against date and time, from loggers.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

LIKELY = 0.35
CLEARLY = 5.0
DELIMITERS = "\t;,"
FEWEST_ROWS, MOST_TITLE_LINES, MOST_COLUMNS = 3, 200, 64
ISO = r"(?P<y>\d{4})[-/.](?P<m>\d\d?)[-/.](?P<d>\d\d?)"
EUROPEAN = r"(?P<a>\d\d?)(?P<mark>[./-])(?P<b>\d\d?)(?P=mark)(?P<year>\d{4}|\d\d)"
TIME = r"(?P<H>\d\d?):(?P<M>\d\d)(?::(?P<S>\d\d(?:[.,]\d+)?))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?"
STAMP = re.compile(rf"(?:{ISO}|{EUROPEAN})[T ,]*\s*{TIME}{ZONE}")
DATE_ALONE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[./-]\d\d?[./-](?:\d{4}|\d\d)")
TIME_ALONE = re.compile(r"\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?")
ZONE_IN_TITLE = re.compile(r"\b(?:GMT|UTC)\s*(?P<offset>[+-]\d\d:?\d\d)?")
MISSING = {"", "-", "--", "---", "n/a", "na", "nan", "null", "none", "err", "error"}
UNITS = {"c": "°C", "degc": "°C", "rh": "%", "%rh": "%", "lx": "lux", "f": "°F"}
LAST_WORD_UNIT = re.compile(
    r"(?P<name>.*\S)[\s,_]+(?P<unit>°[CF]|%(?:\s?RH)?|lux|lx|hPa|kPa|mbar|ppm|µW/cm²|W/m²|V)", re.I
)


class Layout(NamedTuple):
    delimiter: str
    first: int  # line of the first row
    stamp: int  # column of the date
    columns: int
    separate_time: bool  # the time is in the column after the date


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head[: 32 * 1024])
    except ReadError:
        return NEVER
    return LIKELY if ":" in text and _layout(text.splitlines()[:MOST_TITLE_LINES]) else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().splitlines()
    layout = _layout(lines[:MOST_TITLE_LINES])
    if layout is None:
        raise ReadError("no row begins with a date and a time. Export the log with both in each row.")
    titles, header = _titles_and_header(lines[: layout.first], layout)
    rows, after = _rows(lines[layout.first :], layout)
    header.update({f"line {layout.first + 1 + number}": line for number, line in after.items()})
    words = [_stamp_of(row, layout) for row in rows]
    seconds, first = _seconds(words, titles[layout.stamp])
    known = condition("local_time", None if first.tzinfo else words[0])
    moment = first if first.tzinfo else None
    axis = Axis("Time", "s", seconds)
    datasets = []
    for column in range(layout.stamp + (2 if layout.separate_time else 1), layout.columns):
        values = _values([row[column] for row in rows], layout)
        if values is None:
            header[f"column {column + 1} of the first row"] = rows[0][column]
            continue
        name, unit = _name_and_unit(titles[column] or f"column {column + 1}")
        datasets.append(
            Dataset(Signal(name, unit, values), (axis,), header, moment, known, name, "environment")
        )
    if not datasets:
        raise ReadError(
            "beside date and time no column holds numbers. Export the readings too.", line=layout.first + 1
        )
    return datasets


def _layout(lines: Sequence[str]) -> Layout | None:
    """Where rows begin, from a few in succession that all have a time stamp and something after it."""
    for delimiter in DELIMITERS:
        for start in range(len(lines)):
            found = _stamp_column(_cells(lines[start], delimiter))
            if found is None:
                continue
            following = [line for line in lines[start : start + FEWEST_ROWS + 2] if line.strip()]
            rows = [_cells(line, delimiter) for line in following[:FEWEST_ROWS]]
            width = len(rows[0])
            alike = len(rows) == FEWEST_ROWS and all(_stamp_column(row) == found for row in rows)
            if alike and found[0] + 1 + found[1] < width <= MOST_COLUMNS:
                return Layout(delimiter, start, found[0], width, found[1])
            break
    return None


def _stamp_column(cells: list[str]) -> tuple[int, bool] | None:
    """The column of the time stamp, first or after a running number; and whether the time is in the next."""
    for column in (0, 1):
        if column and (not cells[0].strip('"').isdecimal() or len(cells) < 2):
            return None
        if STAMP.fullmatch(cells[column]):
            return column, False
        if (
            column + 1 < len(cells)
            and DATE_ALONE.fullmatch(cells[column])
            and TIME_ALONE.fullmatch(cells[column + 1])
        ):
            return column, True
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    cells = next(csv.reader([line], delimiter=delimiter), []) if '"' in line else line.split(delimiter)
    return [cell.strip() for cell in cells] or [""]


def _titles_and_header(above: list[str], layout: Layout) -> tuple[list[str], dict[str, str]]:
    header = {f"line {number}": line.strip() for number, line in enumerate(above, start=1) if line.strip()}
    for line in reversed(above):
        cells = _cells(line, layout.delimiter)
        if len(cells) >= layout.columns - 1 and any(cells):
            return [*cells, *[""] * layout.columns][: layout.columns], header
    return [""] * layout.columns, header


def _rows(lines: list[str], layout: Layout) -> tuple[list[list[str]], dict[int, str]]:
    """Rows as cells; lines without a time stamp (a logger's events, the end) are kept as words."""
    rows, others = [], {}
    for number, line in enumerate(lines):
        cells = _cells(line, layout.delimiter)
        if _stamp_column(cells) == (layout.stamp, layout.separate_time):
            rows.append([*cells, *[""] * layout.columns][: layout.columns])
        elif line.strip():
            others[number] = line.strip()
    return rows, others


def _stamp_of(row: list[str], layout: Layout) -> str:
    return f"{row[layout.stamp]} {row[layout.stamp + 1]}" if layout.separate_time else row[layout.stamp]


def _seconds(words: list[str], title: str) -> tuple[Array, datetime]:
    found = [STAMP.fullmatch(word) for word in words]
    if None in found:
        number = found.index(None)
        raise ReadError(f"“{words[number][:40]}” is not a date and a time.")
    matches = [match for match in found if match is not None]
    axes = []
    for day_first in (True, False):
        try:
            moments = [_moment(match, day_first, title) for match in matches]
            axes.append((np.array([(moment - moments[0]).total_seconds() for moment in moments]), moments[0]))
        except (ValueError, TypeError, OverflowError):
            continue
    if not axes:
        raise ReadError("a date does not exist in the calendar, or only some of the times have a zone.")
    if len(axes) == 2 and not np.array_equal(axes[0][0], axes[1][0]):
        axes = _the_steadier(axes, words[0])
    seconds, first = axes[0]
    if len(axes) == 2 and first != axes[1][1] and first.tzinfo is not None:
        first = first.replace(tzinfo=None)  # its date is not certain, so neither is the moment
    return seconds, first


def _the_steadier(axes: list[tuple[Array, datetime]], example: str) -> list[tuple[Array, datetime]]:
    """Of two readings of the same dates the one in order, with the smaller of their largest gaps."""
    largest = [float(np.max(np.abs(np.diff(seconds)))) for seconds, _ in axes]
    in_order = [bool(np.all(np.diff(seconds) >= 0)) for seconds, _ in axes]
    if in_order[0] != in_order[1]:
        return [axes[in_order.index(True)]]
    if max(largest) < CLEARLY * min(largest):
        raise ReadError(
            f"“{example}” may be day/month or month/day, and the rows do not tell. Export with ISO dates, "
            "such as 2026-05-04 10:00."
        )
    return [axes[largest.index(min(largest))]]


def _moment(match: re.Match[str], day_first: bool, title: str) -> datetime:
    if match["y"]:
        year, month, day = int(match["y"]), int(match["m"]), int(match["d"])
    else:
        first, second, year = int(match["a"]), int(match["b"]), int(match["year"])
        year += 2000 if year < 100 else 0
        # A point or a hyphen between them is written where the day comes first.
        day, month = (first, second) if day_first or match["mark"] != "/" else (second, first)
    hour, seconds = int(match["H"]), float((match["S"] or "0").replace(",", "."))
    if half := match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half[0] in "Pp" else 0)
    if seconds >= 60:
        raise ValueError(seconds)
    start = datetime(year, month, day, hour, int(match["M"]), tzinfo=_zone(match["zone"] or "", title))
    return start + timedelta(seconds=seconds)


def _zone(words: str, title: str) -> timezone | None:
    offset = words
    if not words:
        found = ZONE_IN_TITLE.search(title)
        if found is None:
            return None
        offset = found["offset"] or "Z"
    if not offset.startswith(("+", "-")):
        return UTC
    sign = -1 if offset[0] == "-" else 1
    digits = offset[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def _values(cells: list[str], layout: Layout) -> Array | None:
    """Numbers, with NaN where there are none; None when the column is not numbers."""
    numbers = np.full(len(cells), np.nan)
    given = 0
    for index, cell in enumerate(cells):
        if cell.lower() in MISSING:
            continue
        number = as_number(cell.replace(",", ".") if layout.delimiter != "," and "." not in cell else cell)
        if number is None:
            return None
        numbers[index] = number
        given += 1
    return numbers if given else None


def _name_and_unit(title: str) -> tuple[str, str]:
    plain = title.strip().strip('"')
    name, unit = name_and_unit(plain)
    if not unit and (found := LAST_WORD_UNIT.fullmatch(plain)):
        name, unit = found["name"].rstrip(","), found["unit"]
    return name, UNITS.get(unit.lower().replace(" ", "").replace("°c", "c"), unit)

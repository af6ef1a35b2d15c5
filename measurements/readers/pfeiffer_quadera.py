"""Ion currents or partial pressures over time that Pfeiffer's Quadera exports as text (.asc).

    Start Time	28/11/2022 13:51:12
                14			16			Water
    Time	Time Relative [s]	Partial Pressure [mbar]	Time	Time Relative [s]	…
    28/11/2022 13:51:12	0.000	1.083137e-011	28/11/2022 13:51:12	0.222	…

Every mass or gas is measured at its own times, so each is a dataset with an axis of its own. The last line
may end with some of them. Dates have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers import _thermal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Pfeiffer Quadera text",
    extensions=(".asc", ".txt"),
    vendor="Pfeiffer Vacuum",
    techniques=("ms",),
    description="Mass spectrometry of evolved gas: ion currents or partial pressures over time, exported "
    "from Quadera; each mass with its own times.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

RELATIVE = re.compile(r"^(?:Time Relative|Zeit relativ|RelTime)\s*\[(\w+)\]$", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head)
    except ReadError:
        return False
    return len(re.findall(r"(?:^|\t)(?:Time Relative|Zeit relativ|RelTime)\s*\[\w+\]\t", text)) > 0


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    at = next(
        (
            number
            for number, line in enumerate(lines)
            if any(RELATIVE.match(cell.strip()) for cell in line.split("\t"))
        ),
        None,
    )
    if at is None:
        raise ReadError(
            "the file ends before the titles of the columns. Was the export cut off? Export it again.",
            line=len(lines),
        )
    titles = [cell.strip() for cell in lines[at].split("\t")]
    names = [cell.strip() for cell in lines[at - 1].split("\t")] if at else []
    header = _header(lines[: max(at - 1, 0)])
    times = [place for place, title in enumerate(titles) if RELATIVE.match(title)]
    rows = _rows(lines[at + 1 :], at + 2)
    datasets = [_channel(rows, titles, names, place, header, at + 2) for place in times]
    return [dataset for dataset in datasets if dataset is not None]


def _header(lines: Sequence[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        key, _, value = line.strip().partition("\t")
        if key:
            header[key if key not in header else f"line {number}"] = value.strip()
    return header


def _rows(lines: Sequence[str], first_line: int) -> list[list[str]]:
    """Cells of all lines; empty lines may only be at the end."""
    rows = [line.rstrip().split("\t") for line in lines]
    while rows and rows[-1] == [""]:
        rows.pop()
    for number, row in enumerate(rows):
        if row == [""]:
            raise ReadError(
                "there is an empty line among the rows. Was the file joined with another? Export it again.",
                line=first_line + number,
            )
    return rows


def _channel(
    rows: Sequence[Sequence[str]],
    titles: Sequence[str],
    names: Sequence[str],
    place: int,
    header: dict[str, str],
    first_line: int,
) -> Dataset | None:
    """The mass whose relative times are in column `place`; None if it was never measured."""
    if place + 1 >= len(titles):
        raise ReadError("the last mass has times and no values. Export it again.", line=first_line - 1)
    times = _numbers(rows, place, first_line)
    values = _numbers(rows, place + 1, first_line)
    size = min(times.size, values.size)
    if not size:
        return None
    quantity, unit = _thermal.name_and_unit(titles[place + 1])
    found = RELATIVE.match(titles[place])
    label = next((name for name in names[max(place - 1, 0) : place + 2] if name), f"Channel {place // 3 + 1}")
    title = f"m/z {label}" if label.replace(".", "").isdecimal() else label
    own = header | {"channel": label}
    return Dataset(
        signal=Signal(quantity, unit, values[:size]),
        axes=(Axis("Time", found[1] if found else "", times[:size]),),
        header=own,
        conditions=condition("local_time", header.get("Start Time") or header.get("Startzeit")),
        title=title,
    )


def _numbers(rows: Sequence[Sequence[str]], place: int, first_line: int) -> Array:
    """A column, as long as it goes: only its end may be missing."""
    cells = [row[place].strip() if place < len(row) else "" for row in rows]
    while cells and not cells[-1]:
        cells.pop()
    if any("," in cell for cell in cells[:200]):
        cells = [cell.replace(",", ".") for cell in cells]
    try:
        numbers = np.array(cells, dtype=np.float64)
    except ValueError:
        line, cell = next((number, cell) for number, cell in enumerate(cells) if as_number(cell) is None)
        raise ReadError(
            f"expected a number in column {place + 1}, found “{cell[:40]}”. Repair or remove that point and "
            "send the file again.",
            line=first_line + line,
        ) from None
    if not np.all(np.isfinite(numbers)):
        raise ReadError(f"column {place + 1} holds NaN or infinity. Repair or remove those points.")
    return numbers

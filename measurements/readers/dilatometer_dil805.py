"""Text of the DIL 805 quenching and deformation dilatometers (Baehr, later TA Instruments), WinTA .asc.

     C:\\WinTa100\\DIL805.PRO\\Data\\Quenching\\958-Zry4.PAR
            Time - Temperature  /  rel. Change in Length  /  dif. Change in Length
              s                °C                    %
      4762      2410,00341797     1049,95727539        0,28189650       -0,04102653

The first column is the number of the row. The line of units may be shorter than the titles: what it does not
give stays unknown. No date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers import _thermal
from measurements.readers._numbers import Dialect
from measurements.readers._text import decoded, open_text
from measurements.readers._thermal import Column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Dilatometer DIL 805 text",
    extensions=(".asc",),
    vendor="Baehr / TA Instruments",
    techniques=("dilatometry",),
    description="Change in length over time and temperature of DIL 805 dilatometers, exported by WinTA.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

TITLES = re.compile(r"^\s*(?:Time|Zeit)\s+-\s+\S", re.IGNORECASE)
UNIT = re.compile(r"s|min|h|°C|K|%|µm|um|mm|N|kN|MPa|1/K|10-6/K")


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).split("\n")[:40]
    except ReadError:
        return 0.0
    titled = any(TITLES.match(line) and "/" in line for line in lines)
    told = any(re.search(r"WinTa|DIL ?805|\.PAR\b|Change in Length|Längenänderung", line) for line in lines)
    return 0.95 if titled and told else 0.0


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    at = next((number for number, line in enumerate(lines) if TITLES.match(line)), None)
    if at is None:
        raise ReadError(
            "the file ends before the titles of the columns. Was the export cut off? Export it again.",
            line=len(lines),
        )
    names = [name.strip() for name in re.split(r"\s+-\s+|\s+/\s+", lines[at].strip())]
    first = at + 1
    units: list[str] = []
    if first < len(lines) and all(UNIT.fullmatch(cell) for cell in lines[first].split()):
        units = [_thermal.unit(cell) for cell in lines[first].split()]
        first += 1
    units += [""] * (len(names) - len(units))
    dialect = Dialect(None, decimal_comma=any("," in line for line in lines[first : first + 200]))
    row = next((line for line in lines[first:] if line.strip()), "")
    numbered = len(row.split()) == len(names) + 1
    table = _thermal.table_in(lines[first:], dialect, len(names) + numbered, first + 1)
    header = _header(lines[:first]) | {f"line {number}": text for number, text in table.remarks.items()}
    columns = [
        Column(name, unit, table.rows[:, index + numbered].copy())
        for index, (name, unit) in enumerate(zip(names, units, strict=False))
    ]
    # The change in length comes before the temperature, although it follows it in the file.
    return sorted(
        _thermal.run(columns, header, condition("sample_name", _sample(header)), "dilatometry"),
        key=lambda dataset: dataset.signal.unit in ("°C", "K"),
    )


def _header(lines: Sequence[str]) -> dict[str, str]:
    return {f"line {number}": line.strip() for number, line in enumerate(lines, start=1) if line.strip()}


def _sample(header: dict[str, str]) -> str | None:
    """The name of the parameter file, which is all that the export says about the sample."""
    for line in header.values():
        if found := re.search(r"([^\\/]+)\.PAR$", line, re.IGNORECASE):
            return found[1]
    return None

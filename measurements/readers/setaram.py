"""Text that Setaram's Calisto writes: a few lines about the run, a line of titles, then the rows.

    Duran - MAC250-MS20 34.04mg
    Creation Date : 26/07/2024 06:03:05 p.m.
    TG :
     Initial Mass : 34.04 mg
    Index;Time (s);Furnace Temperature (°C);Sample Temperature (°C);TG (mg);HeatFlow (mW)
    1;0;98.56002;81.999156;240.908142;-17.208829

Usually UTF-16. Separated by semicolons, or in columns of fixed width, whose titles are then without units:
here they are those of the program, s, °C, mg and mW. “Index” is the number of the row. The date has no zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _thermal
from measurements.readers._numbers import Dialect
from measurements.readers._text import decoded, open_text
from measurements.readers._thermal import Column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Setaram text",
    extensions=(".txt",),
    vendor="Setaram",
    techniques=("dsc", "tga"),
    description="DSC, TGA and STA runs exported as text from Setaram's Calisto or Setsoft.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

TITLES = re.compile(r"^Index\s*[;\t ].*\b(?:Time|Temps|Zeit|Tiempo)\b", re.IGNORECASE)
UNITS = {
    "time": "s", "furnace": "°C", "sample": "°C", "furnace temperature": "°C", "sample temperature": "°C",
    "tg": "mg", "heatflow": "mW", "heat flow": "mW",
}  # fmt: skip
NAMES = {"furnace": "Furnace temperature", "sample": "Sample temperature"}


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = [line.strip() for line in decoded(head).split("\n")[:80]]
    except ReadError:
        return 0.0
    titles = next((line for line in lines if TITLES.match(line)), "")
    if not titles:
        return 0.0
    known = any(re.match(r"(?:Creation Date|Initial Mass|Molar Mass)\s*:", line) for line in lines)
    return 0.95 if known else 0.6 if re.search(r"heat ?flow|\bTG\b|furnace", titles, re.I) else 0.0


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    at = next((number for number, line in enumerate(lines) if TITLES.match(line.strip())), None)
    if at is None:
        raise ReadError(
            "the file ends before the titles of the columns. Was the export cut off? Export it again.",
            line=len(lines),
        )
    first = at + 1
    titles = _titles(lines[at])
    if first < len(lines) and re.match(r"\s*[(\[]", lines[first]):
        first += 1  # a line of units below the titles says what the titles of this layout mean already
    rows = [line for line in lines[first:] if line.strip()]
    dialect = _dialect(lines[at], rows)
    table = _thermal.table_in(lines[first:], dialect, len(titles), first + 1)
    header = _header(lines[:at])
    header |= {f"line {number}": text for number, text in table.remarks.items()}
    columns = [
        Column(name, unit, table.rows[:, index].copy())
        for index, (name, unit) in enumerate(titles)
        if name.lower() != "index"
    ]
    return _thermal.run(columns, header, _conditions(header))


def _titles(line: str) -> list[tuple[str, str]]:
    if ";" in line or "\t" in line:
        return [_thermal.name_and_unit(cell) for cell in re.split(r"[;\t]", line.strip(" ;\t\r"))]
    cells = re.split(r"\s{2,}|(?<=Index)\s", line.strip())
    return [(NAMES.get(cell.lower(), cell), UNITS.get(cell.lower(), "")) for cell in cells]


def _dialect(titles: str, rows: Sequence[str]) -> Dialect:
    delimiter = ";" if ";" in titles else "\t" if "\t" in titles else None
    return Dialect(delimiter, decimal_comma=any("," in row for row in rows[:200]))


def _header(lines: Sequence[str]) -> dict[str, str]:
    """“TG :” opens a section whose settings are indented below it."""
    header: dict[str, str] = {}
    section = ""
    for number, line in enumerate(lines, start=1):
        key, colon, value = line.partition(":")
        if not line.strip():
            section = ""
        elif number == 1:
            header["title"] = line.strip()
        elif colon and not value.strip() and not line.startswith(" "):
            section = f"{key.strip()}."
        elif colon:
            header[f"{section if line.startswith(' ') else ''}{key.strip()}"] = value.strip()
        else:
            header[f"line {number}"] = line.strip()
    return header


def _conditions(header: Mapping[str, str]) -> dict[str, Quantity]:
    masses = [value for key, value in header.items() if key.endswith("Initial Mass")]
    known = _thermal.mass_mg(masses[0]) if masses else {}
    return {
        **known,
        **condition("sample_name", header.get("title")),
        **condition("operator", header.get("User")),
        **condition("local_time", header.get("Creation Date")),
    }

"""Text and CSV that PerkinElmer's Pyris writes: settings, method, then a table with all steps of the run.

    Sample Weight:	12.492 mg
    …
    1) TGA Isothermal
        Time     	Unsubtracted	Baseline     	Program     	Sample     …
                        Weight     	Weight     	Temperature	Temperature
        0.000000	12.409264	0.000000	50.000000	47.240000
    2) TGA Temperature Scan

or, as CSV, only the titles and the rows. The file gives no units: here they are those of the program, min
for the time, mg for weights, mW for heat flows, °C for temperatures, mL/min for gas flows. A column without
a title is kept under its number. Date and time have no zone.
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
    name="PerkinElmer Pyris text",
    extensions=(".txt", ".csv"),
    vendor="PerkinElmer",
    techniques=("dsc", "tga"),
    description="DSC, TGA and STA runs exported from Pyris as text or CSV; all steps of the run are joined.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

TITLES = re.compile(r"^[\s\"]*Time\b.*(?:Unsubtracted|Baseline|Program|Sample)", re.IGNORECASE)
STEP = re.compile(r"^\s*\d+\)\s*\S")
UNITS = (
    (re.compile(r"^time", re.I), "min"),
    (re.compile(r"deriv", re.I), ""),
    (re.compile(r"weight", re.I), "mg"),
    (re.compile(r"microvolt", re.I), "µV"),
    (re.compile(r"heat ?flow\s*cal", re.I), ""),
    (re.compile(r"heat ?flow", re.I), "mW"),
    (re.compile(r"temp", re.I), "°C"),
    (re.compile(r"purge|gas", re.I), "mL/min"),
)  # fmt: skip
SCAN = re.compile(
    r"^\s*\d+\)\s*(?:Heat|Cool) from\s*(-?[\d.,]+)\S*\s*to\s*(-?[\d.,]+)\S*\s*at\s*([\d.,]+)", re.M
)
GAS = re.compile(r"Switch the Gas to\s+(.+?)\s+at\s+([\d.,]+)\s*(m?l/min)", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return 0.0
    titles = next((line for line in text.split("\n") if TITLES.match(line)), "")
    if not titles or "Unsubtracted" not in text:
        return 0.0
    return 0.95 if re.search(r"^(?:Sample Weight|Data Collected|Total Points in Run):", text, re.M) else 0.85


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    at = next((number for number, line in enumerate(lines) if TITLES.match(line)), None)
    if at is None:
        raise ReadError(
            "the file ends before the titles of the columns. Was the export cut off? Export it again.",
            line=len(lines),
        )
    header = _header(lines[:at])
    delimiter = "\t" if "\t" in lines[at].strip() else ","
    first = at + 1
    names = [cell.strip().strip('"') for cell in lines[at].split(delimiter)]
    if delimiter == "\t" and not _is_row(lines[first] if first < len(lines) else "0"):
        below = [cell.strip() for cell in lines[first].split(delimiter)]
        names = [" ".join(filter(None, pair)) for pair in zip(names, below + [""] * len(names), strict=False)]
        first += 1
    body = _body(lines[first:], delimiter, header)
    columns = _columns(body, names, delimiter, first + 1, header)
    _refuse_cut_off(len(columns[0].values), header)
    return _thermal.run(columns, header, _conditions(header, lines[:at]), _technique(header, columns))


def _header(lines: Sequence[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = re.match(r"([^\t:]+):(?:\s*\t(.*))?$", line.rstrip())
        if found and found[1] not in header:
            header[found[1]] = (found[2] or "").strip()
        elif line.strip():
            header[f"line {number}"] = line.strip()
    return header


def _is_row(line: str) -> bool:
    return bool(re.match(r"\s*-?\d[\d.,]*(?:[eE][-+]?\d+)?\s*(?:[\t,;]|$)", line))


def _body(lines: Sequence[str], delimiter: str, header: dict[str, str]) -> list[str]:
    """The rows of all steps; where a step begins goes to the header, repeated titles are left out."""
    body = []
    points = 0
    for line in lines:
        if STEP.match(line):
            header[f"step from point {points + 1}"] = line.strip()
            body.append("")
        elif (
            TITLES.match(line)
            or not line.strip(f" {delimiter}\r")
            or (line[:1] == "\t" and not _is_row(line))
        ):
            body.append("")
        else:
            points += _is_row(line)
            body.append(line)
    return body


def _columns(
    body: Sequence[str], names: list[str], delimiter: str, first_line: int, header: dict[str, str]
) -> list[Column]:
    rows = [line for line in body if line]
    if not rows:
        raise ReadError("there are no rows below the titles. Export the run again.", line=first_line)
    if delimiter == "\t":
        names = [name for name in names if name]
        dialect = Dialect(None, decimal_comma=any("," in row for row in rows[:200]))
        table = _thermal.table_in(body, dialect, len(names), first_line)
        kept = list(enumerate(names))
    else:
        empty = [place for place, cell in enumerate(rows[0].split(",")) if not cell.strip()]
        width = len(rows[0].split(","))
        names += [""] * (width - len(names))
        kept = [(place, names[place]) for place in range(width) if place not in empty]
        body = [_without(line, empty, width, first_line + number) for number, line in enumerate(body)]
        table = _thermal.table_in(body, Dialect(","), len(kept), first_line)
    header |= {f"line {number}": text for number, text in table.remarks.items()}
    return [
        Column(name or f"Column {place + 1}", _unit(name), table.rows[:, index].copy())
        for index, (place, name) in enumerate(kept)
    ]


def _without(line: str, empty: Sequence[int], width: int, number: int) -> str:
    """A row without the columns that have no numbers."""
    if not line or not empty:
        return line
    cells = line.split(",")
    if len(cells) == width and any(cells[place].strip() for place in empty):
        raise ReadError(
            "there is a number in a column that is empty in the first row. Repair or remove that point.",
            line=number,
        )
    return ",".join(cell for place, cell in enumerate(cells) if place not in empty)


def _unit(name: str) -> str:
    return next((spelled for pattern, spelled in UNITS if pattern.search(name)), "")


def _refuse_cut_off(points: int, header: Mapping[str, str]) -> None:
    announced = header.get("Total Points in Run", "").strip()
    if announced.isdecimal() and points < int(announced):
        raise ReadError(
            f"the header announces {announced} points, the file has {points}. It was probably cut off: "
            "export it again."
        )


def _technique(header: Mapping[str, str], columns: Sequence[Column]) -> str:
    steps = " ".join(value for key, value in header.items() if key.startswith("step "))
    for word in ("TGA", "DSC"):
        if re.search(rf"\b{word}\b", steps):
            return word.lower()
    return _thermal.technique_of(columns)


def _conditions(header: Mapping[str, str], lines: Sequence[str]) -> dict[str, Quantity]:
    method = "\n".join(lines)
    scans, gas = SCAN.findall(method), GAS.search(method)
    known = {
        **_thermal.mass_mg(header.get("Sample Weight", ""), "mg"),
        **condition("sample_name", header.get("Sample ID")),
        **condition("operator", header.get("Operator ID")),
        **condition("local_time", header.get("Data Collected")),
        **condition("comment", header.get("Comment")),
    }
    if len(scans) == 1:
        start, end, rate = (cell.rstrip(".,").replace(",", ".") for cell in scans[0])
        known |= condition("start_temperature", start, "°C") | condition("end_temperature", end, "°C")
        known |= condition("heating_rate", rate, "K/min")
    if gas:
        known |= condition("gas", gas[1]) | condition("gas_flow", gas[2].replace(",", "."), gas[3])
    return known

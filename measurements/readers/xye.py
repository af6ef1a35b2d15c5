"""XYE: position, intensity and its standard error, as synchrotron beamlines and Rietveld programs write them.

A header of `# key = value` lines may stand above (APS 11-BM), or one line with the wavelength (DASH). Without
a header only the name .xye, or errors that are the square root of the counts throughout, tell it from other
tables of three columns.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._numbers import Dialect, read_table
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="XYE powder pattern",
    extensions=(".xye", ".dat"),
    vendor="",
    techniques=("xrd",),
    description="Powder patterns in three columns: 2θ, intensity and its standard error. The header of APS "
    "11-BM is understood.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

BY_HEADER, BY_NAME, BY_POISSON = 0.9, 0.6, 0.35
BLANKS = Dialect(None)
MOST_LINES_ABOVE = 500
REMARK = re.compile(r"^\s*(?:#|!|/\*|\*)?\s*(?P<key>[^=:#]{1,60}?)\s*[=:]\s*(?P<value>.*?)\s*$")
ENERGY = re.compile(r"\benergy\b.*\(?\bkeV\b", re.IGNORECASE)
MOST_ROWS_LOOKED_AT = 300
POISSON_ROWS, POISSON_TOLERANCE = 20, 1e-4


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()[:-1]
    except ReadError:
        return NEVER
    above = next((number for number, line in enumerate(lines[:MOST_LINES_ABOVE]) if _row(line)), None)
    if above is None:
        return NEVER
    below = [line for line in lines[above : above + MOST_ROWS_LOOKED_AT] if line.strip()]
    rows = [row for line in below if (row := _row(line))]
    plain = len(rows) == len(below)
    if any("Calibrated wavelength" in line or "11bm" in line for line in lines[:above]):
        return BY_HEADER
    if filename.lower().endswith(".xye") and plain:
        return BY_NAME
    table = np.array(rows)
    if above or not plain or len(table) < POISSON_ROWS or np.any(table[:, 1] < 0):
        return NEVER
    close = np.isclose(table[:, 2], np.sqrt(table[:, 1]), rtol=POISSON_TOLERANCE, atol=1e-3)
    return BY_POISSON if np.all(close) else NEVER


def _row(line: str) -> list[float] | None:
    cells = line.split()
    numbers = [number for cell in cells if (number := as_number(cell)) is not None] if len(cells) == 3 else []
    return numbers if len(numbers) == 3 else None


def read(path: Path) -> list[Dataset]:
    above: list[str] = []
    with open_text(path) as text:
        for line in text:
            if _row(line):
                break
            above.append(line.rstrip("\n"))
            if len(above) > MOST_LINES_ABOVE:
                raise ReadError(
                    "there are no rows of position, intensity and error. Export the pattern again."
                )
        else:
            raise ReadError("the file ends before its first row of three numbers. Copy it again.")
    table = read_table(path, BLANKS, columns=3, lines_above=len(above))
    errors = table.rows[:, 2].copy()
    if np.any(errors < 0):
        raise ReadError("the third column holds negative numbers, and an error is never negative.")
    header = _header(above) | {f"line {number}": text for number, text in table.remarks.items()}
    axis = xrd.axis("2Theta", table.rows[:, 0].copy())
    signal = Signal("Intensity", "", table.rows[:, 1].copy(), errors)
    return [Dataset(signal, (axis,), header, conditions=_conditions(header, above), technique="xrd")]


def _header(above: list[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for number, line in enumerate(above, start=1):
        found = REMARK.match(line) if number > 1 or "=" in line else None
        key = found["key"] if found and found["key"] not in header else f"line {number}"
        value = found["value"] if found else line.strip()
        if value or found:
            header[key] = value
    return header


def _conditions(header: dict[str, str], above: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, value in header.items():
        name = key.lower()
        number = xrd.as_float(value.split()[0]) if value.split() else None
        if "wavelength" in name:
            found |= condition("xray_wavelength", number, "Å")
        elif ENERGY.search(f"{key} {value}"):
            found |= condition("xray_energy", number, "keV")
        elif name.startswith("temp (k)"):
            found |= condition("temperature", number, "K")
        elif name == "time per step (sec)":
            found |= condition("dwell_time", number, "s")
        elif name == "actual 2theta step (deg)":
            found |= condition("step_size", number, "deg")
        elif name == "user sample name":
            found |= condition("sample_name", value)
        elif name == "composition":
            found |= condition("composition", value)
        elif name == "scan time":
            found |= condition("local_time", value)
    lone = as_number(above[0]) if len(above) == 1 else None
    if lone is not None and 0.1 < lone < 10:
        found |= condition("xray_wavelength", lone, "Å")
    return found

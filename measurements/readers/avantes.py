"""Avantes AvaSoft text: a few settings, titles and units in two lines, then columns between semicolons.

    Integration time [ms]:   1.500
    Averaging Nr. [scans]: 100
    Data measured with spectrometer [name]: 1908047U1
    Wave   ;Sample   ;Dark     ;Reference;Scope
    [nm]   ;[counts] ;[counts] ;[counts]

The last title may only name the mode and have no column (scope). Otherwise it is what the mode computed
(absorbance, transmittance, irradiance), and that is the main curve. No date in the file.

AvaSoft 6 and 7 write “Integration time: 175 ms”, “Average: 20 scans”, “Data measured with spectrometer serial
number: …” and, where the computer does, decimal commas.
"""

from __future__ import annotations

import re
from pathlib import Path

from measurements.data import Dataset
from measurements.readers._spectrum import (
    NameAndUnit,
    curves,
    dialect_of,
    end_of_rows,
    first_row,
    head_lines,
    lines_of,
    put,
    rows,
    signal_of,
    understood,
)
from measurements.readers.base import Format

FORMAT = Format(
    name="Avantes AvaSoft text",
    extensions=(".txt", ".trt", ".tat", ".ttr", ".ttt", ".tit"),
    vendor="Avantes",
    techniques=("uvvis", "pl"),
    description="Spectra exported as text from AvaSoft: sample, dark and reference, and what was computed.",
    max_bytes=64 * 1024**2,
)
VERSION = 2

SETTINGS: dict[str, NameAndUnit] = {
    "Integration time [ms]": ("exposure_time", "ms"),
    "Averaging Nr. [scans]": ("accumulations", "1"),
    "Data measured with spectrometer [name]": ("instrument", ""),
    "Timestamp": ("local_time", ""),
    "Integration time": ("exposure_time", "ms"),
    "Average": ("accumulations", "1"),
    "Data measured with spectrometer serial number": ("instrument", ""),
}
UNITS = {"% transmittance": "%", "% reflectance": "%", "a.u.": "1", "AU": "1"}
COMPUTED = re.compile(r"absorb|transm|reflec|irrad|relative|process", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> float:
    text = "\n".join(head_lines(head, 20))
    if "Data measured with spectrometer [name]" in text:
        return 0.95
    if "Data measured with spectrometer" in text and "\nWave" in text and ";" in text:
        return 0.95
    return 0.9 if "Integration time [ms]" in text and "\nWave" in text and ";" in text else 0.0


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    begin = first_row(lines)
    stop = end_of_rows(lines, begin)
    dialect = dialect_of(lines[begin])
    table = rows(lines, begin, stop, dialect)
    header: dict[str, str] = {}
    titles: list[str] = []
    units: list[str] = []
    for number, line in enumerate(lines[:begin], start=1):
        if line.startswith("Wave"):
            titles = [cell.strip() for cell in line.split(";")]
            put(header, f"line {number}", line)
        elif line.startswith("["):
            units = [UNITS.get(unit := cell.strip(" []"), unit) for cell in line.split(";")]
            put(header, f"line {number}", line)
        elif ":" in line:
            put(header, *line.split(":", 1))
        elif line.strip():
            put(header, f"line {number}", line)
    for number, line in enumerate(lines[stop:], start=stop + 1):
        if line.strip():
            put(header, f"line {number}", line)
    named = [(_signal(titles, units, column), _at(titles, column)) for column in range(1, table.shape[1])]
    x = ("Wavelength", _at(units, 0))
    datasets = curves(table, x, named, header, understood(header, SETTINGS))
    if COMPUTED.search(datasets[-1].title):
        datasets.insert(0, datasets.pop())
    return datasets


def _at(cells: list[str], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def _signal(titles: list[str], units: list[str], column: int) -> NameAndUnit:
    name, unit = signal_of(_at(titles, column) or "y")
    return name, _at(units, column) or unit  # the file's own word: “Transmittance” in %

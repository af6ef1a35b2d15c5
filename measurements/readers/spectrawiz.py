"""StellarNet SpectraWiz text: two lines in quotes, then wavelength in nm and value.

    " File: …\\calib_
    "  ABSOR->  Wave:630.87nm  Pix:1050  Val:  0.013  Time: 25ms  Avg:1  Sm:1  …

The word before the arrow is the mode: SCOPE (counts), ABSOR, TRANS (per cent), IRRAD. No date.
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
    understood,
)
from measurements.readers.base import Format

FORMAT = Format(
    name="StellarNet SpectraWiz",
    extensions=(".abs", ".trm", ".ssm", ".irr"),
    vendor="StellarNet",
    techniques=("uvvis", "pl"),
    description="Spectra saved by SpectraWiz: absorbance, transmittance, counts or irradiance.",
    max_bytes=32 * 1024**2,
)
VERSION = 1

MODES: dict[str, tuple[NameAndUnit, str]] = {
    "ABSOR": (("Absorbance", "1"), "uvvis"),
    "TRANS": (("Transmittance", "%"), "uvvis"),
    "SCOPE": (("Counts", "counts"), ""),
}
SETTINGS: dict[str, NameAndUnit] = {"Time": ("exposure_time", "ms"), "Avg": ("accumulations", "1")}
MODE = re.compile(r'"\s*(\w+)\s*->')


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 4)
    settings = any(MODE.match(line) and "Wave:" in line and "Pix:" in line for line in lines)
    return 0.95 if settings and lines[0].startswith('"') else 0.0


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    begin = first_row(lines)
    stop = end_of_rows(lines, begin)
    table = rows(lines, begin, stop, dialect_of(lines[begin]), columns=2)
    header: dict[str, str] = {}
    mode = ""
    for number, line in enumerate([*lines[:begin], *lines[stop:]], start=1):
        if found := MODE.match(line):
            mode = found[1]
            put(header, "Mode", mode)
            for key, value in re.findall(r"(\w+):\s*(\S+)", line[found.end() :]):
                put(header, key, value)
        if line.strip():
            put(header, f"line {number}", line)
    signal, technique = MODES.get(mode, ((mode.capitalize() or "y", ""), ""))
    return curves(
        table, ("Wavelength", "nm"), [(signal, "")], header, understood(header, SETTINGS), technique
    )

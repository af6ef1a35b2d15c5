"""PerkinElmer UV WinLab ASCII (.asc): a line “PE UV …”, settings by their place, #HDR, #GR, #DATA, points.

PE UV       SUBTECH     SPECTRUM    ASCII       PEDS        4.00
…                 90 or so lines; a few of them are known by their number
#GR
nm                unit of the axis
%T                unit of the value
1.0, 0.0          factor and offset, already applied
1200.000000       first x
-1.000000         step
1001              points
#DATA
1200.000000<tab>89.940565
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers._spectrum import (
    axis_of,
    curves,
    dialect_of,
    end_of_rows,
    first_row,
    head_lines,
    lines_of,
    refuse_cut_off,
    rows,
    signal_of,
    understood,
)
from measurements.readers.base import Format

FORMAT = Format(
    name="PerkinElmer UV WinLab ASCII",
    extensions=(".asc",),
    vendor="PerkinElmer",
    techniques=("uvvis", "ftir", "pl"),
    description="Spectra of Lambda, Spectrum and LS instruments exported as PEDS ASCII.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

KNOWN_LINES = {
    3: "File", 4: "Date", 5: "Time", 6: "Date of the last change", 7: "Time of the last change", 8: "Analyst",
    9: "Description", 12: "Instrument", 13: "Serial number", 14: "Software", 18: "Slit", 25: "Accessories",
}  # fmt: skip
GRAPH = ("X unit", "Y unit", "Factor", "Offset", "First x", "Step", "Points", "Digits", "Maximum", "Minimum")
SETTINGS = {
    "Instrument": ("instrument", ""), "Software": ("software", ""), "Analyst": ("operator", ""),
    "Description": ("comment", ""), "Accessories": ("geometry", ""), "Moment": ("local_time", ""),
}  # fmt: skip
TECHNIQUES = {"PE UV": "uvvis", "PE IR": "ftir", "PE FL": "pl"}


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 1)
    return 0.95 if lines and lines[0][:5] in TECHNIQUES and "ASCII" in lines[0] else 0.0


def read(path: Path) -> list[Dataset]:
    lines = [line.rstrip() for line in lines_of(path)]
    if "#DATA" not in lines:
        raise ReadError("the file ends before #DATA. Was the export cut off? Export it again.")
    data = lines.index("#DATA")
    header = _header(lines[:data])
    begin = first_row(lines, data + 1)
    table = rows(lines, begin, end_of_rows(lines, begin), dialect_of(lines[begin]), columns=2)
    refuse_cut_off(len(table), header.get("Points"))
    x, y = axis_of(header.get("X unit", "")), signal_of(header.get("Y unit", ""))
    conditions = understood(header | {"Moment": _moment(header)}, SETTINGS)
    return curves(table, x, [(y, "")], header, conditions, TECHNIQUES.get(lines[0][:5], ""))


def _header(lines: list[str]) -> dict[str, str]:
    header = {
        KNOWN_LINES.get(number, f"line {number}"): line.strip()
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    }
    if "#GR" in lines:
        graph = lines.index("#GR") + 1
        for name, line in zip(GRAPH, lines[graph:], strict=False):
            header[name] = line.strip()
            header.pop(f"line {lines.index('#GR') + 2 + GRAPH.index(name)}", None)
    return header


def _moment(header: Mapping[str, str]) -> str:
    return f"{header.get('Date', '')} {header.get('Time', '')}".strip()

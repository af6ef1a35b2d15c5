"""Bruker OPUS data point tables (.dpt): two columns and nothing else, wavenumber in cm⁻¹ and value.

Such a file says nothing about itself, so it is taken for one only by its name; OPUS writes wavenumbers there
unless somebody chose otherwise, and the value may be absorbance, transmittance or anything else.
"""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset
from measurements.readers._spectrum import (
    curves,
    dialect_of,
    end_of_rows,
    first_row,
    head_lines,
    is_row,
    lines_of,
    put,
    rows,
)
from measurements.readers.base import Format

FORMAT = Format(
    name="Bruker data point table",
    extensions=(".dpt",),
    vendor="Bruker",
    techniques=("ftir",),
    description="Two columns without a header, wavenumber and value, exported from OPUS.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

BY_NAME_ONLY = 0.5


def recognises(head: bytes, filename: str) -> float:
    lines = [line for line in head_lines(head, 50) if line.strip()]
    two_columns = lines and all(is_row(line) and len(dialect_of(line).cells(line)) == 2 for line in lines)
    return BY_NAME_ONLY if two_columns and filename.lower().endswith(".dpt") else 0.0


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    begin = first_row(lines)
    stop = end_of_rows(lines, begin)
    table = rows(lines, begin, stop, dialect_of(lines[begin]), columns=2)
    header: dict[str, str] = {}
    for number, line in enumerate(lines[:begin] + lines[stop:], start=1):
        if line.strip():
            put(header, f"text {number}", line)
    return curves(table, ("Wavenumber", "cm⁻¹"), [(("y", ""), "")], header, {}, "ftir")

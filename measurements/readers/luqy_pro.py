"""QYB LuQY Pro text: a date, results and settings between tabs, a rule of dashes, titles and three columns.

    04.04.2025 16:46:56
    LuQY (%)<tab>0.0400
    iVoc (V)<tab>1.172
    ----------------------------
    Wavelength (nm)<tab>Luminescence flux density (photons/(s cm² nm))<tab>Raw spectrum (counts)

The date is local, day and month in the order of the computer. The quantum yield and what follows from it are
the program's own results; they are kept as conditions and never recomputed here.
"""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers._spectrum import (
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
from measurements.vocabulary import condition

FORMAT = Format(
    name="LuQY Pro",
    extensions=(".txt",),
    vendor="Quantum Yield Berlin",
    techniques=("plqy",),
    description="Absolute photoluminescence of LuQY Pro: flux, raw counts, quantum yield and implied Voc.",
    max_bytes=32 * 1024**2,
)
VERSION = 1

SETTINGS = {
    "LuQY (%)": ("quantum_yield", "%"), "PLQY (%)": ("quantum_yield", "%"),
    "iVoc (V)": ("implied_voltage", "V"),
    "Bandgap (eV)": ("band_gap", "eV"), "Integration Time (ms)": ("exposure_time", "ms"),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 40)
    starts = any(line.startswith(("LuQY (%)\t", "PLQY (%)\t")) for line in lines)
    return 0.95 if starts and any(line.startswith("Wavelength (nm)\t") for line in lines) else 0.0


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    titles_at = next((i for i, line in enumerate(lines) if line.startswith("Wavelength (nm)\t")), None)
    if titles_at is None:
        raise ReadError("the file ends before its titles. Was it cut off? Copy it again.")
    begin = first_row(lines, titles_at + 1)
    table = rows(lines, begin, end_of_rows(lines, begin), dialect_of(lines[begin]))
    titles = [cell.strip() for cell in lines[titles_at].split("\t")]
    header: dict[str, str] = {}
    for number, line in enumerate(lines[:titles_at], start=1):
        key, tab, value = line.partition("\t")
        if line.strip():
            put(header, key if tab else f"line {number}", value if tab else line)
    conditions = understood(header, SETTINGS) | condition("local_time", header.get("line 1"))
    signals = [(_named(title), "" if n == 0 else title) for n, title in enumerate(titles[1:])]
    if len(signals) != table.shape[1] - 1:
        raise ReadError(f"there are {len(titles)} titles above {table.shape[1]} columns.", line=titles_at + 1)
    return curves(table, ("Wavelength", "nm"), signals, header, conditions, "plqy")


def _named(title: str) -> tuple[str, str]:
    """("Luminescence flux density", "photons/(s cm² nm)"): the unit has brackets of its own."""
    name, bracket, unit = title.partition(" (")
    return name, unit.removesuffix(")") if bracket else ""

"""WITec Project table: the axis and one column for each spectrum, with titles, units, or both above them.

    X-Axis<tab>Time Series_000_Spec.Data 1(0)<tab>Time Series_000_Spec.Data 1(1)
    rel. 1/cm<tab>CCD cts<tab>CCD cts
     8.77367E+01<tab> 9.95000E+02<tab> 9.94000E+02

Many spectra are one map; the number in brackets counts points of a map or times of a series, and neither
positions nor times are in the text.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._spectrum import (
    dialect_of,
    end_of_rows,
    first_row,
    head_lines,
    is_row,
    lines_of,
    rows,
)
from measurements.readers.base import Format

FORMAT = Format(
    name="WITec text",
    extensions=(".txt",),
    vendor="WITec (Oxford Instruments)",
    techniques=("raman", "pl"),
    description="Spectra, time series and maps exported as a table from WITec Project.",
    max_bytes=96 * 1024**2,
)
VERSION = 1

AXES = {"rel. 1/cm": ("Raman shift", "cm⁻¹"), "nm": ("Wavelength", "nm"), "1/cm": ("Wavenumber", "cm⁻¹"),
        "ev": ("Energy", "eV"), "mev": ("Energy", "meV")}  # fmt: skip
COUNTS = "CCD cts"
NUMBERED = re.compile(r"^(.*?)\s*\(\d+\)$")
MOST_CURVES = 16


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 3)
    titles, units = _above(lines)
    if titles and titles[0] == "X-Axis" and "Spec.Data" in " ".join(titles[1:2]):
        return 0.95
    return 0.95 if units and units[0].lower() in AXES and units[1:2] == [COUNTS] else 0.0


def _above(lines: list[str]) -> tuple[list[str], list[str]]:
    """The cells of the line of titles and of the line of units, as far as they are there."""
    titles: list[str] = []
    units: list[str] = []
    for line in lines[:2]:
        cells = [cell.strip() for cell in line.split("\t")]
        if is_row(line) or len(cells) < 2:
            break
        if cells[0] == "X-Axis":
            titles = cells
        elif cells[0].lower() in AXES:
            units = cells
    return titles, units


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    titles, units = _above(lines)
    begin = first_row(lines)
    table = rows(lines, begin, end_of_rows(lines, begin), dialect_of(lines[begin]))
    count = table.shape[1] - 1
    if any(found and len(found) != count + 1 for found in (titles, units)):
        raise ReadError(
            "there are not as many titles as columns. Was the file edited? Export it again.", line=1
        )
    name, unit = AXES.get(units[0].lower(), ("X-Axis", units[0])) if units else ("X-Axis", "")
    axis = Axis(name, unit, table[:, 0].copy())
    technique = "raman" if name == "Raman shift" else ""
    own_units = {"counts" if word == COUNTS else word for word in units[1:]} or {""}
    if count > MOST_CURVES and len(own_units) == 1:
        numbered = NUMBERED.match(titles[1]) if titles else None
        header = {"columns": numbered[1] if numbered else "\n".join(titles[1:])} if titles else {}
        second = Axis("Spectrum", "1", np.arange(count, dtype=np.float64))
        signal = Signal("Intensity", own_units.pop(), table[:, 1:].T.copy())
        return [Dataset(signal, (second, axis), header, technique=technique)]
    return [
        Dataset(
            Signal("Intensity", "counts" if word == COUNTS else word, table[:, column].copy()),
            (axis,),
            {},
            title=titles[column] if titles else "",
            technique=technique,
        )
        for column, word in enumerate(units[1:] or [""] * count, start=1)
    ]

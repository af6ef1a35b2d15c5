"""Text of B&W Tek's BWSpec and BWRam: settings, then a row for each pixel of the detector.

The wavelength of the first and last pixels is blank where the spectrometer does not use them; they are left
out. A program set to a laser gives the Raman shift as well, which is then the axis. Columns that the user did
not record hold zeros, or the largest number that the converter has. The time is the computer's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _gaps, _titles
from measurements.readers._text import as_number, decoded
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="B&W Tek text",
    extensions=(".txt", ".csv"),
    vendor="B&W Tek (Metrohm)",
    techniques=("raman", "pl", "uvvis"),
    description="Spectra exported by BWSpec and BWRam, with dark and reference.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

BEGIN = "File Version"
AXES = (("Raman Shift", "Raman shift", "cm⁻¹"), ("Wavelength", "Wavelength", "nm"), ("Pixel", "Pixel", "1"))
NOT_SIGNALS = ("Pixel", "Wavelength", "Wavenumber", "Raman Shift")
MEASURED_FIRST = ("Dark Subtracted", "Raw data", "Absorbance", "%TR")
SIGNALS = {  # how a title begins → our name and unit
    "Dark Subtracted": ("Intensity, dark subtracted", "counts"), "Raw data": ("Intensity", "counts"),
    "Dark": ("Dark", "counts"), "Reference": ("Reference", "counts"), "Absorbance": ("Absorbance", "1"),
    "%TR": ("Transmittance", "%"),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return NEVER
    is_ours = text.startswith(BEGIN) and "BW" in text[:60] and "pixel_start" in text
    return 0.95 if is_ours else NEVER


def read(path: Path) -> list[Dataset]:
    table = _gaps.table(path)
    if table is None:
        raise ReadError("the header is one of B&W Tek, but no table follows. Was the file cut off?")
    columns = dict(table.columns)
    header = _titles.settings(table.above) | table.words
    axis, used = _axis(columns, header)
    known = _conditions(header)
    technique = "raman" if axis.name == "Raman shift" else ""
    datasets = [
        Dataset(Signal(*_named(title), values[used]), (axis,), header, None, known, title, technique)
        for title, values in sorted(table.columns, key=lambda column: _rank(column[0]))
        if title not in NOT_SIGNALS and np.nanmin(values) < np.nanmax(values)
    ]
    if not datasets:
        raise ReadError("every column of it holds one and the same number. Save a measured spectrum.")
    return datasets


def _axis(columns: dict[str, Array], header: dict[str, str]) -> tuple[Axis, Array]:
    """The axis, and which rows have it."""
    laser_nm = as_number(header.get("laser_wavelength", "").replace(",", "."))
    for title, name, unit in AXES:
        values = columns.get(title)
        if values is None or (title == "Raman Shift" and not laser_nm):
            continue
        used = np.isfinite(values)
        if used.sum() > 1:
            return Axis(name, unit, values[used]), used
    raise ReadError("it has no column Wavelength, Raman Shift or Pixel. Export the spectrum again.")


def _named(title: str) -> tuple[str, str]:
    found = [SIGNALS[begin] for begin in SIGNALS if title.startswith(begin)]
    return found[0] if found else _titles.name_and_unit(title.partition("#")[0])


def _rank(title: str) -> int:
    ranks = [rank for rank, begin in enumerate(MEASURED_FIRST) if title.startswith(begin)]
    return ranks[0] if ranks else len(MEASURED_FIRST)


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    def said(key: str) -> str:
        return header.get(key, "").replace(",", ".")

    known = condition("instrument", header.get("model", "")) | condition(
        "operator", header.get("operator", "")
    )
    known |= condition("exposure_time", said("intigration times(ms)"), "ms")
    known |= condition("accumulations", said("average number"), "1")
    if as_number(said("laser_wavelength")):
        known |= condition("excitation_wavelength", said("laser_wavelength"), "nm")
    return known | condition("local_time", header.get("Date", ""))

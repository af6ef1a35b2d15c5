"""A matrix in text: times down, wavelengths across, as programs for transient spectra write it.

    Time(s)<tab>349.00<tab>354.00<tab>…       wavelengths in nm
    0.000000e+000<tab>0.043683<tab>…
    #<tab>BEGIN_METADATA                       settings below, “key: value” behind #

The unit of the time stands in the corner; that the columns are wavelengths follows from the settings (or from
“nm” in the corner). HZB's surface photovoltage program writes this form; others with such a corner are read
too.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._numbers import Dialect
from measurements.readers._spectrum import (
    axis_of,
    end_of_rows,
    head_lines,
    lines_of,
    put,
    rows,
    understood,
)
from measurements.readers._text import as_number
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Times and wavelengths",
    extensions=(".txt", ".csv", ".dat"),
    vendor="HZB and others",
    techniques=("ta", "trpl", "other"),
    description="A matrix with times down and wavelengths across, “Time(s)” in its corner.",
    max_bytes=96 * 1024**2,
)
VERSION = 1

CORNER = re.compile(
    r"\s*\"?(?:time|delay)\s*[(\[]\s*(s|ms|us|µs|ns|ps|fs)\s*[)\]]\"?\s*[\t;,]", re.IGNORECASE
)
FEWEST_COLUMNS = 3
SETTINGS = {
    "Number of Averages": ("accumulations", "1"), "Sample ID": ("sample_name", ""),
    "Measurement Start": ("local_time", ""), "Measurement Chamber Atmosphere": ("gas", ""),
    "Measurement Chamber Pressure (mbar)": ("pressure", "mbar"), "Measurement Type": ("mode", ""),
}  # fmt: skip
KINDS = (("transient absorption", "ta"), ("photoluminescence", "trpl"), ("surface photovoltage", "other"))


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 1)
    if not lines or not CORNER.match(lines[0]):
        return 0.0
    return 0.9 if _across(lines[0]) is not None else 0.0


def _across(line: str) -> tuple[Dialect, list[float]] | None:
    """The separator and the numbers of the first line, if they are an axis."""
    delimiter = next((mark for mark in "\t;," if mark in line), None)
    if delimiter is None:
        return None
    dialect = Dialect(delimiter, decimal_comma=delimiter != "," and "," in line and "." not in line)
    numbers = [dialect.number(cell) for cell in dialect.cells(line)[1:]]
    known = [n for n in numbers if n is not None and np.isfinite(n)]
    steps = np.diff(known)
    monotonic = bool(np.all(steps > 0) or np.all(steps < 0))
    return (dialect, known) if len(known) == len(numbers) >= FEWEST_COLUMNS and monotonic else None


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    head = lines[0] if lines else ""
    corner, across = CORNER.match(head), _across(head)
    if corner is None or across is None:
        raise ReadError(
            "the first line has no rising or falling row of wavelengths. Export it again.", line=1
        )
    dialect, numbers = across
    stop = end_of_rows(lines, 1)
    table = rows(lines, 1, stop, dialect, columns=1 + len(numbers))
    header = {"line 1": lines[0].split(dialect.delimiter or "\t")[0]}
    for number, line in enumerate(lines[stop:], start=stop + 1):
        text = line.strip().lstrip("#").strip()
        key, colon, value = text.partition(":")
        if text:
            put(header, key if colon else f"line {number}", value if colon else text)
    announced = as_number(header.get("Points per Transients", ""))
    if announced is not None and len(table) < announced:
        raise ReadError(
            f"{announced:g} times are announced, but there are {len(table)}. Copy the file again."
        )
    words = header.get("Measurement Type", "").lower()
    technique = next((kind for phrase, kind in KINDS if phrase in words), "")
    wavelengths = any("Wavelength" in key and "nm" in key for key in header) or "nm" in lines[0].lower()
    x = ("Wavelength", "nm") if wavelengths else ("x", "")
    return [
        Dataset(
            signal=Signal(header.get("Measurement Type") or "y", "", table[:, 1:].copy()),
            axes=(
                Axis(*axis_of(corner[1]), table[:, 0].copy()),
                Axis(*x, np.array(numbers, dtype=np.float64)),
            ),
            header=header,
            conditions=understood(header, SETTINGS) | condition("mode", header.get("Measurement Type")),
            technique=technique,
        )
    ]

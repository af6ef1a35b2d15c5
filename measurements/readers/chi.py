"""Azimuthally integrated patterns: CHI of Fit2D (four lines of header) and the text of pyFAI (`# …` lines).

    title                                    # == pyFAI calibration ==
    2-Theta Angle (Degrees)                  # Wavelength: 1e-10 m
    Intensity                                # --> chifile
           2000                              #       2th_deg             I        sigma
      1.0000000E+00  2.5000000E+02            1.000000e+00  2.500000e+02 1.500000e+01

χ(k) of absorption spectroscopy is called .chi as well, and is another format.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Fit2D and pyFAI pattern",
    extensions=(".chi", ".dat", ".xy"),
    vendor="",
    techniques=("xrd", "saxs", "pdf"),
    description="Patterns integrated from images by Fit2D (CHI) or pyFAI, against 2θ, q, d or radius.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

COUNT = re.compile(r"\s*(\d+)(?:\s+(\d+))?\s*$")
PYFAI = ("pyfai", "fit2d calibration")
# What a label says → our axis. The first that fits.
LABELS = (
    (re.compile(r"2[-_ ]?th(?:eta)?.*rad\b", re.I), "2θ", "rad"),
    (re.compile(r"2[-_ ]?th|2θ|two[-_ ]?theta", re.I), "2θ", "deg"),
    (re.compile(r"q.*(?:nm|nanomet)", re.I), "q", "nm⁻¹"),
    (re.compile(r"q.*(?:A\^?-1|Å|angstrom)", re.I), "q", "Å⁻¹"),
    (re.compile(r"^\W*q\b", re.I), "q", ""),
    (re.compile(r"d[- _]?spac|^d\b.*angstrom", re.I), "d", "Å"),
    (re.compile(r"radi.*mm|^r_mm|radial", re.I), "r", "mm"),
    (re.compile(r"azim|chi_deg", re.I), "Azimuth", "deg"),
)


def recognises(head: bytes, filename: str) -> bool:
    try:
        lines = decoded(head).splitlines()
    except ReadError:
        return False
    above = [line for line in lines[:100] if line.startswith("#")]
    if any(word in line.lower() for line in above for word in PYFAI):
        return any(_axis_of(line) is not None for line in above) and any(_numbers(line) for line in lines)
    if len(lines) < 5 or COUNT.match(lines[3]) is None or _numbers(lines[4]) is None:
        return False
    return _axis_of(lines[1]) is not None and as_number(lines[2]) is None and not lines[0].startswith("#")


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    if any(word in line.lower() for line in lines[:100] if line.startswith("#") for word in PYFAI):
        return [_pyfai(lines)]
    return [_fit2d(lines)]


def _fit2d(lines: list[str]) -> Dataset:
    count = COUNT.match(lines[3]) if len(lines) > 4 else None
    named = _axis_of(lines[1]) if count else None
    if count is None or named is None:
        raise ReadError(
            "the four lines above the numbers (title, axis, intensity, number of points) are not those of "
            "Fit2D. Save the pattern again.",
            line=min(4, len(lines)),
        )
    header = {key: line.strip() for key, line in zip(("title", "x", "y", "points"), lines, strict=False)}
    rows = xrd.numbers_in(lines[4:], 5, form="a position and an intensity")
    if len(rows) < int(count[1]):
        raise ReadError(
            f"the header announces {int(count[1])} points, the file has {len(rows)}. It was cut off: copy it "
            "again.",
            line=4 + len(rows),
        )
    return _dataset(rows, named, header, {}, 5)


def _pyfai(lines: list[str]) -> Dataset:
    above = [line[1:].strip() for line in lines if line.startswith("#")]
    header: dict[str, str] = {}
    for number, line in enumerate(above, start=1):
        key, colon, value = line.partition(": ")
        if line:
            header[key if colon and key not in header else f"line {number}"] = value if colon else line
    named = next((found for line in reversed(above) if (found := _axis_of(line))), None)
    if named is None:
        raise ReadError(
            "no line of the header names the axis, such as 2th_deg or q_nm^-1. Integrate it again."
        )
    conditions: dict[str, Quantity] = {}
    for key, value in header.items():
        amount, _, unit = value.partition(" ")
        if key.lower() == "wavelength":
            conditions |= condition("xray_wavelength", xrd.as_float(amount), unit or "m")
        elif key.startswith("Distance Sample to Detector"):
            conditions |= condition("detector_distance", xrd.as_float(amount), unit or "m")
        elif key.lower() == "detector":
            conditions |= condition("detector", value)
    rows = xrd.numbers_in(
        ["" if line.startswith("#") else line for line in lines], 1, form="a position and an intensity"
    )
    return _dataset(rows, named, header, conditions, len(above) + 1)


def _dataset(
    rows: list[list[float]],
    named: tuple[str, str],
    header: dict[str, str],
    conditions: dict[str, Quantity],
    line: int,
) -> Dataset:
    width = len(rows[0]) if rows else 0
    if width not in (2, 3) or any(len(row) != width for row in rows):
        raise ReadError("expected two or three numbers in each line. Save the pattern again.", line=line)
    table = np.array(rows)
    if not np.all(np.isfinite(table[:, 0])):
        raise ReadError("a position is not a number. Save the pattern again.", line=line)
    errors = table[:, 2].copy() if width == 3 else None
    if errors is not None and np.any(errors < 0):
        raise ReadError("an error is negative, which cannot be. Save the pattern again.", line=line)
    name, unit = named
    return Dataset(
        Signal("Intensity", "", table[:, 1].copy(), errors),
        (Axis(name, unit, table[:, 0].copy()),),
        header,
        conditions=conditions,
        technique="xrd" if name in ("2θ", "d") else "",
    )


def _axis_of(label: str) -> tuple[str, str] | None:
    text = label.lstrip("# ").strip()
    return next(((name, unit) for pattern, name, unit in LABELS if pattern.search(text)), None)


def _numbers(line: str) -> list[float] | None:
    cells = [as_number(cell) for cell in line.split()]
    numbers = [cell for cell in cells if cell is not None]
    return numbers if len(numbers) == len(cells) and len(cells) in (2, 3) else None

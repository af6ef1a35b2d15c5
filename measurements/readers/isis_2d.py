"""Planes of small-angle scattering as Mantid's SaveISIS2D writes them: q, intensities, errors.

Words with the quantities of x, y and the intensity; then how many q in x, and these; the same in y; the
numbers of columns and rows, and a scale; how the rest is laid out; all intensities, row by row; their errors.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, ReadError
from measurements.readers import _sas_plane
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="ISIS two-dimensional text",
    extensions=(".dat", ".txt"),
    vendor="ISIS (Mantid)",
    techniques=("saxs",),
    description="Intensity over q in two directions, as written for the program FISH.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

QUANTITY = re.compile(r"^\s*\d+\s+(?P<name>\S.*?)\s*\((?P<unit>[^()]*)\)\s*$")
LAYOUT = re.compile(r"^\s*\d+\s*\(\d+E\d+\.\d+\)\s*$")  # 3(8E12.4): how Fortran is to read what follows
HEADER_LINES = 6
ANGSTROM = re.compile(r"ang\w*", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()[:HEADER_LINES]
    except ReadError:
        return NEVER
    said = [QUANTITY.match(line) for line in lines[1:4]]
    names = [found["name"].lower() for found in said if found]
    return 0.9 if len(names) == 3 and names[0] == names[1] == "q" else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    header = {f"line {n}": line.strip() for n, line in enumerate(lines[:HEADER_LINES], start=1)}
    q_unit, unit = (_unit(lines, place) for place in (1, 3))
    numbers = _numbers(lines[HEADER_LINES:])
    x, numbers = _places(numbers)
    y, numbers = _places(numbers)
    if len(numbers) < 3 or not all(1 <= size <= len(q) for size, q in zip(numbers[:2], (x, y), strict=True)):
        raise ReadError("it does not say how many columns and rows it has. Was the file cut off?")
    columns, rows = int(numbers[0]), int(numbers[1])
    if len(numbers) < 3 + rows * columns:
        raise ReadError(f"{rows} rows of {columns} intensities were expected. Was the file cut off?")
    values = numbers[3:]
    intensity, errors = (values[n * rows * columns : (n + 1) * rows * columns] for n in (0, 1))
    has_errors = errors.size == intensity.size and not np.any(errors < 0)
    qx, qy = np.meshgrid(_centres(x, columns), _centres(y, rows))
    return _sas_plane.datasets(
        qx, qy, intensity.reshape(rows, columns), errors.reshape(rows, columns) if has_errors else None,
        (q_unit, unit), header, {},
    )  # fmt: skip


def _unit(lines: list[str], place: int) -> str:
    found = QUANTITY.match(lines[place]) if place < len(lines) else None
    if found is None:
        raise ReadError("the first lines do not name q and the intensity.", line=place + 1)
    return ANGSTROM.sub("A", found["unit"]).replace("A^-1", "1/A").replace("cm-1", "1/cm")


def _numbers(lines: list[str]) -> Array:
    cells = [as_number(cell) for line in lines if not LAYOUT.match(line) for cell in line.split()]
    good = [cell for cell in cells if cell is not None]
    if len(good) != len(cells):
        raise ReadError(f"{len(cells) - len(good)} of its cells are no numbers. Save the plane again.")
    return np.array(good, dtype=np.float64)


def _places(numbers: Array) -> tuple[Array, Array]:
    """The q that their number stands before, and what follows them."""
    count = int(numbers[0]) if numbers.size and 1 < numbers[0] < numbers.size else 0
    q = numbers[1 : count + 1]
    if count < 2 or not np.all(np.isfinite(q)):
        raise ReadError("its q is not whole. Was the file cut off? Copy it again.")
    return q, numbers[count + 1 :]


def _centres(q: Array, count: int) -> Array:
    """One more q than there are intensities are the edges between them."""
    return (q[1:] + q[:-1]) / 2 if q.size == count + 1 else q[:count]

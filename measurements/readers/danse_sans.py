"""DANSE's text of a small-angle detector: settings, then intensity and error of every pixel, row by row.

The file gives the wavelength, the distance and the size of a pixel, in Å, m and mm as it seems, but never
says so; the axes are therefore pixels, and q is left to whoever knows the instrument.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers import _titles
from measurements.readers._numbers import Dialect, read_table
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="DANSE small-angle plane",
    extensions=(".sans",),
    vendor="DANSE (SasView)",
    techniques=("saxs",),
    description="The plane of a small-angle detector with errors.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

BEGIN, DATA = "FORMATVERSION:", "DATA:"
MOST_HEADER_LINES, MOST_PIXELS = 100, 16 * 1024**2


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return NEVER
    return 0.95 if text.startswith(BEGIN) and f"\n{DATA}" in text.replace("\r", "") else NEVER


def read(path: Path) -> list[Dataset]:
    above: list[str] = []
    with open_text(path) as text:
        while len(above) < MOST_HEADER_LINES and (line := text.readline(1000)):
            above.append(line.rstrip("\n"))
            if line.startswith(DATA):
                break
    header = _titles.settings(above)
    columns, rows = (_size(header, name) for name in ("SIZE_X", "SIZE_Y"))
    table = read_table(path, Dialect(None), 2, lines_above=len(above)).rows
    if len(table) != rows * columns:
        raise ReadError(f"{rows} rows of {columns} pixels are announced, there are {len(table)} pixels.")
    intensity, errors = (table[:, place].reshape(rows, columns).copy() for place in (0, 1))
    has_errors = as_number(header.get("FORMATVERSION", "")) != 1 and not np.any(errors < 0)
    axes = (
        Axis("Pixel, y", "1", np.arange(1.0, rows + 1)),
        Axis("Pixel, x", "1", np.arange(1.0, columns + 1)),
    )
    signal = Signal("Intensity", "", intensity, errors if has_errors else None)
    return [Dataset(signal, axes, header, technique="saxs")]


def _size(header: dict[str, str], name: str) -> int:
    size = as_number(header.get(name, ""))
    if size is None or not 0 < size <= MOST_PIXELS or size != int(size):
        raise ReadError(f"{name} does not say how many pixels there are. The file is damaged; copy it again.")
    return int(size)

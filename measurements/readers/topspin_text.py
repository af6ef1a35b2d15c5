"""Spectra that TopSpin writes with `totxt`: comments with the limits and sizes, then one intensity per line.

    # LEFT = 16.33405 ppm. RIGHT = -3.985870979620117 ppm.
    # SIZE = 32768 ( = number of points)

A plane has F1LEFT, F1RIGHT, F2LEFT, F2RIGHT, NROWS and NCOLS, and a comment before each row. The limits
belong to the first and last point. The time in the file is that of the export: it stays in the header.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._binary import MOST_VALUES
from measurements.readers._text import decoded, open_text
from measurements.readers._titles import settings
from measurements.readers.base import Format

FORMAT = Format(
    name="TopSpin totxt",
    extensions=(".txt",),
    vendor="Bruker",
    techniques=("nmr",),
    description="NMR spectra of one or two dimensions exported from TopSpin as text (totxt).",
    max_bytes=64 * 1024**2,
)
VERSION = 1

LIMIT = re.compile(r"\b(F[12])?(LEFT|RIGHT)\s*=\s*([-+0-9.eE]+)\s*(ppm|Hz|s|sec|pts)\b")
SIZE = re.compile(r"\b(SIZE|NROWS|NCOLS)\s*=\s*(\d{1,9})\b")
NAMES = {"ppm": "Chemical shift", "Hz": "Frequency", "s": "Time", "sec": "Time"}


def recognises(head: bytes, filename: str) -> bool | float:
    try:
        comments = [line for line in decoded(head).splitlines()[:60] if line.startswith("#")]
    except ReadError:
        return False
    text = "\n".join(comments)
    return 0.95 if LIMIT.search(text) and SIZE.search(text) and "Spectral Region" in text else False


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().splitlines()
    comments = [line for line in lines if line.lstrip().startswith("#")]
    rows = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    above = [line for line in comments if not re.match(r"#\s*row\s*=", line)]
    sizes = {name: int(size) for line in above for name, size in SIZE.findall(line)}
    try:
        values = np.array(rows, dtype=np.float64)
    except ValueError:
        number = next(number for number, line in enumerate(lines, start=1) if not _is_fine(line))
        raise ReadError("expected one intensity. Export the spectrum again.", line=number) from None
    shape: tuple[int, ...]
    if "SIZE" in sizes:
        shape, limits = (sizes["SIZE"],), [""]
    elif {"NROWS", "NCOLS"} <= sizes.keys():
        shape, limits = (sizes["NROWS"], sizes["NCOLS"]), ["F1", "F2"]
    else:
        raise ReadError("the comments do not say how many points there are (SIZE). Export it again.")
    if int(np.prod(shape, dtype=object)) != values.size or not 0 < values.size <= MOST_VALUES:
        announced = " × ".join(map(str, shape))
        raise ReadError(
            f"the comments announce {announced} points, the file has {values.size}. Was the export cut off? "
            "Export it again."
        )
    text_above = "\n".join(above)
    axes = tuple(_axis(text_above, which, size) for which, size in zip(limits, shape, strict=True))
    return [Dataset(Signal("Intensity", "", values.reshape(shape)), axes, settings(above))]


def _is_fine(line: str) -> bool:
    try:
        return not line.strip() or line.lstrip().startswith("#") or float(line) is not None
    except ValueError:
        return False


def _axis(text: str, which: str, size: int) -> Axis:
    limits = {side: (number, unit) for name, side, number, unit in LIMIT.findall(text) if name == which}
    try:
        left, right = float(limits["LEFT"][0]), float(limits["RIGHT"][0])
    except (KeyError, ValueError):
        raise ReadError(
            f"the comments give no {which}LEFT and {which}RIGHT, so there is no axis. Export it again."
        ) from None
    values: Array = np.linspace(left, right, size)
    if not np.all(np.isfinite(values)):
        raise ReadError(f"the limits {left:g} and {right:g} make no axis. Export the spectrum again.")
    unit = limits["LEFT"][1]
    name = NAMES.get(unit, "Point")
    return Axis(f"{name} F1" if which == "F1" else name, {"sec": "s", "pts": "1"}.get(unit, unit), values)

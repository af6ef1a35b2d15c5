"""Andor Solis ASCII: columns of numbers, then (or before) the settings in words.

    405.23318<tab>280099              axis, then one column for each track or row of the picture

    Date and Time:                Fri Sep  8 15:03:52 2017
    Acquisition Mode:             Accumulate
    Exposure Time (secs):         0.1

In a kinetic series of pictures the first column begins anew with every frame; with full vertical binning
each column is a frame. The unit of the axis is not written: whole numbers from 1 are pixels, and an axis that
holds the spectrograph's central wavelength (nm) is one of wavelengths; anything else stays without a unit.
The date has no zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._spectrum import (
    NameAndUnit,
    dialect_of,
    end_of_rows,
    first_row,
    is_row,
    lines_of,
    put,
    rows,
    understood,
)
from measurements.readers._text import as_number, decoded
from measurements.readers.base import HEAD_BYTES, Format

FORMAT = Format(
    name="Andor Solis ASCII",
    extensions=(".asc", ".csv", ".txt"),
    vendor="Andor",
    techniques=("pl", "raman", "uvvis"),
    description="Spectra, tracks and kinetic series exported from Andor Solis as ASCII with their settings.",
    max_bytes=96 * 1024**2,
)
VERSION = 1

SETTINGS: dict[str, NameAndUnit] = {
    "Date and Time": ("local_time", ""), "Software Version": ("software", ""), "Model": ("instrument", ""),
    "Acquisition Mode": ("mode", ""), "Exposure Time (secs)": ("exposure_time", "s"),
    "Number of Accumulations": ("accumulations", "1"), "Readout Mode": ("geometry", ""),
    "Grating Groove Density (l/mm)": ("grating", "l/mm"), "Input Side Slit Width (um)": ("slit_width", "um"),
}  # fmt: skip
CENTRE = "Wavelength (nm)"


def recognises(head: bytes, filename: str) -> float:
    """By the settings; in a long series they lie beyond the head, but every row ends in a separator."""
    try:
        text = decoded(head)
    except ReadError:
        return 0.0
    if "Acquisition Mode:" in text and "Exposure Time (secs):" in text:
        return 0.9
    rows_of_head = text.splitlines()[:-1]
    ends = {line[-1:] for line in rows_of_head}
    series = len(head) >= HEAD_BYTES and (ends == {"\t"} or ends == {","})
    return 0.4 if series and filename.lower().endswith(".asc") and all(map(is_row, rows_of_head)) else 0.0


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    begin = first_row(lines)
    stop = end_of_rows(lines, begin)
    table = rows(lines, begin, stop, dialect_of(lines[begin]))
    header: dict[str, str] = {}
    for number, line in enumerate([*lines[:begin], *lines[stop:]], start=1):
        key, colon, value = line.partition(":")
        if line.startswith("{"):
            key, colon, value = "{left,right,bottom,top}", ":", line.partition(":")[2]
        if colon and value.strip():
            put(header, key, value)
        elif line.strip():
            put(header, f"text {number}", line)
    conditions = understood({key: value for key, value in header.items() if value != "0"}, SETTINGS)
    frames = _frames(table, header)
    x = _axis(frames[0][:, 0], header)
    signal = _signal(header)
    cycle_s = as_number(header.get("Kinetic Cycle Time (secs)", ""))
    if len(frames) > 1:
        values = np.stack([frame[:, 1:].T for frame in frames])  # frame, row of the picture, x
        axes: tuple[Axis, ...] = (_times(len(frames), cycle_s), _counted("Row", values.shape[1]), x)
        if values.shape[1] == 1:
            values, axes = values[:, 0, :], (axes[0], x)
        return [Dataset(Signal(*signal, values.copy()), axes, header, None, conditions)]
    if table.shape[1] > 2 and "Kinetic" in header.get("Acquisition Mode", ""):
        axes = (_times(table.shape[1] - 1, cycle_s), x)
        return [Dataset(Signal(*signal, table[:, 1:].T.copy()), axes, header, None, conditions)]
    return _tracks(table, x, signal, header, conditions)


def _frames(table: Array, header: Mapping[str, str]) -> list[Array]:
    """The table cut where its first column begins anew, if every frame then has the same axis."""
    begins = np.flatnonzero(table[:, 0] == table[0, 0])
    if len(begins) < 2:
        return [table]
    if len(table) % len(begins) or np.any(np.diff(begins) != begins[1]):
        raise ReadError(
            f"the {len(begins)} frames of this series have different lengths. Was the file cut off? Export "
            "it again."
        )
    return list(np.split(table, len(begins)))


def _tracks(
    table: Array, x: Axis, signal: NameAndUnit, header: Mapping[str, str], conditions: Mapping[str, Quantity]
) -> list[Dataset]:
    titles = [f"track {column}" if table.shape[1] > 2 else "" for column in range(1, table.shape[1])]
    return [
        Dataset(Signal(*signal, table[:, column].copy()), (x,), header, None, conditions, title)
        for column, title in enumerate(titles, start=1)
    ]


def _times(frames: int, cycle_s: float | None) -> Axis:
    if cycle_s is None or not np.isfinite(cycle_s):
        return _counted("Frame", frames)
    return Axis("Time", "s", np.arange(frames, dtype=np.float64) * cycle_s)


def _counted(name: str, number: int) -> Axis:
    return Axis(name, "1", np.arange(1, number + 1, dtype=np.float64))


def _axis(values: Array, header: Mapping[str, str]) -> Axis:
    if np.array_equal(values, np.arange(1, len(values) + 1)):
        return Axis("Pixel", "1", values.copy())
    centre_nm = as_number(header.get(CENTRE, ""))
    if centre_nm and values.min() <= centre_nm <= values.max():
        return Axis("Wavelength", "nm", values.copy())
    return Axis("x", "", values.copy())


def _signal(header: Mapping[str, str]) -> NameAndUnit:
    words = header.get("Data Type", "")
    if re.match(r"counts", words, re.IGNORECASE):
        return words, "counts"
    return words or "y", "%" if words.startswith("%") else ""

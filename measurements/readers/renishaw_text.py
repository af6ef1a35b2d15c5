"""Renishaw WiRE text: a line of titles behind #, then wave and intensity; maps repeat it for every point.

    #Wave<tab><tab>#Intensity
    #X<tab><tab>#Y<tab><tab>#Wave<tab><tab>#Intensity
    #Time<tab><tab>#Wave<tab><tab>#Intensity

The text does not say whether the wave is a Raman shift or a wavelength, nor any setting of the instrument: a
WDF file does.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._numbers import Dialect
from measurements.readers._spectrum import end_of_rows, first_row, head_lines, lines_of, rows
from measurements.readers.base import Format

FORMAT = Format(
    name="Renishaw WiRE text",
    extensions=(".txt",),
    vendor="Renishaw",
    techniques=("raman", "pl"),
    description="Spectra, time series and maps exported from WiRE as text (#Wave #Intensity).",
    max_bytes=96 * 1024**2,
)
VERSION = 1

UNITS = {"X": "µm", "Y": "µm", "Z": "µm", "Time": "s"}


def recognises(head: bytes, filename: str) -> float:
    titles = _titles(head_lines(head, 1))
    return 0.95 if titles[-2:] == ["Wave", "Intensity"] else 0.0


def _titles(lines: list[str]) -> list[str]:
    return re.findall(r"#(\w+)", lines[0]) if lines else []


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    titles = _titles(lines)
    if titles[-2:] != ["Wave", "Intensity"]:
        raise ReadError("the line of titles #Wave #Intensity is missing. Export the spectrum again.", line=1)
    begin = first_row(lines)
    table = rows(lines, begin, end_of_rows(lines, begin), Dialect(None), columns=len(titles))
    header = {"line 1": lines[0].strip()}
    if len(titles) == 2:
        return [_dataset(table[:, 1], (Axis("Wave", "", table[:, 0].copy()),), header)]
    return _map(table, titles, header)


def _map(table: Array, titles: list[str], header: dict[str, str]) -> list[Dataset]:
    """Points of a map one after the other: a new one begins where a position changes."""
    places = table[:, :-2]
    begins = np.concatenate([[0], 1 + np.flatnonzero(np.any(np.diff(places, axis=0) != 0, axis=1))])
    length, rest = divmod(len(table), len(begins))
    waves = table[:, -2]
    if rest or not np.array_equal(waves, np.tile(waves[:length], len(begins))):
        raise ReadError(
            f"the {len(begins)} spectra of this map do not share one axis. Was the file cut off? Export it "
            "again, or export the spectra one by one."
        )
    wave = Axis("Wave", "", waves[:length].copy())
    points = Axis("Point", "1", np.arange(1.0, len(begins) + 1))
    if titles[:-2] == ["Time"]:
        points = Axis("Time", "s", places[begins, 0].copy())
    datasets = [_dataset(table[:, -1].reshape(len(begins), length), (points, wave), header)]
    if points.name == "Point":
        for column, title in enumerate(titles[:-2]):
            position = Signal(title, UNITS.get(title, ""), places[begins, column].copy())
            datasets.append(Dataset(position, (points,), header, title=title))
    return datasets


def _dataset(values: Array, axes: tuple[Axis, ...], header: dict[str, str]) -> Dataset:
    return Dataset(Signal("Intensity", "", values.copy()), axes, header)

"""Text that Scienta's SES saves: sections in brackets, for each region its axes, settings and numbers.

    [Region 1]            Dimension 1 name=Binding Energy [eV], its size and its scale; likewise 2 and 3
    [Info 1]              pass energy, sweeps, date, …
    [Data 1]              energy, then one column for each slice of the detector
    [Data 1:2]            the same for the second step of dimension 3

A region with one slice is a curve; else its axes are those of dimensions 3, 2 and 1. No zone, no errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._rows import refuse_gaps, rows_of
from measurements.readers._scienta import conditions, named
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format

FORMAT = Format(
    name="Scienta SES text",
    extensions=(".txt",),
    vendor="Scienta Omicron",
    techniques=("xps",),
    description="Regions saved as text by Scienta's SES, as curves or with the slices of the detector.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

SECTION = re.compile(r"^\[(?P<name>[A-Za-z ]+?)(?: (?P<region>\d+)(?::(?P<step>\d+))?)?\]\s*$")


def recognises(head: bytes, filename: str) -> bool | float:
    try:
        text = decoded(head[:4000])
    except ReadError:
        return False
    return text.lstrip().startswith("[Info]") and "Number of Regions=" in text


@dataclass
class Region:
    """What the sections of one number say: settings, and the numbers of each step of dimension 3."""

    said: dict[str, str] = field(default_factory=dict)
    steps: list[Array] = field(default_factory=list)


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    regions: dict[str, Region] = {}
    about_all: dict[str, str] = {}
    for name, number, first, stop in _sections(lines):
        region = regions.setdefault(number, Region()) if number else None
        if name == "Data" and region is not None:
            filled = [line for line in lines[first:stop] if line.strip()]
            rows = rows_of(filled, first + 1)
            if rows.size:
                refuse_gaps(rows[:, 0], first + 1)
                region.steps.append(rows)
            continue
        said = about_all if region is None else region.said
        for line in lines[first:stop]:
            key, mark, value = line.partition("=")
            if mark and key.strip():
                said[key.strip()] = value.strip()
    return [_dataset(region, about_all, number) for number, region in regions.items() if region.steps]


def _sections(lines: list[str]) -> Iterator[tuple[str, str, int, int]]:
    """Name, number of the region or "", first line and the line after the last."""
    starts = [(place, found) for place, line in enumerate(lines) if (found := SECTION.match(line.rstrip()))]
    for number, (place, found) in enumerate(starts):
        stop = starts[number + 1][0] if number + 1 < len(starts) else len(lines)
        yield found["name"], found["region"] or "", place + 1, stop


def _dataset(region: Region, about_all: dict[str, str], number: str) -> Dataset:
    first = region.steps[0]
    if first.shape[1] < 2:
        raise ReadError(f"region {number} has energies and no counts. Save it again.")
    if any(step.shape != first.shape or not np.array_equal(step[:, 0], first[:, 0]) for step in region.steps):
        raise ReadError(f"the steps of region {number} differ in their energies. Was the file cut off?")
    announced = region.said.get("Dimension 1 size", "")
    if announced.isdecimal() and int(announced) != len(first):
        raise ReadError(
            f"region {number} announces {announced} energies and has {len(first)}. Was the file cut off? "
            "Save it again."
        )
    values = np.stack([step[:, 1:].T for step in region.steps])
    name, unit = named(region.said.get("Dimension 1 name", "Energy [eV]"))
    axes = [_scale(region, 3, len(values)), _scale(region, 2, values.shape[1])]
    kept = [place for place in (0, 1) if values.shape[place] > 1]
    shape = [values.shape[place] for place in (*kept, 2)]
    return Dataset(
        Signal("Counts", "counts", np.ascontiguousarray(values).reshape(shape)),
        (*(axes[place] for place in kept), Axis(name, unit, first[:, 0].copy())),
        header=about_all | region.said,
        conditions=conditions(region.said),
        title=region.said.get("Region Name", f"region {number}"),
    )


def _scale(region: Region, dimension: int, size: int) -> Axis:
    """The scale that the file gives for slices and steps; their numbers if it does not fit."""
    said = region.said
    try:
        values = np.array(said.get(f"Dimension {dimension} scale", "").split(), dtype=np.float64)
    except ValueError:
        values = np.empty(0)
    if len(values) != size or not np.all(np.isfinite(values)):
        return Axis("Slice" if dimension == 2 else "Step", "1", np.arange(1, size + 1, dtype=np.float64))
    name, unit = named(said.get(f"Dimension {dimension} name", "Slice"))
    return Axis(name, unit, values)

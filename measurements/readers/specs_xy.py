"""Spectra that SPECS SpecsLab and Prodigy export as .xy: comments for each region and scan, then columns.

    #   Energy Axis:              Binding Energy
    # Region:                       Survey
    # Cycle: 0, Curve: 0, Scan: 0
    # ColumnLabels:                 energy counts/s
    1350  15598.679

Every scan (or channel, or cycle) is a dataset, in the order of the file. The date counts when it says UTC. An
error bar, if it was exported, becomes the sigma of the counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._rows import refuse_gaps, rows_of
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="SPECS XY",
    extensions=(".xy",),
    vendor="SPECS",
    techniques=("xps",),
    description="XPS regions and scans exported from SpecsLab or Prodigy as XY text with comments.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

SETTING = re.compile(r"^\s*#+\s*([^:#]{1,60}?)\s*:\s*(.*?)\s*$")
SCAN = re.compile(r"^\s*#+\s*(Cycle:.*?)\s*$")
ERROR = re.compile(r"err|std|sigma", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> bool | float:
    try:
        text = decoded(head[:8000])
    except ReadError:
        return False
    if re.match(r"#\s*Created by:\s*Specs", text):
        return 1.0
    return 0.95 if "XY-Serializer" in text or ("# ColumnLabels:" in text and "# Region:" in text) else False


@dataclass
class Stretch:
    """Rows of numbers, and what the comments above had said by then."""

    said: dict[str, str]
    scan: str
    rows: Array


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    return [dataset for stretch in _stretches(lines) for dataset in _datasets(stretch)]


def _stretches(lines: list[str]) -> Iterator[Stretch]:
    export: dict[str, str] = {}
    region: dict[str, str] = {}
    scan = ""
    place = 0
    while place < len(lines):
        line = lines[place]
        if not line.lstrip().startswith("#"):
            first = place
            while place < len(lines) and lines[place].strip() and not lines[place].lstrip().startswith("#"):
                place += 1
            if place > first:
                rows = rows_of(lines[first:place], first + 1)
                refuse_gaps(rows[:, 0], first + 1)
                yield Stretch(export | region, scan, rows)
            place = max(place, first + 1)
            continue
        place += 1
        cycle, setting = SCAN.match(line), SETTING.match(line)
        if cycle:
            scan = cycle[1]
        elif setting and setting[2]:
            key, value = setting.groups()
            if key in ("Group", "Region"):
                region, scan = {"Group": region.get("Group", "")} if key == "Region" else {}, ""
            (region if region or key in ("Group", "Region") else export)[key] = value


def _datasets(stretch: Stretch) -> list[Dataset]:
    said, rows = stretch.said, stretch.rows
    if rows.shape[1] < 2:
        raise ReadError("there are energies and no counts. Export the region again with its intensities.")
    labels = said.get("ColumnLabels", "").split()
    labels += [f"column {number}" for number in range(len(labels) + 1, rows.shape[1] + 1)]
    energy = Axis(said.get("Energy Axis", "Energy").capitalize(), "eV", rows[:, 0].copy())
    errors = [place for place in range(2, rows.shape[1]) if ERROR.search(labels[place])]
    title = ", ".join(filter(None, (said.get("Group"), said.get("Region"), stretch.scan)))
    header = {**said, **({"scan": stretch.scan} if stretch.scan else {})}
    datasets = []
    for place in range(1, rows.shape[1]):
        if place in errors:
            continue
        label = labels[place]
        is_main = place == 1
        sigma = rows[:, errors[0]].copy() if is_main and errors else None
        signal = Signal(
            "Intensity" if is_main else label, _unit(label, is_main), rows[:, place].copy(), sigma
        )
        datasets.append(
            Dataset(signal, (energy,), header, _acquired_at(said), _conditions(said), title + (
                "" if is_main else f", {label}"
            ))
        )  # fmt: skip
    return datasets


def _unit(label: str, is_main: bool) -> str:
    if label in ("counts", "counts/s"):
        return label
    return "" if is_main else "1" if "transmission" in label.lower() else ""


def _conditions(said: Mapping[str, str]) -> dict[str, Quantity]:
    local = said.get("Acquisition Date")
    return {
        **condition("photon_energy", said.get("Excitation Energy"), "eV"),
        **condition("pass_energy", said.get("Pass Energy"), "eV"),
        **condition("dwell_time", said.get("Dwell Time"), "s"),
        **condition("accumulations", said.get("Number of Scans"), "1"),
        **condition("work_function", said.get("Eff. Workfunction"), "eV"),
        **condition("region", said.get("Region")),
        **condition("sample_name", said.get("Group")),
        **condition("instrument", said.get("Analyzer")),
        **condition("mode", said.get("Scan Mode")),
        **condition("comment", said.get("Comment")),
        **condition("local_time", None if _acquired_at(said) else local),
    }


def _acquired_at(said: Mapping[str, str]) -> datetime | None:
    words = said.get("Acquisition Date", "")
    try:
        return datetime.strptime(words, "%m/%d/%y %H:%M:%S UTC").replace(tzinfo=UTC)
    except ValueError:
        return None

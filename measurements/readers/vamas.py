"""VAMAS, ISO 14976: one value per line, and what it means follows from its place.

A head for the experiment, then blocks; each block has up to forty parameters and its ordinates, the values
of several "corresponding variables" (counts, transmission, …) taking turns. The head may list parameters that
only the first block writes: the others take them from the block before. 1E37 is a value that is not known.
Every corresponding variable of every block is a dataset; the first, the signal, comes first. An irregular
scan has its abscissa among them. A block that was never measured is left out. No errors.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._text import decoded, open_text
from measurements.readers._vamas import MAGIC, Block, Experiment, Lines, blocks
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="VAMAS (ISO 14976)",
    extensions=(".vms", ".vamas", ".npl"),
    vendor="ISO 14976",
    techniques=("xps", "eds"),
    description="Surface analysis spectra, depth profiles and maps in VAMAS files, also those of CasaXPS.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

UNITS = {"d": "1", "c/s": "counts/s", "degree": "deg", "micro m": "µm", "micro C": "µC", "n": ""}
TECHNIQUES = {"XPS": "xps", "EDX": "eds"}


def recognises(head: bytes, filename: str) -> bool:
    try:
        return decoded(head[:400]).lstrip().startswith(MAGIC)
    except ReadError:
        return False


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = Lines(text.read().split("\n"))
    datasets: list[Dataset] = []
    for experiment, block in blocks(lines):
        if block.ordinates.size:  # a block that was never measured has none
            datasets += _datasets(experiment, block)
    return datasets


def _datasets(experiment: Experiment, block: Block) -> list[Dataset]:
    columns = list(zip(block.columns, block.ordinates.T, strict=True))
    axes, shape = _axes(experiment, block)
    if experiment.scan == "IRREGULAR" and len(columns) > 1:
        (label, unit), abscissae = columns.pop(0)
        axes, shape = (_axis(label, unit, abscissae),), abscissae.shape
    title = ": ".join(filter(None, (block.values["sample identifier"], block.values["block identifier"])))
    header = experiment.header | block.values | block.additional
    technique = TECHNIQUES.get(block.values.get("technique", ""), "")
    acquired_at, conditions = _acquired_at(block), _conditions(block)
    datasets = []
    for place, ((label, unit), values) in enumerate(columns):
        signal = Signal(label.capitalize(), _unit(label, unit), np.ascontiguousarray(values).reshape(shape))
        own = title + (f", {label}" if place else "")
        datasets.append(Dataset(signal, axes, header, acquired_at, conditions, own, technique))
    return datasets


def _axes(experiment: Experiment, block: Block) -> tuple[tuple[Axis, ...], tuple[int, ...]]:
    size = len(block.ordinates)
    if experiment.scan == "REGULAR":
        start, step = block.number("abscissa start"), block.number("abscissa increment")
        if start is None or step is None:
            raise ReadError("a block gives no start and step of its abscissa. Export the file again.")
        values = start + step * np.arange(size, dtype=np.float64)
        label, unit = block.values["abscissa label"], block.values["abscissa units"]
        return (_axis(label, unit, values),), (size,)
    columns, rows = experiment.full_map
    if experiment.scan == "MAPPING" and rows > 1 and rows * columns == size:
        return (_counted("Row", rows), _counted("Column", columns)), (rows, columns)
    return (_counted("Point", size),), (size,)


def _counted(name: str, size: int) -> Axis:
    return Axis(name, "1", np.arange(size, dtype=np.float64))


def _axis(label: str, unit: str, values: Array) -> Axis:
    if not np.all(np.isfinite(values)):
        raise ReadError("an abscissa is infinite or no number. Copy the file again.")
    return Axis(label.strip().capitalize() or "x", _unit(label, unit), np.ascontiguousarray(values))


def _unit(label: str, unit: str) -> str:
    if unit == "d" and label.lower() in ("counts", "intensity"):
        return "counts"
    return UNITS.get(unit, unit)


def _conditions(block: Block) -> dict[str, Quantity]:
    values = block.values
    region = " ".join(
        word
        for name in ("species label", "transition or charge state label")
        if (word := values.get(name, "")) and word not in ("-1", "none", "Not Specified")
    )
    is_fixed_transmission = values.get("analyser mode") == "FAT"
    pass_energy = block.number("analyser pass energy or retard ratio or mass resolution")
    return {
        **condition("photon_energy", block.number("analysis source characteristic energy") or None, "eV"),
        **condition("anode", values.get("analysis source label")),
        **condition("pass_energy", pass_energy if is_fixed_transmission else None, "eV"),
        **condition("work_function", block.number("analyser work function or acceptance energy"), "eV"),
        **condition("dwell_time", block.number("signal collection time"), "s"),
        **condition("accumulations", block.number("number of scans to compile this block"), "1"),
        **condition("region", region or values["block identifier"]),
        **condition("sample_name", values["sample identifier"]),
        **condition("mode", values.get("analyser mode")),
    }


def _acquired_at(block: Block) -> datetime | None:
    """The standard gives the zone: hours in advance of GMT."""
    names = ("year", "month", "day", "hour", "minute", "second", "hours in advance of GMT")
    parts = [block.number(name) for name in names]
    try:
        year, month, day, hour, minute, second, zone_h = (float(part) for part in parts if part is not None)
        zone = timezone(timedelta(hours=zone_h))
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone)
    except (ValueError, OverflowError):
        return None
    return moment if 1970 <= moment.year <= 2200 else None

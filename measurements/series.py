"""Many scans of one kind become one dataset with an axis of temperature, time, or whatever was varied.

The coordinate comes from what the scans themselves say (headers, times), from a companion log, from the
titles of columns, or last from the names of the files. Scans that share no grid, or have no coordinate that
tells each from the others, stay as they are: nothing is interpolated and no order is invented.
Pure floor: no Django here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, Signal
from measurements.readers._text import as_number
from measurements.vocabulary import CONDITIONS

VERSION = 1
SAME_GRID = 1e-9
FEWEST = 3  # two files with two times are a repetition; three are a series
# What is varied on purpose comes before what merely passes.
VARIED = (
    "temperature", "tilt", "excitation_wavelength", "emission_wavelength", "irradiance", "laser_power",
    "concentration", "pressure", "humidity", "position", "elapsed_time",
)  # fmt: skip
UNITS_IN_NAMES = {
    "°c": ("Temperature", "°C", 1.0), "degc": ("Temperature", "°C", 1.0), "c": ("Temperature", "°C", 1.0),
    "k": ("Temperature", "K", 1.0), "s": ("Time", "s", 1.0), "sec": ("Time", "s", 1.0),
    "min": ("Time", "min", 1.0), "h": ("Time", "h", 1.0), "ms": ("Time", "ms", 1.0),
    "mw": ("Power", "mW", 1.0), "um": ("Position", "µm", 1.0), "µm": ("Position", "µm", 1.0),
    "mm": ("Position", "mm", 1.0), "nm": ("Wavelength", "nm", 1.0), "deg": ("Angle", "deg", 1.0),
}  # fmt: skip
IN_NAME = re.compile(
    r"(?<![A-Za-z0-9.])(?P<number>[-+]?\d+(?:[.,p]\d+)?)[ _]?"
    r"(?P<unit>°C|degC|C|K|ms|s|sec|min|h|mW|um|µm|mm|nm|deg)(?![A-Za-z0-9])"
)


@dataclass(frozen=True)
class Scan:
    """A dataset of one axis and the name of its file."""

    dataset: Dataset
    filename: str = ""


@dataclass(frozen=True)
class Coordinate:
    axis: Axis
    source: str


def is_number(title: str) -> bool:
    """Whether a column is headed by what was varied: “25”, “60 s”, “300K”."""
    return as_number(title) is not None or IN_NAME.fullmatch(title.strip()) is not None


def series_of(
    scans: Sequence[Scan], log: Dataset | None = None, offset_s: float | None = None
) -> Dataset | None:
    """One dataset of all scans, or None when they are not a series.

    log : readings of what was varied against time in s, min or h, such as the furnace's temperature
    offset_s : by how much the log's clock is ahead of the instrument's; needed when the log has no date
    """
    if len(scans) < 2 or not _alike([scan.dataset for scan in scans]):
        return None
    for find in (
        lambda: _from_log(scans, log, offset_s),
        lambda: _from_conditions(scans),
        lambda: _from_titles(scans),
        lambda: _from_names(scans),
        lambda: _from_times(scans),
    ):
        coordinate: Coordinate | None = find()
        if coordinate is not None:
            return _stacked(scans, coordinate, offset_s)
    return None


def _alike(datasets: Sequence[Dataset]) -> bool:
    one = datasets[0]
    if len(one.axes) != 1 or one.axes[0].values.size < 2:
        return False
    grid = one.axes[0]
    room = SAME_GRID * float(np.max(np.abs(grid.values)) or 1)
    return all(
        len(other.axes) == 1
        and other.axes[0].unit == grid.unit
        and other.axes[0].values.size == grid.values.size
        and other.signal.unit == one.signal.unit
        and (other.signal.errors is None) == (one.signal.errors is None)
        and bool(np.all(np.abs(other.axes[0].values - grid.values) <= room))
        for other in datasets[1:]
    )


def _from_conditions(scans: Sequence[Scan]) -> Coordinate | None:
    if len({scan.dataset.signal.name for scan in scans}) > 1:
        return None  # different quantities of one file, not the same one again and again
    for key in VARIED:
        found = [scan.dataset.conditions.get(key) for scan in scans]
        values = [float(quantity.value) for quantity in found if quantity is not None]
        if len(values) == len(scans) and len(set(values)) == len(values):
            return Coordinate(Axis(CONDITIONS[key].label, CONDITIONS[key].unit, _array(values)), "headers")
    return None


def _from_titles(scans: Sequence[Scan]) -> Coordinate | None:
    """Columns that are headed by numbers: 0 s, 60 s, 120 s."""
    names = [scan.dataset.signal.name for scan in scans]
    bare = [as_number(name) for name in names]
    if all(number is not None for number in bare):
        return _distinct("Column", "", [number for number in bare if number is not None], "column titles")
    return _numbers_with_unit(names, "column titles", whole=True)


def _from_names(scans: Sequence[Scan]) -> Coordinate | None:
    if len(scans) < FEWEST or len({scan.dataset.signal.name for scan in scans}) > 1:
        return None
    return _numbers_with_unit([scan.filename.rpartition("/")[2] for scan in scans], "file names")


def _numbers_with_unit(names: Sequence[str], source: str, *, whole: bool = False) -> Coordinate | None:
    """The quantity that every name gives with the same unit, if it tells them all apart."""
    found: list[dict[str, float]] = []
    for name in names:
        matches = [IN_NAME.fullmatch(name.strip())] if whole else list(IN_NAME.finditer(name))
        found.append({m["unit"].lower(): _number(m["number"]) for m in matches if m is not None})
    for unit, (title, spelled, factor) in UNITS_IN_NAMES.items():
        if all(unit in each for each in found):
            coordinate = _distinct(title, spelled, [factor * each[unit] for each in found], source)
            if coordinate is not None:
                return coordinate
    return None


def _from_times(scans: Sequence[Scan]) -> Coordinate | None:
    times = _times(scans)
    if len(scans) < FEWEST or len({scan.dataset.signal.name for scan in scans}) > 1 or times is None:
        return None
    begun = min(times)
    return _distinct(
        "Time", "s", [(moment - begun).total_seconds() for moment in times], "times in the files"
    )


def _from_log(scans: Sequence[Scan], log: Dataset | None, offset_s: float | None) -> Coordinate | None:
    times = _times(scans)
    if log is None or times is None or len(log.axes) != 1 or log.axes[0].unit not in SECONDS:
        return None
    if log.acquired_at is None and offset_s is None:
        return None  # two clocks without a common time: guessing would shift every temperature
    begun = log.acquired_at or min(times)
    at_s = _array([(moment - begun).total_seconds() + (offset_s or 0) for moment in times])
    log_s = log.axes[0].values * SECONDS[log.axes[0].unit]
    if np.any(np.diff(log_s) < 0) or at_s.min() < log_s[0] or at_s.max() > log_s[-1]:
        return None  # a scan that the log does not cover has no temperature
    values = np.interp(at_s, log_s, log.signal.values)
    return Coordinate(Axis(log.signal.name, log.signal.unit, values), "companion log")


SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def _times(scans: Sequence[Scan]) -> list[datetime] | None:
    """When each scan was taken; times without a zone will do, as long as all of them lack it."""
    exact = [scan.dataset.acquired_at for scan in scans]
    if all(exact):
        return [moment for moment in exact if moment is not None]
    local = [scan.dataset.conditions.get("local_time") for scan in scans]
    try:
        return (
            [
                datetime.fromisoformat(str(said.value)).replace(tzinfo=UTC)
                for said in local
                if said is not None
            ]
            if all(local)
            else None
        )
    except ValueError:
        return None


def _distinct(name: str, unit: str, values: list[float], source: str) -> Coordinate | None:
    if len(set(values)) < len(values):
        return None
    return Coordinate(Axis(name, unit, _array(values)), source)


def _stacked(scans: Sequence[Scan], coordinate: Coordinate, offset_s: float | None) -> Dataset:
    order = _order(scans, coordinate)
    datasets = [scans[index].dataset for index in order]
    first = datasets[0]
    errors = [d.signal.errors for d in datasets if d.signal.errors is not None]
    of_titles = coordinate.source == "column titles"
    signal = Signal(
        "Signal" if of_titles else first.signal.name,
        first.signal.unit,
        np.stack([dataset.signal.values for dataset in datasets]),
        np.stack(errors) if len(errors) == len(datasets) else None,
    )
    along = replace(coordinate.axis, values=coordinate.axis.values[order])
    header = dict(first.header)
    header["series: coordinate from"] = coordinate.source
    for number, index in enumerate(order, start=1):
        header[f"series: scan {number}"] = scans[index].filename or scans[index].dataset.title
    conditions = _shared([dataset.conditions for dataset in datasets])
    if offset_s is not None:
        conditions["clock_offset"] = Quantity(offset_s, "s")
    return Dataset(
        signal,
        (along, first.axes[0]),
        header,
        min((d.acquired_at for d in datasets if d.acquired_at is not None), default=None),
        conditions,
        title=f"{len(datasets)} scans",
        technique=first.technique,
    )


def _order(scans: Sequence[Scan], coordinate: Coordinate) -> list[int]:
    """As they were taken, where the files say when: a sample is heated and cooled. Else by the coordinate."""
    times = _times(scans)
    key: Callable[[int], object] = (
        (lambda index: times[index]) if times is not None else (lambda index: coordinate.axis.values[index])
    )
    return sorted(range(len(scans)), key=key)  # type: ignore[arg-type]


def _shared(conditions: Sequence[Mapping[str, Quantity]]) -> dict[str, Quantity]:
    return {
        key: quantity
        for key, quantity in conditions[0].items()
        if all(other.get(key) == quantity for other in conditions[1:])
    }


def _number(text: str) -> float:
    return float(text.replace(",", ".").replace("p", "."))


def _array(values: Sequence[float]) -> Array:
    return np.asarray(values, dtype=np.float64)

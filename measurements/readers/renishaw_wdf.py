"""Renishaw WiRE data (.wdf): blocks, each with a name of four letters, a number and its size.

    WDF1  512 bytes: points per spectrum, spectra, laser, times, title, user
    DATA  the spectra, float32, one after the other
    XLST  kind and unit of the axis, then its values       YLST  the same of the detector's rows
    ORGN  for each spectrum where and when it was taken: position, time, temperature
    WMAP  how the spectra of a map lie

Times are Windows file times, which are UTC. After Renishaw's description of the format, as public readers of
it use it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._spectrum import NameAndUnit
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Renishaw WDF",
    extensions=(".wdf",),
    vendor="Renishaw",
    techniques=("raman", "pl"),
    description="Spectra, series and maps saved by WiRE.",
)
VERSION = 2

MAGIC = b"WDF1"
FILE_TIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
MOST_BLOCKS = 10_000
ENOUGH = {"DATA", "XLST", "ORGN"}
SAME_PLACE = 1e-4  # of the distance between two points of a grid
UNITS = {
    1: "cm⁻¹", 2: "cm⁻¹", 3: "nm", 4: "eV", 5: "µm", 6: "counts", 7: "electrons", 8: "mm", 9: "m", 10: "K",
    11: "Pa", 12: "s", 13: "ms", 14: "h", 15: "d", 16: "pixels", 19: "deg", 20: "rad", 21: "°C", 22: "°F",
    23: "K/min", 25: "µs",
}  # fmt: skip
AXES: dict[int, NameAndUnit] = {
    1: ("Raman shift", "cm⁻¹"), 2: ("Wavenumber", "cm⁻¹"), 3: ("Wavelength", "nm"), 4: ("Energy", "eV"),
    16: ("Pixel", "1"),
}  # fmt: skip
ORIGINS = {
    3: "X", 4: "Y", 5: "Z", 6: "R", 7: "Theta", 8: "Phi", 9: "Temperature", 10: "Pressure", 11: "Time",
    13: "Polarization", 14: "Focus track", 15: "Ramp rate", 18: "Elapsed time",
}  # fmt: skip
X, Y = 3, 4
ELAPSED, TIME, FILE_TIME, TEMPERATURE = 18, 11, 24, 9
KINDS = {0: "Unspecified", 1: "Single", 2: "Series", 3: "Map"}


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    blocks = _blocks(content)
    points, capacity, spectra = content.unpack("<IQQ", 0x3C)
    for name in ("DATA", "XLST"):
        if name not in blocks:
            raise ReadError(f"the block {name} is missing. Was the file cut off? Copy it again.")
    if points < 1 or spectra < 1 or points * spectra > MOST_VALUES:
        raise ReadError(f"{spectra} spectra of {points} points are announced, which cannot be.", byte=0x3C)
    x_start, x_size = blocks["XLST"]
    if x_size < 8 + 4 * points:
        raise ReadError(f"the axis has fewer than {points} values: the file is damaged. Copy it again.")
    x = content.floats("<f4", points, x_start + 8)
    if not np.all(np.isfinite(x)):
        raise ReadError("the axis holds values that are no numbers: the file is damaged. Copy it again.")
    unit = content.one("<I", x_start + 4)
    axis = Axis(*AXES.get(unit, ("x", UNITS.get(unit, ""))), x)
    start, size = blocks["DATA"]
    if size < 4 * points * spectra:
        raise ReadError(f"the data have {size} bytes, too few for {spectra} spectra of {points} points.")
    values = content.floats("<f4", points * spectra, start).reshape(spectra, points)
    return _datasets(content, blocks, axis, values, capacity)


def _blocks(content: Bytes) -> dict[str, tuple[int, int]]:
    """Where the content of each kind of block lies: (offset, size); the first of a kind counts."""
    blocks: dict[str, tuple[int, int]] = {}
    at = 0
    for _ in range(MOST_BLOCKS):
        if at + 16 > len(content):
            break
        name, _, size = content.unpack("<4sIQ", at)
        if size < 16 or at + size > len(content):
            if blocks.keys() >= ENOUGH:
                break  # WiRE's own pictures and reports come last: the numbers are whole
            raise ReadError(
                f"a block of {size} bytes does not fit into the file. Was it cut off? Copy it again.",
                byte=at,
            )
        blocks.setdefault(name.decode("latin-1"), (at + 16, size - 16))
        at += size
    return blocks


def _datasets(
    content: Bytes, blocks: dict[str, tuple[int, int]], axis: Axis, values: Array, capacity: int
) -> list[Dataset]:
    header = _header(content)
    signal_unit = UNITS.get(content.one("<I", 0x98), "")
    laser_nm = float(header["Laser (nm)"]) if "Laser (nm)" in header else None
    conditions = {
        **condition("excitation_wavelength", laser_nm, "nm"),
        **condition("accumulations", float(header["Accumulations"]), "1"),
        **condition("software", header["Application"]),
        **condition("operator", header["User"]),
        **condition("sample_name", header["Title"]),
    }
    started = content.one("<Q", 0x88)
    moment = _moment(started)
    technique = "raman" if axis.name == "Raman shift" else ""
    if len(values) == 1:
        signal = Signal("Intensity", signal_unit, values[0].copy())
        return [Dataset(signal, (axis,), header, moment, conditions, technique=technique)]
    origins = _origins(content, blocks, len(values), capacity)
    grid = _grid(origins)
    places, order = grid or ((_series_axis(origins, len(values)),), np.arange(len(values)))
    shape = tuple(place.values.size for place in places)
    signal = Signal("Intensity", signal_unit, values[order].reshape(*shape, -1))
    datasets = [Dataset(signal, (*places, axis), header, moment, conditions, technique=technique)]
    for kind, unit, numbers in origins:
        is_axis = kind in (X, Y) if grid else np.array_equal(numbers, places[0].values)
        if kind in ORIGINS and not is_axis:
            title = ORIGINS[kind]
            position = Signal(title, UNITS.get(unit, ""), numbers[order].reshape(shape))
            datasets.append(Dataset(position, places, header, moment, conditions, title, technique))
    return datasets


def _header(content: Bytes) -> dict[str, str]:
    points, capacity, spectra, accumulations = content.unpack("<IQQI", 0x3C)
    version = ".".join(str(part) for part in content.unpack("<4H", 0x78))
    scan, kind = content.unpack("<II", 0x80)
    started, ended = content.unpack("<QQ", 0x88)
    (laser_wavenumber,) = content.unpack("<f", 0x9C)
    header = {
        "Application": f"{content.text(0x60, 24, 'utf-8')} {version}".strip(),
        "Measurement": KINDS.get(kind, str(kind)),
        "Scan type": str(scan),
        "Points per spectrum": str(points),
        "Spectra": str(spectra),
        "Capacity": str(capacity),
        "Accumulations": str(accumulations),
        "User": content.text(0xD0, 32, "utf-8"),
        "Title": content.text(0xF0, 160, "utf-8"),
    }
    for key, ticks in (("Started", started), ("Ended", ended)):
        if moment := _moment(ticks):
            header[key] = moment.isoformat()
    if np.isfinite(laser_wavenumber) and laser_wavenumber > 0:
        header["Laser (nm)"] = f"{1e7 / laser_wavenumber:.9g}"
    return header


def _moment(ticks: int) -> datetime | None:
    """A count of 100 ns since 1601 as a time; None when there is none or it cannot be one."""
    moment = FILE_TIME_EPOCH + timedelta(microseconds=ticks // 10) if 0 < ticks < 2**58 else None
    return moment if moment and 1990 <= moment.year <= 2200 else None


def _origins(
    content: Bytes, blocks: dict[str, tuple[int, int]], spectra: int, capacity: int
) -> list[tuple[int, int, Array]]:
    """(kind, unit, one number for each spectrum) of everything that was recorded beside the spectra."""
    if "ORGN" not in blocks:
        return []
    start, size = blocks["ORGN"]
    (number,) = content.unpack("<I", start)
    step = 24 + 8 * capacity
    if number > 64 or capacity < spectra or 4 + number * step > size:
        raise ReadError("the positions of the spectra do not fit into their block.", byte=start)
    found = []
    for index in range(number):
        at = start + 4 + index * step
        kind, unit = content.unpack("<II", at)
        kind &= 0x7FFFFFFF
        if unit == FILE_TIME:
            ticks = content.array("<i8", spectra, at + 24)
            found.append((ELAPSED, 12, (ticks - ticks[0]) / 1e7))
        else:
            found.append((kind, unit, content.floats("<f8", spectra, at + 24)))
    return found


def _grid(origins: list[tuple[int, int, Array]]) -> tuple[tuple[Axis, Axis], NDArray[np.intp]] | None:
    """Y and X of a map that is a full rectangle, and which spectrum belongs to each of its points.

    The stage may go row by row in one direction, or to and fro; filled circles and free points are no grid.
    """
    found = {kind: (unit, numbers) for kind, unit, numbers in origins if kind in (X, Y)}
    if len(found) < 2:
        return None
    (x_unit, x), (y_unit, y) = found[X], found[Y]
    columns, column = _levels(x)
    rows, row = _levels(y)
    if min(columns.size, rows.size) < 2 or columns.size * rows.size != x.size:
        return None
    order = np.lexsort((column, row))
    if np.any(np.diff(row[order] * columns.size + column[order]) != 1):
        return None
    axes = Axis(ORIGINS[Y], UNITS.get(y_unit, ""), rows), Axis(ORIGINS[X], UNITS.get(x_unit, ""), columns)
    return axes, order


def _levels(positions: Array) -> tuple[Array, NDArray[np.intp]]:
    """The different positions, in the direction in which they were visited, and which of them each one is."""
    span = float(np.ptp(positions)) if np.all(np.isfinite(positions)) else 0.0
    if span == 0:
        return positions[:1], np.zeros(positions.size, dtype=np.intp)
    falls = positions[0] > positions.mean()
    order = np.argsort(-positions if falls else positions, kind="stable")
    steps = np.abs(np.diff(positions[order]))
    is_new = np.concatenate([[True], steps > SAME_PLACE * steps.max()])
    level = np.empty(positions.size, dtype=np.intp)
    level[order] = np.cumsum(is_new) - 1
    return positions[order][is_new], level


def _series_axis(origins: list[tuple[int, int, Array]], spectra: int) -> Axis:
    """What changes along the series: the temperature or the position if it does steadily, else a count."""
    for wanted in (TEMPERATURE, 5, X, Y):
        for kind, unit, numbers in origins:
            steps = np.diff(numbers)
            if kind == wanted and np.all(np.isfinite(numbers)) and (np.all(steps > 0) or np.all(steps < 0)):
                return Axis(ORIGINS[kind], UNITS.get(unit, ""), numbers)
    return Axis("Spectrum", "1", np.arange(1, spectra + 1, dtype=np.float64))

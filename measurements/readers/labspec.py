"""HORIBA LabSpec text: lines “#key=<tab>value”, then a spectrum, or a map with its axis in the first row.

    #Acq. time (s)=<tab>2
    #Range (cm-¹)=<tab>200...800
    200.1<tab>116.535                      a spectrum
    <tab>200.1<tab>201.7…                  a series: the axis, then a number of the point and a spectrum
    <tab><tab>200.1<tab>201.7…             a map: the axis, then two positions and a spectrum

Whether the axis is a wavelength or a Raman shift shows only in the unit that some settings name. Positions of
maps are in µm in LabSpec; which of the two columns is x is not said. The date has no zone.
Series and maps may be saved without the lines #: then the axis behind one or two empty cells tells them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._numbers import Dialect
from measurements.readers._spectrum import (
    NameAndUnit,
    axis_of,
    curves,
    dialect_of,
    end_of_rows,
    head_lines,
    lines_of,
    put,
    rows,
    understood,
)
from measurements.readers._text import as_number
from measurements.readers.base import Format

FORMAT = Format(
    name="HORIBA LabSpec text",
    extensions=(".txt",),
    vendor="HORIBA",
    techniques=("raman", "pl"),
    description="Spectra, series and maps saved as text with header by LabSpec 5 and 6 (LabRAM, XploRA).",
    max_bytes=96 * 1024**2,
)
VERSION = 2

FEWEST_CHANNELS = 64
KNOWN = {"Acq. time (s)", "Accumulations", "Instrument", "Detector", "Laser (nm)", "Grating", "Acquired"}
UNIT_KEYS = ("AxisUnit[1]", "AxisUnit[0]")
UNIT_IN_KEY = re.compile(r"^(?:Range|Spectro)\s*\((.+)\)$")
SETTINGS: dict[str, NameAndUnit] = {
    "Acq. time (s)": ("exposure_time", "s"), "Accumulations": ("accumulations", "1"),
    "Laser (nm)": ("excitation_wavelength", "nm"), "Laser": ("excitation_wavelength", "nm"),
    "Grating": ("grating", "gr/mm"), "Instrument": ("instrument", ""), "Detector": ("detector", ""),
    "Hole": ("slit_width", "µm"), "Sample": ("sample_name", ""), "Title": ("sample_name", ""),
    "Remark": ("comment", ""), "Acquired": ("local_time", ""), "Date": ("local_time", ""),
    "Objective": ("geometry", ""),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    lines = [line for line in head_lines(head, 120) if line.startswith("#")]
    keys = {line.removeprefix("#").partition("=")[0].strip() for line in lines}
    known = keys & KNOWN
    if len(known) >= 3:
        return 0.95
    return 0.4 if not lines and _is_bare_series(head_lines(head, 2)) else 0.0


def _is_bare_series(lines: list[str]) -> bool:
    """An axis that rises or falls behind one or two empty cells, and a row that is longer by those."""
    leading = len(lines[0]) - len(lines[0].lstrip("\t")) if len(lines) > 1 else 0
    if leading not in (1, 2):
        return False
    cells = lines[0].strip("\t").split("\t")
    numbers = [as_number(cell.replace(",", ".")) for cell in cells]
    row = lines[1].rstrip("\t").split("\t")[: leading + 1]
    if len(cells) < FEWEST_CHANNELS or None in numbers or None in map(as_number, row):
        return False
    steps = np.diff(np.array(numbers, dtype=np.float64))
    return bool(np.all(steps > 0) or np.all(steps < 0))


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    begin = next((i for i, line in enumerate(lines) if not line.startswith("#") and line.strip()), None)
    if begin is None:
        raise ReadError("there is a header and no spectrum. Was the export cut off? Export it again.")
    header: dict[str, str] = {}
    for number, line in enumerate(lines[:begin], start=1):
        key, equals, value = line.removeprefix("#").partition("=")
        if line.strip():
            put(header, key if equals else f"line {number}", value if equals else line)
    conditions = understood(header, SETTINGS)
    leading = len(lines[begin]) - len(lines[begin].lstrip("\t"))
    if leading:
        return _series(lines, begin, leading, header, conditions)
    stop = end_of_rows(lines, begin)
    _refuse_text(lines, stop)
    table = rows(lines, begin, stop, dialect_of(lines[begin]), columns=2)
    x, technique = _axis(header)
    return curves(table, x, [(_signal(header), "")], header, conditions, technique)


def _series(
    lines: list[str], begin: int, leading: int, header: dict[str, str], conditions: dict[str, Quantity]
) -> list[Dataset]:
    if leading > 2:
        raise ReadError(
            f"the map has {leading} columns of positions, and up to two are read. Export each plane alone.",
            line=begin + 1,
        )
    dialect = Dialect("\t", decimal_comma="," in lines[begin] and "." not in lines[begin])
    axis_line = lines[begin].strip("\t")
    spectrum_axis: Array = rows([axis_line], 0, 1, dialect)[0]
    stop = end_of_rows(lines, begin + 1)
    _refuse_text(lines, stop)
    table = rows(lines, begin + 1, stop, dialect, columns=leading + spectrum_axis.size)
    x, technique = _axis(header)
    first = Axis("Point", "1", table[:, 0].copy())
    if leading == 2:
        first = Axis("Point", "1", _counted(table))
    datasets = [
        Dataset(
            signal=Signal(*_signal(header), table[:, leading:].copy()),
            axes=(first, Axis(*x, spectrum_axis.copy())),
            header=header,
            conditions=conditions,
            technique=technique,
        )
    ]
    for column in range(leading if leading == 2 else 0):
        position = Signal(f"Position {column + 1}", "µm", table[:, column].copy())
        datasets.append(Dataset(position, (first,), header, title=position.name, technique=technique))
    return datasets


def _counted(table: Array) -> Array:
    counted: Array = table[:, 0] * 0 + 1
    return counted.cumsum()


def _refuse_text(lines: list[str], stop: int) -> None:
    for index in range(stop, len(lines)):
        if lines[index].strip():
            raise ReadError(
                "a row of numbers was expected here. Was the file cut off or edited? Export it again.",
                line=index + 1,
            )


def _axis(header: Mapping[str, str]) -> tuple[NameAndUnit, str]:
    """The axis and the technique that goes with it: a shift is Raman, anything else may be either."""
    units = [header[key] for key in UNIT_KEYS if key in header]
    units += [found[1] for key in header if (found := UNIT_IN_KEY.match(key))]
    for unit in units:
        name, known = axis_of(unit)
        if name == "Wavenumber":
            return ("Raman shift", known), "raman"
        if known:
            return (name, known), ""
    return ("x", ""), ""


def _signal(header: Mapping[str, str]) -> NameAndUnit:
    return "Intensity", {"Cnt": "counts", "Cnt/sec": "counts/s"}.get(header.get("AxisUnit[0]", ""), "")

"""Agilent (Varian) Cary WinUV CSV: pairs of columns, one pair for each scan, then a log in words.

    sample1,,sample2,,
    Wavelength (nm),Abs,Wavelength (nm),Abs,
    899.9957886,0.03348613903,899.9957886,0.0321…
                                 an empty line, then for each scan its name and the log of its method

Scans may have different lengths; the shorter ones end in empty cells. Baselines come first in the file
and are put last here, because a method looks at the first curve. Dates are written by the locale, without a
zone.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._numbers import Dialect
from measurements.readers._spectrum import (
    NameAndUnit,
    axis_of,
    end_of_rows,
    head_lines,
    lines_of,
    put,
    rows,
    signal_of,
    understood,
)
from measurements.readers._text import as_number
from measurements.readers._titles import name_and_unit
from measurements.readers.base import Format

FORMAT = Format(
    name="Agilent Cary CSV",
    extensions=(".csv",),
    vendor="Agilent (Varian)",
    techniques=("uvvis", "pl"),
    description="Scans exported from Cary WinUV or Cary Eclipse as comma-separated pairs of columns with the "
    "method's log below.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

X_TITLE = re.compile(
    r"(?:Wavelength|Wavenumber|Wavenumbers|Energy|Time|Temperature)\s*\([^)]*\)$", re.IGNORECASE
)
MAX_SCANS = 2000
SETTINGS: dict[str, NameAndUnit] = {
    "Instrument": ("instrument", ""), "UV-Vis Scan Rate (nm/min)": ("scan_speed", "nm/min"),
    "Scan Rate (nm/min)": ("scan_speed", "nm/min"), "Scan rate (nm/min)": ("scan_speed", "nm/min"),
    "UV-Vis Ave. Time (sec)": ("dwell_time", "s"), "Ave. Time (sec)": ("dwell_time", "s"),
    "Averaging time (s)": ("dwell_time", "s"), "SBW (nm)": ("bandwidth", "nm"),
    "UV-Vis SBW (nm)": ("bandwidth", "nm"), "UV-Vis Spectral Bandwidth (nm)": ("bandwidth", "nm"),
    "Beam Mode": ("mode", ""), "Operator Name": ("operator", ""), "Scan Software Version": ("software", ""),
    "Collection Time": ("local_time", ""), "Ex. Wavelength (nm)": ("excitation_wavelength", "nm"),
    "Em. Wavelength (nm)": ("emission_wavelength", "nm"), "Ex. Slit (nm)": ("excitation_bandwidth", "nm"),
    "Em. Slit (nm)": ("emission_bandwidth", "nm"), "Comments": ("comment", ""),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 3)
    if len(lines) < 3:
        return 0.0
    delimiter = ";" if ";" in lines[1] else ","
    titles = [cell.strip().strip('"') for cell in lines[1].split(delimiter)]
    names = lines[0].split(delimiter)
    paired = len(titles) >= 2 and len(names) >= 2 and not any(name.strip() for name in names[1::2])
    every = [title for title in titles[::2] if title]
    return 0.9 if paired and every and all(X_TITLE.match(title) for title in every) else 0.0


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    if len(lines) < 3:
        raise ReadError("the file ends after its titles. Was the export cut off? Export it again.")
    delimiter = ";" if ";" in lines[1] else ","
    dialect = Dialect(delimiter, decimal_comma=delimiter == ";" and "." not in lines[2])
    names = [cell.strip().strip('"') for cell in lines[0].split(delimiter)]
    titles = [cell.strip().strip('"') for cell in lines[1].split(delimiter)]
    scans = min((len(titles) + 1) // 2, MAX_SCANS)
    stop = _end(lines, delimiter)
    logs = _logs(lines, stop)
    datasets: list[Dataset] = []
    for scan, (x, y) in enumerate(_pairs(lines, stop, dialect, scans)):
        if not x.size:
            continue
        name = names[2 * scan] if 2 * scan < len(names) else ""
        header = {"Name": name, "Titles": ", ".join(titles[2 * scan : 2 * scan + 2])} | logs.get(
            name, logs.get("", {})
        )
        y_title = titles[2 * scan + 1] if 2 * scan + 1 < len(titles) else ""
        datasets.append(
            Dataset(
                signal=Signal(*_signal(y_title), y),
                axes=(Axis(*_axis(titles[2 * scan]), x),),
                header=header,
                conditions=understood(header, SETTINGS),
                title=name,
                technique="uvvis" if _signal(y_title)[1] in ("1", "%") else "",
            )
        )
    return sorted(datasets, key=lambda dataset: dataset.title.lower().startswith("baseline"))


def _end(lines: list[str], delimiter: str) -> int:
    """The rows end at the first empty line, or where the log begins."""
    for index in range(2, len(lines)):
        cells = [cell for cell in lines[index].split(delimiter) if cell.strip()]
        if delimiter == ";":
            cells = [cell.replace(",", ".") for cell in cells]
        if all(as_number(cell) is None for cell in cells[:2]):
            return index
    return len(lines)


def _pairs(lines: list[str], stop: int, dialect: Dialect, scans: int) -> list[tuple[Array, Array]]:
    last = lines[2].rstrip().rstrip(dialect.delimiter or "")
    columns = last.count(dialect.delimiter or ",") + 1
    if stop == end_of_rows(lines, 2) and columns % 2 == 0:
        try:
            table = rows(lines, 2, stop, dialect, columns)
        except ReadError:
            pass  # scans of different length, or a fault that the reading by cells names exactly
        else:
            return [(table[:, c].copy(), table[:, c + 1].copy()) for c in range(0, columns, 2)]
    return _by_cells(lines, stop, dialect, scans)


def _by_cells(lines: list[str], stop: int, dialect: Dialect, scans: int) -> list[tuple[Array, Array]]:
    points: list[list[tuple[float, float]]] = [[] for _ in range(scans)]
    for number, line in enumerate(lines[2:stop], start=3):
        cells = line.split(dialect.delimiter)
        for scan in range(scans):
            pair = [cell.strip() for cell in cells[2 * scan : 2 * scan + 2]]
            if not any(pair):
                continue
            numbers = [dialect.number(cell) for cell in pair]
            x, y = numbers if len(numbers) == 2 else (None, None)
            if x is None or y is None or not np.isfinite(x):
                raise ReadError(
                    f"expected two numbers for scan {scan + 1}, found “{', '.join(pair)}”. Was the file cut "
                    "off? Export it again.",
                    line=number,
                )
            points[scan].append((x, y))
    return [
        (np.array([p[0] for p in scan], dtype=float), np.array([p[1] for p in scan], dtype=float))
        for scan in points
    ]


def _logs(lines: list[str], stop: int) -> dict[str, dict[str, str]]:
    """What stands below the numbers, by the name of the scan; "" for what belongs to none or to all."""
    logs: dict[str, dict[str, str]] = {}
    names = {cell.strip().strip('"') for cell in re.split(r"[,;]", lines[0]) if cell.strip()}
    current = ""
    for number, line in enumerate(lines[stop:], start=stop + 1):
        text = line.strip().rstrip(",;").strip()
        if not text:
            continue
        if text in names:
            current = text
            continue
        found = re.fullmatch(r"([^:,]{1,60}?)(?:\s*:|\s*:\s+(.*)|\s{2,}([^:].*))", text)
        log = logs.setdefault(current, {})
        put(log, *((found[1], found[2] or found[3] or "") if found else (f"line {number}", text)))
    logs.setdefault("", {})
    return logs


def _axis(title: str) -> NameAndUnit:
    known = axis_of(title)
    return known if known[1] else name_and_unit(title)


def _signal(title: str) -> NameAndUnit:
    known = signal_of(title)
    return known if known[1] else name_and_unit(title or "y")

"""PANalytical's CSV export: [Measurement conditions], lines of key and value, [Scan points], a table.

The table has Angle and Intensity, and in newer versions TimePerStep and ESD. Separators are commas, or
semicolons where the decimal mark is a comma. Written after public descriptions of the format. Times have no
zone.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from measurements.data import Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PANalytical CSV",
    extensions=(".csv",),
    vendor="Malvern PANalytical",
    techniques=("xrd",),
    description="Scans that Data Viewer and HighScore export as comma-separated text with their conditions.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

CONDITIONS, POINTS = "[measurement conditions]", "[scan points]"


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head).lower()
    except ReadError:
        return False
    return text.lstrip("\ufeff \r\n").startswith(CONDITIONS) or f"\n{POINTS}" in text


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    begins = [number for number, line in enumerate(lines) if line.strip(" ,;\ufeff").lower() == POINTS]
    if not begins:
        raise ReadError("there is no [Scan points] in it. Was the export cut off? Export it again.")
    datasets, above = [], 0
    for number, begin in enumerate(begins, start=1):
        end = next((n for n in range(begin + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
        header = _header(lines[above:begin], _separator(lines[begin + 1 : end]))
        datasets.append(_dataset(header, lines[begin + 1 : end], begin + 2, number if len(begins) > 1 else 0))
        above = end
    return datasets


def _separator(table: list[str]) -> str:
    first = next((line for line in table if line.strip()), "")
    return next((mark for mark in (";", "\t") if mark in first), ",")


def _header(lines: list[str], separator: str) -> dict[str, str]:
    header: dict[str, str] = {}
    for row in csv.reader((line for line in lines if line.strip()), delimiter=separator):
        if not row or row[0].strip(" \ufeff").startswith("["):
            continue
        key, count = row[0].strip(), 2
        while key in header:
            key, count = f"{row[0].strip()} ({count})", count + 1
        header[key] = separator.join(cell.strip() for cell in row[1:]).strip(separator)
    return header


def _dataset(header: dict[str, str], table: list[str], first_line: int, number: int) -> Dataset:
    separator = _separator(table)
    rows = [
        (line, text.strip()) for line, text in enumerate(table, start=first_line) if text.strip(" ,;\t\r")
    ]
    if len(rows) < 2:
        raise ReadError("no points follow [Scan points]. Export the scan again.", line=first_line)
    titles = [cell.strip().strip('"').lower() for cell in rows[0][1].split(separator)]
    if not titles[0].startswith(("angle", "2theta", "position", "omega", "pos")):
        raise ReadError(
            f"the table begins with “{titles[0][:40]}”, not with Angle. Export the scan again.",
            line=rows[0][0],
        )
    numbers = np.array([_numbers(text, separator, len(titles), line) for line, text in rows[1:]])
    intensity = next((place for place, title in enumerate(titles) if title.startswith("intens")), 1)
    esd = next((place for place, title in enumerate(titles) if title.startswith("esd")), None)
    time = next((place for place, title in enumerate(titles) if title.startswith("timeper")), None)
    word = header.get("Scan axis", "Gonio")
    axis = xrd.axis(word, numbers[:, 0].copy())
    errors = numbers[:, esd].copy() if esd is not None and np.all(numbers[:, esd] >= 0) else None
    conditions = _conditions(header)
    if time is not None and np.ptp(numbers[:, time]) == 0:
        conditions |= condition("dwell_time", float(numbers[0, time]), "s")
    title = f"scan {number}" if number else ""
    signal = Signal("Intensity", "counts", numbers[:, intensity].copy(), errors)
    return Dataset(signal, (axis,), header, None, conditions, title, technique="xrd")


def _numbers(text: str, separator: str, columns: int, line: int) -> list[float]:
    cells = [cell.strip().strip('"') for cell in text.split(separator)][:columns]
    if separator != ",":
        cells = [cell.replace(",", ".") for cell in cells]
    numbers = [as_number(cell) for cell in cells]
    if len(numbers) < columns or any(number is None for number in numbers):
        raise ReadError(f"expected {columns} numbers, found “{text[:60]}”. Export the scan again.", line=line)
    return [number for number in numbers if number is not None]


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    def starting(*words: str) -> str | None:
        return next((value for key, value in header.items() if key.lower().startswith(words)), None)

    voltage, _, current = (starting("generator settings") or "").partition(",")
    current = current.strip()
    if "kv" not in voltage.lower():
        voltage, current = current, voltage
    return {
        **xrd.tube(
            alpha1=starting("k-alpha1 wavelength", "k-alpha1"),
            alpha2=starting("k-alpha2 wavelength", "k-alpha2"),
            ratio=starting("ratio k-alpha2/k-alpha1"),
            anode=starting("anode material"),
            kilovolt=starting("generator voltage") or voltage.split(" ")[0],
            milliampere=starting("tube current") or current.split(" ")[0],
        ),
        **condition("scan_axis", starting("scan axis")),
        **condition("dwell_time", xrd.as_float(starting("time per step", "scan step time")), "s"),
        **condition("step_size", xrd.as_float(starting("scan step size")), "deg"),
        **condition("instrument", starting("diffractometer system")),
        **condition("local_time", starting("file date and time", "measurement date", "scan start")),
        **condition("sample_name", starting("sample identification", "sample name")),
    }

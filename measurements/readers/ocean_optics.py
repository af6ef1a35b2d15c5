"""Ocean Optics text: settings, a line >>>>>Begin Spectral Data<<<<<, then wavelength and intensity.

OOIBase32, SpectraSuite and OceanView write it, each with settings of their own wording. The file does not say
the unit of the intensity; absorbance and the like show only in OceanView's name of the node. Wavelengths are
in nm in all of these programs. The date carries no zone that could be trusted (only its letters).
"""

from __future__ import annotations

import re
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers._spectrum import (
    NameAndUnit,
    curves,
    dialect_of,
    first_row,
    head_lines,
    lines_of,
    put,
    refuse_cut_off,
    rows,
    understood,
)
from measurements.readers.base import Format

FORMAT = Format(
    name="Ocean Optics text",
    extensions=(".txt", ".scope", ".absorbance", ".transmission", ".irradiance", ".jaz"),
    vendor="Ocean Optics (Ocean Insight)",
    techniques=("uvvis", "pl"),
    description="Spectra saved by OOIBase32, SpectraSuite or OceanView as text with their header.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

BEGIN, END = ">>>>>Begin", ">>>>>End"
SETTINGS: dict[str, NameAndUnit] = {
    "Integration Time (msec)": ("exposure_time", "ms"), "Integration Time (usec)": ("exposure_time", "us"),
    "Integration Time (sec)": ("exposure_time", "s"), "Integration Time (ms)": ("exposure_time", "ms"),
    "Spectra Averaged": ("accumulations", "1"), "Scans to average": ("accumulations", "1"),
    "Spectrometer Serial Number": ("instrument", ""), "Spectrometer": ("instrument", ""),
    "Spectrometers": ("instrument", ""), "User": ("operator", ""), "Date": ("local_time", ""),
}  # fmt: skip
MODES = (
    (re.compile(r"absorb", re.I), ("Absorbance", "1")),
    (re.compile(r"transmi", re.I), ("Transmittance", "%")),
    (re.compile(r"reflect", re.I), ("Reflectance", "%")),
)


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 60)
    if any(re.match(r">>>>>\s*Begin (?:Processed )?Spectral Data\s*<<<<<", line) for line in lines):
        return 0.95
    return 0.9 if lines and lines[0].startswith(("OOIBase32", "SpectraSuite Data File")) else 0.0


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    marks = [index for index, line in enumerate(lines) if line.startswith(BEGIN)]
    if not marks:
        raise ReadError(f"the file ends before {BEGIN} Spectral Data<<<<<. Export the spectrum again.")
    header = _header(lines[: marks[0]])
    begin = first_row(lines, marks[0] + 1)
    if lines[marks[0] + 1].startswith(("\t", ";")) or ":" in lines[begin].split("\t")[0]:
        raise ReadError(
            "it holds a series of spectra with their times, one in a line. Save every spectrum as a file of "
            "its own.",
            line=begin + 1,
        )
    stop = next((i for i in range(begin, len(lines)) if lines[i].startswith(END)), len(lines))
    if stop == len(lines) and lines[0].startswith("OOIBase32"):  # its successors leave the closing line out
        raise ReadError(f"the closing line {END} is missing: the file was cut off. Copy it again.")
    table = rows(lines, begin, stop, dialect_of(lines[begin]))
    announced = header.get("Number of Pixels in File", header.get("Number of Pixels in Spectrum"))
    refuse_cut_off(len(table), announced)
    for number, line in enumerate(lines[stop + 1 :], start=stop + 2):
        if line.strip():
            put(header, f"line {number}", line)
    signal = _signal(lines[0])
    titles = lines[begin - 1].split() if begin - 1 > marks[0] else []
    if len(titles) != table.shape[1]:
        titles = ["", *(f"column {n}" for n in range(2, table.shape[1] + 1))]
    signals = [(signal, title if table.shape[1] > 2 else "") for title in titles[1:]]
    datasets = curves(table, ("Wavelength", "nm"), signals, header, understood(header, SETTINGS))
    # Jaz writes dark, reference and sample (D, R, S) before what it computed of them (P).
    return sorted(datasets, key=lambda dataset: dataset.title != "P")


def _header(lines: list[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        key, colon, value = line.partition(":")
        if colon and key.strip():
            put(header, key, re.sub(r"\s*\([A-Z0-9]{6,}\)$", "", value) if "Integration" in key else value)
        elif line.strip():
            put(header, f"line {number}", line)
    return header


def _signal(first_line: str) -> NameAndUnit:
    for pattern, signal in MODES:
        if pattern.search(first_line):
            return signal
    return "Intensity", ""

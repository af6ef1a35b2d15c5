"""Thermo OMNIC spectra (.spa): a title, a table of sections, and the sections.

    0    "Spectral Data File"      30 title, 256 bytes       296 time, seconds since 1899-12-31 in UTC
    294  sections: int16           304 table: key uint16, offset uint32, size uint32, 6 bytes more
    key 2: points, kind of x, kind of y, first and last x, scans     key 3: the values, float32
    key 27: the history as text    key 102, 103: interferograms of sample and background

Learnt from public descriptions and a real file; what its history says of the time agrees with byte 296.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._binary import Bytes
from measurements.readers._spectrum import NameAndUnit, put, understood
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Thermo OMNIC SPA",
    extensions=(".spa",),
    vendor="Thermo Nicolet",
    techniques=("ftir", "raman"),
    description="Spectra saved by OMNIC, with their interferograms where they were kept.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

MAGIC = b"Spectral Data File"
EPOCH = datetime(1899, 12, 31, tzinfo=UTC)
HEADER, VALUES, HISTORY, SAMPLE_IGRAM, BACKGROUND_IGRAM = 2, 3, 27, 102, 103
AXES: dict[int, NameAndUnit] = {
    1: ("Wavenumber", "cm⁻¹"), 2: ("Data point", "1"), 3: ("Wavelength", "nm"), 4: ("Wavelength", "µm"),
    32: ("Raman shift", "cm⁻¹"),
}  # fmt: skip
SIGNALS: dict[int, NameAndUnit] = {
    11: ("Reflectance", "%"), 12: ("log(1/R)", "1"), 15: ("Single beam", ""), 16: ("Transmittance", "%"),
    17: ("Absorbance", "1"), 20: ("Kubelka-Munk", "1"), 21: ("Reflectance", "1"),
    22: ("Detector signal", "V"), 26: ("Photoacoustic", ""), 31: ("Raman intensity", ""),
}  # fmt: skip
SETTINGS: dict[str, NameAndUnit] = {"Resolution": ("resolution", "cm-1")}
TECHNIQUES = {1: "ftir", 32: "raman"}
MOST_SECTIONS = 1000


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    sections = _sections(content)
    if HEADER not in sections or VALUES not in sections:
        raise ReadError("there is no spectrum in it. Save it again from OMNIC, or export it as CSV.")
    at, _ = sections[HEADER]
    points, x_code, y_code = content.unpack("<IB3xB", at + 4)
    first, last = content.unpack("<2f", at + 16)
    start, size = sections[VALUES]
    if points < 1 or size != 4 * points:
        raise ReadError(f"{points} points are announced, but the values have {size} bytes.", byte=start)
    if not np.all(np.isfinite([first, last])) or (points > 1 and first == last):
        raise ReadError(f"the axis runs from {first} to {last}: the file is damaged. Copy it again.", byte=at)
    header = _header(content, sections, at)
    axis = Axis(*AXES.get(x_code, ("x", "")), np.linspace(first, last, points))
    signal = Signal(*SIGNALS.get(y_code, ("y", "")), content.floats("<f4", points, start))
    seconds = content.one("<I", 296)
    conditions = {
        **understood({key: value.split(" ")[0] for key, value in header.items()}, SETTINGS),
        **condition("sample_name", header["Title"]),
        **condition("accumulations", float(header["Scans"]), "1"),
    }
    spectrum = Dataset(
        signal=signal,
        axes=(axis,),
        header=header,
        acquired_at=EPOCH + timedelta(seconds=seconds) if seconds else None,
        conditions=conditions,
        technique=TECHNIQUES.get(x_code, ""),
    )
    return [spectrum, *_interferograms(content, sections, spectrum)]


def _sections(content: Bytes) -> dict[int, tuple[int, int]]:
    """Where each kind of section lies: (offset, size); the first of a kind counts."""
    number = content.one("<H", 294)
    if not 1 <= number <= MOST_SECTIONS:
        raise ReadError(f"{number} sections are announced, which cannot be. Copy the file again.", byte=294)
    found: dict[int, tuple[int, int]] = {}
    for index in range(number):
        key, offset, size = content.unpack("<HII", 304 + 16 * index)
        if key in (HEADER, VALUES, HISTORY, SAMPLE_IGRAM, BACKGROUND_IGRAM):
            content.need(offset, size)
            found.setdefault(key, (offset, size))
    return found


def _header(content: Bytes, sections: dict[int, tuple[int, int]], at: int) -> dict[str, str]:
    scans, background_scans = content.one("<I", at + 36), content.one("<I", at + 52)
    header = {
        "Title": content.text(30, 256, "cp1252"),
        "Scans": str(scans),
        "Background scans": str(background_scans),
    }
    if HISTORY in sections:
        history = content.text(*sections[HISTORY], "cp1252")
        for number, line in enumerate(re.split(r"\s*\r?\n\s*", history), start=1):
            key, colon, value = line.partition(":\t")
            if line:
                put(header, key if colon else f"History {number}", value if colon else line)
    return header


def _interferograms(content: Bytes, sections: dict[int, tuple[int, int]], spectrum: Dataset) -> list[Dataset]:
    datasets = []
    for key, title in (
        (SAMPLE_IGRAM, "sample interferogram"),
        (BACKGROUND_IGRAM, "background interferogram"),
    ):
        if key in sections and sections[key][1] >= 4:
            offset, size = sections[key]
            values = content.floats("<f4", size // 4, offset)
            axis = Axis("Data point", "1", np.arange(values.size, dtype=np.float64))
            signal = Signal("Interferogram", "", values)
            datasets.append(
                Dataset(
                    signal, (axis,), spectrum.header, spectrum.acquired_at, spectrum.conditions, title, "ftir"
                )
            )
    return datasets

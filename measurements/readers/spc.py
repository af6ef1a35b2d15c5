"""Galactic (Thermo GRAMS) SPC: a header, perhaps an axis, and one or many subfiles.

Three versions, told apart by the second byte: 0x4B (new, little-endian), 0x4C (new, big-endian) and 0x4D
(old, of LabCalc). Values are float32, or 16 or 32 bit integers times 2^(exponent − 16 or 32). The axis is
even between its first and last value, or given once for all subfiles, or given for each subfile.

    new   512 bytes: flags, version, experiment, exponent, points, first and last x, subfiles, units, date, …
          subfile: 32 bytes (flags, exponent, index, z, next z, noise, points, …), then x and y
    old   256 bytes, of which the last 32 are the first subfile's; integers have their two words swapped

Galactic Industries, “A brief guide to SPC file format and using GSPCIO” (1997). Of the big-endian and the old
version, and of several subfiles, no real file was at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._spectrum import NameAndUnit, put, understood
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Galactic SPC",
    extensions=(".spc",),
    vendor="Galactic (Thermo GRAMS)",
    techniques=("ftir", "raman", "uvvis", "pl", "nmr", "xrd", "ms"),
    description="Spectra in GRAMS's format, as many programs export it: single, series and maps.",
)
VERSION = 1

NEW, NEW_BIG_ENDIAN, OLD = 0x4B, 0x4C, 0x4D
SHORTS, MANY, OWN_LABELS, OWN_X, HAS_X = 0x01, 0x04, 0x20, 0x40, 0x80
FLOATS = -128
ZIP = b"PK"  # whose second letter is the new version's number
MOST_SUBFILES = 100_000
X_UNITS: dict[int, NameAndUnit] = {
    1: ("Wavenumber", "cm⁻¹"), 2: ("Wavelength", "µm"), 3: ("Wavelength", "nm"), 4: ("Time", "s"),
    5: ("Time", "min"), 6: ("Frequency", "Hz"), 7: ("Frequency", "kHz"), 8: ("Frequency", "MHz"),
    9: ("m/z", "1"), 10: ("Chemical shift", "ppm"), 11: ("Time", "d"), 12: ("Time", "a"),
    13: ("Raman shift", "cm⁻¹"), 14: ("Energy", "eV"), 16: ("Diode", "1"), 17: ("Channel", "1"),
    18: ("Angle", "deg"), 19: ("Temperature", "°F"), 20: ("Temperature", "°C"), 21: ("Temperature", "K"),
    22: ("Data point", "1"), 23: ("Time", "ms"), 24: ("Time", "µs"), 25: ("Time", "ns"),
    26: ("Frequency", "GHz"), 27: ("Position", "cm"), 28: ("Position", "m"), 29: ("Position", "mm"),
    30: ("Time", "h"),
}  # fmt: skip
Y_UNITS: dict[int, NameAndUnit] = {
    0: ("Intensity", ""), 1: ("Interferogram", ""), 2: ("Absorbance", "1"), 3: ("Kubelka-Munk", "1"),
    4: ("Counts", "counts"), 5: ("Voltage", "V"), 6: ("Angle", "deg"), 7: ("Current", "mA"),
    8: ("Distance", "mm"), 9: ("Voltage", "mV"), 10: ("log(1/R)", "1"), 11: ("Percent", "%"),
    12: ("Intensity", ""), 13: ("Relative intensity", "1"), 14: ("Energy", ""), 16: ("Decibel", "dB"),
    19: ("Temperature", "°F"), 20: ("Temperature", "°C"), 21: ("Temperature", "K"),
    22: ("Refractive index", "1"), 23: ("Extinction coefficient", "1"), 24: ("Real", ""),
    25: ("Imaginary", ""), 128: ("Transmittance", ""), 129: ("Reflectance", ""), 130: ("Single beam", ""),
    131: ("Emission", ""),
}  # fmt: skip
EXPERIMENTS = {
    0: "General", 1: "Gas chromatogram", 2: "Chromatogram", 3: "HPLC", 4: "FT-IR, FT-NIR or FT-Raman",
    5: "NIR", 7: "UV-Vis", 8: "X-ray diffraction", 9: "Mass spectrum", 10: "NMR", 11: "Raman",
    12: "Fluorescence", 13: "Atomic", 14: "Chromatography diode array",
}  # fmt: skip
TECHNIQUES = {5: "ftir", 7: "uvvis", 8: "xrd", 9: "ms", 10: "nmr", 11: "raman", 12: "pl"}
SETTINGS: dict[str, NameAndUnit] = {
    "Resolution": ("resolution", ""), "Comment": ("comment", ""), "INSTRUMENT": ("instrument", ""),
    "DETECTOR": ("detector", ""), "GRATING": ("grating", "lines/mm"), "ACQ. TIME (S)": ("exposure_time", "s"),
    "ACCUMULATIONS": ("accumulations", "1"), "LASER (NM)": ("excitation_wavelength", "nm"),
    "SAMPLE": ("sample_name", ""), "TITLE": ("sample_name", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Head:
    """What the header says, the same for all versions."""

    order: str  # < or >
    old: bool
    flags: int
    exponent: int
    points: int
    first: float
    last: float
    subfiles: int
    units: tuple[int, int, int]
    labels: list[str]
    technique: str
    said: dict[str, str]
    data_at: int


def recognises(head: bytes, filename: str) -> float:
    """Two bytes are a weak magic: the header must also make sense."""
    if len(head) < 256 or head[1] not in (NEW, NEW_BIG_ENDIAN, OLD) or head.startswith(ZIP):
        return 0.0
    try:
        found = _head(Bytes(head))
    except ReadError:
        return 0.0
    units_known = found.units[0] in {*X_UNITS, 0, 15, 255} and found.units[1] in Y_UNITS | {15: ("", "")}
    points_known = 0 < found.points <= MOST_VALUES or bool(found.flags & OWN_X)
    ends_known = bool(np.all(np.isfinite([found.first, found.last])))
    if not (units_known and points_known and ends_known and 1 <= found.subfiles <= MOST_SUBFILES):
        return 0.0
    return 0.9 if filename.lower().endswith(".spc") else 0.6


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    head = _head(content)
    if head.subfiles > MOST_SUBFILES:
        raise ReadError(f"{head.subfiles} subfiles are announced; up to {MOST_SUBFILES} are read.", byte=24)
    if head.flags & HAS_X and head.flags & OWN_X:
        spectra = _with_own_axes(content, head)
    else:
        spectra = _with_one_axis(content, head)
    axis_kind, signal_kind = _kind(head, 0), _kind(head, 1)
    if len(spectra) > 1 and all(np.array_equal(x, spectra[0][1]) for _, x, _ in spectra):
        return [_map(spectra, head, axis_kind, signal_kind)]
    return [
        _dataset(
            head, Signal(*signal_kind, y), (Axis(*axis_kind, x),), f"z = {z:g}" if len(spectra) > 1 else ""
        )
        for z, x, y in spectra
    ]


def _map(
    spectra: list[tuple[float, Array, Array]], head: Head, axis_kind: NameAndUnit, signal_kind: NameAndUnit
) -> Dataset:
    z = np.array([z for z, _, _ in spectra], dtype=np.float64)
    if not np.all(np.isfinite(z)):
        raise ReadError(
            "the third axis holds values that are no numbers: the file is damaged. Copy it again."
        )
    name, unit = _kind(head, 2)
    values = np.stack([y for _, _, y in spectra])
    return _dataset(
        head,
        Signal(*signal_kind, values),
        (Axis(name if name != "x" else "Series", unit, z), Axis(*axis_kind, spectra[0][1])),
        "",
    )


def _dataset(head: Head, signal: Signal, axes: tuple[Axis, ...], title: str) -> Dataset:
    conditions = understood(head.said, SETTINGS) | condition(
        "local_time", head.said.get("DATE") or head.said.get("Date")
    )
    return Dataset(signal, axes, head.said, None, conditions, title, head.technique)


def _kind(head: Head, which: int) -> NameAndUnit:
    if head.flags & OWN_LABELS and which < len(head.labels) and head.labels[which]:
        return head.labels[which], ""
    known = (Y_UNITS if which == 1 else X_UNITS).get(head.units[which])
    return known or ("xyz"[which] if which else "x", "")


def _head(content: Bytes) -> Head:
    version = content.one("<B", 1)
    if version == OLD:
        return _old_head(content)
    if version not in (NEW, NEW_BIG_ENDIAN):
        raise ReadError(f"it is SPC of the unknown version 0x{version:02X}. Save it from GRAMS anew.", byte=1)
    order = "<" if version == NEW else ">"
    content.need(0, 512)
    flags, _, experiment, exponent, points, first, last, subfiles = content.unpack(f"{order}BBBbiddi", 0)
    x_unit, y_unit, z_unit, _, date = content.unpack(f"{order}BBBBI", 28)
    labels = content.raw(218, 30).decode("latin-1").split("\0")
    said = {
        "Version": f"0x{version:02X}",
        "Experiment": EXPERIMENTS.get(experiment, str(experiment)),
        "Resolution": content.text(36, 9),
        "Source": content.text(45, 9),
        "Comment": content.text(88, 130),
        "Axis labels": ", ".join(label for label in labels if label),
        "Method": content.text(264, 48),
    }
    if date:
        said["Date"] = (
            f"{date >> 20}-{date >> 16 & 15:02d}-{date >> 11 & 31:02d} {date >> 6 & 31:02d}:{date & 63:02d}"
        )
    _log(content, content.one(f"{order}i", 248), order, said)
    return Head(
        order=order,
        old=False,
        flags=flags,
        exponent=exponent,
        points=points,
        first=first,
        last=last,
        subfiles=subfiles if flags & MANY else max(subfiles, 1),
        units=(x_unit, y_unit, z_unit),
        labels=labels,
        technique=_technique(experiment, x_unit, y_unit),
        said={key: value for key, value in said.items() if value},
        data_at=512,
    )


def _old_head(content: Bytes) -> Head:
    content.need(0, 256)
    flags, _, exponent, points, first, last = content.unpack("<BBhfff", 0)
    x_unit, y_unit, year = content.unpack("<BBH", 16)
    month, day, hour, minute = content.unpack("<4B", 20)
    labels = content.raw(194, 30).decode("latin-1").split("\0")
    said = {
        "Version": "0x4D",
        "Resolution": content.text(24, 8),
        "Scans": str(content.one("<H", 34)),
        "Comment": content.text(64, 130),
        "Axis labels": ", ".join(label for label in labels if label),
    }
    if year & 0x0FFF:
        said["Date"] = f"{year & 0x0FFF}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"
    return Head(
        order="<",
        old=True,
        flags=flags,
        exponent=exponent,
        points=int(points) if np.isfinite(points) and 0 < points < MOST_VALUES else 0,
        first=first,
        last=last,
        subfiles=1,
        units=(x_unit, y_unit, year >> 12),
        labels=labels,
        technique=_technique(0, x_unit, y_unit),
        said={key: value for key, value in said.items() if value},
        data_at=256 - 32,  # the first subfile's header is part of the file's
    )


def _technique(experiment: int, x_unit: int, y_unit: int) -> str:
    """By the kind of experiment; “general” says nothing, and FT-Raman shares its number with the infrared."""
    if x_unit == 13:
        return "raman"
    infrared = experiment == 4 and x_unit == 1 and y_unit in (1, 2, 3, 10, 128, 129)
    return "ftir" if infrared else TECHNIQUES.get(experiment, "")


def _log(content: Bytes, offset: int, order: str, said: dict[str, str]) -> None:
    """The text of the log block: KEY = value in each line."""
    if not 512 <= offset <= len(content) - 64:
        return
    size, _, text_at = content.unpack(f"{order}3I", offset)
    if not 64 <= text_at <= size:
        return
    length = min(size - text_at, len(content) - offset - text_at)
    if length <= 0:
        return
    for number, line in enumerate(content.text(offset + text_at, length).splitlines(), start=1):
        key, equals, value = line.partition("=")
        if line.strip():
            put(said, key if equals and key.strip() else f"log {number}", value if equals else line)


def _with_one_axis(content: Bytes, head: Head) -> list[tuple[float, Array, Array]]:
    """(z, x, y) of each subfile; x is even, or stands once before the first of them."""
    at = head.data_at
    if head.points < 1 or head.points * max(head.subfiles, 1) > MOST_VALUES:
        raise ReadError(
            f"{head.subfiles} spectra of {head.points} points are announced, which cannot be. The file is "
            "damaged; copy it again.",
            byte=4,
        )
    content.need(at, 2 * head.points * head.subfiles)
    if head.flags & HAS_X:
        x = content.floats(f"{head.order}f4", head.points, at)
        at += 4 * head.points
    else:
        x = np.linspace(head.first, head.last, head.points)
    _check_axis(x)
    spectra = []
    for index in range(head.subfiles):
        exponent, z, _ = _subfile(content, head, at)
        if index and not z:
            z = float(index)  # files of one plane leave the z of their later subfiles at zero
        y, at = _values(content, head, at + 32, head.points, exponent)
        spectra.append((z, x, y))
        if head.old and not head.flags & MANY:
            break
    while head.old and head.flags & MANY and at + 32 + 2 * head.points <= len(content):
        exponent, z, _ = _subfile(content, head, at)
        y, at = _values(content, head, at + 32, head.points, exponent)
        spectra.append((z or float(len(spectra)), x, y))
    return spectra


def _with_own_axes(content: Bytes, head: Head) -> list[tuple[float, Array, Array]]:
    at = head.data_at
    spectra = []
    for _ in range(head.subfiles):
        exponent, z, points = _subfile(content, head, at)
        points = points or head.points
        x = content.floats(f"{head.order}f4", points, at + 32)
        _check_axis(x)
        y, at = _values(content, head, at + 32 + 4 * points, points, exponent)
        spectra.append((z, x, y))
    return spectra


def _subfile(content: Bytes, head: Head, at: int) -> tuple[int, float, int]:
    """(exponent, z, points) of the subfile whose header is at `at`."""
    _, exponent, _, z = content.unpack(f"{head.order}Bbhf", at)
    points = content.one(f"{head.order}i", at + 16)
    if not head.flags & MANY or (head.old and exponent == 0):
        exponent = head.exponent
    return exponent, float(z), points


def _values(content: Bytes, head: Head, at: int, points: int, exponent: int) -> tuple[Array, int]:
    """The values of one subfile and where they end."""
    if exponent == FLOATS:
        return content.floats(f"{head.order}f4", points, at), at + 4 * points
    if head.flags & SHORTS and not head.old:
        values = content.floats(f"{head.order}i2", points, at)
        return np.ldexp(values, exponent - 16), at + 2 * points
    if head.old:
        words = content.array("<u2", 2 * points, at).reshape(-1, 2).astype(np.uint32)
        integers = ((words[:, 0] << 16) | words[:, 1]).view(np.int32)
        return np.ldexp(integers.astype(np.float64), exponent - 32), at + 4 * points
    values = content.floats(f"{head.order}i4", points, at)
    return np.ldexp(values, exponent - 32), at + 4 * points


def _check_axis(x: Array) -> None:
    if not x.size or not np.all(np.isfinite(x)):
        raise ReadError("the axis holds values that are no numbers: the file is damaged. Copy it again.")

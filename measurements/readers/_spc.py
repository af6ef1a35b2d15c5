"""The headers of Galactic SPC: the new one in both byte orders, and the old one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from measurements.data import ReadError
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._spectrum import NameAndUnit, put

SHORTS, MANY, OWN_LABELS, OWN_X, HAS_X = 0x01, 0x04, 0x20, 0x40, 0x80
NEW, NEW_BIG_ENDIAN, OLD = 0x4B, 0x4C, 0x4D
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


def head_of(content: Bytes) -> Head:
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

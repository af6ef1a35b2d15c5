"""PDH: the primary data handling format of Glatter's programs (PCG), and of Anton Paar's SAXSquant.

Two lines of words, one of eight whole numbers (the first: how many points), two of five numbers, then q,
intensity and error; newer programs add an XML part that names the units. Older files do not: there q has the
unit of the wavelength in line 4, which tells 0.154 nm from 1.54 Å. Numbers and units stay those of the file.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError
from measurements.readers import _sas
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers._xml import Element, children, parse, text_of
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PDH (PCG, SAXSquant)",
    extensions=(".pdh",),
    vendor="Anton Paar",
    techniques=("saxs",),
    description="Small-angle scattering of Anton Paar's SAXSess and SAXSpace, or of the PCG programs.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

HEADER_LINES = 5
XML = re.compile(r"<\?xml|<fileinfo")
UNITS = {"n_m": "nm", "m_m": "mm", "u_m": "µm", "degC": "°C", "A": "Å", "none": "1"}
PARAMETERS = {
    "SampleDetector": "detector_distance",
    "Temperature": "temperature",
    "Wavelength": "xray_wavelength",
}


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()[: HEADER_LINES + 1]
    except ReadError:
        return NEVER
    if len(lines) <= HEADER_LINES:
        return NEVER
    widths = [len(_numbers(line)) for line in lines[2:]]
    return 0.9 if widths == [8, 5, 5, 3] and "." not in lines[2] else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        body, mark, tail = _parted(text.read())
    lines = body.splitlines()
    if len(lines) <= HEADER_LINES or len(_numbers(lines[2])) != 8 or len(_numbers(lines[3])) != 5:
        raise ReadError("the header is not that of a PDH file. Was it cut off? Export it again.", line=3)
    header = {f"line {number}": line.strip() for number, line in enumerate(lines[:HEADER_LINES], start=1)}
    rows = _rows(lines, _numbers(lines[2])[0])
    info = _info(parse(mark + tail)) if mark else {}
    settings = _numbers(lines[3])
    curve = _sas.Curve(
        rows[:, 0].copy(),
        rows[:, 1].copy(),
        rows[:, 2].copy(),
        q_unit=_unit(info.get("X.unit", "")) or _inverse_of_wavelength(settings[4]),
        intensity_unit=_unit(info.get("Y.unit", "")),
    )
    return _sas.datasets(curve, header | info, _conditions(info, settings, lines[0]))


def _parted(text: str) -> tuple[str, str, str]:
    found = XML.search(text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def _rows(lines: list[str], announced: float) -> Array:
    rows = []
    for number, line in enumerate(lines[HEADER_LINES:], start=HEADER_LINES + 1):
        if not line.strip():
            continue
        cells = _numbers(line)
        if len(cells) != 3:
            raise ReadError(
                f"expected q, intensity and error, found “{line.strip()[:40]}”. Export it again.", line=number
            )
        rows.append(cells)
    if len(rows) != announced:
        raise ReadError(
            f"the header announces {announced:g} points, the file has {len(rows)}. Was it cut off?", line=3
        )
    return np.array(rows, dtype=np.float64)


def _numbers(line: str) -> list[float]:
    numbers = [as_number(cell) for cell in line.split()]
    return [number for number in numbers if number is not None] if None not in numbers else []


def _info(root: Element) -> dict[str, str]:
    """Columns and parameters of the XML part as “Wavelength” → “0.1542 n_m”, in the words of the file."""
    info = {}
    for kind in ("column", "parameter"):
        for element in children(root, kind):
            name = element.get("key", "")
            values = {value.get("key", ""): text_of(value) for value in children(element, "value")}
            info.update({f"{name}.{key}": value for key, value in values.items() if key != "name"})
    return info


def _unit(spelled: str) -> str:
    """µm⁻² of “u_m^-2”."""
    unit, _, power = spelled.partition("^")
    superscript = power.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return UNITS.get(unit, unit) + superscript


def _inverse_of_wavelength(wavelength: float) -> str:
    if 0.01 < wavelength < 0.4:
        return "nm⁻¹"
    return "Å⁻¹" if 0.4 <= wavelength < 30 else ""


def _conditions(info: dict[str, str], settings: list[float], title: str) -> dict[str, Quantity]:
    known = condition("sample_name", title)
    unit = {"nm⁻¹": "nm", "Å⁻¹": "Å"}.get(_inverse_of_wavelength(settings[4]), "")
    known |= condition("xray_wavelength", settings[4], unit)
    if settings[1] > 0:
        known |= condition("detector_distance", settings[1], "mm")
    for name, key in PARAMETERS.items():
        if value := info.get(f"{name}.value"):
            known |= condition(key, value, _unit(info.get(f"{name}.unit", "")))
    return known

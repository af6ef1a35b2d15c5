"""EMSA/MAS spectra (ISO 22029): energy loss, X-ray, Auger and cathodoluminescence spectra as text.

Header lines “#KEYWORD    : value”, a few with a unit after the keyword (#BEAMKV -kV: 120). Between #SPECTRUM
and #ENDOFDATA stand values, several to a line (DATATYPE Y), or pairs of x and y (DATATYPE XY).
HyperSpy 1.1 wrote pairs under DATATYPE Y, too; JPL's XRF instrument two detectors as YY. Written from the
standard.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="EMSA/MAS spectrum",
    extensions=(".msa", ".emsa", ".ems", ".mas"),
    vendor="",
    techniques=("eels", "eds", "cl"),
    description="Spectra of electron microscopes in the text format of ISO 22029.",
    max_bytes=64 * 1024**2,
)
VERSION = 3

FIRST_LINE = re.compile(r"#FORMAT\s*:\s*EMSA/MAS", re.IGNORECASE)
ENTRY = re.compile(r"#+(?P<key>[A-Za-z0-9]+)(?P<unit>\s*-[^:]*)?\s*:(?P<value>.*)")
SPLIT = re.compile(r"[,\s]+")
TECHNIQUES = {"ELS": "eels", "EDS": "eds", "WDS": "eds", "CLS": "cl"}
AXES = {
    "eels": "Energy loss", "eds": "Energy", "cl": "Wavelength",
}  # fmt: skip
CONDITIONS = {  # keyword → our key and the unit that the standard prescribes
    "BEAMKV": ("acceleration_voltage", "kV"), "PROBECUR": ("beam_current", "nA"),
    "MAGCAM": ("magnification", ""), "CONVANGLE": ("convergence_angle", "mrad"),
    "COLLANGLE": ("collection_angle", "mrad"), "DWELLTIME": ("dwell_time", "ms"),
    "INTEGTIME": ("exposure_time", "ms"), "LIVETIME": ("live_time", "s"), "XTILTSTGE": ("tilt", "deg"),
    "THICKNESS": ("thickness", "nm"), "TITLE": ("sample_name", ""), "OWNER": ("operator", ""),
    "COMMENT": ("comment", ""), "EDSDET": ("detector", ""),
}  # fmt: skip
UNIT_WORDS = {"ev": "eV", "kev": "keV", "nm": "nm", "angstrom": "Å", "intensity": "", "counts": "counts"}


def recognises(head: bytes, filename: str) -> float:
    try:
        first = next(iter(decoded(head[:4096]).splitlines()), "")
    except ReadError:
        return NEVER
    return 1.0 if FIRST_LINE.match(first.strip()) else NEVER


def read(path: Path) -> list[Dataset]:
    header, numbers, ended = _parts(path)
    said = {key.split(" ")[0].upper(): value for key, value in header.items()}
    technique = TECHNIQUES.get(said.get("SIGNALTYPE", "").upper()[:3], "")
    announced = as_number(said.get("NPOINTS", "").split(" ")[0])
    x, columns = _columns(said, numbers, announced)
    if announced is not None and announced != len(x) and not (ended and len(x) > announced):
        raise ReadError(f"the header announces {announced:g} points, the file has {len(x)}. Was it cut off?")
    if not ended:
        raise ReadError("#ENDOFDATA is missing. Was the file cut off? Copy it again.")
    if announced is not None and announced != len(x):  # as in the example of the standard itself
        header["points in the file"] = f"{len(x)}, although its header announces {announced:g}"
    axis = Axis(said.get("XLABEL") or AXES.get(technique, "x"), _unit(said.get("XUNITS", "")), x)
    name, unit = said.get("YLABEL") or "Intensity", _unit(said.get("YUNITS", ""))
    return [
        Dataset(
            signal=Signal(name, unit, values),
            axes=(axis,),
            header=header,
            conditions=_conditions(header),
            title=f"column {number}" if len(columns) > 1 else "",
            technique=technique,
        )
        for number, values in enumerate(columns, start=1)
    ]


def _unit(words: str) -> str:
    """The unit of “eV”, “Energy Loss (eV)” or “COUNTS”."""
    in_brackets = re.search(r"\(([^()]+)\)\s*$", words)
    unit = in_brackets[1].strip() if in_brackets else words
    return UNIT_WORDS.get(unit.lower(), unit)


def _parts(path: Path) -> tuple[dict[str, str], list[float], bool]:
    header: dict[str, str] = {}
    numbers: list[float] = []
    in_data = ended = False
    with open_text(path) as text:
        for count, line in enumerate(text, start=1):
            entry = ENTRY.match(line.strip())
            if entry is None:
                numbers += _row(line, count) if in_data else []
                continue
            key, unit, value = entry["key"], (entry["unit"] or "").strip(), entry["value"].strip()
            in_data = in_data or key.upper() == "SPECTRUM"
            ended = ended or key.upper() == "ENDOFDATA"
            full = f"{key} {unit}".strip()
            header[full if full not in header else f"line {count}"] = value
    return header, numbers, ended


def _row(line: str, count: int) -> list[float]:
    cells = [cell for cell in SPLIT.split(line.strip()) if cell]
    numbers = [as_number(cell) for cell in cells]
    for cell, number in zip(cells, numbers, strict=True):
        if number is None:
            raise ReadError(f"expected a number, found “{cell[:40]}”. Export the spectrum again.", line=count)
    return [number for number in numbers if number is not None]


def _columns(
    said: dict[str, str], numbers: list[float], announced: float | None
) -> tuple[Array, list[Array]]:
    """The axis, and the values of every column."""
    values = np.array(numbers, dtype=np.float64)
    if not values.size:
        raise ReadError("there are no numbers after #SPECTRUM. Was the file cut off? Copy it again.")
    kind = said.get("DATATYPE", "Y").upper()
    x: Array | None = None
    columns = [values]
    if kind == "XY" or (kind == "Y" and _are_pairs(said, values, announced)):
        if values.size % 2:
            raise ReadError("the last pair of x and y is not complete. Was the file cut off? Copy it again.")
        x, columns = values[::2].copy(), [values[1::2].copy()]
    elif kind == "YY":
        if values.size % 2:
            raise ReadError("the last pair of values is not complete. Was the file cut off? Copy it again.")
        columns = [values[::2].copy(), values[1::2].copy()]
    if x is None:
        x = _stepped(said, columns[0].size)
    if not np.all(np.isfinite(x)):
        raise ReadError("a value of the axis is not a number. Export the spectrum again.")
    return x, columns


def _are_pairs(said: dict[str, str], values: Array, announced: float | None) -> bool:
    """Twice as many numbers as points, and every second one is where the axis should be."""
    if announced is None or values.size != 2 * announced:
        return False
    expected = _stepped(said, values.size // 2)
    return bool(np.allclose(values[::2], expected, rtol=1e-4, atol=1e-4))


def _stepped(said: dict[str, str], count: int) -> Array:
    offset, step = (_first_number(said.get(key, "")) for key in ("OFFSET", "XPERCHAN"))
    if offset is None or step is None or step == 0:
        raise ReadError("OFFSET or XPERCHAN is missing, so the axis is not known. Export it again.")
    # CHOFFSET is the channel whose x is OFFSET; it is nearly always 0
    channel = as_number(said.get("CHOFFSET", "")) or 0.0
    return np.asarray(offset + (np.arange(count) - channel) * step, dtype=np.float64)


def _first_number(text: str) -> float | None:
    """The number of “10.0, 10.0    eV per channel”."""
    words = text.replace(",", " ").split()
    return as_number(words[0]) if words else None


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    known: dict[str, Quantity] = {}
    for full, value in header.items():
        key, _, unit = full.partition(" ")
        if key.upper() in CONDITIONS:
            ours, standard = CONDITIONS[key.upper()]
            number = value.split()[0] if value else None
            words = condition(ours, value) if not standard and ours != "magnification" else {}
            known = (
                words or condition(ours, number, standard if unit in ("", "-mR") else unit.strip("- "))
            ) | known
    return known | condition("local_time", f"{header.get('DATE', '')} {header.get('TIME', '')}")

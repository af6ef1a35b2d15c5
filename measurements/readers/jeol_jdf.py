"""JEOL Delta (.jdf): a big-endian header of 1360 bytes, then parameters and numbers in the file's own order.

Sections of real and imaginary numbers follow each other; each becomes a dataset. A plane is stored in square
blocks. ACTUAL_START_TIME counts seconds from 1990 in UTC: in four files of three time zones it differs from
the local clock in the header by just the zone. No errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._text import as_number
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="JEOL Delta JDF",
    extensions=(".jdf",),
    vendor="JEOL",
    techniques=("nmr",),
    description="NMR signals and spectra of one or two dimensions from JEOL's Delta.",
    gaps="more than two dimensions",
)
VERSION = 1

MAGIC = b"JEOL.NMR"
MOST_PARAMETERS = 20_000
PARAMETER_BYTES = 64
ONE_D, TWO_D, SMALL_TWO_D = 1, 2, 12
BLOCK_EDGE = {TWO_D: 32, SMALL_TWO_D: 4}
REAL, COMPLEX, REAL_COMPLEX = 1, 3, 4
PREFIXES = {-4: "T", -3: "G", -2: "M", -1: "k", 0: "", 1: "m", 2: "µ", 3: "n", 4: "p", 5: "f"}
BASES = (
    "", "abundance", "A", "cd", "°C", "C", "deg", "eV", "F", "Sv", "g", "Gy", "H", "Hz", "K", "J", "L", "lm",
    "lx", "m", "mol", "N", "Ω", "Pa", "%", "points", "ppm", "rad", "s", "S", "sr", "T", "V", "W", "Wb", "dB",
    "Da", "Th", "", "%", "ppt", "ppb", "1",
)  # fmt: skip
AXIS_NAMES = {"s": "Time", "ppm": "Chemical shift", "Hz": "Frequency", "kHz": "Frequency"}
NUCLEI = {
    "Proton": "1H", "Deuterium": "2H", "Lithium7": "7Li", "Boron11": "11B", "Carbon13": "13C",
    "Nitrogen14": "14N", "Nitrogen15": "15N", "Oxygen17": "17O", "Fluorine19": "19F", "Sodium23": "23Na",
    "Aluminum27": "27Al", "Silicon29": "29Si", "Phosphorus31": "31P", "Tin119": "119Sn",
    "Cesium133": "133Cs", "Platinum195": "195Pt", "Lead207": "207Pb",
}  # fmt: skip
EPOCH = datetime(1990, 1, 1, tzinfo=UTC)


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    if content.raw(0, len(MAGIC)) != MAGIC:
        raise ReadError("the file does not begin with JEOL.NMR. Copy it again.", byte=0)
    order = "<" if content.one(">B", 8) == 1 else ">"
    header, parameters = _header(content), _parameters(content, order)
    sections = _sections(content, order)
    axes = _axes(content, next(iter(sections.values())).shape[::-1])[::-1]
    conditions = _conditions(parameters, header)
    for name, (value, unit) in parameters.items():
        header[name if name not in header else f"parameter.{name}"] = f"{value} {unit}".strip()
    kind = "signal in time" if axes[-1].name == "Time" else "spectrum"
    acquired_at = _acquired_at(parameters)
    return [
        Dataset(Signal(_name(part), "", values), tuple(axes), header, acquired_at, conditions, kind + part)
        for part, values in sections.items()
    ]


def _name(part: str) -> str:
    """Parts differ in the name of their signal, so that only like is put together with like."""
    return "Intensity" if part in ("", ", real", ", RR") else f"Intensity{part}"


def _header(content: Bytes) -> dict[str, str]:
    """The words of the fixed header; the local clock is packed into bits."""
    days, part = content.unpack(">HH", 400)
    clock = timedelta(seconds=round(part * 86400 / 65535))
    fields = {
        "title": (48, 124),
        "node_name": (408, 16),
        "site": (424, 128),
        "author": (552, 128),
        "comment": (680, 128),
    }
    header = {name: content.text(offset, size, "utf-8") for name, (offset, size) in fields.items()}
    header["creation_time"] = f"{1990 + (days >> 9)}-{days >> 5 & 15:02}-{days & 31:02} {clock}"
    return header


def _parameters(content: Bytes, order: str) -> dict[str, tuple[str, str]]:
    """Value and unit by name."""
    start = content.one(">I", 1212)
    last = content.one(f"{order}I", start + 8)
    if last > MOST_PARAMETERS:
        raise ReadError(f"the file announces {last} parameters, which cannot be. Copy it again.", byte=start)
    parameters = {}
    for offset in range(start + 16, start + 16 + (last + 1) * PARAMETER_BYTES, PARAMETER_BYTES):
        name = content.text(offset + 36, 28)
        if name:
            parameters[name] = _value(content, order, offset)
    return parameters


def _value(content: Bytes, order: str, offset: int) -> tuple[str, str]:
    kind, scaler = content.one(f"{order}i", offset + 32), content.one(f"{order}h", offset + 4)
    unit = "·".join(filter(None, (_unit(content, offset + 6 + 2 * place) for place in range(5))))
    if kind == 0:
        return content.text(offset + 16, 16), unit
    if kind in (1, 4):
        value = content.one(f"{order}i", offset + 16)
    elif kind == 2:
        value = content.one(f"{order}d", offset + 16)
    elif kind == 3:
        value = complex(*content.unpack(f"{order}2d", offset + 16))
    else:
        return "", unit
    if scaler and -30 < scaler < 30 and kind != 3:
        value *= 10.0**scaler
    return f"{value}", unit


def _unit(content: Bytes, offset: int) -> str:
    packed, base = content.unpack(">BB", offset)
    prefix = (packed >> 4) - 16 if packed >> 4 > 7 else packed >> 4
    power = (packed & 15) - 16 if packed & 15 > 7 else packed & 15
    if not 0 < base < len(BASES) or not power:
        return ""
    return PREFIXES.get(prefix, f"10^{-3 * prefix} ") + BASES[base] + ("" if power == 1 else f"^{power}")


def _sections(content: Bytes, order: str) -> dict[str, Array]:
    """Real and imaginary parts; of a plane the first letter is of the rows."""
    packed = content.one(">B", 14)
    layout, kind = packed & 63, {0: "f8", 1: "f4"}.get(packed >> 6)
    if kind is None or layout not in (ONE_D, TWO_D, SMALL_TWO_D):
        raise ReadError(
            "the file holds more than two dimensions, which are not read yet. The bytes are kept; send "
            "slices of it, or export them from Delta as JCAMP-DX.",
            byte=14,
        )
    types = content.unpack(">8B", 24)
    count = 2 ** types.count(COMPLEX) * (2 if REAL_COMPLEX in types else 1)
    sizes = [max(size, 1) for size in content.unpack(">2I", 176)]
    points = sizes[0] if layout == ONE_D else sizes[0] * sizes[1]
    if points * count > MOST_VALUES or count > 4:
        raise ReadError(f"the file announces {count} sections of {points} points. Copy it again.", byte=176)
    start = content.one(">I", 1284)
    names = {1: [""], 2: [", real", ", imaginary"], 4: [", RR", ", RI", ", IR", ", II"]}[count]
    sections = {}
    for number, name in enumerate(names):
        values = content.floats(order + kind, points, start + number * points * int(kind[1]))
        sections[name] = (
            values if layout == ONE_D else _unblocked(values, sizes[1], sizes[0], BLOCK_EDGE[layout])
        )
    return sections


def _unblocked(values: Array, rows: int, columns: int, edge: int) -> Array:
    if rows % edge or columns % edge:
        raise ReadError(
            f"a plane of {rows} × {columns} points is not made of blocks of {edge}. Copy it again."
        )
    blocks = values.reshape(rows // edge, columns // edge, edge, edge)
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).reshape(rows, columns)


def _axes(content: Bytes, sizes: tuple[int, ...]) -> list[Axis]:
    """First the axis that varies fastest. Start and stop belong to the first and last point in use."""
    axes = []
    for number, size in enumerate(sizes):
        first, last = content.one(">I", 208 + 4 * number), content.one(">I", 240 + 4 * number)
        start, stop = content.one(">d", 272 + 8 * number), content.one(">d", 336 + 8 * number)
        unit = _unit(content, 32 + 2 * number)
        if not (math.isfinite(start) and math.isfinite(stop) and 0 <= first < last < size) or start == stop:
            axes.append(Axis("Point", "1", np.arange(size, dtype=np.float64)))
            continue
        values = start + (np.arange(size, dtype=np.float64) - first) * ((stop - start) / (last - first))
        if not np.all(np.isfinite(values)):
            raise ReadError("the header makes no axis: it is damaged. Copy the file again.", byte=272)
        axes.append(Axis(AXIS_NAMES.get(unit, content.text(808 + 32 * number, 32) or "x"), unit, values))
    return axes


def _conditions(parameters: Mapping[str, tuple[str, str]], header: Mapping[str, str]) -> dict[str, Quantity]:
    known = {name.lower(): value for name, value in parameters.items()}

    def said(key: str, name: str) -> dict[str, Quantity]:
        value, unit = known.get(name, ("", ""))
        return condition(key, value or None, unit)

    nucleus = known.get("x_domain", ("", ""))[0]
    return {
        **condition("nucleus", NUCLEI.get(nucleus, nucleus)),
        **said("larmor_frequency", "x_freq"), **said("spectral_width", "x_sweep"),
        **said("accumulations", "total_scans"), **said("recycle_delay", "relaxation_delay"),
        **said("temperature", "temp_get"), **said("solvent", "solvent"),
        **said("pulse_program", "experiment"), **said("instrument", "inst_model_number"),
        **condition("sample_name", known.get("sample_id", ("", ""))[0] or header["title"]),
        **condition("operator", header["author"]), **condition("comment", header["comment"]),
        **condition("local_time", header["creation_time"]),
    }  # fmt: skip


def _acquired_at(parameters: Mapping[str, tuple[str, str]]) -> datetime | None:
    seconds = as_number(parameters.get("ACTUAL_START_TIME", ("", ""))[0])
    return EPOCH + timedelta(seconds=seconds) if seconds is not None and 0 < seconds < 2**32 else None

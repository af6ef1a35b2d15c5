"""Bruker RAW version 4: a header of 61 bytes, segments of (kind, length, …), then ranges with their own.

Known from public readers and from files; segments that are not known are passed over by their length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from measurements.data import Array, Quantity, ReadError
from measurements.readers import _diffraction as xrd
from measurements.readers._binary import Bytes
from measurements.vocabulary import condition

FIRST_SEGMENT = 61
TEXT, HARDWARE, DRIVE, RANGE = 10, 30, 50, (0, 160)
RANGE_HEADER = 160
VARYING = (  # the bits of version 3
    "measured 2θ", "measured θ", "measured χ", "measured φ", "measured x", "measured y", "measured z",
    "auxiliary axis 1", "auxiliary axis 2", "auxiliary axis 3", "time", "temperature",
)  # fmt: skip
LEFT_OUT = 4000  # characters; longer texts are packed descriptions of the optics


@dataclass(frozen=True)
class Range:
    """One range of a RAW file of any version; `further`: other numbers that each point has."""

    scan_type: str
    start: float
    step: float
    intensity: Array
    header: dict[str, str]
    conditions: dict[str, Quantity]
    further: dict[str, Array] = field(default_factory=dict)


def ranges(data: Bytes) -> Iterator[Range]:
    common = {"MEASURE_DATE": data.text(12, 12), "MEASURE_TIME": data.text(24, 10)}
    wavelengths: tuple[float, ...] = (0.0,) * 5
    offset = FIRST_SEGMENT
    while offset + 4 <= len(data):
        kind = data.one("<I", offset)
        if kind in RANGE:
            found, offset = _range(data, offset, common, wavelengths)
            if found is not None:
                yield found
            continue
        length = data.one("<I", offset + 4)
        if length < 8:
            raise ReadError(f"a segment of {length} bytes cannot be. The file is damaged.", byte=offset)
        data.need(offset, length)
        if kind == TEXT and length >= 36:
            value = data.raw(offset + 36, length - 36).split(b"\0")[0].decode("utf-8", "replace").strip()
            common[data.text(offset + 12, 24)] = (
                value if len(value) < LEFT_OUT else f"{len(value)} characters"
            )
        elif kind == HARDWARE and length >= 120:
            wavelengths = data.unpack("<5d", offset + 72)
            names = ("ALPHA_AVERAGE", "ALPHA1", "ALPHA2", "BETA", "ALPHA_RATIO")
            common |= {name: f"{value:.10g}" for name, value in zip(names, wavelengths, strict=True)}
            common["ANODE_MATERIAL"] = data.text(offset + 116, 4)
        offset += length


def _range(
    data: Bytes, offset: int, common: dict[str, str], wavelengths: tuple[float, ...]
) -> tuple[Range | None, int]:
    """One range, or None if it has no points; and where the next one begins."""
    word = data.text(offset + 32, 24)
    start, step = data.unpack("<dd", offset + 72)
    steps, seconds = data.unpack("<If", offset + 88)
    kilovolt, milliampere = data.unpack("<ff", offset + 100)
    used = data.one("<d", offset + 112)
    record, size = data.unpack("<II", offset + 136)
    first = offset + RANGE_HEADER + size
    data.need(offset + RANGE_HEADER, size)
    header = common | {
        "SCAN_TYPE": word, "START_ANGLE": f"{start:.10g}", "STEP_SIZE": f"{step:.10g}", "STEPS": str(steps),
        "TIME_PER_STEP": f"{seconds:.7g}", "GENERATOR_VOLTAGE": f"{kilovolt:.7g}",
        "GENERATOR_CURRENT": f"{milliampere:.7g}", "USED_LAMBDA": f"{used:.10g}",
    }  # fmt: skip
    drives = dict(_drives(data, offset + RANGE_HEADER, first))
    header |= {f"START_{name.upper()}": f"{position:.10g}" for name, position in drives.items()}
    conditions = {
        **xrd.tube(
            alpha1=wavelengths[1] or used, alpha2=wavelengths[2], ratio=wavelengths[4],
            anode=common.get("ANODE_MATERIAL"), kilovolt=float(kilovolt), milliampere=float(milliampere),
        ),
        **condition("dwell_time", float(f"{seconds:.7g}"), "s"),
        **_temperature(drives),
        **condition("local_time", f"{common['MEASURE_DATE']} {common['MEASURE_TIME']}"),
        **condition("sample_name", common.get("SAMPLEID")),
        **condition("operator", common.get("USER")),
        **condition("comment", common.get("COMMENT")),
    }  # fmt: skip
    if not steps:
        return None, first
    counts, further, width = records(data, first, steps, record, 0)
    return Range(word or "2Theta", start, step, counts, header, conditions, further), first + width * steps


def _drives(data: Bytes, offset: int, end: int) -> Iterator[tuple[str, float]]:
    """Names and positions of the drives that a range lists."""
    while offset + 8 <= end:
        kind, length = data.unpack("<II", offset)
        if length < 8:
            return
        if kind == DRIVE and length >= 64:
            yield data.text(offset + 12, 24), data.one("<d", offset + 56)
        offset += length


def _temperature(drives: dict[str, float]) -> dict[str, Quantity]:
    """A temperature stage is a drive like others; its unit is that of the program, °C."""
    for name, value in drives.items():
        if re.match(r"temp", name, re.IGNORECASE) and -273.15 < value < 3000:
            return condition("temperature", value, "°C")
    return {}


def records(
    data: Bytes, offset: int, count: int, size: int, varying: int
) -> tuple[Array, dict[str, Array], int]:
    """(intensities, what else each point has, bytes of a point): a float32 and any number of float64.

    varying : a bit for each further number of version 3; the first is the measured 2θ
    """
    if size == 4:
        return data.floats("<f4", count, offset), {}, 4
    if size == 8 and not varying:
        return _with_state(data, offset, count)
    if size < 4 or (size - 4) % 8 or size > 4 + 8 * 32:
        raise ReadError(
            f"each of its points has {size} bytes, and what they mean is not known here. Export the "
            "measurement as XY or UXD.",
            byte=offset,
        )
    layout = np.dtype([("intensity", "<f4"), ("further", "<f8", ((size - 4) // 8,))])
    data.need(offset, count * size)
    table = np.frombuffer(data.content, layout, count, offset)
    bits = [bit for bit in range(32) if varying >> bit & 1]
    names = [VARYING[bit] if bit < len(VARYING) else f"varying parameter {bit}" for bit in bits]
    with np.errstate(invalid="ignore", over="ignore"):
        columns = table["further"].astype(np.float64).T
        intensity = table["intensity"].astype(np.float64)
    names += [f"further number {place + 1}" for place in range(len(names), len(columns))]
    return intensity, dict(zip(names, columns, strict=False)), size


def _with_state(data: Bytes, offset: int, count: int) -> tuple[Array, dict[str, Array], int]:
    """Points of a float32 and a whole number, which is the absorber's or the detector's state, mostly 1."""
    table = data.array("<f4,<u4", count, offset)
    with np.errstate(invalid="ignore", over="ignore"):
        intensity, state = table["f0"].astype(np.float64), table["f1"].astype(np.float64)
    if count and state.max() >= 1 << 16:
        raise ReadError(
            "each of its points has 8 bytes, and what they mean is not known here. Export the measurement as "
            "XY or UXD.",
            byte=offset,
        )
    return intensity, {"state of each point": state} if np.ptp(state) else {}, 8

"""Siemens and Bruker RAW, versions 1 to 4: binary scans of one or many ranges.

    "RAW "     version 1   DIFFRAC-AT
    "RAW2"     version 2   DIFFRAC-AT
    "RAW1.01"  version 3   DIFFRAC plus
    "RAW4.00"  version 4   DIFFRAC.SUITE, in _bruker_raw4.py

All numbers are little-endian. Versions 1 and 2 follow the appendix of the DIFFRAC-AT manual, version 3 that
of the XCH manual, as public readers describe them; only of version 4 was a real file at hand. Times have no
zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Dataset, Quantity, ReadError, Signal
from measurements.readers import _bruker_raw4
from measurements.readers import _diffraction as xrd
from measurements.readers._binary import Bytes
from measurements.readers._bruker_raw4 import Range
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker RAW",
    extensions=(".raw",),
    vendor="Bruker",
    techniques=("xrd",),
    description="Diffractometer scans of DIFFRAC-AT, DIFFRAC plus and DIFFRAC.SUITE (RAW versions 1 to 4) "
    "with one or more ranges, each with its own counting time and temperature.",
    max_bytes=256 * 1024**2,
)
VERSION = 3

UNKNOWN = -1e6  # "not known" of version 1
MOST_RANGES = 20_000
FILE_HEADER_3, RANGE_HEADER_3 = 712, 304
STATUS_3 = {0: "not measured", 1: "done", 2: "active", 3: "aborted", 4: "interrupted"}
# Scan types of version 3, each with the offset of the start of what it drives.
DRIVEN_3 = {
    0: ("Locked Coupled", 16), 1: ("Unlocked Coupled", 16), 2: ("Detector Scan", 16),
    3: ("Rocking Curve", 8), 4: ("Chi Scan", 24), 5: ("Phi Scan", 32), 6: ("x", 40), 7: ("y", 48),
    8: ("z", 56), 20: ("Unlocked Coupled", 16), 129: ("PSD Fixed", 16), 130: ("PSD Fast", 16),
    9999: ("PSD Fixed", 16),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> bool | float:
    if head.startswith((b"RAW4.00", b"RAW1.01")):
        return True
    if head.startswith(b"RAW2"):
        return len(head) > 256 and 0 in head[6:256]
    return head.startswith(b"RAW ") and len(head) > 156 and 0 in head[4:156]


def read(path: Path) -> list[Dataset]:
    data = Bytes.of(path)
    version = data.raw(0, 7)
    if version == b"RAW4.00":
        ranges = list(_bruker_raw4.ranges(data))
    elif version == b"RAW1.01":
        ranges = list(_version_3(data))
    elif version.startswith(b"RAW2"):
        ranges = list(_version_2(data))
    else:
        ranges = list(_version_1(data))
    main = [_dataset(scan, number, len(ranges)) for number, scan in enumerate(ranges, start=1)]
    extra = [
        _dataset(scan, number, len(ranges), name)
        for number, scan in enumerate(ranges, start=1)
        for name in scan.further
    ]
    if not main:
        raise ReadError("the file holds no measured range. Was the measurement stopped before it began?")
    return main + extra


def _dataset(scan: Range, number: int, count: int, further: str = "") -> Dataset:
    axis = xrd.axis(scan.scan_type, xrd.stepped(scan.start, scan.step, scan.intensity.size))
    values, remark = xrd.measured(scan.further[further] if further else scan.intensity)
    conditions = {
        **scan.conditions,
        **condition("step_size", abs(scan.step), "deg"),
        **condition("scan_axis", scan.scan_type),
    }
    words = [f"range {number}"] if count > 1 else []
    if count > 1 and "temperature" in conditions:
        words.append(f"{float(conditions['temperature'].value):.1f} °C")
    words += [further] if further else []
    signal = Signal(further or "Intensity", "" if further else "counts", values)
    return Dataset(signal, (axis,), scan.header | remark, None, conditions, ", ".join(words), technique="xrd")


def _version_1(data: Bytes) -> Iterator[Range]:
    offset, following = 0, 1
    while following and offset < len(data):
        if len(data) - offset >= 4 and data.raw(offset, 4) == b"RAW ":
            offset += 4  # the earliest files write it only once
        steps, seconds, step, mode = data.unpack("<IffI", offset)
        start, *angles = data.unpack("<ffff", offset + 20)
        alpha1, alpha2 = data.unpack("<ff", offset + 68)
        following = data.one("<I", offset + 148)
        name = data.text(offset + 36, 32)
        header = {
            "SCAN_MODE": str(mode), "MEASUREMENT_TIME_PER_STEP": f"{seconds:.7g}", "STEP": f"{step:.7g}",
            "2THETA_START": f"{start:.7g}",
            **{
                f"{word}_START": f"{angle:.7g}"
                for word, angle in zip(("THETA", "KHI", "PHI"), angles, strict=True)
                if angle != UNKNOWN
            },
            "SAMPLE_NAME": name, "K_ALPHA1": f"{alpha1:.7g}", "K_ALPHA2": f"{alpha2:.7g}",
        }  # fmt: skip
        conditions = {
            **xrd.tube(alpha1=_short(alpha1), alpha2=_short(alpha2)),
            **condition("dwell_time", _short(seconds), "s"),
            **condition("sample_name", name),
        }
        counts = data.floats("<f4", steps, offset + 152)
        yield Range("2Theta", _short(start), _short(step), counts, header, conditions)
        offset += 152 + 4 * steps


def _version_2(data: Bytes) -> Iterator[Range]:
    count = data.one("<H", 4)
    anode = data.text(188, 2)
    alpha1, alpha2, ratio = data.unpack("<fff", 190)
    common = {
        "DATE_TIME_MEASURE": data.text(168, 20), "TUBE ANODE": anode, "LAMDA1": f"{alpha1:.7g}",
        "LAMDA2": f"{alpha2:.7g}", "INTENSITY_RATIO": f"{ratio:.7g}",
        "TOTAL_SAMPLE_RUNTIME_IN_SEC": f"{data.one('<f', 210):.7g}",
    }  # fmt: skip
    tube = xrd.tube(alpha1=_short(alpha1), alpha2=_short(alpha2), ratio=_short(ratio), anode=anode)
    tube |= condition("local_time", common["DATE_TIME_MEASURE"])
    offset = 256
    for _ in range(count):
        length, steps = data.unpack("<HH", offset)
        if length < 48:
            raise ReadError("a range has a header that is too short. The file is damaged.", byte=offset)
        seconds, step, start = data.unpack("<fff", offset + 8)
        kelvin = data.one("<H", offset + 46)
        header = common | {
            "SEC_PER_STEP": f"{seconds:.7g}", "STEP": f"{step:.7g}", "2THETA_START": f"{start:.7g}",
            "TEMP_IN_K": str(kelvin),
        }  # fmt: skip
        conditions = {**tube, **condition("dwell_time", _short(seconds), "s")}
        if kelvin:
            conditions |= condition("temperature", kelvin, "K")
        counts = data.floats("<f4", steps, offset + length)
        yield Range("2Theta", _short(start), _short(step), counts, header, conditions)
        offset += length + 4 * steps


def _version_3(data: Bytes) -> Iterator[Range]:
    status, count = data.unpack("<II", 8)
    common = {
        "file status": STATUS_3.get(status, str(status)), "MEASURE_DATE": data.text(16, 10),
        "MEASURE_TIME": data.text(26, 10), "USER": data.text(36, 72), "SITE": data.text(108, 218),
        "SAMPLE_ID": data.text(326, 60), "COMMENT": data.text(386, 160), "ANODE_MATERIAL": data.text(608, 4),
    }  # fmt: skip
    wavelengths = data.unpack("<5d", 616)
    names = ("ALPHA_AVERAGE", "ALPHA1", "ALPHA2", "BETA", "ALPHA_RATIO")
    common |= {name: f"{value:.10g}" for name, value in zip(names, wavelengths, strict=True)}
    common["GONIOMETER_RADIUS"] = f"{data.one('<f', 564):.7g}"
    if count > MOST_RANGES:
        raise ReadError(f"it announces {count} ranges, which cannot be. The file is damaged.", byte=12)
    offset = FILE_HEADER_3
    for _ in range(count):
        found, offset = _range_3(data, offset, common, wavelengths)
        yield found


def _range_3(
    data: Bytes, offset: int, common: dict[str, str], wavelengths: tuple[float, ...]
) -> tuple[Range, int]:
    """One range, and where the next one begins."""
    length, steps = data.unpack("<II", offset)
    if length < RANGE_HEADER_3:
        raise ReadError("a range has a header that is too short. The file is damaged.", byte=offset)
    step = data.one("<d", offset + 176)
    seconds, scan_type = data.unpack("<fI", offset + 192)
    kelvin = data.one("<f", offset + 212)
    kilovolt, milliampere = data.unpack("<II", offset + 224)
    used = data.one("<d", offset + 240)
    varying, record, supplement = data.unpack("<III", offset + 248)
    if scan_type not in DRIVEN_3:
        raise ReadError(
            f"a range is a scan of type {scan_type}, whose drive is not known here. Export it as UXD or XY "
            "from DIFFRAC's file exchange.",
            byte=offset + 196,
        )
    word, start_at = DRIVEN_3[scan_type]
    theta, two_theta, chi, phi = data.unpack("<4d", offset + 8)
    header = common | {
        "STEPS": str(steps), "SCAN_TYPE": word, "START_THETA": f"{theta:.10g}",
        "START_2THETA": f"{two_theta:.10g}", "START_CHI": f"{chi:.10g}", "START_PHI": f"{phi:.10g}",
        "STEP_SIZE": f"{step:.10g}",
        "TIME_PER_STEP": f"{seconds:.7g}", "TEMP_IN_K": f"{kelvin:.7g}", "GENERATOR_VOLTAGE": str(kilovolt),
        "GENERATOR_CURRENT": str(milliampere), "USED_LAMBDA": f"{used:.10g}",
    }  # fmt: skip
    conditions: dict[str, Quantity] = {
        **xrd.tube(
            alpha1=wavelengths[1] or used, alpha2=wavelengths[2], ratio=wavelengths[4],
            anode=common["ANODE_MATERIAL"], kilovolt=float(kilovolt), milliampere=float(milliampere),
        ),
        **condition("dwell_time", _short(seconds), "s"),
        **(condition("temperature", _short(kelvin), "K") if 1 < kelvin < 5000 else {}),
        **condition("local_time", f"{common['MEASURE_DATE']} {common['MEASURE_TIME']}"),
        **condition("sample_name", common["SAMPLE_ID"]),
        **condition("operator", common["USER"]),
        **condition("comment", common["COMMENT"]),
    }  # fmt: skip
    first = offset + length + supplement
    counts, further, size = _bruker_raw4.records(data, first, steps, record or 4, varying)
    start = data.one("<d", offset + start_at)
    return Range(word, start, step, counts, header, conditions, further), first + size * steps


def _short(number: float) -> float:
    """A float32 as the decimal number that was stored in it."""
    return float(f"{np.float32(number):.7g}")

"""MRC, CCP4, and IMOD's ALI, REC, ST: images, tilt series and volumes.

A header of 1024 bytes with 56 numbers and ten labels, an extended header, then the values with x running
fastest. The cell in Å divided by the sampling gives the step. Tilt angles stand in the extended header that
FEI and SerialEM write; without them the third axis counts sections. Written from MRC2014 (Cheng et al.,
J. Struct. Biol. 192 (2015) 146) and the descriptions of IMOD, SerialEM and FEI; no real file was at hand.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import Bytes
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="MRC",
    extensions=(".mrc", ".ali", ".rec", ".st", ".map", ".ccp4", ".mrcs"),
    vendor="",
    techniques=("em", "tomography"),
    description="Images, tilt series and reconstructed volumes of electron tomography.",
    max_bytes=1024**3,
)
VERSION = 1

HEADER_BYTES, FEI_ENTRY_BYTES, FEI1_TILT_AT = 1024, 128, 100
TYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
IMOD_STAMP, BYTES_ARE_SIGNED = 1146047817, 1
SERIALEM_TILT, SERIALEM_SIZES = 1, ((1, 2), (2, 6), (4, 4), (8, 2), (16, 2), (32, 4))


class Head(NamedTuple):
    order: str
    nx: int
    ny: int
    nz: int
    mode: int
    steps_nm: tuple[float, float, float]
    extended: int


def recognises(head: bytes, filename: str) -> float:
    """“MAP ” at byte 208; older files have no mark, only numbers that fit each other."""
    if len(head) < HEADER_BYTES:
        return NEVER
    if head[208:212] == b"MAP ":
        return 0.95
    for order in "<>":
        numbers = np.frombuffer(head, dtype=f"{order}i4", count=19)
        sizes, mode, axes = numbers[:3], numbers[3], sorted(numbers[16:19].tolist())
        if np.all(sizes > 0) and np.all(sizes < 65_536) and mode in TYPES and axes == [1, 2, 3]:
            return 0.6
    return NEVER


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    head = _head(content)
    count = head.nx * head.ny * head.nz
    dtype = _dtype(content, head)
    values = content.floats(dtype, count, HEADER_BYTES + head.extended).reshape(head.nz, head.ny, head.nx)
    tilts = _tilts(content, head)
    axes = [
        Axis(name, "nm" if step else "px", np.arange(size, dtype=np.float64) * (step or 1.0))
        for name, size, step in zip("zyx", (head.nz, head.ny, head.nx), head.steps_nm[::-1], strict=True)
    ]
    if tilts is not None:
        axes[0] = Axis("Tilt", "deg", tilts)
    elif not head.steps_nm[2]:
        axes[0] = Axis("Section", "1", np.arange(1.0, head.nz + 1))
    if head.nz == 1:
        values, axes = values[0], axes[1:]
    known = _conditions(head, tilts)
    technique = "tomography" if head.nz > 1 else "em"
    return [
        Dataset(
            Signal("Intensity", "", values), tuple(axes), _words(content, head), None, known, "", technique
        )
    ]


def _head(content: Bytes) -> Head:
    content.need(0, HEADER_BYTES)
    for order in "<>":
        nx, ny, nz, mode = content.unpack(f"{order}4i", 0)
        if 0 < nx < 2**20 and 0 < ny < 2**20 and 0 < nz < 2**20 and 0 <= mode < 128:
            break
    else:
        raise ReadError("its numbers of columns, rows and sections cannot be. The file is damaged.", byte=0)
    if mode not in TYPES:
        named = {3: "complex integers", 4: "complex numbers", 16: "colours", 101: "half bytes"}
        raise ReadError(
            f"its values are of mode {mode} ({named.get(mode, 'unknown')}), which are not read. Save real "
            "numbers (mode 0, 1, 2, 6 or 12).",
            byte=12,
        )
    samplings, cell = content.unpack(f"{order}3i", 28), content.unpack(f"{order}3f", 40)
    steps = tuple(_step_nm(length, number) for length, number in zip(cell, samplings, strict=True))
    extended = content.one(f"{order}i", 92)
    if extended < 0:
        raise ReadError("the size of its extended header is negative. The file is damaged.", byte=92)
    return Head(order, nx, ny, nz, mode, (steps[0], steps[1], steps[2]), extended)


def _step_nm(cell_angstrom: float, samples: int) -> float:
    """0 when it is not known: then programs write a cell as long as its number of samples, 1 Å a pixel."""
    if samples < 1 or not math.isfinite(cell_angstrom) or cell_angstrom <= 0 or cell_angstrom == samples:
        return 0.0
    return float(f"{cell_angstrom / samples / 10:.7g}")


def _dtype(content: Bytes, head: Head) -> str:
    """Bytes are signed since 2014; before, and where IMOD says so, they are not."""
    if head.mode:
        return head.order + TYPES[head.mode]
    version, stamp, flags = content.one(f"{head.order}i", 108), *content.unpack(f"{head.order}2i", 152)
    if stamp == IMOD_STAMP:
        return "i1" if flags & BYTES_ARE_SIGNED else "u1"
    return "i1" if version >= 20140 else "u1"


def _tilts(content: Bytes, head: Head) -> Array | None:
    """Angles in degrees for each section, from FEI's or SerialEM's extended header."""
    kind = content.text(104, 4)
    n_int, n_real = content.unpack(f"{head.order}2h", 128)
    if kind in ("FEI1", "FEI2"):
        size = content.one(f"{head.order}i", HEADER_BYTES) if head.extended >= FEI1_TILT_AT + 8 else 0
        if size < FEI1_TILT_AT + 8 or head.extended < size * head.nz:
            return None
        places = [HEADER_BYTES + size * z + FEI1_TILT_AT for z in range(head.nz)]
        tilts = np.array([content.one(f"{head.order}d", place) for place in places])
    elif kind in ("", "FEI") and head.extended >= FEI_ENTRY_BYTES * max(head.nz, 1024) and n_int == 0:
        tilts = content.array(f"{head.order}f4", head.extended // 4, HEADER_BYTES)[:: FEI_ENTRY_BYTES // 4]
        tilts = tilts[: head.nz].astype(np.float64)
    elif kind in ("", "SERI") and 0 < n_int < 1024 and 0 < n_real < 64 and n_real & SERIALEM_TILT:
        size = sum(width for bit, width in SERIALEM_SIZES if n_real & bit)
        if size != n_int or head.extended < size * head.nz:
            return None
        tilts = np.array(
            [content.one(f"{head.order}h", HEADER_BYTES + size * z) / 100 for z in range(head.nz)]
        )
    else:
        return None
    sane = tilts.size == head.nz and np.all(np.isfinite(tilts)) and np.all(np.abs(tilts) <= 180)
    return tilts if sane and np.ptp(tilts) > 0 else None


def _words(content: Bytes, head: Head) -> dict[str, str]:
    header = {name: str(value) for name, value in head._asdict().items() if name != "steps_nm"}
    numbers = content.unpack(f"{head.order}3i3f3f", 28)
    header |= {"mx my mz": " ".join(map(str, numbers[:3])), "cell": " ".join(f"{n:g}" for n in numbers[3:])}
    header["amin amax amean"] = " ".join(f"{n:g}" for n in content.unpack(f"{head.order}3f", 76))
    labels = min(max(content.one(f"{head.order}i", 220), 0), 10)
    header.update({f"label {n + 1}": content.text(224 + 80 * n, 80) for n in range(labels)})
    return header


def _conditions(head: Head, tilts: Array | None) -> dict[str, Quantity]:
    known = condition("pixel_size", head.steps_nm[0] or None, "nm")
    return known | condition("mode", None if tilts is None else "tilt series")

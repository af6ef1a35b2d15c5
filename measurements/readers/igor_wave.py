"""Igor binary waves (.ibw), versions 1, 2, 3 and 5, in either byte order.

A short header whose first number is the version, the header of the wave, its numbers with the first index
running fastest, then the note and longer units. Each dimension has an offset and a step, so axes are even. A
complex wave becomes two datasets; a packed file (.pxt, .pxp) gives every wave with numbers in it. Scienta's
SES writes its regions this way, and the note then says how they were measured. The dates in the file are the
computer's local ones, so they are not used. No errors.

WaveMetrics, Technical Note 003.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._scienta import conditions, named
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Igor binary wave",
    extensions=(".ibw", ".bwav", ".pxt", ".pxp"),
    vendor="WaveMetrics",
    techniques=("xps", "other"),
    description="Waves of one to four dimensions, single or packed, as Igor Pro and Scienta's SES save them.",
    gaps="waves of text",
)
VERSION = 2

# version → bytes of the file header, and bytes of it and the wave header over which the checksum runs
# (in the older versions, the first sixteen bytes of the numbers as well)
HEADERS = {1: (8, 134), 2: (16, 142), 3: (20, 146), 5: (64, 384)}
COMPLEX, UNSIGNED = 0x01, 0x40
RECORD_KIND, WAVE_RECORD, LAST_RECORD_KIND = 0x7FFF, 3, 127  # Igor 8 has kinds above a hundred
CHAIN_OF_RECORDS = 3  # records of sizes that fit: an experiment may begin with many that hold no wave
MOST_RECORDS = 10_000
KINDS = {0x02: "f4", 0x04: "f8", 0x08: "i1", 0x10: "i2", 0x20: "i4", 0x80: "i8"}


def recognises(head: bytes, filename: str) -> float:
    if _is_wave(head) or any(_is_wave(record) for record in _records(head)):
        return 1.0
    return 0.6 if _is_chain(head) else NEVER


def _is_chain(head: bytes) -> bool:
    """Records without a gap from the first byte to the last one that is here."""
    for order in "<>":
        place, number = 0, 0
        while place + 8 <= len(head):
            kind, _, size = struct.unpack_from(f"{order}HhI", head, place)
            if not 0 < kind & RECORD_KIND <= LAST_RECORD_KIND:
                break
            place, number = place + 8 + size, number + 1
        else:
            if number >= CHAIN_OF_RECORDS:
                return True
    return False


def _is_wave(head: bytes) -> bool:
    """The sixteen-bit numbers of the headers add up to zero."""
    order = _order(head)
    if order is None:
        return False
    size = HEADERS[struct.unpack_from(f"{order}h", head)[0]][1]
    if len(head) < size:
        return False
    return bool(np.frombuffer(head, f"{order}i2", size // 2).sum(dtype=np.int64) & 0xFFFF == 0)


def _order(head: bytes) -> str | None:
    """The version is below 256, so the order of its two bytes is that of the file."""
    if len(head) < 2:
        return None
    return next((order for order in "<>" if struct.unpack_from(f"{order}h", head)[0] in HEADERS), None)


def _records(content: bytes) -> Iterator[bytes]:
    """The waves of a packed file: every record says its kind, a version and how many bytes follow."""
    for order in "<>":
        place = 0
        for _ in range(MOST_RECORDS):
            if place + 8 > len(content):
                break
            kind, _, size = struct.unpack_from(f"{order}HhI", content, place)
            if kind & RECORD_KIND > LAST_RECORD_KIND:
                break
            if kind & RECORD_KIND == WAVE_RECORD:
                yield content[place + 8 : place + 8 + size]
            place += 8 + size


@dataclass
class Wave:
    """What the headers of all versions have in common."""

    name: str
    kind: int
    shape: list[int]
    steps: tuple[float, ...]
    offsets: tuple[float, ...]
    units: list[str]
    data_at: int
    note: str


def read(path: Path) -> list[Dataset]:
    content = path.read_bytes()
    if _is_wave(content):
        return _wave_datasets(Bytes(content))
    waves = [Bytes(record) for record in _records(content) if _is_wave(record)]
    with_numbers = [wave for wave in waves if not _is_text(wave)]
    if not with_numbers:
        raise ReadError(
            "the headers do not add up to what they should, or there is no wave with numbers. The file is "
            "damaged, or holds text only; save it again from Igor.",
            byte=0,
        )
    return [dataset for wave in with_numbers for dataset in _wave_datasets(wave)]


def _headers(content: Bytes) -> tuple[Wave, str]:
    order = _order(content.raw(0, 2)) or "<"
    version = content.one(f"{order}h", 0)
    return _wave_5(content, order) if version == 5 else _older_wave(content, order, version), order


def _is_text(content: Bytes) -> bool:
    return _headers(content)[0].kind & ~UNSIGNED == 0


def _wave_datasets(content: Bytes) -> list[Dataset]:
    wave, order = _headers(content)
    values = _numbers(content, order, wave)
    said = _note(wave.note)
    axes = tuple(_axis(wave, dimension) for dimension in range(len(wave.shape) - 1, -1, -1))
    name, unit = named(wave.units[-1]) if wave.units[-1] else ("Signal", "")
    is_scienta = "[SES]" in wave.note
    parts = (
        {"": values} if not np.iscomplexobj(values) else {", real": values.real, ", imaginary": values.imag}
    )
    with np.errstate(invalid="ignore", over="ignore"):
        return [
            Dataset(
                Signal(name, unit, np.ascontiguousarray(part, dtype=np.float64)), axes,
                header={"wave": wave.name, **said},
                conditions=conditions(said) if is_scienta else {},
                title=(said.get("Region Name") or wave.name) + which,
                technique="xps" if is_scienta else "",
            )
            for which, part in parts.items()
        ]  # fmt: skip


def _wave_5(content: Bytes, order: str) -> Wave:
    data_bytes, formula, note, data_unit, *more = content.unpack(f"{order}12i", 4)[0:12]
    sizes = [max(0, size) for size in (formula, note, data_unit, *more[:4])]
    shape = [int(size) for size in content.unpack(f"{order}4i", 132)]
    shape = shape[: next((place for place, size in enumerate(shape) if size <= 0), 4)]
    behind = 384 + max(0, data_bytes - 320) + sizes[0]
    texts = []
    for size in sizes[1:]:
        texts.append(content.raw(behind, size).decode("latin-1") if size else "")
        behind += size
    short = [content.text(216 + 4 * dimension, 4) for dimension in range(4)] + [content.text(212, 4)]
    long = [*texts[2:6], texts[1]]
    return Wave(
        name=content.text(92, 32),
        kind=content.one(f"{order}h", 80),
        shape=shape,
        steps=content.unpack(f"{order}4d", 148),
        offsets=content.unpack(f"{order}4d", 180),
        units=[one.strip() or other for one, other in zip(long, short, strict=True)],
        data_at=384,
        note=texts[0],
    )


def _older_wave(content: Bytes, order: str, version: int) -> Wave:
    """Versions 1 to 3 have one dimension; the first has no note."""
    header = HEADERS[version][0]
    data_bytes = content.one(f"{order}i", 2)
    note_bytes = content.one(f"{order}i", 6) if version > 1 else 0
    note_at = header + data_bytes
    if note_bytes < 0 or data_bytes < 0:
        raise ReadError("the header announces a negative size. Copy the file again.", byte=2)
    return Wave(
        name=content.text(header + 6, 20),
        kind=content.one(f"{order}h", header),
        shape=[content.one(f"{order}i", header + 42)],
        steps=content.unpack(f"{order}d", header + 48),
        offsets=content.unpack(f"{order}d", header + 56),
        units=[content.text(header + 38, 4), content.text(header + 34, 4)],
        data_at=header + 110,
        note=content.raw(note_at, note_bytes).decode("latin-1") if note_bytes else "",
    )


def _numbers(content: Bytes, order: str, wave: Wave) -> NDArray[np.generic]:
    kind = KINDS.get(wave.kind & ~COMPLEX & ~UNSIGNED)
    if kind is None:
        raise ReadError(
            f"a wave of type {wave.kind} holds text, not numbers. Send the wave with the numbers."
        )
    if wave.kind & UNSIGNED:
        kind = kind.replace("i", "u")
    if not wave.shape or min(wave.shape) < 1:
        raise ReadError("the wave is empty. Save it again from Igor.")
    count = int(np.prod(wave.shape, dtype=object))
    if count > MOST_VALUES:
        raise ReadError(f"the wave announces {count} points, which cannot be. Copy the file again.")
    is_complex = bool(wave.kind & COMPLEX)
    values = content.floats(order + kind, count * (2 if is_complex else 1), wave.data_at)
    if is_complex:
        return (values[0::2] + 1j * values[1::2]).reshape(wave.shape[::-1])
    return values.reshape(wave.shape[::-1])


def _axis(wave: Wave, dimension: int) -> Axis:
    size = wave.shape[dimension]
    with np.errstate(invalid="ignore", over="ignore"):
        values = wave.offsets[dimension] + wave.steps[dimension] * np.arange(size, dtype=np.float64)
    if not np.all(np.isfinite(values)):
        raise ReadError("the wave has no finite scaling, so there is no axis. Copy the file again.")
    text = wave.units[dimension]
    name, unit = named(text) if "[" in text else ("xyzt"[dimension], text)
    return Axis(name, unit, values)


def _note(note: str) -> Mapping[str, str]:
    """Lines "key=value" of a note; others under their number."""
    said: dict[str, str] = {}
    for number, line in enumerate(note.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        key, mark, value = line.strip("\0").partition("=")
        if mark and key.strip():
            said[key.strip()] = value.strip()
        elif line.strip("\0 "):
            said[f"note line {number}"] = line.strip("\0 ")
    return said

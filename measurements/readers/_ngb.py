"""The records of Netzsch's NGB streams: tables of numbered fields, as Proteus stores a measurement.

A record is

    18 fc ff ff 03 80 01 | field u16 | 00 00 01 00 00 00 0c 00 17 fc ff ff | type u8 | 80 01 value
                                                                                     | a0 01 count u32 values

and a reference (type 1a) whose value ends with 02 00 00 80, kind u16, 00 00 opens a table; its field number
is then the category of the table, and the records that follow are its fields. Netzsch does not publish this;
it was worked out by the makers of pyngb from real files (https://github.com/GraysonBellamy/pyngb).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from measurements.data import Array, ReadError
from measurements.readers._binary import MOST_VALUES

RECORD = b"\x18\xfc\xff\xff\x03\x80\x01"
BETWEEN = b"\x00\x00\x01\x00\x00\x00\x0c\x00\x17\xfc\xff\xff"
SCALAR, ARRAY = b"\x80\x01", b"\xa0\x01"
END = b"\x01\x00\x00\x00\x02\x00\x01\x00\x00"
OPENS_TABLE = b"\x02\x00\x00\x80"
WIDE_STRING = b"\xff\xfe\xff"
REFERENCE, STRING, BYTES = 0x1A, 0x1F, 0x10
NUMBERS = {0x02: "<u2", 0x03: "<i4", 0x04: "<f4", 0x05: "<f8", 0x10: "<u1"}
SIZES = {0x00: 0, 0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x10: 1, 0x14: 8, 0x48: 16}
LONGEST_REFERENCE = 300
MOST_RECORDS = 1_000_000

Value = int | float | str | None


class Field(NamedTuple):
    """`value` of a scalar, or None; `values` of an array of numbers, or None."""

    value: Value
    values: Array | None


@dataclass
class Table:
    category: int
    kind: int
    fields: dict[int, Field] = field(default_factory=dict)

    def value(self, number: int) -> Value:
        found = self.fields.get(number)
        return found.value if found else None

    def strings(self) -> list[str]:
        return [entry.value for entry in self.fields.values() if isinstance(entry.value, str)]


def tables(stream: bytes) -> list[Table]:
    """All tables of a stream, in its order. The first field of a number counts."""
    found: list[Table] = []
    for number, kind, entry in _records(stream):
        if kind is not None:
            found.append(Table(number, kind))
        elif found:
            found[-1].fields.setdefault(number, entry)
    return found


def _records(stream: bytes) -> Iterator[tuple[int, int | None, Field]]:
    """(field number, kind of the table it opens or None, what it holds)."""
    place = stream.find(RECORD)
    for _ in range(MOST_RECORDS):
        if place < 0:
            return
        start = place + 24
        if start > len(stream) or stream[place + 9 : place + 21] != BETWEEN:
            place = stream.find(RECORD, place + 1)
            continue
        number = struct.unpack_from("<H", stream, place + 7)[0]
        code, mode = stream[place + 21], stream[place + 22 : place + 24]
        entry, size, kind = Field(None, None), 0, None
        if mode == ARRAY:
            entry, size = _array(stream, start, code)
        elif mode == SCALAR and code == REFERENCE:
            kind, size = _opened(stream, start)
        elif mode == SCALAR:
            entry, size = _scalar(stream, start, code)
        yield number, kind, entry
        place = stream.find(RECORD, start + size)
    raise ReadError(f"it holds more than {MOST_RECORDS} records, which cannot be. The file is damaged.")


def _array(stream: bytes, start: int, code: int) -> tuple[Field, int]:
    if start + 4 > len(stream) or code not in SIZES:
        return Field(None, None), 0
    count = struct.unpack_from("<I", stream, start)[0]
    size = 4 + count * SIZES[code]
    if count > MOST_VALUES or start + size > len(stream):
        raise ReadError(
            f"an array of {count} values was announced, but the stream ends before. The file is damaged "
            "or cut off: copy it again from the instrument.",
            byte=start,
        )
    if code not in NUMBERS:
        return Field(None, None), size
    with np.errstate(invalid="ignore", over="ignore"):
        values = np.frombuffer(stream, NUMBERS[code], count, start + 4).astype(np.float64)
    return Field(None, values), size


def _opened(stream: bytes, start: int) -> tuple[int | None, int]:
    """The kind of the table that a reference opens, if it does."""
    end = stream.find(END, start, start + LONGEST_REFERENCE)
    if end < start + 8 or stream[end - 8 : end - 4] != OPENS_TABLE or stream[end - 2 : end] != b"\0\0":
        return None, max(end - start, 0)
    return int(struct.unpack_from("<H", stream, end - 4)[0]), end - start


def _scalar(stream: bytes, start: int, code: int) -> tuple[Field, int]:
    if code == STRING:
        return _string(stream, start)
    size = SIZES.get(code, 0)
    if code not in NUMBERS or start + size > len(stream):
        return Field(None, None), size
    value = np.frombuffer(stream, NUMBERS[code], 1, start)[0]
    return Field(value.item(), None), size


def _string(stream: bytes, start: int) -> tuple[Field, int]:
    """Either ff fe ff, a count of letters and UTF-16, or a count of bytes and UTF-8."""
    if stream[start : start + 3] == WIDE_STRING and start + 4 <= len(stream):
        size = 4 + 2 * stream[start + 3]
        text = stream[start + 4 : start + size].decode("utf-16-le", "replace")
    elif start + 4 <= len(stream):
        size = 4 + struct.unpack_from("<I", stream, start)[0]
        if start + size > len(stream):
            return Field(None, None), 0
        raw = stream[start + 4 : start + size]
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("utf-16-le", "replace")
    else:
        return Field(None, None), 0
    return Field(text.replace("\0", "").strip(), None), size

"""PerkinElmer Spectrum binary (.sp): members, each an id, a length and a typed value, within blocks.

    0   "PEPE"              then 40 bytes of description: “2D constant interval DataSet file”
    44  id: int16, size: int32, content; the data set is block 120, and its members follow one another

The ids of the data set are known from public descriptions of the format; those of the instrument's block are
named where a real file shows what they are, and kept by number otherwise. The date is text without a zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._binary import Bytes
from measurements.readers._spectrum import NameAndUnit, axis_of, put, signal_of, understood
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PerkinElmer SP",
    extensions=(".sp",),
    vendor="PerkinElmer",
    techniques=("ftir", "uvvis"),
    description="Spectra of Spectrum and UV WinLab in PerkinElmer's binary format.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

MAGIC, FIRST_BLOCK, DATA_SET = b"PEPE", 44, 120
HEAD = 6  # id and size before each member's content
ABSCISSA, ORDINATE, INTERVAL, POINTS = -29838, -29837, -29836, -29835
X_LABEL, Y_LABEL, FILE_TYPE, DATA, NAME, HISTORY, ALIAS = (
    -29833,
    -29832,
    -29829,
    -29828,
    -29827,
    -29825,
    -29823,
)
MEMBERS = {
    -29839: "Data type", ABSCISSA: "Abscissa range", ORDINATE: "Ordinate range", INTERVAL: "Interval",
    POINTS: "Number of points", -29834: "Sampling method", X_LABEL: "X label", Y_LABEL: "Y label",
    -29831: "X unit type", -29830: "Y unit type", FILE_TYPE: "File type", NAME: "Name", -29826: "Checksum",
    ALIAS: "Alias",
}  # fmt: skip
HISTORY_MEMBERS = {
    -29838: "User", -29837: "Action", -29836: "Date", -29835: "Arguments", -29834: "Comment",
    -29699: "Instrument", -29698: "Serial number", -29697: "Firmware", -29695: "Detector", -29694: "Source",
    -29693: "Beam splitter", -29692: "Resolution", -29691: "Apodization", -29690: "Spectrum type",
    -29689: "Beam type", -29687: "Phase correction", -29682: "Accessory", -29680: "Interferogram",
    -29679: "Scan direction",
}  # fmt: skip
TEXT_TYPE, SHORT, LONG, ENUM, DOUBLE, COORDINATE, RANGE, NUMBERS = (
    0x7523, 0x752C, 0x752B, 0x7515, 0x751B, 0x751C, 0x751D, 0x7516,
)  # fmt: skip
SETTINGS: dict[str, NameAndUnit] = {
    "History.Instrument": ("instrument", ""),
    "History.Detector": ("detector", ""),
    "History.Resolution": ("resolution", "cm-1"),
    "History.User": ("operator", ""),
    "Alias": ("sample_name", ""),
    "History.Date": ("local_time", ""),
}
DEEPEST = 12
BLOCKS = range(115, 135)


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC) and b"DataSet file" in head[:FIRST_BLOCK]


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    if not content.raw(0, FIRST_BLOCK).startswith(MAGIC + b"2D constant interval"):
        kind = content.text(4, 40)
        raise ReadError(
            f"it is a PerkinElmer file of the kind “{kind}”; only spectra (2D constant interval) are read. "
            "Export the spectra one by one, or as text.",
            byte=0,
        )
    block, size = content.unpack("<hi", FIRST_BLOCK)
    if block != DATA_SET:
        raise ReadError(f"a data set was expected here, found block {block}. The file is damaged.", byte=44)
    content.need(FIRST_BLOCK + HEAD, size)
    values: dict[int, Any] = {}
    header: dict[str, str] = {"Signature": content.text(4, 40)}
    for member, start, length in _members(content, FIRST_BLOCK + HEAD, FIRST_BLOCK + HEAD + size):
        if member == HISTORY:
            _history(content, start, start + length, header, depth=0)
        elif member != DATA:
            value = _value(content, start, length)
            values.setdefault(member, value)
            put(header, MEMBERS.get(member, f"member {member}"), _said(value))
        else:
            values[DATA] = (start, length)
    return [_dataset(content, values, header)]


def _members(content: Bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(id, start of the content, its length) of the members between two offsets."""
    while start + HEAD <= end:
        member, length = content.unpack("<hi", start)
        if length < 0 or start + HEAD + length > end:
            raise ReadError(
                f"a member of {length} bytes does not fit into its block. Was the file cut off or altered? "
                "Copy it again.",
                byte=start,
            )
        yield member, start + HEAD, length
        start += HEAD + length


def _history(content: Bytes, start: int, end: int, header: dict[str, str], depth: int) -> None:
    """What was done to the spectrum and with which instrument: blocks within blocks."""
    if depth > DEEPEST or start + HEAD > end:
        return
    for block, inner, length in _members(content, start, end):
        nested = length >= HEAD and content.one("<h", inner) in BLOCKS
        if block in BLOCKS or nested:
            _history(content, inner, inner + length, header, depth + 1)
        elif value := _said(_value(content, inner, length)):
            put(header, f"History.{HISTORY_MEMBERS.get(block, f'member {block}')}", value)


def _value(content: Bytes, start: int, length: int) -> Any:  # a text, a number or a pair, as its type says
    if length < 2:
        return None
    kind, inside, rest = content.one("<H", start), start + 2, length - 2
    if kind == TEXT_TYPE and rest >= 2:
        return content.text(inside + 2, min(content.one("<H", inside), rest - 2), "cp1252")
    for known, layout, size in (
        (SHORT, "<h", 2), (ENUM, "<h", 2), (LONG, "<i", 4), (DOUBLE, "<d", 8), (COORDINATE, "<d", 8),
        (RANGE, "<2d", 16),
    ):  # fmt: skip
        if kind == known and rest >= size:
            numbers = content.unpack(layout, inside)
            return numbers if len(numbers) > 1 else numbers[0]
    return None


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{number:.12g}" for number in value)
    return f"{value:.12g}" if isinstance(value, float) else "" if value is None else str(value)


def _dataset(content: Bytes, values: dict[int, Any], header: dict[str, str]) -> Dataset:
    for needed in (ABSCISSA, POINTS, DATA):
        if values.get(needed) is None:
            raise ReadError(f"the member {needed} is missing: the file is damaged. Copy it again.")
    (first, last), points = values[ABSCISSA], values[POINTS]
    start, length = values[DATA]
    if content.one("<H", start) != NUMBERS:
        raise ReadError("the numbers are of an unknown type. Export the spectrum as text.", byte=start)
    if points < 1 or content.one("<i", start + 2) != 8 * points or length < 6 + 8 * points:
        raise ReadError(f"{points} points are announced, but the data have {length - 6} bytes.", byte=start)
    if not np.all(np.isfinite([first, last])) or (points > 1 and first == last):
        raise ReadError(f"the axis runs from {first} to {last}: the file is damaged. Copy it again.")
    x, y = axis_of(str(values.get(X_LABEL) or "")), signal_of(str(values.get(Y_LABEL) or ""))
    technique = {"Wavenumber": "ftir", "Wavelength": "uvvis"}.get(x[0], "")
    return Dataset(
        signal=Signal(*y, content.floats("<f8", points, start + 6)),
        axes=(Axis(*x, np.linspace(first, last, points)),),
        header=header,
        conditions={**understood(header, SETTINGS), **condition("comment", header.get("History.Comment"))},
        technique=technique,
    )

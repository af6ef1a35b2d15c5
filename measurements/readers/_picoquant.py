"""What PicoQuant's binary files have in common: the unified header of tags, and the fixed records before it.

Unified header (PTU, PHU): eight bytes of name, eight of version, then tags of 48 bytes: identifier, index,
type and value; texts and arrays follow their tag. Older files (THD, PHD, HHD) are packed C structures; a
layout here is their text, one "Name:code" for each field, in the codes of Python's struct.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import Bytes
from measurements.vocabulary import condition

Value = int | float | bool | str | None
MOST_CURVES = 1024
MOST_BINS = 2**24
TAG_BYTES = 48
HEAD_BYTES = 4 * 1024**2
MOST_HISTOGRAM_BYTES = 256 * 1024**2
MOST_TAGS = 20_000
HEADER_END = "Header_End"
EMPTY, BOOL, INT, BITS, COLOUR, FLOAT, MOMENT = (
    0xFFFF0008, 0x00000008, 0x10000008, 0x11000008, 0x12000008, 0x20000008, 0x21000008,
)  # fmt: skip
FLOATS, ANSI, WIDE, BLOB = 0x2001FFFF, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF
DAYS_BEGIN = datetime(1899, 12, 30, tzinfo=UTC)
DAMAGED = "The file is damaged: copy it again from the instrument."
NS_IN_S, S_IN_MS = 1e9, 1e-3


@dataclass(frozen=True)
class Tags:
    """The tags of a unified header: values by (identifier, index), index −1 where there is none."""

    values: Mapping[tuple[str, int], Value]
    end: int  # the byte after Header_End

    def get(self, name: str, index: int = -1) -> Value:
        found = self.values.get((name, index))
        return self.values.get((name, -1)) if found is None else found

    def number(self, name: str, index: int = -1) -> float | None:
        value = self.get(name, index)
        if isinstance(value, bool | str) or value is None or not math.isfinite(value):
            return None
        return float(value)

    def count(self, name: str, index: int = -1) -> int:
        """A number of things, or ReadError if the file does not say it."""
        value = self.get(name, index)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ReadError(f"the header has no usable “{name}” ({value}). {DAMAGED}")
        return value

    def header(self) -> dict[str, str]:
        """The tags in the words and order of the file."""
        return {
            name if index < 0 else f"{name}[{index}]": _written(value)
            for (name, index), value in self.values.items()
        }


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def unified_header(data: Bytes) -> Tags:
    """The tags at the beginning of a PTU or PHU file."""
    values: dict[tuple[str, int], Value] = {}
    place = 16
    for _ in range(MOST_TAGS):
        name = data.text(place, 32, "ascii")
        index, kind = data.unpack("<iI", place + 32)
        place += TAG_BYTES
        if name == HEADER_END:
            return Tags(values, place)
        value, size = _tag_value(data, place - 8, kind)
        values.setdefault((name, index), value)
        place += size
    raise ReadError(f"the header has more than {MOST_TAGS} tags, which cannot be. {DAMAGED}")


def _tag_value(data: Bytes, at: int, kind: int) -> tuple[Value, int]:
    """The value of a tag and how many bytes follow it."""
    if kind == EMPTY:
        return None, 0
    if kind == BOOL:
        return bool(data.one("<q", at)), 0
    if kind in (INT, BITS, COLOUR):
        return int(data.one("<q", at)), 0
    if kind == FLOAT:
        return float(data.one("<d", at)), 0
    if kind == MOMENT:
        return _moment(data.one("<d", at)), 0
    if kind in (ANSI, WIDE, FLOATS, BLOB):
        size = data.one("<q", at)
        data.need(at + 8, size)
        encoding = {ANSI: "latin-1", WIDE: "utf-16-le"}.get(kind)
        if encoding:
            return data.raw(at + 8, size).decode(encoding, "replace").split("\0")[0].strip(), size
        return f"{size} bytes", size
    raise ReadError(
        f"a tag has the unknown type {kind:#x}. The file is damaged or newer than this reader.", byte=at
    )


def _moment(days: float) -> str:
    """Days since 30 December 1899, in the local time of the computer: no zone."""
    try:
        return (DAYS_BEGIN + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError):
        return str(days)


class Fields:
    """Reads packed structures one after another and keeps every value under its name, in order."""

    def __init__(self, data: Bytes, place: int) -> None:
        self.data, self.place = data, place
        self.values: dict[str, Value] = {}

    def read(self, layout: str, prefix: str = "") -> dict[str, Value]:
        """The fields of a layout, such as "Name:16s Count:i", under `prefix` + name; returns them alone."""
        own: dict[str, Value] = {}
        for entry in layout.split():
            name, _, code = entry.partition(":")
            size = self.data.unpack(f"<{code}", self.place)
            value = size[0]
            if isinstance(value, bytes):
                value = value.split(b"\0")[0].decode("latin-1").strip()
            own[name] = value
            self.place += _size(code)
        self.values |= {f"{prefix}{name}": value for name, value in own.items()}
        return own

    def many(self, count: Value, layout: str, name: str) -> list[dict[str, Value]]:
        """`count` structures, as name[0], name[1], …"""
        if not isinstance(count, int) or not 0 <= count <= MOST_CURVES:
            raise ReadError(
                f"it announces {count} entries of “{name}”, which cannot be. {DAMAGED}",
                byte=self.place,
            )
        return [self.read(layout, f"{name}[{index}].") for index in range(count)]

    def header(self) -> dict[str, str]:
        return {
            name: _written(value) for name, value in self.values.items() if name.rpartition(".")[2] != "CRLF"
        }


def _size(code: str) -> int:
    return int(code[:-1]) if code.endswith("s") else {"i": 4, "I": 4, "f": 4, "d": 8, "q": 8}[code]


DISPLAY = "".join(f" DisplayCurve[{n}].MapTo:i DisplayCurve[{n}].Show:i" for n in range(8))
SCAN = "".join(f" Param[{n}].{part}:f" for n in range(3) for part in ("Start", "Step", "Stop"))
REPEAT = " RepeatMode:i RepeatsPerCurve:i RepeatTime:i RepeatWaitTime:i ScriptName:20s"


def decay(
    counts: Array,
    channel_width_ns: float,
    header: Mapping[str, str],
    conditions: Mapping[str, Quantity],
    title: str,
    acquired_at: datetime | None = None,
) -> Dataset:
    """A histogram of photons over time: the time of a channel is that of its beginning."""
    if not (math.isfinite(channel_width_ns) and channel_width_ns > 0):
        raise ReadError(f"the width of a channel is {channel_width_ns:g} ns, which cannot be. {DAMAGED}")
    return Dataset(
        signal=Signal("Counts", "counts", counts),
        axes=(Axis("Time", "ns", np.arange(counts.size, dtype=np.float64) * channel_width_ns),),
        header=dict(header),
        acquired_at=acquired_at,
        conditions={**conditions, **condition("channel_width", channel_width_ns, "ns")},
        title=title,
        technique="trpl",
    )


def histogram(data: Bytes, bins: Value, at: int) -> Array:
    """`bins` channels of 32 bits."""
    if not isinstance(bins, int) or not 0 < bins <= MOST_BINS:
        raise ReadError(
            f"a curve of {bins} channels is announced, which cannot be. {DAMAGED}",
            byte=at,
        )
    return data.floats("<u4", bins, at)


def refuse_overlap(data: Bytes, bins: Iterable[Value]) -> None:
    """Curves that together have more counts than the file are not what an instrument wrote."""
    total = sum(size for size in bins if isinstance(size, int) and size > 0)
    if 4 * total > len(data):
        raise ReadError(f"its curves announce {total} channels, more than the file holds. {DAMAGED}")


def refuse_version(version: Value, known: Sequence[str]) -> None:
    if version not in known:
        raise ReadError(
            f"format version “{version}” is not known; read are {', '.join(known)}. Export the curves as "
            "text."
        )


def refuse_photons(mode: Value) -> None:
    """Before PTU, single photons were stored in files that begin like those of histograms."""
    if mode != 0:
        raise ReadError(
            f"the file holds single photons in a way that is not known (measurement mode {mode}). Convert it "
            "to PTU with PicoQuant's converter, or export the decay as text."
        )


def number(value: Value) -> float:
    """A number of the header, 0 when it is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def head_of(path: Path) -> Bytes:
    """Enough of a file for the structures before its photons, which may be gigabytes."""
    with path.open("rb") as file:
        return Bytes(file.read(HEAD_BYTES))


def whole(path: Path) -> Bytes:
    """All of a file of histograms; they are never large."""
    if path.stat().st_size > MOST_HISTOGRAM_BYTES:
        raise ReadError(
            f"histograms of {path.stat().st_size / 1e6:.0f} MB are not read; up to "
            f"{MOST_HISTOGRAM_BYTES / 1e6:.0f} MB are."
        )
    return Bytes.of(path)


def without_empty(datasets: Sequence[Dataset]) -> tuple[Sequence[Dataset], dict[str, str]]:
    """The curves that hold counts, and a line for their header about the others."""
    measured = [dataset for dataset in datasets if dataset.signal.values.any()]
    empty = [dataset.title for dataset in datasets if not dataset.signal.values.any()]
    if not measured or not empty:
        return datasets, {}
    return measured, {"without counts": ", ".join(empty)}


def curves_of(count: int) -> Iterator[int]:
    if not 0 < count <= MOST_CURVES:
        raise ReadError(
            f"it announces {count} curves; from 1 to {MOST_CURVES} are read. The file is damaged."
        )
    return iter(range(count))


def first_text(*values: Value) -> str | None:
    return next((str(value) for value in values if value), None)


def rates(sync_hz: Value, counts_per_s: Value) -> dict[str, Quantity]:
    """Rates that were measured; zero means that there was no signal, or that nobody measured."""
    known: dict[str, Quantity] = {}
    if isinstance(sync_hz, int | float) and sync_hz > 0:
        known |= condition("repetition_rate", float(sync_hz), "Hz")
    if isinstance(counts_per_s, int | float) and counts_per_s > 0:
        known |= condition("count_rate", float(counts_per_s), "counts/s")
    return known


def exposure(milliseconds: Value) -> dict[str, Quantity]:
    if isinstance(milliseconds, int | float) and milliseconds > 0:
        return condition("exposure_time", float(milliseconds) * S_IN_MS, "s")
    return {}


def moment(seconds: Value) -> datetime | None:
    """The moment of a time_t, which counts from 1970 in UTC; zero means that it was not recorded."""
    if not isinstance(seconds, int) or not 0 < seconds < 2**31:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def told(values: Sequence[tuple[str, Value]]) -> dict[str, Quantity]:
    """Conditions that are words."""
    known: dict[str, Quantity] = {}
    for key, value in values:
        known |= condition(key, str(value) if value else None)
    return known

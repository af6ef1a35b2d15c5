"""PicoQuant's time-tagged photons with the unified header (.ptu), T2 and T3 records of every instrument.

A T3 file becomes a decay for each input channel: how many photons came how long after the laser pulse. In a
T2 file there is no pulse: it becomes a count trace for each input channel, in steps of 10 ms, or wider for
long measurements. Where photons were recorded while a laser scanned, all pixels are added. Times have no
zone. Records are read piece by piece, so that gigabytes need little memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _picoquant as pq
from measurements.readers import _tttr
from measurements.readers._binary import Bytes
from measurements.readers._picoquant import Tags
from measurements.readers._tttr import Kind, Records
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PicoQuant PTU photons",
    extensions=(".ptu",),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Single photons of PicoHarp, HydraHarp, TimeHarp 260 and MultiHarp: decays from T3 files, "
    "count traces from T2 files.",
    max_bytes=4 * 1024**3,
)
VERSION = 1

MAGIC = b"PQTTTR\0\0"
HEADER_BYTES = 4 * 1024**2
RECORDS_AT_ONCE = 1024**2
STEP_S = 0.01
MOST_STEPS = 200_000
MOST_CHANNELS = 65


class Trace(NamedTuple):
    """Counts of each channel in steps of a clock that ticks `step` times the resolution."""

    counts: dict[int, Array]
    step_s: float


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    with path.open("rb") as file:
        tags = pq.unified_header(Bytes(file.read(HEADER_BYTES)))
    code = tags.count("TTResultFormat_TTTRRecType")
    kind = _tttr.KINDS.get(code)
    if kind is None:
        raise ReadError(
            f"records of the type {code:#x} are not known. Export the decay as text, or as a histogram (PHU)."
        )
    announced = tags.count("TTResult_NumberOfRecords")
    held = (path.stat().st_size - tags.end) // 4
    if announced > held:
        raise ReadError(
            f"the header announces {announced} records, the file holds {held}. It was probably cut off: "
            "copy it again from the instrument.",
            byte=path.stat().st_size,
        )
    records = _records(path, tags.end, announced or held)
    return _decays(records, kind, tags) if kind.mode == 3 else _traces(records, kind, tags)


def _records(path: Path, start: int, count: int) -> Iterator[Records]:
    with path.open("rb") as file:
        file.seek(start)
        while count > 0:
            piece = np.fromfile(file, "<u4", min(count, RECORDS_AT_ONCE))
            if not piece.size:
                return
            count -= piece.size
            yield piece


def _decays(records: Iterator[Records], kind: Kind, tags: Tags) -> list[Dataset]:
    width_s = tags.number("MeasDesc_Resolution") or 0.0
    delays = _tttr.DELAYS[kind.family]
    counts = np.zeros((MOST_CHANNELS, delays))
    for piece in records:
        photons = _tttr.t3(piece, kind)
        places = photons.channels * delays + photons.times
        counts += np.bincount(places, minlength=counts.size).reshape(counts.shape)
    used = _used(np.flatnonzero(counts.any(axis=0)), width_s, tags)
    return [
        pq.decay(
            counts[channel, :used].copy(),
            width_s * pq.NS_IN_S,
            tags.header(),
            _conditions(tags, channel),
            f"Decay of channel {channel + 1}",
        )
        for channel in _seen(np.any(counts, axis=1))
    ]


def _used(filled: NDArray[Any], width_s: float, tags: Tags) -> int:
    """How many channels the time between two pulses has, or as many as have counts."""
    last = int(filled[-1]) + 1 if filled.size else 1
    sync_hz = tags.number("TTResult_SyncRate") or 0.0
    if sync_hz <= 0 or width_s <= 0:
        return last
    return max(last, min(math.floor(1 / (sync_hz * width_s)), 2**15))


def _seen(has_counts: NDArray[Any]) -> list[int]:
    channels = [int(channel) for channel in np.flatnonzero(has_counts)]
    if not channels:
        raise ReadError("there is no photon in it. Was the laser or the detector off?")
    return channels


def _traces(records: Iterator[Records], kind: Kind, tags: Tags) -> list[Dataset]:
    clock_s = tags.number("MeasDesc_GlobalResolution") or 0.0
    if not 0 < clock_s < STEP_S:
        raise ReadError(
            f"the clock of the instrument ticks every {clock_s:g} s, which cannot be. {pq.DAMAGED}"
        )
    trace = _counted(records, kind, clock_s)
    names = {-1: "sync input"}
    size = max(counts.size for counts in trace.counts.values())
    times = np.arange(size, dtype=np.float64) * trace.step_s
    return [
        Dataset(
            signal=Signal("Counts", "counts", np.pad(counts, (0, size - counts.size))),
            axes=(Axis("Time", "s", times),),
            header={**tags.header(), "counts are those of": f"{trace.step_s:g} s"},
            conditions={**_conditions(tags, channel), **condition("dwell_time", trace.step_s, "s")},
            title=f"Count trace of {names.get(channel, f'channel {channel + 1}')}",
            technique="trpl",
        )
        for channel, counts in sorted(trace.counts.items(), key=lambda entry: (entry[0] < 0, entry[0]))
    ]


def _counted(records: Iterator[Records], kind: Kind, clock_s: float) -> Trace:
    """Steps double in width whenever there would be too many of them."""
    ticks = round(STEP_S / clock_s)
    counts: dict[int, Array] = {}
    overflow = 0
    for piece in records:
        photons = _tttr.t2(piece, kind, overflow)
        overflow = photons.overflow
        if not photons.times.size:
            continue
        last = int(photons.times.max())
        while last // ticks >= MOST_STEPS:
            ticks *= 2
            counts = {channel: _paired(values) for channel, values in counts.items()}
        for channel in np.unique(photons.channels):
            steps = np.bincount(photons.times[photons.channels == channel] // ticks).astype(np.float64)
            before = counts.get(int(channel), np.zeros(0))
            total = np.zeros(max(steps.size, before.size))
            total[: before.size] += before
            total[: steps.size] += steps
            counts[int(channel)] = total
    if not counts:
        raise ReadError("there is no photon in it. Was the laser or the detector off?")
    return Trace(counts, ticks * clock_s)


def _paired(values: Array) -> Array:
    even = np.pad(values, (0, values.size % 2))
    total: Array = even[0::2] + even[1::2]
    return total


def _conditions(tags: Tags, channel: int) -> dict[str, Quantity]:
    counted = tags.values.get(("TTResult_InputRate", max(channel, 0)))
    return {
        **pq.rates(tags.get("TTResult_SyncRate"), counted),
        **pq.exposure(tags.get("TTResult_StopAfter") or tags.get("MeasDesc_AcquisitionTime")),
        **pq.told(
            [
                ("instrument", tags.get("HW_Type")),
                ("software", tags.get("CreatorSW_Name")),
                ("local_time", tags.get("File_CreatingTime")),
                ("comment", tags.get("File_Comment")),
            ]
        ),
    }

"""Photons recorded one by one, as decays after the laser pulse or as count traces, whatever file held them.

Records are read piece by piece, so that gigabytes need little memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _picoquant as pq
from measurements.readers import _tttr
from measurements.readers._tttr import Kind, Records
from measurements.vocabulary import condition

RECORDS_AT_ONCE = 1024**2
STEP_S = 0.01
MOST_STEPS = 200_000
MOST_CHANNELS = 65


class Stream(NamedTuple):
    """Where the records are and what their numbers mean.

    announced : how many the header says there are; 0 when it does not know
    clock_s : what the times of T2 records count in
    width_s : what the delays of T3 records count in
    sync_hz : laser pulses per second, 0 when unknown
    """

    path: Path
    start: int
    announced: int
    kind: Kind
    clock_s: float
    width_s: float
    sync_hz: float


class Trace(NamedTuple):
    """Counts of each channel in steps of `step_s`."""

    counts: dict[int, Array]
    step_s: float


Conditions = Callable[[int], Mapping[str, Quantity]]


def datasets(stream: Stream, header: Mapping[str, str], conditions: Conditions) -> list[Dataset]:
    """A decay (T3) or a count trace (T2) for each input; `conditions` are asked for each channel."""
    held = max((stream.path.stat().st_size - stream.start) // 4, 0)
    if stream.announced > held:
        raise ReadError(
            f"the header announces {stream.announced} records, the file holds {held}. It was probably cut "
            "off: copy it again from the instrument.",
            byte=stream.path.stat().st_size,
        )
    records = _records(stream.path, stream.start, stream.announced or held)
    make = _decays if stream.kind.mode == 3 else _traces
    return make(records, stream, header, conditions)


def _records(path: Path, start: int, count: int) -> Iterator[Records]:
    with path.open("rb") as file:
        file.seek(start)
        while count > 0:
            piece = np.fromfile(file, "<u4", min(count, RECORDS_AT_ONCE))
            if not piece.size:
                return
            count -= piece.size
            yield piece


def _decays(
    records: Iterator[Records], stream: Stream, header: Mapping[str, str], conditions: Conditions
) -> list[Dataset]:
    delays = _tttr.DELAYS[stream.kind.family]
    counts = np.zeros((MOST_CHANNELS, delays))
    for piece in records:
        photons = _tttr.t3(piece, stream.kind)
        places = photons.channels * delays + photons.times
        counts += np.bincount(places, minlength=counts.size).reshape(counts.shape)
    used = _used(np.flatnonzero(counts.any(axis=0)), stream)
    return [
        pq.decay(
            counts[channel, :used].copy(),
            stream.width_s * pq.NS_IN_S,
            header,
            conditions(channel),
            f"Decay of channel {channel + 1}",
        )
        for channel in _seen(np.any(counts, axis=1))
    ]


def _used(filled: NDArray[Any], stream: Stream) -> int:
    """How many channels the time between two pulses has, or as many as have counts."""
    last = int(filled[-1]) + 1 if filled.size else 1
    if stream.sync_hz <= 0 or stream.width_s <= 0:
        return last
    return max(last, min(math.floor(1 / (stream.sync_hz * stream.width_s)), 2**15))


def _seen(has_counts: NDArray[Any]) -> list[int]:
    channels = [int(channel) for channel in np.flatnonzero(has_counts)]
    if not channels:
        raise ReadError("there is no photon in it. Was the laser or the detector off?")
    return channels


def _traces(
    records: Iterator[Records], stream: Stream, header: Mapping[str, str], conditions: Conditions
) -> list[Dataset]:
    if not 0 < stream.clock_s < STEP_S:
        raise ReadError(
            f"the clock of the instrument ticks every {stream.clock_s:g} s, which cannot be. {pq.DAMAGED}"
        )
    trace = _counted(records, stream.kind, stream.clock_s)
    names = {-1: "sync input"}
    size = max(counts.size for counts in trace.counts.values())
    times = np.arange(size, dtype=np.float64) * trace.step_s
    return [
        Dataset(
            signal=Signal("Counts", "counts", np.pad(counts, (0, size - counts.size))),
            axes=(Axis("Time", "s", times),),
            header={**header, "counts are those of": f"{trace.step_s:g} s"},
            conditions={**conditions(channel), **condition("dwell_time", trace.step_s, "s")},
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

"""A small dataset in a few kilobytes that are read in microseconds: opening an HDF5 file takes a millisecond.

A copy for speed, never the record: the NeXus file under its hash is what counts, and whoever misses the copy
reads that. Layout: length of the description (uint32), the description as JSON, then float64 numbers, all
little-endian: every axis, the signal, its errors if it has them.
"""

from __future__ import annotations

import json
import struct
from datetime import datetime

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, Signal

LARGEST_BYTES = 64 * 1024


def pack(dataset: Dataset) -> bytes | None:
    """The whole dataset, nothing left out; None when it is too large to be worth a copy."""
    signal = dataset.signal
    numbers = [axis.values for axis in dataset.axes] + [signal.values]
    numbers += [] if signal.errors is None else [signal.errors]
    if 8 * sum(array.size for array in numbers) > LARGEST_BYTES:
        return None
    described = {
        "signal": [signal.name, signal.unit, signal.errors is not None],
        "axes": [[axis.name, axis.unit, axis.values.size] for axis in dataset.axes],
        "header": list(dataset.header.items()),
        "acquired_at": dataset.acquired_at.isoformat() if dataset.acquired_at else None,
        "conditions": [[key, each.value, each.unit] for key, each in dataset.conditions.items()],
        "title": dataset.title,
        "technique": dataset.technique,
    }
    head = json.dumps(described).encode()
    if len(head) > LARGEST_BYTES:
        return None
    body = b"".join(np.ascontiguousarray(array, dtype="<f8").tobytes() for array in numbers)
    return struct.pack("<I", len(head)) + head + body


def unpack(content: bytes) -> Dataset:
    """What `pack` was given, equal in every number and text."""
    (size,) = struct.unpack_from("<I", content)
    said = json.loads(bytes(content[4 : 4 + size]))
    place = 4 + size

    def take(shape: tuple[int, ...]) -> Array:
        nonlocal place
        count = int(np.prod(shape))
        # A copy, so that it is aligned, and a method may write into it.
        taken = np.frombuffer(content, dtype="<f8", count=count, offset=place).astype(np.float64)
        place += 8 * count
        return taken.reshape(shape)

    axes = tuple(Axis(name, unit, take((points,))) for name, unit, points in said["axes"])
    shape = tuple(axis.values.size for axis in axes)
    name, unit, has_errors = said["signal"]
    values = take(shape)
    return Dataset(
        signal=Signal(name, unit, values, take(shape) if has_errors else None),
        axes=axes,
        header=dict(said["header"]),
        acquired_at=datetime.fromisoformat(said["acquired_at"]) if said["acquired_at"] else None,
        conditions={key: Quantity(value, unit) for key, value, unit in said["conditions"]},
        title=said["title"],
        technique=said["technique"],
    )

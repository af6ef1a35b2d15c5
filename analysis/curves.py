"""The curves of a run (data, fit, components, residual), kept like datasets: HDF5, by content.

A run that was executed alone has a NeXus file with one NXdata for each curve. The runs of a batch share a
file, for an HDF5 group costs more than the fit it describes:

    /numbers  float64, every x and y one after the other; an x that several curves share stands there once
    /index    JSON, for each run its curves: [name, x_name, x_unit, y_name, y_unit, x_start, y_start, size]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.methods import Array, Curve
from analysis.models import Artifact
from measurements import hdf5
from measurements.data import Axis, Dataset, Signal
from measurements.models import Blob
from measurements.services import keep_datasets, load_named
from measurements.store import Stored, store


def store_curves(curves: Sequence[Curve]) -> Blob | None:
    return keep_datasets({curve.name: _dataset(curve) for curve in curves}) if curves else None


def store_together(runs: Sequence[Sequence[Curve]]) -> Stored:
    """One file with the curves of several runs; a run finds its own by its position."""
    path = store().new_temporary()
    try:
        _write_together(path, runs)
        return store().adopt(path)
    finally:
        path.unlink(missing_ok=True)


def load_curves(artifact: Artifact) -> list[Curve]:
    """In the order in which the method gave them."""
    if artifact.member is not None:
        with store().local(artifact.blob.sha256) as path:
            return _read_member(path, artifact.member)
    datasets = load_named(artifact.blob)
    return [_curve(name, datasets[name]) for name in artifact.names]


def load_curves_of(artifacts: Sequence[Artifact]) -> list[list[Curve]]:
    """Those of each, in the same order; a file that several runs share is opened once."""
    members: dict[str, list[int]] = {}
    for artifact in artifacts:
        if artifact.member is not None:
            members.setdefault(artifact.blob.sha256, []).append(artifact.member)
    shared: dict[tuple[str, int | None], list[Curve]] = {}
    for sha256, wanted in members.items():
        with store().local(sha256) as path:
            found = _read_members(path, wanted)
        shared |= {(sha256, member): curves for member, curves in zip(wanted, found, strict=True)}
    return [
        load_curves(artifact) if artifact.member is None else shared[artifact.blob.sha256, artifact.member]
        for artifact in artifacts
    ]


def _write_together(path: Path, runs: Sequence[Sequence[Curve]]) -> None:
    pieces: list[Array] = []
    places: dict[bytes, int] = {}
    seen: dict[int, int] = {}  # by identity, which is quicker to ask than content
    end = 0

    def place(numbers: Array) -> int:
        nonlocal end
        if id(numbers) in seen:
            return seen[id(numbers)]
        array = np.ascontiguousarray(numbers, dtype=np.float64)
        content = array.tobytes()
        if content not in places:
            places[content] = end
            pieces.append(array)
            end += array.size
        seen[id(numbers)] = places[content]
        return places[content]

    index = [
        [
            [
                curve.name,
                curve.x_name or "x",
                curve.x_unit,
                curve.y_name or "y",
                curve.y_unit,
                place(curve.x),
                place(curve.y),
                int(np.size(curve.x)),
            ]
            for curve in curves
        ]
        for curves in runs
    ]
    with hdf5.created(path) as file:
        file.create_dataset("numbers", data=np.concatenate(pieces) if pieces else np.empty(0))
        file.create_dataset("index", data=json.dumps(index))


def _read_member(path: Path, member: int) -> list[Curve]:
    (curves,) = _read_members(path, [member])
    return curves


def _read_members(path: Path, members: Sequence[int]) -> list[list[Curve]]:
    import h5py

    with h5py.File(path, "r") as file:
        numbers, index = file["numbers"], json.loads(file["index"][()])
        return [
            [
                Curve(name, numbers[x : x + size], numbers[y : y + size], x_name, x_unit, y_name, y_unit)
                for name, x_name, x_unit, y_name, y_unit, x, y, size in index[member]
            ]
            for member in members
        ]


def _dataset(curve: Curve) -> Dataset:
    return Dataset(
        signal=Signal(curve.y_name or "y", curve.y_unit, np.asarray(curve.y, float)),
        axes=(Axis(curve.x_name or "x", curve.x_unit, np.asarray(curve.x, float)),),
    )


def _curve(name: str, dataset: Dataset) -> Curve:
    (axis,), signal = dataset.axes, dataset.signal
    return Curve(name, axis.values, signal.values, axis.name, axis.unit, signal.name, signal.unit)

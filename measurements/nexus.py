"""Datasets as NeXus NXdata in HDF5, readable by any NeXus tool.

    /                NXroot, @default
    /<name>          NXentry, @default, start_time (only if the file gave one)
    /<name>/data     NXdata, @signal, @axes; one field per axis, the signal, <signal>_errors; each with @units
    /<name>/header   NXcollection: everything the instrument's file said, as one JSON text
    /<name>/conditions  NXcollection: what Vitrine understood of it; numbers with @units

What leaves the house says besides where it comes from (`tell_origin`):

    /<name>/experiment_description, entry_identifier, program_name   what it is, its number, its reader
    /<name>/sample, instrument   NXsample, NXinstrument, each with its name
    /<name>/raw_files            NXcollection of NXnote: file_name and sha256 of what the instrument wrote
    /<name>/stated               NXcollection: the conditions of the measurement, its sender's word included

The same datasets give the same bytes (no time stamps, no names of machines), so that the content-addressed
store recognises a second reading. h5py is imported inside: it doubles what NumPy costs a process at start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from measurements import hdf5
from measurements.data import Array, Axis, Dataset, Quantity, Signal

# h5py has no types; a Group or Dataset of it is Any here.


def write_nxdata(target: Path | BinaryIO, datasets: Mapping[str, Dataset]) -> None:
    """One NXentry for each named dataset, in the order given."""
    with hdf5.created(target, track_order=True) as file:
        file.attrs["NX_class"] = "NXroot"
        if datasets:
            file.attrs["default"] = _node(next(iter(datasets)))
        for name, dataset in datasets.items():
            entry = _group(file, _node(name), "NXentry")
            entry.attrs["default"] = "data"
            # The entry's own name may hold characters that no HDF5 path can.
            entry.create_dataset("title", data=_string(name))
            for key in ("title", "technique"):
                if text := getattr(dataset, key):
                    entry.attrs[f"vitrine_{key}"] = _string(text)
            _write_entry(entry, dataset)


@dataclass(frozen=True)
class Origin:
    """Where a dataset comes from. `raw_files`: (name, SHA-256); empty words are not written."""

    description: str
    identifier: str
    program: str
    sample: str = ""
    notation: str = ""
    instrument: str = ""
    raw_files: Sequence[tuple[str, str]] = ()
    stated: Mapping[str, Quantity] = field(default_factory=dict)


def tell_origin(path: Path, origin: Origin) -> None:
    """Write into a copy of a dataset's file what would else be known in this house only."""
    with hdf5.changed(path) as file:
        for entry in file.values():
            entry.create_dataset("experiment_description", data=_string(origin.description))
            entry.create_dataset("entry_identifier", data=_string(origin.identifier))
            entry.create_dataset("program_name", data=_string(origin.program))
            if origin.sample:
                sample = _group(entry, "sample", "NXsample")
                sample.create_dataset("name", data=_string(origin.sample))
                sample.create_dataset("description", data=_string(origin.notation))
            if origin.instrument:
                _group(entry, "instrument", "NXinstrument").create_dataset(
                    "name", data=_string(origin.instrument)
                )
            files = _group(entry, "raw_files", "NXcollection")
            for number, (filename, sha256) in enumerate(origin.raw_files, start=1):
                note = _group(files, f"file_{number}", "NXnote")
                note.create_dataset("file_name", data=_string(filename))
                note.create_dataset("sha256", data=sha256)
            _quantities(_group(entry, "stated", "NXcollection"), origin.stated)


def read_nxdata(source: Path | BinaryIO) -> dict[str, Dataset]:
    """What `write_nxdata` wrote: the same names, numbers, units and texts, in the same order."""
    import h5py

    with h5py.File(source, "r") as file:
        return {_text(file[node]["title"][()]): _read_entry(file[node]) for node in file}


def _write_entry(entry: Any, dataset: Dataset) -> None:
    if dataset.acquired_at is not None:
        entry.create_dataset("start_time", data=dataset.acquired_at.isoformat())
    data = _group(entry, "data", "NXdata")
    taken: set[str] = set()
    signal = _field_name(dataset.signal.name, taken, "signal")
    axes = [_field_name(axis.name, taken, f"axis_{number}") for number, axis in enumerate(dataset.axes)]
    data.attrs["signal"] = signal
    data.attrs["axes"] = axes
    for position, axis_field in enumerate(axes):
        data.attrs[f"{axis_field}_indices"] = position
    _numbers(data, signal, dataset.signal)
    for name, axis in zip(axes, dataset.axes, strict=True):
        _numbers(data, name, axis)
    if dataset.signal.errors is not None:
        errors = data.create_dataset(f"{signal}_errors", data=dataset.signal.errors)
        errors.attrs["units"] = _string(dataset.signal.unit)
    header = _group(entry, "header", "NXcollection")
    header.create_dataset("json", data=json.dumps(dict(dataset.header), ensure_ascii=False))
    conditions = _group(entry, "conditions", "NXcollection")
    _quantities(conditions, dataset.conditions)


def _quantities(group: Any, quantities: Mapping[str, Quantity]) -> None:
    for key, quantity in quantities.items():
        value = _string(quantity.value) if isinstance(quantity.value, str) else quantity.value
        node = group.create_dataset(_node(key), data=value)
        node.attrs["units"] = _string(quantity.unit)
        node.attrs["key"] = _string(key)


def _read_entry(entry: Any) -> Dataset:
    data = entry["data"]
    signal_name = data.attrs["signal"]
    signal = data[signal_name]
    errors = data.get(f"{signal_name}_errors")
    start = entry.get("start_time")
    return Dataset(
        signal=Signal(
            name=signal.attrs["long_name"],
            unit=signal.attrs["units"],
            values=_array(signal),
            errors=None if errors is None else _array(errors),
        ),
        axes=tuple(
            Axis(data[field].attrs["long_name"], data[field].attrs["units"], _array(data[field]))
            for field in data.attrs["axes"]
        ),
        header=json.loads(_text(entry["header"]["json"][()])),
        acquired_at=None if start is None else datetime.fromisoformat(_text(start[()])),
        conditions={
            node.attrs["key"]: Quantity(_value(node[()]), node.attrs["units"])
            for node in entry["conditions"].values()
        },
        title=entry.attrs.get("vitrine_title", ""),
        technique=entry.attrs.get("vitrine_technique", ""),
    )


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.create_group(name, track_order=True)
    group.attrs["NX_class"] = nx_class
    return group


def _numbers(data: Any, field: str, numbers: Axis | Signal) -> None:
    node = data.create_dataset(field, data=numbers.values)
    node.attrs["units"] = _string(numbers.unit)
    node.attrs["long_name"] = _string(numbers.name)


def _field_name(name: str, taken: set[str], fallback: str) -> str:
    """A NeXus name (letters, digits, underscore) not in use yet; the words themselves go to @long_name."""
    field = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or fallback
    if not re.match(r"[A-Za-z_]", field) or field in taken or field.endswith("_errors"):
        field = fallback
    taken |= {field, f"{field}_errors"}
    return field


def _node(name: str) -> str:
    """An HDF5 link may hold anything but a slash; "." alone means the group itself."""
    return _string(name).replace("/", "∕").replace(".", "․") or "entry"


def _string(text: str) -> str:
    """HDF5 holds any text but NUL."""
    return text.replace("\0", "�")


def _array(node: Any) -> Array:
    return np.asarray(node[()], dtype=np.float64)


def _value(value: Any) -> float | str:
    return _text(value) if isinstance(value, (bytes, str)) else float(value)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value

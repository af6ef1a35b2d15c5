"""NeXus: every NXdata group of an HDF5 file, the one that the defaults lead to first.

What is plotted is named by @signal and @axes of the group; in older files by @signal=1 on the field and its
@axes, or @axis=1, 2, … on the fields of the axes. Errors are <signal>_errors, or “errors”. Files that Vitrine
wrote come back as they were. Other HDF5 is refused, unless it is of a kind that another reader knows.
https://manual.nexusformat.org/datarules.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.nexus import read_nxdata
from measurements.readers import _hdf5, nxcansas
from measurements.readers._hdf5 import attribute, child, is_array, is_group, members, numbers, text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="NeXus NXdata",
    extensions=(".nxs", ".h5", ".hdf5", ".hdf", ".nx5"),
    vendor="",
    techniques=(),
    description="HDF5 with NXdata groups, of any technique; files that Vitrine exported come back unchanged.",
    max_bytes=1024**3,
)
VERSION = 2

ANY_HDF5, NEXUS = 0.2, 0.8
DEEPEST, MOST_GROUPS = 8, 500
DEFINITIONS = {
    "NXxrd": "xrd", "NXmonopd": "xrd", "NXxas": "xas", "NXsas": "saxs", "NXxps": "xps", "NXmpes": "xps",
    "NXraman": "raman", "NXellipsometry": "other", "NXtomo": "tomography", "NXem": "em",
}  # fmt: skip
IN_ENTRY = {  # path in an NXentry → our key
    "instrument/name": "instrument", "sample/name": "sample_name", "sample/temperature": "temperature",
    "instrument/beam/incident_wavelength": "xray_wavelength", "instrument/source/target_material": "anode",
    "instrument/beam/incident_energy": "xray_energy", "instrument/detector/count_time": "exposure_time",
    "instrument/detector/distance": "detector_distance", "instrument/detector/name": "detector",
    "user/name": "operator", "title": "comment",
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    if not head.startswith(_hdf5.SIGNATURE):
        return NEVER
    return NEXUS if b"NX_class" in head else ANY_HDF5


def read(path: Path) -> list[Dataset]:
    with _hdf5.opened(path, FORMAT.name) as file:
        if _is_of_vitrine(file):
            _hdf5.refuse_large(file)
            return _sound(list(read_nxdata(path).values()))
        found = [dataset for group in _in_order(file) for dataset in _plotted(file, group)]
        if found:
            return found
        if any("SASentry" in (attribute(g, "canSAS_class"), attribute(g, "NX_class")) for g in _groups(file)):
            return nxcansas.datasets_of(file)
        raise ReadError(_what_it_is(file))


def _is_of_vitrine(file: Any) -> bool:
    entries = [node for _, node in members(file)]
    return bool(entries) and all(
        is_group(entry) and "header/json" in entry and {"conditions", "data", "title"} <= set(entry)
        for entry in entries
    )


def _sound(datasets: list[Dataset]) -> list[Dataset]:
    """What was altered on its way shows in words that are no Unicode and axes that are no numbers."""
    for dataset in datasets:
        words = [dataset.signal.name, dataset.signal.unit, dataset.title, dataset.technique]
        words += [word for axis in dataset.axes for word in (axis.name, axis.unit)]
        words += [word for key, quantity in dataset.conditions.items() for word in (key, quantity.unit)]
        if any(_hdf5.clean(word) != word for word in words):
            raise ReadError("its words are damaged. Export it again.")
        if not all(np.all(np.isfinite(axis.values)) for axis in dataset.axes):
            raise ReadError("an axis holds values that are no numbers. Export it again.")
    return datasets


def _groups(parent: Any, depth: int = 0) -> Iterator[Any]:
    for _, node in members(parent):
        if is_group(node):
            yield node
            if depth < DEEPEST:
                yield from _groups(node, depth + 1)


def _in_order(file: Any) -> list[Any]:
    """All NXdata groups; what @default leads to from the root, or from the first entry, comes first."""
    groups = [group for _, group in zip(range(MOST_GROUPS), _groups(file), strict=False) if _is_plot(group)]
    node, first = file, None
    for _ in range(DEEPEST):
        name = attribute(node, "default")
        node = child(node, name) if name else None
        if node is None or not is_group(node):
            break
        first = node.name
    return sorted(groups, key=lambda group: group.name != first)


def _is_plot(group: Any) -> bool:
    if attribute(group, "NX_class") == "NXdata" or (
        attribute(group, "signal") and attribute(group, "axes", "I_axes")
    ):
        return _signal_of(group) is not None
    return False


def _signal_of(group: Any) -> Any:
    """The field that is plotted, after the newer rule, the older one, or because it is the only one."""
    named = attribute(group, "signal")
    if named and is_array(field := child(group, named)) and field.dtype.kind in "iufbc":
        return field
    fields = [(name, node) for name, node in members(group) if is_array(node) and node.dtype.kind in "iufbc"]
    marked = [node for _, node in fields if attribute(node, "signal") == "1"]
    if marked:
        return marked[0]
    plain = [node for name, node in fields if name in ("data", "signal", "counts")]
    return plain[0] if plain else (fields[0][1] if len(fields) == 1 else None)


def _plotted(file: Any, group: Any) -> list[Dataset]:
    field = _signal_of(group)
    if field.ndim == 0 or 0 in field.shape:
        return []
    values = numbers(field)
    axes = _axes(group, field, values.shape)
    entry = _entry_of(file, group)
    header = _hdf5.words(entry)
    known = _conditions(header)
    moment, local = _moment(entry)
    known |= condition("local_time", local)
    definition = text(child(entry, "definition")) if child(entry, "definition") is not None else ""
    technique = DEFINITIONS.get(definition, "")
    datasets = []
    for node in (field, *_auxiliary(group, field)):
        name, drawn = _last(node.name), values if node is field else numbers(node)
        signal = Signal(_label(node) or name, attribute(node, "units"), drawn, _errors(group, node, drawn))
        title = _hdf5.clean(f"{group.name.strip('/')}/{name}")
        datasets.append(Dataset(signal, axes, header, moment, known, title, technique))
    return datasets


def _auxiliary(group: Any, field: Any) -> Iterator[Any]:
    """What is drawn beside the signal over the same axes."""
    for name in attribute(group, "auxiliary_signals").split(","):
        node = child(group, name.strip()) if name.strip() else None
        if node is None or not is_array(node) or node == field:
            continue
        if node.shape == field.shape and node.dtype.kind in "iufb":
            yield node


def _axes(group: Any, field: Any, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    names = _names_of_axes(group, field, len(shape))
    axes = []
    for dimension, (name, size) in enumerate(zip(names, shape, strict=True)):
        node = child(group, name) if name not in ("", ".") else None
        values = _along(node, dimension, size) if node is not None and is_array(node) else None
        if values is None:
            axes.append(Axis(name.strip(".") or f"axis {dimension + 1}", "1", np.arange(size, dtype=float)))
        else:
            axes.append(Axis(_label(node) or _hdf5.clean(name), attribute(node, "units"), values))
    return tuple(axes)


def _along(node: Any, dimension: int, size: int) -> Array | None:
    """The axis for one dimension: one value each, or the middles between edges; None when it does not fit."""
    if node.dtype.kind not in "iufb" or node.ndim != 1 or node.size not in (size, size + 1):
        return None
    values = numbers(node)
    if values.size == size + 1:
        values = (values[:-1] + values[1:]) / 2
    if not np.all(np.isfinite(values)):
        raise ReadError(
            f"the axis “{text(node.name)}” of dimension {dimension + 1} holds values that are no numbers."
        )
    return values


def _names_of_axes(group: Any, field: Any, dimensions: int) -> list[str]:
    listed = _listed(group.attrs.get("axes"))
    by_index: dict[int, str] = {}
    for name in listed:
        index = attribute(group, f"{name}_indices")
        if index.isdecimal() and int(index) < dimensions:
            by_index.setdefault(int(index), name)
    if len(by_index) == dimensions:
        return [by_index[number] for number in range(dimensions)]
    listed = listed or _listed(field.attrs.get("axes"))
    if not listed:
        marked = {
            attribute(node, "axis"): name
            for name, node in members(group)
            if is_array(node) and "axis" in node.attrs
        }
        listed = [marked.get(str(number + 1), "") for number in range(dimensions)]
    return [*listed, *[""] * dimensions][:dimensions]


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (str, bytes)):
        words = text(value).strip("[]")
        return [word.strip() for word in words.replace(":", ",").split(",")]
    return [text(word) for word in np.ravel(value)]


def _errors(group: Any, field: Any, values: Array) -> Array | None:
    name = _last(field.name)
    of_the_signal = "errors" if field == _signal_of(group) else ""
    for candidate in (attribute(field, "uncertainties"), f"{name}_errors", f"{name}_error", of_the_signal):
        node = child(group, candidate) if candidate else None
        if node is not None and is_array(node) and node.shape == field.shape and node.dtype.kind in "iuf":
            return numbers(node)
    return None


def _entry_of(file: Any, group: Any) -> Any:
    """The NXentry above a group, else the group itself: its words become the header."""
    node = group
    while node.name != "/":
        if attribute(node, "NX_class") == "NXentry":
            return node
        node = node.parent
    return group


def _moment(entry: Any) -> tuple[datetime | None, str]:
    node = child(entry, "start_time")
    words = text(node) if node is not None and is_array(node) else ""
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        return None, words
    return (moment, "") if moment.tzinfo is not None else (None, words)


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    """Numbers come with their unit behind them, as `_hdf5.words` writes them."""
    known: dict[str, Quantity] = {}
    lower = {key.lower(): value for key, value in header.items()}
    for place, ours in IN_ENTRY.items():
        value = lower.get(place, "")
        number, _, unit = value.partition(" ")
        known = (condition(ours, number, unit) if unit else {}) or condition(ours, value) | known
    return known


def _label(node: Any) -> str:
    return attribute(node, "long_name")


def _last(name: str) -> str:
    return _hdf5.clean(name).rpartition("/")[2]


def _what_it_is(file: Any) -> str:
    inside = ", ".join(f"“{_hdf5.clean(name)}”" for name, _ in zip(file, range(5), strict=False))
    return (
        f"it is HDF5 without an NXdata group to plot; at its top are {inside or 'no groups'}. "
        "The bytes are kept. Export it as NeXus with a default plot, or as text."
    )

"""Formats of electron microscopes through RosettaSciIO, which is GPL: imported only while a file is read.

Its readers want the extension that a format usually has, so the file is linked under one in a temporary
folder. They open lazily: shapes are known, and checked, before numbers are loaded. What they give (arrays,
axes, metadata) becomes datasets; times of which the zone is the reading computer's are not believed.
"""

from __future__ import annotations

import copy
import importlib
import itertools
import logging
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES
from measurements.readers._text import as_number
from measurements.readers.base import library
from measurements.vocabulary import condition

log = logging.getLogger(__name__)

MOST_ENTRIES = 3000
LONGEST_TEXT = 2000
UNITS = {
    "[]": "", "<undefined>": "", "undefined": "", "none": "", "um": "µm", "micron": "µm", "microns": "µm",
    "μm": "µm",
    "1/nm": "nm⁻¹", "nm^-1": "nm⁻¹", "1/Å": "Å⁻¹", "1/A": "Å⁻¹", "A": "Å", "px": "px", "°": "deg",
    "cm^-1": "cm⁻¹", "1/cm": "cm⁻¹", "1/m": "m⁻¹",
}  # fmt: skip
CONDITIONS = {  # path in the metadata of RosettaSciIO → our key and the unit it is documented in
    "beam_energy": ("acceleration_voltage", "kV"), "camera_length": ("camera_length", "mm"),
    "convergence_angle": ("convergence_angle", "mrad"), "beam_current": ("beam_current", "nA"),
    "probe_current": ("beam_current", "nA"), "magnification": ("magnification", ""),
    "working_distance": ("working_distance", "mm"), "microscope": ("instrument", ""),
    "Stage.tilt_alpha": ("tilt", "deg"), "Detector.EELS.collection_angle": ("collection_angle", "mrad"),
    "Detector.EELS.exposure": ("exposure_time", "s"), "Detector.EELS.dwell_time": ("dwell_time", "s"),
    "Detector.EELS.spectrometer": ("detector", ""), "Detector.EDS.live_time": ("live_time", "s"),
    "Detector.Camera.exposure": ("exposure_time", "s"), "Camera.exposure": ("exposure_time", "s"),
    "Detector.Camera.name": ("detector", ""),
    "Detector.Diffraction.camera_length": ("camera_length", "mm"),
    "Detector.detector_type": ("detector", ""), "dwell_time": ("dwell_time", "s"),
}  # fmt: skip
IN_HEADERS = {  # of Velox, which are not taken over
    "Scan.DwellTime": ("dwell_time", "s"), "Optics.BeamConvergence": ("convergence_angle", "rad"),
    "BinaryResult.Detector": ("detector", ""),
}  # fmt: skip
GENERAL = {"authors": "operator", "notes": "comment"}


def read(path: Path, plugin: str, suffix: str, format_name: str, *, lazy: bool = True) -> list[Dataset]:
    """What `rsciio.<plugin>` finds in the file."""
    with library("rosettasciio", format_name), tempfile.TemporaryDirectory(prefix="vitrine-em-") as folder:
        link = Path(folder) / f"file{suffix}"
        os.symlink(path.resolve(), link)
        reader = importlib.import_module(f"rsciio.{plugin}")
        signals = _signals(reader, str(link), lazy)
        datasets, left_out = [], []
        for number, signal in enumerate(signals, start=1):
            shape = tuple(int(size) for size in signal["data"].shape)
            if math.prod(shape) > MOST_VALUES:
                left_out.append(f"{'×'.join(map(str, shape))} values")
            elif shape and 0 not in shape:
                datasets += _datasets(signal, number if len(signals) > 1 else 0)
    return _in_order(datasets, left_out)


def _signals(reader: Any, name: str, lazy: bool) -> list[dict[str, Any]]:
    try:
        return list(reader.file_reader(name, lazy=lazy))
    except NotImplementedError:  # some read all at once or not at all
        return list(reader.file_reader(name, lazy=False))
    except ValueError as error:
        if "RGB" not in str(error):
            raise
        return list(reader.file_reader(name, lazy=False))  # colours have a type that cannot wait


def _in_order(datasets: list[Dataset], left_out: list[str]) -> list[Dataset]:
    """Maps before what surveys them; what was too large is said in the header of what was not."""
    sizes = f"{'; '.join(left_out)}; up to {MOST_VALUES / 1e6:.0f} million are read"
    if not datasets:
        if not left_out:
            raise ReadError("the file holds no data.")
        raise ReadError(f"it holds {sizes}. The bytes are kept: bin or crop it and send that beside it.")
    if left_out:
        note = {"not read here": sizes}
        datasets = [_with_header(dataset, note) for dataset in datasets]
    return sorted(datasets, key=lambda dataset: -dataset.signal.values.ndim)


def _with_header(dataset: Dataset, more: dict[str, str]) -> Dataset:
    return Dataset(
        dataset.signal, dataset.axes, {**dataset.header, **more}, dataset.acquired_at, dataset.conditions,
        dataset.title, dataset.technique,
    )  # fmt: skip


def _datasets(signal: Mapping[str, Any], number: int) -> list[Dataset]:
    """One dataset; of complex values their magnitude and phase."""
    data = signal["data"]
    data = np.asarray(data.compute(scheduler="synchronous") if hasattr(data, "compute") else data)
    if data.dtype.names:  # colours
        data = np.stack([data[name] for name in data.dtype.names[:3]], axis=-1)
    metadata = _metadata(signal)
    axes = _axes(signal["axes"], data.shape)
    header = dict(itertools.islice(_flat(signal.get("original_metadata") or {}), MOST_ENTRIES))
    title = str(metadata.get("General", {}).get("title") or "").replace("Unrecognized_image_signal", "")
    title = title or (f"signal {number}" if number else "")
    quantity = str(metadata.get("Signal", {}).get("quantity") or "Intensity")
    name, unit = _name_and_unit(quantity)
    parts = [(title, name, data)]
    if np.iscomplexobj(data):
        parts = [
            (f"{title} magnitude".strip(), name, np.abs(data)),
            (f"{title} phase".strip(), "Phase", np.angle(data)),
        ]
    return [
        Dataset(
            signal=Signal(
                part_name, "rad" if part_name == "Phase" else unit, np.asarray(values, dtype=np.float64)
            ),
            axes=axes,
            header=header,
            acquired_at=_moment(header),
            conditions=_conditions(metadata, header, axes),
            title=part_title,
            technique=_technique(metadata, signal["axes"], axes),
        )
        for part_title, part_name, values in parts
    ]


def _metadata(signal: Mapping[str, Any]) -> dict[str, Any]:
    """Its metadata, with what its `mapping` says is to be taken over from the original metadata."""
    metadata: dict[str, Any] = copy.deepcopy(dict(signal.get("metadata") or {}))
    original = signal.get("original_metadata") or {}
    for source, target in (signal.get("mapping") or {}).items():
        place, convert = target if isinstance(target, (tuple, list)) else (target, None)
        value = _at(original, source.split("."))
        if value is None or not isinstance(place, str):
            continue
        try:
            value = convert(value) if convert else value
        except Exception:  # a value of another kind than the library expects: it stays in the header
            log.info("The value of %s is not understood", source, exc_info=True)
            continue
        *groups, name = place.split(".")
        node = metadata
        for group in groups:
            node = node.setdefault(group, {})
        node.setdefault(name, value)
    return metadata


def _at(node: Any, names: list[str]) -> Any:
    """The value under dotted names; a name may itself hold dots."""
    if not names or not hasattr(node, "items"):
        return None if names else node
    for length in range(1, len(names) + 1):
        name = ".".join(names[:length])
        if name in node:
            return _at(node[name], names[length:])
    return None


def _axes(told: list[Mapping[str, Any]], shape: tuple[int, ...]) -> tuple[Axis, ...]:
    axes = []
    for index, size in enumerate(shape):
        axis = told[index] if index < len(told) else {}
        unit = str(axis.get("units") or "").strip()
        name = str(axis.get("name") or "")
        if "axis" in axis:
            values = np.asarray(axis["axis"], dtype=np.float64)
        else:
            scale, offset = float(axis.get("scale", 1)), float(axis.get("offset", 0))
            values = offset + scale * np.arange(size, dtype=np.float64)
        if values.shape != (size,) or not np.all(np.isfinite(values)):
            raise ReadError(f"the axis “{name}” does not fit its {size} values. The file is damaged.")
        name = name if name and name.lower() != "<undefined>" else f"axis {index + 1}"
        axes.append(Axis(name, UNITS.get(unit, unit), values))
    return tuple(axes)


def _name_and_unit(quantity: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*?)\s*\(([^()]*)\)", quantity.strip())
    return (found[1], found[2].lower() if found[2] == "Counts" else found[2]) if found else (quantity, "")


def _technique(metadata: Mapping[str, Any], told: list[Mapping[str, Any]], axes: tuple[Axis, ...]) -> str:
    kind = str(metadata.get("Signal", {}).get("signal_type") or "").upper()
    for start, technique in (("EELS", "eels"), ("EDS", "eds"), ("CL", "cl"), ("LUMI", "cl")):
        if kind.startswith(start):
            return technique
    navigated = sum(bool(axis.get("navigate")) for axis in told)
    if "DIFFRACTION" in kind or (len(axes) == 4 and navigated == 2):
        return "sed"
    return "em"


def _conditions(
    metadata: Mapping[str, Any], header: Mapping[str, str], axes: tuple[Axis, ...]
) -> dict[str, Quantity]:
    instrument = metadata.get("Acquisition_instrument") or {}
    said = dict(_flat(instrument.get("TEM") or instrument.get("SEM") or {}))
    said |= {f"Detector.{key}": value for key, value in _flat(instrument.get("Detector") or {})}
    known: dict[str, Quantity] = {}
    for place, (ours, unit) in CONDITIONS.items():
        if said.get(place) not in (None, "None", ""):
            known = condition(ours, said[place], unit) | known
    for place, (ours, unit) in IN_HEADERS.items():
        known = condition(ours, header.get(place), unit) | known
    general = metadata.get("General") or {}
    for theirs, ours in GENERAL.items():
        known |= condition(ours, str(general.get(theirs) or ""))
    if _moment(header) is None:
        known |= condition("local_time", f"{general.get('date') or ''} {general.get('time') or ''}")
    for axis in axes:  # the first that is a length in space
        if axis.unit in ("nm", "µm", "m", "pm", "Å") and axis.values.size > 1:
            return condition("pixel_size", float(axis.values[1] - axis.values[0]), axis.unit) | known
    return known


def _moment(header: Mapping[str, str]) -> datetime | None:
    """Velox counts seconds in UTC. Zones that RosettaSciIO names elsewhere are those of this computer."""
    seconds = as_number(header.get("Acquisition.AcquisitionStartDatetime.DateTime", ""))
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds < 2**33 else None


def _flat(node: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Nested metadata as dotted keys; long arrays are data, not words."""
    if hasattr(node, "items"):
        if depth < 20:
            for key, value in node.items():
                yield from _flat(value, f"{place}.{key}" if place else str(key), depth + 1)
    elif isinstance(node, (list, tuple)) and any(hasattr(each, "items") for each in node[:1]):
        for number, value in enumerate(node[:100]):
            yield from _flat(value, f"{place}[{number}]", depth + 1)
    elif getattr(node, "size", 1) <= 64:
        words = node.decode("utf-8", "replace") if isinstance(node, bytes) else str(node)
        words = words.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()
        if words and len(words) <= LONGEST_TEXT:
            yield place, words

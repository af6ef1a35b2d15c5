"""Nion Swift: .ndata (a zip that holds data.npy and metadata.json) and .h5 (array “data”, JSON beside it).

Calibrations of every dimension and of the values are in the JSON, and applied. Of complex values the
magnitude is taken. Arrays that need Python objects are refused: they would have to be unpickled. No real
file was at hand.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _hdf5
from measurements.readers._archive import Archive
from measurements.readers._binary import MOST_VALUES
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Nion Swift",
    extensions=(".ndata", ".ndata1", ".h5"),
    vendor="Nion",
    techniques=("em", "eels", "cl", "sed"),
    description="Images, spectra and maps of Nion microscopes.",
    max_bytes=1024**3,
    zipped=True,
)
VERSION = 1

ZIP = b"PK\x03\x04"
NUMBERS, NOTES = "data.npy", "metadata.json"
LONGEST_TEXT, MOST_ENTRIES = 2000, 2000
UNITS = {"um": "µm", "A": "Å", "1/nm": "nm⁻¹", "1/Å": "Å⁻¹"}


def recognises(head: bytes, filename: str) -> float:
    if head.startswith(ZIP) and NUMBERS.encode() in head[:200]:
        return 0.9
    is_nion = b"properties" in head and (
        b"dimensional_calibrations" in head or b"intensity_calibration" in head
    )
    return 0.9 if head.startswith(_hdf5.SIGNATURE) and is_nion else NEVER


def read(path: Path) -> list[Dataset]:
    with path.open("rb") as file:
        is_zip = file.read(4) == ZIP
    values, notes = _from_zip(path) if is_zip else _from_hdf5(path)
    return [_dataset(values, notes)]


def _from_zip(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    with Archive(path) as archive:
        notes = _json(archive.read(NOTES)) if NOTES in archive.names else {}
        content = archive.read(NUMBERS)
    try:
        # The header alone tells the size, before memory is taken for it.
        stream = io.BytesIO(content)
        version = np.lib.format.read_magic(stream)
        reader = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = reader(stream)
        if int(np.prod(shape, dtype=object)) > MOST_VALUES or dtype.hasobject:
            raise ReadError(
                f"it holds {'×'.join(map(str, shape))} values of type {dtype}, which are not read."
            )
        return np.load(io.BytesIO(content), allow_pickle=False), notes
    except (ValueError, EOFError, OSError, SyntaxError, TypeError, OverflowError) as error:
        raise ReadError(f"the array in it is damaged ({error}). Copy the file again.") from None


def _from_hdf5(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    with _hdf5.opened(path, FORMAT.name) as file:
        node = _hdf5.child(file, "data")
        if node is None or not _hdf5.is_array(node):
            raise ReadError("it has no array “data”. Is it of Nion Swift?")
        notes = _json(_hdf5.attribute(node, "properties").encode())
        if node.dtype.kind == "c":
            if node.size > MOST_VALUES:
                raise _hdf5.too_large(node)
            return np.asarray(node[()]), notes
        return _hdf5.numbers(node), notes


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _dataset(values: np.ndarray, notes: dict[str, Any]) -> Dataset:
    if values.ndim == 0 or 0 in values.shape or values.dtype.kind not in "iufcb":
        raise ReadError("it holds no numbers.")
    if np.iscomplexobj(values):
        values = np.abs(values)
    calibrations = _list(notes.get("spatial_calibrations")) or _list(notes.get("dimensional_calibrations"))
    axes = tuple(_axis(calibrations, index, values.shape) for index in range(values.ndim))
    intensity = notes.get("intensity_calibration") or notes.get("intensity_calibration_dict") or {}
    scale, offset = _number(intensity, "scale", 1.0), _number(intensity, "offset", 0.0)
    header = {key: value[:LONGEST_TEXT] for key, value in list(_flat(notes, ""))[:MOST_ENTRIES]}
    numbers: Array = np.asarray(values, dtype=np.float64)
    unit = str(intensity.get("units") or "") if isinstance(intensity, dict) else ""
    if (scale, offset) != (1.0, 0.0):
        numbers = offset + scale * numbers
    return Dataset(
        signal=Signal("Intensity", unit, numbers),
        axes=axes,
        header=header,
        acquired_at=_moment(notes),
        conditions=_conditions(header),
        title=str(notes.get("title") or ""),
        technique=_technique(axes),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _axis(calibrations: list[Any], index: int, shape: tuple[int, ...]) -> Axis:
    told = calibrations[index] if index < len(calibrations) and isinstance(calibrations[index], dict) else {}
    unit = str(told.get("units") or "")
    values = _number(told, "offset", 0.0) + _number(told, "scale", 1.0) * np.arange(
        shape[index], dtype=np.float64
    )
    name = "Energy loss" if unit == "eV" else f"axis {index + 1}"
    return Axis(name, UNITS.get(unit, unit) or "px", values)


def _number(told: Any, key: str, otherwise: float) -> float:
    value = told.get(key) if isinstance(told, dict) else None
    if not isinstance(value, (int, float)) or not np.isfinite(value) or abs(value) > 1e30:
        return otherwise
    return float(value)


def _technique(axes: tuple[Axis, ...]) -> str:
    if axes[-1].unit == "eV":
        return "eels"
    return "sed" if len(axes) == 4 else "em"


def _moment(notes: dict[str, Any]) -> datetime | None:
    """Swift notes times in UTC, without saying so in the text: “created”."""
    try:
        moment = datetime.fromisoformat(str(notes.get("created") or ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    """Settings of the microscope, wherever in the notes they are; SI units."""
    known: dict[str, Quantity] = {}
    for key, value in header.items():
        name = key.rpartition(".")[2]
        if name in ("EHT", "high_tension", "high_tension_v"):
            known = condition("acceleration_voltage", value, "V") | known
        elif name in ("exposure", "exposure_time"):
            known = condition("exposure_time", value, "s") | known
        elif name == "pixel_time_us":
            known = condition("dwell_time", value, "µs") | known
    return known


def _flat(node: Any, place: str, depth: int = 0) -> list[tuple[str, str]]:
    if isinstance(node, dict) and depth < 20:
        return [
            pair
            for key, value in node.items()
            for pair in _flat(value, f"{place}.{key}" if place else key, depth + 1)
        ]
    words = str(node)
    return [(place, words.encode("utf-8", "replace").decode())] if words.strip() else []

"""NXcanSAS and its forerunners: canSAS data in HDF5, as SasView, Mantid, Nika, Irena, DAWN, … write it.

Which group holds what is said by `canSAS_class`, in some files only by `NX_class` (Mantid writes SASentry
there). Units are in `units`, in some files in `unit`; where the intensity has none that is known, its numbers
stay as they are. https://manual.nexusformat.org/classes/applications/NXcanSAS.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _hdf5, _sas, _sas_plane
from measurements.readers._hdf5 import attribute, child, is_array, is_group, members, numbers, text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="NXcanSAS",
    extensions=(".h5", ".hdf", ".hdf5", ".nxs"),
    vendor="canSAS",
    techniques=("saxs",),
    description="Small-angle scattering in HDF5 after the NXcanSAS definition, from Mantid, Nika, SasView, …",
)
VERSION = 2

MARKS = (b"NXcanSAS", b"canSAS_class", b"SASentry", b"sasentry")
Q_NAMES, INTENSITY_NAMES = ("Q", "q", "Qx"), ("I", "i")
DEEPEST = 6


def recognises(head: bytes, filename: str) -> float:
    return 0.95 if head.startswith(_hdf5.SIGNATURE) and any(mark in head for mark in MARKS) else NEVER


def read(path: Path) -> list[Dataset]:
    with _hdf5.opened(path, FORMAT.name) as file:
        return datasets_of(file)


def datasets_of(file: Any) -> list[Dataset]:
    """All SASdata of all SASentries, then the transmission spectra."""
    curves: list[Dataset] = []
    spectra: list[Dataset] = []
    entries = list(_groups(file, "SASentry"))
    for entry in entries:
        known = _conditions(entry)
        header = _hdf5.words(entry)
        tables = list(_groups(entry, "SASdata"))
        for table in tables:
            several = len(entries) > 1 or len(tables) > 1
            title = attribute(table, "canSAS_name") or text(table.name).strip("/") if several else ""
            curves += _curve(table, header, known, title)
        for table in _groups(entry, "SAStransmission_spectrum"):
            spectra += _transmission(table, header, known)
    if not curves:
        raise ReadError("it is HDF5 with canSAS names, but holds no SASdata with Q and I. Export it again.")
    return curves + spectra


def _groups(parent: Any, kind: str, depth: int = 0) -> Iterator[Any]:
    for _, node in members(parent):
        if not is_group(node):
            continue
        if kind in (attribute(node, "canSAS_class"), attribute(node, "NX_class")):
            yield node
        elif depth < DEEPEST:
            yield from _groups(node, kind, depth + 1)


def _curve(table: Any, header: dict[str, str], known: dict[str, Quantity], title: str) -> list[Dataset]:
    intensity_node = child(table, attribute(table, "signal") or "I") or _named(table, INTENSITY_NAMES)
    if plane := _plane(table, intensity_node, header, known, title):
        return plane
    q_name = attribute(table, "I_axes", "axes").split(",")[-1].strip()
    q_node = (child(table, q_name) if q_name else None) or _named(table, Q_NAMES)
    if not is_array(intensity_node) or not is_array(q_node):
        raise ReadError(
            f"“{text(table.name)}” has no Q and I. It is damaged, or two-dimensional in a way not known."
        )
    intensity, q = numbers(intensity_node), numbers(q_node)
    if intensity.ndim != 1 or q.shape != intensity.shape:
        return _map(table, q_node, q, intensity_node, intensity, header, known, title)
    sigma = _uncertainties(table, intensity_node, "I", intensity)
    resolution = _uncertainties(table, q_node, "Q", q, ("resolutions", "uncertainties", "uncertainty"))
    q_unit, unit = _unit(q_node), _unit(intensity_node)
    others = {} if resolution is None else {"σ of q": (resolution, q_unit)}
    curve = _sas.Curve(q, intensity, sigma, q_unit, unit, others)
    units = {"Q units": q_unit, "I units": unit}
    return _sas.datasets(curve.in_common_units(), header | units, known, title=title)


def _plane(
    table: Any, node: Any, header: dict[str, str], known: dict[str, Quantity], title: str
) -> list[Dataset]:
    """What a detector saw, with q of every pixel; empty where the table is of another kind."""
    if not is_array(node) or len(node.shape) != 2:
        return []
    vector = _named(table, ("Q", "q"))
    if is_array(vector) and vector.shape in ((2, *node.shape), (3, *node.shape)):
        q_unit, (qx, qy) = _unit(vector), numbers(vector)[:2]
    else:
        q_nodes = [_named(table, names) for names in (("Qx", "qx"), ("Qy", "qy"))]
        if not all(is_array(q_node) for q_node in q_nodes):
            return []
        q_unit, (qx, qy) = _unit(q_nodes[0]), (numbers(q_node) for q_node in q_nodes)
    intensity, rows_columns = numbers(node), node.shape
    if qx.ndim == 1 and qy.ndim == 1 and rows_columns == (qy.size, qx.size):
        qx, qy = np.meshgrid(qx, qy)
    if qx.shape != rows_columns or qy.shape != rows_columns or 0 in rows_columns:
        return []
    sigma = _uncertainties(table, node, "I", intensity)
    units = q_unit, _unit(node)
    return _sas_plane.datasets(qx, qy, intensity, sigma, units, header, known, title)


def _named(table: Any, names: tuple[str, ...]) -> Any:
    return next((node for name in names if (node := child(table, name)) is not None), None)


def _map(
    table: Any, q_node: Any, q: Array, node: Any, intensity: Array, header: dict[str, str],
    known: dict[str, Quantity], title: str,
) -> list[Dataset]:  # fmt: skip
    """Frames of curves on one q; a plane of which only the length of q is known is refused."""
    if intensity.ndim < 2 or q.ndim != 1 or intensity.shape[-1] != q.size or not np.all(np.isfinite(q)):
        raise ReadError(
            f"“{text(table.name)}” is a map of {'×'.join(map(str, intensity.shape))}, and q is not one axis. "
            "Reduce it to curves of intensity over q."
        )
    scaled, q_unit = _sas.per_length(q, _unit(q_node), _sas.Q_UNIT)
    values, unit = _sas.per_length(intensity, _unit(node), _sas.INTENSITY_UNIT)
    frames = [
        Axis(f"Frame {n + 1}", "1", np.arange(size, dtype=float)) for n, size in enumerate(values.shape[:-1])
    ]
    axes = (*frames, Axis("q", q_unit, scaled))
    return [Dataset(Signal("Intensity", unit, values), axes, header, None, known, title, "saxs")]


def _uncertainties(
    table: Any, node: Any, name: str, values: Array, keys: tuple[str, ...] = ("uncertainties", "uncertainty")
) -> Array | None:
    named = attribute(node, *keys) or attribute(table, *(f"{name}_{key}" for key in keys))
    for candidate in (named, f"{name}dev", f"{name}_errors", f"{name}_uncertainties"):
        found = child(table, candidate) if candidate else None
        if found is not None and is_array(found) and found.shape == values.shape:
            return numbers(found)
    return None


def _transmission(table: Any, header: dict[str, str], known: dict[str, Quantity]) -> list[Dataset]:
    transmission, wavelength = _named(table, ("T",)), _named(table, ("lambda", "Lambda"))
    if not is_array(transmission) or not is_array(wavelength):
        return []
    values, axis = numbers(transmission), numbers(wavelength)
    if axis.size == values.size + 1:
        axis = (axis[:-1] + axis[1:]) / 2
        header = header | {"wavelength of the spectrum": "the middle between the two edges in the file"}
    if values.ndim != 1 or axis.shape != values.shape or not np.all(np.isfinite(axis)):
        return []
    sigma = _uncertainties(table, transmission, "T", values)
    unit = _unit(wavelength)
    return [
        Dataset(
            signal=Signal("Transmission", "1", values, sigma),
            axes=(Axis("Wavelength", {"A": "Å", "angstrom": "Å"}.get(unit, unit), axis),),
            header=header,
            conditions=known,
            title=f"transmission spectrum {attribute(table, 'name')}".strip(),
            technique="other",
        )
    ]


def _unit(node: Any) -> str:
    return attribute(node, "units", "unit")


def _conditions(entry: Any) -> dict[str, Quantity]:
    instrument = next(_groups(entry, "SASinstrument"), None)
    sample = next(_groups(entry, "SASsample"), None)
    source = _first(instrument, "SASsource", "NXsource")
    detector = _first(instrument, "SASdetector", "NXdetector")
    radiation = _text(source, "radiation") or _text(source, "probe")
    known = condition("instrument", _text(instrument, "name")) | condition("mode", radiation)
    known |= condition("sample_name", _text(sample, "ID") or _text(sample, "name") or _text(entry, "title"))
    known |= condition("detector", _text(detector, "name"))
    for key, group, name in (
        ("detector_distance", detector, "SDD"),
        ("thickness", sample, "thickness"),
        ("transmission", sample, "transmission"),
        ("temperature", sample, "temperature"),
    ):
        known |= condition(key, *_quantity(group, name))
    for name in ("incident_wavelength", "wavelength"):
        known = _sas.wavelength(radiation, *_quantity(source, name)) | known
    return known


def _first(parent: Any, *kinds: str) -> Any:
    if parent is None:
        return None
    return next((group for kind in kinds for group in _groups(parent, kind)), None)


def _text(group: Any, name: str) -> str:
    node = None if group is None else child(group, name)
    return text(node) if is_array(node) else ""


def _quantity(group: Any, name: str) -> tuple[str | None, str]:
    node = None if group is None else child(group, name)
    return (text(node), _unit(node)) if node is not None and is_array(node) and node.size == 1 else (None, "")

"""NeXus of the newer and the older rules, Vitrine's own, and HDF5 that is neither."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from measurements import readers
from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.nexus import write_nxdata
from tests.measurements.readers.children import in_a_child
from tests.measurements.readers.mutations import offences

SPECTRUM = Dataset(
    signal=Signal("Counts", "counts", np.array([5.0, np.nan, 7.0]), errors=np.array([2.0, 3.0, 2.5])),
    axes=(Axis("2θ", "deg", np.array([10.0, 10.5, 11.0])),),
    header={"Anode": "Cu", "line 3": "µ, ° and \t"},
    acquired_at=datetime(2026, 5, 4, 10, tzinfo=UTC),
    conditions={"tube_voltage": Quantity(40.0, "kV"), "anode": Quantity("Cu")},
    title="scan 1",
    technique="xrd",
)
MAP = Dataset(
    signal=Signal("Intensity", "", np.arange(6.0).reshape(2, 3)),
    axes=(Axis("y", "nm", np.array([0.0, 1.0])), Axis("x", "nm", np.array([0.0, 2.0, 4.0]))),
)


def read(path: Path) -> list[Dataset]:
    reader = readers.recognise(path.read_bytes()[: readers.HEAD_BYTES], path.name)
    assert reader is not None
    assert reader.key == "nexus_nxdata"
    return readers.read(reader, path)


def nexus(path: Path) -> h5py.File:
    file = h5py.File(path, "w")
    file.attrs["NX_class"] = "NXroot"
    return file


def group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    made = parent.create_group(name)
    made.attrs["NX_class"] = kind
    return made


def test_what_is_drawn_beside_the_signal_is_a_dataset_too(tmp_path: Path) -> None:
    with nexus(tmp_path / "file") as file:
        data = group(group(file, "entry", "NXentry"), "data", "NXdata")
        data.attrs.update(signal="counts", axes="q", auxiliary_signals=np.array(["dark"], dtype="S"))
        data.update({"counts": [4.0, 9.0], "dark": [1.0, 2.0], "q": [0.1, 0.2], "errors": [2.0, 3.0]})
    counts, dark = read(tmp_path / "file")
    assert (dark.signal.name, list(dark.signal.values)) == ("dark", [1, 2])
    assert (dark.axes[0].name, list(dark.axes[0].values)) == ("q", [0.1, 0.2])
    assert counts.signal.errors is not None
    assert dark.signal.errors is None  # those are the errors of the signal


def test_what_vitrine_exported_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "exported"
    write_nxdata(path, {"first / of two": SPECTRUM, "second": MAP})
    for read_back, written in zip(read(path), (SPECTRUM, MAP), strict=True):
        assert np.array_equal(read_back.signal.values, written.signal.values, equal_nan=True)
        assert (read_back.signal.errors is None) == (written.signal.errors is None)
        assert [(a.name, a.unit, a.values.tolist()) for a in read_back.axes] == [
            (a.name, a.unit, a.values.tolist()) for a in written.axes
        ]
        for name in ("header", "acquired_at", "conditions", "title", "technique"):
            assert getattr(read_back, name) == getattr(written, name), name


def test_the_default_plot_comes_first_and_brings_axes_errors_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "newer"
    with nexus(path) as file:
        file.attrs["default"] = "scan"
        entry = group(file, "scan", "NXentry")
        entry.attrs["default"] = "result"
        entry["definition"], entry["start_time"] = "NXxas", "2026-05-04T10:00:00+02:00"
        beam = group(group(entry, "instrument", "NXinstrument"), "beam", "NXbeam")
        beam["incident_energy"] = 11.0
        beam["incident_energy"].attrs["units"] = "keV"
        other = group(entry, "a_monitor", "NXdata")
        other.attrs["signal"], other["i0"] = "i0", np.ones(4)
        data = group(entry, "result", "NXdata")
        data.attrs["signal"], data.attrs["axes"], data.attrs["energy_indices"] = "mu", ["point", "energy"], 1
        data["mu"], data["mu_errors"] = np.arange(6.0).reshape(2, 3), np.full((2, 3), 0.5)
        data["energy"] = [1.0, 2.0, 4.0]
        data["energy"].attrs["units"], data["energy"].attrs["long_name"] = "eV", "Photon energy"
    first, second = read(path)
    assert (first.title, second.title) == ("scan/result/mu", "scan/a_monitor/i0")
    assert [(axis.name, axis.unit, axis.values.tolist()) for axis in first.axes] == [
        ("point", "1", [0, 1]), ("Photon energy", "eV", [1, 2, 4]),
    ]  # fmt: skip
    assert first.signal.errors is not None
    assert np.all(first.signal.errors == 0.5)
    assert first.technique == "xas"
    assert first.acquired_at == datetime(2026, 5, 4, 8, tzinfo=UTC)
    assert first.conditions["xray_energy"].value == 11


def test_a_file_after_the_older_rules_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "older"
    with nexus(path) as file:
        data = group(group(file, "entry1", "NXentry"), "data1", "NXdata")
        data["counts"], data["angle"], data["time"] = (
            np.arange(6.0).reshape(2, 3),
            [1.0, 2.0, 3.0],
            [0.0, 60.0, 120.0],
        )
        data["counts"].attrs["signal"], data["counts"].attrs["axes"] = 1, "time:angle"
        data["time"].attrs["units"] = "s"
    (dataset,) = read(path)
    assert [axis.name for axis in dataset.axes] == ["time", "angle"]
    assert dataset.axes[0].values.tolist() == [30, 90]  # the middles between its three edges


def test_numbers_that_are_in_another_file_are_not_fetched(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.arange(3.0)
    path = tmp_path / "linked"
    with nexus(path) as file:
        data = group(group(file, "entry", "NXentry"), "data", "NXdata")
        data.attrs["signal"] = "data"
        data["data"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/data")
    with pytest.raises(ReadError, match="without an NXdata group to plot"):
        read(path)


def test_other_hdf5_is_refused_with_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "other"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = np.zeros((2, 2))
    with pytest.raises(ReadError, match=r"at its top are “exchange”\. .* Export it as NeXus"):
        read(path)


def test_mutilated_files_are_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "exported"
    write_nxdata(path, {"first": SPECTRUM, "second": MAP})
    reader = in_a_child(readers.get("nexus_nxdata"), tmp_path)
    assert list(offences(reader, path, cuts=10, flips=60)) == []

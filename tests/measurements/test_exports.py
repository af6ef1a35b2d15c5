"""What leaves as text or HDF5 opens in other people's programs with the same numbers."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from measurements import exports
from measurements.data import Axis, Dataset, Quantity, Signal
from measurements.nexus import read_nxdata, write_nxdata

EVEN = np.linspace(400.0, 4000.0, 1801)
UNEVEN = np.sort(np.random.default_rng(5).uniform(400, 4000, 357))


def curve(x: np.ndarray, *, errors: bool = False, axis: tuple[str, str] = ("Wavenumber", "cm⁻¹")) -> Dataset:
    y = np.random.default_rng(6).normal(size=x.size) * 1e-3
    return Dataset(
        Signal("Absorbance", "1", y, np.abs(y) if errors else None),
        (Axis(*axis, x),),
        {"Gerät": "Tensor 27", "Auflösung": "4 cm⁻¹\nzweite Zeile"},
        datetime(2026, 5, 4, 10, tzinfo=UTC),
        {"resolution": Quantity(4.0, "cm⁻¹")},
    )


SURFACE = Dataset(
    Signal("Counts", "counts", np.arange(12.0).reshape(3, 4), np.sqrt(np.arange(12.0)).reshape(3, 4)),
    (Axis("Temperature", "°C", np.array([25.0, 100, 300])), Axis("2θ", "deg", np.linspace(5, 50, 4))),
)


def jcamp(dataset: Dataset) -> str:
    return "".join(exports.jcamp(dataset, title="VT-GLASS", technique="ftir", origin="Vitrine"))


@pytest.mark.parametrize("x", [EVEN, EVEN[::-1].copy(), UNEVEN], ids=["even", "falling", "uneven"])
def test_an_independent_reader_of_jcamp_finds_the_same_numbers(x: np.ndarray, tmp_path: Path) -> None:
    import jcamp as independent

    dataset = curve(x)
    path = tmp_path / "export.jdx"
    path.write_text(jcamp(dataset), encoding="ascii")
    read = independent.readfile(str(path))
    assert read["title"] == "VT-GLASS"
    assert (read["data type"], read["xunits"], read["yunits"]) == ("INFRARED SPECTRUM", "1/CM", "ABSORBANCE")
    np.testing.assert_allclose(read["x"], dataset.axes[0].values, rtol=1e-12)
    np.testing.assert_allclose(read["y"], dataset.signal.values, rtol=1e-15)


def test_the_header_of_the_instrument_travels_as_comments_in_ascii() -> None:
    text = jcamp(curve(EVEN))
    assert "$$ Ger?t: Tensor 27\n" in text
    assert "$$ resolution: 4 cm-1\n" in text
    assert text.isascii()


def test_a_missing_value_is_not_written_as_a_number() -> None:
    dataset = curve(EVEN)
    dataset.signal.values[7] = np.nan
    with pytest.raises(exports.CannotExportError, match="ask for csv"):
        jcamp(dataset)


def test_csv_gives_back_every_bit() -> None:
    dataset = curve(UNEVEN, errors=True)
    rows = list(csv.reader("".join(exports.csv(dataset)).splitlines()))
    assert rows[0] == ["Wavenumber (cm⁻¹)", "Absorbance (1)", "sigma of Absorbance (1)"]
    table = np.array(rows[1:], dtype=float)
    np.testing.assert_array_equal(table[:, 0], UNEVEN)
    np.testing.assert_array_equal(table[:, 1], dataset.signal.values)


def test_a_map_leaves_as_a_matrix_with_both_axes() -> None:
    rows = list(csv.reader("".join(exports.csv(SURFACE)).splitlines()))
    assert rows[0][0] == "Counts (counts): Temperature (°C) down, 2θ (deg) across"
    assert [float(cell) for cell in rows[0][1:]] == SURFACE.axes[1].values.tolist()
    assert [float(cell) for cell in rows[2]] == [100, 4, 5, 6, 7]


@pytest.mark.parametrize("dataset", [curve(UNEVEN, errors=True), SURFACE], ids=["curve", "map"])
def test_silx_finds_the_default_plot_with_axes_units_and_errors(dataset: Dataset, tmp_path: Path) -> None:
    silx = pytest.importorskip("silx.io.nxdata")
    import h5py

    path = tmp_path / "export.nxs"
    write_nxdata(path, {"0": dataset})
    with h5py.File(path) as file:
        found = silx.get_default(file)
        assert found is not None
        assert found.is_valid, found.issues
        np.testing.assert_array_equal(found.signal[()], dataset.signal.values)
        assert dataset.signal.errors is not None
        np.testing.assert_array_equal(found.errors[()], dataset.signal.errors)
        for ours, theirs in zip(dataset.axes, found.axes, strict=True):
            np.testing.assert_array_equal(theirs[()], ours.values)
            assert theirs.attrs["units"] == ours.unit


@pytest.mark.parametrize("dataset", [curve(EVEN), SURFACE], ids=["curve", "map"])
def test_nexusformat_opens_the_file_and_plots_the_same_signal(dataset: Dataset, tmp_path: Path) -> None:
    nexus = pytest.importorskip("nexusformat.nexus")
    path = tmp_path / "export.nxs"
    write_nxdata(path, {"0": dataset})
    with nexus.nxopen(str(path)) as root:
        plotted = root.plottable_data
        assert type(plotted).__name__ == "NXdata"
        np.testing.assert_array_equal(plotted.nxsignal.nxvalue, dataset.signal.values)
        assert [axis.attrs["long_name"] for axis in plotted.nxaxes] == [axis.name for axis in dataset.axes]


def test_ten_million_points_survive_the_file(tmp_path: Path) -> None:
    y = np.random.default_rng(7).normal(size=10_000_000)
    x = np.arange(y.size, dtype=float)
    path = tmp_path / "long.nxs"
    write_nxdata(path, {"0": Dataset(Signal("y", "V", y), (Axis("Time", "s", x),))})
    np.testing.assert_array_equal(read_nxdata(path)["0"].signal.values, y)

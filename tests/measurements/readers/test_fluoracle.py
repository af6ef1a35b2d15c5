"""Fluoracle's scans: what is fixed and what is scanned, traces and maps, and the file that lost its end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import ReadError
from measurements.readers import fluoracle


def fluoracle_lines(traces: str = "scan1", rows: str = "450.00,5.5E+2,\r\n451.00,6.5E+2,\r\n") -> bytes:
    head = f"Labels,{traces},\r\nType,Emission Scan,\r\nStart,450.00,\r\nStop,451.00,\r\nStep,1.00,\r\n"
    head += "Fixed/Offset,367.00,\r\nXaxis,Wavelength,\r\nYaxis,Counts,\r\nDetector,Ext Red PMT,\r\n"
    return (head + "\r\n" + rows).encode()


def test_the_real_fluoracle_file_reads_as_an_independent_reading_did(reference: Path) -> None:
    path = reference / "instrument_files" / "pl" / "hysprint_MAPI_2PACz_ITO.pl.csv"
    expected = json.loads((reference / "instrument_files" / "EXPECTED.json").read_text())["readings"]
    (known,) = expected["pl/hysprint_MAPI_2PACz_ITO.pl.csv"]
    reader = readers.recognise(path.read_bytes()[: readers.HEAD_BYTES], path.name)
    assert reader is not None
    assert reader.key == "fluoracle"
    (dataset,) = readers.read(reader, path)
    x, y = dataset.axes[0].values, dataset.signal.values
    assert (x.size, x[y.argmax()]) == (451, 773.0)
    assert (x[0], x[-1], y[0], y[-1]) == (
        known["x_first"],
        known["x_last"],
        known["y_first"],
        known["y_last"],
    )
    assert (y.min(), y.max()) == (known["y_min"], known["y_max"])
    assert y.sum() == pytest.approx(known["y_sum"], rel=1e-12)
    assert dict(dataset.header) == known["header"]
    assert list(dataset.header) == list(known["header"])
    assert dataset.acquired_at is None
    assert {key: (c.value, c.unit) for key, c in dataset.conditions.items()} == {
        "excitation_wavelength": (367.0, "nm"),
        "emission_bandwidth": (4.00275, "nm"),
        "excitation_bandwidth": (4.0005, "nm"),
        "dwell_time": (0.5, "s"),
        "accumulations": (1.0, "1"),
        "temperature": (22.71, "°C"),
        "detector": ("Ext Red PMT", ""),
        "light_source": ("Xe", ""),
    }


def test_two_traces_of_fluoracle_are_two_datasets_with_their_own_labels(tmp_path: Path) -> None:
    path = tmp_path / "scan.csv"
    path.write_bytes(fluoracle_lines("first,second", "450.00,1,3,\r\n451.00,2,4,\r\n"))
    first, second = fluoracle.read(path)
    assert (first.header["Labels"], second.header["Labels"]) == ("first", "second")
    np.testing.assert_array_equal(second.signal.values, [3, 4])


def test_a_label_with_a_comma_stays_one_label(tmp_path: Path) -> None:
    path = tmp_path / "scan.csv"
    path.write_bytes(fluoracle_lines("glass, second piece"))
    (dataset,) = fluoracle.read(path)
    assert dataset.header["Labels"] == "glass, second piece"


def test_a_fluoracle_file_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.csv"
    path.write_bytes(fluoracle_lines().replace(b"Stop,451.00", b"Stop,900.00"))
    with pytest.raises(ReadError, match=r"announces a scan to 900 nm, but the numbers end at 451 nm"):
        fluoracle.read(path)


def test_in_an_excitation_scan_the_fixed_wavelength_is_the_emission(tmp_path: Path) -> None:
    path = tmp_path / "scan.csv"
    path.write_bytes(fluoracle_lines().replace(b"Emission Scan", b"Excitation Scan"))
    (dataset,) = fluoracle.read(path)
    assert dataset.conditions["emission_wavelength"].value == 367
    assert "excitation_wavelength" not in dataset.conditions
    assert dataset.technique == "pl"


def test_a_decay_in_tabs_has_an_axis_of_nanoseconds(tmp_path: Path) -> None:
    lines = ["Labels\tT5\t", "Type\tTime Scan\t", "Start\t0.00\t", "Stop\t1.953125\t", "Step\t0.97656250\t"]
    lines += ["Fixed/Offset\t \t", "XAxis\tTime(ns)\t", "YAxis\tCounts\t", "Temp\t25.20\t", ""]
    lines += ["0.000000\t4\t", "0.976563\t1\t", "1.953125\t2\t"]
    path = tmp_path / "decay.txt"
    path.write_text("\r\n".join(lines))
    assert fluoracle.recognises(path.read_bytes(), "decay.txt")
    (dataset,) = fluoracle.read(path)
    assert (dataset.axes[0].name, dataset.axes[0].unit, dataset.technique) == ("Time", "ns", "trpl")
    np.testing.assert_array_equal(dataset.signal.values, [4, 1, 2])
    assert "temperature" not in dataset.conditions  # 25.20 may be °C or K: the file does not say


def test_a_map_becomes_one_plane_over_its_fixed_wavelengths(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    content = fluoracle_lines("a,b", "450.00,1,3,\r\n451.00,2,4,\r\n").replace(b"367.00", b"360.00,370.00")
    path.write_bytes(content.replace(b"Emission Scan", b"Emission Map"))
    (dataset,) = fluoracle.read(path)
    assert [axis.name for axis in dataset.axes] == ["Excitation wavelength", "Wavelength"]
    np.testing.assert_array_equal(dataset.axes[0].values, [360, 370])
    np.testing.assert_array_equal(dataset.signal.values, [[1, 2], [3, 4]])

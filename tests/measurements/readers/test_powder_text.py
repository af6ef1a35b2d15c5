"""Powder patterns in the text of beamlines and refinement programs: GSAS, XYE, CHI of Fit2D and pyFAI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from measurements import qc, readers
from measurements.data import Dataset, ReadError
from measurements.readers import HEAD_BYTES, chi, xye
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import offences

Reading = Callable[..., list[Dataset]]

# Fields of eight columns, as the GSAS manual prescribes: two for the number of counters, six for the counts.
STD = (
    "Si standard\nBANK 1 12 2 CONST 1000.0 2.0 0 0 STD\n"
    + "".join(f"{1:2d}{n * 11111:6d}" for n in range(10))
    + f"\n{2:2d}{345678:6d}  {7:6d}\n"
)
ESD = (
    "title\nBANK 1 3 1 CONST 1000.00 5.00 0 0 ESD\n"
    + "".join(f"{n * 1000:8.1f}{n + 0.5:8.1f}" for n in (1, 2, 3, 0, 0))
    + "\n"
)
FXYE = (
    "11-BM\nInstrument parameter 11bm.prm\n# Calibrated wavelength = 0.413\n# Temp (K) = 300.15\n"
    "BANK 1 3 3 CONS 100.0 0.1 0 0 FXYE\n100.0 5.0 0.5\n100.1 6.0 0.6\n100.2 7.0 0.7\n"
)
FIT2D = (
    "scan.tif\n2-Theta Angle (Degrees)\nIntensity\n    3\n"
    " 1.0E+00 5.0E+00\n 2.0E+00 6.0E+00\n 3.0E+00 7.0E+00\n"
)
PYFAI = (
    "# == pyFAI calibration ==\n# Distance Sample to Detector: 0.1 m\n# Wavelength: 1.5e-11 m\n# --> a.dat\n"
    "#       q_nm^-1             I        sigma\n  1.0e+00  5.0e+00 1.0e-01\n  2.0e+00  6.0e+00 2.0e-01\n"
)
COUNTS = [1000 + n * 7919 % 977 for n in range(101)]
RANGE = "quartz\n   5.00   0.02   7.00 a title\n" + "".join(
    "".join(f"{count:8d}" for count in COUNTS[first : first + 8]) + "\n" for first in range(0, 101, 8)
)
SAMPLES = {
    "start_step_stop": RANGE,
    "gsas": FXYE,
    "chi": FIT2D,
    "xye": "1.5406\n1 100 10\n2 121 11\n3 144 12\n",
}


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def read_text(key: str, text: str, name: str = "file") -> list[Dataset]:
        path = tmp_path / "file"
        path.write_text(text)
        found = readers.recognise(path.read_bytes()[:HEAD_BYTES], name)
        assert found is not None
        assert found.key == key
        return readers.read(found, path)

    return read_text


def test_counts_that_touch_in_gsas_std_are_told_apart_by_their_columns(read: Reading) -> None:
    (dataset,) = read("gsas", STD)
    np.testing.assert_array_equal(dataset.signal.values, [*(n * 11111 for n in range(10)), 345678, 7])
    np.testing.assert_allclose(dataset.axes[0].values, 10 + 0.02 * np.arange(12))
    assert (dataset.axes[0].name, dataset.axes[0].unit) == ("2θ", "deg")


def test_gsas_esd_has_errors_and_loses_only_its_padding(read: Reading) -> None:
    (dataset,) = read("gsas", ESD)
    np.testing.assert_array_equal(dataset.signal.values, [1000, 2000, 3000])
    assert dataset.signal.errors is not None
    np.testing.assert_array_equal(dataset.signal.errors, [1.5, 2.5, 3.5])


def test_gsas_fxye_is_in_hundredths_of_a_degree_and_keeps_its_remarks(read: Reading) -> None:
    (dataset,) = read("gsas", FXYE)
    np.testing.assert_allclose(dataset.axes[0].values, [1, 1.001, 1.002])
    assert dataset.conditions["xray_wavelength"].value == 0.413
    assert dataset.conditions["temperature"].value == pytest.approx(27)
    assert dataset.header["title"] == "11-BM"


def test_times_of_flight_stay_microseconds_and_banks_are_datasets(read: Reading) -> None:
    bank = "BANK {0} 2 2 SLOG 1000 9000 0.0004 0 FXYE\n1000.5 5 0.5\n1001.0 6 0.6\n"
    first, second = read("gsas", "title\n" + bank.format(1) + bank.format(2))
    assert (first.axes[0].name, first.axes[0].unit) == ("Time of flight", "µs")
    assert first.axes[0].values[0] == 1000.5
    assert second.title == "bank 2"


def test_a_gsas_bank_that_is_too_short_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="announces 12 points, there are 10"):
        read("gsas", STD.rsplit("\n", 2)[0] + "\n")


def test_the_number_of_points_in_chi_is_not_a_point(read: Reading) -> None:
    (dataset,) = read("chi", FIT2D)
    np.testing.assert_array_equal(dataset.axes[0].values, [1, 2, 3])
    assert dataset.technique == "xrd"


def test_pyfai_gives_axis_wavelength_and_errors(read: Reading) -> None:
    (dataset,) = read("chi", PYFAI)
    assert (dataset.axes[0].name, dataset.axes[0].unit) == ("q", "nm⁻¹")
    assert dataset.conditions["xray_wavelength"].value == pytest.approx(0.15)
    assert dataset.conditions["detector_distance"].value == pytest.approx(100)
    assert dataset.signal.errors is not None


def test_chi_of_absorption_spectroscopy_is_another_format(reference: Path) -> None:
    (path,) = (reference / "instrument_files" / "xas").rglob("*.chi")
    assert not chi.recognises(path.read_bytes()[:HEAD_BYTES], path.name)


def test_a_chi_file_without_its_last_points_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="announces 3 points, the file has 2"):
        read("chi", FIT2D.rsplit("\n", 2)[0])


def test_the_header_of_11_bm_is_understood(reference: Path) -> None:
    path = reference / "instrument_files" / "xrd" / "datalab_11bm_example.xye"
    (dataset,) = readers.read(readers.get("xye"), path)
    assert dataset.conditions["xray_wavelength"].value == 0.414581
    assert dataset.conditions["temperature"].value == pytest.approx(26.88)
    assert dataset.header["Composition"] == "MnB"
    assert dataset.signal.errors is not None
    assert dataset.signal.errors[0] == 37.744249


@pytest.mark.parametrize("name", ["datalab_mac_example.xye", "datalab_mythen_example.dat"])
def test_tables_without_a_header_agree_with_independent_readings(reference: Path, name: str) -> None:
    path = reference / "instrument_files" / "xrd" / name
    found = readers.recognise(path.read_bytes()[:HEAD_BYTES], name)
    assert found is not None
    assert found.key == "xye"
    assert not disagreements(readers.read(found, path), readings_of(reference)[f"xrd/{name}"])


def test_three_columns_are_xye_by_their_name_or_by_counting_statistics_only() -> None:
    counting = "".join(f"{n} {n * 100} {10 * n**0.5:.6f}\n" for n in range(1, 60)).encode()
    other = "".join(f"{n} {n * 100} {n}\n" for n in range(1, 60)).encode()
    assert xye.recognises(counting, "a.dat") > 0
    assert xye.recognises(other, "a.xye") > 0
    assert xye.recognises(other, "a.dat") == 0


def test_a_lone_wavelength_above_the_columns_is_a_condition(read: Reading) -> None:
    (dataset,) = read("xye", SAMPLES["xye"], "a.xye")
    assert dataset.conditions["xray_wavelength"].value == 1.5406


def test_counts_below_their_range_are_one_curve_and_not_eight_columns(read: Reading) -> None:
    (dataset,) = read("start_step_stop", RANGE)
    np.testing.assert_array_equal(dataset.signal.values, COUNTS)
    np.testing.assert_allclose(dataset.axes[0].values, 5 + 0.02 * np.arange(101))
    assert dataset.header["line 2"] == "5.00   0.02   7.00 a title"


def test_a_beamline_energy_that_contradicts_its_wavelength_is_told(read: Reading) -> None:
    """101 keV with 0.10173 Å happened in print (A-16)."""
    text = "# Energy: 101 keV\n# Wavelength (A): 0.10173\n# Wavelength (nm): 405\n" + "1 2\n2 3\n3 4\n" * 4
    (dataset,) = read("delimited_text", text)
    assert dataset.conditions["xray_energy"].value == 101
    assert dataset.conditions["xray_wavelength"].value == 0.10173
    assert any("do not belong together" in flag.sentence for flag in qc.flags(dataset))


@pytest.mark.parametrize("key", SAMPLES)
def test_mutilated_files_are_read_or_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "file"
    path.write_text(SAMPLES[key])
    assert not list(offences(readers.get(key), path))

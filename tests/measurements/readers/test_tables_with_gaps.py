"""Tables in which cells are empty, hold words, or say that there is no number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import delimited_text
from tests.measurements.readers.mutations import offences

SPECTROMETER = """File Version;BWRam4.11_11
Date;2023-01-17 14:03:31
title;BWS415-532S
model;BTC162E-532S-SYS
baud1;3
pixel_start;0
intigration times(ms);40
average number;3
laser_wavelength;532,02
laser_powerlevel;30
Pixel;Wavelength;Wavenumber;Raman Shift;Dark;Reference;Raw data #1;Dark Subtracted #1;%TR #1;
0;   ;   ;   ;958,3333;65535,0000;943,3333;-15,0000;0,0000;
1;540,1;18515,1;281,3;950,5;65535,0000;1000,0;49,5;0,0000;
2;540,3;18508,2;288,2;951,5;65535,0000;1100,0;148,5;0,0000;
3;540,5;18501,4;295,0;952,5;65535,0000;1050,0;97,5;0,0000;
4;   ;   ;   ;953,3333;65535,0000;943,3333;-15,0000;0,0000;
"""
MAGNETOMETER = """[Header]
TITLE,Hall bar
INFO,PPMS,APPNAME
[Data]
Comment,Time Stamp (sec),Status (code),Temperature (K),Field (Oe),Res. ch1 (ohm-cm),Res. ch2 (ohm-cm),Map 1
,100.5,4369,2.01,10000.5,8.4E-6,,
centred,101.5,4369,2.02,10001.5,,3.5E-5,
,102.5,4369,2.03,10002.5,8.6E-6
"""
HEATING = """Time, Notes, Channel A Temperature
0, Calibration file = A.cal, 25
0, Time units = Milliseconds, 25
49, , 26
149, , 27
"""


def read(tmp_path: Path, text: str, key: str) -> list[Dataset]:
    path = tmp_path / "table.txt"
    path.write_text(text)
    reader = readers.recognise(text.encode(), path.name)
    assert reader is not None
    assert reader.key == key
    return readers.read(reader, path)


def test_pixels_without_a_wavelength_are_left_out_of_a_bw_tek_spectrum(tmp_path: Path) -> None:
    subtracted, raw, dark = read(tmp_path, SPECTROMETER, "bwtek")
    assert (subtracted.axes[0].name, subtracted.axes[0].unit) == ("Raman shift", "cm⁻¹")
    np.testing.assert_array_equal(subtracted.axes[0].values, [281.3, 288.2, 295.0])
    np.testing.assert_array_equal(subtracted.signal.values, [49.5, 148.5, 97.5])
    np.testing.assert_array_equal(raw.signal.values, [1000, 1100, 1050])
    assert dark.signal.name == "Dark"
    assert subtracted.technique == "raman"
    assert subtracted.conditions["excitation_wavelength"].value == 532.02
    assert subtracted.conditions["exposure_time"].value == pytest.approx(0.04)


def test_without_a_laser_a_bw_tek_spectrum_is_over_wavelength(tmp_path: Path) -> None:
    spectrum = read(tmp_path, SPECTROMETER.replace("532,02", "0"), "bwtek")[0]
    np.testing.assert_array_equal(spectrum.axes[0].values, [540.1, 540.3, 540.5])
    assert spectrum.technique == ""


def test_an_empty_cell_is_a_number_that_is_missing(tmp_path: Path) -> None:
    datasets = read(tmp_path, MAGNETOMETER, "delimited_text")
    assert [(each.signal.name, each.signal.unit) for each in datasets] == [
        ("Status", "code"), ("Temperature", "K"), ("Field", "Oe"), ("Res. ch1", "ohm-cm"),
        ("Res. ch2", "ohm-cm"),
    ]  # fmt: skip
    assert (datasets[0].axes[0].name, datasets[0].axes[0].unit) == ("Time Stamp", "s")
    np.testing.assert_array_equal(datasets[3].signal.values, [8.4e-6, np.nan, 8.6e-6])
    np.testing.assert_array_equal(datasets[4].signal.values, [np.nan, 3.5e-5, np.nan])
    assert datasets[0].header["Comment"] == "centred"
    assert datasets[0].header["TITLE"] == "Hall bar"


def test_a_column_of_words_is_kept_in_the_header(tmp_path: Path) -> None:
    (dataset,) = read(tmp_path, HEATING, "delimited_text")
    np.testing.assert_array_equal(dataset.axes[0].values, [0, 0, 49, 149])
    np.testing.assert_array_equal(dataset.signal.values, [25, 25, 26, 27])
    assert dataset.header["Notes"] == "Calibration file = A.cal; Time units = Milliseconds"


@pytest.mark.parametrize("missing", ["-1.#IND", "1.#QNAN0", "-nan(ind)", "NaN"])
def test_what_programs_print_for_no_number_is_a_number_that_is_missing(tmp_path: Path, missing: str) -> None:
    (dataset,) = read(tmp_path, f"a b\n1 2\n2 {missing}\n3 4\n", "delimited_text")
    np.testing.assert_array_equal(dataset.signal.values, [2, np.nan, 4])


def test_infinity_as_windows_prints_it_is_still_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("a b\n1 2\n2 1.#INF\n3 4\n")
    with pytest.raises(ReadError, match="probably saturated"):
        delimited_text.read(path)


def test_a_line_that_repeats_one_word_is_no_line_of_titles(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("type,1801.2,1797.4,1793.5\nd,c,c,c,c,c\n" + "glass,0.1,0.2,0.3,0.4,0.5\n" * 5)
    try:
        names = {dataset.signal.name for dataset in delimited_text.read(path)}
    except ReadError:
        names = set()
    assert "c" not in names


ONE_CELL = """{cell}\t\t \t\t\t
AM1.5G\t25.577925\t \t \tMeasure Mode\tAC-EQE
Lambda(nm)\tEQE (%)\tSR (A/W)\tJsc (mA/cm^2)\tAM 0\t31.070295
300.0\t3.9\t0.009\t0.000\tWL-Range\t300-900nm
305.0\t7.1\t0.017\t0.001\tVoltage Bias\t0.00
310.0\t{eqe}\t0.031\t0.002\t\t
315.0\t19.4\t0.049\t0.003\t\t
"""


def test_what_stands_beside_a_table_goes_into_its_header(tmp_path: Path) -> None:
    text = ONE_CELL.format(cell=2, eqe=12.5) + ONE_CELL.format(cell=3, eqe=99.5)
    datasets = read(tmp_path, text, "delimited_text")
    assert [each.title for each in datasets].count("table 2") == 3
    second = next(each for each in datasets if (each.title, each.signal.name) == ("table 2", "EQE"))
    np.testing.assert_array_equal(second.axes[0].values, [300, 305, 310, 315])
    np.testing.assert_array_equal(second.signal.values, [3.9, 7.1, 99.5, 19.4])
    assert (second.axes[0].unit, second.signal.unit) == ("nm", "%")
    assert second.header["Voltage Bias"] == "0.00"
    assert second.header["AM1.5G"].startswith("25.57")


def test_numbers_below_a_table_with_notes_are_not_lost_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text(ONE_CELL.format(cell=2, eqe=12.5) + "the rest\n320.0\t26.7\n325.0\t33.3\n")
    with pytest.raises(ReadError):
        delimited_text.read(path)


TRACKED = """step size [V]:\t0.010000
*************
time\tvoltage\tpower
[s]\t[V]\t[mW/cm²]
4.4922E-2\t1.0700E+0\t-1.8990E+1
5.4687E-2\t1.0700E+0\t-1.8350E+1
6.5430E-2\t1.0700E+0\t-1.8163E+1
max. average power: -1.794E+1
3.0928E+0\t1.0600E+0\t-1.7832E+1
"""


def test_a_log_goes_on_after_a_line_of_words(tmp_path: Path) -> None:
    voltage, power = read(tmp_path, TRACKED, "delimited_text")
    assert (voltage.axes[0].name, voltage.axes[0].unit) == ("time", "s")
    assert voltage.axes[0].values[-1] == pytest.approx(3.0928)
    np.testing.assert_allclose(power.signal.values, [-18.99, -18.35, -18.163, -17.832])
    assert power.header["line 8"] == "max. average power: -1.794E+1"


def test_a_row_that_was_damaged_is_no_line_of_words(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(TRACKED.replace("max. average power: -1.794E+1", "1.o\t1.0700E+0\t-1.8E+1"))
    with pytest.raises(ReadError, match="numbers again"):
        delimited_text.read(path)


def test_units_of_two_parts_are_units(tmp_path: Path) -> None:
    text = "A\tB\tC\tD\nWavelength\tS1c / R1c\tWavelength\tS1\nnm\tCPS / MicroAmps\tnm\tCPS\n"
    rows = "700\t243.3\t700\t9800\n701\t253.6\t701\t10220\n702\t244.5\t702\t9850\n"
    ratio, counts = read(tmp_path, text + rows, "delimited_text")
    assert (ratio.signal.name, ratio.signal.unit) == ("S1c / R1c", "CPS / MicroAmps")
    assert (counts.axes[0].name, counts.axes[0].unit, counts.signal.unit) == ("Wavelength", "nm", "counts/s")


def test_a_shorter_curve_beside_a_longer_one_ends_earlier(tmp_path: Path) -> None:
    text = "Wavelength (nm),Counts,Wavelength (nm),Dark\n500,1,600,7\n501,2,601,8\n502,3,,\n503,4,,\n"
    long, short = read(tmp_path, text, "delimited_text")
    np.testing.assert_array_equal(long.axes[0].values, [500, 501, 502, 503])
    np.testing.assert_array_equal(short.axes[0].values, [600, 601])
    np.testing.assert_array_equal(short.signal.values, [7, 8])


def test_a_title_that_is_only_a_unit_says_what_the_axis_is(tmp_path: Path) -> None:
    text = "Scan mode:\tEmission\nData points\nnm\tData\n460.0\t2.1\n460.2\t2.2\n460.4\t2.3\n"
    (dataset,) = read(tmp_path, text, "delimited_text")
    assert (dataset.axes[0].name, dataset.axes[0].unit, dataset.signal.name) == ("Wavelength", "nm", "Data")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("bwtek", SPECTROMETER),
        ("delimited_text", MAGNETOMETER),
        ("delimited_text", HEATING),
        ("delimited_text", ONE_CELL.format(cell=2, eqe=1) * 2),
        ("delimited_text", TRACKED),
    ],
)
def test_mutilated_tables_are_read_or_refused_and_nothing_else(tmp_path: Path, key: str, text: str) -> None:
    path = tmp_path / "table.txt"
    path.write_text(text)
    assert list(offences(readers.get(key), path)) == []

"""Text exports of spectrometers in the variants that programs and languages write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError

JASCO = (
    "TITLE,\nDATA TYPE,{kind}\nORIGIN,JASCO\nDATE,23/01/11\nTIME,16:49:31\nXUNITS,{x}\nYUNITS,{y}\n"
    "FIRSTX,400\nLASTX,402\nNPOINTS,3\n{more}XYDATA\n"
)


def read(key: str, content: str | bytes, tmp_path: Path) -> list[Dataset]:
    """What the reader `key` makes of the content, which it must recognise before all others."""
    written = content.encode() if isinstance(content, str) else content
    path = tmp_path / "file"
    path.write_bytes(written)
    reader = readers.recognise(written[: readers.HEAD_BYTES], "file.txt")
    assert reader is not None
    assert reader.key == key
    return readers.read(reader, path)


def test_jasco_s_japanese_footer_is_understood(tmp_path: Path) -> None:
    head = JASCO.format(kind="INFRARED SPECTRUM", x="1/CM", y="TRANSMITTANCE", more="")
    footer = (
        "\n##### Extended Information\n[測定情報]\n機種名,FT/IR-4600\n検出器,TGS\n積算回数,16\n分解,2 cm-1\n"
    )
    (dataset,) = read("jasco_text", (head + "400,98\n401,97\n402,96\n" + footer).encode("cp932"), tmp_path)
    assert (dataset.signal.name, dataset.signal.unit) == ("Transmittance", "%")
    conditions = {key: quantity.value for key, quantity in dataset.conditions.items()}
    assert conditions["detector"] == "TGS"
    assert conditions["accumulations"] == 16
    assert conditions["resolution"] == 2
    assert conditions["local_time"] == "23/01/11 16:49:31"


def test_every_channel_of_circular_dichroism_is_a_dataset(tmp_path: Path) -> None:
    more = "YUNITS2,HT [V]\nYUNITS3,ABSORBANCE\n"
    head = JASCO.format(kind="", x="NANOMETERS", y="CD [mdeg]", more=more)
    datasets = read("jasco_text", head + "400,1.5,300,0.1\n401,1.6,301,0.2\n402,1.7,302,0.3\n", tmp_path)
    assert [(each.signal.name, each.signal.unit) for each in datasets] == [
        ("CD", "mdeg"), ("HT", "V"), ("Absorbance", "1"),
    ]  # fmt: skip
    np.testing.assert_array_equal(datasets[2].signal.values, [0.1, 0.2, 0.3])


def test_a_jasco_scan_at_several_temperatures_is_a_map(tmp_path: Path) -> None:
    head = JASCO.format(kind="", x="NANOMETERS", y="CD [mdeg]", more="ZUNITS,Temperature [C]\n")
    second = "CHANNEL 2\n,20,30\n400,7,7\n401,8,8\n402,9,9\n"
    content = head + "CHANNEL 1\n,20,30\n400,1,2\n401,3,4\n402,5,6\n\n" + second
    dataset, voltage = read("jasco_text", content, tmp_path)
    np.testing.assert_array_equal(voltage.signal.values, [[7, 8, 9], [7, 8, 9]])
    assert [(axis.name, axis.unit) for axis in dataset.axes] == [("Temperature", "°C"), ("Wavelength", "nm")]
    np.testing.assert_array_equal(dataset.axes[0].values, [20, 30])
    np.testing.assert_array_equal(dataset.signal.values, [[1, 3, 5], [2, 4, 6]])


def test_a_jasco_file_that_lost_points_is_refused(tmp_path: Path) -> None:
    head = JASCO.format(kind="", x="NANOMETERS", y="ABSORBANCE", more="")
    with pytest.raises(ReadError, match="announces 3 points, but there are 2"):
        read("jasco_text", head + "400,1\n401,2\n", tmp_path)


def test_what_avasoft_computed_is_the_main_curve(tmp_path: Path) -> None:
    content = (
        "\r\nIntegration time [ms]: 10,00\r\nAveraging Nr. [scans]: 5\r\n"
        "Data measured with spectrometer [name]: 1106037U1\r\n"
        "Wave   ;Sample   ;Dark     ;Reference;Absorbance\r\n"
        "[nm]   ;[counts] ;[counts] ;[counts] ;[A.U.]\r\n\r\n"
        "400,5; 10,0; 1,0; 20,0; 0,301\r\n401,0; 11,0; 1,0; 21,0; 0,296\r\n"
    )
    absorbance, sample, *_ = read("avantes", content, tmp_path)
    assert (absorbance.title, sample.title) == ("Absorbance", "Sample")
    np.testing.assert_array_equal(absorbance.signal.values, [0.301, 0.296])
    np.testing.assert_array_equal(absorbance.axes[0].values, [400.5, 401])
    assert absorbance.conditions["exposure_time"].value == pytest.approx(0.01)


def test_scans_of_different_length_in_a_cary_file_keep_their_own_points(tmp_path: Path) -> None:
    content = (
        "Baseline 100%T,,glass,,\r\nWavelength (nm),%T,Wavelength (nm),%T,\r\n"
        "800,100.1,700,50.1,\r\n799,100.2,699,50.2,\r\n798,100.3,,,\r\n\r\nglass\r\n"
        "Collection Time: 1/15/2014 4:59:54 PM\r\nInstrument                        Cary 5000\r\n"
    )
    glass, baseline = read("cary", content, tmp_path)
    assert (glass.title, baseline.title) == ("glass", "Baseline 100%T")
    np.testing.assert_array_equal(glass.axes[0].values, [700, 699])
    np.testing.assert_array_equal(baseline.signal.values, [100.1, 100.2, 100.3])
    assert glass.conditions["instrument"].value == "Cary 5000"
    assert "instrument" not in baseline.conditions  # the log is of the other scan


def test_oceanview_in_a_language_with_decimal_commas(tmp_path: Path) -> None:
    content = (
        "Data from Subt6__0__Absorbance.txt Node\r\n\r\nDate: Mon May 16 11:21:35 CEST 2022\r\nUser: lab\r\n"
        "Spectrometer: FLMS12345\r\nIntegration Time (sec): 1,000000E-1\r\nScans to average: 10\r\n"
        "Number of Pixels in Spectrum: 2\r\n>>>>>Begin Spectral Data<<<<<\r\n"
        "340,12\t0,12\r\n340,50\t-0,01\r\n"
    )
    (dataset,) = read("ocean_optics", content, tmp_path)
    np.testing.assert_array_equal(dataset.axes[0].values, [340.12, 340.5])
    np.testing.assert_array_equal(dataset.signal.values, [0.12, -0.01])
    assert (dataset.signal.name, dataset.signal.unit) == ("Absorbance", "1")
    assert dataset.conditions["exposure_time"].value == pytest.approx(0.1)
    assert dataset.acquired_at is None  # CEST is a name, not an offset


LABSPEC = (
    "#Acq. time (s)=\t2\n#Accumulations=\t3\n#Range (cm-¹)=\t100...300\n#Laser (nm)=\t532\n"
    "#Instrument=\tLabRAM\n"
)


def test_a_labspec_map_keeps_the_positions_of_its_spectra(tmp_path: Path) -> None:
    content = LABSPEC + "\t\t100\t200\t300\n-5\t1\t10\t11\t12\n-4\t1\t20\t21\t22\n"
    spectra, first, second = read("labspec", content.encode("latin-1"), tmp_path)
    np.testing.assert_array_equal(spectra.signal.values, [[10, 11, 12], [20, 21, 22]])
    assert (spectra.axes[1].name, spectra.axes[1].unit) == ("Raman shift", "cm⁻¹")
    np.testing.assert_array_equal(first.signal.values, [-5, -4])
    np.testing.assert_array_equal(second.signal.values, [1, 1])


def test_a_renishaw_map_in_text_is_cut_where_the_position_changes(tmp_path: Path) -> None:
    rows = [f"{x}\t\t0\t\t{wave}\t\t{x * wave}" for x in (1, 2) for wave in (300, 200, 100)]
    content = "#X\t\t#Y\t\t#Wave\t\t#Intensity\n" + "\n".join(rows) + "\n"
    spectra, x, _ = read("renishaw_text", content, tmp_path)
    np.testing.assert_array_equal(spectra.signal.values, [[300, 200, 100], [600, 400, 200]])
    np.testing.assert_array_equal(x.signal.values, [1, 2])
    with pytest.raises(ReadError, match="do not share one axis"):
        read("renishaw_text", content[: content.rindex("2\t\t0\t\t100")], tmp_path)


def test_columns_of_a_kinetic_series_of_andor_are_its_frames(tmp_path: Path) -> None:
    content = (
        "500.5\t1\t3\t\r\n501.5\t2\t4\t\r\n\r\nAcquisition Mode:             Kinetics\r\n"
        "Data Type:    Counts\r\n"
        "Exposure Time (secs):         0.1\r\nKinetic Cycle Time (secs):    0.5\r\nWavelength (nm):   501\r\n"
    )
    (dataset,) = read("andor_text", content, tmp_path)
    assert [(axis.name, axis.unit) for axis in dataset.axes] == [("Time", "s"), ("Wavelength", "nm")]
    np.testing.assert_array_equal(dataset.axes[0].values, [0, 0.5])
    np.testing.assert_array_equal(dataset.signal.values, [[1, 2], [3, 4]])


def test_a_long_series_of_andor_is_known_by_the_ends_of_its_lines() -> None:
    rows = b"".join(b"%d,1,2,3,\r\n" % n for n in range(9000))
    recognises = readers.get("andor_text").recognises
    assert recognises(rows[: readers.HEAD_BYTES], "series.asc") > readers.get("delimited_text").recognises(
        rows, ""
    )
    assert recognises(rows[: readers.HEAD_BYTES], "other.csv") == 0
    assert recognises(rows.replace(b",\r", b"\r")[: readers.HEAD_BYTES], "series.asc") == 0


def test_uvprobe_s_raw_data_have_their_names_and_units(tmp_path: Path) -> None:
    content = '"glass - RawData"\r\n"Wavelength nm.","Abs."\r\n800.00,0.080\r\n799.00,0.081\r\n'
    (dataset,) = read("shimadzu_text", content, tmp_path)
    assert (dataset.axes[0].name, dataset.axes[0].unit) == ("Wavelength", "nm")
    assert (dataset.signal.name, dataset.signal.unit) == ("Absorbance", "1")
    assert dataset.conditions["sample_name"].value == "glass - RawData"


def test_rows_without_a_value_are_left_out_of_a_stopped_uvprobe_scan_and_counted(tmp_path: Path) -> None:
    content = '"Wavelength nm."\t"T%"\r\n800,0\t90,1\r\n799,0\t90,2\r\n798,0\t\r\n797,0\t \r\n'
    (dataset,) = read("shimadzu_text", content, tmp_path)
    np.testing.assert_array_equal(dataset.signal.values, [90.1, 90.2])
    assert (dataset.signal.name, dataset.signal.unit) == ("Transmittance", "%")
    assert dataset.header["Rows without a value, left out"] == "2"
    with pytest.raises(ReadError, match="expected 2 numbers, found 1"):
        read("shimadzu_text", content.replace("798,0\t", "798,0"), tmp_path)


def test_what_jaz_computed_is_the_main_curve(tmp_path: Path) -> None:
    content = (
        "Jaz Absolute Irradiance File\n++++++++++\nDate: Thu May 12 2011\n"
        ">>>>>Begin Processed Spectral Data<<<<<\nW\tD\tS\tP\n188.1\t1\t20\t0.5\n188.5\t2\t21\t0.6\n"
        ">>>>>End Processed Spectral Data<<<<<\n"
    )
    processed, dark, sample = read("ocean_optics", content, tmp_path)
    assert (processed.title, dark.title, sample.title) == ("P", "D", "S")
    np.testing.assert_array_equal(processed.signal.values, [0.5, 0.6])


def test_an_asp_file_with_too_few_values_is_refused(tmp_path: Path) -> None:
    content = "4\r\n4000\r\n400\r\n1\r\n2\r\n4\r\n0.1\r\n0.2\r\n0.3\r\n"
    with pytest.raises(ReadError, match="announces 4 points, but there are 3"):
        read("asp", content, tmp_path)
    (dataset,) = read("asp", content + "0.4\r\n", tmp_path)
    np.testing.assert_array_equal(dataset.axes[0].values, [4000, 2800, 1600, 400])


def test_a_matrix_without_a_rising_axis_is_left_to_others(tmp_path: Path) -> None:
    head = b"Time(s)\t400\t500\t450\n0\t1\t2\t3\n"
    assert readers.get("time_wavelength_text").recognises(head, "a.txt") == 0
    (dataset,) = read(
        "time_wavelength_text", "Delay [ps]\t400\t500\t600\n-1\t1\t2\t3\n2\t4\t5\t6\n", tmp_path
    )
    assert dataset.axes[0].unit == "ps"
    np.testing.assert_array_equal(dataset.signal.values, [[1, 2, 3], [4, 5, 6]])

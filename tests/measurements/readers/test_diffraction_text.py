"""Text of diffractometers: UXD, Rigaku ASC, Bruker XY and RAW4 text, PANalytical CSV, Philips UDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import HEAD_BYTES
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import offences

Reading = Callable[[str, str], list[Dataset]]

UXD_FILE = "; from XCH\n_FILEVERSION=2\n_SAMPLE='BT86'\n_WL_UNIT='A'\n_WL1=1.540600\n_ANODE='Cu'\n"
UXD_RANGE = "; (Data)\n_DRIVE='{drive}'\n_STEPTIME={seconds}\n_STEPSIZE=0.02\n_START={start}\n{block}\n"
UXD = (
    UXD_FILE
    + UXD_RANGE.format(drive="COUPLED", seconds=1, start=10, block="_COUNTS\n 1 2\n 3 4")
    + UXD_RANGE.format(drive="THETA", seconds=20, start=5, block="_2THETACPS\n5.00\t7.5\n5.02\t8.5")
)
ASC_GROUP = (
    "*BEGIN\n*GROUP = {group}\n*START = {start}\n*STOP = 5\n*STEP = 0.5\n*SPEED = 2\n*KV = 40\n*COUNT = 5\n"
    "1, 2.5, 3\n4, 5\n*END\n"
)
ASC = (
    "*TYPE\t\t=  Raw\n*CLASS\t\t=  ASCII CLASS\n*SAMPLE\t\t=  glass\n*SCAN_AXIS\t=  2theta/theta\n"
    "*WAVE_LENGTH1\t=  1.54056\n*SPEED_DIM\t=  deg/min\n*XUNIT\t\t=  deg.\n*YUNIT\t\t=  cps\n"
    "*SLIT_NAME\t=  0, Divergence\n*SLIT_NAME\t=  1, Scattering\n"
    + ASC_GROUP.format(group=0, start=3)
    + ASC_GROUP.format(group=1, start=30)
    + "*EOF\n"
)
EVA = (
    """'Id: "S1" Comment: "" Anode: "Cu" Scantype: "Theta (Rocking)" TimePerStep: "96" \n1,0 5,5\n1,1 6,5\n"""
)
RAW4_TEXT = """;RAW4.00
[RawHeader]
Date=06/17/2026
Time=12:11:21
[VarInfo]
Type=SAMPLEID
Value=LaB6
[HardwareConfiguration]
Anode=Cu
Alpha1=1.5406
[RangeHeader]
ScanType=Locked Coupled
Increment=0.02
Time=192
[Data]
     Angle,       PSD,
         3,      2875,
      3.02,     -9999,
[RangeHeader]
ScanType=Locked Coupled
Time=10
[Data]
     Angle,       PSD,
         5,        1,
         6,        2,
"""
CSV = """[Measurement conditions]
Sample identification,LaB6
Comment,"Goniometer=PW3050, radius 240"
Anode material,Cu
K-Alpha1 wavelength,1.540598
Ratio K-Alpha2/K-Alpha1,0.5
Generator voltage,45
Scan axis,Gonio
File date and time,21/May/2021 15:41

[Scan points]
Angle,TimePerStep,Intensity,ESD
10.00,50,100,10
10.02,50,121,11
"""
UDF = (
    "SampleIdent,CeO2,/\nTitle1,CeO2 Standard,/\nTitle2,,/\nAnode,Cu,/\nLabdaAlpha1, 1.540598,/\n"
    "DivergenceSlit,Fixed, 1/2,/\nDataAngleRange,   3.00,  3.08,/\nScanStepSize, 0.02,/\n"
    "ScanStepTime, 18.87,/\nRawScan\n   43202,   43027,   42690\n   41849,   41000/\n"
)
SAMPLES = {
    "uxd": UXD, "rigaku_asc": ASC, "diffrac_xy": EVA, "diffrac_text": RAW4_TEXT, "panalytical_csv": CSV,
    "philips_udf": UDF,
}  # fmt: skip


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def read_text(key: str, text: str) -> list[Dataset]:
        path = tmp_path / "file"
        path.write_bytes(text.encode("latin-1"))
        found = readers.recognise(path.read_bytes()[:HEAD_BYTES], "file")
        assert found is not None
        assert found.key == key
        return readers.read(found, path)

    return read_text


def test_each_range_of_a_uxd_file_has_its_own_drive_step_time_and_unit(read: Reading) -> None:
    coupled, rocking = read("uxd", UXD)
    np.testing.assert_allclose(coupled.axes[0].values, [10, 10.02, 10.04, 10.06])
    np.testing.assert_array_equal(coupled.signal.values, [1, 2, 3, 4])
    assert [d.signal.unit for d in (coupled, rocking)] == ["counts", "counts/s"]
    assert [d.axes[0].name for d in (coupled, rocking)] == ["2θ", "θ"]
    assert [d.conditions["dwell_time"].value for d in (coupled, rocking)] == [1, 20]
    assert rocking.conditions["xray_wavelength"].value == 1.5406
    assert rocking.header["SAMPLE"] == "BT86"


def test_a_decimal_comma_in_uxd_is_understood(read: Reading) -> None:
    text = UXD_FILE + UXD_RANGE.format(drive="COUPLED", seconds=1, start=10, block="_2THETACOUNTS")
    (dataset,) = read("uxd", text + "10,00    1,5\n10,02    2,5\n")
    np.testing.assert_array_equal(dataset.axes[0].values, [10, 10.02])
    np.testing.assert_array_equal(dataset.signal.values, [1.5, 2.5])


def test_half_a_point_in_uxd_is_refused(read: Reading) -> None:
    text = UXD_FILE + UXD_RANGE.format(drive="COUPLED", seconds=1, start=10, block="_2THETACOUNTS")
    with pytest.raises(ReadError, match="not 2 for each point"):
        read("uxd", text + "10.00 1\n10.02")


def test_groups_of_rigaku_asc_are_datasets_of_their_own(read: Reading) -> None:
    first, second = read("rigaku_asc", ASC)
    np.testing.assert_array_equal(first.signal.values, [1, 2.5, 3, 4, 5])
    np.testing.assert_array_equal(second.axes[0].values, [30, 30.5, 31, 31.5, 32])
    assert first.signal.unit == "counts/s"
    assert first.conditions["dwell_time"].value == 15
    assert first.header["SLIT_NAME'"] == "1, Scattering"


def test_a_short_group_of_rigaku_asc_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="announces 5 intensities, there are 4"):
        read("rigaku_asc", ASC.replace("4, 5\n", "4\n"))


def test_bruker_xy_with_a_decimal_comma_names_what_is_driven(read: Reading) -> None:
    (dataset,) = read("diffrac_xy", EVA)
    np.testing.assert_array_equal(dataset.signal.values, [5.5, 6.5])
    assert dataset.axes[0].name == "ω"
    assert dataset.conditions["sample_name"].value == "S1"


def test_a_real_eva_export_agrees_with_an_independent_reading(reference: Path) -> None:
    name = "xrd/datalab_eva_example.xy"
    datasets = readers.read(readers.get("diffrac_xy"), reference / "instrument_files" / name)
    assert not disagreements(datasets, readings_of(reference)[name])
    assert datasets[0].conditions["operator"].value == "Emmy Noether"


def test_raw4_text_keeps_the_clock_and_the_counting_time_apart(read: Reading) -> None:
    first, second = read("diffrac_text", RAW4_TEXT)
    assert first.conditions["local_time"].value == "06/17/2026 12:11:21"
    assert [d.conditions["dwell_time"].value for d in (first, second)] == [192, 10]
    assert first.conditions["sample_name"].value == "LaB6"
    np.testing.assert_array_equal(first.signal.values, [2875, np.nan])
    np.testing.assert_array_equal(second.axes[0].values, [5, 6])


def test_panalytical_csv_has_its_errors_and_conditions(read: Reading) -> None:
    (dataset,) = read("panalytical_csv", CSV)
    np.testing.assert_array_equal(dataset.signal.values, [100, 121])
    assert dataset.signal.errors is not None
    np.testing.assert_array_equal(dataset.signal.errors, [10, 11])
    assert dataset.conditions["xray_wavelength"].value == 1.540598
    assert dataset.conditions["dwell_time"].value == 50
    assert dataset.header["Comment"] == "Goniometer=PW3050, radius 240"


def test_panalytical_csv_of_a_european_computer_is_understood(read: Reading) -> None:
    text = (
        "[Measurement conditions]\nAnode material;Cu\n[Scan points]\nAngle;Intensity\n10,00;1,5\n10,02;2,5\n"
    )
    (dataset,) = read("panalytical_csv", text)
    np.testing.assert_array_equal(dataset.axes[0].values, [10, 10.02])
    assert dataset.conditions["anode"].value == "Cu"


def test_udf_has_its_counts_up_to_the_slash_and_values_with_commas(read: Reading) -> None:
    (dataset,) = read("philips_udf", UDF)
    np.testing.assert_array_equal(dataset.signal.values, [43202, 43027, 42690, 41849, 41000])
    np.testing.assert_allclose(dataset.axes[0].values, [3, 3.02, 3.04, 3.06, 3.08])
    assert dataset.header["DivergenceSlit"] == "Fixed, 1/2"
    assert dataset.conditions["dwell_time"].value == 18.87


def test_udf_without_its_end_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="end without a slash"):
        read("philips_udf", UDF.rsplit("/", 1)[0])


@pytest.mark.parametrize("key", SAMPLES)
def test_mutilated_files_are_read_or_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "file"
    path.write_text(SAMPLES[key])
    assert not list(offences(readers.get(key), path))

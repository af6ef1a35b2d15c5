"""Rigaku RAS and RASX: real archives against independent readings, and text as SmartLab writes it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import ras, rasx
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import offences

RASX_FILES = ("xrd/datalab_JO_KL_16_ZF_3_60deg.rasx", "xrd/nomad_Omega-2Theta_high_temperature.rasx")
HEADER = """*RAS_HEADER_START
*FILE_SAMPLE "LaB6"
*HW_XG_TARGET_NAME "Cu"
*HW_XG_WAVE_LENGTH_ALPHA1 "1.540593"
*MEAS_COND_AXIS_NAME-0 "Temperature"
*MEAS_COND_AXIS_POSITION-0 "{celsius}"
*MEAS_COND_AXIS_UNIT-0 "C"
*MEAS_DATA_COUNT "3"
*MEAS_SCAN_AXIS_X "TwoThetaTheta"
*MEAS_SCAN_SPEED "10.0"
*MEAS_SCAN_SPEED_UNIT "deg/min"
*MEAS_SCAN_START_TIME "06/11/26 13:59:11"
*MEAS_SCAN_STEP "0.02"
*MEAS_SCAN_UNIT_X "deg"
*MEAS_SCAN_UNIT_Y "counts"
*RAS_HEADER_END
*RAS_INT_START
"""
ROWS = ("10.0000 100.0000 1.0000", "10.0200 200.0000 5.0000", "10.0400 100.0000 1.0000")


def scan(rows: tuple[str, ...] = ROWS, celsius: float = 25) -> str:
    return HEADER.format(celsius=celsius) + "\n".join(rows) + "\n*RAS_INT_END\n"


def read(path: Path, text: str) -> list[Dataset]:
    path.write_bytes(text.encode("latin-1"))
    assert ras.recognises(path.read_bytes(), "file")
    return readers.read(readers.get("ras"), path)


@pytest.mark.parametrize("name", RASX_FILES)
def test_real_archives_agree_with_independent_readings(reference: Path, name: str) -> None:
    datasets = readers.read(readers.get("rasx"), reference / "instrument_files" / name)
    assert not disagreements(datasets, readings_of(reference)[name])
    assert datasets[0].axes[0].name == "2θ"
    assert datasets[0].conditions["xray_wavelength"].value == 1.540593


def test_the_temperature_of_the_heated_stage_is_found(reference: Path) -> None:
    (dataset,) = readers.read(readers.get("rasx"), reference / "instrument_files" / RASX_FILES[1])
    assert dataset.conditions["temperature"].value == 550


def test_profiles_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(11):
            archive.writestr(f"Data{number}/Profile{number}.txt", f"\ufeff1.0\t{number}\t1\n2.0\t5\t1\n")
    assert rasx.recognises(path.read_bytes(), "file")
    datasets = readers.read(readers.get("rasx"), path)
    assert [dataset.signal.values[0] for dataset in datasets] == list(range(11))


def test_the_attenuator_is_applied_and_what_was_before_is_kept(tmp_path: Path) -> None:
    main, before, factor = read(tmp_path / "file", "*RAS_DATA_START\n" + scan() + "*RAS_DATA_END\n")
    np.testing.assert_array_equal(main.signal.values, [100, 1000, 100])
    np.testing.assert_array_equal(before.signal.values, [100, 200, 100])
    np.testing.assert_array_equal(factor.signal.values, [1, 5, 1])
    assert main.conditions["attenuation"].value == "applied, factors 1 to 5"
    assert main.conditions["dwell_time"].value == pytest.approx(0.12)
    assert main.acquired_at is None
    assert main.conditions["local_time"].value == "06/11/26 13:59:11"


def test_each_scan_has_its_own_header(tmp_path: Path) -> None:
    plain = ("1 2 1", "2 3 1", "3 4 1")
    text = "*RAS_DATA_START\n" + scan(plain, 25) + scan(plain, 400) + "*RAS_DATA_END\n"
    datasets = read(tmp_path / "file", text)
    assert [dataset.conditions["temperature"].value for dataset in datasets] == [25, 400]
    assert [dataset.title for dataset in datasets] == ["scan 1, 2θ", "scan 2, 2θ"]


def test_a_file_that_ends_before_its_announced_points_is_refused(tmp_path: Path) -> None:
    cut = scan().rpartition("\n10.0400")[0]
    with pytest.raises(ReadError, match="announces 3 points, but the file ends after 2"):
        read(tmp_path / "file", cut)


def test_mutilated_files_are_read_or_refused(reference: Path, tmp_path: Path) -> None:
    read(tmp_path / "ras", scan())
    assert not list(offences(readers.get("ras"), tmp_path / "ras"))
    assert not list(
        offences(readers.get("rasx"), reference / "instrument_files" / RASX_FILES[0], flips=40, cuts=10)
    )

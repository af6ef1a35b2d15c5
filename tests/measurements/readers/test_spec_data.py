"""SPEC files: real ones against xraylarch, which reads the last scan only; odd cases written here."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import spec_data
from tests.measurements.readers.expected import readings_of
from tests.measurements.readers.mutations import mutations

SCANS = """#F test
#D Thu Apr 13 10:28:46 2006
#O0      tth        th

#S 1  ascan  tth 10 11 1 1
#D Thu Apr 13 10:30:00 2006
#N 3
#L tth  Counter 1  Energy keV
10 5 8.0
@A 1 2 3\\
4 5 6
11 6 8.0

#S 2  ascan  energy 7 8 1 1
#N 2
#L energy i0
7.1 4
7.2 5
#C stopped

#S 3  ascan  energy 7 8 1 1
#N 2
#L energy i0
"""


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["APS9BM_2006.dat", "ESRF_SNBL_2013.dat"])
def test_the_scan_that_xraylarch_reads_agrees_column_by_column(reference: Path, name: str) -> None:
    path = reference / "instrument_files" / "xas" / name
    assert spec_data.recognises(path.read_bytes()[:65536], "any") > 0.9
    (reading,) = readings_of(reference)[f"xas/{name}"]
    columns, points = reading["shape"]
    datasets = [d for d in spec_data.read(path) if d.signal.values.size == points]
    energy = datasets[0].axes[0]
    assert energy.name == "Energy"
    assert len(datasets) == columns - 1
    ends = [(d.signal.values[0], d.signal.values[-1]) for d in datasets] + [
        (energy.values[0], energy.values[-1])
    ]
    assert sorted(ends) == sorted(zip(reading["first_row"], reading["last_row"], strict=True))


def test_all_scans_of_a_file_are_read(reference: Path) -> None:
    datasets = spec_data.read(reference / "instrument_files/xas/ESRF_SNBL_2013.dat")
    assert {d.title.partition(",")[0] for d in datasets} == {"scan 1", "scan 2"}
    assert datasets[0].axes[0].unit == "keV"
    assert datasets[0].conditions["local_time"].value == "Fri Jun 28 13:44:15 2013"


def test_only_a_scan_of_the_energy_is_an_absorption_scan(tmp_path: Path) -> None:
    counter, kept_energy, i0 = spec_data.read(saved(tmp_path, SCANS))
    assert (counter.axes[0].name, counter.axes[0].unit, counter.technique) == ("tth", "deg", "")
    assert list(counter.signal.values) == [5, 6]
    assert kept_energy.signal.name == "Energy keV"
    assert (i0.axes[0].name, i0.technique) == ("Energy", "xas")
    assert np.array_equal(i0.axes[0].values, [7.1, 7.2])
    assert counter.header["analyser spectra left out"] == "1"
    assert counter.header["file #D"] == "Thu Apr 13 10:28:46 2006"


def test_rows_that_do_not_fit_their_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Line 17: the rows have 3 numbers"):
        spec_data.read(saved(tmp_path, SCANS.replace("7.1 4\n7.2 5", "7.1 4 1\n7.2 5 1")))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _, content in mutations(SCANS.encode(), seed=3):
        path.write_bytes(content)
        try:
            assert spec_data.read(path)
        except ReadError:
            continue

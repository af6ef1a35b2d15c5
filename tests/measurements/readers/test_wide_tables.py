"""Delimited text beyond a few curves: maps, rows that begin with a name, titles that are numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.mutations import offences

Reading = Callable[[str], list[Dataset]]


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def read_text(text: str) -> list[Dataset]:
        path = tmp_path / "file"
        path.write_text(text)
        return readers.read(readers.get("delimited_text"), path)

    return read_text


def test_a_table_of_thousands_of_columns_with_names_is_one_map(reference: Path) -> None:
    path = reference / "instrument_files" / "xrd" / "perovskite_cluster" / "xrd_data_raw_intensities.csv"
    (dataset,) = readers.read(readers.get("delimited_text"), path)
    assert dataset.signal.values.shape == (145, 5501)
    assert dataset.signal.values[0, 0] == 819
    assert np.isnan(dataset.signal.values[0, -1])
    assert (dataset.axes[1].values[0], dataset.axes[1].values[-1]) == (0, 5500)
    assert dataset.header["rows"].startswith("20190620-JT-4_Cs84FA0MA16_XRD-AB_2-Theta\n")


def test_many_columns_without_names_are_a_map_on_the_first_column(read: Reading) -> None:
    titles = "T;" + ";".join(str(300 + n) for n in range(80))
    rows = [f"{25 + n};" + ";".join(f"{n},5" for _ in range(80)) for n in range(3)]
    (dataset,) = read("\n".join([titles, *rows]) + "\n")
    assert dataset.signal.values.shape == (3, 80)
    assert dataset.signal.values[2, 0] == 2.5
    np.testing.assert_array_equal(dataset.axes[0].values, [25, 26, 27])
    np.testing.assert_array_equal(dataset.axes[1].values, np.arange(300, 380))


def test_many_columns_with_names_are_curves(read: Reading) -> None:
    titles = "Time (s)\t" + "\t".join(f"Counter {n}" for n in range(70))
    rows = [f"{n}\t" + "\t".join(str(n + m) for m in range(70)) for n in range(3)]
    datasets = read("\n".join([titles, *rows]) + "\n")
    assert len(datasets) == 70
    assert datasets[69].signal.name == "Counter 69"


@pytest.mark.parametrize("titles", [",300,310", "2theta,300,310", ",Cs,FA"])
def test_titles_with_numbers_or_an_empty_corner_name_their_columns(read: Reading, titles: str) -> None:
    one, other = read(f"{titles}\n10.0,1.5,2.5\n10.5,3.5,4.5\n")
    assert [one.signal.name, other.signal.name] == titles.split(",")[1:]
    np.testing.assert_array_equal(other.signal.values, [2.5, 4.5])


def test_rows_that_begin_with_a_name_keep_it(read: Reading) -> None:
    one, other = read("sample;a (mg);b\nglass 1;1,5;2\nglass 2;;4\n")
    np.testing.assert_array_equal(one.signal.values, [1.5, np.nan])
    assert one.signal.unit == "mg"
    np.testing.assert_array_equal(other.signal.values, [2, 4])
    assert one.header["rows"] == "glass 1\nglass 2"


def test_a_first_line_that_is_a_row_itself_is_not_lost(read: Reading) -> None:
    one, *_ = read("glass 1,5,2,2\nglass 2,7,9,1\nglass 3,1,4,4\n")
    np.testing.assert_array_equal(one.signal.values, [5, 7, 1])


def test_highscores_angles_are_degrees(read: Reading) -> None:
    (dataset,) = read("Pos. [°2Th.]\tIntensity [cts]\n10.01\t5\n10.02\t6\n")
    assert dataset.axes[0].unit == "deg"
    assert dataset.signal.unit == "counts"


def test_text_without_numbers_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="there are no rows of numbers"):
        read("a,b,c\nd,e,f\ng,h,i\n")


def test_mutilated_tables_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("sample;a;b\n" + "".join(f"glass {n};{n},5;{n * n}\n" for n in range(20)))
    assert not list(offences(readers.get("delimited_text"), path))

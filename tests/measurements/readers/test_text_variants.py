"""Columns as programs of other countries and habits write them: quotes, thousands, blocks, units below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import HEAD_BYTES, delimited_text

Reading = Callable[..., list[Dataset]]


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def read_text(text: str, encoding: str = "utf-8") -> list[Dataset]:
        path = tmp_path / "file"
        path.write_bytes(text.encode(encoding))
        reader = readers.recognise(path.read_bytes()[:HEAD_BYTES], "file.txt")
        assert reader is not None
        return readers.read(reader, path)

    return read_text


@pytest.mark.parametrize(
    "text",
    [
        'T,Counts\n100,"1,234"\n101,"999"\n102,"12,001,000"\n',
        "T\tCounts\n100.0\t1,234\n101.0\t999\n102.0\t12,001,000\n",
        "T;Counts\n100;1,234.0\n101;999.0\n102;12,001,000.0\n",
        "100.0   1,234\n101.0   999\n102.0   12,001,000\n",
    ],
)
def test_a_comma_between_thousands_does_not_cut_a_number(read: Reading, text: str) -> None:
    (dataset,) = read(text)
    np.testing.assert_array_equal(dataset.axes[0].values, [100, 101, 102])
    np.testing.assert_array_equal(dataset.signal.values, [1234, 999, 12001000])


def test_quoted_decimal_commas_between_commas_are_decimal(read: Reading) -> None:
    (dataset,) = read('"x","y"\n"400,5","1,25"\n"401,5","0,123"\n')
    np.testing.assert_array_equal(dataset.axes[0].values, [400.5, 401.5])
    np.testing.assert_array_equal(dataset.signal.values, [1.25, 0.123])


def test_three_decimals_after_a_comma_stay_decimals_where_nothing_speaks_against_it(read: Reading) -> None:
    (dataset,) = read("10\t1,234\n11\t2,345\n")
    np.testing.assert_array_equal(dataset.signal.values, [1.234, 2.345])


def test_units_in_brackets_in_a_line_of_their_own_belong_to_the_titles_above(read: Reading) -> None:
    first, second = read("Zeit ;Masse ;DTG \n[min];[mg]  ;[mg/min]\n0,5;10,1;0,2\n1,0;10,0;0,3\n")
    assert (first.axes[0].name, first.axes[0].unit) == ("Zeit", "min")
    assert [(each.signal.name, each.signal.unit) for each in (first, second)] == [
        ("Masse", "mg"), ("DTG", "mg/min"),
    ]  # fmt: skip


def test_a_comment_mark_alone_is_no_title(read: Reading) -> None:
    (dataset,) = read("# a comment\n#\n  0.01  0.5\n  0.02  0.6\n")
    assert (dataset.axes[0].name, dataset.signal.name) == ("x", "y")


BLOCKS = (
    "Angle (deg)\tCounts\n0\t12\n3\t9\n6\t7\n"
    "second ring\n0\t29\n3\t38\n6\t42\n"
    "Range\t3\nFilter\topen\n3\n0\t1\n3\t2\n9\t3\n"
)


def test_tables_one_below_the_other_are_curves_of_their_own(read: Reading) -> None:
    first, second, third = read(BLOCKS)
    assert [each.title for each in (first, second, third)] == ["block 1", "block 2, second ring", "block 3"]
    np.testing.assert_array_equal(second.signal.values, [29, 38, 42])
    np.testing.assert_array_equal(third.axes[0].values, [0, 3, 9])
    assert {each.axes[0].unit for each in (first, second, third)} == {"deg"}
    assert third.header == {"Range": "3", "Filter": "open", "line 11": "3"}


def test_curves_between_blank_lines_and_comments_stay_apart(read: Reading) -> None:
    first, second, third = read("# T = 25 C\n1 5\n2 6\n3 7\n\n# T = 50 C\n1 8\n2 9\n3 9\n\n\n1 4\n2 3\n3 2\n")
    np.testing.assert_array_equal(second.axes[0].values, [1, 2, 3])
    np.testing.assert_array_equal(third.signal.values, [4, 3, 2])
    assert (first.title, second.title) == ("block 1, # T = 25 C", "block 2, # T = 50 C")


def test_a_loop_with_blank_lines_in_it_is_one_curve(read: Reading) -> None:
    (dataset,) = read("1 5\n2 6\n3 7\n\n4 8\n3 9\n2 9\n\n1 4\n0 3\n-1 2\n")
    assert dataset.signal.values.size == 9


def test_a_few_numbers_in_a_closing_text_are_no_curve(read: Reading) -> None:
    with pytest.raises(ReadError, match="there are numbers again after the text “Peaks”"):
        read("1\t2\n2\t3\n3\t4\nPeaks\n2\t3\n")


def test_a_damaged_row_in_one_of_several_tables_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="numbers again"):
        read(BLOCKS.replace("3\t38", "3\tovrflw"))


@pytest.mark.parametrize("damaged", ["\u00c83.1\t5", "3:1\t5", "~ 3.1 5", "oops"])
def test_a_damaged_row_does_not_cut_a_curve_in_two(read: Reading, damaged: str) -> None:
    rows = [f"{n}.0\t{n * 7 % 5}" for n in range(12)]
    rows[6] = damaged
    with pytest.raises(ReadError):
        read("\n".join(rows) + "\n")


@pytest.mark.parametrize("text", [b"[[1, 2], [3, 4]]", b'["a"]\n', b"[1,2]\n1 2\n"])
def test_a_list_of_json_is_not_taken_for_columns(text: bytes) -> None:
    assert delimited_text.recognises(text, "file.txt") == 0


def test_a_section_in_brackets_may_begin_a_file_of_columns(read: Reading) -> None:
    (dataset,) = read("[DATA]\nWavelength (nm)\tIntensity\n400\t1\n401\t2\n")
    assert dataset.axes[0].unit == "nm"


@pytest.mark.parametrize(
    ("encoding", "title"),
    [("cp932", "波長 (nm)"), ("euc_jp", "スペクトル波長 (nm)"), ("gb18030", "波长 (nm)")],
)
def test_titles_of_japanese_and_chinese_programs_are_readable(
    read: Reading, encoding: str, title: str
) -> None:
    (dataset,) = read(f"{title}\tAbs\n400\t0.1\n401\t0.2\n402\t0.3\n", encoding)
    assert (dataset.axes[0].name, dataset.axes[0].unit) == (title.removesuffix(" (nm)"), "nm")


@pytest.mark.parametrize(
    "words",
    ["Größe und Länge, Größenänderung: Übermaß", "Température à l'échantillon: 25 °C, élevée", "µÅ ±0,5 °C²",
     "von 25 °C bis 300 °C, 10 °C/min, Ofen 20 °C", "Bragg\x92s law, sample\x92s name, it\x92s \x93x\x94"],
)  # fmt: skip
def test_european_letters_of_one_byte_are_not_taken_for_chinese(read: Reading, words: str) -> None:
    (dataset,) = read(f"Probe = {words}\n400\t0.1\n401\t0.2\n", "latin-1")
    assert dataset.header["Probe"] == words


ORIGIN = (
    "Wavelength\tIntensity\tWavelength\tIntensity\nnm\tcounts\tnm\tcounts\n"
    "sample A\tsample A\tsample B\tsample B\n400.0\t1\t400.5\t2\n401.0\t3\t401.5\t4\n402.0\t5\t402.5\t6\n"
)


def test_origin_s_names_units_and_comments_name_curves_each_with_its_own_axis(read: Reading) -> None:
    first, second = read(ORIGIN)
    assert [(each.signal.name, each.signal.unit) for each in (first, second)] == [
        ("Intensity, sample A", "counts"), ("Intensity, sample B", "counts"),
    ]  # fmt: skip
    np.testing.assert_array_equal(second.axes[0].values, [400.5, 401.5, 402.5])
    np.testing.assert_array_equal(second.signal.values, [2, 4, 6])
    assert second.axes[0].unit == "nm"


def test_a_repeated_title_of_a_signal_makes_no_pairs(read: Reading) -> None:
    datasets = read("T (K)\tup\tdown\tup\n1\t2\t3\t4\n2\t4\t6\t8\n")
    assert len(datasets) == 3
    assert {each.axes[0].name for each in datasets} == {"T"}


@pytest.mark.parametrize(
    "text",
    ["x;y\n1;1'234.5\n2;-999.5\n", "x;y\n1;1\u00a0234,5\n2;-999,5\n", "x;y\n1;1\u202f234,5\n2;\u2212999,5\n"],
)
def test_apostrophes_and_blanks_between_thousands_and_a_typeset_minus_are_understood(
    read: Reading, text: str
) -> None:
    (dataset,) = read(text)
    np.testing.assert_array_equal(dataset.signal.values, [1234.5, -999.5])


def test_an_ordinary_space_parts_two_numbers(read: Reading) -> None:
    datasets = read("".join(f"{100 + i} {200 + i}\t{300 + i}\n" for i in range(4)))
    assert [list(d.signal.values) for d in datasets] == [[200, 201, 202, 203], [300, 301, 302, 303]]
    np.testing.assert_array_equal(datasets[0].axes[0].values, [100, 101, 102, 103])


def test_a_title_in_quotes_may_hold_the_delimiter_and_its_unit(read: Reading) -> None:
    cd, tension = read(
        'units,"Wavelength, nm","CD, mdeg","high tension, V"\n1,185,-15.8,863.5\n2,185.5,-19.7,823.1\n'
    )
    assert (cd.axes[0].name, cd.axes[0].unit) == ("Wavelength", "nm")  # the first column only counts
    np.testing.assert_array_equal(cd.axes[0].values, [185, 185.5])
    assert [(d.signal.name, d.signal.unit) for d in (cd, tension)] == [("CD", "mdeg"), ("high tension", "V")]


def test_a_first_column_that_is_not_a_count_stays_the_axis(read: Reading) -> None:
    datasets = read("number,Wavelength,Counts\n3,185,5\n4,186,6\n7,187,7\n")
    assert [d.signal.name for d in datasets] == ["Wavelength", "Counts"]


def test_curves_with_their_own_x_and_a_name_after_the_unit_are_told_apart(read: Reading) -> None:
    titles = "\t".join(f"Voltage (V)_{way}\tCurrent Density(mA/cm^2)_{way}" for way in ("Forward", "Reverse"))
    forward, reverse = read(
        f"{titles}\n-0.2\t-14.1\t1.2\t24.5\n-0.1\t-14.0\t1.1\t24.1\n0.0\t-13.9\t1.0\t23.7\n"
    )
    assert (reverse.axes[0].name, reverse.axes[0].unit) == ("Voltage", "V")
    np.testing.assert_array_equal(reverse.axes[0].values, [1.2, 1.1, 1.0])
    assert (forward.signal.name, forward.signal.unit) == ("Current Density, Forward", "mA/cm^2")


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_first_title_may_be_empty(read: Reading, delimiter: str) -> None:
    rows = [
        ["", "sample A", "sample B"],
        ["400", "0.1", "0.2"],
        ["401", "0.11", "0.21"],
        ["402", "0.12", "0.22"],
    ]
    datasets = read("\n".join(delimiter.join(row) for row in rows) + "\n")
    assert [d.signal.name for d in datasets] == ["sample A", "sample B"]
    assert datasets[0].axes[0].name == "x"

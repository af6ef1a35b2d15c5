from __future__ import annotations

import codecs
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import delimited_text
from measurements.readers._numbers import BLOCK_CHARACTERS

Reading = Callable[..., list[Dataset]]


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def read_text(text: str | bytes, encoding: str = "utf-8") -> list[Dataset]:
        path = tmp_path / "file"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return readers.read(readers.get("delimited_text"), path)

    return read_text


@pytest.mark.parametrize(
    "text",
    [
        "450\t1.5\n451\t-2.5e2\n",
        "450;1,5\n451;-2,5e2\n",
        "450,0;1,5\n451,0;-2,5e2\n",
        "450\t1,5\n451\t-2,5e2\n",
        "450,1.5\n451,-2.5e2\n",
        "450,1.5,\n451,-2.5e2,\n",
        "450, 1.5\n451, -2.5D2\n",
        "  450   1.5\n  451   -2.5e2\n",
        "  450   1,5\n  451   -2,5e2\n",
        '"450","1.5"\n"451","-2.5e2"\n',
        "450\t1.5\r\n451\t-2.5e2\r\n",
        "450\t1.5\r451\t-2.5e2\r",
        "\n\n450\t1.5\n\n451\t-2.5e2",
    ],
)
def test_every_usual_way_to_write_two_columns_gives_the_same_numbers(read: Reading, text: str) -> None:
    (dataset,) = read(text)
    np.testing.assert_array_equal(dataset.axes[0].values, [450, 451])
    np.testing.assert_array_equal(dataset.signal.values, [1.5, -250])


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_every_usual_encoding_is_understood(read: Reading, encoding: str) -> None:
    (dataset,) = read("Probe: Glas µ\nTemp (°C)\tSignal\n1\t2\n2\t3\n3\t4\n", encoding)
    assert dataset.axes[0].unit == "°C"
    assert dataset.header["Probe"] == "Glas µ"


@pytest.mark.parametrize(
    ("titles", "axis", "signal"),
    [
        ("Wavelength (nm)\tCounts", ("Wavelength", "nm"), ("Counts", "counts")),
        ("Wavelength [nm]\tIntensity / a.u.", ("Wavelength", "nm"), ("Intensity", "a.u.")),
        ("# Wavelength (nm)  Intensity (arb. units)", ("Wavelength", "nm"), ("Intensity", "a.u.")),
        ("WL/nm\tAbs", ("WL", "nm"), ("Abs", "")),
        ("Energy\tmu\neV\ta.u.", ("Energy", "eV"), ("mu", "a.u.")),
        ('"Wavelength (nm)"\t"Intensity (counts)"', ("Wavelength", "nm"), ("Intensity", "counts")),
        ("Trace (3)\tIntensity", ("Trace (3)", ""), ("Intensity", "")),
    ],
)
def test_column_titles_give_names_and_units(
    read: Reading, titles: str, axis: tuple[str, str], signal: tuple[str, str]
) -> None:
    (dataset,) = read(titles + "\n1\t2\n2\t3\n")
    assert (dataset.axes[0].name, dataset.axes[0].unit) == axis
    assert (dataset.signal.name, dataset.signal.unit) == signal


def test_a_unit_that_is_not_written_stays_unknown(read: Reading) -> None:
    (dataset,) = read("550 1\n551 2\n")
    assert (dataset.axes[0].unit, dataset.signal.unit) == ("", "")


def test_every_line_above_the_numbers_is_kept_in_its_order(read: Reading) -> None:
    settings = "Operator: Anna\nSlit = 2 nm\nDetector\tPMT\nLamp;Xe\nfree words\nOperator: Ben\n\n"
    (dataset,) = read(settings + "Wavelength (nm)\tCounts\n" + "550\t1\n551\t2\n")
    assert list(dataset.header.items()) == [
        ("Operator", "Anna"),
        ("Slit", "2 nm"),
        ("Detector", "PMT"),
        ("Lamp", "Xe"),
        ("line 5", "free words"),
        ("line 6", "Operator: Ben"),
        ("line 8", "Wavelength (nm)\tCounts"),
    ]


def test_the_last_setting_is_not_taken_for_column_titles(read: Reading) -> None:
    (dataset,) = read("Lamp,Xe\nDetector,PMT\n550,1\n551,2\n")
    assert (dataset.axes[0].name, dataset.header["Detector"]) == ("x", "PMT")


def test_comments_among_the_numbers_and_words_after_them_are_kept(read: Reading) -> None:
    (dataset,) = read("1 2\n# shutter closed\n2 3\n>>>>>End<<<<<\n")
    assert dataset.signal.values.size == 2
    assert dataset.header == {"line 2": "# shutter closed", "line 4": ">>>>>End<<<<<"}


def test_more_columns_are_more_datasets_on_the_same_axis(read: Reading) -> None:
    first, second = read("T (K)\tup\tdown\n1\t2\t3\n2\t4\t6\n")
    assert (first.signal.name, second.signal.name) == ("up", "down")
    np.testing.assert_array_equal(second.signal.values, [3, 6])
    assert second.axes[0].unit == "K"


def test_a_column_named_sigma_holds_the_errors_of_the_one_before(read: Reading) -> None:
    (dataset,) = read("q,I,sigma\n1,2,0.1\n2,4,0.2\n")
    np.testing.assert_array_equal(dataset.signal.errors, [0.1, 0.2])


def test_negative_errors_are_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="never negative"):
        read("q,I,sigma\n1,2,0.1\n2,4,-0.2\n")


def test_a_missing_value_is_kept_as_missing(read: Reading) -> None:
    (dataset,) = read("1\t2\n2\tNaN\n3\t4\n")
    assert np.isnan(dataset.signal.values[1])


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (
            "1\t2\n2\tovrflw\n3\t4\n",
            2,
            "expected a number in column 2, found “ovrflw”. The detector was probably",
        ),
        ("x\ty\n1\t2\n2\t3\n3\t--\n", 4, "expected a number in column 2, found “--”. Repair or remove"),
        ("1\tovrflw\n2\t3\n3\t4\n", 1, "expected a number in column 2, found “ovrflw”"),
        ("1;2\n2;\n3;4\n", 2, "expected 2 numbers, found 1"),
        ("1\t2\n2\t3\n3", 3, "expected 2 numbers, found 1"),
        ("1\t2\n2\t3\n3\t4\t5\n", 3, "expected 2 numbers, found 3"),
        ("1\t2\nnan\t3\n3\t4\n", 2, "the first column has no number here"),
        ("1\t2\n2\t3\n3\t4\nSecond scan\n1\t2\n", 5, "there are numbers again after the text “Second scan”"),
        ("x,y\n400,5,12,75\n401,5,13,05\n", 2, "the comma seems to be both decimal mark and separator"),
        ("1 " * 70 + "\n", 1, "there are 70 columns"),
    ],
)
def test_a_broken_row_is_refused_with_its_line_number(
    read: Reading, text: str, line: int, sentence: str
) -> None:
    with pytest.raises(ReadError) as refusal:
        read(text)
    assert refusal.value.line == line
    assert sentence in refusal.value.message


def test_the_line_number_is_right_far_into_a_large_file(read: Reading) -> None:
    rows = "".join(f"{n}\t{n % 13}.5\n" for n in range(600_000))
    assert len(rows) > BLOCK_CHARACTERS
    with pytest.raises(ReadError) as refusal:
        read("x\ty\n" + rows + "600000\tOVLD\n1\t2\n")
    assert refusal.value.line == 600_002


@pytest.mark.parametrize(
    "text",
    [
        b"<?xml version='1.0'?>\n1 2\n2 3\n",
        b'{"x": [1, 2]}',
        b"##TITLE=ferrous\n##JCAMP-DX=4.24\n400 1 2 3\n",
        b"data_cif\nloop_\n0.1 0.2\n",
        b"\x00\x01\x02\x03" * 200,
        codecs.BOM_UTF8,
    ],
)
def test_formats_with_a_structure_of_their_own_are_not_taken_for_columns(text: bytes) -> None:
    assert delimited_text.recognises(text, "file.txt") == 0


def test_a_time_without_a_zone_is_not_a_date_but_is_kept(read: Reading) -> None:
    (dataset,) = read("Date: 2026-05-04 10:00\n1\t2\n2\t3\n")
    assert dataset.acquired_at is None
    assert dataset.header["Date"] == "2026-05-04 10:00"


def test_the_time_of_export_is_not_the_time_of_the_measurement(read: Reading) -> None:
    assert read("Export date: 2026-05-04T10:00:00Z\n1\t2\n2\t3\n")[0].acquired_at is None
    assert read("Measured: 2026-05-04T10:00:00Z\n1\t2\n2\t3\n")[0].acquired_at is not None


def test_conditions_are_understood_only_where_their_unit_is_written(read: Reading) -> None:
    (dataset,) = read("Excitation: 405 nm\nIntegration time (ms): 100\nTemperature: 300\n1\t2\n2\t3\n")
    assert {key: (c.value, c.unit) for key, c in dataset.conditions.items()} == {
        "excitation_wavelength": (405.0, "nm"),
        "exposure_time": (0.1, "s"),
    }


READ_IN_BOUNDS = """
import re, sys
from pathlib import Path
from measurements import readers

def peak_kb():
    # Not getrusage: its peak is inherited from the process that started this one.
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

base_kb = peak_kb()
datasets = readers.read(readers.get("delimited_text"), Path(sys.argv[1]))
print(datasets[0].signal.values.size, peak_kb() - base_kb)
"""


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says it in /proc")


def peak_of_reading(path: Path, megabytes: int) -> tuple[int, float]:
    """Points read, and memory in MB that reading took beyond the interpreter."""
    row = "".join(f"{550 + n / 1000:.3f}\t{n * 7919 % 60000}.25\n" for n in range(50_000)).encode()
    with path.open("wb") as file:
        for _ in range(max(megabytes * 10**6 // len(row), 1)):
            file.write(row)
    ran = subprocess.run(
        [sys.executable, "-c", READ_IN_BOUNDS, str(path)],
        capture_output=True, check=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    points, peak_kb = ran.stdout.split()
    return int(points), int(peak_kb) / 1000


@needs_proc
def test_a_large_file_is_read_in_memory_of_the_order_of_its_numbers(tmp_path: Path) -> None:
    points, peak_mb = peak_of_reading(tmp_path / "large.txt", 30)
    numbers_mb = points * 16 / 1e6
    assert points > 1_000_000
    assert peak_mb < 4 * numbers_mb + 60


@needs_proc
@pytest.mark.full
def test_a_file_of_200_mb_is_read_in_bounded_memory(tmp_path: Path) -> None:
    points, peak_mb = peak_of_reading(tmp_path / "huge.txt", 200)
    assert points > 10_000_000
    assert peak_mb < 800

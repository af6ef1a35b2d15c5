"""JCAMP-DX written as the standard says: every packing, pages, linked blocks, and what must be refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import exports
from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers import _jcamp, jcamp_dx

VALUES = [1, 2, 3, 3, 2, 1, 0, -1, -2, -3]
# The same ten values in every form: McDonald and Wilks, Appl. Spectrosc. 42 (1988) 151, table II.
PACKINGS = {
    "FIX": "1 2 3 3 2 1 0 -1 -2 -3",
    "PAC": "+1+2+3+3+2+1+0-1-2-3",
    "SQZ": "ABCCBA@abc",
    "DIF": "AJJ%jjjjjj",
    "DIFDUP": "AJT%jX",
}
HEAD = """##TITLE=sample $$ a remark
##JCAMP-DX=4.24
##DATA TYPE={kind}
##XUNITS=1/CM
##YUNITS=ABSORBANCE
"""
EVEN = "##FIRSTX=400\n##LASTX=409\n##NPOINTS=10\n##YFACTOR=0.5\n##XYDATA=(X++(Y..Y))\n"


def read(tmp_path: Path, content: str) -> list[Dataset]:
    path = tmp_path / "file"
    path.write_text(content, encoding="utf-8")
    return jcamp_dx.read(path)


def infrared(table: str, above: str = EVEN) -> str:
    return HEAD.format(kind="INFRARED SPECTRUM") + above + table + "\n##END=\n"


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_published_example_reads_the_same_in_every_packing(tmp_path: Path, packing: str) -> None:
    (dataset,) = read(tmp_path, infrared("400" + (" " if packing == "FIX" else "") + PACKINGS[packing]))
    np.testing.assert_array_equal(dataset.signal.values, 0.5 * np.array(VALUES))
    np.testing.assert_array_equal(dataset.axes[0].values, np.arange(400, 410))
    assert (dataset.axes[0].name, dataset.axes[0].unit, dataset.technique) == ("Wavenumber", "cm⁻¹", "ftir")
    assert dataset.header["TITLE"] == "sample"


def test_a_line_after_differences_begins_with_a_check_that_is_not_a_point(tmp_path: Path) -> None:
    (dataset,) = read(tmp_path, infrared("400AJJ%\n403Cjjjjjj\n409c"))
    np.testing.assert_array_equal(dataset.signal.values, 0.5 * np.array(VALUES))


def test_a_check_value_that_differs_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="the check value 4 differs from the value before it, 3") as refused:
        read(tmp_path, infrared("400AJJ%\n403Djjjjjj"))
    assert refused.value.line == 12


def test_exponents_are_not_taken_for_squeezed_digits(tmp_path: Path) -> None:
    above = EVEN.replace("NPOINTS=10", "NPOINTS=3").replace("LASTX=409", "LASTX=402")
    (dataset,) = read(tmp_path, infrared("400 1.5E+01 -2.5E-01 ?", above))
    np.testing.assert_allclose(dataset.signal.values, [7.5, -0.125, np.nan])


def test_points_of_an_uneven_axis_are_scaled_by_both_factors(tmp_path: Path) -> None:
    above = "##XFACTOR=0.1\n##YFACTOR=10\n##NPOINTS=3\n##XYPOINTS=(XY..XY)\n"
    (dataset,) = read(tmp_path, infrared("1000,1; 1010,2\n1050 3 $$ the last", above))
    np.testing.assert_allclose(dataset.axes[0].values, [100, 101, 105])
    np.testing.assert_allclose(dataset.signal.values, [10, 20, 30])


def test_a_peak_table_with_widths_keeps_positions_and_heights(tmp_path: Path) -> None:
    (dataset,) = read(tmp_path, infrared("400,1,5\n410,2,6", "##NPOINTS=2\n##PEAK TABLE=(XYW..XYW)\n"))
    np.testing.assert_array_equal(dataset.axes[0].values, [400, 410])
    np.testing.assert_array_equal(dataset.signal.values, [1, 2])


def test_linked_blocks_are_datasets_of_their_own(tmp_path: Path) -> None:
    link = "##TITLE=both\n##JCAMP-DX=5.0\n##DATA TYPE=LINK\n##BLOCKS=2\n"
    raman = infrared("400" + PACKINGS["SQZ"]).replace("INFRARED", "RAMAN")
    first, second = read(tmp_path, link + infrared("400" + PACKINGS["DIF"]) + raman + "##END=\n")
    assert (first.technique, second.technique) == ("ftir", "raman")
    assert second.axes[0].name == "Raman shift"
    np.testing.assert_array_equal(first.signal.values, second.signal.values)


NTUPLES = """##TITLE=plane
##JCAMP-DX=6.0
##DATA TYPE=NMR SPECTRUM
##LONG DATE=2020/02/03 04:05:06+0100
##NTUPLES=NMR SPECTRUM
##VAR_NAME=TIME, FREQUENCY, SPECTRUM/REAL
##SYMBOL=T, X, R
##UNITS=SECONDS, HZ, ARBITRARY UNITS
##VAR_DIM=2, 3, 3
##FIRST=0, 100, 0
##LAST=5, 0, 0
##FACTOR=1, 1, 2
##PAGE=T=0
##DATA TABLE=(X++(R..R)), XYDATA
100A1J1
##PAGE=T=5
##DATA TABLE=(X++(R..R)), XYDATA
100B2C3D4
##END NTUPLES=NMR SPECTRUM
##END=
"""


def test_pages_over_one_variable_make_a_plane(tmp_path: Path) -> None:
    (dataset,) = read(tmp_path, NTUPLES.replace("100A1J1", "100A1J1J1"))
    assert [(axis.name, axis.unit) for axis in dataset.axes] == [("Time", "s"), ("Frequency", "Hz")]
    np.testing.assert_array_equal(dataset.axes[0].values, [0, 5])
    np.testing.assert_array_equal(dataset.axes[1].values, [100, 50, 0])
    np.testing.assert_array_equal(dataset.signal.values, [[22, 44, 66], [44, 66, 88]])
    assert dataset.acquired_at is not None
    assert dataset.acquired_at.isoformat() == "2020-02-03T04:05:06+01:00"


def test_pages_with_peaks_of_their_own_are_told_apart_by_their_page(tmp_path: Path) -> None:
    content = (
        "##TITLE=GC-MS\n##JCAMP-DX=5.00\n##DATA TYPE=MASS SPECTRUM\n##NTUPLES=MASS SPECTRUM\n"
        "##VAR_NAME=MASS, INTENSITY, RETENTION TIME,\n##SYMBOL=X, Y, T\n##VAR_DIM=, , 2\n"
        "##UNITS=M/Z, RELATIVE ABUNDANCE, SECONDS\n"
        "##PAGE=T= 272\n##NPOINTS=2\n##DATA TABLE=(XY..XY), PEAKS\n50, 2.52; 51, 9.32\n"
        "##PAGE=T= 301\n##NPOINTS=3\n##DATA TABLE=(XY..XY), PEAKS\n50, 5.84; 51, 9.55; 52, 4.19\n"
        "##END NTUPLES=MASS SPECTRUM\n##END=\n"
    )
    first, second = read(tmp_path, content)
    assert (first.title, second.title) == ("INTENSITY, T = 272", "INTENSITY, T = 301")
    assert (first.axes[0].name, first.technique) == ("m/z", "ms")
    np.testing.assert_array_equal(second.signal.values, [5.84, 9.55, 4.19])


def test_what_vitrine_exports_it_reads_again(tmp_path: Path) -> None:
    x, y = np.array([400.0, 410, 425]), np.array([1.5, -2e-7, 3e10])
    curve = Dataset(Signal("Absorbance", "1", y), (Axis("Wavenumber", "cm⁻¹", x),))
    written = "".join(exports.jcamp(curve, title="VT-GLASS", technique="ftir", origin="Vitrine"))
    (dataset,) = read(tmp_path, written)
    np.testing.assert_array_equal(dataset.axes[0].values, x)
    np.testing.assert_array_equal(dataset.signal.values, y)
    assert (dataset.axes[0].name, dataset.signal.name, dataset.technique) == (
        "Wavenumber",
        "Absorbance",
        "ftir",
    )


def test_a_page_that_lacks_points_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="announces 3 points, but there are 2"):
        read(tmp_path, NTUPLES)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    whole = infrared("400 1 2 3\n403 4 5 6\n406 7 8 9\n409 10")
    with pytest.raises(ReadError, match="announces 10 points, but there are 6"):
        read(tmp_path, whole[: whole.index("406")])


def test_more_points_than_announced_are_refused_without_filling_the_memory(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="repeated 999999999 times"):
        read(tmp_path, infrared("400AZ99999999".replace("Z", "s")))


def test_a_file_of_parameters_only_is_refused() -> None:
    head = b"##TITLE=Parameter file, TopSpin\n##JCAMPDX=5.0\n##DATATYPE=Parameter Values\n"
    assert jcamp_dx.recognises(head, "acqus") < 0.5
    assert jcamp_dx.recognises(infrared("400A").encode(), "spectrum") > 0.9


def test_a_table_whose_form_lacks_its_last_bracket_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.dx"
    lines = ["##TITLE= t", "##JCAMP-DX= 4.24", "##DATA TYPE= INFRARED SPECTRUM", "##XUNITS= 1/CM"]
    lines += ["##YUNITS= ABSORBANCE", "##XFACTOR= 1", "##YFACTOR= 0.5", "##FIRSTX= 4", "##LASTX= 6"]
    path.write_text("\n".join([*lines, "##NPOINTS= 3", "##XYDATA= (X++(Y..Y)", "4 2 4 6", "##END="]))
    (dataset,) = jcamp_dx.read(path)
    np.testing.assert_array_equal(dataset.signal.values, [1, 2, 3])


def test_a_zero_that_closes_a_whole_table_of_differences_is_no_point_of_it() -> None:
    lines = ["4A0J2", "5B2J3"]
    np.testing.assert_array_equal(_jcamp.unpacked([*lines, "6@"], 1, 3)[0], [10, 22, 35])
    with pytest.raises(ReadError, match="check value"):
        _jcamp.unpacked([*lines, "6A1"], 1, 3)
    with pytest.raises(ReadError, match="check value"):
        _jcamp.unpacked([*lines, "6@"], 1, 4)

"""What TopSpin's totxt writes: a real spectrum, and a plane as its documentation shows it."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import topspin_text
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import mutations

PLANE = """# File created = Friday
# Spectral Region:
# F1LEFT = 10.0 ppm. F1RIGHT = 8.0 ppm.
# F2LEFT = 3.0 ppm. F2RIGHT = 0.0 ppm.
#
# NROWS = 3 ( = number of points along the F1 axis)
# NCOLS = 2 ( = number of points along the F2 axis)
#
# row = 0
1
2
# row = 1
3
4
# row = 2
5
-6.5
"""


def test_a_real_spectrum_agrees_with_an_independent_reading(reference: Path) -> None:
    name = "nmr/hysprint_totxt.nmr.txt"
    path = reference / "instrument_files" / name
    assert topspin_text.recognises(path.read_bytes()[:65536], "any") == 0.95
    datasets = topspin_text.read(path)
    assert disagreements(datasets, readings_of(reference)[name]) == []
    assert datasets[0].acquired_at is None


def test_a_plane_has_its_two_axes(tmp_path: Path) -> None:
    path = tmp_path / "plane"
    path.write_text(PLANE)
    (plane,) = topspin_text.read(path)
    assert np.array_equal(plane.signal.values, [[1, 2], [3, 4], [5, -6.5]])
    assert [list(axis.values) for axis in plane.axes] == [[10, 9, 8], [3, 0]]


def test_a_cut_off_export_is_refused_with_both_counts(tmp_path: Path) -> None:
    path = tmp_path / "plane"
    path.write_text(PLANE.removesuffix("-6.5\n"))
    with pytest.raises(ReadError, match="announce 3 × 2 points, the file has 5"):
        topspin_text.read(path)


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _, content in mutations(PLANE.encode(), seed=1):
        path.write_bytes(content)
        try:
            assert topspin_text.read(path)
        except ReadError:
            continue

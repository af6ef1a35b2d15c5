"""SES text: a real region against an independent reading, slices and steps in lines written here."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import scienta_text
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import mutations

REAL = "xps/pynx_Ag_0001.txt"
SLICES = """[Info]
Number of Regions=1
Version=1.3.1

[Region 1]
Region Name=VB
Dimension 1 name=Kinetic Energy [eV]
Dimension 1 size=2
Dimension 1 scale=16.5 16.6
Dimension 2 name=Thetax [deg]
Dimension 2 size=3
Dimension 2 scale=-1 0 1
Dimension 3 name=Point []
Dimension 3 size=2
Dimension 3 scale=10 20

[Info 1]
Pass Energy=5
Step Time=250

[Data 1:1]
 1.65E+1  1 2 3
 1.66E+1  4 5 6

[Data 1:2]
 1.65E+1  7 8 9
 1.66E+1  10 11 12
"""


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text)
    return path


def test_a_real_region_agrees_with_an_independent_reading(reference: Path) -> None:
    (silver,) = scienta_text.read(reference / "instrument_files" / REAL)
    assert disagreements([silver], readings_of(reference)[REAL]) == []
    assert (silver.axes[0].name, silver.axes[0].unit) == ("Binding energy", "eV")
    assert silver.conditions["photon_energy"].value == 520
    assert silver.conditions["pass_energy"].value == 50
    assert silver.conditions["local_time"].value == "2023-03-08 15:24:35"


def test_slices_and_steps_become_axes(tmp_path: Path) -> None:
    (region,) = scienta_text.read(saved(tmp_path, SLICES))
    assert [(axis.name, axis.unit) for axis in region.axes] == [
        ("Point", ""), ("Thetax", "deg"), ("Kinetic energy", "eV")
    ]  # fmt: skip
    assert np.array_equal(region.signal.values[1], [[7, 10], [8, 11], [9, 12]])
    assert region.conditions["dwell_time"].value == 0.25


def test_a_region_that_was_cut_off_is_refused_with_both_counts(tmp_path: Path) -> None:
    text = SLICES.partition("[Data 1:2]")[0].replace(" 1.66E+1  4 5 6\n", "")
    with pytest.raises(ReadError, match="announces 2 energies and has 1"):
        scienta_text.read(saved(tmp_path, text))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _, content in mutations(SLICES.encode(), seed=3):
        path.write_bytes(content)
        try:
            assert isinstance(scienta_text.read(path), list)
        except ReadError:
            continue

"""The 9809 format, in lines as the control programs of the beamlines write them."""

from pathlib import Path

import pytest

from measurements.data import ReadError
from measurements.readers import xas_9809
from tests.measurements.readers.mutations import mutations

SCAN = """  9809     KEK-PF   BL12C
 Cu_foil.dat     23.05.12 10:55 - 23.05.12 11:20
 Cu foil 6 um
 Ring :   2.5 GeV   434.7 mA -   430.1 mA
 Mono :   SI(111)       D=  3.13551 A    Initial angle= 12.78300 deg
 BL12C    Transmission ( 2)   Repetition=  1     Points=    3
 Param file : CU.prm          energy axis (2)    Block =     3

 Block      Init-Eng  final-Eng     Step/eV     Time/s       Num
     1        8680.00   8960.00        7.00       1.00        40
     2        8960.00   9080.00        0.40       1.00       300
     3        9080.00   9580.00        2.50       1.00       200
 ORTEC( 0)     NDCH = 3
  Angle(c)  Angle(o)    time/s         1         2
      Mode         0         0         1         2
    Offset         0         0   512.000   312.000
  13.16900  13.16850      1.00     65432     23456
  12.80000  12.79990      1.00     65000     20000
  12.70000  12.70010      1.00     64000      9000
"""


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text)
    return path


def test_the_energy_is_that_of_the_observed_angle(tmp_path: Path) -> None:
    assert xas_9809.recognises(SCAN.encode(), "any")
    i0, transmitted, *rest = xas_9809.read(saved(tmp_path, SCAN))
    assert (i0.signal.name, transmitted.signal.name) == ("I0", "I1")
    assert list(transmitted.signal.values) == [23456, 20000, 9000]
    # Bragg's law by hand: 6.27102 Å · 0.219848 = 1.378671 Å, and 12398.4198 eV Å of it is 8993.0 eV.
    assert (i0.axes[0].name, i0.axes[0].unit) == ("Energy", "eV")
    assert i0.axes[0].values[2] == pytest.approx(8993.0, abs=0.1)
    assert {d.signal.name: d.signal.unit for d in rest} == {"Angle(c)": "deg", "Angle(o)": "deg", "time": "s"}
    assert i0.conditions["d_spacing"].value == 3.13551
    assert i0.conditions["instrument"].value == "KEK-PF   BL12C"
    assert i0.header["offsets"] == "0 0 512.000 312.000"
    assert i0.technique == "xas"


def test_without_the_spacing_of_the_crystal_the_angles_are_the_axis(tmp_path: Path) -> None:
    first = xas_9809.read(saved(tmp_path, SCAN.replace("D=  3.13551 A", "")))[0]
    assert (first.axes[0].name, first.axes[0].unit, first.axes[0].values[0]) == ("Angle(c)", "deg", 13.169)


def test_a_row_that_was_cut_off_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Line 19: expected 5 numbers, found 3"):
        xas_9809.read(saved(tmp_path, SCAN.removesuffix("     64000      9000\n")))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _, content in mutations(SCAN.encode(), seed=3):
        path.write_bytes(content)
        try:
            assert xas_9809.read(path)
        except ReadError:
            continue

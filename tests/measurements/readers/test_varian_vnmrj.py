"""VnmrJ folders, written here as the manual describes them; nmrglue reads the same bytes independently."""

import struct
from pathlib import Path

import numpy as np
import pytest
from nmrglue.fileio import varian

from measurements.data import ReadError
from measurements.readers import varian_vnmrj

ROWS = np.array([[1, -2, 3, -4, 5, 6], [7, 8, 9, -10, 11, 12]])


def procpar(**values: list[float] | list[str]) -> str:
    lines = []
    for name, each in values.items():
        is_text = isinstance(each[0], str)
        lines.append(f"{name} {2 if is_text else 1} {2 if is_text else 1} 9e9 -9e9 0 2 1 0 1 64")
        if is_text:
            lines.append(f"{len(each)} " + "\n".join(f'"{value}"' for value in each))
        else:
            lines.append(f"{len(each)} " + " ".join(str(value) for value in each) + " ")
        lines.append("0 ")
    return "\n".join(lines) + "\n"


def fid(rows: np.ndarray, kind: str = ">i4", status: int = 0x4) -> bytes:
    size = np.dtype(kind).itemsize
    blocks, points = rows.shape
    trace = points * size
    header = struct.pack(">6i2hi", blocks, 1, points, size, trace, trace + 28, 0, 0x11 | status, 1)
    block = b"".join(
        struct.pack(">4hi4f", 0, 0x11, number + 1, 0, 1, 0.0, 0.0, 0.0, 0.0) + row.astype(kind).tobytes()
        for number, row in enumerate(rows)
    )
    return header + block


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "data" / "glass_01.fid"
    inside.mkdir(parents=True)
    (inside / "fid").write_bytes(fid(ROWS))
    (inside / "procpar").write_text(
        procpar(sw=[500.0], tn=["C13"], sfrq=[100.5], array=["d2"], d2=[0.0, 0.25], temp=[25.0], np=[6],
                arraydim=[2], seqfil=["s2pul"], comments=["first line", "second line"], d1=[5.0])
    )  # fmt: skip
    (inside / "text").write_text("glass\n")
    return tmp_path


def test_rows_of_an_arrayed_experiment_agree_with_nmrglue(folder: Path) -> None:
    real, imaginary = varian_vnmrj.read(folder)
    _, independent = varian.read(str(folder / "data" / "glass_01.fid"))
    assert np.array_equal(real.signal.values, independent.real)
    assert np.array_equal(imaginary.signal.values, independent.imag)
    assert real.axes[1].values[1] == 1 / 500
    assert (real.axes[0].name, list(real.axes[0].values)) == ("d2", [0.0, 0.25])


def test_rows_that_repeat_one_setting_are_counted(folder: Path) -> None:
    path = folder / "data" / "glass_01.fid" / "procpar"
    path.write_text(procpar(sw=[500.0], array=["nt"], nt=[12, 12]))
    increment = varian_vnmrj.read(folder)[0].axes[0]
    assert (increment.name, list(increment.values)) == ("Increment", [0, 1])


def test_parameters_become_conditions_and_stay_in_the_header(folder: Path) -> None:
    real = varian_vnmrj.read(folder)[0]
    assert real.conditions["nucleus"].value == "13C"
    assert real.conditions["recycle_delay"].value == 5.0
    assert real.header["comments"] == "first line, second line"
    assert real.conditions["sample_name"].value == "glass"


@pytest.mark.parametrize(("kind", "status"), [(">f4", 0x8), (">i2", 0x0)])
def test_floats_and_short_integers_are_told_apart_by_the_status(folder: Path, kind: str, status: int) -> None:
    (folder / "data" / "glass_01.fid" / "fid").write_bytes(fid(ROWS[:1], kind, status))
    real, imaginary = varian_vnmrj.read(folder)
    assert list(real.signal.values) == [1, 3, 5]
    assert list(imaginary.signal.values) == [-2, -4, 6]


def test_a_fid_that_was_cut_off_is_refused(folder: Path) -> None:
    path = folder / "data" / "glass_01.fid" / "fid"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ReadError, match="Was it cut off"):
        varian_vnmrj.read(folder)


def test_a_lone_fid_is_refused_and_the_folder_asked_for(folder: Path) -> None:
    path = folder / "data" / "glass_01.fid" / "fid"
    assert varian_vnmrj.recognises(path.read_bytes(), "fid") > 0.8
    assert varian_vnmrj.recognises((path.parent / "procpar").read_bytes(), "procpar") > 0.8
    with pytest.raises(ReadError, match="folder, with fid and procpar, as a zip"):
        varian_vnmrj.read(path)


def test_damaged_folders_are_read_or_refused_and_nothing_else(folder: Path) -> None:
    chance = np.random.default_rng(7)
    for name in ("fid", "procpar"):
        path = folder / "data" / "glass_01.fid" / name
        whole = path.read_bytes()
        for _ in range(150):
            content = bytearray(whole)
            content[chance.integers(len(content))] = chance.integers(256)
            path.write_bytes(content)
            try:
                varian_vnmrj.read(folder)
            except ReadError:
                continue
        path.write_bytes(whole)

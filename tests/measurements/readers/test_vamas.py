"""VAMAS: a real file against two libraries, and the other modes in files written here after the standard."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import vamas
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import mutations

REAL = "xps/pynx_regular.vms"
MAGIC = "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"
TIME = ["2024", "2", "29", "23", "30", "0", "2"]


def head(
    mode: str, scan: str, *, listed: list[int], variables: list[str], blocks: int, sign: int = 1
) -> list[str]:
    lines = [MAGIC, "lab", "spectrometer", "operator", "experiment", "1", "a comment", mode, scan]
    if mode in ("MAP", "MAPDP", "NORM", "SDP"):
        lines += ["1"]
    if mode in ("MAP", "MAPDP"):
        lines += ["4", "2", "2"]  # positions; columns and rows of the map
    lines += [str(len(variables)), *(word for name in variables for word in (name, "d"))]
    lines += [str(sign * len(listed)), *map(str, listed), "0"]
    return [*lines, "1", "1", "for the experiment", str(blocks)]  # one future entry of each kind


def block(
    mode: str, scan: str, columns: list[tuple[str, str]], rows: list[list[float]], name: str = "C1s"
) -> list[str]:
    """A block with all of its parameters."""
    lines = [name, "glass", *TIME, "1", "in a block", "XPS"]
    lines += ["1.5", "2.5"] if mode in ("MAP", "MAPDP") else []
    lines += ["7"] if mode == "SDP" else []  # the experimental variable
    lines += ["Al"]
    lines += ["18", "1", "1"] if mode in ("MAPDP", "SDP") else []
    lines += ["1486.6", "1E37", "0", "0"]
    lines += ["9", "9"] if mode in ("MAP", "MAPDP") else []
    lines += ["45", "0", "FAT", "20", "1", "4.5", "0", "0", "0", "0", "0", "C", "1s", "-1"]
    lines += ["binding energy", "eV", "290", "-0.5"] if scan == "REGULAR" else []
    lines += [str(len(columns)), *(word for column in columns for word in column)]
    lines += ["pulse counting", "0.2", "3", "0"]
    lines += ["500", "1E37", "1", "1", "45", "0", "cyclic"] if mode in ("MAPDP", "SDP") else []
    return [*lines, "0", "0", "0", "1", "dose", "µC", "12", "for the block", *ordinates(columns, rows)]


def ordinates(columns: list[tuple[str, str]], rows: list[list[float]]) -> list[str]:
    limits = [limit for column in zip(*rows, strict=True) for limit in (min(column), max(column))]
    values = [value for row in rows for value in row]
    assert len(limits) == 2 * len(columns)
    return [str(len(values)), *map(str, limits), *map(str, values)]


def saved(tmp_path: Path, lines: list[str]) -> Path:
    path = tmp_path / "file"
    path.write_text("\n".join([*lines, "end of experiment", ""]))
    return path


COUNTS = [("counts", "d")]
ALL = {"listed": [], "variables": []}


def test_a_real_spectrum_agrees_with_two_other_libraries(reference: Path) -> None:
    datasets = vamas.read(reference / "instrument_files" / REAL)
    assert disagreements(datasets, readings_of(reference)[REAL]) == []
    survey, transmission = datasets
    assert (survey.axes[0].name, survey.axes[0].unit) == ("Kinetic energy", "eV")
    assert survey.technique == "xps"
    assert transmission.title.endswith("Transmission")


@pytest.mark.parametrize("mode", ["NORM", "MAP", "MAPDP", "SDP", "NOEXP"])
def test_every_mode_finds_its_ordinates_behind_its_own_parameters(tmp_path: Path, mode: str) -> None:
    variables = ["cycle"] if mode == "SDP" else []
    columns = [("counts", "d"), ("Transmission", "d")]
    lines = head(mode, "REGULAR", listed=[], variables=variables, blocks=1)
    lines += block(mode, "REGULAR", columns, [[10, 1], [20, 2], [30, 3]])
    counts, transmission = vamas.read(saved(tmp_path, lines))
    assert list(counts.signal.values) == [10, 20, 30]
    assert list(transmission.signal.values) == [1, 2, 3]
    assert list(counts.axes[0].values) == [290, 289.5, 289]
    assert counts.axes[0].name == "Binding energy"
    assert counts.header["dose"] == "12 µC"
    assert {name: each.value for name, each in counts.conditions.items()} == {
        "photon_energy": 1486.6, "anode": "Al", "pass_energy": 20, "work_function": 4.5, "dwell_time": 0.2,
        "accumulations": 3, "region": "C 1s", "sample_name": "glass", "mode": "FAT",
    }  # fmt: skip


def test_hours_ahead_of_greenwich_make_the_moment(tmp_path: Path) -> None:
    lines = head("NORM", "REGULAR", blocks=1, **ALL) + block("NORM", "REGULAR", COUNTS, [[1], [2]])
    (only,) = vamas.read(saved(tmp_path, lines))
    assert only.acquired_at is not None
    assert only.acquired_at.isoformat() == "2024-02-29T23:30:00+02:00"


@pytest.mark.parametrize(
    ("listed", "sign"), [([9, 34], 1), ([n for n in range(1, 41) if n not in (9, 34)], -1)]
)
def test_parameters_that_a_block_leaves_out_are_those_of_the_block_before(
    tmp_path: Path, listed: list[int], sign: int
) -> None:
    lines = head("NORM", "REGULAR", listed=listed, variables=[], blocks=2, sign=sign)
    lines += block("NORM", "REGULAR", COUNTS, [[1], [2]])
    lines += ["O1s", "glass", "XPS", "0.9", "for the block", *ordinates(COUNTS, [[5], [6], [7]])]
    first, second = vamas.read(saved(tmp_path, lines))
    assert list(second.signal.values) == [5, 6, 7]
    assert [each.conditions["dwell_time"].value for each in (first, second)] == [0.2, 0.9]
    assert second.conditions["pass_energy"].value == 20
    assert second.acquired_at == first.acquired_at


def test_an_irregular_scan_has_its_abscissa_among_the_variables(tmp_path: Path) -> None:
    columns = [("kinetic energy", "eV"), ("counts", "d")]
    lines = head("NORM", "IRREGULAR", blocks=1, **ALL)
    lines += block("NORM", "IRREGULAR", columns, [[100, 5], [101.5, 6], [104, 7]])
    (only,) = vamas.read(saved(tmp_path, lines))
    assert list(only.axes[0].values) == [100, 101.5, 104]
    assert list(only.signal.values) == [5, 6, 7]


def test_a_map_has_rows_and_columns(tmp_path: Path) -> None:
    lines = head("MAP", "MAPPING", blocks=1, **ALL)
    lines += block("MAP", "MAPPING", COUNTS, [[1], [2], [3], [4]])
    (only,) = vamas.read(saved(tmp_path, lines))
    assert np.array_equal(only.signal.values, [[1, 2], [3, 4]])


def test_a_file_without_its_end_is_refused(tmp_path: Path) -> None:
    lines = head("NORM", "REGULAR", blocks=1, **ALL) + block("NORM", "REGULAR", COUNTS, [[1], [2], [3]])
    path = saved(tmp_path, lines)
    path.write_text("\n".join(lines[:-2]))
    with pytest.raises(ReadError, match=r"Copy (the file|it) again"):
        vamas.read(path)


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    lines = head("MAPDP", "REGULAR", blocks=1, **ALL) + block("MAPDP", "REGULAR", COUNTS, [[1], [2], [3]])
    path = saved(tmp_path, lines)
    for _, content in mutations(path.read_bytes(), seed=3):
        path.write_bytes(content)
        try:
            assert all(np.isfinite(d.axes[0].values).all() for d in vamas.read(path))
        except ReadError:
            continue

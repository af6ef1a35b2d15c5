"""CasaXPS text: a real export of four regions, and a fit and tables side by side written here."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import casaxps_text
from tests.measurements.readers.mutations import mutations

FIT = (
    "Cycle 0:glass:C1s\n\tCharacteristic Energy eV\t1.4866e+003\tAcquisition Time s\t2e-001\n"
    "Name\t\tC-C\tC-O\nPosition\t\t284.8\t286.2\n"
    "K.E.\tCounts\tC-C\tBackground\t\tB.E.\tC-C\tCPS\n"
    "1200.0\t10\t1\t9\t\t286.6\t5\t50\n1200.5\t12\t2\t10\t\t286.1\t10\t60\n"
)
SIDE = (
    "Cycle 0:a:C1s\t\t\tCycle 0:a:O1s\n"
    "B.E.\tCPS\t\tB.E.\tCPS\n"
    "286,5\t1\t\t532,5\t10\n286,0\t2\t\t532,0\t20\n\t\t\t531,5\t30\n"
)  # fmt: skip


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text)
    return path


def test_a_real_export_has_its_four_regions_by_both_energies(reference: Path) -> None:
    path = reference / "instrument_files" / "xps" / "pynx_vms_txt_export.txt"
    datasets = casaxps_text.read(path)
    # Independently: the rows of the file, cut at its empty lines.
    tables = path.read_text().split("K.E.\tCounts\t\tB.E.\tCPS\n")[1:]
    assert len(datasets) == 2 * len(tables) == 8
    for number, text in enumerate(tables):
        rows = [line.split("\t") for line in text.split("\n") if line[:1].isdigit()]
        table = np.array([[float(cell) for cell in row if cell] for row in rows])
        by_binding, by_kinetic = datasets[2 * number : 2 * number + 2]
        assert np.array_equal(by_binding.axes[0].values, table[:, 2])
        assert np.array_equal(by_binding.signal.values, table[:, 3])
        assert np.array_equal(by_kinetic.axes[0].values, table[:, 0])
        assert np.array_equal(by_kinetic.signal.values, table[:, 1])
    survey = datasets[0]
    assert (survey.axes[0].name, survey.signal.unit) == ("Binding energy", "counts/s")
    assert survey.conditions["photon_energy"].value == 1486.61
    assert survey.conditions["region"].value == "Survey"
    assert survey.conditions["sample_name"].value == "Ni"


def test_the_columns_of_a_fit_come_after_what_was_measured(tmp_path: Path) -> None:
    datasets = casaxps_text.read(saved(tmp_path, FIT))
    assert [(d.signal.name, d.axes[0].name) for d in datasets] == [
        ("CPS", "Binding energy"), ("Counts", "Kinetic energy"),
        ("C-C", "Binding energy"), ("C-C", "Kinetic energy"), ("Background", "Kinetic energy"),
    ]  # fmt: skip
    assert datasets[4].signal.unit == "counts"
    twice = casaxps_text.read(saved(tmp_path, FIT.replace("\tBackground\t", "\tC-C\t")))
    assert [d.title.rpartition(", ")[2] for d in twice] == ["CPS", "Counts", "C-C", "C-C (2)", "C-C (3)"]
    assert datasets[0].header["Position"] == "284.8\t286.2"


def test_tables_side_by_side_may_differ_in_length_and_use_commas(tmp_path: Path) -> None:
    carbon, oxygen = casaxps_text.read(saved(tmp_path, SIDE))
    assert list(carbon.axes[0].values) == [286.5, 286.0]
    assert list(oxygen.signal.values) == [10, 20, 30]
    assert oxygen.conditions["region"].value == "O1s"


def test_a_row_that_was_cut_off_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"Line 7: expected a number in column 8, found nothing"):
        casaxps_text.read(saved(tmp_path, FIT.removesuffix("\t60\n")))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    for _, content in mutations(FIT.encode(), seed=3):
        path = tmp_path / "file"
        path.write_bytes(content)
        try:
            assert casaxps_text.read(path)
        except ReadError:
            continue

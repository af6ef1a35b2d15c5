"""SPECS XY: a real export, and columns that it does not have in lines written here."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import specs_xy
from tests.measurements.readers.mutations import mutations

ABOVE = (
    "# Created by:        SpecsLab Prodigy\n#   Energy Axis:   Kinetic Energy\n"
    "# Group:   glass\n#\n# Region:   C1s\n# Pass Energy:   20\n# Acquisition Date:   08/24/23 14:19:47\n"
)
COLUMNS = "# Cycle: 0, Curve: 0, Scan: 1\n# ColumnLabels:   energy counts/s transmission error\n#\n"


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text)
    return path


def test_a_real_export_has_its_regions_as_the_comments_announce_them(reference: Path) -> None:
    path = reference / "instrument_files" / "xps" / "pynx_MgFe2O4_small.xy"
    assert specs_xy.recognises(path.read_bytes()[:65536], "a") == 1.0
    survey, iron = specs_xy.read(path)
    independent = [
        np.loadtxt(part.splitlines()) for part in path.read_text().split("energy counts/s\n#\n")[1:]
    ]
    for dataset, table in zip((survey, iron), independent, strict=True):
        assert np.array_equal(dataset.axes[0].values, table[:, 0])
        assert np.array_equal(dataset.signal.values, table[:, 1])
        assert len(table) == int(dataset.header["Values/Curve"])
    assert (survey.axes[0].name, survey.signal.unit) == ("Binding energy", "counts/s")
    assert [d.conditions["pass_energy"].value for d in (survey, iron)] == [100, 20]
    assert [d.conditions["region"].value for d in (survey, iron)] == ["Survey", "Fe2p"]
    assert survey.conditions["sample_name"].value == "1 as-loaded"
    assert survey.acquired_at is not None
    assert survey.acquired_at.isoformat() == "2023-08-24T14:19:47+00:00"


def test_an_error_bar_is_the_sigma_and_the_transmission_its_own_dataset(tmp_path: Path) -> None:
    counts, transmission = specs_xy.read(saved(tmp_path, ABOVE + COLUMNS + "100 5 0.9 2\n101 6 0.8 3\n"))
    assert counts.signal.errors is not None
    assert list(counts.signal.errors) == [2, 3]
    assert list(transmission.signal.values) == [0.9, 0.8]
    assert counts.axes[0].name == "Kinetic energy"


def test_a_date_without_a_zone_stays_local(tmp_path: Path) -> None:
    counts = specs_xy.read(saved(tmp_path, ABOVE + COLUMNS + "100 5 0.9 2\n"))[0]
    assert counts.acquired_at is None
    assert counts.conditions["local_time"].value == "08/24/23 14:19:47"


def test_a_row_that_was_cut_off_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Line 12: expected 4 numbers, found 2"):
        specs_xy.read(saved(tmp_path, ABOVE + COLUMNS + "100 5 0.9 2\n101 6\n"))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    for _, content in mutations((ABOVE + COLUMNS + "100 5 0.9 2\n101 6 0.8 3\n").encode(), seed=3):
        path = tmp_path / "file"
        path.write_bytes(content)
        try:
            assert isinstance(specs_xy.read(path), list)
        except ReadError:
            continue

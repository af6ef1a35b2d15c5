"""XDI: real scans against xraylarch, and the faults that the specification's own bad files show."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import xdi
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import mutations

SCAN = """# XDI/1.0 GSE/1.0
# Column.1: energy eV
# Column.2: i0 counts
# Column.3: mutrans
# Element.symbol: Cu
# Mono.d_spacing: 3.13553 Å
# Scan.start_time: 2024-05-01T10:00:00+02:00
# ///
# Element.edge: K is only the user's opinion
# ---
# energy i0 mutrans
  8779.0  149013.7  -1.5
  8789.0  144864.7  -1.25
"""


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text)
    return path


def test_real_scans_agree_with_xraylarch(reference: Path) -> None:
    tried = 0
    for name, readings in readings_of(reference).items():
        path = reference / "instrument_files" / name
        if (
            name.startswith("xas/")
            and xdi.recognises(path.read_bytes()[:65536], path.name)
            and "bad" not in name
        ):
            datasets = xdi.read(path)
            assert disagreements(datasets, readings) == [], name
            element = datasets[0].conditions.get("element")
            assert element is None or element.value == readings[0].get("element", element.value)
            tried += 1
    assert tried == 16


def test_a_scan_without_its_element_is_read_as_xraylarch_reads_it(reference: Path) -> None:
    (reading,) = readings_of(reference)["xas/xdispec_bad_03.xdi"]
    datasets = xdi.read(reference / "instrument_files/xas/xdispec_bad_03.xdi")
    assert datasets[0].signal.values.size == reading["npts"]
    assert "element" not in datasets[0].conditions


def test_column_numbers_with_a_gap_are_refused(reference: Path) -> None:
    with pytest.raises(
        ReadError, match="an XDI file, but its header names the columns 1, 2, 3, 7, which leaves a gap"
    ):
        xdi.read(reference / "instrument_files/xas/xdispec_bad_10.xdi")


def test_absorption_comes_first_and_fields_become_conditions(tmp_path: Path) -> None:
    mu, i0 = xdi.read(saved(tmp_path, SCAN))
    assert (mu.signal.name, list(mu.signal.values)) == ("mutrans", [-1.5, -1.25])
    assert (i0.signal.name, i0.signal.unit) == ("i0", "counts")
    assert (mu.axes[0].name, mu.axes[0].unit, list(mu.axes[0].values)) == ("Energy", "eV", [8779, 8789])
    assert mu.conditions["d_spacing"].value == 3.13553
    assert "edge" not in mu.conditions
    assert mu.header["comments"] == "Element.edge: K is only the user's opinion"
    assert mu.acquired_at is not None
    assert mu.acquired_at.isoformat() == "2024-05-01T10:00:00+02:00"


def test_rows_of_each_outer_value_are_datasets_of_their_own(reference: Path) -> None:
    datasets = xdi.read(reference / "instrument_files/xas/xdispec_nonxafs_2d.xdi")
    assert [d.title for d in datasets if d.signal.name == "mutrans"][:3] == [
        f"x2d = {value}, mutrans" for value in ("1.0", "1.10", "1.20")
    ]
    assert np.array_equal(datasets[3].axes[0].values, [8829, 8839, 8849, 8859])


@pytest.mark.parametrize("spoiled", ["  8799.0  1.2.3  -1\n", "  8799.0  5\n", "  nan  5 6\n"])
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, spoiled: str) -> None:
    with pytest.raises(ReadError) as refusal:
        xdi.read(saved(tmp_path, SCAN + spoiled))
    assert refusal.value.line == 14


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _, content in mutations(SCAN.encode(), seed=3):
        path.write_bytes(content)
        try:
            assert isinstance(xdi.read(path), list)
        except ReadError:
            continue

"""The example in docs/add-a-reader.md works as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from measurements import readers
from measurements.data import ReadError
from measurements.readers.base import Reader

PAGE = (Path(__file__).parents[2] / "docs" / "add-a-reader.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def jasco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    (tmp_path / "jasco_of_the_page.py").write_text(block("python"))
    monkeypatch.syspath_prepend(tmp_path)
    found, refused = readers.discover(["jasco_of_the_page"])
    assert refused == {}
    return found["jasco_of_the_page"]


def test_the_example_reads_the_file_beside_it(jasco: Reader, tmp_path: Path) -> None:
    path = tmp_path / "test"
    path.write_text(block("text").replace("61", "2"))
    known = [jasco, *readers.registry().values()]
    assert readers.recognise(path.read_bytes(), "test.txt", known) is jasco
    (dataset,) = readers.read(jasco, path)
    assert (dataset.axes[0].name, dataset.axes[0].unit) == ("Wavelength", "nm")
    assert dataset.signal.values.tolist() == [-6.38777e-05, -5.52641e-05]
    assert dataset.header["DATE"] == "26/06/04"
    assert dataset.acquired_at is None


def test_the_example_refuses_a_file_that_was_cut_off(jasco: Reader, tmp_path: Path) -> None:
    path = tmp_path / "test"
    path.write_text(block("text"))
    with pytest.raises(ReadError, match="announces 61 points, the file has 2"):
        readers.read(jasco, path)


def test_the_example_reads_a_real_file_as_others_do(jasco: Reader, reference: Path) -> None:
    folder = reference / "instrument_files"
    path = folder / "uvvis" / "JASCO_uvvis_abs.txt"
    known = json.loads((folder / "EXPECTED.json").read_text())["readings"]["uvvis/JASCO_uvvis_abs.txt"][0]
    assert jasco.recognises(path.read_bytes(), path.name)
    (dataset,) = readers.read(jasco, path)
    assert dataset.signal.values.size == known["n"]
    assert dataset.signal.values.max() == known["y_max"]

"""What holds for every reader, whoever writes it."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from measurements import readers
from measurements.data import ReadError
from measurements.readers.base import ContractError, Format, Reader, load
from measurements.techniques import Technique

FULL = bool(os.environ.get("VITRINE_FULL"))
EVERY_READER = pytest.mark.parametrize("reader", readers.registry().values(), ids=list(readers.registry()))

# A file of each format, to be mutilated. A reader without one here is tried on all of them.
SEEDS = [
    b"Labels,scan,\r\nType,Emission Scan,\r\nStop,453,\r\nStep,1,\r\n\r\n450,1.5,\r\n451,2E+2,\r\n453,7,\r\n",
    b"Wavelength (nm);Intensity\n550,5;1,25\n551;3\n552,5;nan\n",
    b"# Date: 2026-05-04T10:00:00Z\n#x y sigma\n1 2 0.1\n2 3 0.2\n3 4 0.1\nend\n",
    "Temp (°C)\tSignal\n1\t2\n2\t3\n".encode("utf-16"),
]


def test_no_reader_of_ours_is_refused() -> None:
    assert dict(readers.refusals()) == {}
    assert {"delimited_text", "fluoracle"} <= set(readers.registry())


@EVERY_READER
def test_a_reader_names_only_techniques_that_exist(reader: Reader) -> None:
    assert set(reader.format.techniques) <= set(Technique.values)


def mutilate(seed: bytes, cuts: list[tuple[float, bytes]], end: float) -> bytes:
    for place, inserted in cuts:
        at = int(place * len(seed))
        seed = seed[:at] + inserted + seed[at + 1 :]
    return seed[: int(end * len(seed)) + 1]


MUTILATED = st.one_of(
    st.binary(max_size=400),
    st.builds(
        mutilate,
        st.sampled_from(SEEDS),
        st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), max_size=6),
        st.floats(0, 1),
    ),
    st.text(alphabet="0123456789.,;\t eE+-na\n\r#:/()x°\0", max_size=200).map(str.encode),
)


@EVERY_READER
@settings(
    max_examples=100 if FULL else 25,  # there are a hundred readers
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(content=MUTILATED)
def test_only_read_errors_escape_a_reader(reader: Reader, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mutilated"
    path.write_bytes(content)
    reader.confidence(content, "mutilated.csv")
    try:
        datasets = readers.read(reader, path)
    except ReadError:
        return
    for dataset in datasets:
        assert all(np.all(np.isfinite(axis.values)) for axis in dataset.axes)


@EVERY_READER
def test_a_reader_is_not_interested_in_nothing(reader: Reader) -> None:
    assert reader.confidence(b"", "empty.csv") == 0


def test_the_surest_reader_wins_and_the_general_one_comes_last() -> None:
    reader = readers.recognise(SEEDS[0], "scan.csv")
    assert reader is not None
    assert reader.key == "fluoracle"
    general = readers.recognise(b"1\t2\n2\t3\n", "scan.csv")
    assert general is not None
    assert general.key == "delimited_text"


def test_a_reader_that_stumbles_over_a_head_is_passed_over() -> None:
    def stumbles(head: bytes, filename: str) -> bool:
        raise IndexError

    format_ = Format("Bad", (), "", (), "A reader with a mistake.")
    bad = Reader("bad", format_, 1, stumbles, lambda path: [])
    good = Reader("good", format_, 1, lambda head, filename: 0.5, lambda path: [])
    assert readers.recognise(b"head", "name", [bad, good]) is good


def module(name: str, **content: object) -> types.ModuleType:
    made = types.ModuleType(f"measurements.readers.{name}")
    for key, value in content.items():
        setattr(made, key, value)
    return made


GOOD = {
    "FORMAT": Format("Good", (".good",), "Maker", ("pl",), "A good format."),
    "VERSION": 1,
    "recognises": lambda head, filename: True,
    "read": lambda path: [],
}


def test_a_module_that_keeps_the_contract_is_a_reader() -> None:
    assert load(module("good", **GOOD)).key == "good"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"FORMAT": None}, "FORMAT is missing or is not a Format"),
        ({"FORMAT": Format("", (), "", (), "x")}, "FORMAT.name is empty"),
        ({"FORMAT": Format("x", ("CSV",), "", (), "x")}, "FORMAT.extensions is a tuple of lower case"),
        ({"FORMAT": Format("x", (), "", ["pl"], "x")}, "FORMAT.techniques is a tuple"),  # type: ignore[arg-type]
        ({"VERSION": 0}, "VERSION is a whole number from 1, not 0"),
        ({"read": None}, "the function read is missing"),
    ],
)
def test_a_module_that_breaks_the_contract_is_refused_with_a_sentence(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ContractError, match=r"^bad\.py: ") as refusal:
        load(module("bad", **{**GOOD, **change}))
    assert sentence in str(refusal.value)


def test_a_file_in_the_folder_is_all_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "found_reader.py").write_text(
        "from measurements.readers.base import Format\n"
        "FORMAT = Format('Found', ('.f',), '', (), 'Found in a folder.')\nVERSION = 3\n"
        "def recognises(head, filename): return False\ndef read(path): return []\n"
    )
    (tmp_path / "broken_reader.py").write_text("def read(path:\n")
    monkeypatch.syspath_prepend(tmp_path)
    found, refused = readers.discover(["found_reader", "broken_reader"])
    assert found["found_reader"].version == 3
    assert "broken_reader.py cannot be imported" in refused["broken_reader"]


def test_a_file_beyond_the_formats_size_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    def opened(path: Path) -> list[object]:
        raise AssertionError

    small = Reader("small", Format("Small", (), "", (), "x", max_bytes=10), 1, lambda h, f: True, opened)  # type: ignore[arg-type]
    path = tmp_path / "large"
    path.write_bytes(b"0" * 11)
    with pytest.raises(ReadError, match="is read up to"):
        readers.read(small, path)


def test_readers_need_neither_django_nor_a_database() -> None:
    code = (
        "import sys, measurements.readers as r; assert r.registry() and not r.refusals();"
        "assert not {'django', 'celery', 'h5py', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])

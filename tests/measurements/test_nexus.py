from __future__ import annotations

import io
import time
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measurements.data import Axis, Dataset, Quantity, Signal
from measurements.nexus import read_nxdata, write_nxdata

SPECTRUM = Dataset(
    signal=Signal("Counts / s", "1/s", np.array([1.0, np.nan, 3.0]), np.array([0.1, 0.2, 0.3])),
    axes=(Axis("Wavelength", "nm", np.array([550.0, 551.0, 552.0])),),
    header={"Type": "Emission Scan", "Empty": "", "Ümläut/slash": "a\nb"},
    acquired_at=datetime(2026, 5, 4, 10, tzinfo=UTC),
    conditions={"temperature": Quantity(295.86, "K"), "detector": Quantity("PMT")},
)
MAP = Dataset(
    signal=Signal("I", "counts", np.arange(6.0).reshape(2, 3)),
    axes=(Axis("I", "nm", np.arange(2.0)), Axis("I", "nm", np.arange(3.0))),
)


def written(**datasets: Dataset) -> bytes:
    target = io.BytesIO()
    write_nxdata(target, datasets)
    return target.getvalue()


def same(one: Dataset, other: Dataset) -> bool:
    arrays = [
        (one.signal.values, other.signal.values),
        (one.signal.errors, other.signal.errors),
        *((a.values, b.values) for a, b in zip(one.axes, other.axes, strict=True)),
    ]
    return (
        all(a is b is None or np.array_equal(a, b, equal_nan=True) for a, b in arrays)  # type: ignore[arg-type]
        and (one.signal.name, one.signal.unit) == (other.signal.name, other.signal.unit)
        and [(a.name, a.unit) for a in one.axes] == [(b.name, b.unit) for b in other.axes]
        and list(one.header.items()) == list(other.header.items())
        and (one.acquired_at, dict(one.conditions)) == (other.acquired_at, dict(other.conditions))
    )


def test_what_was_written_is_read_again() -> None:
    read = read_nxdata(io.BytesIO(written(spectrum=SPECTRUM, map=MAP)))
    assert list(read) == ["spectrum", "map"]
    assert same(read["spectrum"], SPECTRUM)
    assert same(read["map"], MAP)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_nxdata(tmp_path / name, {"spectrum": SPECTRUM, "map": MAP})
        time.sleep(1.01)  # the time stamps of HDF5 are whole seconds
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_any_nexus_tool_finds_signal_axes_and_units() -> None:
    with h5py.File(io.BytesIO(written(spectrum=SPECTRUM))) as file:
        assert file.attrs["NX_class"] == "NXroot"
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        assert (entry.attrs["NX_class"], data.attrs["NX_class"]) == ("NXentry", "NXdata")
        signal, (axis,) = data[data.attrs["signal"]], data.attrs["axes"]
        assert signal.attrs["units"] == "1/s"
        assert data[axis].attrs["units"] == "nm"
        assert data.attrs[f"{axis}_indices"] == 0
        assert signal.name.rpartition("/")[2] + "_errors" in data
        assert entry["start_time"][()].decode() == "2026-05-04T10:00:00+00:00"


@pytest.mark.parametrize("name", ["with/slash", ".", "..", "Ümlaut ° µ", " ", "0"])
def test_every_name_comes_back(name: str) -> None:
    target = io.BytesIO()
    write_nxdata(target, {name: SPECTRUM})
    assert list(read_nxdata(target)) == [name]


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(names=st.lists(WORDS, min_size=2, max_size=4), header=st.dictionaries(WORDS, WORDS, max_size=4))
def test_any_words_may_name_axes_and_settings(names: list[str], header: dict[str, str]) -> None:
    shape = (2,) * (len(names) - 1)
    dataset = Dataset(
        Signal(names[0], names[0], np.zeros(shape)),
        tuple(Axis(name, name, np.zeros(2)) for name in names[1:]),
        header,
        conditions={key: Quantity(text) for key, text in header.items()},
    )
    (read,) = read_nxdata(io.BytesIO(written(any=dataset))).values()
    assert same(read, dataset)

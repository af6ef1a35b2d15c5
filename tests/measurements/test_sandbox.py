from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.sandbox import ReaderMistakeError, read_limited

SPECTRUM = Dataset(
    Signal("Counts", "counts", np.array([1.0, np.nan])),
    (Axis("Wavelength", "nm", np.arange(2.0)),),
    {"b": "2", "a": "1"},
    title="scan 1",
    technique="pl",
)


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    return tmp_path / "exchange"


def test_datasets_come_back_whole_and_in_order(exchange: Path) -> None:
    given = {str(number): SPECTRUM for number in (10, 9, 8)}
    back = read_limited(lambda: given, exchange)
    assert list(back) == ["10", "9", "8"]
    np.testing.assert_array_equal(back["9"].signal.values, SPECTRUM.signal.values)
    assert (back["9"].title, back["9"].technique, list(back["9"].header)) == ("scan 1", "pl", ["b", "a"])
    assert not exchange.exists()


def test_a_refusal_keeps_its_line(exchange: Path) -> None:
    def refuse() -> dict[str, Dataset]:
        raise ReadError("expected a number", line=7)

    with pytest.raises(ReadError, match="Line 7: expected a number"):
        read_limited(refuse, exchange)


def test_a_mistake_of_the_reader_is_told_from_a_bad_file(exchange: Path) -> None:
    def mistaken() -> dict[str, Dataset]:
        return {"x": [][1]}

    with pytest.raises(ReaderMistakeError, match="IndexError: list index out of range") as raised:
        read_limited(mistaken, exchange)
    assert "in mistaken" in raised.value.details


def test_an_endless_loop_is_ended_by_its_processor_time(exchange: Path) -> None:
    def endless() -> dict[str, Dataset]:
        while True:
            pass

    with pytest.raises(ReadError, match="took too long"):
        read_limited(endless, exchange, compute_s=1)


def test_a_reader_that_sleeps_for_ever_is_ended_too(exchange: Path) -> None:
    def asleep() -> dict[str, Dataset]:
        time.sleep(60)
        return {}

    with pytest.raises(ReadError, match="took too long"):
        read_limited(asleep, exchange, compute_s=0.1)


def test_a_file_that_asks_for_gigabytes_gets_a_sentence(exchange: Path) -> None:
    def greedy() -> dict[str, Dataset]:
        np.ones(3 * 1024**3 // 8)
        return {}

    with pytest.raises(ReadError, match="more than 1 GiB of memory"):
        read_limited(greedy, exchange)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_library_that_crashes_does_not_take_the_worker_with_it(
    exchange: Path, number: signal.Signals
) -> None:
    def crash() -> dict[str, Dataset]:
        os.kill(os.getpid(), number)
        return {}

    with pytest.raises(ReadError, match=f"stopped by the system \\({number.name}\\)"):
        read_limited(crash, exchange)


def test_what_a_killed_reader_unpacked_is_removed(exchange: Path) -> None:
    def unpack_and_die() -> dict[str, Dataset]:
        folder = Path(tempfile.mkdtemp(prefix="vitrine-zip-"))
        (folder / "unpacked").write_text("much")
        exchange.with_name("where").write_text(str(folder))
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    with pytest.raises(ReadError):
        read_limited(unpack_and_die, exchange)
    assert not Path(exchange.with_name("where").read_text()).exists()


def test_no_child_is_left_behind(exchange: Path) -> None:
    before = set(psutil.Process().children())
    read_limited(lambda: {"x": SPECTRUM}, exchange)
    assert set(psutil.Process().children()) <= before

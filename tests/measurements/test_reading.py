from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import connection

from measurements import opening, readers
from measurements.data import Axis, Dataset, Quantity, Signal
from measurements.models import Dataset as Row
from measurements.models import Measurement
from measurements.readers.base import Format, Reader
from measurements.sandbox import ReaderMistakeError
from measurements.services import Receipt, load, read_measurement
from measurements.services import reading as reading_service
from measurements.signals import measurement_read
from measurements.store import store
from tests.measurements.conftest import TEXT, incoming

Given = Callable[..., Receipt]
Read = Callable[..., Measurement]
FORMAT = Format("Test", (".test",), "", (), "A format of this test.")


def stand_in(read: Callable[[Path], list[Dataset]], version: int = 1, key: str = "stand_in") -> Any:
    """Only this reader is known."""
    return SimpleNamespace(
        registry=lambda: {key: Reader(key, FORMAT, version, lambda head, name: True, read)},
        recognise=lambda head, name: Reader(key, FORMAT, version, lambda h, n: True, read),
        read=readers.read,
    )


def dataset(*values: float) -> Dataset:
    x = np.arange(len(values), dtype=float)
    return Dataset(Signal("y", "counts", np.array(values, dtype=float)), (Axis("x", "nm", x),))


def test_a_read_measurement_holds_the_numbers_of_its_file(read: Read) -> None:
    measurement = read()
    assert measurement.status == "read"
    row = measurement.datasets.get()
    assert (row.shape, row.axes) == ([251], [{"name": "Wavelength", "unit": "nm", "size": 251}])
    assert (row.signal_name, row.signal_unit, row.reader) == ("Counts", "counts", "delimited_text")
    assert row.file == measurement.files.get()
    loaded = load(row)
    np.testing.assert_array_equal(loaded.axes[0].values, np.arange(550.0, 801.0))
    np.testing.assert_array_equal(loaded.signal.values, 100 + np.arange(550, 801) % 7)
    assert store().verify(row.blob.sha256)


def test_whoever_listens_hears_of_it_after_the_commit(given: Given, committed: Any) -> None:
    heard: list[Measurement] = []

    def listen(measurement: Measurement, **_: Any) -> None:
        heard.append(measurement)

    measurement = given().measurement
    measurement_read.connect(listen)
    try:
        with committed(execute=True):
            read_measurement(measurement)
            assert heard == []
    finally:
        measurement_read.disconnect(listen)
    assert heard == [measurement]


def test_reading_twice_changes_nothing(read: Read) -> None:
    measurement = read()
    before = list(Row.objects.values())
    read_measurement(measurement)
    Measurement.objects.filter(pk=measurement.pk).update(status="received")
    read_measurement(measurement)
    assert list(Row.objects.values()) == before


def test_a_newer_reader_supersedes_and_the_old_dataset_stays(given: Given, monkeypatch: Any) -> None:
    measurement = given().measurement
    for version, value in ((1, 5.0), (2, 7.0)):
        monkeypatch.setattr(opening, "readers", stand_in(lambda _, v=value: [dataset(v, 1)], version))
        Measurement.objects.filter(pk=measurement.pk).update(status="received", attempts=0)
        read_measurement(measurement)
    old, new = Row.objects.order_by("reader_version")
    assert (old.current, new.current) == (False, True)
    assert (load(old).signal.values[0], load(new).signal.values[0]) == (5.0, 7.0)


def test_several_files_give_numbered_datasets_that_know_their_file(given: Given) -> None:
    files = [incoming(TEXT, "sample.txt", "sample"), incoming(TEXT + b"900\t1\n", "blank.txt", "blank")]
    measurement = given(files=files).measurement
    read_measurement(measurement)
    assert list(measurement.datasets.values_list("number", "file__role")) == [(0, "sample"), (1, "blank")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "run7.txt: the file is empty (0 bytes). Export it again and send it again."),
        (bytes(range(256)) * 20, "run7.txt: no reader recognises this format."),
        (b"Labels,scan,\r\nType,Emission Scan,\r\n", "run7.txt, line 2: the file ends after 2 header lines"),
        (
            b"450\t12\n451\tovrflw\n452\t3\n",
            "run7.txt, line 2: expected a number in column 2, found “ovrflw”.",
        ),
        (b"just some words\nand more\n", "run7.txt: there are no rows of numbers in it."),
    ],
)
def test_a_bad_file_fails_with_a_sentence_and_its_bytes_are_kept(
    read: Read, content: bytes, sentence: str
) -> None:
    measurement = read(content)
    assert measurement.status == "failed"
    assert measurement.error.startswith(sentence)
    assert measurement.datasets.count() == 0
    with store().open(measurement.files.get().blob.sha256) as file:
        assert file.read() == content


@pytest.mark.parametrize(
    ("content", "key"),
    [(b"Labels,scan,\r\nType,Emission Scan,\r\n", "fluoracle"), (b"only words\n", "delimited_text")],
)
def test_the_reader_that_refused_a_file_is_kept_with_its_version(
    read: Read, content: bytes, key: str
) -> None:
    assert read(content).refused_by == f"{key} {readers.get(key).version}"


@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 20])
def test_no_reader_is_blamed_for_a_file_that_none_was_asked_about(read: Read, content: bytes) -> None:
    assert read(content).refused_by == ""


def test_a_file_read_at_last_was_refused_by_nobody(read: Read) -> None:
    assert read(TEXT).refused_by == ""


def test_one_bad_file_of_two_is_named_and_the_other_is_read(given: Given) -> None:
    files = [incoming(TEXT, "good.txt"), incoming(b"", "bad.txt")]
    measurement = given(files=files).measurement
    read_measurement(measurement)
    measurement.refresh_from_db()
    assert (measurement.status, measurement.qc_level) == ("read", "amber")
    (row,) = measurement.datasets.all()
    assert row.qc[0].startswith("1 file beside it could not be read. bad.txt: the file is empty")


def test_what_its_sender_says_of_energy_and_wavelength_is_checked_with_the_file(given: Given) -> None:
    measurement = given(conditions={"xray_energy_kev": 101, "xray_wavelength_angstrom": 0.10173}).measurement
    read_measurement(measurement)
    measurement.refresh_from_db()
    assert measurement.qc_level == "red"
    assert measurement.conditions["xray_wavelength_angstrom"] == 0.10173  # warned of, never altered


def test_a_mistake_of_a_reader_is_recorded_and_raised(given: Given, monkeypatch: Any) -> None:
    def broken(path: Path) -> list[Dataset]:
        raise IndexError("list index out of range")

    monkeypatch.setattr(opening, "readers", stand_in(broken))
    measurement = given().measurement
    with pytest.raises(ReaderMistakeError, match="IndexError"):
        read_measurement(measurement)
    measurement.refresh_from_db()
    assert measurement.status == "failed"
    assert "stopped at a mistake of its own (IndexError: list index out of range)" in measurement.error


def test_a_file_that_takes_too_long_fails_with_a_sentence(given: Given, monkeypatch: Any) -> None:
    def slow(*_: Any, **__: Any) -> dict[str, Dataset]:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(reading_service, "read_limited", slow)
    measurement = given().measurement
    read_measurement(measurement)
    measurement.refresh_from_db()
    assert measurement.error.startswith("Reading took longer than 120 s")


def test_a_file_that_kills_its_reader_leaves_the_worker_alive(given: Given, monkeypatch: Any) -> None:
    def deadly(path: Path) -> list[Dataset]:
        os.kill(os.getpid(), signal.SIGSEGV)
        return []

    monkeypatch.setattr(opening, "readers", stand_in(deadly))
    read_measurement(given().measurement)
    failed = Measurement.objects.get()
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert failed.error.startswith("its reader was stopped by the system (SIGSEGV)")


def test_a_file_that_kills_its_worker_is_given_up_after_three_times(given: Given, monkeypatch: Any) -> None:
    def deadly(*_: Any, **__: Any) -> dict[str, Dataset]:
        raise KeyboardInterrupt  # passes every handler, as a kill does

    monkeypatch.setattr(reading_service, "read_limited", deadly)
    measurement = given().measurement
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            read_measurement(measurement)
        assert Measurement.objects.get().status == "received"
    read_measurement(measurement)
    assert Measurement.objects.get().status == "failed"
    assert "stopped its worker 3 times" in Measurement.objects.get().error


@pytest.mark.django_db(transaction=True)
def test_while_one_worker_reads_a_second_one_steps_aside(given: Given, monkeypatch: Any) -> None:
    inside, go_on = threading.Event(), threading.Event()
    calls = []

    def wait(*given: Any, **_: Any) -> dict[str, Dataset]:
        calls.append(given)
        inside.set()
        assert go_on.wait(10)
        return {"0|0|stand_in|1": dataset(1, 2)}

    def first_worker() -> None:
        try:
            read_measurement(Measurement.objects.get())
        finally:
            connection.close()

    monkeypatch.setattr(reading_service, "read_limited", wait)
    given()
    thread = threading.Thread(target=first_worker)
    thread.start()
    assert inside.wait(10)
    read_measurement(Measurement.objects.get())
    assert Measurement.objects.get().attempts == 1
    go_on.set()
    thread.join()
    assert len(calls) == 1
    assert Measurement.objects.get().status == "read"


def test_a_measurement_declared_void_while_it_was_read_stays_void(given: Given, monkeypatch: Any) -> None:
    def voided_meanwhile(*_: Any, **__: Any) -> dict[str, Dataset]:
        Measurement.objects.update(status="void")
        return {"0|0|stand_in|1": dataset(1, 2)}

    monkeypatch.setattr(reading_service, "read_limited", voided_meanwhile)
    read_measurement(given().measurement)
    assert Measurement.objects.get().status == "void"
    assert Row.objects.count() == 0


def test_a_file_without_a_date_leaves_the_date_unknown(read: Read) -> None:
    assert read(b"Date: 04.05.2026 10:00\n\n1\t2\n2\t3\n").acquired_at is None


def test_a_date_with_its_zone_is_taken_from_the_file_unless_a_person_gave_one(read: Read) -> None:
    measurement = read(b"Date: 2026-05-04T10:00:00+02:00\n\n1\t2\n2\t3\n")
    assert measurement.acquired_at is not None
    assert measurement.acquired_at.isoformat() == "2026-05-04T08:00:00+00:00"


def test_conditions_of_the_file_and_of_a_person_stand_together_and_the_person_wins(
    given: Given, monkeypatch: Any
) -> None:
    said = Dataset(
        Signal("y", "", np.ones(2)),
        (Axis("x", "", np.arange(2.0)),),
        conditions={"temperature": Quantity(295.0, "K"), "detector": Quantity("PMT")},
    )
    monkeypatch.setattr(opening, "readers", stand_in(lambda path: [said]))
    measurement = given(conditions={"temperature": {"value": 77, "unit": "K"}}).measurement
    read_measurement(measurement)
    assert Measurement.objects.get().conditions == {
        "temperature": {"value": 77, "unit": "K"},
        "detector": {"value": "PMT", "unit": ""},
    }


def test_text_that_postgresql_cannot_hold_does_not_stop_the_reading(given: Given, monkeypatch: Any) -> None:
    odd = Dataset(Signal("y\0", "", np.ones(2)), (Axis("x\0", "", np.arange(2.0)),), {"a\0": "b\0"})
    monkeypatch.setattr(opening, "readers", stand_in(lambda path: [odd]))
    read_measurement(given().measurement)
    row = Row.objects.get()
    assert (row.signal_name, row.header) == ("y�", {"a�": "b�"})
    assert load(row).header == {"a\0": "b\0"}


def test_oddities_are_kept_as_sentences(read: Read) -> None:
    row = read(b"550\t1\n551\tnan\n551\t3\n550\t4\n").datasets.get()
    assert row.qc == [
        "1 of 4 values of the signal is not a finite number.",
        "The file does not give the unit of “x”.",
        "The axis “x” goes back and forth.",
        "The axis “x” has only 4 points.",
    ]


def test_the_preview_keeps_the_peak_of_a_long_curve(given: Given, monkeypatch: Any) -> None:
    y = np.zeros(100_000)
    y[54_321] = 9
    long = Dataset(Signal("y", "", y), (Axis("x", "nm", np.arange(100_000.0)),))
    monkeypatch.setattr(opening, "readers", stand_in(lambda path: [long]))
    read_measurement(given().measurement)
    shown = np.frombuffer(Row.objects.get().preview, "<f4")
    x, preview = shown[: shown.size // 2], shown[shown.size // 2 :]
    assert x.size <= 400
    assert x[preview.argmax()] == 54_321

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from measurements.models import Blob, Instrument, Measurement, RawFile
from measurements.services import (
    Incoming,
    Receipt,
    RefusedError,
    add_instrument,
    assign,
    receive,
    requeue_forgotten,
    set_technique,
)
from measurements.services.receipts import receipt_body
from measurements.services.receiving import content_key
from measurements.signals import measurement_assigned, measurement_read
from measurements.store import Stored, StoreFullError, store
from samples.models import Membership, Project, Role, Sample, User
from tests.measurements.conftest import TEXT, incoming

Given = Callable[..., Receipt]


def test_a_received_file_is_on_disk_under_the_hash_of_its_row(given: Given) -> None:
    receipt = given()
    blob = receipt.measurement.files.get().blob
    assert receipt.created
    assert blob.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert store().verify(blob.sha256)


def test_the_worker_is_told_after_the_commit(given: Given, committed: Any, monkeypatch: Any) -> None:
    told: list[int] = []
    monkeypatch.setattr("measurements.tasks.read.apply_async", lambda args, **_: told.append(args[0]))
    with committed(execute=True):
        receipt = given()
        assert told == []
    assert told == [receipt.measurement.pk]


def test_a_broker_that_is_down_costs_nobody_a_file(given: Given, committed: Any, monkeypatch: Any) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("measurements.tasks.read.apply_async", down)
    with committed(execute=True):
        receipt = given()
    assert Measurement.objects.get(pk=receipt.measurement.pk).status == "received"


def test_the_same_bytes_for_the_same_sample_and_technique_are_the_same_measurement(given: Given) -> None:
    first = given(technique="pl")
    again = given(technique="pl", name="another name.txt")
    assert not again.created
    assert again.measurement == first.measurement
    assert RawFile.objects.count() == 1


def test_the_same_bytes_as_another_technique_are_another_measurement(given: Given) -> None:
    assert given(technique="pl").measurement != given(technique="plqy").measurement
    assert Blob.objects.count() == 1


def test_the_same_bytes_may_serve_two_samples(given: Given, composite: Sample) -> None:
    twin = Sample.objects.create(project=composite.project, code="VT-TWIN", state="composite")
    assert given().measurement != given(sample_code=twin.code).measurement
    assert Blob.objects.count() == 1


def test_whoever_names_no_technique_means_the_measurement_that_is_there(given: Given) -> None:
    first = given(technique="pl")
    assert given().measurement == first.measurement


def test_a_conflicting_repetition_is_answered_with_a_warning(given: Given) -> None:
    given(technique="pl")
    again = given(technique="pl", acquired_at=datetime(2026, 5, 4, tzinfo=UTC), conditions={"slit_nm": 2})
    assert len(again.warnings) == 2
    assert all("was not changed" in sentence or "were not changed" in sentence for sentence in again.warnings)


def test_files_and_roles_count_but_not_their_order(given: Given) -> None:
    def two(*roles: str) -> list[Any]:
        return [incoming(TEXT, "a.txt", roles[0]), incoming(TEXT + b"900\t1\n", "b.txt", roles[1])]

    first = given(files=two("sample", "blank"))
    assert given(files=two("sample", "blank")[::-1]).measurement == first.measurement
    assert given(files=two("blank", "sample")).measurement != first.measurement


def test_a_format_with_one_technique_says_what_was_measured(read: Callable[..., Measurement]) -> None:
    xdi = b"# XDI/1.0\n# Column.1: energy eV\n# Element.symbol: Zn\n#----\n9600 0.1\n9601 0.2\n"
    assert read(xdi).technique == "xas"
    assert read(b"1 2\n3 4\n").technique == "unknown"
    assert read(xdi + b"9602 0.3\n", technique="plqy").technique == "plqy"


def test_an_unknown_sample_goes_to_the_inbox_with_the_code_it_came_with(
    given: Given, project: Project
) -> None:
    receipt = given(sample_code="VT-WRONG")
    assert receipt.measurement.sample is None
    assert receipt.measurement.project == project
    assert receipt.measurement.claimed_code == "VT-WRONG"
    assert "There is no sample “VT-WRONG”" in receipt.warnings[0]


def test_a_sample_of_somebody_else_counts_as_unknown(
    given: Given, charlies: Sample, project: Project
) -> None:
    receipt = given(sample_code=charlies.code)
    assert receipt.measurement.sample is None
    assert receipt.measurement.project == project
    assert charlies.measurements.count() == 0


def test_a_void_sample_takes_nothing_more_and_its_sender_is_told(given: Given, composite: Sample) -> None:
    Sample.objects.filter(pk=composite.pk).update(voided_at=timezone.now(), void_reason="spilled")
    receipt = given()
    assert (receipt.measurement.sample, receipt.measurement.claimed_code) == (None, composite.code)
    assert receipt.measurement.project == composite.project
    assert "VT-GLASS is void (spilled); it takes nothing more" in receipt.warnings[0]


def test_the_code_of_a_sample_one_may_not_see_is_in_no_receipt(
    given: Given, alice: User, project: Project, composite: Sample
) -> None:
    dora = User.objects.create_user("dora", "d@example.org", "a long enough password")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    first = given(sample_code="LABEL-7").measurement
    assign(first, composite, user=alice)
    seen = receipt_body(given(user=dora, sample_code="LABEL-7", project=project))
    assert (seen["id"], seen["sample"]) == (first.pk, "VT-GLASS")
    Sample.objects.filter(pk=composite.pk).update(embargoed_until=timezone.now().date() + timedelta(days=30))
    again = receipt_body(given(user=dora, sample_code="LABEL-7", project=project))
    assert (again["id"], again["sample"]) == (first.pk, None)
    assert "VT-GLASS" not in str(again)
    assert receipt_body(given(sample_code="LABEL-7", project=project))["sample"] == "VT-GLASS"
    first.refresh_from_db()
    assert first.sample == composite


def test_a_missing_sample_goes_to_the_inbox(given: Given) -> None:
    assert given(sample_code=None).measurement.sample is None


def test_an_unknown_sample_twice_is_one_measurement_in_the_inbox(given: Given) -> None:
    first = given(sample_code="VT-WRONG")
    assert given(sample_code="VT-WRONG").measurement == first.measurement
    assert given(sample_code=None).measurement != first.measurement


def test_an_instrument_that_repeats_itself_finds_what_was_assigned_meanwhile(
    given: Given, composite: Sample, alice: User
) -> None:
    first = given(sample_code="VT-WRONG")
    assign(first.measurement, composite, user=alice)
    again = given(sample_code="VT-WRONG")
    assert again.measurement == first.measurement
    assert not again.created


def test_a_viewer_may_not_add_to_a_sample_and_is_told_whom_to_ask(bob: User, composite: Sample) -> None:
    with pytest.raises(PermissionDenied, match="Ask a manager of Glass composites"):
        receive(user=bob, files=[incoming()], sample_code=composite.code)
    assert Measurement.objects.count() == 0


def test_somebody_without_any_project_to_write_into_is_told_so(bob: User) -> None:
    with pytest.raises(PermissionDenied, match="no project into which you may write"):
        receive(user=bob, files=[incoming()], sample_code="VT-WRONG")


def test_an_instruments_file_waits_in_the_inbox_of_its_project(project: Project, charlies: Sample) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    receipt = receive(user=instrument.account, files=[incoming()], sample_code=charlies.code)
    assert receipt.measurement.instrument == instrument
    assert receipt.measurement.project == project
    assert receipt.measurement.sample is None


def test_an_instrument_adds_to_samples_of_its_project(project: Project, composite: Sample) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    receipt = receive(user=instrument.account, files=[incoming()], sample_code=composite.code)
    assert receipt.measurement.sample == composite
    assert receipt.warnings == []


def test_the_default_project_of_a_person_takes_what_has_no_sample(alice: User, project: Project) -> None:
    other = Project.objects.create(name="A second project", slug="second")
    Membership.objects.create(project=other, user=alice, role=Role.CONTRIBUTOR)
    receipt = receive(user=alice, files=[incoming()])
    assert receipt.measurement.project == project
    assert receive(user=alice, files=[incoming()], project=other).measurement.project == other


def test_a_default_project_that_one_left_takes_nothing(alice: User, project: Project) -> None:
    other = Project.objects.create(name="Another", slug="another")
    Membership.objects.create(project=other, user=alice, role=Role.CONTRIBUTOR)
    Membership.objects.filter(project=project, user=alice).delete()
    assert receive(user=alice, files=[incoming()]).measurement.project == other


def test_a_time_without_a_zone_is_refused(given: Given) -> None:
    with pytest.raises(RefusedError, match="zone"):
        given(acquired_at=datetime(2026, 5, 4, 10, 0))  # noqa: DTZ001


def test_a_full_disk_leaves_no_row(given: Given, monkeypatch: Any) -> None:
    def full(self: Any) -> None:
        raise StoreFullError("The disk is full.")

    monkeypatch.setattr("measurements.store.Pending.keep", full)
    with pytest.raises(StoreFullError):
        given()
    assert Blob.objects.count() == Measurement.objects.count() == 0
    assert list(store().incoming.iterdir()) == []


def test_a_stream_that_breaks_leaves_nothing(given: Given) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        given(files=[incoming(), Incoming("b.txt", Breaking())])
    assert Measurement.objects.count() == 0
    assert list(store().incoming.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "../../etc/passwd"),
        ('<b>"x".txt', '<b>"x".txt'),
        ("nul\0byte", "nulbyte"),
        ("", "unnamed"),
        ("\ud800.txt", "?.txt"),
        ("a" * 300 + ".txt", "a" * 191 + "…" + "a" * 59 + ".txt"),
    ],
)
def test_a_hostile_name_is_kept_as_text(given: Given, sent: str, kept: str) -> None:
    file = given(name=sent).measurement.files.get()
    file.refresh_from_db()
    assert file.filename == kept
    assert store().path(file.blob.sha256).is_relative_to(store().root)


@pytest.mark.django_db(transaction=True)
def test_no_session_is_held_while_the_bytes_come(given: Given) -> None:
    class Looks(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            held.append(connection.connection is not None)
            return super().read(size)

    held: list[bool] = []
    connection.ensure_connection()
    assert given(files=[Incoming("run7.txt", Looks(TEXT))]).created
    assert set(held) == {False}


@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_uploads_of_the_same_bytes_are_one_measurement(
    alice: User, composite: Sample
) -> None:
    start = threading.Barrier(4)
    receipts: list[Receipt] = []

    def send() -> None:
        start.wait()
        try:
            receipts.append(
                receive(user=alice, files=[incoming()], sample_code=composite.code, technique="pl")
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.created for receipt in receipts) == [False, False, False, True]
    assert Measurement.objects.count() == 1


def test_assigning_tells_whoever_listens(
    given: Given, composite: Sample, alice: User, committed: Any
) -> None:
    heard: list[Measurement] = []

    def listen(measurement: Measurement, **_: Any) -> None:
        heard.append(measurement)

    measurement = given(sample_code=None).measurement
    measurement_assigned.connect(listen)
    try:
        with committed(execute=True):
            assign(measurement, composite, user=alice)
    finally:
        measurement_assigned.disconnect(listen)
    assert heard == [measurement]
    assert Measurement.objects.get().sample == composite


def test_a_viewer_cannot_assign(given: Given, composite: Sample, bob: User) -> None:
    measurement = given(sample_code=None).measurement
    with pytest.raises(PermissionDenied):
        assign(measurement, composite, user=bob)


def test_nothing_is_assigned_to_a_sample_where_one_may_not_write(
    given: Given, charlies: Sample, alice: User
) -> None:
    measurement = given(sample_code=None).measurement
    with pytest.raises(PermissionDenied):
        assign(measurement, charlies, user=alice)


def test_a_measurement_of_one_sample_is_not_moved_to_another(
    given: Given, composite: Sample, alice: User
) -> None:
    twin = Sample.objects.create(project=composite.project, code="VT-TWIN", state="composite")
    with pytest.raises(RefusedError, match="already belongs to VT-GLASS"):
        assign(given().measurement, twin, user=alice)


def test_bytes_that_the_sample_already_has_are_not_assigned_to_it_again(
    given: Given, composite: Sample, alice: User
) -> None:
    given()
    waiting = given(sample_code=None).measurement
    with pytest.raises(RefusedError, match="already there as measurement"):
        assign(waiting, composite, user=alice)


def test_naming_the_technique_of_a_read_measurement_lets_its_methods_run(
    read: Callable[..., Measurement], alice: User, committed: Any
) -> None:
    heard: list[str] = []

    def listen(measurement: Measurement, **_: Any) -> None:
        heard.append(measurement.technique)

    measurement = read(b"1\t2\n2\t3\n")
    measurement_read.connect(listen)
    try:
        with committed(execute=True):
            set_technique(measurement, "pl", user=alice)
    finally:
        measurement_read.disconnect(listen)
    assert heard == ["pl"]


def test_what_the_broker_lost_is_handed_to_it_again_once(
    given: Given, committed: Any, monkeypatch: Any
) -> None:
    told: list[int] = []
    monkeypatch.setattr("measurements.tasks.read.apply_async", lambda args, **_: told.append(args[0]))
    lost, fresh = given().measurement, given(TEXT + b"900\t1\n").measurement
    Measurement.objects.filter(pk=lost.pk).update(received_at=datetime(2026, 1, 1, tzinfo=UTC))
    with committed(execute=True):
        assert requeue_forgotten() == 1
        assert requeue_forgotten() == 0
    assert told == [lost.pk]
    assert fresh.status == "received"


def test_two_instruments_may_have_similar_names(project: Project) -> None:
    first = add_instrument(project=project, name="FLS 1000")
    second = add_instrument(project=project, name="FLS-1000")
    assert first.account != second.account
    assert Instrument.objects.count() == 2
    with pytest.raises(RefusedError, match="already an instrument"):
        add_instrument(project=project, name="FLS 1000")


def test_the_key_of_a_content_is_what_it_was_for_files_of_years_ago() -> None:
    files = [Incoming("a", io.BytesIO(), 'Ω "irf"'), Incoming("b", io.BytesIO())]
    # Of Python's json.dumps of the sorted pairs, which made the keys of the first versions.
    known = "9683575903c83c0b418ca1b1338088989d64b1617fc0bafadad0752d8dafea7e"
    assert content_key(files, [Stored("ab" * 32, 1), Stored("cd" * 32, 1)]) == known

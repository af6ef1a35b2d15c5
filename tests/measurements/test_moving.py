"""A measurement gets its right sample, is declared void and taken back, is read again: what follows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from measurements.models import Decision, Measurement
from measurements.services import (
    Receipt,
    RefusedError,
    assign,
    move,
    read_measurement,
    reread,
    reread_failed,
    restore,
    void,
)
from samples.history import history_of
from samples.models import Membership, Project, Role, Sample, User
from tests.conftest import person

Given = Callable[..., Receipt]


@pytest.fixture
def other(composite: Sample) -> Sample:
    return Sample.objects.create(project=composite.project, code="VT-OTHER", state="composite")


@pytest.fixture
def elsewhere(alice: User) -> Sample:
    """A sample in a second project of Alice's, where Bob is nobody."""
    second = Project.objects.create(name="Second", slug="second")
    Membership.objects.create(project=second, user=alice, role=Role.CONTRIBUTOR)
    return Sample.objects.create(project=second, code="SE-1", state="powder")


def test_a_moved_measurement_belongs_to_its_new_sample_and_project(
    given: Given, elsewhere: Sample, alice: User
) -> None:
    measurement = given().measurement
    move(measurement, elsewhere, user=alice, reason="The vials were swapped.")
    row = Measurement.objects.get()
    assert (row.sample, row.project) == (elsewhere, elsewhere.project)


def test_a_move_is_told_with_both_samples_the_person_and_the_reason(
    given: Given, composite: Sample, other: Sample, alice: User
) -> None:
    move(given().measurement, other, user=alice, reason="The vials were swapped.")
    told = Decision.objects.get()
    assert (told.kind, told.from_sample, told.to_sample) == ("moved", composite, other)
    assert (told.by, told.reason) == (alice, "The vials were swapped.")
    assert told.at is not None


@pytest.mark.parametrize("reason", ["", "   ", "\u200b"])
def test_nothing_is_moved_without_a_reason(
    given: Given, composite: Sample, other: Sample, alice: User, reason: str
) -> None:
    with pytest.raises(RefusedError, match="Say why"):
        move(given().measurement, other, user=alice, reason=reason)
    assert Measurement.objects.get().sample == composite


def test_both_samples_tell_of_the_move(given: Given, composite: Sample, other: Sample, alice: User) -> None:
    move(given().measurement, other, user=alice, reason="The vials were swapped.")
    for sample in (composite, other):
        (told,) = [entry for entry in history_of(sample, alice) if entry.kind == "measurement"]
        (change,) = told.changes
        assert (change.before, change.after) == ("VT-GLASS", "VT-OTHER")
        assert (told.by, told.reason) == ("alice", "The vials were swapped.")


def test_the_history_does_not_name_a_sample_that_its_reader_may_not_see(
    given: Given, composite: Sample, elsewhere: Sample, alice: User, bob: User
) -> None:
    move(given().measurement, elsewhere, user=alice, reason="The vials were swapped.")
    (told,) = [entry for entry in history_of(composite, bob) if entry.kind == "measurement"]
    assert told.changes[0].after == "not visible to you"
    assert "SE-1" not in str(told)
    assert told.of == ""


def test_the_audit_trail_holds_the_decision_itself(given: Given, other: Sample, alice: User) -> None:
    move(given().measurement, other, user=alice, reason="The vials were swapped.")
    Decision.objects.update(reason="forged")
    trail = Decision.pgh_event_model.objects.order_by("pgh_id").values_list("pgh_label", "reason")
    assert list(trail) == [("insert", "The vials were swapped."), ("update", "forged")]


def test_who_may_not_write_to_both_samples_moves_nothing(
    given: Given, composite: Sample, elsewhere: Sample, alice: User, bob: User
) -> None:
    measurement = given().measurement
    with pytest.raises(PermissionDenied):
        move(measurement, elsewhere, user=bob, reason="Mine.")
    dora = person("dora")
    Membership.objects.create(project=composite.project, user=dora, role=Role.CONTRIBUTOR)
    with pytest.raises(PermissionDenied, match="SE-1"):
        move(measurement, elsewhere, user=dora, reason="Mine.")
    assert Measurement.objects.get().sample == composite


def test_a_measurement_of_an_embargoed_sample_is_not_moved_by_a_fellow_member(
    given: Given, composite: Sample, other: Sample
) -> None:
    measurement = given().measurement
    dora = person("dora")
    Membership.objects.create(project=composite.project, user=dora, role=Role.CONTRIBUTOR)
    Sample.objects.filter(pk=composite.pk).update(
        embargoed_until=timezone.now().date() + timedelta(days=9), created_by=None
    )
    with pytest.raises(PermissionDenied):
        move(measurement, other, user=dora, reason="I want to see it.")


def test_bytes_that_the_other_sample_has_already_are_not_moved_to_it(
    given: Given, composite: Sample, other: Sample, alice: User
) -> None:
    there = given(sample_code=other.code).measurement
    here = given().measurement
    with pytest.raises(RefusedError, match=f"already there as measurement {there.pk}"):
        move(here, other, user=alice, reason="The vials were swapped.")
    assert not Decision.objects.exists()


def test_a_void_sample_takes_nothing(given: Given, other: Sample, alice: User) -> None:
    Sample.objects.filter(pk=other.pk).update(voided_at=timezone.now(), void_reason="spilled")
    other.refresh_from_db()
    with pytest.raises(RefusedError, match="VT-OTHER is void"):
        move(given().measurement, other, user=alice, reason="The vials were swapped.")


def test_moving_back_undoes_it_and_both_moves_stay_told(
    given: Given, composite: Sample, other: Sample, alice: User
) -> None:
    measurement = given().measurement
    move(measurement, other, user=alice, reason="Swapped.")
    move(measurement, composite, user=alice, reason="They were not.")
    assert Measurement.objects.get().sample == composite
    assert [row.to_sample for row in Decision.objects.all()] == [other, composite]


def test_an_assignment_can_be_taken_back_into_the_inbox(given: Given, composite: Sample, alice: User) -> None:
    measurement = given(sample_code=None).measurement
    assign(measurement, composite, user=alice)
    move(measurement, None, user=alice, reason="Clicked too fast.")
    row = Measurement.objects.get()
    assert row.sample is None
    assert row.project == composite.project
    assert Measurement.objects.inbox().get() == row


def test_what_is_void_waits_for_nobody_and_comes_back_as_it_was(
    read: Callable[..., Measurement], alice: User
) -> None:
    measurement = read(sample_code=None)
    void(measurement, user=alice, reason="A test of the lamp.")
    assert Measurement.objects.get().status == "void"
    assert not Measurement.objects.inbox().exists()
    restore(measurement, user=alice, reason="It was none.")
    assert Measurement.objects.get().status == "read"
    assert [row.kind for row in Decision.objects.all()] == ["voided", "restored"]


def test_a_failed_file_comes_back_failed_with_its_sentence(
    read: Callable[..., Measurement], alice: User
) -> None:
    measurement = read(b"\x00\x01 nothing that anybody reads")
    assert measurement.status == "failed"
    void(measurement, user=alice, reason="Wrong file.")
    restore(measurement, user=alice, reason="The right one.")
    row = Measurement.objects.get()
    assert (row.status, row.error) == ("failed", measurement.error)


def test_a_viewer_neither_voids_nor_restores_nor_reads_again(
    read: Callable[..., Measurement], bob: User
) -> None:
    measurement = read()
    for act in (void, restore, reread):
        with pytest.raises(PermissionDenied):
            act(measurement, user=bob, reason="Why not.")


def test_reading_again_keeps_what_was_read_before(
    read: Callable[..., Measurement], alice: User, committed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr("measurements.tasks.read.apply_async", lambda args, **_: told.append(args[0]))
    measurement = read()
    before = list(measurement.datasets.values_list("pk", flat=True))
    with committed(execute=True):
        reread(measurement, user=alice)
    assert told == [measurement.pk]
    measurement.refresh_from_db()
    assert measurement.status == "received"
    read_measurement(measurement)
    measurement.refresh_from_db()
    assert measurement.status == "read"
    assert set(before) <= set(measurement.datasets.values_list("pk", flat=True))


def test_the_sweep_does_not_take_a_file_that_is_read_again_for_forgotten(
    read: Callable[..., Measurement], alice: User
) -> None:
    measurement = read()
    Measurement.objects.update(received_at=timezone.now() - timedelta(days=30))
    reread(measurement, user=alice)
    assert not Measurement.objects.forgotten().exists()


def test_what_is_being_read_or_void_is_not_read_again(given: Given, alice: User) -> None:
    measurement = given().measurement
    with pytest.raises(RefusedError, match="waits to be read already"):
        reread(measurement, user=alice)
    void(measurement, user=alice, reason="Wrong file.")
    with pytest.raises(RefusedError, match="Restore it first"):
        reread(measurement, user=alice)


def test_failed_files_that_a_reader_recognises_are_read_again_once_per_reader(
    read: Callable[..., Measurement],
) -> None:
    stays = read(b"\x00\x01 nothing that anybody reads", "stays.bin")
    comes = read()
    Measurement.objects.filter(pk=comes.pk).update(status="failed", error="There was no reader.")
    assert reread_failed(dry_run=True) == 1
    assert reread_failed() == 1
    comes.refresh_from_db()
    stays.refresh_from_db()
    assert (comes.status, stays.status) == ("received", "failed")
    Measurement.objects.filter(pk=comes.pk).update(status="failed", error="It failed again.")
    assert reread_failed() == 0


def test_a_move_is_all_or_nothing(
    given: Given, composite: Sample, other: Sample, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from measurements.signals import measurement_placed

    def refuse(**_: Any) -> None:
        raise RuntimeError("analysis is not well")

    measurement_placed.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            move(given().measurement, other, user=alice, reason="Swapped.")
    finally:
        measurement_placed.disconnect(refuse)
    assert Measurement.objects.get().sample == composite
    assert not Decision.objects.exists()


def test_the_inbox_is_counted_by_its_own_index(given: Given, project: Project) -> None:
    given(sample_code=None)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Measurement.objects.inbox().filter(project__in=[project.pk]).order_by().values("pk").explain()
    assert "measurement_for_a_person" in plan

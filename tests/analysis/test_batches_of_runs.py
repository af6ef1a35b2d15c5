"""Runs in batches: the same answers as one by one, and one poisonous file fails alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import timedelta

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone
from rest_framework.test import APIClient

from analysis import methods, services
from analysis.compact import pack, unpack
from analysis.curves import load_curves
from analysis.models import Artifact, QuickInput, Run, Value
from analysis.services import claiming, executing, waking
from measurements.data import Axis, Dataset, Quantity, Signal
from measurements.models import Dataset as DatasetRow
from measurements.models import Measurement
from measurements.services import load, read_measurement, receive
from samples.models import Sample, User
from tests.analysis.conftest import Measured
from tests.misbehaving import at_large, poisonous_file

METHOD = "pl_gaussians"
Captured = Callable[..., AbstractContextManager[object]]


@pytest.fixture
def misbehaving() -> Iterator[None]:
    with at_large():
        yield


@pytest.fixture
def poison(alice: User, composite: Sample) -> Measurement:
    receipt = receive(user=alice, files=[poisonous_file()], sample_code=composite.code, technique="pl")
    read_measurement(receipt.measurement)
    return receipt.measurement


def asked(measurement: Measurement, method: str = METHOD, **params: object) -> Run:
    return services.request_run(measurement, method, params)[0]


def states(runs: list[Run]) -> list[str]:
    return [Run.objects.get(pk=run.pk).status for run in runs]


def numbers(run: Run) -> dict[tuple[str, str], tuple[float, float, str, bool]]:
    return {
        (v.property, v.component): (v.value, v.sigma, v.unit, v.current)
        for v in Value.objects.filter(run=run)
    }


# The same as one by one


def test_a_batch_gives_bit_for_bit_what_each_run_gives_alone(measured: Measured) -> None:
    alone = [asked(measured(seed=seed)) for seed in (1, 2, 3)]
    for run in alone:
        services.execute(run.pk)
    expected = [(numbers(run), curves(run), notes(run)) for run in alone]
    for run in alone:
        Value.objects.filter(run=run).delete()
        Artifact.objects.filter(run=run).delete()
    Run.objects.update(status="queued")
    assert services.execute_batch() == 3
    assert [(numbers(run), curves(run), notes(run)) for run in alone] == expected


def curves(run: Run) -> list[tuple[str, str, list[float], list[float]]]:
    artifact = Artifact.objects.get(run=run)
    return [(c.name, c.x_unit, c.x.tolist(), c.y.tolist()) for c in load_curves(artifact)]


def notes(run: Run) -> dict[str, object]:
    return Run.objects.get(pk=run.pk).notes


def test_the_curves_of_a_batch_are_one_file(measured: Measured) -> None:
    runs = [asked(measured(seed=seed)) for seed in (1, 2)]
    services.execute_batch()
    first, second = (Artifact.objects.get(run=run) for run in runs)
    assert first.blob == second.blob
    data = [next(c.y for c in load_curves(each) if c.name == "data") for each in (first, second)]
    for run, drawn in zip(runs, data, strict=True):
        assert np.array_equal(drawn, load(run.inputs.get().dataset).signal.values)


def test_in_a_batch_the_newest_question_is_current_whatever_the_order(measured: Measured) -> None:
    """Against the rule written out for one measurement at a time."""
    measurements = [measured(seed=seed) for seed in (1, 2)]
    for params in ({}, {"model": "one"}, {"max_width_nm": 90.0}):
        for measurement in measurements:
            asked(measurement, **params)
    Run.objects.filter(measurement=measurements[0], params__model="one").update(
        requested_at=timezone.now() + timedelta(minutes=1)
    )
    services.execute_batch()
    for measurement in measurements:
        done = Run.objects.filter(measurement=measurement, method=METHOD, status="done")
        assert done.count() == 3
        winner = max(done, key=lambda run: (run.method_version, run.requested_at, run.pk))
        current = Value.objects.filter(measurement=measurement, method=METHOD, current=True)
        assert set(current.values_list("run", flat=True)) == {winner.pk}
        assert current.count() == Value.objects.filter(run=winner).count()


def test_the_values_of_a_batch_belong_to_their_samples(measured: Measured, composite: Sample) -> None:
    runs = [asked(measured(seed=1)), asked(measured(seed=2, sample=None))]
    services.execute_batch()
    found = {(v.run_id, v.sample_id, v.measurement_id, v.origin) for v in Value.objects.all()}
    assert found == {
        (runs[0].pk, composite.pk, runs[0].measurement_id, "measured"),
        (runs[1].pk, None, runs[1].measurement_id, "measured"),
    }


def test_a_refusal_in_a_batch_concerns_its_run_only(measured: Measured) -> None:
    refused = asked(measured(seed=1), window_min_nm=560.0, window_max_nm=563.0)
    fine = asked(measured(seed=1))
    services.execute_batch()
    assert states([refused, fine]) == ["failed", "done"]


# Claiming


def test_people_come_before_uploads_and_uploads_before_reanalysis(measured: Measured) -> None:
    measurement = measured()
    triggers = ["schedule", "upload", "person"]
    runs = [
        services.request_run(measurement, METHOD, {"max_width_nm": 90.0 + i}, trigger=trigger)[0]
        for i, trigger in enumerate(triggers)
    ]
    claimed = [claiming.claim_next("fast", 1)[0].pk for _ in runs]
    assert claimed == [run.pk for run in reversed(runs)]


def test_a_person_who_asks_for_a_waiting_reanalysis_gets_ahead(measured: Measured) -> None:
    measurement = measured()
    early = services.request_run(measurement, METHOD, {"max_width_nm": 91.0}, trigger="upload")[0]
    late = services.request_run(measurement, METHOD, {}, trigger="schedule")[0]
    assert asked(measurement) == late
    assert [claiming.claim_next("fast", 1)[0] for _ in range(2)] == [late, early]


def test_no_run_is_claimed_twice_and_none_is_left(measured: Measured) -> None:
    measurement = measured()
    runs = {asked(measurement, max_width_nm=90.0 + i).pk for i in range(7)}
    claimed = [run.pk for _ in range(4) for run in claiming.claim_next("fast", 2)]
    assert sorted(claimed) == sorted(runs)


def test_many_requests_are_one_message(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Captured
) -> None:
    measurement = measured()
    sent: list[str] = []
    monkeypatch.setattr(waking, "waiting_messages", lambda queue: len(sent))
    monkeypatch.setattr(waking, "send", lambda task: sent.append(task.name))
    with django_capture_on_commit_callbacks(execute=True):
        for i in range(20):
            asked(measurement, max_width_nm=90.0 + i)
    assert sent == ["analysis.tasks.execute_batch"]


def test_a_full_batch_wakes_another_worker_before_it_computes(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Captured
) -> None:
    measurement = measured()
    monkeypatch.setattr(executing, "BATCH", 2)
    for i in range(5):
        asked(measurement, max_width_nm=90.0 + i)
    woken = []
    monkeypatch.setattr(executing, "wake", lambda lane: woken.append((lane, Value.objects.count())))
    assert [services.execute_batch() for _ in range(3)] == [2, 2, 1]
    assert woken[0] == ("fast", 0)
    assert len(woken) == 2


# What goes wrong


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("segfault", "crashed (SIGSEGV)"),
        ("memory", "GiB of memory"),
        ("endless", "longer than the 5 s"),
        ("spin", "longer than the 5 s"),
        ("killed", "was killed"),
        ("raise", "ZeroDivisionError"),
        ("unstorable", "The method itself failed"),
    ],
)
def test_one_poisonous_file_fails_alone(
    misbehaving: None, measured: Measured, poison: Measurement, how: str, sentence: str
) -> None:
    healthy = [asked(measured(seed=1), "fragile", how=how), asked(measured(seed=2), "fragile", how=how)]
    poisoned = asked(poison, "fragile", how=how)
    last = asked(measured(seed=3), "fragile", how=how)
    for _ in range(3):
        services.execute_batch()
    assert states([*healthy, last]) == ["done"] * 3
    poisoned.refresh_from_db()
    assert poisoned.status == "failed"
    assert sentence in poisoned.message
    assert Value.objects.filter(method="fragile", current=True).count() == 3


def test_what_was_answered_before_a_crash_is_not_computed_again(
    misbehaving: None, measured: Measured, poison: Measurement
) -> None:
    before = asked(measured(seed=1), "fragile", how="segfault")
    asked(poison, "fragile", how="segfault")
    after = asked(measured(seed=2), "fragile", how="segfault")
    services.execute_batch()
    assert states([before, after]) == ["done", "queued"]
    services.execute_batch()
    assert Run.objects.get(pk=before.pk).attempts == 1
    assert states([after]) == ["done"]


def test_when_a_batch_dies_only_what_came_next_is_tried_singly(
    misbehaving: None, measured: Measured, poison: Measurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one method after the other, which is not the order in which they were asked."""
    monkeypatch.setattr(executing, "SUSPECTS", 1)
    before = asked(measured(seed=1), "fragile", how="segfault")
    other = asked(measured(seed=2))
    poisoned = asked(poison, "fragile", how="segfault")
    services.execute_batch()
    assert states([before, other, poisoned]) == ["done", "queued", "queued"]
    assert set(Run.objects.filter(alone=True)) == {poisoned}
    services.execute_batch()
    assert states([other, poisoned]) == ["done", "failed"]


def test_a_slow_batch_gives_back_what_it_has_not_begun(
    misbehaving: None, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executing, "BATCH_S", 1.0)
    monkeypatch.setattr(executing, "STORE_EVERY_S", 0.5)
    runs = [asked(measured(seed=seed), "fragile", nap_s=0.8) for seed in (1, 2, 3, 4)]
    services.execute_batch()
    assert states(runs)[0] == "done"
    assert states(runs)[-1] == "queued"
    assert Run.objects.get(pk=runs[-1].pk).attempts == 0


def test_a_batch_abandoned_by_its_worker_is_tried_one_by_one(measured: Measured) -> None:
    runs = [asked(measured(seed=seed)) for seed in (1, 2)]
    assert len(claiming.claim_next("fast", 10)) == 2
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.sweep()["queued again"] == 2
    assert not claiming.claim_next("fast", 10)
    services.execute_batch()
    assert states(runs) == ["done", "done"]


def test_a_lease_from_before_the_clock_was_set_back_counts_as_lapsed(measured: Measured) -> None:
    run = asked(measured())
    claiming.claim(run.pk)
    Run.objects.update(lease_until=F("lease_until") + timedelta(hours=1))
    assert services.sweep()["queued again"] == 1
    services.execute(run.pk)
    assert states([run]) == ["done"]


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_worker_whose_clock_is_wrong_claims_and_renews_like_any_other(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    run = asked(measured())
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=hours))
    mine = claiming.claim(run.pk)
    assert mine is not None
    assert claiming.still_ours([mine]) == {run.pk}
    assert services.sweep()["queued again"] == 0
    assert claiming.claim(run.pk) is None


def test_a_batch_that_was_taken_over_stores_nothing(measured: Measured) -> None:
    run = asked(measured())
    (slow,) = claiming.claim_next("fast", 1)
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    services.execute(run.pk)
    before = numbers(run)
    executing._compute([slow])
    run.refresh_from_db()
    assert (numbers(run), run.attempts) == (before, 2)


def test_a_full_disk_fails_the_runs_with_its_sentence_and_they_can_be_asked_again(
    measured: Measured, settings: object
) -> None:
    runs = [asked(measured(seed=seed)) for seed in (1, 2)]
    with monkeypatched_full_disk():
        services.execute_batch()
    assert states(runs) == ["failed", "failed"]
    assert "full" in Run.objects.get(pk=runs[0].pk).message
    assert not Value.objects.exists()
    again = asked(Measurement.objects.get(pk=runs[0].measurement_id))
    services.execute_batch()
    assert states([again]) == ["done"]


def monkeypatched_full_disk() -> AbstractContextManager[object]:
    import errno
    import os
    from unittest import mock

    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return mock.patch("os.link", side_effect=full)


# Long runs


def test_a_long_run_says_how_far_it_is_and_travels_alone(
    misbehaving: None, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked(measured(), "patient", seconds=2.5)
    assert run.lane == "long"
    assert services.execute_batch() == 0
    said: list[tuple[float, str]] = []
    real = claiming.Lease._tell

    def tell(lease: claiming.Lease, which: Run, progress: object) -> None:
        real(lease, which, progress)  # type: ignore[arg-type]
        said.append(Run.objects.values_list("progress", "progress_note").get(pk=which.pk))

    monkeypatch.setattr(claiming.Lease, "_tell", tell)
    assert services.execute_long() == 1
    assert states([run]) == ["done"]
    assert len(said) == 2, "once a second"
    assert 0 < said[0][0] < said[1][0] < 1
    assert "gone" in said[0][1]


def test_a_running_long_run_is_cancelled_within_seconds(
    misbehaving: None, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked(measured(), "patient", seconds=60)
    real = claiming.Lease._tell

    def tell(lease: claiming.Lease, which: Run, progress: object) -> None:
        services.cancel(which)
        real(lease, which, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(claiming.Lease, "_tell", tell)
    began = time.monotonic()
    services.execute_long()
    assert states([run]) == ["cancelled"]
    assert time.monotonic() - began < 20
    assert not Value.objects.exists()


def test_a_waiting_run_is_cancelled_at_once_and_asked_again_it_runs(measured: Measured) -> None:
    measurement = measured()
    run = asked(measurement)
    assert services.cancel(run).status == "cancelled"
    assert services.execute_batch() == 0
    assert asked(measurement) == run
    services.execute_batch()
    assert states([run]) == ["done"]


def test_cancelling_a_finished_run_changes_nothing(measured: Measured) -> None:
    run = asked(measured())
    services.execute_batch()
    assert services.cancel(run).status == "done"
    assert Value.objects.filter(run=run, current=True).exists()


def test_who_may_only_look_cannot_cancel_and_who_may_not_look_finds_nothing(
    measured: Measured, as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient
) -> None:
    url = f"/api/v1/runs/{asked(measured()).pk}/cancel/"
    assert as_charlie.post(url).status_code == 404
    assert as_bob.post(url).status_code == 403
    answer = as_alice.post(url)
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")


# Copies of small datasets


def test_the_copy_of_a_dataset_is_what_its_file_says(measured: Measured) -> None:
    asked(measured())
    services.execute_batch()
    row = DatasetRow.objects.get()
    copy = QuickInput.objects.get(blob=row.blob)
    assert_equal(unpack(bytes(copy.content)), load(row))


def test_a_run_reads_the_copy_and_without_it_the_file(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurement = measured()
    first, second, third = (asked(measurement, max_width_nm=90.0 + i) for i in range(3))
    services.execute(first.pk)
    from analysis.services import gathering

    def refuse(*args: object) -> None:
        raise AssertionError("the file was opened")

    with monkeypatch.context() as patched:
        patched.setattr(gathering, "read_nxdata", refuse)
        services.execute(second.pk)
    QuickInput.objects.all().delete()
    services.execute(third.pk)
    assert states([first, second, third]) == ["done"] * 3
    values = [Value.objects.get(run=run, property="pl_offset").value for run in (first, second, third)]
    assert values[0] == values[1] == values[2]
    assert QuickInput.objects.count() == 1


def test_every_part_of_a_dataset_survives_its_copy() -> None:
    given = Dataset(
        signal=Signal("Φ", "counts", np.arange(6.0).reshape(2, 3), np.full((2, 3), np.nan)),
        axes=(Axis("y", "µm", np.array([1.0, 2.0])), Axis("λ", "nm", np.array([3.0, 4.0, 1e300]))),
        header={"Zeta": "first", "Alpha": "second", "λ": "\0"},
        acquired_at=timezone.now(),
        conditions={"gas": Quantity("Ar"), "temperature": Quantity(295.5, "K")},
        title="scan 2",
        technique="pl",
    )
    packed = pack(given)
    assert packed is not None
    assert_equal(unpack(packed), given)


def test_a_large_dataset_is_not_copied() -> None:
    x = np.arange(10_000.0)
    assert pack(Dataset(Signal("y", "1", x), (Axis("x", "nm", x),))) is None


def assert_equal(one: Dataset, other: Dataset) -> None:
    assert (one.title, one.technique, one.acquired_at) == (other.title, other.technique, other.acquired_at)
    assert list(one.header.items()) == list(other.header.items())
    assert {k: asdict(q) for k, q in one.conditions.items()} == {
        k: asdict(q) for k, q in other.conditions.items()
    }
    assert (one.signal.name, one.signal.unit) == (other.signal.name, other.signal.unit)
    assert np.array_equal(one.signal.values, other.signal.values)
    assert (one.signal.errors is None) == (other.signal.errors is None)
    if one.signal.errors is not None and other.signal.errors is not None:
        assert np.array_equal(one.signal.errors, other.signal.errors, equal_nan=True)
    assert [(a.name, a.unit, a.values.tolist()) for a in one.axes] == [
        (a.name, a.unit, a.values.tolist()) for a in other.axes
    ]


def test_the_misbehaving_methods_are_not_shipped() -> None:
    assert not {"fragile", "patient"} & set(methods.registry())

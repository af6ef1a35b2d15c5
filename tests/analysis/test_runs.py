"""Runs: the same question once, one worker at a time, nothing overwritten, nothing left running."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from analysis import methods, services
from analysis.curves import load_curves
from analysis.models import Run, Value
from analysis.services import claiming, executing, waking
from tests.analysis.conftest import Measured
from tests.spectra import PUBLISHED

METHOD = "pl_gaussians"


def run_of(measured: Measured, **params: object) -> Run:
    run, _ = services.request_run(measured(), METHOD, params)
    services.execute(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def newer_version(monkeypatch: pytest.MonkeyPatch) -> int:
    """The method as it will be after its next change."""
    loaded = methods.get(METHOD)
    newer = replace(loaded, method=replace(loaded.method, version=loaded.method.version + 1))
    changed = MappingProxyType({**methods.registry(), METHOD: newer})
    monkeypatch.setattr(methods, "registry", lambda: changed)
    return newer.method.version


def test_a_run_gives_the_published_peak_with_sigma_unit_and_origin(measured: Measured) -> None:
    run = run_of(measured)
    assert run.status == "done", run.message
    value = Value.objects.get(run=run, property="pl_peak_center", component="I")
    published, standard_error = PUBLISHED["pl_peak_center", "I"]
    assert value.value == pytest.approx(published, abs=4 * standard_error)
    assert value.sigma == pytest.approx(standard_error, rel=0.2)
    assert (value.unit, value.origin, value.current) == ("nm", "measured", True)
    assert value.sample == run.measurement.sample


def test_a_run_keeps_its_curves(measured: Measured) -> None:
    run = run_of(measured)
    curves = {curve.name: curve for curve in load_curves(run.artifact)}
    assert {"data", "fit", "residual"} <= set(curves)
    assert curves["data"].x_unit == "nm"
    assert curves["data"].y - curves["fit"].y == pytest.approx(curves["residual"].y)


def test_a_run_says_which_libraries_and_which_parameters_made_it(measured: Measured) -> None:
    run = run_of(measured)
    assert {"python", "numpy"} <= set(run.libraries)
    assert set(run.params) == {row["name"] for row in methods.params_schema(methods.get(METHOD))}


def test_the_same_question_is_the_same_run(measured: Measured) -> None:
    measurement = measured()
    first, created = services.request_run(measurement, METHOD, {})
    again, created_again = services.request_run(measurement, METHOD, {})
    assert (created, created_again) == (True, False)
    assert first == again


def test_other_parameters_other_data_or_another_sample_are_other_runs(measured: Measured) -> None:
    measurement = measured(seed=1)
    runs = {
        services.request_run(measurement, METHOD, {})[0],
        services.request_run(measurement, METHOD, {"model": "one"})[0],
        services.request_run(measured(seed=2), METHOD, {})[0],
        services.request_run(measured(seed=1, sample=None), METHOD, {})[0],
    }
    assert len(runs) == 4


def test_executing_twice_does_the_work_once(measured: Measured) -> None:
    run = run_of(measured)
    count = Value.objects.count()
    services.execute(run.pk)
    run.refresh_from_db()
    assert (Value.objects.count(), run.attempts) == (count, 1)


def test_a_run_under_a_live_lease_belongs_to_its_worker(measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    assert claiming.claim(run.pk) is not None
    assert claiming.claim(run.pk) is None


def test_a_worker_that_lost_its_lease_changes_nothing(measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    slow = claiming.claim(run.pk)
    assert slow is not None
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    quick = claiming.claim(run.pk)
    assert quick is not None
    executing.fail(slow, "too late", None)
    run.refresh_from_db()
    assert run.status == "running"


def test_the_sweep_gives_an_abandoned_run_to_another_worker(measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    claiming.claim(run.pk)
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.sweep()["queued again"] == 1
    run.refresh_from_db()
    assert run.status == "queued"
    services.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempts) == ("done", 2)


def test_the_sweep_gives_up_after_three_deaths_with_a_sentence(measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    for _ in range(3):
        claiming.claim(run.pk)
        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    run.refresh_from_db()
    assert run.status == "failed"
    assert "died 3 times" in run.message


def test_the_sweep_leaves_a_living_run_alone(measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    claiming.claim(run.pk)
    assert not any(services.sweep().values())
    run.refresh_from_db()
    assert run.status == "running"


@pytest.mark.parametrize(("waiting", "sent"), [(0, 1), (1, 0), (None, 0)])
def test_a_lost_message_is_noticed_when_the_broker_has_no_others(
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
    waiting: int | None,
    sent: int,
) -> None:
    messages: list[str] = []
    monkeypatch.setattr(waking, "waiting_messages", lambda queue: waiting)
    monkeypatch.setattr(waking, "send", lambda task: messages.append(task.name))
    services.request_run(measured(), METHOD)
    with django_capture_on_commit_callbacks(execute=True):
        services.sweep()
    assert messages == ["analysis.tasks.execute_batch"] * sent


def test_a_refusal_of_the_method_is_a_failed_run_with_its_sentence(measured: Measured) -> None:
    run = run_of(measured, window_min_nm=560.0, window_max_nm=563.0)
    assert run.status == "failed"
    assert run.message.endswith(".")
    assert not Value.objects.filter(run=run).exists()


def test_a_mistake_of_the_method_is_recorded_and_raised(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = services.request_run(measured(), METHOD)

    def broken(datasets: object, params: object) -> methods.Outcome:
        raise ZeroDivisionError("float division by zero")

    changed = {**methods.registry(), METHOD: replace(methods.get(METHOD), run=broken)}
    monkeypatch.setattr(methods, "registry", lambda: changed)
    with pytest.raises(executing.MethodMistakeError, match="ZeroDivisionError"):
        services.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "failed"
    assert "ZeroDivisionError" in run.message


def test_new_parameters_supersede_and_the_old_values_stay(measured: Measured) -> None:
    measurement = measured()
    first, _ = services.request_run(measurement, METHOD, {})
    services.execute(first.pk)
    second, _ = services.request_run(measurement, METHOD, {"model": "one"})
    services.execute(second.pk)
    assert set(Value.objects.filter(current=True).values_list("run", flat=True)) == {second.pk}
    assert Value.objects.filter(run=first, property="pl_peak_center").count() == 2


def test_asking_for_an_old_answer_again_makes_it_current_without_work(measured: Measured) -> None:
    measurement = measured()
    for params in ({}, {"model": "one"}):
        run, _ = services.request_run(measurement, METHOD, params)
        services.execute(run.pk)
    first, created = services.request_run(measurement, METHOD, {})
    assert not created
    assert set(Value.objects.filter(current=True).values_list("run", flat=True)) == {first.pk}


def test_the_run_asked_for_last_is_current_whichever_ends_last(measured: Measured) -> None:
    measurement = measured()
    early, _ = services.request_run(measurement, METHOD, {})
    late, _ = services.request_run(measurement, METHOD, {"model": "one"})
    services.execute(late.pk)
    services.execute(early.pk)
    assert set(Value.objects.filter(current=True).values_list("run", flat=True)) == {late.pk}


def test_the_database_refuses_a_second_current_value(measured: Measured) -> None:
    run = run_of(measured)
    value = Value.objects.filter(run=run).first()
    assert value is not None
    value.pk, value.run = None, run
    with pytest.raises(IntegrityError), transaction.atomic():
        value.save(force_insert=True)


def test_a_raised_version_redoes_exactly_the_outdated_runs_once(
    measured: Measured, request: pytest.FixtureRequest
) -> None:
    old = [run_of(lambda seed=seed: measured(seed=seed)) for seed in (1, 2, 3)]
    version = request.getfixturevalue("newer_version")
    assert {run.pk for run in services.outdated(METHOD)} == {run.pk for run in old}
    asked = Run.objects.filter(reanalysis__in=services.reanalyse(METHOD))
    assert [run.method_version for run in asked] == [version] * 3
    for run in asked:
        services.execute(run.pk)
    assert list(services.outdated(METHOD)) == []
    assert services.reanalyse(METHOD) == []
    current = Value.objects.filter(current=True, property="pl_offset").values_list(
        "run__method_version", flat=True
    )
    assert list(current) == [version] * 3
    assert Value.objects.filter(run__in=old, property="pl_offset").count() == 3


def test_a_run_asked_of_an_older_version_is_asked_again_of_the_one_that_is_here(
    measured: Measured, request: pytest.FixtureRequest
) -> None:
    run, _ = services.request_run(measured(), METHOD, {})
    version = request.getfixturevalue("newer_version")
    services.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert Run.objects.get(method_version=version, status="queued").params == run.params


def test_values_follow_a_measurement_out_of_the_inbox(measured: Measured, composite, alice) -> None:  # type: ignore[no-untyped-def]
    from measurements.services import assign

    measurement = measured(sample=None)
    run, _ = services.request_run(measurement, METHOD, {})
    services.execute(run.pk)
    assert set(Value.objects.values_list("sample", flat=True)) == {None}
    from measurements.signals import measurement_assigned

    assign(measurement, composite, user=alice)
    measurement.refresh_from_db()
    measurement_assigned.send(type(measurement), measurement=measurement)
    assert set(Value.objects.values_list("sample", flat=True)) == {composite.pk}

"""What was computed from a measurement follows it: to another sample, out of the figures, and back."""

from __future__ import annotations

import pytest

from analysis import explore, services
from analysis.models import Run, Value
from analysis.services import storing
from measurements.models import Measurement
from measurements.services import move, restore, void
from samples.models import Membership, Project, Role, Sample, User
from tests.analysis.conftest import Measured

METHOD = "pl_gaussians"


def fitted(measurement: Measurement, params: dict[str, object] | None = None) -> Run:
    run, _ = services.request_run(measurement, METHOD, params or {})
    services.execute(run.pk)
    return run


@pytest.fixture
def other(composite: Sample) -> Sample:
    return Sample.objects.create(project=composite.project, code="VT-OTHER", state="composite")


def peaks(sample: Sample) -> list[float]:
    found = Value.objects.current().filter(sample=sample, property="pl_peak_center", component="I")
    return sorted(found.values_list("value", flat=True))


def in_explore(user: User) -> dict[str, float]:
    """PL peak by sample, as a figure would show it: replicates combined."""
    found = explore.columns(user, x="loading_mass_fraction", y="pl_peak_center:I")
    return dict(zip(found.code, map(float, found.y), strict=True))


def test_values_move_with_their_measurement_and_stay_the_same_numbers(
    measured: Measured, composite: Sample, other: Sample, alice: User
) -> None:
    measurement = measured()
    fitted(measurement)
    before = peaks(composite)
    runs = list(Run.objects.values_list("pk", "finished_at"))
    move(measurement, other, user=alice, reason="Swapped.")
    assert (peaks(composite), peaks(other)) == ([], before)
    assert list(Run.objects.values_list("pk", "finished_at")) == runs


def test_replicates_are_combined_anew_at_both_samples(
    measured: Measured, composite: Sample, other: Sample, alice: User
) -> None:
    first, second = measured(1), measured(2)
    fitted(first)
    fitted(second)
    both = peaks(composite)
    assert len(both) == 2
    move(second, other, user=alice, reason="Swapped.")
    assert len(peaks(composite)) == len(peaks(other)) == 1
    assert sorted(peaks(composite) + peaks(other)) == both


def test_superseded_values_move_too_and_the_same_one_stays_current(
    measured: Measured, composite: Sample, other: Sample, alice: User
) -> None:
    measurement = measured()
    fitted(measurement)
    fitted(measurement, {"max_width_nm": 91})
    before = dict(Value.objects.values_list("pk", "current"))
    move(measurement, other, user=alice, reason="Swapped.")
    assert dict(Value.objects.values_list("pk", "current")) == before
    assert set(Value.objects.values_list("sample", flat=True)) == {other.pk}


def test_in_another_project_runs_and_values_are_for_its_members_only(
    measured: Measured, composite: Sample, alice: User, bob: User, charlie: User
) -> None:
    measurement = measured()
    run = fitted(measurement)
    theirs = Project.objects.get(slug="charlie")
    Membership.objects.create(project=theirs, user=alice, role=Role.CONTRIBUTOR)
    sample = Sample.objects.create(project=theirs, code="CH-1", state="powder")
    assert Run.objects.visible_to(bob).filter(pk=run.pk).exists()
    move(measurement, sample, user=alice, reason="It was Charlie’s.")
    assert not Run.objects.visible_to(bob).exists()
    assert not Value.objects.visible_to(bob).exists()
    assert Run.objects.visible_to(charlie).get() == run
    assert Value.objects.visible_to(charlie).current().exists()


def test_a_run_that_ends_after_the_move_gives_its_values_to_the_new_sample(
    measured: Measured, composite: Sample, other: Sample, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurement = measured()
    run, _ = services.request_run(measurement, METHOD, {})
    real = storing.store_curves

    def meanwhile(curves: object) -> object:
        move(measurement, other, user=alice, reason="Swapped.")
        return real(curves)

    monkeypatch.setattr(storing, "store_curves", meanwhile)
    services.execute(run.pk)
    assert set(Value.objects.values_list("sample", flat=True)) == {other.pk}


def test_the_values_of_a_void_measurement_leave_the_figures_and_come_back(
    measured: Measured, composite: Sample, alice: User
) -> None:
    measurement = measured()
    fitted(measurement)
    before = peaks(composite)
    void(measurement, user=alice, reason="The lamp was off.")
    assert peaks(composite) == []
    assert Value.objects.count() > 0
    restore(measurement, user=alice, reason="It was on.")
    assert peaks(composite) == before


def test_a_run_that_ends_after_voiding_makes_nothing_current(
    measured: Measured, composite: Sample, alice: User
) -> None:
    measurement = measured()
    run, _ = services.request_run(measurement, METHOD, {})
    void(measurement, user=alice, reason="The lamp was off.")
    services.execute(run.pk)
    assert Value.objects.filter(run=run).exists()
    assert peaks(composite) == []


def entered(alice: User, measurement: Measurement, value: float) -> Value:
    return Value.objects.create(
        sample=measurement.sample, measurement=measurement, property="plqy", value=value, unit="1",
        origin="entered", entered_by=alice, note="read off the screen",
    )  # fmt: skip


def test_of_what_a_person_entered_the_last_counts_at_both_samples(
    measured: Measured, composite: Sample, other: Sample, alice: User
) -> None:
    measurement = measured()
    earlier = Value.objects.create(
        sample=composite, property="plqy", value=0.5, unit="1", origin="entered", entered_by=alice,
        note="estimate", current=False,
    )  # fmt: skip
    there = Value.objects.create(
        sample=other, property="plqy", value=0.6, unit="1", origin="entered", entered_by=alice, note="-"
    )
    moving = entered(alice, measurement, 0.7)
    move(measurement, other, user=alice, reason="Swapped.")
    now = dict(Value.objects.filter(origin="entered").values_list("pk", "current"))
    assert now == {earlier.pk: True, there.pk: False, moving.pk: True}


def test_moving_back_restores_every_decision(
    measured: Measured, composite: Sample, other: Sample, alice: User
) -> None:
    measurement = measured()
    fitted(measurement)
    entered(alice, measurement, 0.7)
    columns = ("pk", "sample", "current")
    before = sorted(Value.objects.values_list(*columns))
    move(measurement, other, user=alice, reason="Swapped.")
    move(measurement, composite, user=alice, reason="Not swapped.")
    assert sorted(Value.objects.values_list(*columns)) == before

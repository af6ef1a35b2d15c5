"""Values whose inputs are values: asked when these change, once, and not with what is embargoed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from analysis import methods, services
from analysis.models import ChangedValues, Run, Value, ValueInput
from analysis.services import changed, derived
from measurements.models import Measurement
from measurements.services import move, void
from samples.models import Material, Project, Sample, User
from samples.services import correcting, plan_composite, voiding
from tests.analysis.conftest import Measured
from tests.frontend.conftest import browser

TG = "tg_vs_loading"
LOADINGS = (0.05, 0.10, 0.25, 0.40)


@pytest.fixture
def series(alice: User, project: Project, cspbi3: Material, zif_glass: Material) -> list[Sample]:
    """Four loadings, each sintered at 300 °C."""
    return [
        plan_composite(
            user=alice,
            project=project,
            name="Composite",
            components=[(cspbi3, x), (zif_glass, 1 - x)],
            milling={"rpm": 800, "duration_min": 60, "ball_mass_g": 16, "powder_mass_g": 0.2},
            sintering={"segments": [{"target_c": 300, "ramp_c_per_min": 20, "hold_min": 0, "gas": "Ar"}]},
            quench={"medium": "liquid_nitrogen"},
            code=f"VT-X{round(100 * x):02d}",
        )
        for x in LOADINGS
    ]


def enter(sample: Sample, user: User, value: float, sigma: float | None = 2.0, key: str = "tg") -> Value:
    unit = {"tg": "°C", "plqy": "1"}[key]
    return services.enter_value(
        user=user,
        sample=sample,
        property_key=key,
        value=value,
        sigma=sigma,
        unit=unit,
        reason="DSC, by hand.",
    )


@pytest.fixture
def entered(series: list[Sample], alice: User) -> list[Value]:
    return [enter(sample, alice, 304 - 70 * x) for sample, x in zip(series, LOADINGS, strict=True)]


def compute() -> int:
    """What the workers do: everything that is to be asked, and everything that was."""
    asked = services.derive()
    while services.execute_batch():
        pass
    return asked


def slope() -> Value | None:
    return Value.objects.filter(property="tg_slope", current=True).first()


def runs(method: str = TG) -> list[Run]:
    return list(Run.objects.filter(method=method).order_by("pk"))


# What is asked


def test_the_planted_slope_of_a_project_is_found(entered: list[Value], project: Project) -> None:
    compute()
    found = slope()
    assert found is not None
    assert found.value == pytest.approx(-70, abs=1e-6)
    assert found.sigma == pytest.approx(2 / (4 * 0.01875) ** 0.5, rel=1e-6)  # σ/√Σ(x−x̄)²
    assert (found.project, found.sample, found.measurement) == (project, None, None)
    (run,) = runs()
    assert (run.status, run.trigger, run.project) == ("done", "values", project)
    assert set(run.value_inputs.values_list("value", flat=True)) == {value.pk for value in entered}


def test_many_changes_are_one_question(entered: list[Value]) -> None:
    assert ChangedValues.objects.count() == 4
    assert services.derive() == 1
    assert not ChangedValues.objects.exists()


def test_asked_again_without_a_change_nothing_is_run(entered: list[Value], project: Project) -> None:
    compute()
    changed.note_project(project)
    services.note_all()
    assert compute() == 0
    assert len(runs()) == 1


def test_a_new_value_makes_a_new_run_and_the_old_numbers_stay_readable(
    entered: list[Value], series: list[Sample], alice: User
) -> None:
    compute()
    before = slope()
    assert before is not None
    enter(series[0], alice, 280)
    assert compute() == 1
    after = slope()
    assert after is not None
    assert after.value is not None
    assert after.value > -70
    before.refresh_from_db()
    assert (before.current, before.value) == (False, pytest.approx(-70))
    assert after.run is not None
    assert after.run.supersedes == before.run


def test_values_that_are_again_what_they_were_bring_the_old_run_back(
    entered: list[Value], alice: User
) -> None:
    compute()
    first = slope()
    services.review(value=entered[3], verdict="rejected", reason="Another furnace.", user=alice)
    compute()
    assert slope() != first
    services.review(value=entered[3], verdict="accepted", reason="It was the same.", user=alice)
    assert compute() == 0
    assert slope() == first


def test_when_too_little_is_left_nothing_stands(entered: list[Value], alice: User) -> None:
    """Three values are not asked about; what was found from four does not count any more."""
    compute()
    services.review(value=entered[0], verdict="rejected", reason="Wrong pan.", user=alice)
    compute()
    assert slope() is None
    assert Value.objects.filter(property="tg_slope").exists()
    (run,) = runs()
    assert "too little" in run.stale


def test_a_refusal_takes_the_place_of_the_older_answer(
    entered: list[Value], series: list[Sample], alice: User
) -> None:
    """Many values, but at two loadings: no line. The slope of yesterday does not stand in for it."""
    compute()
    other = User.objects.create_user("second", "second@example.org", "a long enough password")
    for sample in series[:2]:
        services.enter_value(
            user=alice, sample=sample, property_key="tg", value=300, unit="°C", reason="Again."
        )
        Value.objects.create(
            sample=sample,
            property="tg",
            value=301,
            unit="°C",
            origin="entered",
            entered_by=other,
            note="Mine.",
        )
    for value in entered[2:]:
        services.review(value=value, verdict="rejected", reason="Wrong pan.", user=alice)
    compute()
    last = runs()[-1]
    assert last.status == "failed"
    assert "there are 4 at 2" in last.message
    assert slope() is None


def test_what_nobody_reads_changes_nothing(composite: Sample, alice: User) -> None:
    services.enter_value(
        user=alice, sample=composite, property_key="cl_peak_center", value=690, unit="nm", reason="CL."
    )
    assert not ChangedValues.objects.exists()


def test_too_few_values_are_not_asked_about(series: list[Sample], alice: User) -> None:
    for sample in series[:3]:
        enter(sample, alice, 300)
    assert compute() == 0
    assert not Run.objects.exists()


def test_limits_words_and_published_values_are_not_read(entered: list[Value], series: list[Sample]) -> None:
    from analysis.models import Publication

    source = Publication.objects.create(key="li-2023", title="Li")
    Value.objects.create(
        sample=series[0], property="tg", value=1, unit="°C", origin="published", publication=source
    )
    Value.objects.filter(pk=entered[1].pk).update(comparator=">")
    (rows,) = [derived.rows_for(methods.get(TG), series[0].project)]
    assert rows == {}  # three are too few
    Value.objects.filter(pk=entered[1].pk).update(comparator="~")
    assert set(derived.rows_for(methods.get(TG), series[0].project)) == {value.pk for value in entered}


def test_measured_and_simulated_values_are_never_mixed(
    measured: Measured, series: list[Sample], composite: Sample
) -> None:
    """While a single spectrum was measured, the simulated ones are not replicates of it."""
    for seed in (1, 2):
        measured(seed, origin="simulated")
    analyse()
    loaded = methods.get("replicate_statistics")
    assert {row.origin for row in derived.rows_for(loaded, composite).values()} == {"simulated"}
    compute()
    assert set(Value.objects.filter(method="replicate_statistics").values_list("origin", flat=True)) == {
        "simulated"
    }
    measured(3)
    analyse()
    compute()
    assert not Value.objects.filter(method="replicate_statistics", current=True).exists()


def analyse() -> None:
    """Every measurement, with every method for it."""
    for measurement in Measurement.objects.filter(runs=None):
        services.request_runs(measurement)
    while services.execute_batch():
        pass


# Replicates of a sample


def test_replicates_follow_a_measurement_to_its_right_sample(
    measured: Measured, composite: Sample, series: list[Sample], alice: User
) -> None:
    first, second = measured(1), measured(2)
    analyse()
    compute()
    mean = Value.objects.get(property="pl_max_position_replicate_mean", current=True)
    single = [
        value.value
        for value in Value.objects.filter(property="pl_max_position", sample=composite, current=True)
        if value.value is not None
    ]
    assert (mean.sample, mean.origin, mean.measurement) == (composite, "measured", None)
    assert mean.value == pytest.approx(sum(single) / 2)
    move(second, series[0], user=alice, reason="Swapped.")
    compute()
    assert not Value.objects.filter(method="replicate_statistics", current=True).exists()
    move(second, composite, user=alice, reason="No, it was right.")
    assert compute() == 0
    assert Value.objects.filter(property="pl_max_position_replicate_mean", current=True).get() == mean
    void(first, user=alice, reason="Lamp.")
    compute()
    assert not Value.objects.filter(method="replicate_statistics", current=True).exists()


def test_a_value_entered_among_measured_ones_marks_the_result_as_entered(
    measured: Measured, composite: Sample, alice: User
) -> None:
    for seed in (1, 2):
        measured(seed)
    services.enter_value(
        user=alice, sample=composite, property_key="pl_max_position", value=680, unit="nm", reason="By eye."
    )
    analyse()
    compute()
    assert (
        Value.objects.filter(property="pl_max_position_replicate_mean", current=True).get().origin
        == "entered"
    )


# Embargo, void, access


def embargo(sample: Sample, user: User, days: int = 30) -> None:
    today = timezone.now().date()
    changes = {"embargoed_until": today + timedelta(days=days)}
    correcting.correct(sample, changes, user=user, reason="Before publication.")


def test_an_embargoed_sample_never_enters_the_runs_of_its_project(
    entered: list[Value], series: list[Sample], alice: User
) -> None:
    enter(series[3], alice, 200)  # and leaves them when it comes under one later
    fifth = enter(series[0], User.objects.create_user("erin", "e@example.org", "a long enough word"), 300)
    compute()
    embargo(series[3], alice)
    compute()
    last = runs()[-1]
    read = set(last.value_inputs.values_list("value__sample", flat=True))
    assert fifth.pk in last.value_inputs.values_list("value", flat=True)
    assert series[3].pk not in read
    assert len(read) == 3


def test_the_end_of_an_embargo_is_noticed_within_the_hour(
    entered: list[Value], series: list[Sample], alice: User
) -> None:
    embargo(series[3], alice)
    compute()
    assert slope() is None
    Sample.objects.filter(pk=series[3].pk).update(embargoed_until=timezone.now().date())
    assert compute() == 0
    services.note_all()
    assert compute() == 1
    assert slope() is not None


def test_a_void_sample_leaves_what_was_derived_from_it(
    entered: list[Value], series: list[Sample], alice: User
) -> None:
    compute()
    voiding.void(series[2], reason="Contaminated.", user=alice)
    compute()
    assert slope() is None


def test_only_members_see_what_was_derived_over_their_project(
    entered: list[Value], as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient
) -> None:
    compute()
    address = "/api/v1/values/?project=glass&property=tg_slope"
    for client, count in ((as_alice, 1), (as_bob, 1), (as_charlie, 0)):
        assert len(client.get(address).json()["results"]) == count
    found = slope()
    assert found is not None
    row = as_bob.get(f"/api/v1/values/{found.pk}/").json()
    assert (row["project"], row["sample"], row["measurement"]) == ("glass", None, None)
    assert as_charlie.get(f"/api/v1/values/{found.pk}/").status_code == 404
    told = as_bob.get(f"/api/v1/runs/{found.run_id}/").json()
    assert (told["project"], told["sample"], len(told["value_inputs"])) == ("glass", None, 4)
    assert len(as_bob.get("/api/v1/runs/?project=glass&method=tg_vs_loading").json()["results"]) == 1
    assert as_charlie.get(f"/api/v1/runs/{found.run_id}/").status_code == 404


def test_an_embargo_hides_the_runs_that_read_what_is_under_it(
    entered: list[Value], series: list[Sample], alice: User, as_alice: APIClient, as_bob: APIClient, bob: User
) -> None:
    """Their slope and their curve rest on it. The run that does without it is for everybody."""
    enter(series[0], User.objects.create_user("erin", "e@example.org", "a long enough word"), 300)
    compute()
    (before,) = runs()
    address, figure = f"/api/v1/runs/{before.pk}/", f"/figures/runs/{before.pk}.json"
    values = f"/api/v1/values/?run={before.pk}"
    pages = browser(bob)
    assert as_bob.get(values).json()["results"]
    assert [as_bob.get(address).status_code, pages.get(figure).status_code] == [200, 200]
    embargo(series[3], alice)
    assert [as_bob.get(address).status_code, pages.get(figure).status_code] == [404, 404]
    assert as_bob.get(values).json()["results"] == []
    assert len(as_alice.get(address).json()["value_inputs"]) == 5
    assert as_alice.get(values).json()["results"]
    compute()
    after = runs()[-1]
    listed = as_bob.get(f"/api/v1/runs/?method={TG}").json()["results"]
    assert [row["id"] for row in listed] == [after.pk]
    assert len(as_bob.get(f"/api/v1/runs/{after.pk}/").json()["value_inputs"]) == 4


# The engine


def test_factors_that_changed_after_the_question_are_not_computed_with(
    entered: list[Value], series: list[Sample]
) -> None:
    services.derive()
    series[0].factors.loading_mass_fraction = 0.2
    series[0].factors.save()
    while services.execute_batch():
        pass
    (run,) = runs()
    assert (run.status, slope()) == ("failed", None)
    assert "asked again by itself" in run.message
    services.note_all()
    assert compute() == 1
    found = slope()
    assert found is not None


def test_while_measurements_are_being_analysed_the_project_waits(
    entered: list[Value], measured: Measured
) -> None:
    services.request_runs(measured(1))
    assert services.derive() == 0
    ChangedValues.objects.update(at=timezone.now() - timedelta(minutes=2))  # but not for ever
    assert services.derive() == 1


def test_a_question_overtaken_by_another_is_not_computed(
    entered: list[Value], series: list[Sample], alice: User
) -> None:
    services.derive()
    enter(series[0], alice, 280)
    services.derive()
    first, second = runs()
    assert (first.status, second.status) == ("cancelled", "queued")


def again(run: Run, user: User) -> None:
    browser(user).post("/jobs/retry/", {"run": run.pk})


def test_who_tries_a_refused_run_again_gets_the_values_of_today(
    entered: list[Value], series: list[Sample], alice: User
) -> None:
    """A refusal of yesterday, asked again, does not take the place of today's answer."""
    services.derive()
    Run.objects.filter(method=TG).update(status="failed", message="The furnace was cold.")
    (refused,) = runs()
    again(refused, alice)
    refused.refresh_from_db()
    assert refused.status == "queued"  # nothing has changed: the same question
    Run.objects.filter(pk=refused.pk).update(status="failed", message="It is still cold.")
    enter(series[0], alice, 300)
    compute()
    answer = slope()
    again(refused, alice)
    while services.execute_batch():
        pass
    refused.refresh_from_db()
    assert (refused.status, slope()) == ("failed", answer)
    assert answer is not None


def test_a_run_of_an_older_version_is_asked_anew(entered: list[Value]) -> None:
    services.derive()
    Run.objects.filter(method=TG).update(method_version=0, identity="of the older version")
    while services.execute_batch():
        pass
    assert [run.status for run in runs()] == ["cancelled", "done"]
    assert slope() is not None


def test_parameters_of_the_project_are_those_of_its_methods_over_values(
    entered: list[Value], project: Project, alice: User
) -> None:
    compute()
    services.parameters.set_defaults(project, TG, {"flag_above_c": 40}, user=alice)
    assert compute() == 1
    assert runs()[-1].params == {"flag_above_c": 40.0}


def test_a_run_over_values_can_be_verified_to_the_last_bit(entered: list[Value], alice: User) -> None:
    from analysis.services.verifying import verify

    compute()
    (run,) = runs()
    again = verify(run, alice)
    while services.execute_batch():
        pass
    again.refresh_from_db()
    assert again.notes["same"] is True, again.verdict


def test_inputs_are_protected_from_deletion(entered: list[Value]) -> None:
    compute()
    assert ValueInput.objects.count() == 4
    with pytest.raises(Exception, match="protected"):
        entered[0].delete()

"""A person asks a method over values, of a sample or of a whole project, over REST."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from analysis import services
from analysis.models import Run, Value
from analysis.services.parameters import set_defaults
from samples.models import Project, Sample, User
from tests.analysis.conftest import Measured
from tests.analysis.test_derived import TG, analyse, compute, enter, entered, runs, series, slope
from tests.frontend.conftest import browser

__all__ = ["entered", "series"]
WARN_LATE = {"flag_above_c": 40.0}


def ask(client: APIClient, status: int = 202, **asked: Any) -> Any:
    answer = client.post("/api/v1/runs/", {"method": TG, **asked}, format="json")
    assert answer.status_code == status, answer.content
    return answer.json()


def wrong(client: APIClient, **asked: Any) -> str:
    return str(ask(client, 400, **asked)["error"])


def test_a_project_is_asked_with_the_parameters_that_a_person_names(
    entered: list[Value], as_alice: APIClient
) -> None:
    told = ask(as_alice, project="glass", params=WARN_LATE)
    assert (told["project"], told["measurement"], told["status"]) == ("glass", None, "queued")
    assert told["runs"] == [{key: told[key] for key in ("id", "status", "measurement", "sample", "project")}]
    while services.execute_batch():
        pass
    done = as_alice.get(f"/api/v1/runs/{told['id']}/").json()
    assert (done["status"], done["trigger"], done["params"]) == ("done", "person", WARN_LATE)
    assert len(done["value_inputs"]) == 4
    found = Value.objects.get(property="tg_slope", current=True)
    assert (found.run_id, found.value) == (told["id"], pytest.approx(-70, abs=1e-6))


def test_asked_twice_it_is_run_once(entered: list[Value], as_alice: APIClient) -> None:
    compute()
    first = ask(as_alice, project="glass")["id"]
    assert ask(as_alice, project="glass")["id"] == first
    assert [run.pk for run in runs()] == [first]


def test_an_answer_of_earlier_counts_again_when_somebody_asks_for_it(
    entered: list[Value], as_alice: APIClient
) -> None:
    compute()
    (first,) = runs()
    ask(as_alice, project="glass", params=WARN_LATE)
    compute()
    assert Value.objects.get(property="tg_slope", current=True).run != first
    ask(as_alice, project="glass")
    assert Value.objects.get(property="tg_slope", current=True).run == first


def test_when_the_values_change_it_is_asked_anew_as_the_project_wants_it(
    entered: list[Value], series: list[Sample], alice: User, project: Project, as_alice: APIClient
) -> None:
    ask(as_alice, project="glass", params=WARN_LATE)
    set_defaults(project=project, user=alice, method=TG, params={"flag_above_c": 10.0})
    compute()
    enter(series[0], alice, 280)
    compute()
    assert runs()[-1].params == {"flag_above_c": 10.0}


def test_the_answer_of_a_person_holds_until_the_values_change(
    entered: list[Value], as_alice: APIClient
) -> None:
    """Every hour everything is asked; the run with the parameters of the project exists and stays behind."""
    compute()
    ask(as_alice, project="glass", params=WARN_LATE)
    compute()
    services.note_all()
    assert compute() == 0
    assert counting().params == WARN_LATE


def test_parameters_that_the_project_is_given_later_go_before_those_of_a_person(
    entered: list[Value], alice: User, project: Project, as_alice: APIClient
) -> None:
    ask(as_alice, project="glass", params=WARN_LATE)
    compute()
    set_defaults(project=project, user=alice, method=TG, params={"flag_above_c": 10.0})
    assert compute() == 1
    assert counting().params == {"flag_above_c": 10.0}
    ask(as_alice, project="glass", params=WARN_LATE)
    services.note_all()
    compute()
    assert counting().params == WARN_LATE


def test_what_gave_way_to_a_question_that_was_withdrawn_is_computed_after_all(
    entered: list[Value], as_alice: APIClient
) -> None:
    services.derive()
    (waiting,) = runs()
    asked = ask(as_alice, project="glass", params=WARN_LATE)["id"]
    services.cancel(Run.objects.get(pk=asked))
    services.note_all()
    compute()
    assert counting() == waiting


def test_what_failed_is_asked_again_with_the_parameters_that_it_had(
    entered: list[Value], alice: User, as_alice: APIClient
) -> None:
    asked = ask(as_alice, project="glass", params=WARN_LATE)["id"]
    Run.objects.filter(pk=asked).update(status="failed", message="The furnace was cold.")
    browser(alice).post("/jobs/retry/", {"run": asked})
    while services.execute_batch():
        pass
    assert [(run.pk, run.status) for run in runs()] == [(asked, "done")]


def test_a_newer_version_is_asked_with_the_parameters_that_the_person_named(
    entered: list[Value], as_alice: APIClient
) -> None:
    asked = ask(as_alice, project="glass", params=WARN_LATE)["id"]
    Run.objects.filter(pk=asked).update(method_version=0, identity="of the older version")
    while services.execute_batch():
        pass
    found = [(run.status, run.params, run.trigger) for run in runs()]
    assert found == [("cancelled", WARN_LATE, "person"), ("done", WARN_LATE, "supersession")]


def test_the_answer_of_a_person_is_asked_of_a_newer_version_with_what_the_person_named(
    entered: list[Value], series: list[Sample], alice: User, as_alice: APIClient
) -> None:
    ask(as_alice, project="glass", params=WARN_LATE)
    compute()
    Run.objects.filter(method=TG).update(method_version=0, identity="of the older version")
    services.note_all()
    assert compute() == 1
    assert (counting().params, counting().trigger) == (WARN_LATE, "supersession")
    Run.objects.filter(method=TG).update(method_version=0)
    enter(series[0], alice, 280)
    compute()
    assert (counting().params != WARN_LATE, counting().trigger) == (True, "values")


def counting() -> Run:
    """Whose slope counts."""
    found = slope()
    assert found is not None
    assert found.run is not None
    return found.run


def test_a_sample_is_asked_by_its_code(measured: Measured, composite: Sample, as_alice: APIClient) -> None:
    said = wrong(as_alice, method="replicate_statistics", sample=composite.code)
    assert "takes 2 values of the same quantity, and VT-GLASS has less" in said
    for seed in (1, 2):
        measured(seed)
    analyse()
    told = ask(as_alice, method="replicate_statistics", sample=composite.code)
    assert (told["sample"], told["project"], told["measurement"]) == (composite.code, None, None)
    while services.execute_batch():
        pass
    mean = Value.objects.get(property="pl_max_position_replicate_mean", current=True)
    assert (mean.run_id, mean.sample) == (told["id"], composite)
    assert "is asked of a project; name one" in wrong(as_alice, sample=composite.code)


def test_too_few_values_are_said_and_nothing_is_asked(project: Project, as_alice: APIClient) -> None:
    assert "takes 4 samples’ values of" in wrong(as_alice, project="glass")
    assert not Run.objects.exists()


def test_what_a_method_does_not_look_at_is_refused(
    entered: list[Value], measured: Measured, as_alice: APIClient
) -> None:
    measurement = measured()
    assert "is asked of a project; name one" in wrong(as_alice, measurements=[measurement.pk])
    assert "is asked of a measurement" in wrong(as_alice, method="pl_gaussians", project="glass")
    assert "measurements, a sample or a project" in wrong(as_alice)
    assert "measurements, a sample or a project" in wrong(as_alice, project="glass", sample="VT-X05")
    assert "flag_above_c is at least 0" in wrong(as_alice, project="glass", params={"flag_above_c": -1})
    for subject in ({"project": "glass"}, {"sample": "VT-X05"}):
        told = wrong(as_alice, **subject, inputs={"reference": measurement.pk})
        assert "inputs" in told
        assert "reads values" in told


def test_only_who_may_write_in_the_project_asks(
    entered: list[Value], as_bob: APIClient, as_charlie: APIClient
) -> None:
    ask(as_bob, 403, project="glass")
    ask(as_charlie, 404, project="glass")
    assert not Run.objects.exists()

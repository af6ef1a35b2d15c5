"""A project's default parameters: new runs have them, runs with earlier ones are outdated, choices stay."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from rest_framework.test import APIClient

from analysis import methods, services
from analysis.models import ProjectParams
from analysis.services.parameters import set_defaults
from samples.models import Project, User
from tests.analysis.conftest import Measured
from tests.analysis.test_reanalysis import execute_all, fitted, outdated, raise_version

METHOD = "pl_gaussians"


def wants(project: Project, alice: User, **params: object) -> None:
    set_defaults(project, METHOD, params, user=alice)


def test_a_new_measurement_is_analysed_with_the_project_s_defaults(
    measured: Measured, project: Project, alice: User
) -> None:
    wants(project, alice, max_width_nm=91)
    (run,) = (each for each in services.request_runs(measured()) if each.method == METHOD)
    assert run.params["max_width_nm"] == 91
    assert run.params["min_width_nm"] == 5.0  # what the project does not care for is the method's


def test_what_a_person_chooses_goes_before_the_project_s_defaults(
    measured: Measured, project: Project, alice: User
) -> None:
    wants(project, alice, max_width_nm=91)
    run, _ = services.request_run(measured(), METHOD, {"max_width_nm": 80})
    assert run.params["max_width_nm"] == 80


def test_changed_defaults_make_runs_with_the_earlier_ones_outdated_and_no_others(
    measured: Measured, project: Project, alice: User
) -> None:
    by_default, chosen = fitted(measured(1)), fitted(measured(2), {"max_width_nm": 80})
    assert outdated() == set()
    wants(project, alice, max_width_nm=91)
    assert outdated() == {by_default.pk}
    assert [each.reason for each in services.plan([project])] == ["parameters"]
    campaign = services.begin(project)
    assert campaign is not None
    assert campaign.runs.get().params["max_width_nm"] == 91
    execute_all()
    assert outdated() == set()
    wants(project, alice, max_width_nm=92)  # and once more
    assert outdated() == {campaign.runs.get().pk}
    assert chosen.pk not in outdated()


def test_going_back_to_earlier_defaults_needs_no_computing(
    measured: Measured, project: Project, alice: User
) -> None:
    first = fitted(measured())
    wants(project, alice, max_width_nm=91)
    services.begin(project)
    execute_all()
    wants(project, alice)
    assert services.begin(project) is None  # the answer of then is taken at its word
    assert first.values.filter(current=True).exists()
    assert outdated() == set()


def test_a_newer_version_and_newer_defaults_are_both_followed_at_once(
    measured: Measured, project: Project, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(measured())
    wants(project, alice, max_width_nm=91)
    version = raise_version(monkeypatch)
    campaign = services.begin(project)
    assert campaign is not None
    run = campaign.runs.get()
    assert (run.method_version, run.params["max_width_nm"]) == (version, 91)


def test_another_project_is_not_concerned(measured: Measured, alice: User, charlie: User) -> None:
    fitted(measured())
    set_defaults(Project.objects.get(slug="charlie"), METHOD, {"max_width_nm": 91}, user=charlie)
    assert outdated() == set()


def test_only_managers_change_them_and_only_to_what_the_method_takes(
    project: Project, alice: User, bob: User
) -> None:
    with pytest.raises(PermissionDenied):
        set_defaults(project, METHOD, {"max_width_nm": 91}, user=bob)
    with pytest.raises(methods.ParamsError):
        wants(project, alice, model="seven")
    assert not ProjectParams.objects.exists()


def test_they_are_read_and_set_over_rest(as_alice: APIClient, as_bob: APIClient, project: Project) -> None:
    address = "/api/v1/projects/glass/parameters/"
    wanted = {"method": METHOD, "params": {"max_width_nm": 91}}
    assert as_bob.put(address, wanted, format="json").status_code == 403
    assert as_alice.put(address, wanted, format="json").status_code == 200
    told = {each["method"]: each for each in as_bob.get(address).json()}
    assert told[METHOD]["params"]["max_width_nm"] == 91
    assert told[METHOD]["changed_by"] == "alice"
    wrong = as_alice.put(address, {"method": METHOD, "params": {"model": "seven"}}, format="json")
    assert "model" in wrong.json()["error"]["fields"]


def test_a_manager_edits_them_on_a_page(client: Client, project: Project, alice: User, bob: User) -> None:
    address = "/projects/glass/parameters/"
    client.force_login(alice)
    assert client.post(address, {"method": METHOD, "max_width_nm": "91"}).status_code == 302
    assert ProjectParams.objects.get().params == {"max_width_nm": 91.0}
    wrong = client.post(address, {"method": METHOD, "max_width_nm": "wide"})
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.content.decode()
    client.force_login(bob)
    page = client.get(address).content.decode()
    assert 'value="91' in page
    assert "Save" not in page
    assert client.post(address, {"method": METHOD, "max_width_nm": "80"}).status_code == 403

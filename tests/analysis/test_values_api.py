"""Runs and values over REST: ask, read, trace, enter by hand; and who may."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from analysis import services
from analysis.models import Run, Value
from samples.models import Sample, User
from tests.analysis.conftest import Measured


@pytest.fixture
def fitted(measured: Measured) -> Run:
    run, _ = services.request_run(measured(), "pl_gaussians")
    services.execute(run.pk)
    run.refresh_from_db()
    return run


def test_values_of_a_measurement_are_listed_with_their_sample_and_unit(
    as_bob: APIClient, fitted: Run
) -> None:
    query = f"measurement={fitted.measurement_id}&property=pl_peak_center&component=I&current=true"
    (value,) = as_bob.get(f"/api/v1/values/?{query}").json()["results"]
    assert (value["sample"], value["unit"], value["origin"]) == ("VT-GLASS", "nm", "measured")
    assert value["value"] == pytest.approx(682.8, abs=1)
    assert value["run"] == fitted.pk


def test_a_value_is_traced_back_to_the_bytes(as_bob: APIClient, fitted: Run) -> None:
    value = Value.objects.filter(run=fitted).first()
    assert value is not None
    body = as_bob.get(f"/api/v1/values/{value.pk}/provenance/").json()
    (given,) = body["run"]["inputs"]
    assert body["run"]["params"] == fitted.params
    assert given["files"][0]["sha256"] == fitted.measurement.files.get().blob.sha256
    assert given["reader"] == "delimited_text"


def test_asking_for_a_run_is_accepted_and_asked_once(as_alice: APIClient, fitted: Run) -> None:
    question = {"method": "pl_gaussians", "measurements": [fitted.measurement_id], "params": {"model": "one"}}
    first = as_alice.post("/api/v1/runs/", question, format="json")
    again = as_alice.post("/api/v1/runs/", question, format="json")
    assert first.status_code == again.status_code == 202, first.content
    assert first.json() == again.json()
    assert first.json()["status"] == "queued"
    assert (
        as_alice.get(f"/api/v1/runs/{first.json()['id']}/").json()["method_version"] == fitted.method_version
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"method": "alchemy"}, "method"),
        ({"params": {"model": "seven"}}, "model"),
        ({"params": {"colour": "red"}}, "colour"),
        ({"measurements": []}, "measurements"),
        ({"inputs": {"blank": 1}}, "measurements"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused_with_a_sentence(
    as_alice: APIClient, fitted: Run, change: dict[str, object], field: str
) -> None:
    if "inputs" in change:
        change = {"inputs": {"blank": fitted.measurement_id}}
    question = {"method": "pl_gaussians", "measurements": [fitted.measurement_id]} | change
    answer = as_alice.post("/api/v1/runs/", question, format="json")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["error"]["fields"]


def test_bob_may_look_but_not_run(as_bob: APIClient, fitted: Run) -> None:
    question = {"method": "pl_gaussians", "measurements": [fitted.measurement_id]}
    assert as_bob.post("/api/v1/runs/", question, format="json").status_code == 403


ENTERED = {"sample": "VT-GLASS", "property": "plqy", "value": 0.42, "unit": "1", "reason": "Read off Fig. 2a"}


def test_a_value_entered_by_hand_is_marked_as_such_for_ever(as_alice: APIClient, composite: Sample) -> None:
    answer = as_alice.post("/api/v1/values/", ENTERED, format="json")
    assert answer.status_code == 201, answer.content
    entered = Value.objects.get(pk=answer.json()["id"])
    assert (entered.origin, entered.sigma, entered.note) == ("entered", None, "Read off Fig. 2a")
    assert entered.entered_by is not None


def test_a_corrected_number_supersedes_what_the_same_person_entered_before(
    as_alice: APIClient, bob: User, composite: Sample
) -> None:
    common = {"sample": composite, "origin": "entered", "note": "-", "value": 0.9, "unit": "1"}
    others = [
        Value.objects.create(**common, property="plqy", entered_by=bob).pk,
        Value.objects.create(**common, property="loading", entered_by=composite.created_by).pk,
    ]
    first = as_alice.post("/api/v1/values/", ENTERED | {"comparator": "<"}, format="json").json()["id"]
    second = as_alice.post("/api/v1/values/", ENTERED | {"value": 0.24}, format="json").json()["id"]
    assert set(Value.objects.filter(current=True).values_list("pk", flat=True)) == {*others, second}
    assert Value.objects.get(pk=first).value == 0.42  # it stays readable


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unit": "%"}, "unit"),
        ({"property": "charm"}, "property"),
        ({"reason": "  "}, "reason"),
        ({"value": "NaN"}, "value"),
        ({"value": 1e300}, "__all__"),
        ({"sigma": -1}, "sigma"),
        ({"component": "IX"}, "component"),
    ],
)
def test_an_entered_value_that_makes_no_sense_is_refused(
    as_alice: APIClient, composite: Sample, change: dict[str, object], field: str
) -> None:
    answer = as_alice.post("/api/v1/values/", ENTERED | change, format="json")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["error"]["fields"]
    assert not Value.objects.exists()


def test_bob_may_not_enter_values_and_charlie_does_not_know_the_sample(
    as_bob: APIClient, as_charlie: APIClient, composite: Sample
) -> None:
    assert as_bob.post("/api/v1/values/", ENTERED, format="json").status_code == 403
    assert as_charlie.post("/api/v1/values/", ENTERED, format="json").status_code == 404


def test_charlie_sees_nothing_of_alices_runs_and_values(as_charlie: APIClient, fitted: Run) -> None:
    value = Value.objects.filter(run=fitted).first()
    assert value is not None
    for url in ("values", "runs"):
        assert as_charlie.get(f"/api/v1/{url}/").json()["results"] == []
    for url in (f"values/{value.pk}/", f"values/{value.pk}/provenance/", f"runs/{fitted.pk}/"):
        assert as_charlie.get(f"/api/v1/{url}").status_code == 404
    question = {"method": "pl_gaussians", "measurements": [fitted.measurement_id]}
    assert as_charlie.post("/api/v1/runs/", question, format="json").status_code == 404


def test_values_in_the_inbox_belong_to_its_project(
    as_bob: APIClient, as_charlie: APIClient, measured: Measured, alice: User
) -> None:
    run, _ = services.request_run(measured(sample=None), "pl_gaussians")
    services.execute(run.pk)
    assert as_bob.get(f"/api/v1/values/?run={run.pk}").json()["results"]
    assert as_charlie.get(f"/api/v1/values/?run={run.pk}").json()["results"] == []


def test_methods_declare_what_forms_and_scripts_need(as_alice: APIClient) -> None:
    methods = {method["key"]: method for method in as_alice.get("/api/v1/methods/").json()}
    params = {param["name"]: param for param in methods["pl_gaussians"]["params"]}
    assert set(params["model"]["choices"]) == {"auto", "one", "two"}
    assert "pl_peak_center" in {p["key"] for p in methods["pl_gaussians"]["properties"]}


def test_properties_and_axes_are_listed_with_units(as_alice: APIClient) -> None:
    body = as_alice.get("/api/v1/properties/").json()
    axes = {axis["key"]: axis for axis in body["axes"]}
    assert axes["sintering_temperature_c"]["unit"] == "°C"
    assert axes["pl_peak_center:II"]["unit"] == "nm"

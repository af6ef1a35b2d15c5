"""Requests that no page of ours sends: each is answered with a sentence, none breaks a view."""

from __future__ import annotations

import base64
import json

import pytest
from django.test import Client
from rest_framework.test import APIClient

from measurements.models import Measurement
from samples.incoming import row_number
from samples.models import Recipe, Sample, User
from tests.analysis.conftest import Measured, measured

__all__ = ["measured"]  # the fixture of the analysis tests

MANY_DIGITS = "9" * 5000


@pytest.fixture
def alices_browser(alice: User, composite: Sample) -> Client:
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    "address",
    ["/samples/%00/", "/samples/?q=a%00", "/projects/?project=%00", "/labels/?codes=%00", "/s/VT%00"],
)
def test_a_page_asked_with_nul_says_that_there_is_one(address: str, alices_browser: Client) -> None:
    answer = alices_browser.get(address)
    assert answer.status_code == 400
    assert "NUL" in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/samples/%00/",
        "/api/v1/samples/?project=%00",
        "/api/v1/values/?sample=%00",
        "/api/v1/explore/?x=%00",
    ],
)
def test_the_interface_refuses_nul_in_its_one_shape(address: str, as_alice: APIClient) -> None:
    answer = as_alice.get(address)
    assert answer.status_code == 400
    assert "NUL" in answer.json()["error"]["message"]


def test_nul_in_a_form_is_refused(alices_browser: Client, measured: Measured) -> None:
    pk = measured(sample=None).pk
    form = f"measurement={pk}&sample=VT%00"
    answer = alices_browser.post("/inbox/assign/", form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert Measurement.objects.get(pk=pk).sample is None


def test_a_percent_sign_written_out_is_no_nul(alices_browser: Client) -> None:
    assert alices_browser.get("/samples/?q=%2500").status_code == 200


NO_NUMBER = ["cD0A", "cD14eHg=", "cD3Csg==", "cD0t"]  # p=\n, p=xxx, p=², p=-
NUL = "cD0lMDA="  # p=%00


@pytest.mark.parametrize(
    ("noun", "cursor"),
    [(noun, cursor) for noun in ("recipes", "values", "measurements") for cursor in (*NO_NUMBER, NUL)]
    + [(noun, NUL) for noun in ("samples", "projects")],
)
def test_a_cursor_that_is_none_of_ours_leads_nowhere(noun: str, cursor: str, as_alice: APIClient) -> None:
    answer = as_alice.get(f"/api/v1/{noun}/", {"cursor": cursor})
    assert answer.status_code == 404, answer.content
    assert "cursor" in answer.json()["error"]["message"]


def test_a_cursor_of_ours_leads_to_the_next_page(as_alice: APIClient, composite: Sample) -> None:
    Sample.objects.create(project=composite.project, code="VT-OTHER", state="powder")
    first = as_alice.get("/api/v1/samples/?page_size=1").json()
    second = as_alice.get(first["next"]).json()
    assert [row["code"] for page in (first, second) for row in page["results"]] == ["VT-GLASS", "VT-OTHER"]


@pytest.mark.parametrize("said", ['["\\u0000", 1]', '["\\ud800", 1]', "[" * 1500])
def test_a_page_takes_a_strange_cursor_for_none(said: str, alices_browser: Client) -> None:
    cursor = base64.urlsafe_b64encode(said.encode()).decode()
    assert alices_browser.get("/samples/", {"after": cursor, "sort": "code"}).status_code == 200


@pytest.mark.parametrize("number", ["²", "٣", "-1", "", MANY_DIGITS, "9" * 19])
def test_what_is_no_number_of_a_row_names_none(number: str) -> None:
    assert row_number(number) is None


@pytest.mark.parametrize("number", ["²", "٣", MANY_DIGITS])
@pytest.mark.parametrize(
    ("address", "statuses"),
    [
        ("/samples/VT-GLASS/lineage/?most={}", {200}),
        ("/samples/plan/?recipe={}", {200}),
        ("/recipes/new/?from={}", {200}),
        ("/figures/measurements/{measurement}.json?run={}", {200}),
        ("/figures/measurements/{measurement}.json?dataset={}", {200}),
        ("/api/v1/recipes/{recipe}/diff/?to={}", {400}),
    ],
)
def test_an_address_with_no_real_number_is_answered(
    address: str, statuses: set[int], number: str, alices_browser: Client, measured: Measured
) -> None:
    asked = address.format(number, measurement=measured().pk, recipe=Recipe.objects.get().pk)
    assert alices_browser.get(asked).status_code in statuses


@pytest.mark.parametrize("number", ["²", "٣", MANY_DIGITS])
@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/inbox/assign/", "measurement"),
        ("/inbox/assign/", "only"),
        ("/jobs/retry/", "run"),
        ("/projects/glass/members/{bob}/", "role"),
    ],
)
def test_a_form_with_no_real_number_changes_nothing(
    address: str, field: str, number: str, alices_browser: Client, bob: User
) -> None:
    membership = bob.memberships.get()
    answer = alices_browser.post(address.format(bob=membership.pk), {field: number})
    assert answer.status_code == 302
    assert bob.memberships.get().role == membership.role


@pytest.mark.parametrize("text", ["\\ud800", "\\u0000", "a\\udfffb"])
@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("recipes/", '{"project": "glass", "name": "n", "steps": [{"kind": "other", "name": "TEXT"}]}'),
        ("preparations/{preparation}/steps/", '{"kind": "other", "as_run": {"TEXT": 1}}'),
        ("preparations/pool/", '{"project": "glass", "amounts_g": {"TEXT": 1}}'),
        ("runs/", '{"method": "pl_gaussians", "measurements": [1], "params": {"TEXT": 1}}'),
        ("measurements/{measurement}/", '{"conditions": {"TEXT": 1}}'),
    ],
)
def test_json_with_what_is_no_text_is_refused_with_a_sentence(
    address: str, body: str, text: str, as_alice: APIClient, composite: Sample, measured: Measured
) -> None:
    assert composite.preparation is not None
    url = "/api/v1/" + address.format(preparation=composite.preparation.pk, measurement=measured().pk)
    send = as_alice.patch if "conditions" in body else as_alice.post
    answer = send(url, body.replace("TEXT", text), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert "surrogate" in answer.json()["error"]["message"]


def test_json_nested_beyond_reason_is_refused(as_alice: APIClient, project: object) -> None:
    answer = as_alice.post("/api/v1/runs/", "[" * 100_000, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_whole_surrogate_pairs_and_any_script_are_text(as_alice: APIClient, project: object) -> None:
    said = {
        "project": "glass",
        "name": "é 試料 😀",
        "components": [],
        "steps": [{"kind": "other", "solvent": "水 😀"}],
    }
    answer = as_alice.post("/api/v1/recipes/", json.dumps(said), content_type="application/json")
    assert answer.status_code == 201, answer.content

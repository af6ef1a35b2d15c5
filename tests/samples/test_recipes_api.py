"""Recipes over REST."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from samples.models import Material, Project, Recipe, Sample

RECIPES = "/api/v1/recipes/"


@pytest.fixture
def body(project: Project, cspbi3: Material, zif_glass: Material) -> dict[str, Any]:
    return {
        "project": "glass",
        "name": "Quarter",
        "components": [
            {"material": "CsPbI3", "fraction": 0.25},
            {"material": "agZIF-62", "fraction": 0.75},
        ],
        "steps": [
            {"kind": "milling", "duration_min": 60.0, "ball_mass_g": 16.0, "powder_mass_g": 0.2},
            {
                "kind": "sintering",
                "segments": [{"target_c": 450.0, "ramp_c_per_min": 20.0, "hold_min": 0.0, "gas": "Ar"}],
            },
            {"kind": "quench", "medium": "liquid_nitrogen"},
        ],
    }


def post(client: APIClient, url: str, body: Any) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def test_what_is_posted_is_read_back_with_what_follows_from_it(
    as_alice: APIClient, body: dict[str, Any]
) -> None:
    made = post(as_alice, RECIPES, body)
    assert made.status_code == 201, made.content
    read = as_alice.get(f"{RECIPES}{made.json()['id']}/").json()
    assert read == made.json()
    assert read["steps"] == body["steps"]
    assert [(c["material"], c["fraction"]) for c in read["components"]] == [
        ("CsPbI3", 0.25),
        ("agZIF-62", 0.75),
    ]
    milling, sintering, quench = read["derived"]
    assert milling["ball_to_powder_ratio"] == pytest.approx(80)
    assert sintering["programme_min"] == pytest.approx(21.25)
    assert quench == {}


def test_what_was_read_can_be_posted_as_the_next_version(as_alice: APIClient, body: dict[str, Any]) -> None:
    first = post(as_alice, RECIPES, body).json()
    again = {name: first[name] for name in ("project", "name", "basis", "components", "steps", "notes")}
    second = post(as_alice, RECIPES, again | {"derived_from": first["id"]})
    assert second.status_code == 201, second.content
    assert (second.json()["version"], second.json()["derived_from"]) == (2, first["id"])
    assert as_alice.get(f"{RECIPES}{first['id']}/diff/", {"to": second.json()["id"]}).json() == []


def test_mole_fractions_are_converted(as_alice: APIClient, body: dict[str, Any]) -> None:
    body["basis"] = "mole"
    body["components"][0]["fraction"], body["components"][1]["fraction"] = 0.0854, 0.9146
    read = post(as_alice, RECIPES, body).json()
    assert read["basis"] == "mole"
    assert read["components"][0]["fraction"] == 0.0854
    assert read["components"][0]["mass_fraction"] == pytest.approx(0.25, abs=2e-4)


def test_two_versions_are_told_apart_with_units(as_alice: APIClient, body: dict[str, Any]) -> None:
    first = post(as_alice, RECIPES, body).json()["id"]
    body["steps"][1]["segments"][0]["target_c"] = 350.0
    second = post(as_alice, RECIPES, body).json()["id"]
    (change,) = as_alice.get(f"{RECIPES}{first}/diff/", {"to": second}).json()
    assert change == {
        "how": "changed",
        "what": "step 2, sintering, segment 1",
        "field": "target_c",
        "label": "Target",
        "before": 450.0,
        "after": 350.0,
        "unit": "°C",
    }


@pytest.mark.parametrize("to", ["", "one", "-1", "9" * 40, "²"])
def test_a_comparison_with_nothing_asks_for_a_number(as_alice: APIClient, composite: Sample, to: str) -> None:
    answer = as_alice.get(f"{RECIPES}{composite.preparation.recipe_id}/diff/", {"to": to})
    assert answer.status_code == 400
    assert "?to=12" in answer.json()["error"]["message"]


def test_a_recipe_is_carried_out_and_frozen(as_alice: APIClient, body: dict[str, Any]) -> None:
    pk = post(as_alice, RECIPES, body).json()["id"]
    answer = post(as_alice, f"{RECIPES}{pk}/prepare/", {"code": "VT-Q1", "batch_mass_g": 0.2})
    assert answer.status_code == 201, answer.content
    assert answer.json()["code"] == "VT-Q1"
    sample = Sample.objects.get(code="VT-Q1")
    assert sample.preparation.batch_mass_g == 0.2
    assert as_alice.get(f"{RECIPES}{pk}/").json()["frozen_at"] is not None
    assert post(as_alice, f"{RECIPES}{pk}/prepare/", {"code": "VT-Q1"}).status_code == 400


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"components": [{"material": "CsPbI3", "fraction": 1.2}]}, "cannot be 1.2"),
        ({"components": [{"material": "CsPbI3", "fraction": 0.5}]}, "add up to 0.5"),
        ({"components": [{"material": "Cs(Pb", "fraction": 1}]}, "no material “Cs(Pb”"),
        ({"components": [], "steps": []}, "at least one component"),
        ({"basis": "weight"}, "basis"),
        ({"basis": "volume"}, "density of “agZIF-62” is not known"),
        ({"steps": [{"kind": "milling", "rpm": -1}]}, "it must be above zero"),
        ({"steps": [{"kind": "milling", "rpm": float("nan")}]}, ""),
        ({"steps": [{"kind": "washing"}] * 10_000}, "10000 steps are too many"),
        ({"steps": ["milling"]}, "steps"),
        (
            {"steps": [{"kind": "sintering", "segments": [{"target_c": 5, "ramp_c_per_min": -2}]}]},
            "segment 1",
        ),
        ({"steps": [{"kind": "sintering", "segments": {"target_c": 5}}]}, "at least one target"),
        ({"steps": [{"kind": ["milling"]}]}, "no kind that is known"),
        ({"name": " "}, "name"),
        ({"name": "a\u0000b"}, "no characters"),
        ({"notes": "a\u0000b"}, "no characters"),
        ({"project": "charlie"}, "no project “charlie” among yours"),
        ({"derived_from": 10**30}, "derived_from"),
        ({"derived_from": 999999}, "no such recipe among yours"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(
    as_alice: APIClient, charlie: Any, body: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    answer = post(as_alice, RECIPES, body | change)
    assert answer.status_code == 400, answer.content
    assert sentence in answer.json()["error"]["message"]
    assert not Recipe.objects.exists()


def test_a_viewer_reads_and_is_told_that_they_may_not_write(
    as_bob: APIClient, composite: Sample, body: dict[str, Any]
) -> None:
    pk = composite.preparation.recipe_id
    assert as_bob.get(f"{RECIPES}{pk}/").status_code == 200
    assert post(as_bob, f"{RECIPES}{pk}/prepare/", {}).status_code == 403
    answer = post(as_bob, RECIPES, body)
    assert answer.status_code == 403
    assert "ask one of its managers" in answer.json()["error"]["message"]


def test_nobody_is_told_of_a_recipe_that_they_may_not_see(
    as_charlie: APIClient, as_alice: APIClient, charlie: Any, composite: Sample
) -> None:
    pk = composite.preparation.recipe_id
    theirs = Recipe.objects.create(project=charlie.memberships.get().project, name="Secret")
    assert as_charlie.get(RECIPES).json()["results"][0]["name"] == "Secret"
    assert as_charlie.get(f"{RECIPES}{pk}/").status_code == 404
    assert as_charlie.get(f"{RECIPES}{theirs.pk}/diff/", {"to": pk}).status_code == 404
    assert as_alice.get(f"{RECIPES}{pk}/diff/", {"to": theirs.pk}).status_code == 404


def test_the_list_takes_the_same_number_of_questions_however_long(
    as_alice: APIClient, body: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        post(as_alice, RECIPES, body)
    with django_assert_max_num_queries(12):
        assert len(as_alice.get(RECIPES, {"search": "quart"}).json()["results"]) == 5

"""Run sheets over REST: a script records what a person would."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from samples.models import Material, Preparation, Project, Sample


@pytest.fixture
def url(composite: Sample) -> str:
    assert composite.preparation is not None
    return f"/api/v1/preparations/{composite.preparation.pk}/"


def post(client: APIClient, url: str, body: dict, status: int = 200) -> dict:
    answer = client.post(url, body, format="json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_sheet_shows_what_was_planned(as_bob: APIClient, url: str, composite: Sample) -> None:
    sheet = as_bob.get(url).json()
    assert sheet["samples"] == [composite.code]
    assert [step["key"] for step in sheet["steps"]] == ["milling-1", "sintering-2", "quench-3"]
    assert sheet["steps"][0]["planned"]["rpm"] == 800
    assert sheet["steps"][0]["performed"] is None
    assert [row["material"] for row in sheet["ingredients"]] == ["CsPbI3", "agZIF-62"]


def test_a_preparation_is_carried_out_from_weighing_to_finishing(
    as_alice: APIClient, url: str, composite: Sample, project: Project, cspbi3: Material
) -> None:
    lot = Sample.objects.create(
        project=project, code="LOT-1", state="powder", material=cspbi3, amount_g=1, mass_left_g=1
    )
    first, second = as_alice.get(url).json()["ingredients"]
    sheet = post(
        as_alice,
        f"{url}ingredients/{first['id']}/",
        {"mass_g": 0.0501, "mass_sigma_g": 0.0001, "sample": lot.code},
    )
    assert sheet["ingredients"][0]["sample"] == lot.code
    lot.refresh_from_db()
    assert lot.mass_left_g == pytest.approx(0.9499)
    post(as_alice, f"{url}ingredients/{second['id']}/", {"mass_g": 0.15})
    sheet = post(as_alice, f"{url}steps/milling-1/", {"as_run": {"duration_min": 62}})
    assert sheet["steps"][0]["deviations"] == [
        {
            "label": "Duration",
            "planned": 60.0,
            "actual": 62.0,
            "unit": "min",
            "difference": 2.0,
            "significant": True,
        }
    ]
    assert sheet["steps"][0]["performed_at"] is not None
    wrong = post(as_alice, f"{url}steps/milling-1/", {"as_run": {"duration_min": 61}}, 400)
    assert "say why" in wrong["error"]["message"]
    segments = [{"target_c": 280, "ramp_c_per_min": 20, "hold_min": 0}]
    post(as_alice, f"{url}steps/sintering-2/", {"as_run": {"segments": segments}, "performed_at": None})
    post(as_alice, f"{url}steps/sintering-2/undo/", {"reason": "wrong furnace"})
    post(as_alice, f"{url}steps/sintering-2/", {"as_run": {"segments": segments}})
    post(as_alice, f"{url}steps/quench-3/", {})
    sheet = post(as_alice, f"{url}finish/", {"amounts_g": {composite.code: 0.19}})
    assert sheet["performed_at"] is not None
    made = as_alice.get(f"/api/v1/samples/{composite.code}/").json()
    assert (made["planned"], made["amount_g"]) == (False, 0.19)
    assert made["factors"]["sintering_temperature_c"] == 280
    assert made["factors"]["quenched_at"] is not None
    sheet = post(as_alice, f"{url}split/", {"portions": [{"code": "VT-GLASS-2"}]}, 201)
    assert sheet["samples"] == ["VT-GLASS", "VT-GLASS-2"]


def test_an_overdraw_says_how_much_there_is(
    as_alice: APIClient, url: str, project: Project, cspbi3: Material
) -> None:
    Sample.objects.create(
        project=project, code="LOT-1", state="powder", material=cspbi3, amount_g=0.01, mass_left_g=0.01
    )
    first = as_alice.get(url).json()["ingredients"][0]["id"]
    said = post(as_alice, f"{url}ingredients/{first}/", {"mass_g": 0.05, "sample": "LOT-1"}, 400)
    assert "10 mg are left" in said["error"]["message"]


def test_pooling_makes_a_mixture(as_alice: APIClient, as_charlie: APIClient, project: Project) -> None:
    for code in ("A-1", "A-2"):
        Sample.objects.create(
            project=project, code=code, state="powder", planned=False, amount_g=1, mass_left_g=1
        )
    body = {"parts": [{"sample": "A-1", "mass_g": 0.4}, {"sample": "A-2"}], "code": "A-12"}
    assert as_charlie.post("/api/v1/preparations/pool/", body, format="json").status_code == 400
    made = post(as_alice, "/api/v1/preparations/pool/", body, 201)
    assert made["samples"] == ["A-12"]
    assert Sample.objects.get(code="A-1").mass_left_g == pytest.approx(0.6)


def test_who_may_look_may_not_record(as_bob: APIClient, as_charlie: APIClient, url: str) -> None:
    assert as_bob.post(f"{url}steps/milling-1/", {}, format="json").status_code == 403
    assert as_bob.post(f"{url}finish/", {}, format="json").status_code == 403
    assert as_charlie.get(url).status_code == 404
    assert as_charlie.post(f"{url}steps/milling-1/", {}, format="json").status_code == 404
    assert as_charlie.get("/api/v1/preparations/").json()["results"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("steps/milling-1/", {"as_run": {"rpm": -800}}),
        ("steps/milling-1/", {"as_run": {"rpm": "800 rpm"}}),
        ("steps/milling-1/", {"as_run": {"rpm": True}}),
        ("steps/milling-1/", {"as_run": []}),
        ("steps/milling-1/", {"as_run": {"jar": "x" * 500}}),
        ("steps/milling-1/", {"performed_at": "2026-05-04T10:00:00"}),
        ("steps/milling-1/", {"performed_at": "2126-05-04T10:00:00Z"}),
        ("steps/milling-1/", {"notes": "x" * 20_000}),
        ("steps/sintering-2/", {"as_run": {"segments": {"target_c": 5}}}),
        ("steps/sintering-2/", {"as_run": {"segments": [{"target_c": 20}] * 500}}),
        ("steps/quench-3/", {"as_run": {"medium": "\u202eria"}}),
        ("steps/quench-33/", {}),
        ("steps/milling-1/undo/", {"reason": ""}),
        ("steps/", {"kind": "sorcery"}),
        ("finish/", {"amounts_g": {"VT-GLASS": -1}}),
        ("finish/", {"amounts_g": {"NOT-MINE": 1}, "left_out": True}),
        ("finish/", {}),
        ("split/", {"portions": []}),
        ("split/", {"portions": [{"code": "=cmd|calc"}]}),
        ("split/", {"portions": [{"code": "VT-GLASS"}]}),
    ],
)
def test_hostile_bodies_are_answered_with_a_sentence_and_nothing_is_saved(
    as_alice: APIClient, url: str, path: str, body: dict
) -> None:
    answer = as_alice.post(url + path, body, format="json")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["message"]
    row = Preparation.objects.get()
    assert (row.started_at, row.performed_at, row.samples.count()) == (None, None, 1)

"""Materials, lots, places, stock, weigh-outs, composition and lineage over REST."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from samples.models import Ingredient, Location, Lot, Material, Project, Sample, StockEntry
from samples.services import places
from tests.samples.families import grow, lot

V1 = "/api/v1"


def post(client: APIClient, noun: str, status: int = 201, **said: Any) -> Any:
    answer = client.post(f"{V1}/{noun}/", said, format="json")
    assert answer.status_code == status, answer.content
    return answer.json()


def sentence(client: APIClient, noun: str, status: int = 400, **said: Any) -> str:
    return post(client, noun, status, **said)["error"]["message"]


@pytest.fixture
def bottle(as_alice: APIClient, cspbi3: Material) -> str:
    return post(as_alice, "lots", material=cspbi3.pk, amount_g=20, purity=0.9999, code="LOT-1")["sample"]


def test_a_material_gets_its_molar_mass_from_its_formula(as_alice: APIClient, project: Project) -> None:
    said = {"project": "glass", "kind": "precursor"}
    hydrate = post(
        as_alice, "materials", name="zinc nitrate", formula="Zn(NO3)2·6H2O", cas="10196-18-6", **said
    )
    assert round(hydrate["molar_mass_g_per_mol"], 2) == 297.48
    lead = post(as_alice, "materials", name="lead iodide", formula="PbI2", cas="10101-63-0", **said)
    assert lead["hazards"].startswith("Lead compound")
    zif = post(as_alice, "materials", name="ZIF", formula="Zn(Im)1.95(bIm)0.05", **said)
    assert zif["molar_mass_g_per_mol"] == pytest.approx(202.03, abs=0.01)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"formula": "Cs(Pb"}, "never closed"),
        ({"cas": "10101-63-1"}, "typing error"),
        ({"cas": "=cmd"}, "looks like"),
        ({"density_g_per_cm3": -1}, "above zero"),
        ({"minimum_stock_g": 0}, "above zero"),
        ({"name": ""}, "name"),
        ({"project": "nowhere"}, "no project"),
        ({"formula": "Cs\u202ePb"}, "hides a character"),
    ],
)
def test_an_impossible_material_is_refused_with_a_sentence(
    as_alice: APIClient, project: Project, wrong: dict[str, Any], says: str
) -> None:
    said = {"project": "glass", "name": "X", "kind": "other", **wrong}
    assert says in sentence(as_alice, "materials", **said)
    assert not Material.objects.exists()


def test_a_second_material_of_the_same_name_is_refused(as_alice: APIClient, cspbi3: Material) -> None:
    said = {"project": "glass", "name": "CsPbI3", "kind": "perovskite"}
    assert "already exists" in sentence(as_alice, "materials", **said)


def test_a_material_is_corrected_but_keeps_its_project(as_alice: APIClient, cspbi3: Material) -> None:
    url = f"{V1}/materials/{cspbi3.pk}/"
    assert as_alice.patch(url, {"minimum_stock_g": 5}, format="json").json()["minimum_stock_g"] == 5
    assert as_alice.patch(url, {"project": "other"}, format="json").status_code == 400
    assert as_alice.patch(url, {"molar_mass_g_per_mol": 1}, format="json").status_code == 200
    cspbi3.refresh_from_db()
    assert round(cspbi3.molar_mass_g_per_mol or 0, 2) == 720.82


def test_a_lot_is_a_sample_with_what_its_label_says(as_alice: APIClient, bottle: str) -> None:
    body = as_alice.get(f"{V1}/lots/{bottle}/").json()
    assert (body["mass_left_g"], body["purity"], body["is_expired"]) == (20, 0.9999, False)
    assert as_alice.get(f"{V1}/samples/{bottle}/").json()["notation"] == "CsPbI3"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_g": -1}, {"amount_g": 1e300}, {"purity": 99.99}, {"code": "\u200bLOT"}, {"material": 10**18},
        {"received_on": "2026-02-02", "opened_on": "2026-01-01"}, {"state": "plasma"}, {"place": 999999},
    ],
)  # fmt: skip
def test_an_impossible_lot_leaves_nothing(
    as_alice: APIClient, cspbi3: Material, wrong: dict[str, Any]
) -> None:
    assert sentence(as_alice, "lots", **{"material": cspbi3.pk, "amount_g": 1, **wrong})
    assert not Sample.objects.exists()
    assert not Lot.objects.exists()


def test_grams_go_from_a_lot_into_a_sample_until_it_is_empty(
    as_alice: APIClient, bottle: str, project: Project
) -> None:
    Sample.objects.create(project=project, code="NEW", state="mixture")
    body = post(as_alice, "weigh-outs", sample="LOT-1", into="NEW", mass_g=15, mass_sigma_g=0.001)
    assert (body["sample"], body["into"], body["mass_g"]) == ("LOT-1", ["NEW"], 15)
    assert "5 g are left" in sentence(as_alice, "weigh-outs", sample="LOT-1", into="NEW", mass_g=5.1)
    assert Ingredient.objects.count() == 1
    assert "Say why" in sentence(as_alice, "weigh-outs", ingredient=body["id"], mass_g=20)
    post(as_alice, "weigh-outs", ingredient=body["id"], mass_g=20, reason="read the wrong line")
    assert as_alice.get(f"{V1}/lots/LOT-1/").json()["mass_left_g"] == 0
    assert len(as_alice.get(f"{V1}/weigh-outs/?sample=LOT-1").json()["results"]) == 1


def test_a_circle_is_refused_with_a_sentence(as_alice: APIClient, bottle: str, project: Project) -> None:
    grow(project, {"A": [("LOT-1", 1.0, None)], "B": [("A", 0.5, None)]})
    for parent in ("B", "A"):
        assert "cannot be made from" in sentence(as_alice, "weigh-outs", sample=parent, into="A", mass_g=0.1)
    assert Ingredient.objects.count() == 2


def test_stock_entries_need_a_reason_and_are_listed(as_alice: APIClient, bottle: str) -> None:
    assert "Say how" in sentence(as_alice, "stock-entries", sample="LOT-1", kind="loss", mass_g=1)
    post(as_alice, "stock-entries", sample="LOT-1", kind="loss", mass_g=1, reason="spilled")
    post(as_alice, "stock-entries", sample="LOT-1", kind="disposal", reason="old", waste_stream="Pb solid")
    rows = as_alice.get(f"{V1}/stock-entries/?sample=LOT-1").json()["results"]
    assert [(row["kind"], row["mass_g"], row["left_g"]) for row in rows] == [
        ("disposal", 19, 0),
        ("loss", 1, 19),
    ]


def test_an_unknown_amount_is_stated_once(as_alice: APIClient, project: Project) -> None:
    lot(project, "L")
    assert post(as_alice, "stock-entries", sample="L", kind="amount", mass_g=3)["left_g"] == 3
    assert "recount" in sentence(as_alice, "stock-entries", sample="L", kind="amount", mass_g=4)


def test_places_are_made_renamed_and_moved(as_alice: APIClient, bottle: str) -> None:
    room = post(as_alice, "locations", project="glass", kind="room", name="Lab")
    box = post(as_alice, "locations", project="glass", kind="box", name="B", parent=room["id"])
    slot = post(as_alice, "locations", project="glass", kind="slot", name="A1", parent=box["id"])
    as_alice.patch(f"{V1}/locations/{room['id']}/", {"name": "Lab 2"}, format="json")
    assert as_alice.get(f"{V1}/locations/{slot['id']}/").json()["path"] == "Lab 2 / B / A1"
    answer = as_alice.post(f"{V1}/samples/{bottle}/place/", {"place": slot["id"]}, format="json")
    assert answer.json()["place"] == "Lab 2 / B / A1"
    assert "stands in something" in sentence(as_alice, "locations", project="glass", kind="box", name="C")


def test_a_place_that_cannot_be_moved_is_not_renamed_either(as_alice: APIClient, project: Project) -> None:
    room = places.create_place(project=project, kind="room", name="Lab")
    box = places.create_place(project=project, kind="box", name="B", parent=room)
    slot = places.create_place(project=project, kind="slot", name="A1", parent=box)
    for parent, says in ((slot.pk, "does not stand in a slot"), (10**6, "object does not exist")):
        answer = as_alice.patch(
            f"{V1}/locations/{box.pk}/", {"name": "Renamed", "parent": parent}, format="json"
        )
        assert answer.status_code == 400
        assert says in answer.content.decode()
        assert as_alice.get(f"{V1}/locations/{box.pk}/").json()["path"] == "Lab / B"


def test_a_place_keeps_what_others_changed_while_its_page_was_open(project: Project) -> None:
    lab, store = (places.create_place(project=project, kind="room", name=name) for name in ("Lab", "Store"))
    box = places.create_place(project=project, kind="box", name="B", parent=lab)
    opened_before, parent_before = Location.objects.get(pk=box.pk), Location.objects.get(pk=store.pk)
    places.move_place(Location.objects.get(pk=box.pk), store)
    places.rename_place(Location.objects.get(pk=store.pk), "Cellar")
    assert places.rename_place(opened_before, "C").path == "Cellar / C"
    assert places.move_place(opened_before, parent_before).path == "Cellar / C"
    assert (
        places.create_place(project=project, kind="box", name="D", parent=parent_before).path == "Cellar / D"
    )
    assert Location.objects.get(pk=box.pk).path == "Cellar / C"


def test_composition_and_lineage_are_answered(
    as_alice: APIClient, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    lot(project, "LOT-P", cspbi3)
    lot(project, "LOT-G", zif_glass)
    grow(project, {"MIX": [("LOT-P", 0.1, 1e-5), ("LOT-G", 0.3, 1e-5)]})
    body = as_alice.get(f"{V1}/samples/MIX/composition/").json()
    assert body["known"] is True
    assert body["loading"]["mass_fraction"] == pytest.approx(0.25)
    assert sum(part["mass_fraction"] for part in body["elements"]) == pytest.approx(1)
    body = as_alice.get(f"{V1}/samples/LOT-P/lineage/").json()
    assert [(row["code"], row["generation"]) for row in body["samples"]] == [("LOT-P", 0), ("MIX", 1)]
    assert body["links"] == [{"parent": "LOT-P", "child": "MIX", "mass_g": 0.1, "sigma_g": 1e-5}]


def test_a_viewer_may_look_and_not_write(
    as_bob: APIClient, bottle: str, cspbi3: Material, project: Project
) -> None:
    room = places.create_place(project=project, kind="room", name="Lab")
    assert as_bob.get(f"{V1}/materials/{cspbi3.pk}/").status_code == 200
    for noun, said in (
        ("materials", {"project": "glass", "name": "X", "kind": "other"}),
        ("lots", {"material": cspbi3.pk}),
        ("locations", {"project": "glass", "kind": "room", "name": "X"}),
        ("stock-entries", {"sample": bottle, "kind": "loss", "mass_g": 1, "reason": "x"}),
        ("weigh-outs", {"sample": bottle, "into": bottle, "mass_g": 1}),
    ):
        assert "ask one of its managers" in sentence(as_bob, noun, 403, **said)
    assert as_bob.patch(f"{V1}/locations/{room.pk}/", {"name": "X"}, format="json").status_code == 403
    assert as_bob.post(f"{V1}/samples/{bottle}/place/", {"place": None}, format="json").status_code == 403


def test_charlie_finds_nothing_of_it(as_charlie: APIClient, bottle: str, cspbi3: Material) -> None:
    for noun in ("materials", "lots", "locations", "stock-entries", "weigh-outs"):
        assert as_charlie.get(f"{V1}/{noun}/").json()["results"] == []
    assert "no such material" in sentence(as_charlie, "lots", material=cspbi3.pk)
    assert "no sample" in sentence(
        as_charlie, "stock-entries", sample=bottle, kind="loss", mass_g=1, reason="x"
    )
    assert not StockEntry.objects.exists()
    assert not Location.objects.exists()

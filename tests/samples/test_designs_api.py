"""Designs and labels over REST."""

from __future__ import annotations

from typing import Any

import pypdfium2
import pytest
from rest_framework.test import APIClient

from samples.models import Design, Material, Project, Sample, User
from tests.samples.test_designs import SAID

ASKED = SAID | {"project": "glass"}


@pytest.fixture
def materials(project: Project, cspbi3: Material, zif_glass: Material) -> None:
    """Those that ASKED names."""


def test_a_forecast_creates_nothing_and_its_seed_gives_the_same_design(
    as_alice: APIClient, materials: None
) -> None:
    unseeded = {name: value for name, value in ASKED.items() if name != "seed"}
    found = as_alice.post("/api/v1/designs/forecast/", unseeded, format="json")
    assert found.status_code == 200, found.content
    assert found.json()["samples"] == 9
    assert [need["verdict"] for need in found.json()["needs"]] == ["no lot", "no lot"]
    assert not Design.objects.exists()
    seeded = unseeded | {"name": "Campaign", "seed": found.json()["seed"]}
    made = as_alice.post("/api/v1/designs/", seeded, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["seed"] == found.json()["seed"]
    assert Sample.objects.filter(preparation__design=made.json()["id"]).count() == 9
    listed = as_alice.get("/api/v1/designs/").json()["results"]
    assert [design["name"] for design in listed] == ["Campaign"]
    assert listed[0]["levels"]["loading_mass_fraction"] == [0.05, 0.1, 0.25]


@pytest.fixture
def design(as_alice: APIClient, materials: None) -> int:
    return as_alice.post("/api/v1/designs/", ASKED | {"name": "Campaign"}, format="json").json()["id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"loading_mass_fraction": [1.2]},
        {"loading_mass_fraction": "many"},
        {"sintering_temperature_c": [1e300]},
        {"ramp_c_per_min": -20},
        {"project": "charlie"},
        {"project": "no such"},
        {"name": "a\u200bb"},
        {"seed": 2**60},
        {"perovskite": ["=cmd"]},
    ],
)
def test_what_cannot_be_made_is_a_sentence(
    as_alice: APIClient, materials: None, charlie: User, changes: dict[str, Any]
) -> None:
    answer = as_alice.post("/api/v1/designs/", ASKED | {"name": "Never"} | changes, format="json")
    assert answer.status_code == 400
    assert len(answer.json()["error"]["message"]) > 20
    assert not Design.objects.exists()


def test_a_viewer_reads_a_design_and_makes_and_withdraws_none(
    as_bob: APIClient, as_charlie: APIClient, design: int
) -> None:
    assert as_bob.get(f"/api/v1/designs/{design}/").status_code == 200
    assert as_bob.post("/api/v1/designs/", ASKED | {"name": "Mine"}, format="json").status_code == 400
    assert as_bob.post(f"/api/v1/designs/{design}/withdraw/").status_code == 403
    assert as_charlie.get(f"/api/v1/designs/{design}/").status_code == 404
    assert as_charlie.post(f"/api/v1/designs/{design}/withdraw/").status_code == 404
    assert as_charlie.get(f"/api/v1/labels/?design={design}").status_code == 400


def test_a_design_is_withdrawn_once_and_not_after_it_is_begun(as_alice: APIClient, design: int) -> None:
    assert as_alice.post(f"/api/v1/designs/{design}/withdraw/").json() == {"withdrawn": 9}
    Sample.objects.filter(code=Sample.objects.earliest("pk").code).update(planned=False, voided_at=None)
    assert as_alice.post(f"/api/v1/designs/{design}/withdraw/").status_code == 400


def test_the_weighing_table_comes_in_three_forms(as_alice: APIClient, design: int) -> None:
    rows = as_alice.get(f"/api/v1/designs/{design}/weighing/").json()["rows"]
    assert sum(sum(row["masses_g"].values()) for row in rows) == pytest.approx(1.8)
    table = as_alice.get(f"/api/v1/designs/{design}/weighing/?as=csv")
    lines = table.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("Order,Furnace run,Code,Composition,CsPbI3 (mg),agZIF-62 (mg)")
    assert 'filename="campaign-weighing.csv"' in table["Content-Disposition"]
    paper = as_alice.get(f"/api/v1/designs/{design}/weighing/?as=pdf")
    text = pypdfium2.PdfDocument(paper.content)[0].get_textpage().get_text_range()
    assert all(row["code"] in text for row in rows)
    assert as_alice.get(f"/api/v1/designs/{design}/weighing/?as=doc").status_code == 400


def test_labels_come_for_codes_and_for_designs(as_alice: APIClient, design: int) -> None:
    codes = list(Sample.objects.values_list("code", flat=True))
    pdf = as_alice.get(f"/api/v1/labels/?design={design}&sheet=L7160")
    assert pdf["Content-Type"] == "application/pdf"
    text = pypdfium2.PdfDocument(pdf.content)[0].get_textpage().get_text_range()
    assert all(code in text for code in codes)
    assert text.count("Contains lead") == 9
    zpl = as_alice.get(f"/api/v1/labels/?codes={codes[0].lower()};{codes[1]}&as=zpl&roll=32x13")
    assert zpl.content.decode().count("^XA") == 2
    assert f"http://testserver/s/{codes[0]}^FS" in zpl.content.decode()


@pytest.mark.parametrize(
    "query",
    ["", "codes=XY", "design=x", "design=99999", "design=²", "codes={code}&start=66", "codes={code}&start=x",
     "codes={code}&sheet=L1", "codes={code}&as=zpl&roll=9", "codes={code}&as=doc", "codes={code}&start=-1"],
)  # fmt: skip
def test_labels_that_cannot_be_printed_are_a_sentence(as_alice: APIClient, design: int, query: str) -> None:
    code = Sample.objects.earliest("pk").code
    answer = as_alice.get(f"/api/v1/labels/?{query.format(code=code)}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith(".")


def test_glass_without_lead_says_nothing_of_lead(
    as_alice: APIClient, project: Project, zif_glass: Material
) -> None:
    Sample.objects.create(project=project, code="G1", state="glass", material=zif_glass, notation="agZIF-62")
    assert "lead" not in as_alice.get("/api/v1/labels/?codes=G1&as=zpl").content.decode()

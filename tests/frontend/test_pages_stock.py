"""Materials, lots, places, amounts, lineage and lead, as people see them."""

from __future__ import annotations

import pytest
from django.test import Client

from samples.models import Location, Lot, Material, Project, Sample, StockEntry, User
from samples.services import places, stock
from tests.samples.families import chain_of, grow, lot, stacked_diamonds


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(alice: User, project: Project) -> Client:
    return signed_in(alice)


@pytest.fixture
def mix(project: Project, cspbi3: Material, zif_glass: Material, alice: User) -> Sample:
    for code, material, amount_g in (("LOT-P", cspbi3, 1.0), ("LOT-G", zif_glass, 2.0)):
        stock.set_amount(lot(project, code, material), amount_g, alice)
    made = grow(project, {"MIX": [("LOT-P", 0.05, 1e-5), ("LOT-G", 0.15, 1e-5)]})["MIX"]
    Sample.objects.filter(pk=made.pk).update(
        notation="(CsPbI3)(agZIF-62)(25/75)", mass_left_g=0.2, amount_g=0.2
    )
    return made


def page(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def test_a_material_shows_its_formula_molar_mass_and_lead(browser: Client, cspbi3: Material) -> None:
    text = page(browser, f"/materials/{cspbi3.pk}/")
    assert "CsPbI<sub>3</sub>" in text
    assert "contains lead" in text
    assert "720.82" in text


def test_a_typing_error_in_a_cas_number_is_found(browser: Client, cspbi3: Material) -> None:
    form = {"name": "CsPbI3", "kind": "perovskite", "formula": "CsPbI3", "cas": "18041-25-4"}
    answer = browser.post(f"/materials/{cspbi3.pk}/edit/", form)
    assert answer.status_code == 422
    assert "typing error" in answer.content.decode()
    form["cas"] = "7732-18-5"
    assert browser.post(f"/materials/{cspbi3.pk}/edit/", form).status_code == 302
    cspbi3.refresh_from_db()
    assert (cspbi3.cas, round(cspbi3.molar_mass_g_per_mol or 0, 2)) == ("7732-18-5", 720.82)
    assert cspbi3.hazards.startswith("Lead")


def test_a_lot_is_received_with_its_certificate_and_place(
    browser: Client, cspbi3: Material, project: Project
) -> None:
    room = places.create_place(project=project, kind="room", name="Lab 1")
    answer = browser.post(
        f"/materials/{cspbi3.pk}/receive/",
        {
            "amount_g": "25", "purity_percent": "99.99", "supplier": "Supplier", "lot_number": "L1",
            "expires_on": "2020-01-01", "state": "powder", "place": room.pk, "code": "LOT-1",
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.content[-3000:]
    sample = Sample.objects.get(code="LOT-1")
    assert (sample.mass_left_g, sample.location, sample.lot.purity) == (25, "Lab 1", 0.9999)
    text = page(browser, "/materials/")
    assert "Going off" in text
    assert "LOT-1" in text
    assert "Going off" in page(browser, "/")


def test_a_lot_with_an_impossible_certificate_leaves_nothing(browser: Client, cspbi3: Material) -> None:
    for wrong in (
        {"amount_g": "-1"}, {"amount_g": "nan"}, {"purity_percent": "101"}, {"code": "no spaces"},
        {"received_on": "2026-02-01", "opened_on": "2026-01-01"}, {"amount_g": "1e999"},
    ):  # fmt: skip
        answer = browser.post(f"/materials/{cspbi3.pk}/receive/", {"state": "powder", **wrong})
        assert answer.status_code == 422, wrong
    assert not Sample.objects.exists()
    assert not Lot.objects.exists()


def test_low_stock_is_told_on_the_registry_and_at_home(
    browser: Client, cspbi3: Material, mix: Sample
) -> None:
    assert "Running low" not in page(browser, "/materials/")
    Material.objects.filter(pk=cspbi3.pk).update(minimum_stock_g=5)
    assert "Running low" in page(browser, "/materials/")
    assert "Running low" in page(browser, "/")


# Places


def test_a_renamed_room_renames_the_way_to_everything_in_it(browser: Client, project: Project) -> None:
    room = places.create_place(project=project, kind="room", name="Lab")
    box = places.create_place(project=project, kind="box", name="Box 3", parent=room)
    places.create_slots(box=box, rows=2, columns=3)
    answer = browser.post(f"/places/{room.pk}/", {"name": "Glove box", "parent": ""})
    assert answer.status_code == 302
    assert Location.objects.get(name="B3").path == "Glove box / Box 3 / B3"
    assert "Box 3" in page(browser, "/places/")


def test_a_place_cannot_stand_in_itself_or_in_something_smaller(browser: Client, project: Project) -> None:
    room = places.create_place(project=project, kind="room", name="Lab")
    cabinet = places.create_place(project=project, kind="cabinet", name="C", parent=room)
    box = places.create_place(project=project, kind="box", name="B", parent=cabinet)
    assert browser.post(f"/places/{cabinet.pk}/", {"name": "C", "parent": box.pk}).status_code == 422
    assert browser.post(f"/places/{box.pk}/", {"name": "B", "parent": ""}).status_code == 422
    cabinet.refresh_from_db()
    assert cabinet.path == "Lab / C"


def test_a_new_place_needs_a_name_and_a_room(browser: Client, project: Project) -> None:
    for wrong in (
        {"kind": "box", "name": "B"},
        {"kind": "room", "name": "\u202egnp"},
        {"kind": "room", "name": " "},
    ):
        answer = browser.post("/places/", {"project": project.slug, **wrong})
        assert answer.status_code == 422, wrong
    assert not Location.objects.exists()


# Amounts


def test_the_page_of_a_sample_tells_what_is_left_and_what_is_in_it(browser: Client, mix: Sample) -> None:
    text = page(browser, "/samples/MIX/")
    assert "How much is left" in text
    assert "within 0.5 wt %" in text
    assert "<strong>Pb</strong>" in text
    assert "Into <a" in page(browser, "/samples/LOT-P/")


def test_a_disposal_is_recorded_from_the_page(browser: Client, mix: Sample) -> None:
    browser.post(
        "/samples/MIX/stock/",
        {"kind": "disposal", "mass": "50", "unit": "mg", "reason": "done", "waste_stream": "Pb solid"},
    )
    entry = StockEntry.objects.get()
    assert (entry.mass_g, entry.left_g, entry.waste_stream) == (0.05, 0.15, "Pb solid")
    text = page(browser, "/lead/")
    assert "Pb solid" in text
    assert "71.9" in text


@pytest.mark.parametrize(
    "wrong", [{"mass": "300"}, {"mass": "-5"}, {"mass": "nan"}, {"mass": "1", "reason": ""}]
)
def test_an_impossible_loss_is_a_sentence_and_changes_nothing(
    browser: Client, mix: Sample, wrong: dict[str, str]
) -> None:
    said = {"kind": "loss", "unit": "mg", "reason": "spilled", **wrong}
    answer = browser.post("/samples/MIX/stock/", said, follow=True)
    assert "Nothing was recorded." in answer.content.decode()
    mix.refresh_from_db()
    assert mix.mass_left_g == 0.2
    assert not StockEntry.objects.exists()


def test_a_viewer_sees_the_amount_and_may_not_change_it(bob: User, mix: Sample, project: Project) -> None:
    client = signed_in(bob)
    assert "Recount, loss or disposal" not in page(client, "/samples/MIX/")
    room = places.create_place(project=project, kind="room", name="Lab")
    for url, said in (
        ("/samples/MIX/stock/", {"kind": "loss", "mass": "1", "reason": "x"}),
        ("/samples/MIX/place/", {"place": room.pk}),
        (f"/places/{room.pk}/", {"name": "X"}),
        (f"/materials/{Material.objects.earliest('pk').pk}/edit/", {"name": "X"}),
        (f"/materials/{Material.objects.earliest('pk').pk}/receive/", {"state": "powder"}),
        ("/places/", {"project": project.slug, "kind": "room", "name": "Mine"}),
    ):
        assert client.post(url, said).status_code == 403, url
    assert Location.objects.count() == 1


# Lineage and lead


def test_the_lineage_is_drawn_in_both_directions_with_grams(
    browser: Client, mix: Sample, project: Project
) -> None:
    grow(project, {"FIRED": [("MIX", 0.1, None)]})
    text = page(browser, "/samples/MIX/lineage/")
    for word in ("LOT-P", "LOT-G", "FIRED"):
        assert f'class="name" x="10" y="18">{word}<' in text
    assert text.count('class="arrow') == 3
    assert "100\u202fmg" in text


def test_a_lineage_of_thousands_shows_the_nearest_and_says_so(
    browser: Client, project: Project, mix: Sample
) -> None:
    chain_of(project, "MIX", 400, "LOT-G")
    text = page(browser, "/samples/C00399/lineage/")
    assert "Too much to draw at once" in text
    assert text.count('<g class="node') < 80
    assert "further back" in page(browser, "/samples/C00399/")


def test_forty_stacked_diamonds_open_as_a_page(browser: Client, project: Project, mix: Sample) -> None:
    stacked_diamonds(project, "MIX", 40)
    assert "JOINED039" in page(browser, "/samples/JOINED039/")
    assert "JOINED039" in page(browser, "/samples/JOINED039/lineage/?most=150")


def test_the_lead_of_a_quarter_composite_is_71_9_mg_a_gram(browser: Client, mix: Sample) -> None:
    answer = browser.get("/lead/?as=csv")
    text = b"".join(answer).decode()  # type: ignore[call-overload]
    line = next(line for line in text.splitlines() if line.startswith("MIX"))
    _, _, _, left_g, mg_per_g, left_mg, basis, _ = line.split(",")
    assert round(float(mg_per_g), 1) == 71.9
    assert float(left_mg) == pytest.approx(float(left_g) * float(mg_per_g))
    assert basis == "from weighings"
    assert "LOT-G" not in text


def test_lead_that_was_not_weighed_comes_from_the_label(browser: Client, composite: Sample) -> None:
    Sample.objects.filter(pk=composite.pk).update(planned=False)
    text = page(browser, "/lead/")
    assert "71.9" in text
    assert "from its label" in text


def test_a_formula_for_a_spreadsheet_is_marked_as_text(browser: Client, mix: Sample, alice: User) -> None:
    stock.dispose(mix, None, "=cmd|' /C calc'!A0", alice, waste_stream="=1+1")
    text = b"".join(browser.get("/lead/?as=waste")).decode()  # type: ignore[call-overload]
    assert "'=cmd" in text
    assert "'=1+1" in text


def test_a_place_that_cannot_be_moved_keeps_its_name(browser: Client, project: Project) -> None:
    room = places.create_place(project=project, kind="room", name="Lab")
    cabinet = places.create_place(project=project, kind="cabinet", name="C", parent=room)
    box = places.create_place(project=project, kind="box", name="B", parent=cabinet)
    answer = browser.post(f"/places/{cabinet.pk}/", {"name": "Renamed", "parent": box.pk})
    assert answer.status_code == 422
    assert list(Location.objects.order_by("path").values_list("path", flat=True))[1:] == [
        "Lab / C",
        "Lab / C / B",
    ]

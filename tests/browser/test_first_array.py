"""A first-time user makes a 3 × 3 array, prints its labels and records one weigh-out, by what the pages say.

With VITRINE_SCREENSHOTS set, the pictures of docs/first-array.md are taken on the way.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from samples.models import Ingredient, Material, Project, Sample

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "screenshots"


def photograph(page: Page, name: str) -> None:
    if os.environ.get("VITRINE_SCREENSHOTS"):
        PICTURES.mkdir(exist_ok=True)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=PICTURES / f"{name}.png", full_page=name.endswith("plan"))


@pytest.fixture
def lots(transactional_db: None, project: Project, cspbi3: Material, zif_glass: Material) -> list[Sample]:
    return [
        Sample.objects.create(
            project=project, code=code, state=state, material=material, amount_g=5, mass_left_g=5
        )
        for code, state, material in [("LOT-CPI", "powder", cspbi3), ("LOT-ZIF", "glass", zif_glass)]
    ]


def test_a_first_array_from_the_plan_to_the_first_weigh_out(
    desk: Page, live_server: LiveServer, lots: list[Sample]
) -> None:
    # Plan: the forecast follows what is typed, and nothing exists yet.
    desk.goto(f"{live_server.url}/samples/")
    desk.get_by_role("link", name="Plan an array").first.click()
    desk.get_by_label("Loadings").fill("5, 10, 25")
    desk.get_by_label("Sintering temperatures").fill("250, 275, 300")
    desk.get_by_label("Liquid nitrogen").check()
    desk.get_by_label("Milling times").fill("60")
    desk.get_by_label("Mass of each sample").fill("200")
    desk.get_by_label("Ramp", exact=True).fill("20")
    desk.get_by_label("Hold", exact=True).fill("0")
    desk.get_by_label("Furnace holds").fill("3")
    forecast = desk.locator("#preview")
    expect(forecast).to_contain_text("Create 9 planned samples")
    expect(forecast).to_contain_text("suffices")
    expect(forecast.locator(".coverage td.asked")).to_have_count(9)
    assert Sample.objects.filter(planned=True).count() == 0
    desk.get_by_label("Name of the array").fill("My first array")
    expect(desk.locator(".htmx-request")).to_have_count(0)
    photograph(desk, "first-array-1-plan")
    desk.get_by_role("button", name="Create 9 planned samples").click()

    # The array, in the order of making.
    expect(desk.get_by_role("heading", name="My first array")).to_be_visible()
    expect(desk.locator("tbody[data-rows] tr")).to_have_count(9)
    photograph(desk, "first-array-2-order")

    # Labels: a sheet of nine, each of which a phone can read.
    desk.get_by_role("link", name="Labels").click()
    photograph(desk, "first-array-3-labels")
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Labels as PDF").click()
    sheet = pypdfium2.PdfDocument(download.value.path().read_bytes())
    scanned = zxingcpp.read_barcodes(sheet[0].render(scale=300 / 72).to_pil())
    planned = set(Sample.objects.filter(planned=True).values_list("code", flat=True))
    assert {code.text for code in scanned} == {f"{live_server.url}/s/{code}" for code in planned}

    # The label leads to the sample, the array to the run sheet, and the balance to the ledger.
    desk.goto(scanned[0].text)
    code = scanned[0].text.rpartition("/")[2]
    expect(desk).to_have_url(re.compile(f"/samples/{code}/$"))
    photograph(desk, "first-array-4-sample")
    desk.goto(f"{live_server.url}/designs/")
    desk.get_by_role("link", name="My first array").click()
    desk.get_by_role("link", name="Run sheet").first.click()
    weighing = desk.locator(".weighing").first
    asked = weighing.locator(".planned").inner_text()
    mass_mg = re.search(r"[\d.]+", asked).group()  # type: ignore[union-attr]
    weighing.get_by_label(re.compile("^Mass")).fill(mass_mg)
    photograph(desk, "first-array-5-weigh")
    weighing.get_by_role("button", name="Weighed").click()
    expect(desk.locator(".weighing.done")).to_have_count(1)
    photograph(desk, "first-array-6-weighed")
    weighed = Ingredient.objects.get(mass_g__isnull=False)
    assert weighed.mass_g == pytest.approx(float(mass_mg) / 1000)
    assert weighed.sample is not None
    assert weighed.sample.code in ("LOT-CPI", "LOT-ZIF")
    assert Sample.objects.get(pk=weighed.sample_id).mass_left_g == pytest.approx(5 - float(mass_mg) / 1000)

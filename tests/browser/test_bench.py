"""A run sheet on a tablet beside the balance: nothing typed is lost, and differences are said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from samples.models import Ingredient, Material, Project, Sample
from tests.measurements.test_attachments import PNG, log_text


@pytest.fixture
def sheet(desk: Page, live_server: LiveServer, composite: Sample, project: Project, cspbi3: Material) -> Page:
    desk.set_viewport_size({"width": 1024, "height": 768})
    Sample.objects.create(
        project=project, code="LOT-1", state="powder", material=cspbi3, amount_g=1, mass_left_g=1
    )
    for row, mass_g in zip(
        Ingredient.objects.filter(preparation=composite.preparation), (0.05, 0.15), strict=True
    ):
        row.planned_mass_g = mass_g
        row.save()
    desk.goto(f"{live_server.url}/preparations/{composite.preparation_id}/")
    return desk


def test_a_weigh_out_is_recorded_on_a_tablet(sheet: Page, transactional_db: None) -> None:
    row = sheet.locator(".weighing").first
    mass = row.locator("[name=mass_mg]")
    box = mass.bounding_box()
    assert box is not None
    assert box["height"] >= 44  # a finger in a glove
    mass.fill("50.6")
    expect(row.locator(".differs").first).to_have_text("+0.6")
    row.locator("[name=sigma_mg]").fill("0.1")
    sheet.reload()
    expect(sheet.locator(".weighing").first.locator("[name=mass_mg]")).to_have_value("50.6")
    sheet.locator(".weighing").nth(1).locator("[name=mass_mg]").fill("150")
    expect(sheet.locator("#numbers")).to_contain_text("200.6")  # both masses, as typed
    sheet.locator(".weighing").first.get_by_role("button", name="Weighed").click()
    done = sheet.locator(".weighing.done")
    expect(done).to_contain_text("50.6")
    expect(done.locator(".deviation")).to_contain_text("+0.6")
    expect(sheet.locator(".weighing").nth(1).locator("[name=mass_mg]")).to_have_value("150")  # not lost
    lot = Sample.objects.get(code="LOT-1")
    assert lot.mass_left_g == pytest.approx(0.9494)
    assert sheet.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_step_is_filled_in_as_planned_changed_and_recorded_with_its_log(
    sheet: Page, transactional_db: None, tmp_path: Path
) -> None:
    sheet.set_viewport_size({"width": 820, "height": 1180})
    assert sheet.evaluate("document.documentElement.scrollWidth <= innerWidth")
    milling = sheet.locator("#milling-1")
    milling.get_by_role("button", name="Fill in as planned").click()
    expect(milling.locator("[name=rpm]")).to_have_value("800")
    milling.locator("[name=duration_min]").fill("62")
    milling.locator("[name=powder_mass_g]").fill("0.4")
    expect(sheet.locator("#numbers")).to_contain_text("40 : 1")
    milling.get_by_role("button", name="Done").click()
    expect(milling.locator(".deviation").filter(has_text="Duration")).to_have_text("Duration: +2\u202fmin")
    log, boat = tmp_path / "furnace.txt", tmp_path / "boat.png"
    log.write_bytes(log_text())
    boat.write_bytes(PNG)
    sintering = sheet.locator("#sintering-2")
    sintering.locator("[name=log]").set_input_files([log])
    sintering.get_by_role("button", name="Done").click()
    expect(sintering).to_contain_text("Furnace log: peak 281")
    expect(sintering.locator(".deviations")).to_contain_text("+6")

"""A view of the dashboards before the eyes: its choices, its address, Back, and what can be taken away."""

from __future__ import annotations

import csv

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from samples.models import Sample


def test_choices_redraw_without_a_reload_stand_in_the_address_and_back_undoes_them(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    desk.goto(f"{live_server.url}/dashboards/")
    desk.locator(".views a", has_text="PLQY over loading").click()
    expect(desk.locator(".figure-stage .main-svg").first).to_be_visible()
    desk.evaluate("window.stayed = true")
    draw = desk.locator("select[name]").first
    name, values = (
        draw.get_attribute("name"),
        draw.locator("option").evaluate_all("all => all.map(o => o.value)"),
    )
    with desk.expect_response(lambda answer: f"{name}={values[1]}" in answer.url):
        draw.select_option(values[1])
    expect(desk.locator(".figure-stage .main-svg").first).to_be_visible()
    assert f"{name}={values[1]}" in desk.url
    desk.go_back()
    expect(draw).to_have_value(values[0])
    assert desk.evaluate("window.stayed")


def test_the_csv_of_a_view_holds_what_is_drawn(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_plqy/")
    with desk.expect_download() as download:
        desk.locator(".figure-tools button", has_text="CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text(encoding="utf-8").splitlines()))
    assert "VT-05-275" in {row["sample"] for row in rows}


def test_a_view_without_data_says_what_to_do(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    said = desk.locator(".figure-said.empty")
    expect(said).to_contain_text("There is nothing to draw yet.")
    expect(said).to_contain_text("Upload")


def test_a_title_longer_than_its_panel_is_broken_at_its_words(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    said = """import('/static/frontend/figure-look.js').then(({ broken }) =>
        [60, 21, 12, 3].map((letters) => broken('Sintering temperature (°C)', letters)))"""
    assert desk.evaluate(said) == [
        "Sintering temperature (°C)",
        "Sintering temperature<br>(°C)",
        "Sintering<br>temperature<br>(°C)",
        "Sintering<br>temperature<br>(°C)",
    ]

"""Explore before the eyes: the map, the address, the keyboard, the drawer, what can be taken away."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from samples.models import Sample

MAP = "x=sintering_temperature_c&y=plqy&color=loading_mass_fraction&as=map"
POINTS = MAP.replace("as=map", "as=points")
PUBLISHED = "VT-05-275"


def explore(desk: Page, server: LiveServer, query: str = "") -> Locator:
    desk.goto(f"{server.url}/explore/{'?' + query if query else ''}")
    stage = desk.locator(".figure-stage")
    expect(stage.locator(".main-svg").first).to_be_visible()
    return stage


def dragged(desk: Page, x_from: float, y_from: float, x_to: float, y_to: float) -> None:
    """A box over shares of the plotting area, from its upper left."""
    area = desk.locator(".figure-stage .nsewdrag").first.bounding_box()
    assert area is not None
    desk.mouse.move(area["x"] + x_from * area["width"], area["y"] + y_from * area["height"])
    desk.mouse.down()
    desk.mouse.move(area["x"] + x_to * area["width"], area["y"] + y_to * area["height"], steps=8)
    desk.mouse.up()


def test_the_first_look_is_the_map_with_its_best_cell_written_in_it(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    expect(stage.get_by_text("81.3\u202f%", exact=True)).to_be_visible()
    expect(stage.get_by_text("30.2\u202f%", exact=True)).to_be_visible()
    for word in ("published", "simulated"):
        expect(stage.locator(".legendtext", has_text=word)).to_be_visible()


def test_the_pointer_on_a_cell_tells_sample_value_sigma_and_origin(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    box = stage.get_by_text("53.5\u202f%", exact=True).bounding_box()
    assert box is not None
    desk.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = stage.locator(".hoverlayer")
    expect(said).to_contain_text("VT-05-250")
    expect(said).to_contain_text("53.50 ± 0.40\u202f%")
    expect(said).to_contain_text("simulated")


def test_the_address_holds_the_question_and_back_returns_to_the_one_before(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    desk.get_by_text("Points", exact=True).click()
    expect(desk).to_have_url(re.compile("as=points"))
    expect(stage.locator(".scatterlayer .point")).not_to_have_count(0)
    desk.get_by_label("liquid nitrogen").check()
    expect(desk).to_have_url(re.compile("quench_medium=liquid_nitrogen"))
    desk.go_back()
    expect(desk.get_by_label("liquid nitrogen")).not_to_be_checked()
    desk.go_back()
    expect(desk.get_by_label("Map")).to_be_checked()
    expect(stage.locator(".heatmaplayer image")).to_have_count(1)


def test_a_reader_who_filters_sees_only_that(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    desk.get_by_label("published").check()
    expect(stage.get_by_text("53.5\u202f%")).to_have_count(0)
    expect(stage.get_by_text("81.3\u202f%")).to_be_visible()


def test_arrows_move_between_points_and_enter_opens_the_sample(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server, POINTS + "&origin=published")
    stage.focus()
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("[aria-live=polite]", has_text=PUBLISHED)).to_contain_text("81.3")
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(f"{live_server.url}/samples/{PUBLISHED}/")


def test_a_click_on_a_cell_opens_its_sample(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    stage.get_by_text("81.3\u202f%").click(force=True)
    expect(desk).to_have_url(f"{live_server.url}/samples/{PUBLISHED}/")


@pytest.mark.parametrize("view", ["map", "points"])
def test_the_drawer_lists_exactly_what_lies_in_the_box_and_a_reload_keeps_it(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample], view: str
) -> None:
    explore(desk, live_server, MAP.replace("as=map", f"as={view}"))
    # The left third: everything sintered at 250 °C.
    dragged(desk, 0.005, 0.005, 0.32, 0.995)
    drawer = desk.locator("#drawer")
    expect(drawer.locator("h2")).to_have_text("2 samples selected")
    assert sorted(drawer.locator("tbody a").all_text_contents()) == ["VT-05-250", "VT-25-250"]
    expect(desk).to_have_url(re.compile("box="))
    desk.reload()
    expect(drawer.locator("h2")).to_have_text("2 samples selected")
    drawer.get_by_text("Clear selection").click()
    expect(drawer).to_be_hidden()
    expect(desk).not_to_have_url(re.compile("box="))


def test_shift_and_arrows_select_without_a_mouse(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    stage.focus()
    desk.keyboard.press("ArrowRight")  # the first cell
    desk.keyboard.press("Shift+ArrowRight")
    expect(desk.locator("#drawer h2")).to_have_text("2 samples selected")


def test_the_csv_holds_exactly_what_is_drawn(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample], tmp_path: Path
) -> None:
    explore(desk, live_server, POINTS)
    with desk.expect_download() as download:
        desk.get_by_role("button", name="CSV", exact=True).first.click()
    path = tmp_path / "drawn.csv"
    download.value.save_as(path)
    rows = list(csv.DictReader(path.open(newline="")))
    assert len(rows) == 6
    best = next(row for row in rows if row["sample"] == PUBLISHED)
    assert best["PL quantum yield (%)"] == "81.3"
    assert best["sigma (%)"] == ""
    assert best["origin"] == "published"


def test_the_svg_is_85_mm_wide_and_drawn_as_on_paper(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample], tmp_path: Path
) -> None:
    explore(desk, live_server)
    desk.locator(".figure-tools summary").click()
    with desk.expect_download() as download:
        desk.get_by_role("button", name="SVG, 85 mm wide").click()
    path = tmp_path / "map.svg"
    download.value.save_as(path)
    svg = path.read_text()
    assert re.match(r'<svg[^>]* width="85mm" height="[\d.]+mm"', svg)
    assert "81.3" in svg
    assert "var(--" not in svg


def test_dark_pages_draw_in_light_ink_and_switching_redraws(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    title = stage.locator(".xtitle")
    assert "rgb(75, 89, 104)" in (title.get_attribute("style") or "")
    desk.emulate_media(color_scheme="dark")
    expect(title).to_have_attribute("style", re.compile(r"rgb\(165, 179, 194\)"))


def test_nothing_to_draw_says_what_to_do(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    desk.goto(f"{live_server.url}/explore/?{MAP}&origin=entered")
    said = desk.locator(".figure-said")
    expect(said).to_contain_text("No value fits these choices.")
    expect(said.get_by_role("link")).to_be_visible()


def test_a_server_that_fails_is_a_sentence_and_a_second_try(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample], complaints: list[str]
) -> None:
    desk.route("**/figures/explore.json*", lambda route: route.abort())
    desk.goto(f"{live_server.url}/explore/")
    expect(desk.locator(".figure-said")).to_contain_text("The server did not answer")
    desk.unroute("**/figures/explore.json*")
    desk.get_by_role("button", name="Try again").click()
    expect(desk.locator(".figure-stage").get_by_text("81.3\u202f%")).to_be_visible()
    complaints[:] = [said for said in complaints if "ERR_FAILED" not in said]


def test_the_table_behind_the_figure_opens_with_a_key(
    desk: Page, live_server: LiveServer, campaign: dict[str, Sample]
) -> None:
    stage = explore(desk, live_server)
    stage.focus()
    desk.keyboard.press("t")
    expect(desk.locator(".figure-table tbody tr")).to_have_count(6)
    desk.locator(".figure-table").get_by_role("link", name=PUBLISHED).click()
    expect(desk).to_have_url(f"{live_server.url}/samples/{PUBLISHED}/")

"""The recipe editor before the eyes: the furnace draws itself while one types, rows change places."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from frontend.drawings.temperature_programme import Quench, Segment, draw
from samples.ancestry import planned_steps
from samples.models import Material, Project, Recipe, User
from samples.step_kinds import as_written

PROGRAMMES: list[list[tuple[float, float | None, float | None]]] = [
    [(450, 20, 0)],
    [(350, 20, 0)],
    [(275, 20, 30), (120, 2.5, 0)],
    [(300, None, 60), (150, 5, None)],
    [(-196, 40, 15), (1400, 12, 600)],
]
LINES = re.compile(
    r'<line class="((?:ramp|hold|quench)(?: unknown)?)" '
    r'x1="([^"]+)" y1="([^"]+)" x2="([^"]+)" y2="([^"]+)"'
)
WORDS = re.compile(r"<text[^>]*>([^<]*)</text>")


@pytest.fixture
def editor(
    desk: Page,
    live_server: LiveServer,
    transactional_db: None,
    project: Project,
    cspbi3: Material,
    zif_glass: Material,
) -> Page:
    desk.goto(f"{live_server.url}/recipes/new/")
    return desk


def add_step(editor: Page, kind: str) -> Any:
    editor.select_option("[data-add-kind]", kind)
    editor.click("[data-add-step]")
    steps = editor.locator("[data-steps] > li")
    return steps.nth(steps.count() - 1)


def type_programme(step: Any, programme: list[tuple[float, float | None, float | None]]) -> None:
    rows = step.locator("[data-segment]")
    while rows.count() > len(programme):
        rows.last.locator("[data-remove]").click()
    while rows.count() < len(programme):
        step.locator("[data-add-segment]").click()
    for place, values in enumerate(programme):
        for name, value in zip(("target_c", "ramp_c_per_min", "hold_min"), values, strict=True):
            rows.nth(place).locator(f'[data-field="{name}"]').fill("" if value is None else f"{value:g}")


def geometry(svg: str) -> list[tuple[Any, ...]]:
    return [(kind, *map(float, numbers)) for kind, *numbers in LINES.findall(svg)]


def test_what_is_drawn_while_typing_is_what_the_server_draws(editor: Page) -> None:
    step = add_step(editor, "sintering")
    quench = add_step(editor, "quench")
    quench.locator('[data-field="medium"]').select_option("liquid_nitrogen")
    for programme in PROGRAMMES:
        type_programme(step, programme)
        drawn = step.locator("[data-programme]").inner_html()
        served = draw([Segment(*row) for row in programme], Quench("Liquid nitrogen"))
        mine, theirs = geometry(drawn), geometry(served)
        assert [line[0] for line in mine] == [line[0] for line in theirs]
        for one, other in zip(mine, theirs, strict=True):
            assert one[1:] == pytest.approx(other[1:], abs=0.11)
        assert WORDS.findall(drawn) == WORDS.findall(served)


def test_the_duration_is_said_and_an_unknown_one_is_not_invented(editor: Page) -> None:
    step = add_step(editor, "sintering")
    said = step.locator("[data-derived]")
    type_programme(step, [(450, 20, 0)])
    expect(said).to_have_text("21.25\u202fmin from 25\u202f°C")
    type_programme(step, [(350, 20, 0)])
    expect(said).to_have_text("16.25\u202fmin from 25\u202f°C")
    type_programme(step, [(350, None, 0)])
    expect(said).to_have_text("duration not known: a ramp or hold is not stated")
    expect(step.locator(".programme .ramp.unknown")).to_have_count(1)


def test_half_typed_numbers_break_nothing(editor: Page) -> None:
    step = add_step(editor, "sintering")
    for target, ramp in [("1e9", "20"), ("-", "20"), ("275", "-20"), ("275", "0")]:
        row = step.locator("[data-segment]").first
        row.locator('[data-field="target_c"]').press_sequentially(target)
        row.locator('[data-field="ramp_c_per_min"]').press_sequentially(ramp)
        assert "NaN" not in step.locator("[data-programme]").inner_html()
        row.locator('[data-field="target_c"]').fill("")
        row.locator('[data-field="ramp_c_per_min"]').fill("")


def test_the_plan_of_a_first_composite_draws_its_programme_too(editor: Page, live_server: LiveServer) -> None:
    editor.goto(f"{live_server.url}/samples/plan/")
    row = editor.locator("[data-rows-of=segment] [data-row]").first
    row.locator('[name$="-target_c"]').fill("450")
    row.locator('[name$="-ramp_c_per_min"]').fill("20")
    row.locator('[name$="-hold_min"]').fill("0")
    expect(editor.locator("[data-programme-said]")).to_have_text("21.25\u202fmin from 25\u202f°C")
    expect(editor.locator("[data-programme] .ramp")).to_have_count(1)
    editor.locator('[name="sinter"]').uncheck()
    expect(editor.locator("[data-programme] svg")).to_have_count(0)


def test_the_ball_to_powder_ratio_and_the_time_of_all_millings_are_said(editor: Page) -> None:
    first = add_step(editor, "milling")
    first.locator('[data-field="ball_mass_g"]').fill("16")
    first.locator('[data-field="powder_mass_g"]').fill("0.4")
    first.locator('[data-field="duration_min"]').fill("30")
    expect(first.locator("[data-derived]")).to_have_text("ball-to-powder ratio 40")
    first.locator('[data-field="powder_mass_g"]').fill("0.2")
    expect(first.locator("[data-derived]")).to_have_text("ball-to-powder ratio 80")
    second = add_step(editor, "milling")
    second.locator('[data-field="duration_min"]').fill("60")
    expect(second.locator("[data-derived]")).to_have_text("90\u202fmin of milling up to here")


def test_fractions_are_converted_and_a_missing_density_is_named(editor: Page) -> None:
    rows = editor.locator("[data-rows-here] > [data-row]")
    for place, (name, percent) in enumerate([("CsPbI3", "25"), ("agZIF-62", "75")]):
        rows.nth(place).locator("select").select_option(label=name)
        rows.nth(place).locator("input").fill(percent)
    expect(rows.first.locator("[data-converted]")).to_have_text("mole 8.544\u202f%")
    expect(editor.locator("[data-missing]")).to_have_text(
        "The density of agZIF-62 is not known, so there are no volume fractions."
    )
    expect(editor.locator("[data-sum]")).to_have_text("Sum 100\u202f%")
    rows.last.locator("input").fill("70")
    expect(editor.locator("[data-sum]")).to_contain_text("it must be 100")
    rows.last.locator("input").fill("91.456")
    rows.first.locator("input").fill("8.544")
    editor.select_option("#id_basis", "mole")
    expect(rows.first.locator("[data-converted]")).to_contain_text("mass 25\u202f%")


def test_segments_are_moved_by_keyboard_and_mouse_and_saved_in_that_order(editor: Page, alice: User) -> None:
    editor.fill("[name=name]", "Moved")
    rows = editor.locator("[data-rows-here] > [data-row]")
    rows.first.locator("select").select_option(label="CsPbI3")
    rows.first.locator("input").fill("100")
    add_step(editor, "washing").locator('[data-field="solvent"]').fill("DMF")
    step = add_step(editor, "sintering")
    type_programme(step, [(100, 5, 0), (200, 5, 0), (300, 5, 0)])
    third = step.locator("[data-segment]").nth(2).locator('[data-field="target_c"]')
    third.focus()
    editor.keyboard.press("Alt+ArrowUp")  # 100 300 200, and the keyboard stays where it was
    expect(step.locator("[data-segment]").nth(1).locator('[data-field="target_c"]')).to_be_focused()
    step.locator("[data-segment]").nth(0).locator("[data-down]").click()  # 300 100 200
    step.locator("[data-segment]").nth(2).locator("[data-remove]").click()  # 300 100
    step.locator(".panel-head [data-up]").click()  # sintering before washing
    editor.get_by_role("button", name="Save the recipe").click()
    expect(editor.get_by_role("heading", level=1)).to_contain_text("Moved")
    assert [as_written(s) for s in planned_steps(Recipe.objects.get())] == [
        {
            "kind": "sintering",
            "segments": [
                {"target_c": 300, "ramp_c_per_min": 5, "hold_min": 0},
                {"target_c": 100, "ramp_c_per_min": 5, "hold_min": 0},
            ],
        },
        {"kind": "washing", "solvent": "DMF"},
    ]

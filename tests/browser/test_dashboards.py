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


def test_the_csv_holds_curves_in_columns_of_their_own(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_plqy/")
    written = desk.evaluate("""import('/static/frontend/figure-data.js').then(({ csv, curves }) => csv([
        { name: 'sample', values: ['VT-05-275'] },
        ...curves({
            curves: { x: 'time (ns)', y: { fit: 'counts' } },
            data: [
                { meta: 'fit', name: 'CsPbI<sub>3</sub>', x: [0, 1.5], y: [9, 7] },
                { meta: 'values', name: 'in the table', x: [3], y: [4] },
            ],
        }),
    ]))""")
    assert written.splitlines() == ["sample,CsPbI3: time (ns),CsPbI3: counts", "VT-05-275,0,9", ",1.5,7"]


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


DRAWING = """{data: [{type: 'scatter', x: [1, 2], y: [1, 2], customdata: [0, 1], name: 'a'}], table: [],
    layout: {font: {size: 13}, legend: {font: {size: 12}}, margin: {l: 64, r: 16, t: 28, b: 52},
        xaxis: {domain: [0, 0.6], title: {text: 'Wavelength (nm)'}}, yaxis: {title: {text: 'Absorbance'}},
        xaxis2: {domain: [0.8, 1], anchor: 'y2', title: {text: 'T (°C)'}},
        yaxis2: {anchor: 'x2', title: {text: 'Band gap (eV)'}},
        annotations: [{text: '175 °C', xref: 'paper', yref: 'paper', x: 0.6, y: 1, xanchor: 'right'}],
        shapes: [{type: 'rect', xref: 'x2 domain', yref: 'y2', x0: 0, x1: 1, y0: 1, y1: 2}]},
    summary: '', notes: [], empty: '', filename: 'figure', call: ''}"""


def test_what_a_figure_draws_as_a_shape_stays_when_points_are_chosen(
    desk: Page, live_server: LiveServer
) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    expect(desk.locator(".figure-said.empty")).to_be_visible()
    shapes = desk.evaluate(f"""() => {{
        const {{ figure }} = document.querySelector('#plot');
        figure.show({DRAWING});
        const count = () => figure.stage._fullLayout.shapes.length;
        const before = count();
        figure.select([0, 1.5, 0, 1.5]);
        const chosen = count();
        figure.select(null);
        return [before, chosen, count()];
    }}""")
    assert shapes == [1, 2, 1]


def test_in_the_column_of_a_journal_panels_stand_below_each_other(
    desk: Page, live_server: LiveServer
) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    expect(desk.locator(".figure-said.empty")).to_be_visible()
    narrow, wide = desk.evaluate(f"""async () => {{
        const {{ paper }} = await import('/static/frontend/figure-look.js');
        return [85, 170].map((mm) => paper({DRAWING}, document.querySelector('.figure-stage'), mm).layout);
    }}""")
    assert wide["xaxis2"]["domain"] == [0.8, 1]
    assert [narrow["xaxis"]["domain"], narrow["xaxis2"]["domain"]] == [[0, 1], [0, 1]]
    upper, lower = narrow["yaxis"]["domain"], narrow["yaxis2"]["domain"]
    assert lower[0] == 0
    assert lower[1] < upper[0]
    assert upper[1] == 1
    room = narrow["height"] - narrow["margin"]["t"] - narrow["margin"]["b"]
    assert (upper[0] - lower[1]) * room >= 40, "the ticks and the title of the upper panel"
    assert (narrow["annotations"][0]["x"], narrow["annotations"][0]["y"]) == (1, 1)


def test_panels_that_share_an_axis_stand_three_in_a_row(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    said = """() => import('/static/frontend/figure-columns.js').then(({ stacked }) => {
        const x = (from) => ({ domain: [from, from + 0.2], anchor: 'y' });
        const [xaxis, xaxis2, xaxis3, xaxis4] = [0, 0.25, 0.5, 0.75].map(x);
        const layout = {yaxis: {range: [90, 102]}, xaxis, xaxis2, xaxis3, xaxis4};
        const data = [{xaxis: 'x', yaxis: 'y'}, {xaxis: 'x4', yaxis: 'y'}];
        stacked(data, layout, 275, 200);
        return [data[1].yaxis, layout.yaxis2.range, layout.xaxis4.domain[0], layout.yaxis2.domain[0]];
    })"""
    assert desk.evaluate(said) == ["y2", [90, 102], 0, 0]


def test_arrows_move_between_marks_and_enter_opens_the_sample_of_the_mark(
    desk: Page, live_server: LiveServer, composite: Sample
) -> None:
    """A curve beside them, whose numbers might be taken for rows of the table, leads only to its own."""
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    expect(desk.locator(".figure-said.empty")).to_be_visible()
    desk.evaluate(
        f"""(code) => {{
        const drawing = {DRAWING};
        const marks = {{ mode: 'markers', samples: ['other', code], hovertext: ['one', 'two'] }};
        const curve = {{ type: 'scatter', x: [1, 1.5, 2], y: [0, 1, 0], samples: ['curve'] }};
        curve.customdata = [0, 1, 0];
        drawing.data = [{{ ...drawing.data[0], ...marks }}, curve];
        drawing.open = '/samples/CODE/';
        document.querySelector('#plot').figure.show(drawing);
    }}""",
        composite.code,
    )
    desk.locator(".figure-stage").focus()
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("#plot [aria-live]")).to_have_text("one")
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("#plot [aria-live]")).to_have_text("two")
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**/samples/{composite.code}/")


def test_on_a_small_screen_panels_stand_below_each_other_and_beside_each_other_on_a_wide_one(
    desk: Page, live_server: LiveServer
) -> None:
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    expect(desk.locator(".figure-said.empty")).to_be_visible()
    drawn = f"""() => {{
        const {{ figure }} = document.querySelector('#plot');
        figure.show({DRAWING});
        const {{ xaxis2, height }} = figure.stage._fullLayout;
        return [xaxis2.domain[0], height, figure.stage.clientHeight];
    }}"""
    wide, wide_px, stage_px = desk.evaluate(drawn)
    assert (wide, wide_px) == (0.8, stage_px)
    desk.set_viewport_size({"width": 600, "height": 900})
    narrow, narrow_px, stage_px = desk.evaluate(drawn)
    assert (narrow, narrow_px) == (0, stage_px)
    assert narrow_px > 1.4 * wide_px


def test_the_buttons_on_a_figure_are_seen_when_the_keyboard_reaches_them(
    desk: Page, live_server: LiveServer
) -> None:
    """They show themselves to the pointer only while it is over the figure."""
    desk.goto(f"{live_server.url}/dashboards/view_trpl/")
    expect(desk.locator(".figure-said.empty")).to_be_visible()
    desk.evaluate(f"document.querySelector('#plot').figure.show({DRAWING})")
    desk.locator(".figure-stage").focus()
    desk.keyboard.press("Tab")
    reached = desk.locator(".modebar-btn:focus-visible")
    expect(reached).to_have_css("outline-style", "solid")
    expect(desk.locator(".modebar")).to_have_css("opacity", "1")

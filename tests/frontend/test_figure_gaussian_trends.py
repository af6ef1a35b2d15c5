"""Trends of the fitted Gaussians: the published loadings, three panels, error bars, and origins apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from frontend import figures
from frontend.demo import forward
from frontend.figures import Drawing, View
from tests.frontend.pl_views import TEMPERATURES, array, column, decoded, texts, traces

FIGURE = figures.get("view_gaussian_trends")
PANELS = ("pl_peak_center:I", "pl_peak_fwhm:I", "pl_area_share:II")


def drawn(view: View | None = None, **options: str) -> Drawing:
    return FIGURE.draw(view or array(curves=False), options)


def test_the_published_loadings_are_drawn_in_each_of_three_panels() -> None:
    drawing = drawn()
    for key in PANELS:
        assert [trace["name"] for trace in traces(drawing, key)] == ["10\u202f%", "25\u202f%", "40\u202f%"]
    assert "2 other loadings are not drawn; choose all." in drawing.notes
    assert len(traces(drawn(loadings="all"), PANELS[0])) == 5


def test_the_points_are_the_planted_ones_with_their_sigmas() -> None:
    center = traces(drawn(), "pl_peak_center:I")[1]
    planted = [forward.planted_line(0.25, t).center_nm[0] for t in TEMPERATURES]
    assert decoded(center["x"]).tolist() == list(TEMPERATURES)
    assert decoded(center["y"]) == pytest.approx(planted)
    assert decoded(center["error_y"]["array"]) == pytest.approx(0.1)


def test_the_share_is_in_percent_with_its_sigma() -> None:
    share = traces(drawn(), "pl_area_share:II")[1]
    assert decoded(share["y"])[TEMPERATURES.index(300.0)] == pytest.approx(4.974, abs=0.01)
    assert decoded(share["error_y"]["array"]) == pytest.approx(0.3)


def test_the_second_peak_has_its_own_position_and_bandwidth() -> None:
    drawing = drawn(peak="II")
    shift = decoded(traces(drawing, "pl_peak_center:II")[0]["y"])
    assert shift - decoded(traces(drawn(), "pl_peak_center:I")[0]["y"]) == pytest.approx(34.12)


def test_the_lines_are_named_at_the_right_with_the_loading_as_heading() -> None:
    assert set(texts(drawn())) == {"10\u202f%", "25\u202f%", "40\u202f%", "Loading"}


def test_a_loading_weighed_as_24_99_percent_stands_for_25() -> None:
    drawing = drawn(array((0.2499,), curves=False))
    assert [trace["name"] for trace in traces(drawing, PANELS[0])] == ["25\u202f%"]


def test_without_the_published_loadings_all_are_drawn() -> None:
    drawing = drawn(array((0.01, 0.85), curves=False))
    assert [trace["name"] for trace in traces(drawing, PANELS[0])] == ["1\u202f%", "85\u202f%"]


def test_where_one_gaussian_is_enough_the_panel_says_so() -> None:
    view = array(curves=False)
    single = replace(view, readings=[r for r in view.readings if r.component != "II"])
    drawing = drawn(single)
    assert any("one Gaussian is enough" in note for note in drawing.notes)
    assert "Loading" in texts(drawing)


def test_origins_are_lines_of_their_own() -> None:
    view = array((0.25,), curves=False)
    mixed = [replace(r, origin="simulated" if r.subject % 2 else "measured") for r in view.readings]
    drawing = drawn(replace(view, readings=mixed))
    lines = traces(drawing, PANELS[0])
    assert [line["line"]["dash"] for line in lines] == ["solid", "dot"]
    assert decoded(lines[0]["x"]).size == decoded(lines[1]["x"]).size == 3


def test_the_table_is_exactly_what_is_drawn() -> None:
    drawing = drawn()
    points = np.concatenate([decoded(t["y"]) for key in PANELS for t in traces(drawing, key)])
    assert column(drawing, "value") == pytest.approx(points.tolist())
    assert set(column(drawing, "quantity")) == {"Position I", "Bandwidth I", "Share of II"}


def test_nothing_to_draw_is_said() -> None:
    assert "No fitted Gaussian" in drawn(View([], [], [], {})).empty

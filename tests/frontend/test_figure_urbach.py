"""Urbach tails: lines run through their data; the spread is that of the slopes, and says when it is large."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from frontend import figures
from frontend.figures import Drawing, View
from tests.frontend.pl_views import TEMPERATURES, column, decoded, tails, texts, traces

FIGURE = figures.get("view_urbach")
VIEW = tails()


def drawn(view: View = VIEW, **options: str) -> Drawing:
    return FIGURE.draw(view, options)


def test_each_tail_has_a_line_that_runs_through_it() -> None:
    drawing = drawn()
    data, lines = traces(drawing, "tail"), traces(drawing, "line")
    assert len(data) == len(lines) == len(TEMPERATURES)
    for curve, line in zip(data, lines, strict=True):
        x, y = decoded(line["x"]), decoded(line["y"])
        measured = np.interp(x, decoded(curve["x"]), decoded(curve["y"]))
        assert np.median(np.abs(measured - y)) < 0.02
        slope = np.polyfit(x, y, 1)[0] * np.log(10)
        assert 27 < slope < 31


def test_the_slopes_stand_beside_with_their_sigmas_and_the_spread() -> None:
    drawing = drawn()
    (slopes,) = traces(drawing, "slopes")
    values = decoded(slopes["y"])
    assert decoded(slopes["x"]).tolist() == list(TEMPERATURES)
    assert np.all(decoded(slopes["error_y"]["array"]) > 0)
    cv = 100 * values.std(ddof=1) / values.mean()
    assert 0.3 < cv < 10
    assert f"spread {cv:.1f} %" in texts(drawing)
    assert "within 10 %" in drawing.summary


def test_the_band_is_one_standard_deviation_around_the_mean() -> None:
    drawing = drawn()
    values = decoded(traces(drawing, "slopes")[0]["y"])
    (band,) = drawing.layout["shapes"]
    assert (band["y0"] + band["y1"]) / 2 == pytest.approx(values.mean())
    assert (band["y1"] - band["y0"]) / 2 == pytest.approx(values.std(ddof=1))


def test_a_spread_above_ten_percent_is_said() -> None:
    wide = drawn(tails((8.0, 12.0, 15.0, 18.0)))
    assert any("(above 10 %)" in text for text in texts(wide))
    assert "more than 10 %" in wide.summary


def test_the_urbach_energies_can_stand_beside_instead() -> None:
    drawing = drawn(show="pl_urbach_energy")
    assert drawing.layout["yaxis2"]["title"]["text"] == "Urbach energy (meV)"
    assert decoded(traces(drawing, "slopes")[0]["y"]) == pytest.approx(
        [14.6, 14.8, 15.0, 15.2, 15.3, 15.1], abs=0.05
    )


def test_the_table_lists_slope_and_energy_of_each_temperature() -> None:
    drawing = drawn()
    assert column(drawing, "Sintering temperature") == list(TEMPERATURES)
    assert column(drawing, "Urbach energy")[2] == pytest.approx(15.0, abs=0.03)
    assert [entry.name for entry in drawing.table].count("sigma") == 2


def test_one_tail_is_drawn_without_a_spread() -> None:
    one = tails((15.0,))
    drawing = drawn(one)
    assert len(traces(drawing, "tail")) == 1
    assert not traces(drawing, "slopes")
    assert "xaxis2" not in drawing.layout


def test_stacked_tails_and_their_lines_are_shifted_together() -> None:
    overlaid, stacked = drawn(), drawn(order="stacked")
    for kind in ("tail", "line"):
        for place, (one, other) in enumerate(zip(traces(overlaid, kind), traces(stacked, kind), strict=True)):
            assert decoded(other["y"]) - decoded(one["y"]) == pytest.approx(0.6 * place)
    assert "each shifted up" in stacked.layout["yaxis"]["title"]["text"]


def test_a_missing_line_leaves_its_data() -> None:
    view = replace(VIEW, lines=[line for line in VIEW.lines if line.name == "tail data"])
    drawing = drawn(view)
    assert len(traces(drawing, "tail")) == len(TEMPERATURES)
    assert not traces(drawing, "line")


def test_nothing_to_draw_is_said() -> None:
    assert "No tail has been found yet" in drawn(View([], [], [], {})).empty

"""PLQY over loading and temperature: the published anchors stand where they must, whatever surrounds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend import figures
from frontend.figures import Drawing, View
from frontend.figures.view_plqy import edges
from tests.frontend.views_by_hand import Bench, column, decoded

LOADINGS, TEMPERATURES = (0.01, 0.05, 0.1, 0.25, 0.4), (175.0, 225.0, 275.0, 300.0, 350.0)
ANCHORS = {(0.05, 275.0): 0.813, (0.25, 350.0): 0.0217, (0.40, 350.0): 0.0123}
SOURCE = "doi:10.1038/s41467-023-43247-6, Fig. 2a"


def published(bench: Bench) -> None:
    for (loading, temperature_c), value in ANCHORS.items():
        place = bench.sample(f"NC-{1000 * loading:.0f}-{temperature_c:.0f}", **at(loading, temperature_c))
        bench.read(place, "plqy", value, origin="published", source=SOURCE)


def at(loading: float | None, temperature_c: float | None) -> dict[str, Any]:
    return {"loading_mass_fraction": loading, "sintering_temperature_c": temperature_c}


def array() -> View:
    bench = Bench()
    published(bench)
    for row, loading in enumerate(LOADINGS):
        for place, temperature_c in enumerate(TEMPERATURES):
            if (loading, temperature_c) not in ANCHORS:
                subject = bench.sample(**at(loading, temperature_c))
                bench.read(subject, "plqy", 0.02 * (1 + row + place), sigma=0.004, origin="simulated")
    return bench.view


def drawn(view: View, **options: str) -> Drawing:
    return figures.get("view_plqy").draw(view, options)


def traces(drawing: Drawing, kind: str) -> list[dict[str, Any]]:
    return [trace for trace in drawing.data if trace["type"] == kind]


def test_each_value_of_the_array_has_its_cell() -> None:
    drawing = drawn(array())
    (heat,) = traces(drawing, "heatmap")
    z = decoded(heat["z"])
    assert z.shape == (5, 5)
    assert np.isfinite(z).all()
    assert z[LOADINGS.index(0.05), TEMPERATURES.index(275)] == pytest.approx(81.3)
    assert np.unravel_index(z.argmax(), z.shape) == (1, 2)


def test_the_loading_axis_is_logarithmic_with_the_levels_as_ticks() -> None:
    drawing = drawn(array())
    (heat,) = traces(drawing, "heatmap")
    assert drawing.layout["yaxis"]["type"] == "log"
    assert drawing.layout["yaxis"]["ticktext"] == ["1", "5", "10", "25", "40"]
    borders = decoded(heat["y"])
    assert borders.size == 6
    assert all(
        low < 100 * level < high for low, level, high in zip(borders, LOADINGS, borders[1:], strict=False)
    )


def test_borders_lie_halfway_between_the_logarithms() -> None:
    assert edges(np.array([1.0, 10.0, 1000.0])) == pytest.approx([10**-0.5, 10**0.5, 100.0, 10000.0])
    low, high = edges(np.array([5.0]))
    assert low < 5 < high


def test_the_published_anchors_carry_their_mark_and_their_source() -> None:
    drawing = drawn(array())
    (marks,) = [t for t in traces(drawing, "scatter") if t.get("meta") == "published"]
    assert marks["marker"]["symbol"] == "diamond-open"
    assert {text.strip().replace("\u202f", " ") for text in marks["text"]} == {"81.3 %", "2.17 %", "1.23 %"}
    assert all(SOURCE in hover for hover in marks["hovertext"])
    assert "Published: 81.3\u202f% at 5\u202f%, 275\u202f°C" in drawing.summary


def test_an_anchor_stays_visible_beside_a_measured_value_of_the_same_cell() -> None:
    bench = Bench()
    published(bench)
    own = bench.sample("VT-OWN", **at(0.0498, 275.4))
    bench.read(own, "plqy", 0.70, sigma=0.01)
    drawing = drawn(bench.view)
    (heat,) = traces(drawing, "heatmap")
    assert np.nanmax(decoded(heat["z"])) == pytest.approx(70.0)
    (marks,) = [t for t in traces(drawing, "scatter") if t.get("meta") == "published"]
    assert decoded(marks["x"]).size == 3
    assert any("VT-OWN" in hover and "81.3" in hover and SOURCE in hover for hover in marks["hovertext"])


def test_what_was_weighed_a_little_off_belongs_to_the_planned_level() -> None:
    bench = Bench()
    for loading in (0.0497, 0.05, 0.0503, 0.1):
        bench.read(bench.sample(**at(loading, 275.0)), "plqy", 0.5)
    (heat,) = traces(drawn(bench.view), "heatmap")
    assert decoded(heat["z"]).shape == (2, 1)


def test_temperatures_in_fine_steps_do_not_run_together_into_one_column() -> None:
    bench = Bench()
    for temperature_c in range(250, 290):
        bench.read(bench.sample(**at(0.05, float(temperature_c))), "plqy", 0.5)
    (heat,) = traces(drawn(bench.view), "heatmap")
    assert decoded(heat["z"]).shape[1] >= 13  # no two in one column are farther apart than 2 °C


def test_cells_that_nobody_made_stay_blank() -> None:
    bench = Bench()
    published(bench)
    (heat,) = traces(drawn(bench.view), "heatmap")
    assert np.isfinite(decoded(heat["z"])).sum() == 3
    assert decoded(heat["z"]).shape == (3, 2)


def test_every_row_of_the_table_leads_to_its_cell_and_sample() -> None:
    drawing = drawn(array())
    assert drawing.table[0].name == "sample"
    assert len(column(drawing, "sample")) == 25
    assert set(column(drawing, "cell")) == set(range(25))
    assert set(column(drawing, "in the colour")) == {"yes"}


@pytest.mark.parametrize(("as_", "count"), [("loading", 5), ("temperature", 5)])
def test_as_lines_every_level_is_a_line_and_published_values_are_never_joined_to_others(
    as_: str, count: int
) -> None:
    drawing = drawn(array(), **{"as": as_})
    longer = [t for t in traces(drawing, "scatter") if t.get("x") != [None] and decoded(t["x"]).size > 1]
    assert len([t for t in longer if t["line"]["dash"] == "dot"]) == count
    marks = [t for t in traces(drawing, "scatter") if t["marker"]["symbol"] == "diamond-open"]
    assert sorted(v for t in marks if t.get("x") != [None] for v in decoded(t["y"])) == pytest.approx(
        [1.23, 2.17, 81.3]
    )


@pytest.mark.parametrize("as_", ["loading", "temperature"])
def test_published_values_are_marks_without_a_line_and_every_level_is_named_once(as_: str) -> None:
    bench = Bench()
    published(bench)
    for loading, limit in ((0.25, 0.5), (0.25, 0.65)):
        bench.read(
            bench.sample(**at(loading, 275.0)), "plqy", limit, comparator=">", origin="published", source="x"
        )
    for loading in LOADINGS:
        for temperature_c in (275.0, 350.0):
            bench.read(bench.sample(**at(loading, temperature_c)), "plqy", 0.3, origin="simulated")
    drawing = drawn(bench.view, **{"as": as_})
    open_ = [t for t in drawing.data if t["marker"]["symbol"] == "diamond-open" and t.get("x") != [None]]
    assert open_
    assert {trace["mode"] for trace in open_} == {"markers"}
    texts = [name["text"] for name in drawing.layout["annotations"]]
    assert len(texts) == len(set(texts))
    assert min(name["y"] for name in drawing.layout["annotations"]) >= 0


def test_rows_that_are_too_low_for_text_keep_their_marks() -> None:
    bench = Bench()
    for loading in (0.01, 0.70, 0.75, 0.80, 0.85):
        bench.read(bench.sample(**at(loading, 275.0)), "plqy", loading / 2)
    drawing = drawn(bench.view)
    (marks,) = [t for t in traces(drawing, "scatter") if t.get("meta") == "measured"]
    assert marks["text"][0].strip() == "0.50\u202f%"
    assert "" in marks["text"][1:]
    assert decoded(marks["x"]).size == 5
    assert (max(marks["marker"]["size"]), min(marks["marker"]["size"])) == (7, 4)  # low rows, small marks
    assert drawing.layout["yaxis"]["ticktext"][:2] == ["1", "70"]
    assert "" in drawing.layout["yaxis"]["ticktext"]


def test_lines_over_loading_stand_on_a_logarithmic_axis_with_their_names_at_its_logarithms() -> None:
    drawing = drawn(array(), **{"as": "loading"})
    assert drawing.layout["xaxis"]["type"] == "log"
    assert all(-0.01 <= name["x"] <= 2 for name in drawing.layout["annotations"])


def test_what_has_no_place_is_left_out_and_said() -> None:
    bench = Bench()
    bench.read(bench.sample(**at(0.05, 275.0)), "plqy", 0.8)
    bench.read(bench.sample(**at(None, 275.0)), "plqy", 0.5)
    bench.read(bench.sample(**at(0.0, 275.0)), "plqy", 0.01)
    drawing = drawn(bench.view)
    assert drawing.notes[0].startswith("1 value is left out: loading or sintering temperature")
    assert "without perovskite" in drawing.notes[1]
    assert len(column(drawing, "sample")) == 1


def test_without_any_value_there_is_a_sentence() -> None:
    assert drawn(Bench().view).empty.startswith("No quantum yield of a sample")


def test_a_limit_is_written_as_one() -> None:
    bench = Bench()
    bench.read(bench.sample(**at(0.25, 275.0)), "plqy", 0.5, comparator=">", origin="published", source="x")
    texts = [t["text"] for t in traces(drawn(bench.view), "scatter") if t.get("meta") == "published"]
    assert [[text.strip() for text in each] for each in texts] == [[">\u202f50.0\u202f%"]]


def test_a_map_of_nothing_but_zeros_is_drawn() -> None:
    bench = Bench()
    bench.read(bench.sample("DARK", **at(0.05, 275.0)), "plqy", 0.0)
    (heat,) = traces(drawn(bench.view), "heatmap")
    assert decoded(heat["z"]).ravel().tolist() == [0.0]

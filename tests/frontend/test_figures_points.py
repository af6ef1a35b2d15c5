"""Figures of values against factors: plain numbers in, a plain Plotly dictionary out."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from frontend import figures
from frontend.figures import Drawing, Points, Quantity
from frontend.figures.lines import spread
from frontend.figures.points import MOST_POINTS

TEMPERATURE = Quantity("sintering_temperature_c", "Sintering temperature", "°C")
PLQY = Quantity("plqy", "PL quantum yield", "1", as_percent=True)
LOADING = Quantity("loading_mass_fraction", "Loading", "1", as_percent=True)
QUENCH = Quantity("quench_medium", "Quench")
TYPES = {"f8": np.float64, "i4": np.int32}


def points(
    x: Any = (250.0, 275.0, 300.0),
    y: Any = (0.535, 0.813, 0.527),
    color: Any = (0.05, 0.05, 0.05),
    origin: Any = ("simulated", "published", "simulated"),
    sigma: Any = (0.004, np.nan, 0.004),
    comparator: Any = None,
    y_is: Quantity = PLQY,
    color_is: Quantity | None = LOADING,
) -> Points:
    def column(values: Any) -> Any:
        return np.array(values, dtype=object if any(isinstance(v, str) for v in values) else np.float64)

    count = len(y)
    return Points(
        x=column(x),
        y=column(y),
        sigma=column(sigma if len(sigma) == count else [np.nan] * count),
        color=None if color is None else column(color),
        code=[f"VT-{row}" for row in range(count)],
        notation=[""] * count,
        origin=list(origin) if len(origin) == count else ["measured"] * count,
        comparator=list(comparator or ["="] * count),
        source=["doi:10.1038/x, Fig. 2a" if o == "published" else "" for o in origin][:count] or [""] * count,
        x_is=TEMPERATURE,
        y_is=y_is,
        color_is=color_is,
    )


def drawn(kind: str, data: Points) -> Drawing:
    return figures.get(kind).draw(data, {})


def decoded(spec: Any) -> Any:
    values = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=TYPES[spec["dtype"]])
    return values.reshape([int(size) for size in spec["shape"].split(",")]) if "shape" in spec else values


def labels(drawing: Drawing) -> list[str]:
    return [text for trace in drawing.data if trace.get("meta") == "cell text" for text in trace["text"]]


def by_name(drawing: Drawing, name: str) -> dict[str, Any]:
    return next(trace for trace in drawing.data if trace.get("name") == name)


def test_every_file_in_the_folder_is_a_figure_and_knows_what_it_takes() -> None:
    assert {"points", "map", "lines", "spectrum"} <= set(figures.registry())
    assert [loaded.key for loaded in figures.taking("points")] == ["points", "map", "lines"]
    with pytest.raises(KeyError, match="known are"):
        figures.get("pie")


def test_origins_keep_their_marks() -> None:
    drawing = drawn("points", points())
    assert by_name(drawing, "published")["marker"]["symbol"] == "diamond-open"
    assert by_name(drawing, "simulated")["marker"]["symbol"].startswith("x")


def test_error_bars_are_one_sigma_in_the_unit_of_the_axis() -> None:
    simulated = by_name(drawn("points", points()), "simulated")
    assert decoded(simulated["error_y"]["array"]) == pytest.approx([0.4, 0.4])
    assert "error_y" not in by_name(drawn("points", points()), "published")


def test_the_hover_tells_sample_value_sigma_unit_factors_and_source() -> None:
    simulated = by_name(drawn("points", points()), "simulated")["hovertext"][0]
    assert "VT-0" in simulated
    assert "53.50 ± 0.40\u202f%" in simulated
    assert "250\u202f°C" in simulated
    published = by_name(drawn("points", points()), "published")["hovertext"][0]
    assert "◇ published, doi:10.1038/x, Fig. 2a" in published


def test_a_value_without_its_factor_is_not_drawn_and_said() -> None:
    drawing = drawn("points", points(x=(250.0, np.nan, 300.0)))
    assert len(drawing.table[0].values) == 2
    assert drawing.notes == [
        "1 value of PL quantum yield is left out: Sintering temperature is not recorded."
    ]


def test_a_value_whose_colour_is_unknown_is_grey_in_points_left_out_of_lines_and_said() -> None:
    data = points(color=(0.05, np.nan, 0.05))
    dots = drawn("points", data)
    assert by_name(dots, "published")["marker"]["color"] == "var(--second)"
    assert dots.notes == ["1 value is drawn in grey: Loading is not recorded."]
    lines = drawn("lines", data)
    assert sum(decoded(trace["x"]).size for trace in lines.data if "customdata" in trace) == 2
    assert lines.notes == ["1 value is left out: Loading is not recorded."]
    assert drawn("map", data).notes == ["1 value is left out: Loading is not recorded."]


def test_words_on_an_axis_stand_under_ticks_of_their_own() -> None:
    drawing = drawn("points", points(color=("liquid_nitrogen", "slow", "slow"), color_is=QUENCH))
    bar = drawing.layout["coloraxis"]["colorbar"]
    assert bar["ticktext"] == ["liquid nitrogen", "slow"]


def test_the_table_is_what_is_drawn_in_the_units_of_the_axes() -> None:
    table = {column.name: column for column in drawn("points", points()).table}
    assert table["PL quantum yield"].unit == "%"
    assert list(table["PL quantum yield"].values) == pytest.approx([53.5, 81.3, 52.7])
    assert table["origin"].values == ["simulated", "published", "simulated"]


def test_the_summary_says_how_many_and_where_the_highest_is() -> None:
    summary = drawn("points", points()).summary
    assert "3 values (1 published, 2 simulated" in summary
    assert "Highest: 81.3\u202f% at Sintering temperature 275\u202f°C" in summary


def test_too_many_points_are_counted_in_bins_and_none_is_lost() -> None:
    count = MOST_POINTS + 500
    rng = np.random.default_rng(3)
    many = points(
        x=rng.uniform(150, 350, count), y=rng.uniform(0, 0.8, count), color=None, origin=["measured"] * count,
        sigma=[np.nan] * count, color_is=None,
    )  # fmt: skip
    drawing = drawn("points", many)
    (heatmap,) = drawing.data
    assert np.nansum(decoded(heatmap["z"])) == count
    assert "too many for single marks" in drawing.notes[0]


def test_a_cell_carries_its_value_and_the_mark_of_its_origin() -> None:
    drawing = drawn("map", points())
    assert "81.3\u202f%" in labels(drawing)
    marks = {trace["marker"]["symbol"] for trace in drawing.data if trace.get("meta") == "cell mark"}
    assert marks == {"diamond-open", "x-thin-open"}
    assert decoded(drawing.data[0]["z"])[0] == pytest.approx([53.5, 81.3, 52.7])


def test_only_simulated_cells_are_hatched() -> None:
    (hatched,) = [trace for trace in drawn("map", points()).data if trace["type"] == "bar"]
    assert list(decoded(hatched["x"])) == [0, 2]


def test_origins_are_never_mixed_in_a_cell() -> None:
    mixed = points(
        x=(275.0, 275.0),
        y=(0.813, 0.4),
        color=(0.05, 0.05),
        origin=("published", "simulated"),
        sigma=(np.nan, 0.1),
    )
    drawing = drawn("map", mixed)
    assert labels(drawing) == ["81.3\u202f%"]
    assert "40 ± 10\u202f%" in drawing.data[0]["hovertext"][0][0]


def test_samples_of_one_origin_in_a_cell_give_their_mean_and_say_so() -> None:
    twins = points(
        x=(275.0, 275.0), y=(0.6, 0.7), color=(0.05, 0.05), origin=("measured", "measured"), sigma=(0, 0)
    )
    drawing = drawn("map", twins)
    assert labels(drawing) == ["65.0\u202f%"]
    assert "Mean of 2 samples" in drawing.data[0]["hovertext"][0][0]


def test_a_limit_stays_a_limit_and_enters_no_mean() -> None:
    limits = points(
        x=(275.0, 275.0), y=(0.5, 0.65), color=(0.25, 0.25), origin=("published", "published"),
        sigma=(np.nan, np.nan), comparator=(">", ">"),
    )  # fmt: skip
    assert labels(drawn("map", limits)) == [">\u202f65.0\u202f%"]


def test_large_numbers_are_written_in_units_that_the_colour_bar_names() -> None:
    height = Quantity("pl_peak_height", "PL peak height", "counts")
    drawing = drawn("map", points(y=(1.5e6, 2.2e4, 3.0e5), y_is=height))
    assert sorted(labels(drawing)) == ["0.022", "0.300", "1.50"]
    assert "10⁶\u202fcounts" in drawing.data[0]["colorbar"]["title"]["text"]


def test_a_map_without_a_second_factor_asks_for_one() -> None:
    assert "choose one for colour" in drawn("map", points(color=None, color_is=None)).empty


def test_lines_join_one_colour_and_one_origin_in_order_of_x() -> None:
    drawing = drawn("lines", points(x=(300.0, 275.0, 250.0)))
    simulated = next(trace for trace in drawing.data if trace.get("line", {}).get("dash") == "dot")
    assert list(decoded(simulated["x"])) == [250.0, 300.0]


def test_names_of_lines_lie_apart_and_near_their_ends() -> None:
    moved = spread([1.0, 1.01, 1.02, 5.0], gap=0.5)
    assert np.diff(moved).min() >= 0.5 - 1e-12
    assert np.mean(moved[:3]) == pytest.approx(1.01)
    assert moved[3] == 5.0


def test_markup_in_a_code_is_shown_and_not_obeyed() -> None:
    data = points()
    data = figures.Points(**{**vars(data), "code": ["<img src=x>", "b", "c"]})
    assert "&lt;img" in by_name(drawn("points", data), "simulated")["hovertext"][0]


def test_figures_name_tokens_and_no_colours_of_the_page() -> None:
    layout = drawn("points", points()).layout
    assert layout["font"]["color"] == "var(--ink)"
    assert layout["xaxis"]["gridcolor"].startswith("var(--")


def test_names_of_lines_stand_at_their_ends_whatever_is_left_out() -> None:
    """A value without a colour is not drawn, and must not push the names apart."""
    n = 8
    data = points(
        x=[*[200.0, 300.0] * n, 200.0],
        y=[*np.repeat(np.arange(n) / 10, 2), 500.0],
        color=[*np.repeat(np.arange(1, n + 1) / 100, 2), np.nan],
        origin=(),
    )
    *names, _ = drawn("lines", data).layout["annotations"]
    ends = [100 * place / 10 for place in range(n)]
    assert [name["y"] for name in names] == pytest.approx(ends, abs=5)

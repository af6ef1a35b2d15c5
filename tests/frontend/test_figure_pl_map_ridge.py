"""The map of relative PL intensity: the published maxima of the demo's array, blank cells, and origins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from frontend import figures
from frontend.figures import Drawing, View
from frontend.figures._ridge_labels import distance
from tests.frontend.pl_views import LOADINGS, TEMPERATURES, array, column, decoded, traces

FIGURE = figures.get("view_pl_map_ridge")
FULL_LOADINGS = (0.01, 0.05, 0.10, 0.25, 0.40, 0.60, 0.85)


def drawn(view: View | None = None, **options: str) -> Drawing:
    return FIGURE.draw(view or array(curves=False), options)


def without(view: View, *codes: str) -> View:
    gone = {place for place, subject in enumerate(view.subjects) if subject.code in codes}
    return replace(view, readings=[r for r in view.readings if r.subject not in gone])


def only(view: View, *keys: str) -> View:
    return replace(view, readings=[r for r in view.readings if r.property in keys])


def test_the_row_maxima_are_300_275_and_225_degrees_and_the_brightest_is_at_25_percent() -> None:
    summary = drawn().summary
    assert "Brightest: 25\u202f%, 275\u202f°C" in summary
    assert "300 °C at 1\u202f%" in summary
    assert "275 °C at 25\u202f%" in summary
    assert "225 °C at 85\u202f%" in summary


def test_of_many_levels_some_are_named_and_their_names_stay_in_place() -> None:
    many = tuple(150.0 + 4 * step for step in range(50))
    axis = drawn(array((0.05, 0.25), many, curves=False)).layout["xaxis"]
    assert len(axis["ticktext"]) <= 17
    assert axis["ticktext"][:2] == ["150", "162"]
    assert axis["tickvals"][:2] == [0, 3]


def test_the_highest_quantum_yield_is_framed_where_it_is() -> None:
    drawing = drawn(array(FULL_LOADINGS, curves=False))
    brightest, highest = traces(drawing, "maximum")
    assert brightest["name"].startswith("brightest: 25\u202f%, 275")
    assert highest["name"].startswith("highest PLQY, 8")
    assert highest["name"].endswith("5\u202f%, 275\u202f°C")
    assert np.mean(highest["x"][:4]) == pytest.approx(TEMPERATURES.index(275.0))
    assert np.mean(highest["y"][:4]) == pytest.approx(FULL_LOADINGS.index(0.05))


def test_the_brightest_cell_is_100_percent_and_no_cell_is_more() -> None:
    z = decoded(next(trace for trace in drawn().data if trace["type"] == "heatmap")["z"])
    assert z.shape == (len(LOADINGS), len(TEMPERATURES))
    assert np.nanmax(z) == 100
    assert z[LOADINGS.index(0.25), TEMPERATURES.index(275.0)] == 100


def test_a_missing_cell_stays_blank_and_is_counted() -> None:
    drawing = drawn(without(array(curves=False), "VT-40-250", "VT-1-200"))
    z = decoded(next(trace for trace in drawing.data if trace["type"] == "heatmap")["z"])
    assert np.isnan(z).sum() == 2
    assert np.isnan(z[LOADINGS.index(0.40), TEMPERATURES.index(250.0)])
    assert "2 of 30 cells are blank: no sample was measured there." in drawing.notes
    (numbers,) = traces(drawing, "cell text")
    assert len(numbers["text"]) == 28
    assert len(column(drawing, "sample")) == 28


def test_the_ridge_runs_within_half_a_step_of_the_row_maxima() -> None:
    drawing = drawn()
    (ridge,) = traces(drawing, "ridge")
    x, y = decoded(ridge["x"]), decoded(ridge["y"])
    assert y.tolist() == [0, 1, 2, 3, 4]
    best = [column(drawing, "row maximum")[6 * row : 6 * row + 6].index("yes") for row in range(5)]
    assert np.max(np.abs(x - best)) <= 0.5
    assert np.all(np.diff(x) <= 0)


def test_no_number_stands_on_the_ridge_and_each_leads_to_the_sample_of_its_cell() -> None:
    drawing = drawn()
    (ridge,), (numbers,) = traces(drawing, "ridge"), traces(drawing, "cell text")
    line = np.column_stack([decoded(ridge["x"]), decoded(ridge["y"])])
    at = np.column_stack([decoded(numbers["x"]), decoded(numbers["y"])])
    assert min(distance(line, x, y) for x, y in at.tolist()) > 0.2
    assert decoded(numbers["customdata"]).tolist() == list(range(30))
    place = column(drawing, "sample").index("VT-25-275")
    assert numbers["text"][place] == "100"
    assert np.abs(at[place] - [TEMPERATURES.index(275.0), LOADINGS.index(0.25)]).max() < 0.5
    assert "VT-25-275" in numbers["hovertext"][place]


def test_a_quantum_yield_is_written_to_the_digit_of_its_sigma() -> None:
    view = array(FULL_LOADINGS, curves=False)
    yields = {"VT-5-275": (0.81314159, 0.0042)}
    codes = [subject.code for subject in view.subjects]
    readings = [
        replace(r, value=yields[codes[r.subject]][0], sigma=sigma)
        if r.property == "plqy" and codes[r.subject] in yields
        else r
        for r in view.readings
        for sigma in [yields.get(codes[r.subject], (0, np.nan))[1]]
    ]
    assert "highest, 81.31 ± 0.42\u202f%, at" in drawn(replace(view, readings=readings)).summary
    unsure = [replace(r, sigma=np.nan) for r in readings]
    assert "highest, 81.3\u202f%, at" in drawn(replace(view, readings=unsure)).summary


def test_counts_not_divided_by_time_and_power_are_drawn_with_a_warning() -> None:
    plain = only(array(curves=False), "pl_integrated_intensity")
    assert any("must have been taken alike" in note for note in drawn(plain).notes)
    assert not any("taken alike" in note for note in drawn().notes)


def test_brightness_of_a_few_samples_does_not_stand_for_all() -> None:
    view = array(curves=False)
    few = [r for r in view.readings if r.property != "pl_brightness" or r.subject < 3]
    drawing = drawn(replace(view, readings=few))
    assert len(column(drawing, "sample")) == 30
    assert any("must have been taken alike" in note for note in drawing.notes)


def test_origins_are_never_mixed_in_a_cell_and_simulated_ones_are_marked() -> None:
    measured = array(curves=False)
    simulated = [replace(r, origin="simulated", value=1e12) for r in measured.readings if r.subject < 6]
    drawing = drawn(replace(measured, readings=[*measured.readings, *simulated]))
    assert set(column(drawing, "origin")) == {"measured"}
    drawing = drawn(array(curves=False, origin="simulated"))
    assert "simulated" in [trace.get("name") for trace in drawing.data]


def test_another_perovskite_is_left_out_and_said() -> None:
    view = array(curves=False)
    subjects = [replace(s, factors={**s.factors, "perovskite": "CsPbI3"}) for s in view.subjects]
    bromide = replace(subjects[0], factors={**subjects[0].factors, "perovskite": "CsPbBr3"})
    bright = replace(view.readings[0], subject=len(subjects), value=1e15)
    drawing = drawn(replace(view, subjects=[*subjects, bromide], readings=[bright, *view.readings]))
    assert "Brightest: 25\u202f%, 275\u202f°C" in drawing.summary
    assert "Drawn are samples of CsPbI₃; 1 sample of another perovskite is left out." in drawing.notes


def test_the_sample_that_was_made_as_usual_stands_for_its_cell() -> None:
    view = array(curves=False)
    subjects = [replace(s, factors={**s.factors, "milling_duration_min": 60.0}) for s in view.subjects]
    odd = replace(subjects[0], code="VT-odd", factors={**subjects[0].factors, "milling_duration_min": 600.0})
    bright = replace(view.readings[0], subject=len(subjects), value=1e15)
    drawing = drawn(replace(view, subjects=[*subjects, odd], readings=[bright, *view.readings]))
    assert "VT-odd" not in column(drawing, "sample")


def test_the_logarithmic_scale_shows_faint_cells_and_says_where_it_ends() -> None:
    drawing = drawn(colour="log")
    heat = next(trace for trace in drawing.data if trace["type"] == "heatmap")
    assert decoded(heat["z"]).max() == pytest.approx(2)
    assert heat["zmin"] == pytest.approx(-1)
    assert any("darkest colour" in note for note in drawing.notes)


def test_two_samples_are_a_small_map_without_a_ridge() -> None:
    drawing = drawn(array((0.25,), (250.0, 275.0), curves=False))
    assert not traces(drawing, "ridge")
    assert "Brightest: 25\u202f%, 275\u202f°C" in drawing.summary


def test_nothing_to_draw_is_said() -> None:
    assert "No sample has a PL intensity" in drawn(View([], [], [], {})).empty
    dark = [replace(r, value=-1.0) for r in array(curves=False).readings]
    assert drawn(replace(array(curves=False), readings=dark)).empty == "No PL intensity is above zero."

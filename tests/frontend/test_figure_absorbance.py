"""Absorption along a row of the array: curves, edges, the inset of band gaps, and states with little data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis import methods
from frontend import figures
from frontend.figures import Line, Quantity, Reading, Subject, View
from frontend.figures._points import plain
from measurements.data import Axis, Dataset, Signal
from tests.frontend.views_by_hand import column, decoded

ABSORBANCE = figures.get("view_absorbance")
NM, EV = Quantity("wavelength", "Wavelength", "nm"), Quantity("photon energy", "Photon energy", "eV")
TEMPERATURES = (175.0, 225.0, 275.0, 300.0)
X = np.arange(360.0, 801.0)


def planted(place: int, temperature_c: float, two: bool) -> tuple[list[Line], list[Reading]]:
    """What the methods leave of an edge that moves by 0.1 nm a degree."""
    center = 690 + 0.1 * (temperature_c - 175)
    y = 0.8 / (1 + np.exp((X - center) / 8)) + (0.6 / (1 + np.exp((X - 430) / 6)) if two else 0)
    noisy = y + np.random.default_rng(place).normal(0, 2e-3, X.size)
    given = {"sample": Dataset(Signal("Absorbance", "1", noisy), (Axis("Wavelength", "nm", X),))}
    lines, readings = [], []
    for key in ("uvvis_edge", "uvvis_tauc"):
        loaded = methods.get(key)
        outcome = loaded.run(given, methods.parse_params(loaded, {}))
        lines += [
            Line(
                place,
                place + 1,
                c.name,
                c.x,
                c.y,
                NM if c.x_unit == "nm" else EV,
                Quantity("a", "Absorbance"),
            )
            for c in outcome.curves
        ]
        readings += [
            Reading(place, v.property, v.component, v.value, v.sigma, "measured") for v in outcome.values
        ]
    return lines, readings


def array(temperatures=TEMPERATURES, two_at=(175.0,), known=True) -> View:
    subjects, lines, readings = [], [], []
    for place, temperature_c in enumerate(temperatures):
        factors = {"sintering_temperature_c": temperature_c, "loading_mass_fraction": 0.25} if known else {}
        subjects.append(Subject(f"VT-{temperature_c:g}", "", factors))
        found = planted(place, temperature_c, temperature_c in two_at)
        lines += found[0]
        readings += found[1]
    return View(subjects, readings, lines, {})


def traces(drawing, meta):
    return [trace for trace in drawing.data if trace.get("meta") == meta]


def test_every_temperature_is_a_curve_with_a_mark_where_its_edge_begins():
    drawing = ABSORBANCE.draw(array(), {})
    assert [trace["name"].replace("\u202f", " ") for trace in traces(drawing, "spectrum")] == [
        "175 °C", "225 °C", "275 °C", "300 °C"
    ]  # fmt: skip
    hot = decoded(traces(drawing, "edges")[-1]["x"])
    assert hot == pytest.approx([702.5 + 16], abs=1)


def test_two_edges_at_175_degrees_are_two_marks_named_by_phase():
    drawing = ABSORBANCE.draw(array(), {})
    cold = traces(drawing, "edges")[0]
    assert sorted(decoded(cold["x"])) == pytest.approx([442, 706], abs=1.5)
    assert any("δ" in text for text in cold["hovertext"])
    assert "δ" in drawing.summary


def test_the_names_of_edges_touch_no_curve_and_not_each_other():
    drawing = ABSORBANCE.draw(array(), {})
    named = [note for note in drawing.layout["annotations"] if "arrowhead" in note]
    assert len(named) >= 3
    x_range, y_range = (drawing.layout[axis]["range"] for axis in ("xaxis", "yaxis"))
    boxes = []
    for note in named:
        x = (note["ax"] - x_range[0]) / (x_range[1] - x_range[0]) * 420
        y = (note["ay"] - y_range[0]) / (y_range[1] - y_range[0]) * 300
        wide = 6.6 * len(plain(note["text"])) * (1 if note["xanchor"] == "left" else -1)
        boxes.append((min(x, x + wide), max(x, x + wide), y - 7, y + 7))
    for one, (left, right, low, high) in enumerate(boxes):
        assert left >= 0
        assert right <= 420
        for other in boxes[one + 1 :]:
            assert right <= other[0] or other[1] <= left or high <= other[2] or other[3] <= low
        for curve in traces(drawing, "spectrum"):
            at = (decoded(curve["x"]) - x_range[0]) / (x_range[1] - x_range[0]) * 420
            up = (decoded(curve["y"]) - y_range[0]) / (y_range[1] - y_range[0]) * 300
            assert not np.any((at > left) & (at < right) & (up > low) & (up < high))


def test_the_inset_shows_the_gap_against_temperature():
    drawing = ABSORBANCE.draw(array(), {})
    single, gamma = traces(drawing, "gaps")
    assert decoded(single["x"]).tolist() == [225, 275, 300]
    assert (decoded(gamma["x"]).tolist(), gamma["name"]) == ([175], "E<sub>g</sub> γ")
    gaps = decoded(single["y"])
    assert np.all(np.diff(gaps) < 0)
    assert gaps[-1] == pytest.approx(1240 / 718.5, abs=0.003)
    assert drawing.layout["xaxis2"]["anchor"] == "y2"


def test_a_gap_far_from_all_others_is_told_and_does_not_press_them_into_a_line():
    drawing = ABSORBANCE.draw(array(), {})
    (told,) = [note for note in drawing.notes if "Outside the panel" in note]
    assert "Eg δ 2.8" in told
    assert told.endswith("at 175\u202f°C.")


def test_one_sample_has_no_inset():
    drawing = ABSORBANCE.draw(array((275.0,)), {})
    assert not traces(drawing, "gaps")
    assert "xaxis2" not in drawing.layout


@pytest.mark.parametrize("gap", ["direct", "indirect"])
def test_the_tauc_plot_runs_over_energy_and_marks_the_gap_on_its_axis(gap):
    drawing = ABSORBANCE.draw(array(two_at=()), {"show": gap})
    assert drawing.layout["xaxis"]["title"]["text"] == "Photon energy (eV)"
    marks = traces(drawing, "edges")
    assert len(marks) >= 3
    assert all(1.5 < decoded(mark["x"])[0] < 1.85 and decoded(mark["y"])[0] == 0 for mark in marks)


def test_the_tauc_plots_of_two_edges_are_one_curve_with_a_gap():
    drawing = ABSORBANCE.draw(array((175.0, 225.0)), {"show": "indirect"})
    both = traces(drawing, "spectrum")[0]
    x, y = decoded(both["x"]), decoded(both["y"])
    assert np.isnan(y).sum() == 1
    assert x.min() < 1.8 < 2.8 < x.max()
    assert not any("more curve" in note for note in drawing.notes)


def test_normalised_curves_reach_one():
    drawing = ABSORBANCE.draw(array(), {"height": "normalised"})
    assert [decoded(trace["y"]).max() for trace in traces(drawing, "spectrum")] == pytest.approx([1] * 4)


def test_the_table_holds_what_is_drawn():
    drawing = ABSORBANCE.draw(array(), {})
    drawn = np.concatenate([decoded(trace["y"]) for trace in traces(drawing, "spectrum")])
    assert column(drawing, "Absorbance") == pytest.approx(drawn)
    assert {len(each.values) for each in drawing.table} == {drawn.size}


def test_without_spectra_or_without_temperatures_the_view_says_so():
    assert "no analysed" in ABSORBANCE.draw(View([], [], [], {}), {}).empty
    assert "known sintering temperature" in ABSORBANCE.draw(array((275.0,), known=False), {}).empty


@pytest.mark.filterwarnings("error")
def test_a_spectrum_without_any_number_is_not_drawn():
    given = array()
    last = given.lines[-1].subject
    lines = [replace(line, y=line.y * np.nan) if line.subject == last else line for line in given.lines]
    drawing = ABSORBANCE.draw(View(given.subjects, given.readings, lines, {}), {"height": "normalised"})
    assert len(traces(drawing, "spectrum")) == len(TEMPERATURES) - 1

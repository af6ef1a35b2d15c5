"""PL spectra along a row of the array: which are drawn, how they are turned, named, and where maxima go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from frontend import figures
from frontend.demo import forward
from frontend.figures import Drawing, View
from frontend.figures._pl_views import smoothed
from frontend.figures._template import worded
from tests.frontend.pl_views import LOADING, SINTERING, TEMPERATURES, array, column, decoded, texts, traces

FIGURE = figures.get("view_pl_spectra")


def drawn(view: View | None = None, **options: str) -> Drawing:
    return FIGURE.draw(view or array(), options)


def test_the_row_through_the_published_maximum_is_drawn_along_temperature() -> None:
    drawing = drawn()
    assert [trace["name"] for trace in traces(drawing, "spectrum")] == [
        f"{t:g}\u202f°C" for t in TEMPERATURES
    ]
    assert set(column(drawing, "Loading")) == {25.0}
    assert any("Drawn at loading 25\u202f%; narrow it to see 1\u202f%" in note for note in drawing.notes)


def test_along_loading_the_row_at_275_degrees_is_drawn() -> None:
    drawing = drawn(along=LOADING)
    assert [trace["name"] for trace in traces(drawing, "spectrum")][:2] == ["1\u202f%", "10\u202f%"]
    assert set(column(drawing, "Sintering temperature")) == {275.0}
    assert drawing.layout["xaxis2"]["title"]["text"] == "Loading (%)"


def test_each_normalised_spectrum_reaches_one_and_stands_on_zero() -> None:
    for trace in traces(drawn(), "spectrum"):
        y = decoded(trace["customdata"])
        assert y.max() == pytest.approx(1, abs=0.005)
        assert y[:5] == pytest.approx(0, abs=0.002)


def test_absolute_spectra_are_the_counts_of_the_file() -> None:
    drawing = drawn(height="absolute", order="overlaid")
    planted = forward.planted_line(0.25, 275.0).counts(forward.WAVELENGTH_NM)
    y = decoded(traces(drawing, "spectrum")[TEMPERATURES.index(275.0)]["y"])
    assert y == pytest.approx(planted)
    assert drawing.layout["yaxis"]["title"]["text"] == "PL intensity (counts)"


def test_stacked_curves_are_shifted_and_the_table_says_by_how_much() -> None:
    drawing = drawn()
    first, second = (traces(drawing, "spectrum")[place] for place in (0, 1))
    shift = decoded(second["y"]) - decoded(second["customdata"])
    assert np.ptp(shift) < 1e-12
    assert shift[0] > 0.3
    assert decoded(first["y"]) == pytest.approx(decoded(first["customdata"]))
    assert max(column(drawing, "shifted up by")) == pytest.approx(5 * shift[0])
    overlaid = drawn(order="overlaid")
    assert set(column(overlaid, "shifted up by")) == {0.0}


def test_over_energy_the_area_stays_what_it_was() -> None:
    nm, ev = drawn(height="absolute", order="overlaid"), drawn(height="absolute", order="overlaid", unit="ev")
    for one, other in zip(traces(nm, "spectrum"), traces(ev, "spectrum"), strict=True):
        area_nm = np.trapezoid(decoded(one["y"]), decoded(one["x"]))
        x = decoded(other["x"])
        assert np.all(np.diff(x) > 0)
        assert np.trapezoid(decoded(other["y"]), x) == pytest.approx(area_nm, rel=1e-4)
    assert ev.layout["xaxis"]["title"]["text"] == "Photon energy (eV)"
    assert any("λ²/hc" in note for note in ev.notes)


def test_every_curve_is_named_at_its_end_in_its_colour() -> None:
    drawing = drawn()
    spectra = traces(drawing, "spectrum")
    assert texts(drawing) == [trace["name"] for trace in spectra]
    for note, trace in zip(drawing.layout["annotations"], spectra, strict=True):
        assert note["font"]["color"] == worded(trace["line"]["color"])
        assert note["y"] == pytest.approx(decoded(trace["y"])[-1], abs=0.01)


def test_the_maxima_are_tracked_with_their_sigmas_in_the_unit_of_the_axis() -> None:
    (nm,), (ev,) = traces(drawn(), "peaks"), traces(drawn(unit="ev"), "peaks")
    assert decoded(nm["x"]).tolist() == list(TEMPERATURES)
    assert decoded(nm["error_y"]["array"]) == pytest.approx(0.05)
    assert 1.7 < decoded(ev["y"])[0] < 1.9
    assert "The maximum moves from" in drawn().summary


def test_without_known_maxima_the_spectra_take_the_whole_width() -> None:
    drawing = drawn(replace(array(), readings=[]))
    assert not traces(drawing, "peaks")
    assert "xaxis2" not in drawing.layout
    assert drawing.layout["xaxis"]["domain"][1] > 0.9


def test_the_table_is_exactly_what_is_drawn() -> None:
    drawing = drawn(height="absolute")
    points = np.concatenate([decoded(trace["customdata"]) for trace in traces(drawing, "spectrum")])
    assert column(drawing, "PL intensity") == pytest.approx(points.tolist())
    assert len({len(column.values) for column in drawing.table}) == 1


def test_measured_spectra_stand_before_simulated_ones_of_the_same_level() -> None:
    measured = array((0.25,))
    simulated = [
        replace(line, origin="simulated", measurement=line.measurement + 100) for line in measured.lines
    ]
    both = replace(measured, lines=[*simulated, *measured.lines[:3]])
    drawing = drawn(both)
    assert column(drawing, "origin").count("measured") == 3 * forward.WAVELENGTH_NM.size
    assert "300\u202f°C ✕" in texts(drawing)
    assert any("3 more curves of the same levels" in note for note in drawing.notes)


def test_series_and_calibrations_are_no_spectra_of_the_row() -> None:
    view = array((0.25,))
    lines = [
        replace(view.lines[0], series=5.0),
        replace(view.lines[1], conditions={"role": "dark"}),
        *view.lines[2:],
    ]
    assert len(traces(drawn(replace(view, lines=lines)), "spectrum")) == len(TEMPERATURES) - 2


def test_a_sample_without_its_temperature_is_left_out_and_said() -> None:
    view = array((0.25,))
    unknown = replace(view.subjects[0], factors={LOADING: 0.25})
    drawing = drawn(replace(view, subjects=[unknown, *view.subjects[1:]]))
    assert len(traces(drawing, "spectrum")) == len(TEMPERATURES) - 1
    assert "1 curve is left out: sintering temperature is not recorded." in drawing.notes


def test_spectra_of_another_perovskite_are_left_out_and_said() -> None:
    view = array((0.25,))
    subjects = [replace(s, factors={**s.factors, "halide": "I"}) for s in view.subjects]
    subjects[2] = replace(subjects[2], factors={**subjects[2].factors, "halide": "Br"})
    drawing = drawn(replace(view, subjects=subjects))
    assert len(traces(drawing, "spectrum")) == len(TEMPERATURES) - 1
    assert "Drawn are samples of I; 1 sample of another perovskite is left out." in drawing.notes


def test_one_spectrum_is_drawn_alone() -> None:
    drawing = drawn(array((0.25,), (275.0,)))
    assert len(traces(drawing, "spectrum")) == 1
    assert set(column(drawing, "shifted up by")) == {0.0}


def test_nothing_has_a_sentence_for_each_reason() -> None:
    assert drawn(View([], [], [], {})).empty == "There are no PL spectra over wavelength yet."
    view = array((0.25,))
    nowhere = [replace(subject, factors={}) for subject in view.subjects]
    assert "known sintering temperature" in drawn(replace(view, subjects=nowhere)).empty
    assert SINTERING in FIGURE.figure.factors


def test_the_height_of_a_peak_survives_smoothing() -> None:
    x = np.arange(-20.0, 21.0)
    narrow = np.exp(-0.5 * (x / 3) ** 2)
    assert smoothed(narrow).max() == pytest.approx(1, abs=0.005)  # a running mean over five points: 0.90
    noise = np.random.default_rng(3).normal(0, 1, 4000)
    assert smoothed(noise).std() < 0.72

"""Decays lie on each other at their maxima, residuals stand beneath, lifetimes beside."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from analysis.methods import trpl
from frontend import figures
from frontend.figures import Drawing, Line, Quantity, Reading, Subject, View, _trpl_decays
from tests.analysis.decay_reference import decay, expected, irf, photons
from tests.frontend.views_by_hand import column, decoded

FIGURE = figures.get("view_trpl")
TIME = Quantity("time", "Time", "ns")
COUNTS = Quantity("counts", "Counts", "counts")
MEDIA = ("furnace", "air", "water", "liquid_nitrogen")  # the published order: lifetime rises with speed
TEMPERATURES = (200.0, 250.0, 300.0, 350.0)
TAUS = (8.0, 15.0, 24.0, 40.0)


@cache
def view() -> View:
    """Four samples whose lifetimes rise, fitted by the method itself; thinned as the loader thins."""
    subjects, readings, lines = [], [], []
    for place, (tau, medium, sintering) in enumerate(zip(TAUS, MEDIA, TEMPERATURES, strict=True)):
        subjects.append(
            Subject(f"VT-{place}", "", {"quench_medium": medium, "sintering_temperature_c": sintering})
        )
        y = photons(expected((tau,), (1.0,), peak=2000 * (place + 1)), place)
        outcome = trpl.run({"sample": decay(y), "irf": irf()}, trpl.Params(model="1"))
        for result in outcome.values:
            readings.append(
                Reading(place, result.property, result.component, result.value, result.sigma, "measured")
            )
        for curve in outcome.curves:
            keep = np.unique(np.linspace(0, curve.x.size - 1, 1500).round().astype(int))
            lines.append(Line(place, place + 1, curve.name, curve.x[keep], curve.y[keep], TIME, COUNTS))
    return View(subjects, readings, lines, {})


def drawn(given: View | None = None, **options: str) -> Drawing:
    return FIGURE.draw(given or view(), options)


def traces(drawing: Drawing, meta: str) -> list[dict]:
    return [trace for trace in drawing.data if trace.get("meta") == meta]


def test_every_decay_has_its_maximum_at_zero_and_one_on_a_logarithmic_axis():
    drawing = drawn()
    assert drawing.layout["yaxis"]["type"] == "log"
    data = traces(drawing, "data")
    assert len(data) == 4
    for trace in data:
        x, y = decoded(trace["x"]), decoded(trace["y"])
        assert y.max() == pytest.approx(1)
        assert x[np.argmax(y)] == pytest.approx(0)
        assert (y > 0).all()


def test_two_decays_of_one_temperature_are_told_apart_and_what_was_not_measured_is_marked() -> None:
    def named(*media: str) -> list[str]:
        subjects = [
            Subject(f"VT-{place}", "", {"quench_medium": medium, "sintering_temperature_c": 275.0})
            for place, medium in enumerate(media)
        ]
        lines = [line for line in view().lines if line.subject < len(media)]
        origins = [replace(line, origin="simulated" if line.subject else "measured") for line in lines]
        decays, _ = _trpl_decays.decays_of(View(subjects, [], origins, {}), "sintering_temperature_c")
        return [each.name for each in decays]

    assert named("water") == ["275\u202f°C"]
    assert named("water", "slow") == ["275\u202f°C, water", "275\u202f°C, slow ✕"]
    assert named("water", "water", "slow") == [
        "275\u202f°C, VT-0",
        "275\u202f°C, VT-1 ✕",
        "275\u202f°C, slow ✕",
    ]


def test_the_csv_holds_every_curve_that_is_drawn_under_its_quantity():
    for scale, counts in (("relative", "counts over their maximum"), ("counts", "counts")):
        drawing = drawn(scale=scale)
        assert drawing.curves is not None
        headings = {meta: drawing.curves.y.get(meta) for meta in ("data", "fit", "irf", "residual")}
        assert headings.pop("residual") == "residual (standard deviations)"
        assert set(headings.values()) == {counts}
        others = [trace for trace in drawing.data if trace.get("meta") not in drawing.curves.y]
        assert not any(trace.get("mode") == "lines" and len(decoded(trace["x"])) for trace in others)


def test_counts_stay_counts_when_asked():
    heights = [decoded(trace["y"]).max() for trace in traces(drawn(scale="counts"), "data")]
    assert heights == sorted(heights)
    assert heights[0] == pytest.approx(2000, rel=0.1)
    assert drawn(scale="counts").layout["yaxis"]["title"]["text"] == "Counts"


def test_the_fit_runs_through_the_data_and_the_residual_is_in_sigmas_beneath():
    drawing = drawn()
    for data, fit in zip(traces(drawing, "data"), traces(drawing, "fit"), strict=True):
        x = decoded(fit["x"])
        middle = (x > 1) & (x < 10)
        measured = np.interp(x[middle], decoded(data["x"]), decoded(data["y"]))
        assert np.median(np.abs(np.log(measured / decoded(fit["y"])[middle]))) < 0.05
    for residual in traces(drawing, "residual"):
        assert residual["yaxis"] == "y2"
        assert np.std(decoded(residual["y"])) == pytest.approx(1, abs=0.15)
    assert drawing.layout["yaxis2"]["domain"][1] < drawing.layout["yaxis"]["domain"][0]


def test_one_response_is_drawn_before_the_decay():
    (response,) = traces(drawn(), "irf")
    x, y = decoded(response["x"]), decoded(response["y"])
    assert y.max() == pytest.approx(1, rel=0.03)  # the thinned data may have lost their maximum
    assert -1 < x[np.argmax(y)] < 0.1


def test_lifetimes_stand_beside_in_the_colour_of_their_decay():
    drawing = drawn()
    (lifetimes,) = traces(drawing, "lifetimes")
    assert decoded(lifetimes["x"]).tolist() == list(TEMPERATURES)
    assert decoded(lifetimes["y"]) == pytest.approx(TAUS, rel=0.1)
    assert (decoded(lifetimes["error_y"]["array"]) > 0).all()
    assert lifetimes["marker"]["color"] == [trace["marker"]["color"] for trace in traces(drawing, "data")]
    assert "from 8.0" in drawing.summary or "from 7.9" in drawing.summary
    assert "4 fitted through the response" in drawing.summary


def test_the_quench_is_ordered_by_its_speed():
    layout = drawn(along="quench_medium").layout
    assert layout["xaxis2"]["ticktext"] == ["liquid nitrogen", "water", "air", "furnace"]
    names = [note["text"] for note in layout["annotations"]]
    assert names == ["liquid nitrogen", "water", "air", "furnace"]


def test_the_table_holds_all_three_lifetimes_of_every_sample():
    drawing = drawn()
    assert column(drawing, "sample") == ["VT-0", "VT-1", "VT-2", "VT-3"]
    assert column(drawing, "Lifetime by amplitude") == pytest.approx(TAUS, rel=0.1)
    assert column(drawing, "Decay to 1/e") == pytest.approx(TAUS, rel=0.1)


def test_a_sample_of_unknown_temperature_keeps_its_decay_and_loses_its_lifetime():
    known = view()
    subjects = [replace(known.subjects[0], factors={}), *known.subjects[1:]]
    drawing = drawn(replace(known, subjects=subjects))
    assert len(traces(drawing, "data")) == 4
    assert "VT-0" in [note["text"] for note in drawing.layout["annotations"]]
    assert decoded(traces(drawing, "lifetimes")[0]["x"]).size == 3
    assert any("1 lifetime is left out" in note for note in drawing.notes)


def test_published_lifetimes_are_drawn_without_any_decay():
    known = view()
    readings = [replace(r, origin="published", sigma=float("nan")) for r in known.readings]
    drawing = drawn(replace(known, lines=[], readings=readings))
    (lifetimes,) = traces(drawing, "lifetimes")
    assert set(lifetimes["marker"]["symbol"]) == {"diamond-open"}
    assert "decay" not in drawing.summary.split(":")[0]
    assert drawing.layout["xaxis2"]["domain"] == [0.0, 1.0]
    assert not drawing.layout["xaxis"]["visible"], "no empty panel stands for decays"


def test_more_decays_than_can_be_told_apart_are_thinned_and_said():
    known = view()
    subjects = [Subject(f"VT-{n}", "", {"sintering_temperature_c": 200.0 + n}) for n in range(20)]
    base = [line for line in known.lines if line.subject == 0]
    lines = [replace(line, subject=n, measurement=n + 1) for n in range(20) for line in base]
    drawing = drawn(View(subjects, [], lines, {}))
    assert len(traces(drawing, "data")) == 8
    assert "8 of 20 decays are drawn" in drawing.notes[0]


def test_nothing_to_draw_says_so():
    assert "No decay" in drawn(View([], [], [], {})).empty


@pytest.mark.filterwarnings("error")
def test_a_decay_without_any_number_is_not_drawn():
    given = view()
    lines = [replace(line, y=line.y * np.nan) if line.subject == 3 else line for line in given.lines]
    assert len(traces(drawn(View(given.subjects, given.readings, lines, {})), "data")) == 3


def test_many_counts_are_thinned_evenly_and_the_maximum_stays():
    x = np.arange(3000.0)
    y = 1000 * np.exp(-x / 400) + 1
    y[701] = 5000.0
    data = Line(0, 1, "data", x, y, TIME, COUNTS)
    decay = _trpl_decays.Shown({"data": data}, 300.0, "300", "red", 5000.0, 701.0)
    every = _trpl_decays.thinning([decay] * 8)
    (trace,) = _trpl_decays.traces_of(decay, True, every)
    drawn_x, drawn_y = decoded(trace["x"]), decoded(trace["y"])
    assert every == 6
    assert drawn_y.max() == 1
    assert set(np.diff(drawn_x)) == {6.0}
    assert _trpl_decays.thinning([decay]) == 1


def test_of_two_samples_of_one_temperature_the_one_quenched_otherwise_is_named():
    media = ("liquid_nitrogen", "liquid_nitrogen", "slow")
    subjects = [
        Subject(f"VT-{n}", "", {"quench_medium": medium, "sintering_temperature_c": 275.0})
        for n, medium in enumerate(media)
    ]
    readings = [Reading(n, "trpl_tau_amp", "", 10.0 + n, 0.1, "measured") for n in range(3)]
    (marks,) = traces(drawn(View(subjects, readings, [], {})), "lifetimes")
    assert marks["text"] == ["", "", "slow"]
    (by_quench,) = traces(drawn(View(subjects, readings, [], {}), along="quench_medium"), "lifetimes")
    assert "text" not in by_quench["mode"]

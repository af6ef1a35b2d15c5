"""Quench, milling and gain: like is compared with like, limits stay limits, few data still read well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from frontend import figures
from frontend.figures import Drawing, View
from tests.frontend.views_by_hand import Bench, column, decoded


def drawn(key: str, view: View, **options: str) -> Drawing:
    return figures.get(key).draw(view, options)


def marks(drawing: Drawing, axis: str = "x") -> list[dict[str, Any]]:
    return [
        trace
        for trace in drawing.data
        if trace["type"] == "scatter" and trace.get("xaxis") == axis and "customdata" in trace
    ]


def joins(drawing: Drawing) -> list[dict[str, Any]]:
    return [trace for trace in drawing.data if trace.get("mode") == "lines"]


# Quench


def quenched(bench: Bench, medium: str | None, plqy: float, *, loading: float = 0.25, **more: Any) -> int:
    place = bench.sample(
        quench_medium=medium, loading_mass_fraction=loading, sintering_temperature_c=275.0, halide="I"
    )
    bench.read(place, "plqy", plqy, sigma=0.01, **more)
    return place


def two_ways() -> Bench:
    bench = Bench()
    fast, slow = quenched(bench, "liquid_nitrogen", 0.52), quenched(bench, "slow", 0.31, loading=0.2503)
    for place, tau, gamma in ((fast, 12.5, 0.97), (slow, 6.1, 0.55)):
        bench.read(place, "trpl_tau_amp", tau, sigma=0.2)
        bench.read(place, "phase_fraction:gamma", gamma)
    return bench


def test_the_three_properties_stand_side_by_side_over_the_media_fastest_first() -> None:
    drawing = drawn("view_quench", two_ways().view)
    assert [drawing.layout[f"xaxis{n}"]["ticktext"] for n in ("", "2", "3")] == 3 * [
        ["liquid nitrogen", "slow"]
    ]
    (plqy,), (tau,), (gamma,) = marks(drawing), marks(drawing, "x2"), marks(drawing, "x3")
    assert decoded(plqy["y"]) == pytest.approx([52.0, 31.0])
    assert decoded(tau["y"]) == pytest.approx([12.5, 6.1])
    assert decoded(gamma["y"]) == pytest.approx([97.0, 55.0])
    assert "liquid nitrogen up to 52.0\u202f±\u202f1.0\u202f%" in drawing.summary.replace(
        " ± ", "\u202f±\u202f"
    )


def test_samples_made_alike_are_joined_and_others_are_pale() -> None:
    bench = two_ways()
    quenched(bench, "liquid_nitrogen", 0.81, loading=0.05)
    drawing = drawn("view_quench", bench.view)
    assert len(joins(drawing)) == 3
    (plqy,) = marks(drawing)
    assert decoded(plqy["marker"]["opacity"]).tolist() == [0.95, 0.95, 0.3]


def test_measured_and_published_samples_are_never_joined() -> None:
    bench = Bench()
    quenched(bench, "liquid_nitrogen", 0.5)
    quenched(bench, "slow", 0.3, origin="published", source="doi:10.1126/science.abf4460")
    assert joins(drawn("view_quench", bench.view)) == []


def test_a_panel_without_values_says_so_and_an_unknown_quench_is_counted() -> None:
    bench = Bench()
    quenched(bench, "liquid_nitrogen", 0.5)
    quenched(bench, None, 0.4)
    drawing = drawn("view_quench", bench.view)
    assert [note["text"] for note in drawing.layout["annotations"]] == [
        "PL lifetime: nothing yet.",
        "γ fraction: nothing yet.",
    ]
    assert drawing.notes == ["1 value is left out: the quench is not recorded."]


def test_the_rows_of_the_table_are_those_that_the_marks_name() -> None:
    drawing = drawn("view_quench", two_ways().view)
    values = column(drawing, "value")
    for axis in ("x", "x2", "x3"):
        for trace in marks(drawing, axis):
            assert values[decoded(trace["customdata"])] == pytest.approx(decoded(trace["y"]))


def test_a_limit_carries_its_sign() -> None:
    bench = Bench()
    quenched(bench, "liquid_nitrogen", 0.5, comparator=">", origin="published", source="x")
    (trace,) = marks(drawn("view_quench", bench.view))
    assert trace["text"] == [">"]


# Milling


def milled(bench: Bench, minutes: float | None, size_nm: float | None, plqy: float | None) -> None:
    place = bench.sample(milling_duration_min=minutes)
    if size_nm is not None:
        bench.read(place, "crystallite_size:gamma", size_nm, sigma=2.0)
    if plqy is not None:
        bench.read(place, "plqy", plqy, sigma=0.01)


def test_milling_time_grain_size_and_yield_are_drawn_against_each_other() -> None:
    bench = Bench()
    for minutes, size_nm, plqy in ((30, 62, 0.42), (60, 45, 0.51), (240, 28, 0.66)):
        milled(bench, minutes, size_nm, plqy)
    drawing = drawn("view_milling", bench.view)
    (size,), (plqy_of_time,), (plqy_of_size,) = (marks(drawing, axis) for axis in ("x", "x2", "x3"))
    assert decoded(size["x"]).tolist() == [30, 60, 240]
    assert decoded(size["y"]).tolist() == [62, 45, 28]
    assert decoded(plqy_of_time["y"]) == pytest.approx([42, 51, 66])
    assert decoded(plqy_of_size["x"]).tolist() == [62, 45, 28]


def test_only_samples_that_have_both_stand_in_the_third_panel() -> None:
    bench = Bench()
    milled(bench, 30, 62, None)
    milled(bench, 60, None, 0.5)
    milled(bench, None, 40, 0.6)
    drawing = drawn("view_milling", bench.view)
    (pair,) = marks(drawing, "x3")
    assert decoded(pair["x"]).tolist() == [40]
    assert drawing.notes == ["2 values are left out against milling time, which is not recorded."]


def test_a_simulated_size_is_not_paired_with_a_measured_yield() -> None:
    bench = Bench()
    place = bench.sample(milling_duration_min=60.0)
    bench.read(place, "crystallite_size", 40.0, origin="simulated")
    bench.read(place, "plqy", 0.5)
    drawing = drawn("view_milling", bench.view)
    assert marks(drawing, "x3") == []
    assert drawing.layout["annotations"][0]["text"] == "No sample has both yet."


def test_the_kind_of_size_may_be_chosen_and_kinds_are_never_mixed() -> None:
    bench = Bench()
    milled(bench, 30, 62, 0.4)
    milled(bench, 60, 45, 0.5)
    bench.read(0, "particle_size", 300.0)
    shown = {key: marks(drawn("view_milling", bench.view, size=key)) for key in ("any", "particle_size")}
    assert decoded(shown["any"][0]["y"]).tolist() == [62, 45]
    assert decoded(shown["particle_size"][0]["y"]).tolist() == [300]


# Gain


def halides() -> Bench:
    bench = Bench()
    for name in ("CsPbCl3", "CsPbBr3", "CsPbI3"):
        place = bench.sample(perovskite=name)
        bench.read(place, "pl_gain_vs_pure", 100.0, comparator=">=", origin="published", source="fig. S46")
    bench.read(bench.sample(perovskite="CsPbI3"), "pl_gain_vs_pure", 1250.0, sigma=90.0)
    bench.read(bench.sample(perovskite="CsPbI3"), "pl_gain_vs_pure", 340.0, sigma=40.0)
    return bench


def bars(drawing: Drawing) -> list[dict[str, Any]]:
    return [trace for trace in drawing.data if trace["type"] == "bar"]


def test_bars_rise_from_one_on_a_logarithmic_axis() -> None:
    drawing = drawn("view_gain", halides().view)
    assert drawing.layout["yaxis"]["type"] == "log"
    measured, published = bars(drawing)
    assert (measured["base"], published["base"]) == (1, 1)
    assert decoded(measured["y"]) + 1 == pytest.approx([1250.0])
    assert decoded(published["y"]) + 1 == pytest.approx([100.0] * 3)
    assert drawing.layout["xaxis"]["ticktext"][0] == "CsPbI<sub>3</sub>"


def test_limits_and_sources_are_written() -> None:
    drawing = drawn("view_gain", halides().view)
    texts = [t["text"] for t in drawing.data if t.get("mode") == "markers+text"]
    assert texts == [["1250×"], ["≥\u202f100×"] * 3]
    assert any("fig. S46" in hover for trace in bars(drawing) for hover in trace["hovertext"])
    assert list(column(drawing, "source")).count("fig. S46") == 3
    assert "CsPbI3 1250× (measured)" in drawing.summary


def test_the_highest_of_several_makes_the_bar_and_all_are_in_the_table() -> None:
    drawing = drawn("view_gain", halides().view)
    assert "the highest of 2" in bars(drawing)[0]["hovertext"][0]
    assert sorted(column(drawing, "PL gain over the pure perovskite")) == [100, 100, 100, 340, 1250]


def test_a_loss_hangs_below_one_and_a_negative_gain_is_said() -> None:
    bench = Bench()
    bench.read(bench.sample(perovskite="CsPbI3"), "pl_gain_vs_pure", 0.2)
    bench.read(bench.sample(perovskite="CsPbBr3"), "pl_gain_vs_pure", -3.0)
    drawing = drawn("view_gain", bench.view)
    assert decoded(bars(drawing)[0]["y"]) == pytest.approx([-0.8])
    assert drawing.layout["yaxis"]["range"][0] < np.log10(0.2)
    assert drawing.notes == ["1 at or below zero: no place on a logarithmic axis."]


@pytest.mark.parametrize("key", ["view_quench", "view_milling", "view_gain"])
def test_nothing_yet_is_a_sentence(key: str) -> None:
    drawing = drawn(key, Bench().view)
    assert drawing.empty.startswith("No ")
    assert drawing.empty.endswith(".")

"""The array's brightest sample and the ridge of its rows: row A-05, on the demo's planted forward model."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from analysis import methods
from analysis.methods import MethodError, Outcome, ValueRow
from analysis.numerics.ridges import optimum
from frontend.demo import forward
from tests.analysis.pl_reference import said

MAP = methods.get("pl_intensity_map")
LOADINGS = (0.01, 0.05, 0.10, 0.25, 0.40, 0.60, 0.85)
TEMPERATURES = (175.0, 200.0, 225.0, 250.0, 275.0, 300.0, 325.0, 350.0)


def row(loading: float, temperature_c: float, value: float, sigma: float | None, key: str, copy: int = 0):
    return ValueRow(
        sample=f"{loading}-{temperature_c}-{copy}",
        property=key,
        value=value,
        sigma=sigma,
        factors={"loading_mass_fraction": loading, "sintering_temperature_c": temperature_c},
    )


def array(key: str = "pl_brightness", skip: tuple = ()) -> list[ValueRow]:
    """Integrated emission of the demo's noiseless lines, one sample a cell."""
    rows = []
    for loading in LOADINGS:
        for temperature_c in TEMPERATURES:
            if (loading, temperature_c) not in skip:
                area = sum(forward.planted_line(loading, temperature_c).area)
                rows.append(row(loading, temperature_c, area, 1e-3 * area, key))
    return rows


def yields() -> list[ValueRow]:
    return [
        row(loading, temperature_c, *forward.plqy(loading, temperature_c), "plqy")
        for loading in LOADINGS
        for temperature_c in TEMPERATURES
    ]


def mapped(rows: list[ValueRow], **params) -> Outcome:
    return methods.check_outcome(MAP, MAP.run(rows, methods.parse_params(MAP, params)))


def value(outcome: Outcome, key: str) -> float:
    return next(result.value for result in outcome.values if result.property == key)


def test_the_rows_of_the_demo_are_brightest_at_300_275_and_225_degrees() -> None:
    notes = mapped(array()).notes
    assert [notes[f"PL: best at {share} %"] for share in (1, 25, 85)] == [300, 275, 225]


def test_the_brightest_sample_is_that_of_25_percent_at_275_degrees() -> None:
    outcome = mapped(array())
    assert value(outcome, "pl_map_loading") == 0.25
    assert value(outcome, "pl_map_sintering") == 275
    assert outcome.notes["PL: row maximum at 25 %"] == 1
    assert 0 < outcome.notes["PL: row maximum at 1 %"] < 1


def test_the_highest_quantum_yield_is_that_of_another_sample_and_the_notes_say_so() -> None:
    outcome = mapped(array() + yields())
    assert value(outcome, "plqy_map_loading") == 0.05
    assert value(outcome, "plqy_map_sintering") == 275
    assert "(25 %, 275 °C) is not that of the highest quantum yield (5 %, 275 °C)" in outcome.notes["maxima"]


def test_the_parabola_finds_an_optimum_between_the_temperatures_of_the_grid() -> None:
    rows = [row(0.1, t, np.exp(-(((t - 283.0) / 35) ** 2)), 0.01, "pl_brightness") for t in TEMPERATURES]
    assert value(mapped(rows), "pl_optimum_sintering") == pytest.approx(283.0, abs=1e-6)


def test_the_ridge_runs_within_little_more_than_half_a_step_of_the_best_cells() -> None:
    ridge = {curve.name: curve for curve in mapped(array()).curves}
    assert ridge["PL values"].x.tolist() == list(LOADINGS)
    assert np.max(np.abs(ridge["PL line"].y - ridge["PL values"].y)) <= 15
    assert np.any(ridge["PL line"].y != ridge["PL values"].y)


def test_missing_cells_stay_blank_and_are_counted() -> None:
    outcome = mapped(array(skip=((0.25, 275.0), (0.85, 350.0))))
    assert outcome.notes["PL: blank cells"] == 2
    assert outcome.notes["PL: cells"] == 54
    assert (value(outcome, "pl_map_loading"), value(outcome, "pl_map_sintering")) != (0.25, 275)
    assert outcome.notes["PL: best at 25 %"] in (250, 300)


def test_weighed_loadings_meet_in_the_one_that_was_meant() -> None:
    rows = [
        row(loading, t, np.exp(-(((t - 275) / 35) ** 2)), 0.01, "pl_brightness")
        for loading, t in zip((0.2499, 0.2504, 0.2476, 0.2531), (250.0, 275.0, 300.2, 325.0), strict=True)
    ]
    outcome = mapped(rows)
    assert outcome.notes["PL: cells"] == 4
    assert outcome.notes["PL: blank cells"] == 0
    assert value(outcome, "pl_map_loading") == 0.25


def test_another_perovskite_is_known_by_its_molar_mass_and_left_out() -> None:
    """CsPbBr₃ of 579.8 g/mol beside CsPbI₃ of 720.8 g/mol, at the same mass fraction in the same glass."""

    def made(rows: list[ValueRow], molar_mass: float) -> list[ValueRow]:
        changed = []
        for of in rows:
            mass = of.factors["loading_mass_fraction"]
            moles = mass / molar_mass / (mass / molar_mass + (1 - mass) / 199.6)
            changed.append(replace(of, factors={**of.factors, "loading_mole_fraction": moles}))
        return changed

    bromide = made([row(0.25, 275.0, 1e12, 1e9, "pl_brightness", 7)], 579.8)
    outcome = mapped(made(array(), 720.8) + bromide)
    assert said(outcome, "1 sample is left out: mole and mass fraction say")
    assert outcome.notes == mapped(made(array(), 720.8)).notes
    assert mapped(made(array(), 720.8) + made(bromide, 720.8)).notes != outcome.notes


def test_a_sample_milled_otherwise_does_not_stand_for_its_cell() -> None:
    rows = [replace(of, factors={**of.factors, "milling_duration_min": 60.0}) for of in array()]
    long = replace(row(0.01, 175.0, 1e15, 1.0, "pl_brightness", 7))
    long = replace(long, factors={**long.factors, "milling_duration_min": 600.0})
    assert value(mapped([*rows, long]), "pl_map_loading") == 0.25
    alone = [of for of in rows if of.sample != "0.01-175.0-0"]
    assert value(mapped([*alone, long]), "pl_map_loading") == 0.01


def test_replicates_are_averaged_and_their_scatter_is_the_sigma() -> None:
    rng = np.random.default_rng(1)
    rows = [
        row(0.1, t, np.exp(-(((t - 275) / 35) ** 2)) + rng.normal(0, 0.02), 1e-6, "pl_brightness", copy)
        for t in TEMPERATURES
        for copy in range(5)
    ]
    (sigma,) = [r.sigma for r in mapped(rows).values if r.property == "pl_optimum_sintering"]
    assert 0.1 < sigma < 3


def test_counts_that_were_not_normalised_are_compared_only_with_a_warning() -> None:
    rows = array("pl_integrated_intensity") + array()[:5]
    outcome = mapped(rows)
    assert said(outcome, "51 of 56 cells have no intensity by integration time")
    assert outcome.notes["PL: compared"] == "integrated PL, not normalised"
    assert not said(mapped(array("pl_integrated_intensity") + array()), "plain counts")


def test_time_and_power_change_the_map_where_they_differ() -> None:
    """Measured ten times longer, a dim sample has more counts than the brightest."""
    plain = array("pl_integrated_intensity")
    plain[0] = row(0.01, 175.0, 1e12, 1.0, "pl_integrated_intensity")
    assert value(mapped(plain), "pl_map_loading") == 0.01
    assert value(mapped(plain + array()), "pl_map_loading") == 0.25


def test_an_optimum_at_the_edge_of_the_array_is_pointed_out() -> None:
    rows = [row(0.1, t, t, 0.1, "pl_brightness") for t in TEMPERATURES]
    outcome = mapped(rows)
    assert said(outcome, "edge of the array, 350 °C")
    assert not any(result.property == "pl_optimum_sintering" for result in outcome.values)


def test_samples_without_factors_are_no_map() -> None:
    rows = [ValueRow(sample="a", property="pl_brightness", value=1.0)] * 3
    with pytest.raises(MethodError, match="record how the samples were made"):
        mapped(rows)


def test_noise_that_hides_how_three_cells_bend_takes_in_more_of_them() -> None:
    """A bell of 60 °C on a grid of 25 °C, cells known to 10 %: three of them would give its top to 20 °C."""
    at, off, sigmas = list(TEMPERATURES), [], []
    for seed in range(100):
        exact = np.exp(-(((np.array(at) - 263) / 60) ** 2))
        noisy = exact * (1 + np.random.default_rng(seed).normal(0, 0.1, exact.size))
        top = optimum(at, noisy.tolist(), (0.1 * exact).tolist())
        if top.refined:
            off.append(abs(top.best - 263))
            sigmas.append(top.sigma)
    assert len(off) > 90
    assert np.median(sigmas) < 8
    assert 0.55 < np.mean(np.array(off) < np.array(sigmas)) < 0.8


@pytest.mark.full
def test_the_intervals_of_optimum_and_ridge_hold_the_truth_in_two_cases_of_three() -> None:
    """A bell along each row whose top falls by 90 °C per unit of loading; cells known to 3 %."""
    rng = np.random.default_rng(5)
    inside: dict[str, int] = defaultdict(int)
    runs = 1000
    for _ in range(runs):
        top = 290 + rng.uniform(-10, 10)
        rows = []
        for loading in (0.1, 0.3, 0.5, 0.7):
            for t in TEMPERATURES:
                exact = (1.5 - abs(loading - 0.3)) * np.exp(-(((t - top + 90 * loading) / 60) ** 2))
                rows.append(row(loading, t, exact * (1 + rng.normal(0, 0.03)), 0.03 * exact, "pl_brightness"))
        truth = {"pl_optimum_sintering": top - 27, "pl_ridge_slope": -90.0}
        for result in mapped(rows).values:
            if result.property in truth:
                inside[result.property] += abs(result.value - truth[result.property]) <= result.sigma
    shares = {key: count / runs for key, count in inside.items()}
    assert set(shares) == {"pl_optimum_sintering", "pl_ridge_slope"}
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


def test_the_place_of_the_brightest_sample_holds_a_truth_between_the_samples_in_two_cases_of_three() -> None:
    rng = np.random.default_rng(6)
    inside: dict[str, int] = defaultdict(int)
    for _ in range(1000):
        truth = {"pl_map_loading": rng.uniform(0.25, 0.55), "pl_map_sintering": rng.uniform(237.5, 287.5)}
        rows = []
        for loading in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
            for t in TEMPERATURES:
                away = ((loading - truth["pl_map_loading"]) / 0.3) ** 2
                away += ((t - truth["pl_map_sintering"]) / 60) ** 2
                rows.append(row(loading, t, np.exp(-away), 1e-3, "pl_brightness"))
        for result in mapped(rows).values:
            if result.property in truth:
                inside[result.property] += abs(result.value - truth[result.property]) <= result.sigma
    assert all(620 <= count <= 740 for count in inside.values()), dict(inside)
    assert len(inside) == 2

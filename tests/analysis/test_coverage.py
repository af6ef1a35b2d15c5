"""Every interval on light is simulated and holds the planted truth in two cases of three."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis import methods
from benchmarks.coverage.cases import CASES
from benchmarks.coverage.simulating import Case, bounds, simulated
from measurements.data import Dataset

ON_LIGHT = {
    "pl_descriptors", "pl_gaussians", "pl_tail", "urbach_absorbance", "pl_intensity_map", "plqy",
    "plqy_reported",
    "trpl", "photostability", "photostability_trace", "uvvis_edge", "uvvis_tauc", "pl_colour",
    "pl_map_gaussian", "pl_temperature",
}  # fmt: skip
RUNS = 100


def named(case: Case) -> str:
    return f"{case.method}: {case.name}"


def test_every_value_of_every_method_on_light_has_a_planted_truth_somewhere():
    planted: dict[str, set[str]] = {}
    for case in CASES:
        planted.setdefault(case.method, set()).update(key for key, _ in case.truth)
        planted[case.method].update(case.bounds)
    assert set(planted) == ON_LIGHT
    for key in ON_LIGHT - {"photostability_trace"}:  # whose values are those of the series
        declared = {each.key for each in methods.get(key).method.properties}
        assert declared - planted[key] == set(), key


def test_names_of_simulations_are_their_seeds_and_so_differ():
    assert len({named(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("runs", [100, 1000])
def test_chance_leaves_the_bounds_once_in_ten_thousand_times(runs):
    low, high = bounds(runs)

    def below(count: int, share: float) -> float:
        return sum(math.comb(runs, k) * share**k * (1 - share) ** (runs - k) for k in range(count))

    assert 1e-5 < below(round(low * runs), 0.62) <= 1e-4
    assert 1e-5 < below(runs - round(high * runs), 1 - 0.74) <= 1e-4


def test_a_sigma_that_is_a_third_too_small_is_noticed(monkeypatch):
    case = next(case for case in CASES if case.method == "plqy_reported")
    honest = simulated(case, 1000).held["plqy", ""].share
    low, high = bounds(1000)
    assert low < honest < high
    loaded = methods.get("plqy_reported")

    def too_sure(datasets: dict[str, Dataset], params: object) -> methods.Outcome:
        outcome = loaded.run(datasets, params)
        return replace(outcome, values=tuple(replace(v, sigma=0.67 * v.sigma) for v in outcome.values))

    monkeypatch.setattr(methods, "get", lambda key: replace(loaded, run=too_sure))
    assert simulated(case, 1000).held["plqy", ""].share < low


def test_the_first_of_many_simulations_are_those_of_few():
    case = next(case for case in CASES if case.method == "plqy_reported")
    one, again = (case.simulate(np.random.default_rng([5, 1])) for _ in range(2))
    assert np.array_equal(one["sample"].signal.values, again["sample"].signal.values)  # type: ignore[call-overload]


FIRST = {case.method: case for case in reversed(CASES)}


@pytest.mark.parametrize("key", sorted(ON_LIGHT))
def test_forty_simulations_of_each_method_hold_the_truth_about_as_often(key):
    found = simulated(FIRST[key], 40)
    low, high = bounds(40)
    assert {name: held.share for name, held in found.held.items() if not low <= held.share <= high} == {}


@pytest.mark.full
@pytest.mark.parametrize("case", CASES, ids=named)
def test_two_thirds_of_the_intervals_hold_the_planted_truth(case):
    """A tenth of the simulations behind the table: `python -m benchmarks.coverage` makes all of them."""
    found = simulated(case, RUNS)
    assert found.held
    shares = {key: held.share for key, held in found.held.items() if held.reported == RUNS}
    low, high = bounds(RUNS)
    assert {key: share for key, share in shares.items() if not low <= share <= high} == {}

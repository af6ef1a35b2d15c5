"""Replicates, drift, Tg against loading, correlations: what was planted comes back, and what is not known is
not filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis import methods
from analysis.methods import MethodError, Outcome, ValueRow

BEGAN = datetime(2026, 1, 5, tzinfo=UTC)


def outcome(method: str, values: list[ValueRow], **params: object) -> Outcome:
    loaded = methods.get(method)
    return methods.check_outcome(loaded, loaded.run(values, methods.parse_params(loaded, params)))


def found(result: Outcome, key: str, component: str = "") -> tuple[float, float]:
    ((value, sigma),) = [
        (r.value, r.sigma) for r in result.values if (r.property, r.component) == (key, component)
    ]
    return value, sigma


def tg(loading: float, value: float, sigma: float | None = 2.0) -> ValueRow:
    factors = {"loading_mass_fraction": loading}
    return ValueRow(sample=f"VT-{loading}-{value}", property="tg", value=value, sigma=sigma, factors=factors)


def bright(loading: float, temperature_c: float, plqy: float) -> ValueRow:
    factors = {"loading_mass_fraction": loading, "sintering_temperature_c": temperature_c}
    return ValueRow(sample=f"VT-{loading}-{temperature_c}", property="plqy", value=plqy, factors=factors)


SERIES = [tg(x, 304 - 70 * x) for x in (0.05, 0.1, 0.25, 0.4)]


def test_the_planted_slope_is_inside_its_error_bar() -> None:
    rng = np.random.default_rng(7)
    pulls = []
    for _ in range(100):
        noisy = [tg(x, 304 - 70 * x + rng.normal(0, 2)) for x in np.linspace(0.05, 0.4, 8)]
        slope, sigma = found(outcome("tg_vs_loading", noisy), "tg_slope")
        pulls.append((slope + 70) / sigma)
    assert abs(np.mean(pulls)) < 0.3
    assert 0.6 < np.mean(np.abs(pulls) < 1) < 0.85


def test_loading_lowers_the_glass_transition_in_the_example() -> None:
    result = outcome("tg_vs_loading", SERIES)
    assert found(result, "tg_loading_correlation")[0] == pytest.approx(-1)
    assert found(result, "tg_of_pure_glass")[0] == pytest.approx(304)
    assert result.notes["p of the rank correlation"] == pytest.approx(1 / 12)


def test_values_without_sigma_get_that_of_their_scatter() -> None:
    rng = np.random.default_rng(1)
    noisy = [tg(x, 300 - 50 * x + rng.normal(0, 3), None) for x in np.linspace(0, 0.5, 40)]
    result = outcome("tg_vs_loading", noisy)
    assert result.notes["sigma"] == "from the scatter about the line"
    assert found(result, "tg_slope")[1] == pytest.approx(3 / np.sqrt(40 * (0.5**2 / 12)), rel=0.25)


def test_a_brightest_temperature_far_from_tg_is_pointed_out_with_its_loading() -> None:
    """At 10 % the brightest is at 275 °C and Tg at 297; at 25 % it is 325 against 286.5, 38.5 °C above."""
    plqy = [bright(0.1, t, 1 - abs(t - 275) / 200) for t in (250, 275, 300, 325)]
    plqy += [bright(0.25, t, 1 - abs(t - 325) / 200) for t in (250, 275, 300, 325)]
    result = outcome("tg_vs_loading", [*SERIES, *plqy])
    assert found(result, "tg_brightest_gap") == (pytest.approx(38.5), pytest.approx(25 / 12**0.5))
    assert result.warnings[0].startswith(
        "At a loading of 25 % the brightest sintering temperature lies 38 °C above"
    )
    assert len(result.warnings) == 1
    assert not outcome("tg_vs_loading", [*SERIES, *plqy], flag_above_c=40).warnings


def test_two_loadings_make_no_line() -> None:
    with pytest.raises(MethodError, match="there are 4 at 2"):
        outcome("tg_vs_loading", [tg(0.1, 300), tg(0.1, 301), tg(0.2, 290), tg(0.2, 291)])


# Drift


def reference(values: list[float], sample: str = "REF") -> list[ValueRow]:
    return [
        ValueRow(sample, "pl_max_position", value, 0.1, measured_at=BEGAN + timedelta(days=7 * week))
        for week, value in enumerate(values)
    ]


def test_a_jump_of_the_reference_is_signalled_with_its_day() -> None:
    steady = [680.0 + 0.2 * (-1) ** week for week in range(12)]
    result = outcome("drift_chart", reference([*steady, 684.0]), baseline=12)
    assert found(result, "pl_max_position_drift_signals")[0] == 1
    assert result.warnings == ("PL maximum: beyond three sigma, once, first on 2026-03-30.",)
    assert [curve.name.partition(" ")[2] for curve in result.curves] == [
        "values", "centre", "lower limit", "upper limit",
    ]  # fmt: skip


def test_a_steady_reference_gives_no_signal_whatever_the_order_of_its_values() -> None:
    values = reference([680.0 + 0.2 * (-1) ** week for week in range(12)])
    result = outcome("drift_chart", values[::-1])
    assert found(result, "pl_max_position_drift_signals") == (0.0, 0.0)
    assert found(result, "pl_max_position_reference_sd")[0] == pytest.approx(0.4 / 1.128379)


def test_the_reference_is_the_sample_that_is_named_or_was_measured_most_often() -> None:
    values = reference([680.0, 681.0] * 5) + reference([500.0, 501.0] * 4, "OTHER")
    assert outcome("drift_chart", values).notes["reference sample"] == "REF"
    assert (
        found(outcome("drift_chart", values, sample="OTHER"), "pl_max_position_reference_level")[0] == 500.5
    )


def test_values_without_a_date_are_left_out_and_counted() -> None:
    undated = ValueRow("REF", "pl_max_position", 900.0)
    result = outcome("drift_chart", [*reference([680.0, 681.0] * 5), undated])
    assert found(result, "pl_max_position_reference_level")[0] == 680.5
    assert "1 values of REF have no date" in result.warnings[0]


# Replicates


def test_repeating_and_difference_of_samples_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    levels = rng.normal(680, 4, 200)
    values = [
        ValueRow(f"VT-{n}", "pl_max_position", float(level + rng.normal(0, 1)))
        for n, level in enumerate(levels)
        for _ in range(3)
    ]
    result = outcome("replicate_agreement", values)
    assert found(result, "pl_max_position_repeatability_sd")[0] == pytest.approx(1, rel=0.08)
    icc, sigma = found(result, "pl_max_position_icc")
    assert abs(icc - 16 / 17) < 3 * sigma


def test_by_recipe_the_samples_are_the_replicates() -> None:
    values = [
        ValueRow(f"VT-{recipe}{n}", "plqy", 0.3 + 0.1 * recipe + 0.01 * n, recipe=str(recipe))
        for recipe in range(3)
        for n in (0, 1)
    ]
    result = outcome("replicate_agreement", values, group="recipe")
    assert found(result, "plqy_repeatability_sd")[0] == pytest.approx(0.01 / 2**0.5)


def test_one_measurement_has_no_scatter() -> None:
    with pytest.raises(MethodError, match="2 times"):
        outcome("replicate_statistics", [ValueRow("VT-1", "tg", 300.0)])


# Correlations


def test_only_the_planted_correlation_is_believed_and_nothing_is_filled_in() -> None:
    rng = np.random.default_rng(12)
    values = []
    for n in range(60):
        factors = {"sintering_temperature_c": float(rng.uniform(200, 400)), "milling_duration_min": float(n)}
        if n % 2:
            factors["loading_mass_fraction"] = float(rng.uniform(0, 0.5))
        center = 660 + 0.1 * factors["sintering_temperature_c"] + rng.normal(0, 3)
        values += [
            ValueRow(f"VT-{n}", "pl_max_position", float(center), factors=factors),
            ValueRow(f"VT-{n}", "plqy", float(rng.uniform(0, 1)), factors=factors),
        ]
    result = outcome("rank_correlations", values)
    assert result.notes["pairs"] == 6
    assert result.notes["PL maximum × loading: samples"] == 30  # of sixty
    believed = str(result.notes["believed at q ≤ 0.05"])
    assert believed.startswith("PL maximum with sintering temperature")
    assert believed.count("ρ") == 1


def test_replicates_do_not_make_samples() -> None:
    values = [
        ValueRow(f"VT-{n % 5}", "plqy", 0.1 * n, factors={"loading_mass_fraction": 0.1 * (n % 5)})
        for n in range(50)
    ]
    with pytest.raises(MethodError, match="6 samples"):
        outcome("rank_correlations", values)

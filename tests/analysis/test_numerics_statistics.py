"""Ranks, lines, replicates, control charts, propagated errors: against SciPy, exact answers, known truth."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from analysis.numerics.control_charts import individuals_chart
from analysis.numerics.propagation import linear, monte_carlo
from analysis.numerics.ranks import benjamini_hochberg, incomplete_beta, ranks, spearman, spearman_sigma
from analysis.numerics.replicates import spread, variances
from analysis.numerics.straight_lines import weighted_line

RNG = np.random.default_rng(20260101)


# Ranks


def test_ranks_with_ties_are_those_of_scipy() -> None:
    values = RNG.integers(0, 6, 40)
    assert ranks(values).tolist() == stats.rankdata(values).tolist()


@pytest.mark.parametrize("count", [9, 12, 90])
@pytest.mark.parametrize("levels", [4, 10_000])
def test_rho_and_p_are_those_of_scipy(count: int, levels: int) -> None:
    x = RNG.integers(0, levels, count)
    y = x + RNG.integers(0, 2 * levels, count)
    expected = stats.spearmanr(x, y)
    assert spearman(x, y) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-10)


@pytest.mark.parametrize("count", [4, 5, 6])
def test_for_few_points_p_counts_all_permutations(count: int) -> None:
    x, y = np.arange(count), RNG.integers(0, 4, count)
    y[0] += 9
    expected = stats.permutation_test(
        (x,), lambda a: stats.spearmanr(a, y).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    assert spearman(x, y)[1] == pytest.approx(expected.pvalue, abs=1e-12)


def test_a_perfect_order_of_four_is_no_proof() -> None:
    assert spearman([1, 2, 3, 4], [9, 7, 5, 1]) == (pytest.approx(-1), pytest.approx(2 / 24))


def test_nothing_correlates_with_a_constant() -> None:
    assert all(math.isnan(found) for found in spearman([1, 2, 3, 4], [5, 5, 5, 5]))


def test_the_error_of_rho_is_its_scatter_over_many_draws() -> None:
    rng = np.random.default_rng(5)
    found = [
        spearman(pair[:, 0], pair[:, 1])[0]
        for pair in rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], (400, 50))
    ]
    assert spearman_sigma(float(np.mean(found)), 50) == pytest.approx(np.std(found), rel=0.12)


@pytest.mark.parametrize("x", [0.0, 1e-6, 0.2, 0.5, 0.97, 1.0])
@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (4.0, 0.5), (45.0, 0.5), (3.0, 7.0)])
def test_the_incomplete_beta_function_is_that_of_scipy(x: float, a: float, b: float) -> None:
    assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-11, abs=1e-300)


def test_adjusted_p_are_those_of_scipy() -> None:
    p = np.concatenate([RNG.uniform(0, 1, 30), RNG.uniform(0, 0.01, 6), [0.5, 0.5]])
    expected = stats.false_discovery_control(p)
    assert benjamini_hochberg(p) == pytest.approx(expected, rel=1e-12)


# Lines


def test_a_line_without_noise_is_found_exactly() -> None:
    x = np.array([0.1, 0.2, 0.25, 0.4])
    line = weighted_line(x, 304 - 70 * x, np.array([1.0, 2.0, 0.5, 1.0]))
    assert line is not None
    assert (line.slope, line.intercept) == (pytest.approx(-70), pytest.approx(304))
    assert line.chi2 == pytest.approx(0, abs=1e-20)


def test_the_line_and_its_errors_are_those_of_polyfit() -> None:
    x, sigma = RNG.uniform(0, 1, 12), RNG.uniform(0.5, 2, 12)
    y = 5 + 3 * x + RNG.normal(0, 0.1 * sigma)  # closer than their sigmas: these stay as they are
    expected, covariance = np.polyfit(x, y, 1, w=1 / sigma, cov="unscaled")
    line = weighted_line(x, y, sigma)
    assert line is not None
    assert (line.slope, line.intercept) == pytest.approx(tuple(expected), rel=1e-9)
    assert (line.slope_sigma, line.intercept_sigma) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-9)


def test_points_that_scatter_more_than_they_say_make_the_errors_grow() -> None:
    x = np.linspace(0, 1, 30)
    y = 2 * x + np.random.default_rng(4).normal(0, 1, 30)
    honest, bold = weighted_line(x, y, np.full(30, 1.0)), weighted_line(x, y, np.full(30, 0.01))
    assert honest is not None
    assert bold is not None
    scaled = stats.linregress(x, y).stderr
    assert bold.slope_sigma == pytest.approx(scaled, rel=1e-6)


def test_there_is_no_line_through_one_x() -> None:
    assert weighted_line([0.3, 0.3, 0.3], [1, 2, 3], [1, 1, 1]) is None


def test_the_planted_slope_is_inside_its_error_bar_as_often_as_it_should() -> None:
    x, sigma = np.linspace(0, 0.4, 8), np.full(8, 2.0)
    rng = np.random.default_rng(11)
    pulls = []
    for _ in range(600):
        line = weighted_line(x, 304 - 70 * x + rng.normal(0, sigma), sigma)
        assert line is not None
        pulls.append((line.slope + 70) / line.slope_sigma)
    assert np.mean(np.abs(pulls) < 1) == pytest.approx(0.72, abs=0.05)  # 0.68, and a bit for the Birge ratio


# Replicates


def test_variances_between_and_within_are_those_of_the_f_test() -> None:
    groups = [RNG.normal(centre, 1, size) for centre, size in ((0, 4), (2, 6), (5, 3), (1, 5))]
    found = variances(groups)
    f = float(stats.f_oneway(*groups).statistic)
    size = (18 - (16 + 36 + 9 + 25) / 18) / 3
    assert found.icc == pytest.approx((f - 1) / (f - 1 + size), rel=1e-10)


def test_the_icc_of_shrout_and_fleiss_is_found() -> None:
    """Their table 2, six targets and four judges: ICC(1,1) = 0.17."""
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert round(variances(table).icc, 2) == 0.17


def test_planted_standard_deviations_come_back() -> None:
    rng = np.random.default_rng(8)
    found = variances([rng.normal(rng.normal(0, 3), 1, 4) for _ in range(500)])
    assert found.within_sd == pytest.approx(1, rel=0.05)
    assert found.between_sd == pytest.approx(3, rel=0.1)
    assert found.icc == pytest.approx(0.9, abs=0.015)


def test_the_error_of_icc_is_its_scatter_over_many_draws() -> None:
    rng = np.random.default_rng(9)
    many = [variances(list(rng.normal(rng.normal(0, 1, (30, 1)), 1, (30, 3)))) for _ in range(300)]
    assert np.mean([each.icc_sigma for each in many]) == pytest.approx(
        np.std([e.icc for e in many]), rel=0.15
    )


def test_the_spread_of_replicates_is_that_of_n_minus_one() -> None:
    found = spread([680.0, 682.0, 684.0])
    assert (found.mean, found.sd, found.count) == (682.0, pytest.approx(2.0), 3)
    assert (found.mean_sigma, found.sd_sigma) == (pytest.approx(2 / 3**0.5), pytest.approx(1.0))


# Control charts


def test_the_limits_are_those_of_the_moving_range() -> None:
    chart = individuals_chart([10, 12, 11, 9, 10, 12])
    assert chart.centre == pytest.approx(64 / 6)
    assert chart.upper - chart.centre == pytest.approx(2.6595745 * 8 / 5, rel=1e-3)  # the printed factor 2.66


def test_a_value_beyond_three_sigma_is_flagged_and_no_other() -> None:
    values = [0.0, 1.0] * 10
    values[12] = 9.0
    assert np.flatnonzero(individuals_chart(values, baseline=10).flagged).tolist() == [12]


def test_a_lasting_shift_is_noticed_at_its_ninth_value() -> None:
    values = [0.5, -0.5] * 6 + [0.9, 0.8] * 5
    assert np.flatnonzero(individuals_chart(values, baseline=12).run).tolist() == [20, 21]


def test_six_rising_values_are_a_trend() -> None:
    values = [3.0, 2.0, 3.0, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.0]
    assert np.flatnonzero(individuals_chart(values).trend).tolist() == [8]


def test_two_of_three_beyond_two_sigma_are_flagged_only_on_one_side() -> None:
    base = [1.0, -1.0] * 5  # σ = 1.77
    assert individuals_chart([*base, 4.0, 0.0, 4.0], baseline=10).two_of_three.tolist()[-3:] == [
        False,
        False,
        True,
    ]
    assert not individuals_chart([*base, 4.0, 0.0, -4.0], baseline=10).two_of_three.any()


def test_a_steady_process_is_rarely_flagged() -> None:
    rng = np.random.default_rng(2)
    flagged = [individuals_chart(rng.normal(0, 1, 25)).flagged.any() for _ in range(400)]
    assert np.mean(flagged) < 0.35


# Propagation


def volume(edges: np.ndarray) -> float:
    return float(np.prod(edges))


def test_the_published_cell_volume_has_the_propagated_error(reference: Path) -> None:
    facts = json.loads((reference / "reference" / "published_facts.json").read_text())
    cell = [
        (fact["value"], fact["uncertainty"])
        for fact in _all(facts)
        if fact.get("subject") == "gamma-CsPbI3 reference cell" and "lattice" in fact["quantity"]
    ]
    edges, sigmas = (np.array(column) for column in zip(*cell, strict=True))
    value, covariance = linear(volume, edges, sigmas)
    assert float(value[0]) == pytest.approx(953.852, abs=0.005)
    assert math.sqrt(covariance[0, 0]) == pytest.approx(0.107, abs=0.0005)
    _, drawn = monte_carlo(volume, edges, sigmas)
    assert math.sqrt(drawn[0, 0]) == pytest.approx(0.107, abs=0.002)


def _all(tree: object) -> list[dict]:
    if isinstance(tree, dict):
        return [tree, *(found for branch in tree.values() for found in _all(branch))]
    return [found for branch in tree for found in _all(branch)] if isinstance(tree, list) else []


def test_correlated_errors_of_a_difference_cancel() -> None:
    covariance = [[4.0, 4.0], [4.0, 4.0]]
    for propagated in (linear, monte_carlo):
        _, found = propagated(lambda x: x[0] - x[1], [5.0, 3.0], covariance)
        assert found[0, 0] == pytest.approx(0, abs=1e-12)


def test_several_results_keep_their_covariance() -> None:
    value, found = linear(lambda x: np.array([x[0] + x[1], 2 * x[0]]), [1.0, 2.0], [0.3, 0.4])
    assert value.tolist() == [3.0, 2.0]
    assert found == pytest.approx(np.array([[0.25, 0.18], [0.18, 0.36]]), rel=1e-6)


def test_monte_carlo_sees_the_bend_that_the_linear_rule_misses() -> None:
    value, found = linear(lambda x: x[0] ** 2, [0.0], [1.0])
    mean, drawn = monte_carlo(lambda x: x[0] ** 2, [0.0], [1.0])
    assert (value[0], found[0, 0]) == (0.0, pytest.approx(0, abs=1e-9))
    assert (mean[0], drawn[0, 0]) == (pytest.approx(1, abs=0.05), pytest.approx(2, rel=0.1))  # χ² with one


def test_what_is_no_covariance_is_refused() -> None:
    with pytest.raises(ValueError, match="no covariance"):
        monte_carlo(lambda x: x[0], [0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]])

"""Row A-19: Fox and Gordon-Taylor beside the straight line of Tg against loading."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.numerics.mixing_rules import ZERO_C, fox, gordon_taylor
from tests.analysis.test_methods_over_values import SERIES, found, outcome, tg

X = np.linspace(0.0, 0.6, 7)
SIGMA = np.full(X.size, 1.0)


def of_fox(x: np.ndarray, first_c: float, second_c: float) -> np.ndarray:
    return 1 / ((1 - x) / (first_c + ZERO_C) + x / (second_c + ZERO_C)) - ZERO_C


def of_gordon_taylor(x: np.ndarray, first_c: float, second_c: float, k: float) -> np.ndarray:
    return ((1 - x) * first_c + k * x * second_c) / ((1 - x) + k * x)


def test_a_planted_fox_curve_gives_both_parts_back() -> None:
    """Halves of 304 and 130 °C: 1/T = ½/577.15 + ½/403.15 is 474.71 K, where the mean is 490.15 K."""
    assert of_fox(np.array(0.5), 304, 130) == pytest.approx(474.7078 - ZERO_C, abs=1e-4)
    mixture = fox(X, of_fox(X, 304, 130), SIGMA)
    assert mixture is not None
    assert mixture.first == pytest.approx(304, abs=1e-8)
    assert mixture.second == pytest.approx(130, abs=1e-8)
    assert mixture.chi2 == pytest.approx(0, abs=1e-12)
    assert mixture(np.array([0.5])) == pytest.approx(474.7078 - ZERO_C, abs=1e-4)


@pytest.mark.parametrize("k", [0.3, 1.0, 2.5])
def test_a_planted_gordon_taylor_curve_gives_parts_and_constant_back(k: float) -> None:
    mixture = gordon_taylor(X, of_gordon_taylor(X, 304, 130, k), SIGMA)
    assert mixture is not None
    assert (mixture.first, mixture.second, mixture.k) == pytest.approx((304, 130, k), rel=1e-9)


def test_fox_is_gordon_taylor_with_the_ratio_of_the_temperatures() -> None:
    mixture = gordon_taylor(X, of_fox(X, 304, 130), SIGMA)
    assert mixture is not None
    assert mixture.k == pytest.approx((304 + ZERO_C) / (130 + ZERO_C), rel=1e-9)


def test_errors_are_those_that_noise_makes() -> None:
    rng = np.random.default_rng(3)
    truth = of_gordon_taylor(X, 304, 130, 2.0)
    ks, ends, pulls = [], [], []
    for _ in range(200):
        y = truth + rng.normal(0, 1, X.size)
        bent, ideal = gordon_taylor(X, y, SIGMA), fox(X, of_fox(X, 304, 130) + y - truth, SIGMA)
        assert bent is not None
        assert ideal is not None
        ks.append((bent.k - 2.0) / bent.k_sigma)
        ends.append((bent.second - 130) / bent.second_sigma)
        pulls.append((ideal.second - 130) / ideal.second_sigma)
    for each in (ks, ends, pulls):
        assert abs(np.mean(each)) < 0.3
        assert 0.6 < np.mean(np.abs(each) < 1) < 0.85  # errors grow with the scatter, and never shrink


def test_what_cannot_be_told_is_not_given() -> None:
    noise = np.random.default_rng(1).normal(0, 1, X.size)
    flat = gordon_taylor(X, 300 + noise, SIGMA)
    assert flat is None or flat.k_sigma > 0.5 * flat.k
    assert fox(X, 304 - 2000 * X, SIGMA) is None  # below absolute zero
    assert fox(np.full(7, 0.2), 304 + noise, SIGMA) is None


def bent(noise_c: float) -> dict[str, float]:
    """Tg over seven loadings after Fox, 304 and 130 °C."""
    rng = np.random.default_rng(5)
    y = of_fox(X, 304, 130) + rng.normal(0, noise_c, X.size)
    result = outcome("tg_vs_loading", [tg(x, t, noise_c) for x, t in zip(X, y, strict=True)])
    told = {key: value for key, value in result.notes.items() if isinstance(value, float)}
    end, sigma = found(result, "tg_fox_full_loading")
    return told | {"end": end, "sigma": sigma}


def test_points_on_a_bent_curve_are_told_from_a_line_where_the_noise_allows_it() -> None:
    quiet, loud = bent(0.5), bent(20.0)
    assert quiet["BIC of Fox less that of the line"] < -10
    assert quiet["end"] == pytest.approx(130, abs=3 * quiet["sigma"])
    assert abs(loud["BIC of Fox less that of the line"]) < 10


def test_the_planted_line_of_the_example_stays_a_line() -> None:
    """−70 °C per unit mass fraction: Fox must bend where it does not, and reaches 238.5 °C instead of 234."""
    result = outcome("tg_vs_loading", SERIES)
    assert found(result, "tg_slope")[0] == pytest.approx(-70)
    assert found(result, "tg_fox_full_loading")[0] == pytest.approx(238.5, abs=2)
    assert not [r for r in result.values if r.property == "tg_gordon_taylor_constant"]  # four values are few
    assert float(result.notes["BIC of Fox less that of the line"]) > 0


def test_errors_that_are_too_small_bend_no_line() -> None:
    """A straight line under scatter of 5 °C, with errors of 0.5 °C: Fox and line miss alike."""
    y = 304 - 100 * X + np.random.default_rng(4).normal(0, 5, X.size)
    result = outcome("tg_vs_loading", [tg(x, t, 0.5) for x, t in zip(X, y, strict=True)])
    assert abs(float(result.notes["BIC of Fox less that of the line"])) < 10


def test_few_values_without_errors_cannot_tell_a_bend() -> None:
    def notes(count: int) -> dict[str, float | str]:
        x = np.linspace(0, 0.6, count)
        y = of_fox(x, 304, 130) + np.random.default_rng(6).normal(0, 0.2, count)
        return outcome("tg_vs_loading", [tg(a, t, None) for a, t in zip(x, y, strict=True)]).notes

    assert "cannot tell a bend from a line" in str(notes(14)["bend"])
    assert float(notes(14)["BIC of Gordon-Taylor less that of the line"]) > -10
    assert "bend" not in notes(15)
    assert float(notes(15)["BIC of Gordon-Taylor less that of the line"]) < -10

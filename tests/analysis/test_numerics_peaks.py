"""Noise estimates and constructions without a model, against exact shapes and planted noise."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.numerics import peaks
from analysis.numerics.residuals import serial_correlation, variance_trend

X = np.arange(600.0, 760.0)
GAUSSIAN = 1000 * np.exp(-0.5 * ((X - 681.3) / 20) ** 2)
EVEN = np.full(X.size, 1.0)


def test_noise_is_found_under_a_peak_and_in_spite_of_spikes():
    y = GAUSSIAN + np.random.default_rng(0).normal(0, 7, X.size)
    assert peaks.noise_sigma(y) == pytest.approx(7, rel=0.2)
    y[[20, 90]] += 500
    assert peaks.noise_sigma(y) == pytest.approx(7, rel=0.3)


def test_noise_of_rounded_numbers_is_never_zero():
    assert peaks.noise_sigma(np.where(X > 700, 1.0, 0.0)) == pytest.approx(1 / np.sqrt(12))


def test_counting_noise_is_larger_on_top_than_beside_the_peak():
    mean = 100 * GAUSSIAN + 4000
    y = np.random.default_rng(1).poisson(mean).astype(float)
    variance = peaks.noise_variance(y, peaks.running_mean(y, 2), 4000, 1e5)
    assert variance[81] == pytest.approx(mean[81], rel=0.6)
    assert variance[5] == pytest.approx(mean[5], rel=0.6)


def test_the_top_of_a_parabola_is_its_vertex():
    y = 50 - 0.1 * (X - 681.3) ** 2
    top = peaks.top(X, y, EVEN, 2)
    assert (top.x, top.y) == (pytest.approx(681.3), pytest.approx(50))


def test_a_rising_line_has_no_top():
    assert peaks.top(X, X.copy(), EVEN, 2) is None


def test_the_flanks_of_a_triangle_cross_half_height_exactly():
    y = np.maximum(0, 60 - np.abs(X - 680))
    for half in (1, 4):
        left, right = (peaks.crossing(X, y, EVEN, 30.0, 80, side, half) for side in (-1, 1))
        assert (left.x, right.x) == (pytest.approx(650), pytest.approx(710))
        assert (left.slope, right.slope) == (pytest.approx(1), pytest.approx(-1))


def test_a_flank_outside_the_window_is_not_invented():
    assert peaks.crossing(X[:100], GAUSSIAN[:100], EVEN[:100], 500.0, 81, 1, 1) is None


def test_trapezoid_weights_integrate_an_uneven_axis():
    x = np.array([0.0, 1.0, 4.0, 4.5])
    assert peaks.trapezoid_weights(x) @ x**2 == pytest.approx(np.trapezoid(x**2, x))


def test_the_variance_trend_is_a_standard_normal_deviate_for_even_noise_and_large_for_counts():
    rng = np.random.default_rng(2)
    even = [variance_trend(rng.normal(0, 5, X.size), GAUSSIAN) for _ in range(1000)]
    assert np.mean(even) == pytest.approx(0, abs=0.3)
    assert np.std(even) == pytest.approx(1, abs=0.15)
    assert variance_trend(rng.poisson(GAUSSIAN + 10) - GAUSSIAN - 10, GAUSSIAN) > 4


def test_serial_correlation_tells_a_wrong_model_from_noise():
    noise = np.random.default_rng(3).normal(0, 1, 400)
    assert abs(serial_correlation(noise)) < 0.2
    assert serial_correlation(np.sin(np.arange(400) / 20)) > 0.9

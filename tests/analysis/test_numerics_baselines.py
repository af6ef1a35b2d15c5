"""Backgrounds under peaks: planted ones come back, and slow versions of the same rules agree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import BSpline

from analysis.numerics import baselines
from measurements.data import Array

X = np.linspace(0.0, 1.0, 500)
BACKGROUND = 200 + 150 * X + 100 * np.sin(2 * X)
PEAKS = 5000 * np.exp(-0.5 * ((X - 0.3) / 0.01) ** 2) + 800 * np.exp(-0.5 * ((X - 0.7) / 0.02) ** 2)
NOISE_SD = 2.0


def spectra(rows: int = 3) -> Array:
    return BACKGROUND + PEAKS + np.random.default_rng(1).normal(0, NOISE_SD, (rows, X.size))


@pytest.mark.parametrize(
    "found",
    [baselines.snip(spectra(), 30), baselines.asymmetric(spectra())],
    ids=["snip", "asymmetric"],
)
def test_a_planted_background_comes_back_from_under_peaks_fifty_times_as_high(found: Array) -> None:
    """Within 12 counts under 5000; both lie a little low by construction, below most of the noise."""
    off = found - BACKGROUND
    assert np.abs(off).max() < 12
    assert -5 * NOISE_SD < off.mean() < 0


def test_clipping_is_what_a_loop_over_points_gives() -> None:
    y = spectra(1)[0]
    v = np.log1p(np.log1p(np.sqrt(y + 1)))
    for away in range(25, 0, -1):
        clipped = v.copy()
        for i in range(away, y.size - away):
            clipped[i] = min(v[i], (v[i - away] + v[i + away]) / 2)
        v = clipped
    assert baselines.snip(y, 25) == pytest.approx(np.expm1(np.expm1(v)) ** 2 - 1, rel=1e-12)


def test_the_splines_are_those_of_scipy() -> None:
    ours = baselines._splines(101, 10)
    knots = np.arange(-3.0, 14.0)
    theirs = BSpline.design_matrix(np.linspace(0, 10, 101)[:-1], knots, 3).toarray().T
    assert ours[:, :-1] == pytest.approx(theirs, abs=1e-12)
    assert ours.sum(axis=0) == pytest.approx(1.0)


def test_the_asymmetric_fit_balances_what_it_counts() -> None:
    """At the minimum the weighted residuals are orthogonal to every straight line, which costs no bending."""
    y = spectra(1)
    curve = baselines.asymmetric(y, share=0.05)
    weighted = np.where(y > curve, 0.05, 0.95) * (y - curve)
    for line in (np.ones_like(X), X):
        assert abs(float((weighted * line).sum())) < 1e-6 * float((np.abs(weighted) * line).sum())


def test_a_spectrum_does_not_know_who_else_is_fitted() -> None:
    y = spectra(4)
    together = baselines.asymmetric(y)
    assert together[2] == pytest.approx(baselines.asymmetric(y[2:3])[0], rel=1e-9)


def test_a_stiff_background_is_straight() -> None:
    curve = baselines.asymmetric(spectra(1), stiffness=1e9)[0]
    assert np.abs(np.diff(curve, n=2)).max() < 1e-4

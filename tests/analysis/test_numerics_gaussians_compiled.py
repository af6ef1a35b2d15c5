"""The compiled search for Gaussians takes the same steps as the one in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.numerics import compiled, gaussians
from tests.analysis.pl_reference import NOISE_SD, TRUTH, one_peak

pytestmark = pytest.mark.skipif(not compiled.has_numba(), reason="no numba")
X_NM = np.linspace(550.0, 800.0, 400)


def both(y, starts, **more):
    return [gaussians.fit(X_NM, y, starts, engine=engine, **more) for engine in ("numpy", "numba")]


def assert_same(one: gaussians.Fits, other: gaussians.Fits) -> None:
    assert np.array_equal(one.minima.converged, other.minima.converged)
    assert np.array_equal(one.minima.at_bound, other.minima.at_bound)
    assert other.minima.ssr == pytest.approx(one.minima.ssr, rel=1e-9)
    sure = one.minima.converged & ~one.minima.at_bound.any(axis=1)
    sigma = np.sqrt(np.einsum("bpp->bp", one.errors.classical))[sure]
    assert sure.any()
    assert np.max(np.abs(one.params[sure] - other.params[sure]) / sigma) < 1e-4


@pytest.mark.parametrize("weighted", [False, True])
def test_two_gaussians_come_out_alike(weighted: bool) -> None:
    curve = gaussians.gaussian_model(X_NM)(TRUTH)[0]
    y = curve + np.random.default_rng(1).normal(0, NOISE_SD, (30, X_NM.size))
    starts = np.tile([80.0, 680, 40, 4e5, 715, 20, 4e4], (30, 1, 1))
    weights = 1 / np.maximum(y, 100) if weighted else None
    assert_same(*both(y, starts, weights=weights))


def test_limits_are_met_alike_where_a_second_peak_is_not_there() -> None:
    y = one_peak(x=X_NM) + np.random.default_rng(2).normal(0, 300, (20, X_NM.size))
    start = gaussians.start_one(X_NM, y)
    one, other = both(y, start[:, None])
    assert_same(one, other)
    starts = gaussians.starts_two(X_NM, y, one.params)
    found = both(y, starts)
    assert found[0].minima.at_bound.any()
    assert np.array_equal(found[0].minima.at_bound, found[1].minima.at_bound)
    assert found[1].minima.ssr == pytest.approx(found[0].minima.ssr, rel=1e-6)


def test_only_long_spectra_gain_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    y = one_peak(x=X_NM)[None] + np.random.default_rng(3).normal(0, 300, (1, X_NM.size))
    start = gaussians.start_one(X_NM, y)[:, None]
    by_numpy, by_numba = both(y, start)
    assert np.array_equal(gaussians.fit(X_NM, y, start).params, by_numpy.params)
    monkeypatch.setattr(gaussians, "LONG", X_NM.size)
    assert np.array_equal(gaussians.fit(X_NM, y, start).params, by_numba.params)
    monkeypatch.setattr(gaussians, "pays", lambda kernel, numbers: False)
    assert np.array_equal(gaussians.fit(X_NM, y, start).params, by_numpy.params)

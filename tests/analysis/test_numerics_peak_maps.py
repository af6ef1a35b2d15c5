"""Many Gaussians on lines at once: scipy is the slow twin, planted truth the judge, and two engines agree."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import curve_fit

from analysis.numerics import compiled, peak_maps
from measurements.data import Array

X_NM = np.linspace(600.0, 820.0, 256)
ENGINES = [
    "numpy",
    pytest.param("numba", marks=pytest.mark.skipif(not compiled.has_numba(), reason="no numba")),
]


def planted(rows: int, seed: int = 1, slope: float = 0.2) -> Array:
    """Centres and widths as of row A-32: published CL maps."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.uniform(500, 1500, rows),
        rng.uniform(705, 715, rows),
        rng.uniform(12, 18, rows),
        rng.uniform(50, 150, rows),
        rng.normal(0, slope, rows) if slope else np.zeros(rows),
    ]
    return np.stack(columns, axis=1)


def noisy(truth: Array, sd: float, x: Array = X_NM, seed: int = 2) -> Array:
    curves = peak_maps.gaussian_on_line(x, truth)
    return np.asarray(curves + np.random.default_rng(seed).normal(0, sd, curves.shape))


def line(x, height, centre, sigma, offset, slope):
    return height * np.exp(-0.5 * ((x - centre) / sigma) ** 2) + offset + slope * (x - (x[0] + x[-1]) / 2)


def by_scipy(x: Array, y: Array, start: Array) -> tuple[Array, Array]:
    found, covariance = curve_fit(line, x, y, start, xtol=1e-13, ftol=1e-13, gtol=1e-13)
    return found, np.sqrt(np.diag(covariance))


def assert_as_scipy(x: Array, y: Array, truth: Array, fits: peak_maps.PeakFits) -> None:
    for row in range(len(y)):
        params, errors = by_scipy(x, y[row], truth[row])
        assert fits.converged[row]
        assert np.all(np.abs(fits.params[row] - params) < 1e-3 * errors)
        assert abs(fits.params[row, 1] - params[1]) < 1e-4
        assert fits.errors[row] == pytest.approx(errors, rel=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_parameters_and_errors_are_those_of_scipy(engine: str) -> None:
    truth = planted(40)
    y = noisy(truth, 30.0)
    assert_as_scipy(X_NM, y, truth, peak_maps.fit(X_NM, y, engine=engine))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(1000, 612, 15), (1000, 815, 12), (-800, 700, 14), (1000, 700, 1.0)])
def test_cut_hanging_and_narrow_peaks_are_fitted_as_by_scipy(engine: str, shape: tuple[float, ...]) -> None:
    truth = np.tile([*shape, 100.0, 0.1], (5, 1))
    y = noisy(truth, 8.0)
    assert_as_scipy(X_NM, y, truth, peak_maps.fit(X_NM, y, engine=engine))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_uneven_axis_is_as_good_as_an_even_one(engine: str) -> None:
    x = 600 + 220 * np.linspace(0, 1, 256) ** 1.2
    truth = planted(10)
    y = noisy(truth, 20.0, x)
    assert_as_scipy(x, y, truth, peak_maps.fit(x, y, engine=engine))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_interval_of_one_sigma_holds_the_truth_as_often_as_it_says(engine: str) -> None:
    truth = np.tile([900.0, 710.0, 15.0, 100.0, 0.1], (1000, 1))
    fits = peak_maps.fit(X_NM, noisy(truth, 40.0), engine=engine)
    held = np.mean(np.abs(fits.params - truth) < fits.errors, axis=0)
    assert np.all((held > 0.62) & (held < 0.74)), dict(zip(peak_maps.NAMES, held, strict=True))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_centres_of_a_published_map_are_recovered(engine: str) -> None:
    """Row A-32: 300 pixels, bias below 0.05 nm; the scatter is what the errors say."""
    truth = planted(300, slope=0)
    fits = peak_maps.fit(X_NM, noisy(truth, 30.0), level=True, engine=engine)
    off = fits.params[:, 1] - truth[:, 1]
    assert abs(off.mean()) < 0.05
    assert off.std() == pytest.approx(np.sqrt(np.mean(fits.errors[:, 1] ** 2)), rel=0.1)
    assert np.all(fits.params[:, 4] == 0)


@pytest.mark.skipif(not compiled.has_numba(), reason="no numba")
@pytest.mark.parametrize("level", [False, True])
def test_both_engines_give_the_same_answers(level: bool) -> None:
    truth = planted(200, slope=0 if level else 0.2)
    y = noisy(truth, 60.0)
    one = peak_maps.fit(X_NM, y, level=level, engine="numpy")
    other = peak_maps.fit(X_NM, y, level=level, engine="numba")
    assert np.all(one.converged & other.converged)
    assert np.max(np.abs(one.params - other.params)[:, :4] / one.errors[:, :4]) < 1e-3
    assert one.errors == pytest.approx(other.errors, rel=1e-3)
    assert one.ssr == pytest.approx(other.ssr, rel=1e-6)


@pytest.mark.skipif(not compiled.has_numba(), reason="no numba")
def test_numba_is_used_where_it_pays_and_never_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    y = noisy(planted(5), 30.0)
    by_numpy, by_numba = (peak_maps.fit(X_NM, y, engine=engine).params for engine in ("numpy", "numba"))
    monkeypatch.delitem(sys.modules, "analysis.numerics._peak_maps_numba")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert np.array_equal(peak_maps.fit(X_NM, y).params, by_numpy)
    monkeypatch.setattr(compiled, "LARGE", y.size)
    assert compiled.pays("_peak_maps_numba", y.size)
    monkeypatch.setattr(compiled, "LARGE", y.size + 1)
    assert not compiled.pays("_peak_maps_numba", y.size)
    (tmp_path / "numerics_1").mkdir()
    (tmp_path / "numerics_1" / "_peak_maps_numba._fit_all-70.py311.nbi").touch()
    assert compiled.pays("_peak_maps_numba", 1)
    monkeypatch.setitem(sys.modules, "analysis.numerics._peak_maps_numba", peak_maps)
    assert compiled.pays("_peak_maps_numba", 1)
    monkeypatch.setattr(compiled, "has_numba", lambda: False)
    assert np.array_equal(peak_maps.fit(X_NM, y).params, by_numpy)
    assert np.abs(by_numba - by_numpy).max() < 1e-2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_spectrum_that_cannot_be_fitted_is_nan_and_leaves_the_others_alone(engine: str) -> None:
    truth = planted(6)
    y = noisy(truth, 30.0)
    alone = peak_maps.fit(X_NM, y[5:], engine=engine)
    y[0, 7], y[1], y[2], y[3] = np.nan, 5.0, 0.0, np.inf
    fits = peak_maps.fit(X_NM, y, engine=engine)
    assert list(fits.converged) == [False, False, False, False, True, True]
    assert np.all(np.isnan(fits.params[:4]))
    assert fits.params[5] == pytest.approx(alone.params[0], rel=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_exact_peak_comes_back_exactly_with_errors_of_rounding(engine: str) -> None:
    truth = planted(20)
    fits = peak_maps.fit(X_NM, peak_maps.gaussian_on_line(X_NM, truth), engine=engine)
    assert fits.params == pytest.approx(truth, rel=1e-7, abs=1e-7)
    assert np.all((fits.errors > 0) & (fits.errors < 1e-4))


def test_what_is_no_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="increasing"):
        peak_maps.fit(X_NM[::-1], np.ones((2, 256)))
    with pytest.raises(ValueError, match="do not fit"):
        peak_maps.fit(X_NM, np.ones((2, 255)))

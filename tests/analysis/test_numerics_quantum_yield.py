"""The formulas of the sphere against the numbers of row A-06, and the bootstrap against a slow one."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import methods
from analysis.numerics import quantum_yield as sphere
from tests.analysis.sphere import PLANTED, light, spectrum, table


def test_the_checked_three_measurements() -> None:
    assert sphere.absorptance(880_000.0, 352_000.0) == pytest.approx(0.600, abs=1e-12)
    phi = sphere.three_measurements(1e6, 880_000.0, 352_000.0, 97_560.0, 526_824.0)
    assert phi == pytest.approx(0.813, abs=1e-9)


@pytest.mark.parametrize(("emitted", "expected"), [(13_020.0, 0.0217), (7_380.0, 0.0123)])
def test_the_checked_two_measurements(emitted: float, expected: float) -> None:
    assert sphere.two_measurements(1e6, 4e5, 0.0, emitted) == pytest.approx(expected, abs=1e-12)


def test_the_checked_reabsorption() -> None:
    assert sphere.without_reabsorption(0.6, 0.3) == pytest.approx(0.6818, abs=5e-5)


def test_three_measurements_invert_the_sphere_that_they_describe() -> None:
    """Light that meets the wall first is absorbed with μ, the beam with A: de Mello's eqs. 1 to 5."""
    phi, a, mu, laser = 0.42, 0.7, 0.2, 5e5
    l_b, l_c = laser * (1 - mu), laser * (1 - a) * (1 - mu)
    p_b, p_c = laser * mu * phi, laser * (a + (1 - a) * mu) * phi
    assert sphere.three_measurements(laser, l_b, l_c, p_b, p_c) == pytest.approx(phi, abs=1e-12)


def test_reabsorption_counts_every_generation_of_photons() -> None:
    """Each emission escapes with 1 − a or is absorbed and emitted again: a geometric series."""
    phi, a = 0.7, 0.25
    escaped = sum(phi * (1 - a) * (a * phi) ** n for n in range(200))
    assert sphere.without_reabsorption(escaped, a) == pytest.approx(phi, abs=1e-12)


def test_a_band_is_the_trapezoid_over_the_points_inside() -> None:
    x = np.array([1.0, 2.0, 4.0, 7.0, 8.0])
    y = np.array([5.0, 1.0, 3.0, 2.0, 9.0])
    assert sphere.band(x, 2.0, 7.0) @ y == pytest.approx(np.trapezoid(y[1:4], x[1:4]))
    assert not sphere.band(x, 2.5, 3.5).any()


def test_the_sigmas_are_those_of_counts_drawn_anew_point_by_point() -> None:
    """The slow twin: every count of every spectrum is drawn from its Poisson distribution."""
    method, rng = methods.get("plqy"), np.random.default_rng(21)
    dim = {role: (laser / 20, emission / 400) for role, (laser, emission) in PLANTED.items()}
    counts = {role: rng.poisson(light(*photons) + 2) for role, photons in dim.items()}
    fast = table(method.run({role: spectrum(y) for role, y in counts.items()}, method.Params()))
    again = [
        table(method.run({r: spectrum(rng.poisson(y)) for r, y in counts.items()}, method.Params()))
        for _ in range(600)
    ]
    for key in ("plqy", "plqy_absorptance"):
        assert fast[key][1] == pytest.approx(np.std([one[key][0] for one in again]), rel=0.1)


def test_the_sigma_of_a_quotient_whose_denominator_may_vanish_is_still_finite() -> None:
    at, covariance = np.array([1.0, 0.1]), np.diag([0.01, 0.01])
    (sigma,) = sphere.spread([lambda drawn: drawn[0] / drawn[1]], at, covariance)
    assert np.isfinite(sigma)
    assert sigma > 1


def test_correlated_errors_cancel_where_they_must() -> None:
    at = np.array([4.0, 2.0])
    together = np.outer(at, at) * 0.01
    sigmas = sphere.spread([lambda drawn: drawn[0] / drawn[1], lambda drawn: drawn[0]], at, together)
    assert sigmas[0] < 1e-6
    assert sigmas[1] == pytest.approx(0.4, rel=0.05)

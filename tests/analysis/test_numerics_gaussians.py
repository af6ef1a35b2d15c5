"""Gaussians: derivatives, geometry, and starts that lead to the deepest minimum."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.numerics import gaussians

X = np.arange(550.0, 801.0)
SI14B = np.array([[81.13, 682.82, 39.27, 418305.79, 716.94, 21.78, 21896.09]])


def test_the_derivatives_are_those_of_the_curve():
    model = gaussians.gaussian_model(X)
    jacobian = model(SI14B)[1][0]
    for i in range(7):
        step = np.zeros((1, 7))
        step[0, i] = 1e-5 * SI14B[0, i]
        slope = (model(SI14B + step)[0] - model(SI14B - step)[0])[0] / (2 * step[0, i])
        assert jacobian[i] == pytest.approx(slope, rel=1e-5, abs=1e-7 * np.abs(slope).max())


def test_area_height_and_width_are_origins():
    x = np.arange(300.0, 1100.0, 0.1)
    component = gaussians.components(x, np.array([0.0, 682.82, 39.27, 418305.79]))[0]
    assert np.trapezoid(component, x) == pytest.approx(418305.79, rel=1e-9)
    assert component.max() == pytest.approx(418305.79 / (39.27 * 1.2533141), rel=1e-5)
    above = x[component > component.max() / 2]
    assert above[-1] - above[0] == pytest.approx(1.177410 * 39.27, abs=0.2)


def test_components_and_offset_add_up_to_the_curve():
    total = SI14B[0, 0] + gaussians.components(X, SI14B[0]).sum(axis=0)
    assert total == pytest.approx(gaussians.gaussian_model(X)(SI14B)[0][0])


def test_component_one_is_the_one_at_shorter_wavelength():
    y = gaussians.gaussian_model(X)(SI14B)[0]
    swapped = SI14B[:, [0, 4, 5, 6, 1, 2, 3]]
    assert gaussians.fit(X, y, swapped[:, None]).params == pytest.approx(SI14B, rel=1e-6)


def test_the_starts_lead_as_deep_as_sixty_random_ones():
    rng = np.random.default_rng(12)
    count, randoms = 40, 60
    truth = np.column_stack(
        [
            np.full(count, 80.0),
            rng.uniform(610, 740, count),
            rng.uniform(12, 45, count),
            np.full(count, 4e5),
            np.zeros(count),
            rng.uniform(10, 60, count),
            4e5 * 10 ** rng.uniform(-1, 1, count),
        ]
    )
    truth[:, 4] = truth[:, 1] + rng.choice([-1, 1], count) * rng.uniform(0.6, 1.5, count) * truth[:, 2]
    y = gaussians.gaussian_model(X)(truth)[0] + rng.normal(0, 114, (count, X.size))
    one = gaussians.fit(X, y, gaussians.start_one(X, y)[:, None])
    ours = gaussians.fit(X, y, gaussians.starts_two(X, y, one.params))
    starts = np.empty((count, randoms + 1, 7))
    starts[:, :, 0] = 80
    starts[:, :, [1, 4]] = rng.uniform(570, 780, (count, randoms + 1, 2))
    starts[:, :, [2, 5]] = rng.uniform(6, 70, (count, randoms + 1, 2))
    starts[:, :, [3, 6]] = rng.uniform(0.05, 1, (count, randoms + 1, 2)) * 4e5
    starts[:, -1] = truth
    oracle = gaussians.fit(X, y, starts)
    assert np.all((ours.minima.ssr - oracle.minima.ssr) / 114**2 < 1.0)

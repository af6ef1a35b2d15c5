"""The batched solver against certified data, an independent solver, and its own promises."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.numerics import gaussians
from analysis.numerics.least_squares import covariances, minimise

# NIST StRD nonlinear regression, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
MISRA1A = np.array(
    [
        [77.6, 10.07], [114.9, 14.73], [141.1, 17.94], [190.8, 23.93], [239.9, 29.61], [289.0, 35.18],
        [332.8, 40.02], [378.4, 44.82], [434.8, 50.76], [477.3, 55.05], [536.8, 61.01], [593.1, 66.40],
        [689.1, 75.47], [760.0, 81.78],
    ]
)  # fmt: skip
ECKERLE4 = np.array(
    [
        [400.0, 0.0001575], [405.0, 0.0001699], [410.0, 0.0002350], [415.0, 0.0003102], [420.0, 0.0004917],
        [425.0, 0.0008710], [430.0, 0.0017418], [435.0, 0.0046400], [436.5, 0.0065895], [438.0, 0.0097302],
        [439.5, 0.0149002], [441.0, 0.0237310], [442.5, 0.0401683], [444.0, 0.0712559], [445.5, 0.1264458],
        [447.0, 0.2073413], [448.5, 0.2902366], [450.0, 0.3445623], [451.5, 0.3698049], [453.0, 0.3668534],
        [454.5, 0.3106727], [456.0, 0.2078154], [457.5, 0.1164354], [459.0, 0.0616764], [460.5, 0.0337200],
        [462.0, 0.0194023], [463.5, 0.0117831], [465.0, 0.0074357], [470.0, 0.0022732], [475.0, 0.0008800],
        [480.0, 0.0004579], [485.0, 0.0002345], [490.0, 0.0001586], [495.0, 0.0001143], [500.0, 0.0000710],
    ]
)  # fmt: skip


def misra1a(p):
    x = MISRA1A[:, 0]
    decay = np.exp(-p[:, 1:2] * x)
    return p[:, :1] * (1 - decay), np.stack([1 - decay, p[:, :1] * x * decay], axis=1)


def eckerle4(p):
    b1, b2, b3 = p[:, 0:1], p[:, 1:2], p[:, 2:3]
    u = (ECKERLE4[:, 0] - b3) / b2
    shape = np.exp(-0.5 * u**2) / b2
    return b1 * shape, np.stack([shape, b1 * shape * (u**2 - 1) / b2, b1 * shape * u / b2], axis=1)


CERTIFIED = {
    "Misra1a": (
        misra1a,
        MISRA1A[:, 1],
        [(500, 1e-4), (250, 5e-4)],
        (2.3894212918e02, 5.5015643181e-04),
        (2.7070075241e00, 7.2668688436e-06),
    ),
    "Eckerle4": (
        eckerle4,
        ECKERLE4[:, 1],
        [(1.5, 5, 450)],
        (1.5543827178e00, 4.0888321754e00, 4.5154121844e02),
        (1.5408051163e-02, 4.6803020753e-02, 4.6800518816e-02),
    ),
}


def unbounded(start):
    return np.full_like(start, -np.inf), np.full_like(start, np.inf)


@pytest.mark.parametrize("name", CERTIFIED)
def test_nist_certified_values_and_standard_errors_are_reproduced(name):
    model, y, starts, values, errors = CERTIFIED[name]
    start = np.array(starts, dtype=float)
    batch = np.tile(y, (len(starts), 1))
    found = minimise(model, batch, start, *unbounded(start))
    assert found.converged.all()
    assert found.params == pytest.approx(np.tile(values, (len(starts), 1)), rel=1e-7)
    sigma = np.sqrt(np.einsum("bpp->bp", covariances(model, batch, found.params).classical))
    assert sigma == pytest.approx(np.tile(errors, (len(starts), 1)), rel=1e-5)


def random_doublets(count, seed):
    rng = np.random.default_rng(seed)
    x = np.arange(550.0, 801.0)
    truth = np.column_stack(
        [
            rng.uniform(0, 300, count),
            rng.uniform(620, 680, count),
            rng.uniform(20, 40, count),
            rng.uniform(2e5, 6e5, count),
            rng.uniform(710, 740, count),
            rng.uniform(15, 40, count),
            rng.uniform(5e4, 3e5, count),
        ]
    )
    y = gaussians.gaussian_model(x)(truth)[0] + rng.normal(0, 80, (count, x.size))
    return x, y, truth


def test_random_doublets_give_what_scipy_gives_within_a_thousandth_of_sigma():
    from scipy.optimize import curve_fit

    x, y, truth = random_doublets(20, seed=7)
    fits = gaussians.fit(x, y, truth[:, None])
    sigma = np.sqrt(np.einsum("bpp->bp", fits.errors.classical))
    for i in range(len(y)):
        expected, covariance = curve_fit(
            lambda x, *p: gaussians.gaussian_model(x)(np.array([p]))[0][0],
            x,
            y[i],
            truth[i],
            jac=lambda x, *p: gaussians.gaussian_model(x)(np.array([p]))[1][0].T,
            xtol=1e-14,
            ftol=1e-14,
            x_scale="jac",
            method="trf",
        )
        errors = np.sqrt(np.diag(covariance))
        assert np.all(np.abs(fits.params[i] - expected) < 1e-3 * errors)
        assert sigma[i] == pytest.approx(errors, rel=1e-3)


def test_weights_do_what_scipy_does_with_sigma():
    from scipy.optimize import curve_fit

    x, y, truth = random_doublets(1, seed=8)
    noise = np.sqrt(np.maximum(y, 50))
    fits = gaussians.fit(x, y, truth[:, None], weights=1 / noise**2)
    expected, covariance = curve_fit(
        lambda x, *p: gaussians.gaussian_model(x)(np.array([p]))[0][0], x, y[0], truth[0], sigma=noise[0]
    )
    errors = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(fits.params[0] - expected) < 1e-2 * errors)
    assert np.sqrt(np.diag(fits.errors.classical[0])) == pytest.approx(errors, rel=1e-2)


def test_a_batch_gives_the_same_numbers_as_one_by_one():
    x, y, truth = random_doublets(150, seed=9)  # more rows than one chunk holds
    together = gaussians.fit(x, y, truth[:, None])
    for i in (0, 31, 32, 149):
        alone = gaussians.fit(x, y[i : i + 1], truth[i : i + 1, None])
        assert alone.params[0] == pytest.approx(together.params[i], rel=1e-9)
        assert alone.errors.sandwich[0] == pytest.approx(together.errors.sandwich[i], rel=1e-6)


def test_a_parameter_pushed_outwards_stays_on_its_bound_and_says_so():
    def line(p):
        x = np.linspace(0, 1, 20)
        return p[:, :1] + p[:, 1:] * x, np.stack([np.ones((len(p), 20)), np.tile(x, (len(p), 1))], axis=1)

    y = line(np.array([[1.0, -2.0]]))[0]
    start = np.array([[0.0, 1.0]])
    found = minimise(line, y, start, np.array([[-10.0, 0.0]]), np.array([[10.0, 5.0]]))
    assert found.params[0, 1] == 0.0
    assert found.params[0, 0] == pytest.approx(y.mean())  # the best constant
    assert found.at_bound.tolist() == [[False, True]]
    assert found.converged.all()


def test_a_singular_problem_comes_back_with_nan_errors_and_no_exception():
    def twice_the_same(p):
        return np.tile(p[:, :1] + p[:, 1:], (1, 20)), np.ones((len(p), 2, 20))

    y = np.random.default_rng(0).normal(3, 1, (1, 20))
    found = minimise(twice_the_same, y, np.zeros((1, 2)), *unbounded(np.zeros((1, 2))))
    assert found.params.sum() == pytest.approx(y.mean())
    assert np.isnan(covariances(twice_the_same, y, found.params).classical).all()


def test_one_hopeless_row_does_not_spoil_its_neighbours():
    x, y, truth = random_doublets(3, seed=10)
    spoiled = truth.copy()
    spoiled[1] = [0, 560, 5, 0, 560, 5, 0]  # two empty Gaussians on the same spot: singular
    fits = gaussians.fit(x, y, spoiled[:, None])
    clean = gaussians.fit(x, y, truth[:, None])
    assert fits.params[[0, 2]] == pytest.approx(clean.params[[0, 2]], rel=1e-9)


def test_even_noise_is_covered_by_both_covariances_and_counting_noise_by_the_sandwich():
    x = np.arange(550.0, 801.0)
    truth = np.array([[81.13, 682.82, 39.27, 418305.79, 716.94, 21.78, 21896.09]])
    curve = gaussians.gaussian_model(x)(truth)[0]
    rng = np.random.default_rng(11)
    counted = gaussians.fit(x, rng.poisson(curve, (1000, x.size)).astype(float), np.tile(truth, (1000, 1, 1)))
    sandwich = np.sqrt(np.einsum("bpp->bp", counted.errors.sandwich))
    classical = np.sqrt(np.einsum("bpp->bp", counted.errors.classical))
    covered = np.mean(np.abs(counted.params - truth) < sandwich, axis=0)
    assert np.all((covered > 0.62) & (covered < 0.74)), covered
    assert np.mean(np.abs(counted.params - truth) < classical, axis=0)[1] < 0.55  # why it exists


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=40), st.floats(0.1, 50), st.floats(-5, 5))
def test_the_solver_never_warns_or_raises(values, width, area):
    y = np.array([values])
    x = np.linspace(0, 100, y.size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fits = gaussians.fit(x, y, np.array([[[0.0, 50.0, width, area]]]), min_width=0.1)
    assert np.isfinite(fits.params).all()

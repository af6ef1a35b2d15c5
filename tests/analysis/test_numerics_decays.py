"""Exact convolution with a measured response, its derivatives, and fits by likelihood."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from analysis.numerics.counting import most_likely, non_negative
from analysis.numerics.decays import Convolver, Points, decay, exponential, instant, stretched
from analysis.numerics.responses import resampled
from tests.analysis.decay_reference import IRF_AT_NS, IRF_SIGMA_NS, STEP_NS, T_NS, expected, irf, photons

SHAPES = [
    (exponential, [math.log(0.02)]),
    (exponential, [math.log(0.7)]),
    (exponential, [math.log(30.0)]),
    (stretched, [math.log(0.3), 0.4]),
    (stretched, [math.log(5.0), 0.6]),
    (stretched, [math.log(20.0), 1.3]),
]


def gaussian_response(step: float = STEP_NS, decay_step: float = STEP_NS):
    t = step * np.arange(round(8 / step))
    half = step / 2 / IRF_SIGMA_NS / math.sqrt(2)
    z = (t - IRF_AT_NS) / IRF_SIGMA_NS / math.sqrt(2)
    counts = np.array([math.erf(x + half) - math.erf(x - half) for x in z])
    return resampled(t, counts, decay_step)


@pytest.mark.parametrize(("kernel", "shape"), SHAPES)
def test_a_channel_holds_the_integral_over_both_channels(kernel, shape):
    """Against adaptive quadrature of the definition, at delays on both sides of every kink."""
    quad = pytest.importorskip("scipy.integrate").quad
    a, b = 0.05, 0.025
    tau, beta = math.exp(shape[0]), shape[1] if len(shape) > 1 else 1.0

    def slow(u: float) -> float:
        def weighted(w: float) -> float:
            x = u - w
            return min(a, b, (a + b) / 2 - abs(w)) * math.exp(-((x / tau) ** beta)) if x >= 0 else 0.0

        inside = sorted(p for p in (u, (b - a) / 2, (a - b) / 2) if abs(p) < (a + b) / 2)
        edges = [-(a + b) / 2, *inside, (a + b) / 2]
        pieces = pairwise(edges)
        return sum(quad(weighted, *piece, epsabs=1e-13, limit=200)[0] for piece in pieces) / (a * b)

    delays = np.array([-0.05, -0.03, -0.01, 0.0, 0.005, 0.03, 0.04, 0.2, 0.39, 0.41, 1.0, 4.0])
    values, _ = kernel(delays, a, b, np.array(shape))
    assert values == pytest.approx([slow(u) for u in delays], abs=3e-7)


@pytest.mark.parametrize(("kernel", "shape"), SHAPES)
@pytest.mark.parametrize("step", [STEP_NS, STEP_NS / 2])
def test_derivatives_are_those_of_the_curve(kernel, shape, step):
    seen = Convolver(gaussian_response(step), 0.0, STEP_NS, 600)
    model = decay(seen, kernel, 1)
    params = np.array([0.313, 2.0, 500.0, *shape])
    _, jacobian = model(params)
    for place in range(params.size):
        h = np.zeros(params.size)
        h[place] = 1e-5 * max(1.0, abs(params[place]))
        numeric = (model(params + h)[0] - model(params - h)[0]) / (2 * h[place])
        assert np.abs(jacobian[place] - numeric).max() < 1e-5 * np.abs(numeric).max(), place


@pytest.mark.parametrize(
    ("step", "within"),
    [(STEP_NS, 2e-4), (STEP_NS / 2, 1e-5), (STEP_NS / 5, 5e-6), (0.013, 1e-5), (0.08, 1.2e-3)],
)
def test_a_response_on_any_grid_gives_the_closed_form(step, within):
    """A Gaussian response, whose convolution with an exponential is known. What is left comes
    from the width of its channels and falls with the fourth power of that."""
    seen = Convolver(gaussian_response(step), 0.0, STEP_NS, T_NS.size)
    curve, _ = decay(seen, exponential, 2)(np.array([1.0, 0.0, 0.7, 0.3, math.log(5.0), math.log(30.0)]))
    truth = expected(peak=1.0, background=0.0)
    assert np.abs(curve / curve.max() - truth).max() < within


def test_a_shift_below_a_channel_moves_the_curve_by_that_much():
    seen = Convolver(gaussian_response(), 0.0, STEP_NS, 1000)
    model = decay(seen, exponential, 1)
    curve, _ = model(np.array([1.0, 0.0, 1.0, math.log(8.0)]))
    moved, _ = model(np.array([1.0 + 0.4 * STEP_NS, 0.0, 1.0, math.log(8.0)]))
    first = STEP_NS * (np.arange(1000) @ curve) / curve.sum()
    second = STEP_NS * (np.arange(1000) @ moved) / moved.sum()
    assert second - first == pytest.approx(0.4 * STEP_NS, abs=2e-3)
    after = slice(140, 900)
    assert moved[after] / curve[after] == pytest.approx(math.exp(0.4 * STEP_NS / 8.0), rel=1e-9)


def test_no_light_wraps_around_from_the_end_to_the_start():
    seen = Convolver(gaussian_response(), 0.0, STEP_NS, 1000)
    curve, _ = decay(seen, exponential, 1)(np.array([1.0, 0.0, 1.0, math.log(1000.0)]))
    assert np.abs(curve[:40]).max() < 1e-12
    assert curve[-1] > 0.9


def test_a_response_of_one_channel_stays_above_zero():
    """Sharpening takes from the neighbours at most what they hold."""
    made = resampled(np.arange(20.0), np.where(np.arange(20) == 7, 100.0, 0.0), 1.0)
    assert made.counts.min() >= 0
    assert made.counts.sum() == pytest.approx(1)
    assert made.counts[7] == 1


def test_resampling_keeps_all_counts_and_where_they_are():
    t = 0.025 * np.arange(400)
    counts = np.exp(-0.5 * ((t - 3.01) / 0.2) ** 2)
    made = resampled(t, counts, 0.06)
    assert made.per_channel == 2
    assert made.counts.sum() == pytest.approx(1, abs=1e-12)
    assert made.counts.min() >= 0
    assert made.center == pytest.approx(counts @ t / counts.sum(), abs=1e-4)


def test_the_likelihood_is_highest_where_scipy_finds_it():
    minimize = pytest.importorskip("scipy.optimize").minimize
    y = photons(expected(peak=300, background=1.0)[:1200], 11)
    seen = Convolver(gaussian_response(), 0.0, STEP_NS, 1200)
    response = seen.response

    def slow(p):
        """Sampled to death and without FFT: the sum of every response channel's own decay."""
        t0, b, a1, a2, l1, l2 = p
        curve = np.full(1200, b)
        t = T_NS[:1200]
        for j in np.flatnonzero(response.counts > 1e-9):
            u = t - (response.start + j * response.step) - t0
            for a, tau in ((a1, math.exp(l1)), (a2, math.exp(l2))):
                for weight, node in ((5 / 18, -0.7745966692), (8 / 18, 0.0), (5 / 18, 0.7745966692)):
                    for w2, n2 in ((5 / 18, -0.7745966692), (8 / 18, 0.0), (5 / 18, 0.7745966692)):
                        v = u + (node + n2) * STEP_NS / 2
                        ramp = np.where(v >= 0, np.exp(-np.maximum(v, 0) / tau), 0.0)
                        curve += response.counts[j] * a * weight * w2 * ramp
        return curve

    start = np.array([1.0, 1.0, 200.0, 80.0, math.log(4.0), math.log(25.0)])
    low = np.array([0.5, 1e-6, 0, 0, math.log(0.1), math.log(0.1)])
    high = np.array([1.5, 50, 1e5, 1e5, math.log(500), math.log(500)])
    ours = most_likely(decay(seen, exponential, 2), y, start, low, high)
    assert ours.converged

    def deviance(p):
        curve = np.maximum(slow(np.concatenate([ours.params[:1], p])), 1e-9)
        return 2 * float(np.sum(curve - y * np.log(curve)))

    theirs = minimize(
        deviance, ours.params[1:] * 1.01, method="Nelder-Mead", options={"maxiter": 60, "xatol": 1e-9}
    )
    sigma = np.sqrt(np.diag(ours.covariance))[1:]
    far = np.abs(theirs.x - ours.params[1:]) / sigma
    assert deviance(ours.params[1:]) <= theirs.fun + 0.05
    assert far.max() < 3


@pytest.mark.parametrize("seed", range(4))
def test_parameters_and_errors_are_those_of_lmfit_on_random_decays(seed):
    """Its least squares, weighted by the fitted curve and iterated, has the same fixed point."""
    lmfit = pytest.importorskip("lmfit")
    rng = np.random.default_rng(seed)
    t = 0.1 * np.arange(1500)
    truth = {"b": rng.uniform(1, 20), "a1": rng.uniform(500, 3000), "a2": rng.uniform(300, 2000),
             "l1": math.log(rng.uniform(1.5, 4)), "l2": math.log(rng.uniform(12, 30))}  # fmt: skip

    def curve(b, a1, a2, l1, l2):
        return b + a1 * np.exp(-t / math.exp(l1)) + a2 * np.exp(-t / math.exp(l2))

    y = photons(curve(**truth), seed + 100)
    start = np.array([0.0, *truth.values()])
    low, high = np.array([0.0, 1e-6, 0, 0, -3, -3]), np.array([0.0, 1e3, 1e6, 1e6, 8, 8])
    ours = most_likely(decay(Points(t), exponential, 2), y, start, low, high)
    params = lmfit.Parameters()
    for name, number in truth.items():
        params.add(name, value=number)
    weights = 1 / np.sqrt(np.maximum(y, 1))
    for _ in range(25):
        found = lmfit.minimize(
            lambda p, w: (curve(**p.valuesdict()) - y) * w,
            params,
            args=(weights,),
            scale_covar=False,
            ftol=1e-14,
            xtol=1e-14,
        )
        params = found.params
        weights = 1 / np.sqrt(curve(**params.valuesdict()))
    sigma = np.sqrt(np.diag(ours.covariance))[1:]
    theirs = np.array([params[name].value for name in truth])
    errors = np.array([params[name].stderr for name in truth])
    assert np.abs((ours.params[1:] - theirs) / sigma).max() < 1e-3
    assert sigma == pytest.approx(errors, rel=0.01)


def test_a_parameter_with_equal_limits_stays_and_has_no_error():
    y = photons(100 * np.exp(-T_NS[:400] / 3), 3)
    model = decay(Points(T_NS[:400]), exponential, 1)
    low, high = np.array([0.0, 0.1, 0, -3]), np.array([0.0, 0.1, 1e4, 5])
    found = most_likely(model, y, np.array([0.0, 0.1, 50.0, 0.5]), low, high)
    assert found.params[:2].tolist() == [0.0, 0.1]
    assert found.covariance[1, 1] == 0
    assert math.exp(found.params[3]) == pytest.approx(3, abs=4 * 3 * math.sqrt(found.covariance[3, 3]))


def test_counts_are_not_undercounted_as_by_weights_of_one_over_y():
    """At one count a channel least squares with weights 1/max(y, 1) loses a third of the light."""
    y = photons(np.full(5000, 1.0), 5)
    model = decay(Points(np.arange(5000.0)), exponential, 1)
    low, high = np.array([0.0, 1e-6, 0, 3]), np.array([0.0, 10.0, 0, 3.0])
    found = most_likely(model, y, np.array([0.0, 0.5, 0.0, 3.0]), low, high)
    assert found.params[1] == pytest.approx(y.mean(), rel=1e-5)
    least = most_likely(model, y, np.array([0.0, 0.5, 0.0, 3.0]), low, high, weights=1 / np.maximum(y, 1))
    assert least.params[1] < 0.85


def test_the_non_negative_minimum_is_that_of_scipy():
    nnls = pytest.importorskip("scipy.optimize").nnls
    rng = np.random.default_rng(8)
    for _ in range(20):
        matrix, right = rng.normal(size=(30, 8)), rng.normal(size=30)
        ours = non_negative(matrix.T @ matrix, matrix.T @ right)
        assert ours == pytest.approx(nnls(matrix, right)[0], abs=1e-7)


def test_the_response_of_a_counter_is_read_as_its_shape():
    response = irf()
    made = resampled(response.axes[0].values, np.maximum(response.signal.values - 1, 0), STEP_NS)
    assert made.center == pytest.approx(IRF_AT_NS, abs=0.01)
    assert made.fwhm == pytest.approx(2.355 * IRF_SIGMA_NS, abs=STEP_NS)


@pytest.mark.parametrize("pieces", [1, 4])
@pytest.mark.parametrize("place", [0.0, 0.13, 0.5, 0.77])
def test_light_that_takes_no_time_has_the_same_area_place_and_breadth_wherever_it_falls(pieces, place):
    width = 0.05
    delays = width * (np.arange(-20, 21) + place)
    value, slope = instant(delays, pieces * width, width)
    assert value.sum() * width == pytest.approx(1)
    assert (value * delays).sum() * width == pytest.approx(0, abs=1e-12)
    counted_in_many = (pieces**2 - 1) / 12
    assert (value * delays**2).sum() / width == pytest.approx(1 / 6 + counted_in_many)
    near = 1e-7
    later, earlier = (instant(delays + by, pieces * width, width)[0] for by in (near, -near))
    assert slope == pytest.approx((later - earlier) / (2 * near), abs=2e-2 / width)

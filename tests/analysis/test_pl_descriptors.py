"""The shape of a PL spectrum without a model: row A-01, and sigmas that repeated measurements confirm."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from analysis.methods import MethodError
from tests.analysis.hostile import X_NM
from tests.analysis.pl_reference import (
    CURVE,
    NOISE_SD,
    describe,
    fluoracle_spectrum,
    noisy,
    one_peak,
    said,
    table,
)


def test_the_shape_of_the_published_sum_curve_is_that_of_the_specification():
    found = {key: value for (key, _), (value, _) in table(describe(CURVE)).items()}
    assert found["pl_max_position"] == pytest.approx(682.90, abs=0.05)
    assert found["pl_fwhm"] == pytest.approx(48.56, abs=0.05)
    assert found["pl_centroid"] == pytest.approx(684.52, abs=0.05)
    assert found["pl_max_intensity"] == pytest.approx(8505, abs=1)
    assert found["pl_integrated_intensity"] == pytest.approx(418305.79 + 21896.09, rel=1e-4)


@pytest.mark.parametrize("noise", ["even", "quiet", "counting"])
def test_the_sigmas_of_the_shape_are_those_of_repeated_measurements(noise):
    rng = np.random.default_rng(21)
    make = {
        "even": lambda: CURVE + rng.normal(0, NOISE_SD, X_NM.size),
        "quiet": lambda: CURVE + rng.normal(0, 5, X_NM.size),
        "counting": lambda: rng.poisson(CURVE).astype(float),
    }[noise]
    exact = table(describe(CURVE))
    values, sigmas = defaultdict(list), defaultdict(list)
    for _ in range(400):
        for key, (value, sigma) in table(describe(make())).items():
            values[key].append(value)
            sigmas[key].append(sigma)
    for key in exact:
        spread = np.std(values[key])
        assert 1 / 1.3 < np.median(sigmas[key]) / spread < 1.3, key
        assert abs(np.mean(values[key]) - exact[key][0]) < 0.3 * spread, key


def test_the_asymmetry_is_above_one_for_a_red_tail_and_below_for_a_blue_one():
    assert table(describe(CURVE))["pl_asymmetry", ""][0] > 1.05
    assert table(describe(CURVE[::-1].copy()))["pl_asymmetry", ""][0] < 0.95


def test_a_peak_without_one_of_its_flanks_has_a_maximum_but_no_width():
    outcome = describe(noisy(22, one_peak()), window_min_nm=670.0)
    assert ("pl_max_position", "") in table(outcome)
    assert ("pl_fwhm", "") not in table(outcome)
    assert said(outcome, "no width is given")


def test_noise_alone_has_no_shape():
    with pytest.raises(MethodError, match="above the noise"):
        describe(noisy(23, np.full(X_NM.size, 500.0)))


def test_the_fluoracle_file_has_its_maximum_near_770_nm():
    x, y = fluoracle_spectrum()
    outcome = describe(y, x)
    position, sigma = table(outcome)["pl_max_position", ""]
    assert position == pytest.approx(770, abs=4)
    assert 0.05 < sigma < 2
    assert outcome.notes["signal_to_noise"] > 100

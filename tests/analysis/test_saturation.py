"""A clipped detector is pointed out, also where a calibration makes the clipped points unequal."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import methods
from measurements.data import Dataset
from tests.analysis.hostile import X_NM, dataset
from tests.analysis.pl_reference import said


def clipped() -> Dataset:
    rng = np.random.default_rng(1)
    y = 80_000 * np.exp(-0.5 * ((X_NM - 683) / 18) ** 2) + 500
    return dataset(np.minimum(rng.poisson(y), 65_535).astype(float), X_NM)


CALIBRATIONS = {
    "none": {},
    "dark": {"dark": dataset(np.random.default_rng(2).poisson(400, X_NM.size).astype(float), X_NM)},
    "spectral": {"spectral": dataset(1 + 0.3 * (X_NM - 550) / 400, X_NM, unit="1")},
}


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("key", ["pl_descriptors", "pl_colour"])
def test_a_clipped_detector_is_flagged_whatever_calibration_is_applied(key, calibration) -> None:
    loaded = methods.get(key)
    given = {"sample": clipped(), **CALIBRATIONS[calibration]}
    assert said(loaded.run(given, loaded.Params()), "the detector was probably saturated")


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_the_tail_of_a_clipped_line_says_so_whatever_calibration_is_applied(calibration) -> None:
    loaded = methods.get("pl_tail")
    x = np.arange(600.0, 820.0, 0.5)
    energy = 1239.841984 / x
    y = np.minimum(1e5 * np.exp(np.where(energy < 1.8, (energy - 1.8) / 0.03, (1.8 - energy) / 0.02)), 65_535)
    noisy = np.minimum(np.random.default_rng(3).poisson(y + 500), 65_535).astype(float)
    dark = np.random.default_rng(2).poisson(400, x.size).astype(float)
    calibrations = {
        "none": {},
        "dark": {"dark": dataset(dark, x)},
        "spectral": {"spectral": dataset(1 + 0.3 * (x - 550) / 400, x, unit="1")},
    }
    outcome = loaded.run({"sample": dataset(noisy, x), **calibrations[calibration]}, loaded.Params())
    assert said(outcome, "the detector was probably saturated")

"""The published fit, spectra with planted truth, and how the PL tests call the methods."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path

import numpy as np
import pytest

from analysis import methods
from analysis.methods import Outcome
from analysis.numerics import gaussians
from measurements.data import Array, Dataset
from tests.analysis.hostile import X_NM, dataset

GAUSSIANS = methods.get("pl_gaussians")
SHAPE = methods.get("pl_descriptors")

# Li2023 Supplementary Information 14b: value, standard error
PUBLISHED = {
    ("pl_offset", ""): (81.13, 9.77),
    ("pl_peak_center", "I"): (682.82, 0.20),
    ("pl_peak_width", "I"): (39.27, 0.33),
    ("pl_peak_area", "I"): (418305.79, 3918.98),
    ("pl_peak_center", "II"): (716.94, 0.97),
    ("pl_peak_width", "II"): (21.78, 1.75),
    ("pl_peak_area", "II"): (21896.09, 3476.46),
}
TRUTH = np.array([[value for value, _ in PUBLISHED.values()]])
NOISE_SD = 114.129  # the root of the published reduced χ², 13025.42
CURVE, JACOBIAN = (array[0] for array in gaussians.gaussian_model(X_NM)(TRUTH))
REFERENCE = Path(os.environ.get("VITRINE_REFERENCE", "../shared"))


def fit(y, x=None, **params) -> Outcome:
    given = y if isinstance(y, Dataset) else dataset(y, x)
    parsed = methods.parse_params(GAUSSIANS, params)
    return methods.check_outcome(GAUSSIANS, GAUSSIANS.run({"sample": given}, parsed))


def describe(y, x=None, **params) -> Outcome:
    given = y if isinstance(y, Dataset) else dataset(y, x)
    parsed = methods.parse_params(SHAPE, params)
    return methods.check_outcome(SHAPE, SHAPE.run({"sample": given}, parsed))


def table(outcome: Outcome) -> dict[tuple[str, str], tuple[float, float]]:
    return {(v.property, v.component): (v.value, v.sigma) for v in outcome.values}


def said(outcome: Outcome, words: str) -> bool:
    return any(words in warning for warning in outcome.warnings)


def noisy(seed: int, curve=CURVE, sd: float = NOISE_SD):
    return curve + np.random.default_rng(seed).normal(0, sd, curve.size)


def orthogonal_noise(seed: int):
    """Noise that no parameter can follow, scaled to the published reduced χ²."""
    noise = np.random.default_rng(seed).normal(0, 1, X_NM.size)
    basis, _ = np.linalg.qr(JACOBIAN.T)
    noise -= basis @ (basis.T @ noise)
    return noise * math.sqrt(13025.42 * (X_NM.size - 7) / (noise @ noise))


def one_peak(center=680.0, width=40.0, area=4e5, offset=80.0, x=X_NM):
    return gaussians.gaussian_model(x)(np.array([[offset, center, width, area]]))[0][0]


def two_peaks(first, second, offset=80.0, x=X_NM):
    return gaussians.gaussian_model(x)(np.array([[offset, *first, *second]]))[0][0]


def fluoracle_spectrum() -> tuple[Array, Array]:
    """Wavelength and counts of a real Edinburgh export, read by hand: these tests are not about readers."""
    path = REFERENCE / "instrument_files" / "pl" / "hysprint_MAPI_2PACz_ITO.pl.csv"
    if not path.exists():
        missing = f"{path.name} is not in the reference folder; set VITRINE_REFERENCE to run this test."
        (pytest.fail if os.environ.get("VITRINE_STRICT") else pytest.skip)(missing)
    with path.open() as lines:
        rows = [row for row in csv.reader(lines) if row and row[0][:1].isdigit()]
    x, y = np.array([[float(row[0]), float(row[1])] for row in rows]).T
    return x, y

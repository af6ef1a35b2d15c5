"""PL series over temperature: planted slopes come back with honest sigmas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis import methods
from analysis.methods import MethodError, Outcome
from measurements.data import Array, Axis, Dataset, Signal
from tests.analysis.pl_reference import table

METHOD = methods.get("pl_temperature")
X_NM = np.arange(640.0, 740.0)
AT_C = np.linspace(-20.0, 120.0, 15)
FWHM = 2.354820045


def spectra(seed: int = 1, bend: float = 0.0, unit: str = "°C", sd: float = 15.0) -> Dataset:
    """690 nm at 25 °C, 0.05 nm/K; 12 nm, 0.02 nm/K; ever dimmer."""
    away = (AT_C - 25)[:, None]
    centre, sigma = 690 + 0.05 * away + bend * away**2, 12 + 0.02 * away
    y = 50 + 1000 * np.exp(-away / 200) * np.exp(-0.5 * ((X_NM - centre) / sigma) ** 2)
    y += np.random.default_rng(seed).normal(0, sd, y.shape)
    at = AT_C + 273.15 if unit == "K" else AT_C
    return Dataset(Signal("PL", "counts", y), (Axis("T", unit, at), Axis("wavelength", "nm", X_NM)))


def follow(dataset: Dataset, **params: Any) -> Outcome:
    run = METHOD.run({"sample": dataset}, methods.parse_params(METHOD, params))
    return methods.check_outcome(METHOD, run)


@pytest.mark.full
def test_the_interval_of_one_sigma_holds_the_truth_as_often_as_it_says() -> None:
    planted = {"pl_center_slope": 0.05, "pl_width_slope": 0.02 * FWHM, "pl_center_at_25": 690.0}
    held: dict[str, list[bool]] = {key: [] for key in planted}
    for seed in range(1000):
        found = table(follow(spectra(seed)))
        for key, truth in planted.items():
            value, sigma = found[key, ""]
            held[key].append(abs(value - truth) < sigma)
    for key, hits in held.items():
        assert 0.62 < np.mean(hits) < 0.78, (
            key,
            np.mean(hits),
        )  # Birge's errors never shrink below the known


def test_kelvin_are_degrees_celsius_in_the_end() -> None:
    for key, value in table(follow(spectra(unit="K"))).items():
        assert value == pytest.approx(table(follow(spectra()))[key], rel=1e-6)


def test_a_bent_shift_is_said() -> None:
    assert not follow(spectra()).warnings
    assert any("leave the straight line" in warning for warning in follow(spectra(bend=4e-4)).warnings)


def test_a_series_over_time_is_refused() -> None:
    with pytest.raises(MethodError, match="a temperature is needed"):
        follow(spectra(unit="h"))


def test_the_curves_are_over_temperature() -> None:
    curves: dict[str, Array] = {c.name: c.y for c in follow(spectra()).curves}
    assert curves["intensity"][0] == pytest.approx(1)
    assert curves["intensity"][-1] < 0.7
    assert curves["centre"].size == AT_C.size

"""Urbach energies from the foot of an absorption edge: planted ones come back, what is no tail is refused."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import methods
from analysis.methods import MethodError, Outcome
from measurements.data import Array, Axis, Dataset, Signal
from tests.analysis.pl_reference import said, table

FOOT = methods.get("urbach_absorbance")
X_NM = np.arange(500.0, 800.0, 0.5)
HC = 1239.841984


def edge(urbach_mev: float = 15.0, x: Array = X_NM, gap_ev: float = 1.75, offset: float = 0.02) -> Array:
    """Absorbance of an edge whose foot is exp(E/E_U); above, it levels off at one."""
    above = 1e3 * (HC / x - gap_ev) / urbach_mev
    return offset + np.where(
        above < 0, 0.5 * np.exp(np.minimum(above, 0)), 1 - 0.5 * np.exp(-np.maximum(above, 0))
    )


def found(y: Array, x: Array = X_NM, name: str = "absorbance", unit: str = "", **params) -> Outcome:
    data = Dataset(Signal(name, unit, y), (Axis("wavelength", "nm", x),))
    return methods.check_outcome(FOOT, FOOT.run({"sample": data}, methods.parse_params(FOOT, params)))


@pytest.mark.parametrize("urbach_mev", [10.0, 15.0, 25.0])
def test_the_planted_urbach_energy_comes_back(urbach_mev) -> None:
    outcome = found(edge(urbach_mev))
    assert table(outcome)["urbach_energy", ""][0] == pytest.approx(urbach_mev, rel=1e-4)
    assert outcome.notes["r2"] == pytest.approx(1, abs=1e-6)


def test_transmittance_gives_what_absorbance_gives() -> None:
    outcome = found(100 * 10 ** -edge(), name="transmittance", unit="%")
    assert table(outcome)["urbach_energy", ""][0] == pytest.approx(15.0, rel=1e-3)


@pytest.mark.full
def test_the_sigma_holds_the_truth_in_two_cases_of_three() -> None:
    rng = np.random.default_rng(20231103)
    inside = 0
    for _ in range(1000):
        value, sigma = table(found(edge() + rng.normal(0, 2e-4, X_NM.size)))["urbach_energy", ""]
        inside += abs(value - 15.0) <= sigma
    assert 620 <= inside <= 740


@pytest.mark.full
@pytest.mark.parametrize("noise", [5e-4, 2e-3])
def test_the_sigma_holds_the_truth_in_diffuse_reflectance_too(noise) -> None:
    rng = np.random.default_rng(20231104)
    absorbed = edge(offset=0.0)
    reflected = 1 + absorbed - np.sqrt(absorbed**2 + 2 * absorbed)
    inside, runs = 0, 300
    for _ in range(runs):
        y = 100 * (reflected + rng.normal(0, noise, X_NM.size))
        value, sigma = table(found(y, name="%R", unit="%"))["urbach_energy", ""]
        inside += abs(value - 15.0) <= sigma
    assert 0.60 * runs <= inside <= 0.76 * runs


def test_a_constant_under_the_edge_does_not_change_it() -> None:
    for offset in (0.0, 0.1, 0.5):
        assert table(found(edge(offset=offset)))["urbach_energy", ""][0] == pytest.approx(15.0, rel=1e-4)


WIDE_NM = np.arange(500.0, 900.0, 0.5)


def scattering(power: float, seed: int, noise: float = 5e-4) -> Array:
    clean = edge(x=WIDE_NM) + 0.15 * (WIDE_NM / 500) ** -power
    return clean + np.random.default_rng(seed).normal(0, noise, WIDE_NM.size)


def test_scattering_under_the_foot_is_pointed_out_where_it_is_not_taken_off() -> None:
    with pytest.raises(MethodError, match="Scattering may lie under it"):
        found(scattering(4, 1, 2e-4), WIDE_NM, background="constant")
    outcome = found(scattering(4, 1, 2e-4), WIDE_NM, background="constant", window_max_nm=800)
    assert said(outcome, "Scattering or a second edge may lie under it")
    value, sigma = table(outcome)["urbach_energy", ""]
    assert value - 15 > 5 * sigma


@pytest.mark.parametrize("power", [2, 3, 4])
def test_scattering_under_the_foot_is_taken_off_and_is_in_the_sigma(power) -> None:
    outcome = found(scattering(power, power), WIDE_NM)
    assert outcome.notes["scattering falls with the wavelength to the power"] == pytest.approx(
        -power, abs=0.6
    )
    value, sigma = table(outcome)["urbach_energy", ""]
    assert abs(value - 15) < 3 * sigma < 0.6
    assert outcome.notes["scattering at the foot"] == pytest.approx(0.15 * (720 / 500) ** -power, rel=0.1)


def test_where_nothing_scatters_nothing_is_taken_off() -> None:
    outcome = found(edge(x=WIDE_NM) + np.random.default_rng(3).normal(0, 2e-4, WIDE_NM.size), WIDE_NM)
    assert "scattering at the foot" not in outcome.notes


def test_scattering_is_never_negative() -> None:
    """A baseline that rises by 0.05 towards the red: taken for scattering it gives 16.7 ± 0.16 meV."""
    x = np.arange(500.0, 1000.0, 0.5)
    noise = np.random.default_rng(5).normal(0, 5e-4, x.size)
    with pytest.raises(MethodError, match="rises towards the red, as no scattering does"):
        found(edge(x=x) + 0.05 * (x - 500) / 500 + noise, x, background="scattering")
    asked = found(edge(x=x) + noise, x, background="scattering")
    value, sigma = table(asked)["urbach_energy", ""]
    assert abs(value - 15) < 3 * sigma < 0.6


@pytest.mark.full
@pytest.mark.parametrize("power", [1, 2.4, 4])
def test_two_thirds_of_the_intervals_hold_the_truth_through_scattering(power) -> None:
    """2.4 is none of the powers that are tried."""
    inside = 0
    for seed in range(300):
        value, sigma = table(found(scattering(power, seed), WIDE_NM))["urbach_energy", ""]
        inside += abs(value - 15) <= sigma
    assert 0.60 <= inside / 300 <= 0.76


@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_scattering_alone_has_no_urbach_energy(power) -> None:
    x = np.arange(350.0, 901.0)
    noise = np.random.default_rng(power).normal(0, 1e-3, x.size)
    with pytest.raises(MethodError, match="No absorption edge"):
        found(0.5 * (x / 400) ** -power + noise, x)
    with pytest.raises(MethodError):
        found(0.5 * (x / 400) ** -power + 0.05 * edge(30.0, x) + noise, x)


def test_a_foot_that_falls_no_faster_than_scattering_is_refused() -> None:
    x = np.arange(350.0, 1200.0)
    with pytest.raises(MethodError, match="as scattering does"):
        found(edge(300.0, x, gap_ev=2.6), x)


def test_an_edge_that_is_no_exponential_is_refused() -> None:
    with pytest.raises(MethodError, match=r"not exponential|points lie"):
        found(np.clip((HC / X_NM - 1.70) / 0.2, 0, 1) + 0.02)


def test_too_few_points_and_no_edge_are_refused() -> None:
    coarse = X_NM[::10]
    with pytest.raises(MethodError, match="at least 15 are needed"):
        found(edge(x=coarse), coarse)
    with pytest.raises(MethodError, match="No absorption edge"):
        found(0.3 + np.random.default_rng(2).normal(0, 0.05, X_NM.size))


def test_a_fixed_window_is_kept() -> None:
    outcome = found(edge(), tail_min_ev=1.66, tail_max_ev=1.71)
    assert outcome.notes["tail to eV"] <= 1.71
    assert outcome.notes["tail from eV"] >= 1.66
    assert table(outcome)["urbach_energy", ""][0] == pytest.approx(15.0, rel=1e-4)

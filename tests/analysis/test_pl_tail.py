"""The tail below the emission: row A-04, planted Urbach energies, and tails that are none."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import methods
from analysis.methods import MethodError, Outcome
from analysis.numerics.tails import inverse_thermal_energy, noise_variance
from measurements.data import Array, Dataset, Quantity
from tests.analysis.hostile import assert_survives, dataset
from tests.analysis.pl_reference import CURVE, fluoracle_spectrum, said, table

TAIL = methods.get("pl_tail")
X_NM = np.arange(600.0, 820.0, 0.5)
HC, BOLTZMANN = 1239.841984, 8.617333262e-5
ROOM_K = 298.15


def urbach(
    urbach_mev: float = 15.0,
    kelvin: float = ROOM_K,
    offset: float = 100.0,
    height: float = 1e6,
    x: Array = X_NM,
    gap_ev: float = 1.8,
) -> Array:
    """Counts per nm of a body in equilibrium whose absorption ends in exp(E/E_U): E²·α·exp(−E/kT) per eV."""
    energy = HC / x
    absorbed = np.where(energy < gap_ev, np.exp(1e3 * (energy - gap_ev) / urbach_mev), 1.0)
    per_ev = energy**2 * absorbed * np.exp(-(energy - gap_ev) / (BOLTZMANN * kelvin))
    counts = per_ev * HC / x**2
    return offset + height * counts / counts.max()


def at(kelvin: float, y: Array, x: Array = X_NM) -> Dataset:
    return replace(dataset(y, x), conditions={"temperature": Quantity(kelvin - 273.15, "°C")})


def found(data: Dataset | Array, **params) -> Outcome:
    given = data if isinstance(data, Dataset) else at(ROOM_K, data)
    parsed = methods.parse_params(TAIL, params)
    return methods.check_outcome(TAIL, TAIL.run({"sample": given}, parsed))


def values(outcome: Outcome) -> dict[str, float]:
    return {key: value for (key, _), (value, _) in table(outcome).items()}


def refusal(data: Dataset | Array, **params) -> str:
    with pytest.raises(MethodError) as caught:
        found(data, **params)
    return str(caught.value)


# The specification


def test_an_urbach_energy_of_15_mev_at_room_temperature_is_a_tail_of_36_04_mev() -> None:
    outcome = found(urbach())
    assert values(outcome)["pl_urbach_energy"] == pytest.approx(15.0, abs=0.005)
    assert values(outcome)["pl_urbach_tail"] == pytest.approx(36.04, abs=0.005)
    assert values(outcome)["pl_tail_slope_reciprocal"] == pytest.approx(27.745, abs=0.0005)
    assert outcome.notes["r2"] == pytest.approx(1, abs=1e-9)
    assert not outcome.warnings


def test_without_the_square_of_the_energy_it_would_be_14_7() -> None:
    outcome = found(urbach())
    assert outcome.notes["E_U without E2 meV"] == pytest.approx(14.7, abs=0.05)
    slope = values(outcome)["pl_tail_slope"]
    assert 1e3 / (slope + inverse_thermal_energy(25.0)) == pytest.approx(14.7, abs=0.05)


@pytest.mark.parametrize(
    ("urbach_mev", "kelvin"), [(8.0, 150.0), (8.0, 298.15), (12.0, 350.0), (20.0, 298.15), (20.0, 350.0)]
)
def test_the_planted_urbach_energy_comes_back_whatever_the_temperature(urbach_mev, kelvin) -> None:
    x = np.arange(600.0, 1000.0, 0.25)
    outcome = found(at(kelvin, urbach(urbach_mev, kelvin, x=x), x))
    assert values(outcome)["pl_urbach_energy"] == pytest.approx(urbach_mev, rel=1e-4)


def test_the_published_spread_of_slopes_over_sintering_temperatures_is_below_ten_percent() -> None:
    rng = np.random.default_rng(7)
    slopes = [
        values(found(rng.poisson(urbach(planted)).astype(float)))["pl_tail_slope"]
        for planted in (14.6, 14.9, 15.0, 15.1, 15.3)
    ]
    assert np.std(slopes, ddof=1) / np.mean(slopes) < 0.10


@pytest.mark.full
@pytest.mark.parametrize("noise", ["counting", pytest.param("even", marks=pytest.mark.full)])
def test_the_sigmas_hold_the_truth_in_two_cases_of_three(noise) -> None:
    rng = np.random.default_rng(20231102)
    truth = values(found(urbach()))
    inside: dict[str, int] = defaultdict(int)
    runs = 1000
    for _ in range(runs):
        exact = urbach()
        y = (
            rng.poisson(exact).astype(float)
            if noise == "counting"
            else exact + rng.normal(0, 300, exact.size)
        )
        for (key, _), (value, sigma) in table(found(y)).items():
            inside[key] += abs(value - truth[key]) <= sigma
    shares = {key: count / runs for key, count in inside.items()}
    assert set(shares) == set(truth)
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


# The temperature


def test_a_measurement_without_temperature_is_taken_at_25_degrees_and_says_so() -> None:
    outcome = found(dataset(urbach(), X_NM))
    assert said(outcome, "does not state its temperature; 25 °C is taken")
    assert values(outcome)["pl_urbach_energy"] == pytest.approx(15.0, abs=0.005)


def test_the_temperature_of_the_measurement_wins_over_the_parameter() -> None:
    outcome = found(at(250.0, urbach(15.0, 250.0)), temperature_c=25.0)
    assert values(outcome)["pl_urbach_energy"] == pytest.approx(15.0, abs=0.005)
    assert outcome.notes["temperature C"] == pytest.approx(250.0 - 273.15)


def test_a_temperature_below_absolute_zero_is_refused() -> None:
    assert "cannot be" in refusal(at(-20.0, urbach()))


def test_a_temperature_below_that_of_liquid_helium_is_refused() -> None:
    assert "cannot be that of what emits" in refusal(at(0.15, urbach()))
    with pytest.raises(methods.ParamsError, match="-270"):
        found(urbach(), temperature_c=-273)


# What imitates a tail


def test_a_constant_background_does_not_flatten_the_tail() -> None:
    for offset in (0.0, 1000.0, 20_000.0):
        y = urbach(offset=offset) + np.random.default_rng(1).normal(0, 30, X_NM.size)
        assert values(found(y))["pl_urbach_energy"] == pytest.approx(15.0, abs=0.02), offset


def test_ignoring_a_background_that_is_there_gives_a_wrong_energy_which_is_why_it_is_fitted() -> None:
    y = urbach(offset=3000.0) + np.random.default_rng(1).normal(0, 30, X_NM.size)
    assert "not exponential" in refusal(y, background="none")


def test_a_scan_that_ends_in_the_tail_cannot_tell_it_from_a_constant() -> None:
    rng = np.random.default_rng(2)
    y = rng.poisson(urbach(height=3e4)).astype(float)
    assert "cannot be told apart" in refusal(y, window_max_nm=733.0)


@pytest.mark.parametrize(("center", "height", "width"), [(705, 3e5, 20), (712, 1e5, 14), (720, 1e5, 10)])
def test_a_shoulder_is_left_out_by_fitting_below_it(center, height, width) -> None:
    y = urbach() + height * np.exp(-2 * ((X_NM - center) / width) ** 2)
    outcome = found(np.random.default_rng(3).poisson(y).astype(float))
    assert outcome.notes["tail to eV"] < HC / center
    assert values(outcome)["pl_urbach_energy"] == pytest.approx(15.0, abs=0.15)
    assert said(outcome, "such as a shoulder, is left out")


def test_the_tail_lies_below_the_second_gaussian_where_two_are_credible() -> None:
    first = 1e6 * np.exp(-2 * ((X_NM - 660) / 20) ** 2)
    y = first + urbach(height=8e4, gap_ev=1.70)
    outcome = found(np.random.default_rng(3).poisson(y).astype(float))
    assert outcome.notes["second Gaussian nm"] > 715
    assert outcome.notes["tail to eV"] <= HC / outcome.notes["second Gaussian nm"] + 1e-9


def test_a_weak_trap_in_the_middle_of_the_tail_is_refused_as_not_exponential() -> None:
    y = urbach() + 3e4 * np.exp(-2 * ((X_NM - 770) / 8) ** 2)
    assert "not exponential" in refusal(np.random.default_rng(3).poisson(y).astype(float))


def test_the_flank_of_a_gaussian_is_flagged_and_that_of_an_exponential_is_not() -> None:
    y = 1e6 * np.exp(-2 * ((X_NM - 690) / 40) ** 2) + 100
    outcome = found(np.random.default_rng(4).poisson(y).astype(float))
    assert said(outcome, "not fit clearly better than the flank of a Gaussian")
    assert not found(np.random.default_rng(4).poisson(urbach()).astype(float)).warnings


@pytest.mark.parametrize(("height", "offset"), [(8000, 100), (8000, 5), (50_000, 300), (1e6, 100)])
def test_no_gaussian_gives_an_urbach_energy_without_a_flag(height, offset) -> None:
    x = np.arange(550.0, 950.0)
    line = height * np.exp(-0.5 * ((x - 683) / 18) ** 2) + offset
    answers = 0
    for seed in range(20):
        y = np.random.default_rng(seed).poisson(line).astype(float)
        try:
            outcome = found(at(ROOM_K, y, x))
        except MethodError:
            continue
        answers += 1
        assert said(outcome, "flank of a Gaussian"), seed
    assert answers >= 5


@pytest.mark.parametrize("height", [1e4, 3e4, 1e6])
def test_no_exponential_is_taken_for_a_gaussian(height) -> None:
    for seed in range(10):
        try:
            outcome = found(
                np.random.default_rng(seed).poisson(urbach(height=height, offset=10)).astype(float)
            )
        except MethodError:
            continue
        assert not outcome.warnings, seed


def test_the_published_line_gives_a_tail_only_with_points_enough_above_its_noise() -> None:
    noisy = CURVE + np.random.default_rng(5).normal(0, 114, CURVE.size)
    assert "points lie in the tail" in refusal(at(ROOM_K, noisy, np.arange(550.0, 801.0)))


def test_light_behind_the_tail_is_pointed_out() -> None:
    y = urbach() + 400 * np.exp(-2 * ((X_NM - 812) / 4) ** 2)
    assert said(found(y + np.random.default_rng(6).normal(0, 10, X_NM.size)), "is not constant")


def test_the_second_order_of_the_excitation_is_kept_out() -> None:
    y = urbach() + 5e4 * np.exp(-2 * ((X_NM - 810) / 2) ** 2)
    lit = at(ROOM_K, y + np.random.default_rng(6).normal(0, 10, X_NM.size))
    lit = replace(lit, conditions={**lit.conditions, "excitation_wavelength": Quantity(405.0, "nm")})
    outcome = found(lit)
    assert values(outcome)["pl_urbach_energy"] == pytest.approx(15.0, abs=0.05)
    assert said(outcome, "second order of the excitation lies at 810 nm")


# Windows and refusals


def test_a_fixed_window_is_the_same_for_every_sample() -> None:
    for urbach_mev in (13.0, 15.0):
        outcome = found(urbach(urbach_mev), tail_min_ev=1.60, tail_max_ev=1.70)
        assert 1.60 <= outcome.notes["tail from eV"] <= 1.602
        assert 1.698 <= outcome.notes["tail to eV"] <= 1.70
        assert values(outcome)["pl_urbach_energy"] == pytest.approx(urbach_mev, abs=0.01)


def test_a_window_above_the_maximum_is_refused() -> None:
    assert "lies below the maximum" in refusal(urbach(), tail_min_ev=1.7, tail_max_ev=1.85)


def test_fourteen_points_are_too_few() -> None:
    coarse = X_NM[::12]
    assert "at least 15 are needed" in refusal(at(ROOM_K, urbach(x=coarse), coarse))


def test_noise_in_the_tail_leaves_too_few_points() -> None:
    noisy = urbach(height=1e4) + np.random.default_rng(8).normal(0, 500, X_NM.size)
    assert "above five times the noise" in refusal(noisy)


def test_a_peak_at_the_red_end_is_refused() -> None:
    assert "widen the scan" in refusal(urbach(), window_max_nm=700.0)


def test_the_line_of_the_log_plot_runs_through_its_data() -> None:
    curves = {curve.name: curve for curve in found(urbach()).curves}
    data, line = curves["tail data"], curves["tail line"]
    assert (data.x_unit, line.x_unit, curves["tail fit"].x_unit) == ("eV", "eV", "nm")
    assert np.interp(line.x, data.x, data.y) == pytest.approx(line.y, abs=0.01)
    assert line.y.max() == pytest.approx(-1, abs=0.05)
    assert line.y.min() == pytest.approx(-3, abs=0.05)


def test_read_and_shot_noise_are_told_apart() -> None:
    rng = np.random.default_rng(9)
    x = np.arange(4000.0)
    signal = 1e5 * np.exp(-0.5 * ((x - 2000) / 400) ** 2)
    y = signal + rng.normal(0, np.sqrt(30.0**2 + 2 * signal))
    estimate = noise_variance(y)
    assert np.median(estimate[:400]) == pytest.approx(900, rel=0.25)
    assert estimate[2000] == pytest.approx(900 + 2e5, rel=0.1)


def test_noise_that_a_correction_multiplied_at_one_end_is_taken_from_there() -> None:
    rng = np.random.default_rng(10)
    x = np.arange(1000.0)
    sigma = np.where(x > 700, 300.0, 10.0)
    y = 1e4 * np.exp(-0.5 * ((x - 400) / 60) ** 2) + rng.normal(0, sigma)
    estimate = np.sqrt(noise_variance(y))
    assert np.median(estimate[800:]) == pytest.approx(300, rel=0.15)
    assert np.median(estimate[:200]) == pytest.approx(10, rel=0.25)


def test_a_real_spectrum_with_noise_in_its_red_is_refused_for_its_noise() -> None:
    x, y = fluoracle_spectrum()
    assert "above five times the noise; at least 15 are needed" in refusal(at(ROOM_K, y, x))


# Anything at all

FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.floats(-1e3, 1e6)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.lists(FINITE, max_size=200), st.lists(COUNTS, min_size=15, max_size=200)))
@pytest.mark.parametrize("key", ["pl_tail", "urbach_absorbance", "pl_descriptors"])
def test_any_numbers_give_a_sentence_or_finite_values(key, values) -> None:
    y = np.array(values, float)
    unit = "" if key == "urbach_absorbance" else "counts"
    assert_survives(methods.get(key), dataset(y, 550.0 + np.arange(y.size), unit=unit))


@settings(max_examples=100, deadline=None)
@given(
    st.floats(3, 200), st.floats(-1e3, 1e5), st.floats(1, 1e8), st.floats(1.2, 2.2), st.floats(0, 1e4),
    st.integers(0, 1000), st.sampled_from([0.1, 1.0, 4.0]),
)  # fmt: skip
def test_any_planted_tail_gives_a_sentence_or_finite_values(
    urbach_mev, offset, height, gap_ev, sd, seed, step
) -> None:
    x = np.arange(500.0, 900.0, step)
    y = urbach(urbach_mev, ROOM_K, offset, height, x, gap_ev)
    noisy = y + np.random.default_rng(seed).normal(0, sd, x.size)
    for key in ("pl_tail", "pl_descriptors"):
        assert_survives(methods.get(key), dataset(noisy, x))
    absorbed = np.minimum(noisy / height, 5) * (HC / x > gap_ev - 0.2)
    assert_survives(methods.get("urbach_absorbance"), dataset(absorbed, x, unit=""))

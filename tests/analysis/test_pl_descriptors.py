"""The shape of a PL spectrum without a model: row A-01, and sigmas that repeated measurements confirm."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from analysis.methods import MethodError
from analysis.methods._spectra import HC_EV_NM
from measurements.data import Quantity
from tests.analysis.hostile import X_NM, dataset
from tests.analysis.pl_reference import (
    CURVE,
    NOISE_SD,
    describe,
    fluoracle_spectrum,
    noisy,
    one_peak,
    said,
    table,
    two_peaks,
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


# Over energy


def shaped(y, x=X_NM, conditions=None, **params):
    data = replace(dataset(y, x), conditions=conditions or {})
    return describe(data, **params)


def test_the_maximum_per_ev_is_that_of_the_spectrum_with_its_jacobian() -> None:
    exact = table(describe(CURVE))
    x = np.linspace(600, 780, 200_001)
    fine = two_peaks((682.82, 39.27, 418305.79), (716.94, 21.78, 21896.09), offset=0.0, x=x) * x**2
    assert exact["pl_max_energy", ""][0] == pytest.approx(HC_EV_NM / x[fine.argmax()], abs=1e-4)
    assert exact["pl_max_energy", ""][0] < HC_EV_NM / exact["pl_max_position", ""][0] - 5e-4
    half = x[fine >= fine.max() / 2]
    width_ev = HC_EV_NM / half[0] - HC_EV_NM / half[-1]
    assert exact["pl_fwhm_energy", ""][0] == pytest.approx(width_ev, rel=2e-3)


def test_a_gaussian_planted_over_energy_is_found_over_energy() -> None:
    energy = HC_EV_NM / X_NM
    per_nm = 1e4 * np.exp(-4 * np.log(2) * ((energy - 1.81) / 0.12) ** 2) * (700 / X_NM) ** 2
    found = table(describe(per_nm + 50))
    assert found["pl_max_energy", ""][0] == pytest.approx(1.81, abs=2e-4)
    assert found["pl_fwhm_energy", ""][0] == pytest.approx(0.12, rel=2e-3)
    assert HC_EV_NM / found["pl_max_position", ""][0] == pytest.approx(1.8128, abs=3e-4)


@pytest.mark.full
@pytest.mark.parametrize("noise", ["even", "counting"])
def test_the_intervals_hold_the_noiseless_shape_in_two_cases_of_three(noise) -> None:
    rng = np.random.default_rng(24)
    lit = {"exposure_time": Quantity(2.0, "s"), "laser_power": Quantity(0.5, "mW")}
    exact = table(shaped(CURVE, conditions=lit))
    inside = defaultdict(int)
    runs = 1000
    for _ in range(runs):
        even = noise == "even"
        y = CURVE + rng.normal(0, NOISE_SD, X_NM.size) if even else rng.poisson(CURVE).astype(float)
        found = table(shaped(y, conditions=lit))
        for key, (value, sigma) in found.items():
            inside[key] += abs(value - exact[key][0]) <= sigma
    shares = {key: count / runs for key, count in inside.items()}
    assert set(shares) == set(exact)
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


# Normalised by the instrument


def test_the_brightness_is_the_integral_over_time_and_power() -> None:
    lit = {"exposure_time": Quantity(0.5, "s"), "laser_power": Quantity(4.0, "mW")}
    found = table(shaped(CURVE, conditions=lit))
    integral, sigma = found["pl_integrated_intensity", ""]
    assert found["pl_brightness", ""] == pytest.approx((integral / 2.0, sigma / 2.0))


def test_a_rate_is_divided_by_the_power_alone() -> None:
    lit = {"exposure_time": Quantity(0.5, "s"), "laser_power": Quantity(4.0, "mW")}
    counts, sigma = table(shaped(CURVE, conditions=lit))["pl_brightness", ""]
    for unit in ("cps", "counts/s"):
        rate = replace(dataset(CURVE / 0.5, X_NM, unit=unit), conditions=lit)
        outcome = describe(rate)
        assert table(outcome)["pl_brightness", ""] == pytest.approx((counts, sigma))
        assert "integration time s" not in outcome.notes
        assert ("pl_integrated_intensity", "") not in table(outcome)
    watts = replace(dataset(CURVE, X_NM, unit="W/nm"), conditions=lit)
    assert ("pl_brightness", "") not in table(describe(watts))


def test_twice_the_time_at_half_the_power_is_as_bright() -> None:
    one = {"dwell_time": Quantity(1.0, "s"), "laser_power": Quantity(1.0, "mW")}
    other = {"dwell_time": Quantity(2.0, "s"), "laser_power": Quantity(0.5, "mW")}
    assert table(shaped(CURVE, conditions=one))["pl_brightness", ""] == pytest.approx(
        table(shaped(CURVE, conditions=other))["pl_brightness", ""]
    )


def test_the_power_on_the_spot_follows_from_irradiance_and_diameter() -> None:
    lit = {
        "exposure_time": Quantity(1.0, "s"),
        "irradiance": Quantity(100.0, "mW/cm²"),
        "spot_diameter": Quantity(2.0, "mm"),
    }
    assert shaped(CURVE, conditions=lit).notes["excitation power mW"] == pytest.approx(np.pi)


@pytest.mark.parametrize("known", ["exposure_time", "laser_power"])
def test_half_a_normalisation_is_none(known) -> None:
    unit = {"exposure_time": "s", "laser_power": "mW"}[known]
    found = table(shaped(CURVE, conditions={known: Quantity(2.0, unit)}))
    assert ("pl_brightness", "") not in found


def test_several_accumulations_are_averaged_unless_the_person_says_added() -> None:
    lit = {
        "exposure_time": Quantity(1.0, "s"),
        "laser_power": Quantity(1.0, "mW"),
        "accumulations": Quantity(10.0, "1"),
    }
    averaged, added = shaped(CURVE, conditions=lit), shaped(CURVE, conditions=lit, accumulations="added")
    assert said(averaged, "10 accumulations are taken as averaged")
    assert not said(added, "accumulations")
    ratio = table(averaged)["pl_brightness", ""][0] / table(added)["pl_brightness", ""][0]
    assert ratio == pytest.approx(10)


# Spectra that lie


def line_at(place: float, height: float, width: float = 1.5, x=X_NM):
    return height * np.exp(-2 * ((x - place) / width) ** 2)


LIT_440 = {"excitation_wavelength": Quantity(440.0, "nm")}


def test_an_ordinary_spectrum_is_not_flagged() -> None:
    for seed in range(50):
        assert not describe(noisy(seed)).warnings


def test_the_second_order_at_880_nm_of_light_at_440_is_flagged() -> None:
    x = np.arange(550.0, 951.0)
    y = one_peak(x=x) + np.random.default_rng(1).normal(0, 50, x.size)
    assert said(shaped(y + line_at(880, 3000, 3, x), x, LIT_440), "880 nm, twice the excitation")
    assert not shaped(y, x, LIT_440).warnings
    assert not said(shaped(y + line_at(880, 3000, 3, x), x), "excitation")


def test_the_laser_inside_the_window_is_flagged_and_as_the_maximum_refused() -> None:
    x = np.arange(430.0, 801.0)
    y = one_peak(x=x) + np.random.default_rng(1).normal(0, 50, x.size)
    assert said(shaped(y + line_at(440, 3000, x=x), x, LIT_440), "lies inside the window")
    with pytest.raises(MethodError, match="is the excitation itself"):
        shaped(y + line_at(440, 30_000, 4, x), x, LIT_440)


def test_the_second_order_of_the_excitation_is_no_maximum_of_an_emission() -> None:
    x = np.arange(550.0, 951.0)
    y = one_peak(area=4e4, x=x) + np.random.default_rng(1).normal(0, 10, x.size) + line_at(880, 5000, 4, x)
    with pytest.raises(MethodError, match="its second order"):
        shaped(y, x, LIT_440)
    assert table(shaped(y, x, LIT_440, window_max_nm=860.0))["pl_max_position", ""][0] == pytest.approx(
        680, abs=1
    )


def test_an_emission_at_twice_the_excitation_is_not_taken_for_its_second_order() -> None:
    lit = {"excitation_wavelength": Quantity(341.4, "nm")}
    assert not shaped(noisy(2), conditions=lit).warnings


def test_a_flat_top_is_flagged() -> None:
    assert said(describe(np.minimum(noisy(10), 6000)), "saturated")


def test_two_emitters_are_flagged_with_their_place_and_height() -> None:
    y = two_peaks((620, 25, 4e5), (720, 30, 3e5)) + np.random.default_rng(3).normal(0, 50, X_NM.size)
    assert said(describe(y), "second maximum at 720 nm, 62 % as high")


def test_a_cosmic_ray_is_flagged_and_a_raman_line_named_by_its_shift() -> None:
    outcome = shaped(noisy(4) + line_at(600, 4000, 0.8), conditions={})
    assert said(outcome, "Narrower than any emission: 600 nm.")
    lit = {"excitation_wavelength": Quantity(532.0, "nm")}
    assert said(shaped(noisy(4) + line_at(600, 4000, 0.8), conditions=lit), "600 nm (Raman shift 2130 cm⁻¹)")


def test_a_spectrum_cropped_in_its_flank_is_flagged() -> None:
    assert said(describe(noisy(5, one_peak()), window_max_nm=715.0), "At the red end, 715 nm")


def test_noise_that_grows_towards_the_red_is_neither_lines_nor_below_zero() -> None:
    x, y = fluoracle_spectrum()
    assert y.min() < -1000
    assert not describe(y, x).warnings


def test_counts_below_zero_are_flagged() -> None:
    assert said(describe(noisy(6, CURVE - 2000.0)), "surely below zero")


def test_energies_in_the_column_of_wavelengths_are_refused() -> None:
    with pytest.raises(MethodError, match="photon energies in eV, not wavelengths"):
        describe(dataset(CURVE[::-1], (HC_EV_NM / X_NM)[::-1]))


def test_nanometres_said_to_be_ev_are_refused() -> None:
    with pytest.raises(MethodError, match="as nanometres do"):
        describe(dataset(CURVE, X_NM, axis_unit="eV"))


def test_swapped_columns_are_refused_by_name() -> None:
    with pytest.raises(MethodError, match="columns are swapped"):
        describe(dataset(X_NM, noisy(7)))

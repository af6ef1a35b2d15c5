"""Gaussians under PL spectra: the published fit (Li2023 SI14b), planted truth, and what must not be fitted.

Rows A-02 and A-03 of the specification. The published numbers stand in `pl_reference`.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods import MethodError
from analysis.numerics import gaussians
from measurements.data import Axis, Dataset, Quantity, Signal
from tests.analysis.hostile import X_NM, assert_survives, dataset
from tests.analysis.pl_reference import (
    CURVE,
    GAUSSIANS,
    NOISE_SD,
    PUBLISHED,
    SHAPE,
    TRUTH,
    fit,
    fluoracle_spectrum,
    noisy,
    one_peak,
    orthogonal_noise,
    said,
    table,
    two_peaks,
)

# The published fit


@pytest.mark.parametrize("seed", range(5))
def test_the_published_parameters_come_back_to_their_printed_digits(seed):
    found = table(fit(CURVE + orthogonal_noise(seed)))
    for key, (value, _) in PUBLISHED.items():
        assert f"{found[key][0]:.2f}" == f"{value:.2f}", key


@pytest.mark.parametrize("seed", range(5))
def test_the_published_standard_errors_come_back_within_two_percent(seed):
    found = table(fit(CURVE + orthogonal_noise(seed)))
    for key, (_, sigma) in PUBLISHED.items():
        assert found[key][1] == pytest.approx(sigma, rel=0.02), key


def test_the_published_quality_of_the_fit_comes_back():
    notes = fit(CURVE + orthogonal_noise(0)).notes
    assert notes["r2"] == pytest.approx(0.99829, abs=6e-6)
    assert notes["adjusted_r2"] == pytest.approx(0.99825, abs=6e-6)
    assert notes["reduced_chi2"] == pytest.approx(13025.42, rel=1e-6)


def test_the_derived_quantities_are_those_of_the_specification():
    outcome = fit(CURVE + orthogonal_noise(0))
    found = table(outcome)
    assert found["pl_area_share", "II"][0] == pytest.approx(0.0497, abs=5e-5)
    assert found["pl_peak_energy", "I"][0] == pytest.approx(1.8158, abs=5e-5)
    assert found["pl_peak_energy", "II"][0] == pytest.approx(1.7294, abs=5e-5)
    assert found["pl_peak_fwhm", "I"][0] == pytest.approx(1.177410 * 39.27, rel=1e-4)
    assert found["pl_peak_height", "I"][0] == pytest.approx(418305.79 / (39.27 * 1.2533141), rel=1e-4)
    assert outcome.notes["height_ratio"] == pytest.approx(0.0944, abs=5e-5)


def test_ninety_nine_of_a_hundred_noisy_spectra_give_the_published_peaks_within_four_errors():
    keys = [key for key in PUBLISHED if key[0] in ("pl_peak_center", "pl_peak_width")]
    hits = 0
    for seed in range(500):
        found = table(fit(noisy(seed)))
        hits += all(
            key in found and abs(found[key][0] - PUBLISHED[key][0]) <= 4 * PUBLISHED[key][1] for key in keys
        )
    assert hits >= 495


@pytest.mark.full
@pytest.mark.parametrize("noise", ["even", "counting"])
def test_the_sigmas_hold_the_truth_in_two_cases_of_three(noise):
    runs = 1000
    rng = np.random.default_rng(20231101)
    covered = defaultdict(int)
    truths = {key: value for key, (value, _) in PUBLISHED.items()}
    truths["pl_area_share", "II"] = TRUTH[0, 6] / (TRUTH[0, 3] + TRUTH[0, 6])
    for label, i in (("I", 1), ("II", 4)):
        truths["pl_peak_height", label] = TRUTH[0, i + 2] / (TRUTH[0, i + 1] * gaussians.ROOT_HALF_PI)
        truths["pl_peak_energy", label] = 1239.841984 / TRUTH[0, i]
    for _ in range(runs):
        y = (
            CURVE + rng.normal(0, NOISE_SD, X_NM.size)
            if noise == "even"
            else rng.poisson(CURVE).astype(float)
        )
        found = table(fit(y, model="two"))
        for key, truth in truths.items():
            covered[key] += abs(found[key][0] - truth) <= found[key][1]
    shares = {key: count / runs for key, count in covered.items()}
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


# One or two


def test_two_gaussians_are_chosen_for_the_published_spectrum_and_the_note_says_why():
    outcome = fit(noisy(1))
    assert outcome.notes["model"] == "two Gaussians"
    assert "BIC falls by" in outcome.notes["why"]
    assert outcome.notes["delta_bic"] > 10


def test_one_gaussian_is_chosen_for_a_single_peak_of_the_same_noise():
    two = sum(fit(noisy(seed, one_peak())).notes["model"] == "two Gaussians" for seed in range(200))
    assert two <= 2


def test_the_only_gaussian_is_component_one_wherever_it_lies():
    found = table(fit(noisy(2, one_peak(center=730))))
    assert {component for _, component in found} == {"I", ""}
    assert ("pl_area_share", "II") not in found


def test_component_one_has_the_shorter_wavelength_even_when_it_is_the_smaller():
    found = table(fit(noisy(3, two_peaks((650, 22, 3e4), (690, 40, 4e5)))))
    assert found["pl_peak_center", "I"][0] == pytest.approx(650, abs=3)
    assert found["pl_peak_center", "II"][0] == pytest.approx(690, abs=3)
    assert found["pl_area_share", "II"][0] == pytest.approx(4 / 4.3, abs=0.03)


def test_well_separated_equal_peaks_are_both_found():
    found = table(fit(noisy(4, two_peaks((620, 25, 4e5), (720, 30, 3.5e5)))))
    assert found["pl_peak_center", "I"][0] == pytest.approx(620, abs=0.5)
    assert found["pl_peak_center", "II"][0] == pytest.approx(720, abs=0.5)


def test_strongly_correlated_peaks_are_flagged_and_not_demoted():
    outcome = fit(noisy(5, two_peaks((675, 40, 4e5), (700, 36, 3e5)), sd=10))
    assert outcome.notes["model"] == "two Gaussians"
    assert outcome.notes["largest_correlation"] > 0.98
    assert said(outcome, "are correlated")


def test_two_widths_at_one_place_are_a_shape_and_not_two_emitters():
    outcome = fit(noisy(6, two_peaks((680, 30, 2e5), (680, 60, 3e5)), sd=20))
    assert outcome.notes["model"] == "one Gaussian"
    assert outcome.notes["delta_bic"] > 10
    assert said(outcome, "line is not Gaussian")


def test_a_second_gaussian_on_its_limit_is_not_reported():
    step = np.where(X_NM == 600, 4000.0, 0.0)  # a cosmic ray, far narrower than any emission
    outcome = fit(noisy(7, one_peak() + step))
    assert outcome.notes["model"] == "one Gaussian"
    assert said(outcome, "runs into a limit")


def test_a_forced_parameter_on_its_limit_keeps_a_sigma_and_is_flagged():
    step = np.where(X_NM == 600, 4000.0, 0.0)
    outcome = fit(noisy(7, one_peak() + step), model="two")
    assert said(outcome, "width I runs into its limit at 5")
    assert all(value.sigma > 0 for value in outcome.values)


# Noise that is not even


def test_even_noise_keeps_the_classical_errors():
    outcome = fit(CURVE + orthogonal_noise(3))
    assert outcome.notes["sigma"] == "classical"
    assert not said(outcome, "variance")
    assert table(outcome)["pl_peak_center", "I"][1] == outcome.notes["classical sigma center I"]


def test_counting_noise_brings_sandwich_errors_with_a_warning_and_both_in_the_notes():
    outcome = fit(np.random.default_rng(8).poisson(CURVE).astype(float))
    assert outcome.notes["sigma"] == "sandwich (HC3)"
    assert said(outcome, "variance of the residuals grows with the signal")
    assert table(outcome)["pl_peak_center", "I"][1] == outcome.notes["sandwich sigma center I"]
    assert outcome.notes["classical sigma center I"] < outcome.notes["sandwich sigma center I"]


def test_poisson_weights_make_counting_noise_even_and_the_answer_sharper():
    rng = np.random.default_rng(9)
    errors = defaultdict(list)
    for _ in range(60):
        y = rng.poisson(CURVE / 10).astype(float)
        for weights in ("none", "poisson"):
            found = table(fit(y, model="two", weights=weights))
            errors[weights].append((found["pl_offset", ""][0] - 8.113) / 8.113)
    assert np.std(errors["poisson"]) < 0.8 * np.std(errors["none"])
    assert fit(rng.poisson(CURVE).astype(float), weights="poisson").notes["sigma"] == "classical"


# Flags


def test_a_flat_top_is_flagged_as_saturation():
    assert said(fit(np.minimum(noisy(10), 6000)), "saturated")
    assert not said(fit(noisy(10)), "saturated")


def test_a_line_at_twice_the_excitation_is_flagged():
    y = noisy(11) + np.where(np.abs(X_NM - 760) <= 2, 3000.0, 0.0)
    data = dataset(y)
    lit = Dataset(data.signal, data.axes, conditions={"excitation_wavelength": Quantity(380.0, "nm")})
    assert said(fit(lit), "second order")
    assert not said(fit(data), "second order")


def test_an_excitation_whose_second_order_shows_nothing_is_not_flagged():
    data = dataset(noisy(12))
    lit = Dataset(data.signal, data.axes, conditions={"excitation_wavelength": Quantity(380.0, "nm")})
    assert not said(fit(lit), "second order")


def test_a_peak_cut_by_the_window_is_flagged():
    assert said(fit(noisy(13, one_peak()), window_min_nm=672.0), "cut by the window")


def test_a_line_that_is_not_gaussian_is_flagged():
    lorentzian = 8000 / (1 + ((X_NM - 680) / 20) ** 2) + 80
    assert said(fit(noisy(14, lorentzian, sd=20), model="one"), "not only noise")


def test_a_sloping_background_is_flagged():
    assert said(fit(noisy(15, one_peak() + 4 * (X_NM - 675))), "background is not flat")


def test_an_intensity_without_unit_is_taken_as_counts_and_said():
    outcome = fit(dataset(noisy(16), unit=""))
    assert said(outcome, "no unit for the intensity")
    assert ("pl_peak_area", "I") in table(outcome)


def test_an_intensity_in_other_units_than_counts_keeps_centres_and_leaves_areas_out():
    outcome = fit(dataset(noisy(16), unit="W/nm"))
    assert {p for p, _ in table(outcome)} == {
        "pl_peak_center", "pl_peak_width", "pl_peak_fwhm", "pl_peak_energy", "pl_area_share",
    }  # fmt: skip
    assert said(outcome, "not in counts")


def test_an_axis_without_unit_is_taken_as_nm_only_where_that_makes_sense():
    assert said(fit(dataset(noisy(16), axis_unit="")), "is taken as nm")
    with pytest.raises(MethodError, match="needs a wavelength in nm"):
        fit(dataset(noisy(16), X_NM / 500, axis_unit=""))


# Refusals


def refusal(*arguments, **params) -> str:
    with pytest.raises(MethodError) as caught:
        fit(*arguments, **params)
    return str(caught.value)


def test_a_nan_is_refused_with_its_point_and_wavelength():
    y = noisy(17)
    y[17] = np.nan
    assert "point 18 (567 nm: nan)" in refusal(y)


def test_an_energy_axis_is_refused_with_the_remedy():
    assert "against wavelength in nm" in refusal(dataset(noisy(17), 1239.84 / X_NM, axis_unit="eV"))


def test_too_few_points_are_refused_with_the_number_needed():
    assert "14 points between 550 and 563 nm; at least 15" in refusal(noisy(17)[:14])
    assert "at least 15" in refusal(noisy(17), window_min_nm=795.0)


def test_a_window_upside_down_is_refused():
    assert "swap" in refusal(noisy(17), window_min_nm=700.0, window_max_nm=600.0)


def test_shuffled_and_repeated_wavelengths_are_refused_but_a_descending_scan_is_read_backwards():
    y = noisy(17)
    order = np.random.default_rng(0).permutation(X_NM.size)
    assert "sort the file" in refusal(y[order], X_NM[order])
    assert "occurs twice" in refusal(y, np.sort(np.where(X_NM == 600, 601, X_NM)))
    assert table(fit(y[::-1], X_NM[::-1])) == table(fit(y))


def test_spectra_without_a_peak_are_refused():
    assert "no peak" in refusal(np.full(X_NM.size, 5.0))
    assert "above zero" in refusal(-np.abs(noisy(17)))


def test_a_peak_pointing_downwards_is_refused():
    assert "not an emission peak" in refusal(-noisy(17))


def test_a_weak_peak_in_strong_noise_is_still_a_result():
    outcome = fit(noisy(18, sd=4000))
    assert outcome.notes["r2"] < 0.6
    assert table(outcome)["pl_peak_center", "I"][0] == pytest.approx(684, abs=12)


def test_noise_alone_is_hardly_ever_a_peak():
    found = 0
    for seed in range(100):
        try:
            fit(noisy(seed, np.full(X_NM.size, 100.0)))
        except MethodError:
            continue
        found += 1
    assert found <= 2


def test_a_peak_outside_the_window_is_refused():
    assert "peak lies outside" in refusal(noisy(18, one_peak()), window_max_nm=650.0)


def test_a_laser_line_is_refused_with_the_parameter_that_would_allow_it():
    line = one_peak(width=2.0, area=3e4)
    assert "Change min_width_nm" in refusal(noisy(19, line, sd=20))
    assert table(fit(noisy(19, line, sd=20), min_width_nm=0.5))["pl_peak_width", "I"][0] == pytest.approx(
        2, rel=0.1
    )


def test_a_map_is_refused():
    two_dimensional = Dataset(
        Signal("counts", "counts", np.ones((2, 20))),
        (Axis("y", "µm", np.arange(2.0)), Axis("x", "nm", X_NM[:20])),
    )
    assert "shape 2 × 20" in refusal(two_dimensional)


# Curves


def test_the_curves_are_complete_and_add_up():
    curves = {curve.name: curve for curve in fit(noisy(20)).curves}
    assert list(curves) == ["data", "fit", "component I", "component II", "offset", "residual"]
    together = curves["component I"].y + curves["component II"].y - curves["offset"].y
    assert together == pytest.approx(curves["fit"].y)
    assert curves["residual"].y == pytest.approx(curves["data"].y - curves["fit"].y)
    assert (curves["fit"].x_unit, curves["fit"].y_unit) == ("nm", "counts")


# A real instrument's file


def test_the_fluoracle_file_gives_one_peak_and_says_what_is_wrong_with_it():
    x, y = fluoracle_spectrum()
    outcome = fit(y, x)
    assert x.size == 451
    assert outcome.notes["model"] == "one Gaussian"
    assert table(outcome)["pl_peak_center", "I"][0] == pytest.approx(771, abs=1)
    assert said(outcome, "line is not Gaussian")
    assert said(outcome, "background is not flat")


# Anything at all

FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.floats(-1e3, 1e6)


@settings(max_examples=120, deadline=None)
@given(st.one_of(st.lists(FINITE, max_size=300), st.lists(COUNTS, min_size=15, max_size=300)))
@pytest.mark.parametrize("loaded", [GAUSSIANS, SHAPE], ids=lambda m: m.key)
@pytest.mark.parametrize("params", [{}, {"window_max_nm": 700.0}], ids=["all", "window"])
def test_any_finite_numbers_give_a_sentence_or_finite_values(loaded, params, values):
    assert_survives(loaded, dataset(np.array(values, float), 550.0 + np.arange(len(values))), params)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(COUNTS, min_size=15, max_size=60),
    st.sampled_from(["one", "two"]),
    st.sampled_from(["none", "poisson"]),
)
def test_no_choice_of_model_and_weights_breaks_on_any_counts(values, model, weights):
    given = dataset(np.array(values), 550.0 + np.arange(len(values)))
    assert_survives(GAUSSIANS, given, {"model": model, "weights": weights})


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(FINITE, COUNTS), min_size=15, max_size=60))
def test_no_axis_breaks_the_methods(points):
    x, y = np.array(points).T
    for loaded in (GAUSSIANS, SHAPE):
        assert_survives(loaded, dataset(y, x))
        assert_survives(loaded, dataset(y, np.sort(x)))
        assert_survives(loaded, dataset(y, 500 + np.cumsum(0.01 + np.abs(x) % 3)))

"""The colour of an emission: the published spectrum, planted noise, and what instruments send."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import methods
from analysis.methods import MethodError, Outcome
from tests.analysis.hostile import X_NM, dataset
from tests.analysis.pl_reference import CURVE, TRUTH, fluoracle_spectrum, said, table

COLOUR = methods.get("pl_colour")
VISIBLE = np.arange(380.0, 781.0)


def colour_of(y, x=X_NM, unit="counts", **params) -> Outcome:
    parsed = methods.parse_params(COLOUR, params)
    given = {"sample": dataset(np.asarray(y, float), x, unit=unit)}
    return methods.check_outcome(COLOUR, COLOUR.run(given, parsed))


def line(center, fwhm=25.0, height=5000.0, x=VISIBLE):
    return height * np.exp(-4 * np.log(2) * ((x - center) / fwhm) ** 2)


WHITE = line(455, 26, 3000) + line(570, 140, 2300)


def test_the_published_red_emission_has_its_chromaticity():
    published = CURVE - TRUTH[0, 0]
    for spectrum_in in ("energy", "photons"):
        values = table(colour_of(published, spectrum_in=spectrum_in, subtract_offset=False))
        assert values["cie_x", ""][0] == pytest.approx(0.7273, abs=5e-4)
        assert values["cie_y", ""][0] == pytest.approx(0.2727, abs=5e-4)


def test_an_offset_left_in_pulls_the_red_towards_white_and_is_subtracted_unasked():
    assert table(colour_of(CURVE, subtract_offset=False))["cie_x", ""][0] < 0.71
    assert table(colour_of(CURVE))["cie_x", ""][0] == pytest.approx(0.7271, abs=5e-4)


def test_a_dim_red_is_refused_with_the_window_in_which_it_has_a_colour():
    """A deep red of 48 sigmas, whose offset weighs more in the eye than the emission itself."""
    x = np.arange(500.0, 900.0)
    dim = line(672, 50, 125.0, x) + np.random.default_rng(1).normal(80.0, 14.0, x.size)
    with pytest.raises(MethodError, match="narrow the window to the emission") as refused:
        colour_of(dim, x)
    low, high = (float(word) for word in str(refused.value).split() if word.isdigit())
    assert 600 < low < 650
    assert 700 < high < 750
    found, sigma = table(colour_of(dim, x, window_min_nm=low, window_max_nm=high))["cie_x", ""]
    assert found == pytest.approx(0.725, abs=4 * sigma)


def test_counts_are_photons_and_watts_are_energy():
    bare = {"subtract_offset": False, "x": VISIBLE}
    photons, energy = colour_of(WHITE * VISIBLE, **bare), colour_of(WHITE, unit="W/m²/nm", **bare)
    assert photons.notes["intensity counts"] == "photons"
    assert energy.notes["intensity counts"] == "energy"
    for key in ("cie_x", "cie_y", "cct"):
        assert table(photons)[key, ""][0] == pytest.approx(table(energy)[key, ""][0], rel=1e-9)
    assert table(colour_of(WHITE, **bare))["cie_x", ""][0] != pytest.approx(
        table(energy)["cie_x", ""][0], abs=0.002
    )


@pytest.mark.parametrize("unit", ["μW/nm", "µW/nm", "Watt/nm", "W·m⁻²·nm⁻¹"])
def test_energy_is_known_however_watts_are_written(unit):
    assert colour_of(WHITE, unit=unit, x=VISIBLE).notes["intensity counts"] == "energy"


def test_a_green_line_has_its_wavelength_and_no_temperature():
    values = table(colour_of(line(520, 20), VISIBLE))
    assert values["dominant_wavelength", ""][0] == pytest.approx(520, abs=1)
    assert 0.85 < values["excitation_purity", ""][0] < 1
    assert ("cct", "") not in values
    assert values["duv", ""][0] > 0.05


def test_white_light_has_a_temperature():
    values = table(colour_of(WHITE, VISIBLE))
    assert 6000 < values["cct", ""][0] < 6700
    assert abs(values["duv", ""][0]) < 0.01


@pytest.mark.full
@pytest.mark.parametrize("shape", ["green", "white"])
def test_the_68_percent_interval_holds_the_truth_in_62_to_74_percent(shape):
    clean = (line(520) if shape == "green" else WHITE) + 100
    truth, hits = table(colour_of(clean, VISIBLE)), {}
    for seed in range(400):
        noise = np.random.default_rng(seed).normal(0, 60, VISIBLE.size)
        for key, (value, sigma) in table(colour_of(clean + noise, VISIBLE)).items():
            hits.setdefault(key, []).append(abs(value - truth[key][0]) <= sigma)
    assert {key for key, _ in hits} >= {"cie_x", "cie_y", "cie_u_prime", "cie_v_prime", "dominant_wavelength"}
    rates = {key: np.mean(found) for (key, _), found in hits.items()}
    assert all(0.62 <= rate <= 0.74 for rate in rates.values()), rates


def test_a_spectrum_cut_off_inside_the_visible_is_flagged():
    x = np.arange(480.0, 641.0)
    assert said(colour_of(line(635, 40, x=x) + 50, x), "cut off")
    assert not said(colour_of(line(560, 25, x=x) + 50, x), "cut off")


def test_a_scan_that_ends_beyond_the_visible_is_not_flagged():
    x = np.arange(600.0, 801.0)
    assert not said(colour_of(line(795, 60, x=x) + line(650, 30, x=x), x), "cut off")


def test_an_infrared_emission_on_a_background_is_not_given_the_colour_of_the_background():
    """A real film of MAPbI₃, 773 nm, on a background of 1 % that would be greenish white."""
    x, y = fluoracle_spectrum()
    with pytest.raises(MethodError, match=r"colour of the background|above the error of the offset"):
        colour_of(y, x)


def test_a_hue_that_noise_decides_is_left_out():
    noisy = CURVE + np.random.default_rng(1).normal(0, 114, CURVE.size)
    outcome = colour_of(noisy)
    assert ("dominant_wavelength", "") not in table(outcome)
    assert said(outcome, "hue is not certain")


def test_purple_names_its_complementary_wavelength():
    outcome = colour_of(line(440) + line(650), VISIBLE)
    assert ("dominant_wavelength", "") not in table(outcome)
    assert said(outcome, "complementary one is")


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        (np.where(VISIBLE == 500, np.nan, WHITE), VISIBLE, "not finite"),
        (np.array([1.0, 2.0]), np.array([500.0, 600.0]), "at least 15"),
        (-WHITE, VISIBLE, "above zero"),
        (np.full(VISIBLE.size, 3.0), VISIBLE, "same intensity"),
        (line(950, x=VISIBLE + 470), VISIBLE + 470, "no visible light"),
        (np.random.default_rng(0).normal(0, 1, VISIBLE.size), VISIBLE, "noise"),
        (WHITE, np.random.default_rng(0).permutation(VISIBLE), "sort the file"),
        (WHITE, 1240 / VISIBLE, "photon energies in eV"),
    ],
)
def test_what_has_no_colour_is_refused_with_the_reason(y, x, reason):
    with pytest.raises(MethodError, match=reason):
        colour_of(y, x)


def test_an_axis_in_electronvolts_is_refused():
    given = dataset(WHITE, 1240 / VISIBLE, axis_unit="eV")
    with pytest.raises(MethodError, match="wavelength in nm"):
        COLOUR.run({"sample": given}, methods.parse_params(COLOUR, {}))


def test_a_saturated_spectrum_is_flagged():
    assert said(colour_of(np.minimum(WHITE, 2000), VISIBLE), "saturated")

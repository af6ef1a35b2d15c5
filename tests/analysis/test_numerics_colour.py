"""Colour kernels against the numbers of the standard and, on random spectra, against colour-science."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from analysis.numerics import colour, gamuts
from analysis.numerics._cie_1931 import MATCHING, WAVELENGTHS_NM

# CIE standard illuminant D65, 380 to 780 nm every 10 nm (ISO/CIE 11664-2)
D65_SPECTRUM = np.array([
    49.9755, 54.6482, 82.7549, 91.486, 93.4318, 86.6823, 104.865, 117.008, 117.812, 114.861, 115.923,
    108.811, 109.354, 107.802, 104.79, 107.689, 104.405, 104.046, 100, 96.3342, 95.788, 88.6856,
    90.0062, 89.5991, 87.6987, 83.2886, 83.6992, 80.0268, 80.2146, 82.2778, 78.2842, 69.7213, 71.6091,
    74.349, 61.604, 69.8856, 75.087, 63.5927, 46.4182, 66.8054, 63.3828,
])  # fmt: skip


pytestmark = pytest.mark.filterwarnings("ignore::Warning:colour")


@pytest.fixture(scope="module")
def oracle():
    """colour-science, a package of its own making; too heavy (100 MB) for anything but these tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("colour", reason="colour-science is in tests/requirements.txt")


def xy_of(x, energy):
    return colour.chromaticity(colour.tristimulus(x, energy))


def random_spectrum(seed):
    rng = np.random.default_rng(seed)
    bumps = zip(rng.uniform(420, 680, 3), rng.uniform(10, 60, 3), rng.uniform(0.1, 1, 3), strict=True)
    x = np.arange(360.0, 781.0)
    return x, sum(height * np.exp(-0.5 * ((x - center) / width) ** 2) for center, width, height in bumps)


def test_equal_energy_is_white():
    assert xy_of(np.array([360.0, 830.0]), np.ones(2)) == pytest.approx([1 / 3, 1 / 3], abs=5e-5)


@pytest.mark.parametrize(("nm", "x", "y"), [(520, 0.0743, 0.8338), (700, 0.7347, 0.2653)])
def test_one_wavelength_lies_on_the_locus_of_the_standard(nm, x, y):
    assert colour.chromaticity(MATCHING[:, np.isin(WAVELENGTHS_NM, nm)].T)[0] == pytest.approx(
        [x, y], abs=5e-5
    )
    line = np.array([nm - 0.01, nm, nm + 0.01])
    assert xy_of(line, np.array([0.0, 1.0, 0.0])) == pytest.approx([x, y], abs=1e-4)


def test_daylight_has_the_chromaticity_and_the_temperature_of_its_name():
    xy = xy_of(np.arange(380.0, 781.0, 10), D65_SPECTRUM)
    assert xy == pytest.approx([0.3127, 0.3290], abs=2e-4)
    assert colour.mccamy((0.3127, 0.3290)) == pytest.approx(6505, abs=0.5)
    temperature, duv = colour.nearest_planckian((0.3127, 0.3290))
    assert (temperature, duv) == (pytest.approx(6503, abs=5), pytest.approx(0.0032, abs=1e-4))


def test_a_black_body_is_found_again_on_the_planckian_locus():
    metres = WAVELENGTHS_NM * 1e-9
    for kelvin in (1500.0, 2856.0, 5000.0, 12_000.0):
        xy = xy_of(WAVELENGTHS_NM, metres**-5 / np.expm1(1.438776877e-2 / (metres * kelvin)))
        temperature, duv = colour.nearest_planckian(xy)
        assert temperature == pytest.approx(kelvin, rel=1e-4)
        assert duv == pytest.approx(0, abs=1e-5)


def test_beyond_the_coldest_black_body_there_is_no_nearest_one():
    assert colour.nearest_planckian((0.7273, 0.2727)) is None


@pytest.mark.parametrize("seed", range(25))
def test_chromaticity_of_random_spectra_is_that_of_colour_science(oracle, seed):
    x, energy = random_spectrum(seed)
    theirs = oracle.sd_to_XYZ(oracle.SpectralDistribution(energy, x), method="Integration")
    # They add up 1 nm steps, we integrate straight lines exactly: 3e-5 apart for the narrowest of these.
    assert xy_of(x, energy) == pytest.approx(oracle.XYZ_to_xy(theirs), abs=1e-4)


@pytest.mark.parametrize("seed", range(25))
def test_what_follows_from_a_chromaticity_is_what_colour_science_finds(oracle, seed):
    xy = xy_of(*random_spectrum(seed))
    white = np.array(colour.EQUAL_ENERGY)
    assert colour.uv_prime(xy) == pytest.approx(oracle.xy_to_Luv_uv(xy), abs=1e-9)
    assert colour.mccamy(xy) == pytest.approx(oracle.temperature.xy_to_CCT_McCamy1992(xy), rel=1e-9)
    wavelength, purity = colour.dominant_wavelength(xy, white)
    theirs = float(oracle.dominant_wavelength(xy, white)[0])  # to the nanometre
    assert wavelength == pytest.approx(theirs, abs=0.51)
    assert purity == pytest.approx(float(oracle.excitation_purity(xy, white)), abs=2e-3)
    kelvin, duv = oracle.temperature.uv_to_CCT_Ohno2013(colour.uv_1960(xy))
    if abs(duv) < 0.05 and 1500 < kelvin < 20_000:
        assert colour.nearest_planckian(xy) == (
            pytest.approx(kelvin, rel=1e-3),
            pytest.approx(duv, abs=2e-5),
        )


def test_coarse_and_fine_points_of_one_straight_spectrum_have_one_colour():
    coarse, fine = np.arange(380.0, 781.0, 20), np.arange(380.0, 780.01, 0.25)
    energy = np.interp(fine, coarse, 2 + np.sin(coarse / 40))
    assert xy_of(fine, energy) == pytest.approx(xy_of(coarse, 2 + np.sin(coarse / 40)), abs=1e-9)


def test_a_wavelength_halfway_from_white_is_half_pure():
    wavelengths, points = colour.locus()
    point = points[wavelengths == 520][0]
    found = colour.dominant_wavelength((point + colour.EQUAL_ENERGY) / 2)
    assert found == (pytest.approx(520, abs=1e-6), pytest.approx(0.5, abs=1e-9))


def test_purple_has_a_complementary_wavelength_and_white_has_none():
    wavelength, purity = colour.dominant_wavelength((0.35, 0.15))
    assert -570 < wavelength < -493
    assert 0.5 < purity < 1
    assert np.isnan(colour.dominant_wavelength(colour.EQUAL_ENERGY)[0])


@pytest.mark.parametrize(("name", "area"), [("NTSC", 0.1582), ("sRGB", 0.11205), ("Rec. 2020", 0.2119)])
def test_a_display_standard_has_its_area(name, area):
    assert gamuts.area(gamuts.GAMUTS[name]) == pytest.approx(area, abs=5e-5)


def test_overlap_is_the_smaller_of_two_gamuts_inside_each_other_and_nothing_apart():
    assert gamuts.overlap(gamuts.SRGB, gamuts.REC2020) == pytest.approx(gamuts.area(gamuts.SRGB))
    assert gamuts.overlap(gamuts.REC2020, gamuts.SRGB) == pytest.approx(gamuts.area(gamuts.SRGB))
    assert gamuts.overlap(gamuts.SRGB, gamuts.SRGB + 1) == 0
    assert gamuts.overlap(gamuts.SRGB, gamuts.SRGB[:2]) == 0


def test_overlap_agrees_with_counting_random_points():
    points = np.random.default_rng(0).random((60_000, 2)) * 0.9

    def holds(polygon):
        a, b = polygon, np.roll(polygon, -1, axis=0)
        side = (b[:, 0] - a[:, 0]) * (points[:, 1:] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (
            points[:, :1] - a[:, 0]
        )
        return np.all(side > 0, axis=1) | np.all(side < 0, axis=1)

    counted = np.mean(holds(gamuts.NTSC) & holds(gamuts.SRGB)) * 0.81
    assert gamuts.overlap(gamuts.NTSC, gamuts.SRGB) == pytest.approx(counted, abs=0.004)


def test_the_hull_leaves_out_what_lies_inside_and_what_is_there_twice():
    corners = gamuts.hull([(0, 0), (1, 0), (0.5, 0.4), (1, 1), (0, 1), (1, 1)])
    assert {tuple(corner) for corner in corners} == {(0, 0), (1, 0), (1, 1), (0, 1)}


def test_a_screen_shows_red_green_blue_and_white_as_such():
    assert colour.screen_colour(colour.D65) == "#ffffff" or colour.screen_colour(colour.D65)[1] == "f"
    for corner, channel in zip(gamuts.SRGB, range(3), strict=True):
        shown = colour.screen_colour(corner)
        levels = [int(shown[at : at + 2], 16) for at in (1, 3, 5)]
        assert levels[channel] == 255
        assert max(level for place, level in enumerate(levels) if place != channel) < 20

"""How numbers are written; the examples are those of the design."""

import math

import pytest

from frontend.formatting import (
    MINUS,
    NARROW,
    duration_min,
    mass,
    number,
    percent,
    quantity,
    sentence_case,
    size,
    unit_text,
    with_unit,
)


def narrow(text: str) -> str:
    """Write `_` in an example where a narrow no-break space belongs."""
    return text.replace("_", NARROW)


@pytest.mark.parametrize(
    ("value", "sigma", "unit", "written"),
    [
        (682.8312, 0.1432, "nm", "682.83 ± 0.14_nm"),
        (682.8312, 0.0996, "nm", "682.83 ± 0.10_nm"),
        (682.8312, 12.3, "nm", "683 ± 12_nm"),
        (682831.2, 1234.0, "", "682_800 ± 1200"),
        (-0.00512, 0.00021, "", "−0.00512 ± 0.00021"),
        (-0.01, 3.0, "nm", "0.0 ± 3.0_nm"),
        (0.0, 0.5, "nm", "0.00 ± 0.50_nm"),
        (3.0, 1200.0, "nm", "0 ± 1200_nm"),
        (1.234567e9, 2.5e6, "counts·nm", "(1.2346 ± 0.0025)_×_10⁹_counts_nm"),
        (2.5e-7, 1.2e-8, "", "(2.50 ± 0.12)_×_10⁻⁷"),
    ],
)
def test_value_and_sigma_end_at_the_second_digit_of_sigma(value, sigma, unit, written):
    assert str(quantity(value, sigma, unit)) == narrow(written)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (81.3, "81.3"),
        (-40.0, MINUS + "40"),
        (12345.0, "12_345"),
        (1234.0, "1234"),
        (0.1 + 0.2, "0.3"),
        (1e-9, "1_×_10⁻⁹"),
        (0, "0"),
        (-0.0, "0"),
    ],
)
def test_a_value_without_sigma_keeps_the_digits_it_has(value, written):
    assert number(value) == narrow(written)


def test_a_fraction_is_written_in_percent_and_its_sigma_with_it():
    assert percent(0.813) == narrow("81.3_%")
    assert str(quantity(0.4213, 0.0093, "1", as_percent=True)) == narrow("42.13 ± 0.93_%")


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_unknown_is_not_recorded_and_never_zero(unknown):
    assert str(quantity(unknown, 0.1, "nm")) == "not recorded"
    assert number(unknown) == "not recorded"
    assert mass(None) == with_unit(None, "g") == duration_min(None) == "not recorded"


def test_a_sigma_of_zero_claims_no_digits():
    assert str(quantity(1.5, 0.0, "eV")) == narrow("1.5_eV")


def test_a_limit_and_a_range_say_what_they_are():
    assert str(quantity(0.1, unit="1", comparator="<", as_percent=True)) == narrow("<_10_%")
    assert str(quantity(290, unit="°C", upper=305)) == narrow("290 to 305_°C")


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("°C/min", "°C_min⁻¹"),
        ("cm-1", "cm⁻¹"),
        ("1/cm", "cm⁻¹"),
        ("g/cm3", "g_cm⁻³"),
        ("counts·nm", "counts_nm"),
        ("W/cm2", "W_cm⁻²"),
        ("J/cm²", "J_cm⁻²"),
        ("cm⁻¹", "cm⁻¹"),
        ("1", ""),
        ("nm", "nm"),
    ],
)
def test_units_have_real_superscripts(unit, written):
    assert unit_text(unit) == narrow(written)


def test_masses_durations_and_sizes_take_the_unit_a_person_would_say():
    assert mass(0.05) == narrow("50_mg")
    assert mass(3.2) == narrow("3.2_g")
    assert duration_min(60) == narrow("60_min")
    assert duration_min(1440) == narrow("24_h")
    assert size(14_321) == narrow("14.3_kB")
    assert size(0) == narrow("0_B")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("wavelength", "Wavelength"),
        ("heat_flow", "Heat flow"),
        ("raman shift", "Raman shift"),
        ("q", "q"),
        ("μ(E)", "μ(E)"),
        ("σ of q", "σ of q"),
        ("2θ", "2θ"),
        ("pH", "pH"),
        ("", ""),
    ],
)
def test_a_title_begins_with_a_capital_but_a_symbol_keeps_its_letter(name: str, title: str) -> None:
    assert sentence_case(name) == title

"""Mixed halides and mixed linkers, against numbers worked out elsewhere and by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import alloys
from samples.alloys import HalidePerovskite
from samples.stoichiometry import StoichiometryError


@pytest.mark.parametrize(
    ("formula", "tolerance", "octahedral"),
    [("CsPbI3", 0.851, 0.541), ("CsPbBr3", 0.862, 0.607), ("CsPbCl3", 0.870, 0.657)],
)
def test_tolerance_and_octahedral_factors_are_those_of_shannons_radii(formula, tolerance, octahedral):
    perovskite = alloys.read(formula)
    assert perovskite is not None
    assert alloys.tolerance_factor(perovskite) == pytest.approx((tolerance, tolerance), abs=5e-4)
    assert alloys.octahedral_factor(perovskite) == pytest.approx((octahedral, octahedral), abs=5e-4)


@pytest.mark.parametrize(
    ("formula", "read"),
    [
        ("CsPbI3", HalidePerovskite("Cs", "Pb", "I")),
        ("γ-CsPbI3", HalidePerovskite("Cs", "Pb", "I")),
        ("CsPb(I0.5Br0.5)3", HalidePerovskite("Cs", "Pb", "I", "Br", 0.5)),
        ("CsPbBr1.5I1.5", HalidePerovskite("Cs", "Pb", "Br", "I", 0.5)),
        ("CsPb(Cl,Br)3", HalidePerovskite("Cs", "Pb", "Cl", "Br", None)),
        ("CsPb(Br1-yIy)3", HalidePerovskite("Cs", "Pb", "Br", "I", None)),
        ("CsPb(Br₁₋yIy)₃", HalidePerovskite("Cs", "Pb", "Br", "I", None)),
        ("PbI2", None),
        ("CsI", None),
        ("CsPbI2", None),
        ("CsPb(I,I)3", None),
        ("CsPbIBrCl", None),
        ("agZIF-62", None),
        ("Cs(Pb", None),
        ("", None),
    ],
)
def test_a_formula_is_read_as_the_halide_perovskite_it_names(formula, read):
    assert alloys.read(formula) == read


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(text):
    alloys.read(text)
    alloys.warnings(text)


@given(st.floats(0.01, 0.99), st.permutations(["Cl", "Br", "I"]))
def test_what_is_written_is_read_back(y, halides):
    alloy = HalidePerovskite("Cs", "Pb", halides[0], halides[1], y)
    read = alloys.read(alloy.formula)
    assert read is not None
    assert (read.a, read.b, read.first, read.second) == ("Cs", "Pb", halides[0], halides[1])
    assert read.y == pytest.approx(y, abs=1e-3)


def test_the_gamma_cell_gives_its_pseudo_cubic_edge():
    # (953.852 Å³ / 4)^⅓, of the reference cell whose density is 5.0194 g/cm³
    assert alloys.pseudo_cubic_a_angstrom("CsPbI3", 5.0194) == pytest.approx(6.2012, abs=1e-4)


def test_vegards_line_is_straight_between_the_ends_and_ends_there():
    ends = {"CsPbI3": 6.20, "CsPbBr3": 5.83}
    for y, a in [(0.0, 6.20), (0.25, 6.1075), (1.0, 5.83)]:
        alloy = HalidePerovskite("Cs", "Pb", "I", "Br", y)
        assert alloys.vegard_a_angstrom(alloy, ends) == pytest.approx((a, a))


def test_an_unknown_ratio_gives_ranges_and_never_a_number():
    alloy = alloys.read("CsPb(Cl,Br)3")
    assert alloy is not None
    assert alloys.vegard_a_angstrom(alloy, {"CsPbCl3": 5.61, "CsPbBr3": 5.83}) == (5.61, 5.83)
    low, high = alloys.tolerance_factor(alloy)
    assert (low, high) == pytest.approx((0.862, 0.870), abs=5e-4)
    assert "not stated" in alloys.warnings("CsPb(Cl,Br)3")[0]


def test_a_missing_end_is_named():
    alloy = HalidePerovskite("Cs", "Pb", "I", "Br", 0.5)
    with pytest.raises(StoichiometryError, match="CsPbBr3; enter the density"):
        alloys.vegard_a_angstrom(alloy, {"CsPbI3": 6.2})


@pytest.mark.parametrize("density", [0, -5.0, float("nan"), float("inf"), 5019])
def test_a_density_that_no_solid_has_is_refused(density):
    with pytest.raises(StoichiometryError, match="density"):
        alloys.pseudo_cubic_a_angstrom("CsPbI3", density)


def test_an_ion_without_a_radius_is_named():
    tin = alloys.read("CsSnI3")
    assert tin is not None
    with pytest.raises(StoichiometryError, match="no radius of Sn"):
        alloys.tolerance_factor(tin)


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [("CsPbI2.5Br0.6", "add up to 3.1, not to 3"), ("KSrI3", "another structure is likely")],
)
def test_formulas_that_cannot_be_meant_are_questioned(formula, sentence):
    assert sentence in " ".join(alloys.warnings(formula))


@pytest.mark.parametrize("formula", ["CsPbI3", "CsPb(I0.5Br0.5)3", "CsI", "agZIF-62", "Zn(Im)1.95(bIm)0.05"])
def test_a_plain_substance_is_left_in_peace(formula):
    assert alloys.warnings(formula) == []


def test_the_printed_linker_feed_gives_its_x_and_the_warning():
    x_feed = alloys.linker_x_of_feed({"C3H4N2": 891, "C7H6N2": 12, "Zn(NO3)2·6H2O": 1515})
    assert x_feed == pytest.approx(2 * 0.0077, abs=1e-4)
    (sentence,) = alloys.warnings("Zn(Im)1.95(bIm)0.05", x_feed=x_feed, x_product=0.05)
    assert "Off-stoichiometric" in sentence
    assert "0.77 %" in sentence
    assert "2.50 %" in sentence


def test_without_both_linkers_there_is_no_feed_to_speak_of():
    assert alloys.linker_x_of_feed({"C3H4N2": 891}) is None
    assert alloys.linker_x_of_feed({"C3H4N2": 891, "Cs(Pb": 1}) is None
    assert alloys.warnings("Zn(Im)1.95(bIm)0.05", x_product=0.05) == []

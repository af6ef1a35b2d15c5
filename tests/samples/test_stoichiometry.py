"""Weighing arithmetic, against numbers computed elsewhere and exact solutions."""

import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samples import stoichiometry as chem
from samples.stoichiometry import FormulaError, StoichiometryError, composition, molar_mass_g_per_mol

ZIF62 = "Zn(Im)1.95(bIm)0.05"


def test_caesium_lead_iodide_weighs_720_82_grams_a_mole():
    assert molar_mass_g_per_mol("CsPbI3") == pytest.approx(720.82, abs=0.005)
    assert molar_mass_g_per_mol("CsI") == pytest.approx(259.81, abs=0.005)
    assert molar_mass_g_per_mol("PbI2") == pytest.approx(461.009, abs=0.0005)


@pytest.mark.parametrize(
    ("formula", "grams_per_mole"),
    [
        # by hand from the 2021 table, and equal to periodictable 2.1.0
        ("H2O", 18.015),
        ("Zn(NO3)2·6H2O", 297.478),
        ("Zn(NO3)2 * 6 H2O", 297.478),
        ("C3H7NO", 73.095),
        ("CsPbBr1.5I1.5", 650.318),
        ("K4[ON(SO3)2]2", 536.6332),
        ("CaSO4·0.5H2O", 145.1415),
        ("γ-CsPbI3", 720.81886196),
        ("(CH3NH3)PbI3", 619.97941),
    ],
)
def test_brackets_hydrates_and_fractions_are_counted(formula, grams_per_mole):
    assert molar_mass_g_per_mol(formula) == pytest.approx(grams_per_mole, abs=5e-4)


def test_there_is_a_weight_for_every_element_that_has_a_standard_one():
    assert len(chem.ATOMIC_WEIGHT_G_PER_MOL) == 84
    weights = list(chem.ATOMIC_WEIGHT_G_PER_MOL.values())
    # the table runs by atomic number; mass falls back at four known pairs (Ar/K, Co/Ni, Te/I, Th/Pa)
    falls = [s for s, a, b in zip(chem.ATOMIC_WEIGHT_G_PER_MOL, weights, weights[1:], strict=False) if b < a]
    assert falls == ["Ar", "Co", "Te", "Th"]


def test_the_published_caesium_and_lead_iodide_are_equimolar_to_five_parts_in_a_hundred_thousand():
    assert chem.mole_ratio(144.17, "CsI", 255.83, "PbI2") == pytest.approx(0.99995, abs=5e-6)
    exact = chem.masses_for(400.00, {"CsI": 1, "PbI2": 1})
    assert exact == pytest.approx({"CsI": 144.175, "PbI2": 255.825}, abs=5e-4)


def test_the_limiting_reagent_and_the_stoichiometric_error_are_found():
    batch = chem.batch({"CsI": 144.17, "PbI2": 255.83}, {"CsI": 1, "PbI2": 1})
    assert batch.limiting_reagent == "CsI"
    assert batch.product_mmol == pytest.approx(0.5549, abs=5e-5)
    assert batch.stoichiometric_error == pytest.approx(5.3e-5, abs=1e-6)
    assert batch.excess["CsI"] == 0


def test_a_reaction_of_two_to_one_is_limited_by_moles_and_not_by_grams():
    batch = chem.batch({"H2": 4.032, "O2": 31.998}, {"H2": 2, "O2": 1})
    assert batch.product_mmol == pytest.approx(1)
    assert batch.stoichiometric_error == pytest.approx(0, abs=1e-12)


def test_ball_to_powder_ratios_of_the_published_millings():
    assert chem.ball_to_powder_ratio(16, 0.400) == pytest.approx(40)
    assert chem.ball_to_powder_ratio(16, 0.200) == pytest.approx(80)


def test_quarter_loading_is_8_54_mole_percent():
    molar = {"CsPbI3": molar_mass_g_per_mol("CsPbI3"), ZIF62: molar_mass_g_per_mol(ZIF62)}
    mole = chem.mass_to_mole_fractions({"CsPbI3": 0.25, ZIF62: 0.75}, molar)
    assert mole["CsPbI3"] == pytest.approx(0.0854, abs=5e-5)


def test_reference_cells_give_the_densities_of_gamma_and_delta():
    assert chem.crystal_density_g_per_cm3("CsPbI3", 4, 953.852) == pytest.approx(5.0194, abs=1e-4)
    assert chem.crystal_density_g_per_cm3("CsPbI3", 4, 890.2) == pytest.approx(5.3783, abs=1e-4)


def test_volume_fractions_of_equal_masses_are_as_the_inverse_densities():
    volume = chem.mass_to_volume_fractions({"heavy": 0.5, "light": 0.5}, {"heavy": 3.0, "light": 1.0})
    assert volume == pytest.approx({"heavy": 0.25, "light": 0.75})


def test_mixed_linker_framework_has_its_mass_and_linker_share():
    assert molar_mass_g_per_mol(chem.mixed_linker_formula(0.05)) == pytest.approx(202.03, abs=0.006)
    assert molar_mass_g_per_mol(ZIF62) == pytest.approx(202.025, abs=5e-4)
    assert molar_mass_g_per_mol(chem.mixed_linker_formula(0.25)) == pytest.approx(212.037, abs=5e-4)
    assert chem.linker_fraction(0.05) == pytest.approx(0.025)
    assert chem.mixed_linker_formula(0.05) == "Zn(C3H3N2)1.95(C7H5N2)0.05"
    assert chem.mixed_linker_formula(0) == "Zn(C3H3N2)2"


def test_the_printed_linker_feed_is_off_stoichiometric_and_says_so():
    feed = chem.linker_feed_fraction(imidazole_mg=891, benzimidazole_mg=12)
    assert feed == pytest.approx(0.0077, abs=5e-5)
    assert "0.77 %" in (chem.off_stoichiometric(feed, x=0.05) or "")
    assert chem.off_stoichiometric(0.025, x=0.05) is None


def test_a_quarter_loading_holds_71_9_milligrams_of_lead_a_gram():
    assert chem.element_mg_per_g("Pb", {"CsPbI3": 0.25, ZIF62: 0.75}) == pytest.approx(71.9, abs=0.05)
    assert sum(chem.element_mass_fractions(ZIF62).values()) == pytest.approx(1)


shares = st.lists(st.floats(0.01, 1), min_size=2, max_size=5)


@given(shares, st.lists(st.floats(0.5, 1000), min_size=5, max_size=5))
def test_fractions_of_any_number_of_components_convert_there_and_back(parts, weights):
    fractions = {str(i): part / sum(parts) for i, part in enumerate(parts)}
    known = {str(i): weight for i, weight in enumerate(weights)}
    moles = chem.mass_to_mole_fractions(fractions, known)
    assert sum(moles.values()) == pytest.approx(1)
    assert chem.mole_to_mass_fractions(moles, known) == pytest.approx(fractions)
    volumes = chem.mass_to_volume_fractions(fractions, known)
    assert chem.volume_to_mass_fractions(volumes, known) == pytest.approx(fractions)


@pytest.mark.parametrize(
    ("formula", "complaint"),
    [
        ("", "empty"),
        ("Cs(Pb", "never closed"),
        ("CsPb)I3", "not opened"),
        ("Cs(PbI3]", "not opened"),
        ("Cs()I", "empty pair"),
        ("(" * 10_000, "too many"),
        ("(" * 99 + "Cs" + ")" * 99, "deeper than"),
        ("CsPb(Cl,Br)3", "alternatives without their ratio"),
        ("Zn(Im)2-x(bIm)x", "unknown amount"),
        ("CsPbI3-xBrx", "unknown amount"),
        ("H9999999", "amount"),
        ("H" + "9" * 150, "amount"),
        ("CsI0", "amount"),
        ("CsPbQ3", "not an element"),
        ("cspbi3", "not an element"),
        ("TcO2", "no standard atomic weight"),
        ("Pb2+", "charge"),
        ("Zn(NO3)2.6H2O", "write ·6H2O"),
        ("Zn(NO3)2 (hydration unstated)", "not an element"),
        ("CsI·", "without any element"),
        ("3", "without any element"),
        ("Cs\u202ePbI3", "hides a character"),
        ("Cs\x00I", "hides a character"),
    ],
)
def test_what_is_no_formula_is_refused_with_a_sentence(formula, complaint):
    with pytest.raises(FormulaError, match=complaint) as refusal:
        molar_mass_g_per_mol(formula)
    assert str(refusal.value).endswith(".")
    assert len(str(refusal.value)) < 300


formula_like = st.text() | st.text(alphabet="CsPbIHON()[]{}0123456789.·,x+- ", max_size=200)


@given(formula_like)
@example("((((((((((((((((((((H))))))))))))))))))))")
def test_any_text_is_a_formula_or_a_formula_error(text):
    try:
        atoms = composition(text)
    except FormulaError:
        return
    assert atoms
    assert all(count > 0 for count in atoms.values())


@given(st.dictionaries(st.sampled_from(sorted(chem.ATOMIC_WEIGHT_G_PER_MOL)), st.integers(1, 99), min_size=1))
def test_a_formula_written_from_counts_is_read_back_as_those_counts(counts):
    formula = "".join(f"{element}{count}" for element, count in counts.items())
    assert composition(formula) == counts
    assert composition(f"[({formula})2]3") == {element: 6 * count for element, count in counts.items()}


def test_hostile_formulas_are_refused_in_milliseconds():
    began = time.perf_counter()
    for letter in string.punctuation + "H9(":
        with pytest.raises(FormulaError):
            composition(letter * 100_000)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("mass", [0, -1, float("nan"), float("inf")])
def test_a_mass_that_no_balance_shows_is_refused(mass):
    with pytest.raises(StoichiometryError, match="must be above zero"):
        chem.ball_to_powder_ratio(16, mass)
    with pytest.raises(StoichiometryError, match="must be above zero"):
        chem.batch({"CsI": mass}, {"CsI": 1})


def test_fractions_that_do_not_add_up_and_unknown_densities_are_refused():
    with pytest.raises(StoichiometryError, match=r"add up to 0\.9"):
        chem.mass_to_volume_fractions({"a": 0.5, "b": 0.4}, {"a": 1, "b": 1})
    with pytest.raises(StoichiometryError, match="density of “b” is not known"):
        chem.mass_to_volume_fractions({"a": 0.5, "b": 0.5}, {"a": 1})
    with pytest.raises(StoichiometryError, match="between 0 and 2"):
        chem.mixed_linker_formula(2.1)

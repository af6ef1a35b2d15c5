"""Weighing: ratios of masses and moles, limiting reagents, and fractions of mass, mole and volume."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum, isfinite

from samples.stoichiometry.formula import (
    StoichiometryError,
    element_mass_fractions,
    molar_mass_g_per_mol,
    shown,
)

AVOGADRO_PER_MOL = 6.02214076e23
FRACTION_SUM_TOLERANCE = 0.005


def element_mg_per_g(element: str, mass_fractions: Mapping[str, float]) -> float:
    """Milligrams of one element in a gram of a composite whose components are {formula: mass fraction}.

    Zero only when no component contains it, which is a fact about the formulas and not a missing number.
    """
    _check_fractions(mass_fractions)
    return 1000 * fsum(
        fraction * element_mass_fractions(formula).get(element, 0.0)
        for formula, fraction in mass_fractions.items()
    )


def mole_ratio(mass_a: float, formula_a: str, mass_b: float, formula_b: str) -> float:
    """Moles of a per mole of b; the masses in any unit, the same for both."""
    _check_positive({formula_a: mass_a, formula_b: mass_b}, "mass")
    return (mass_a / molar_mass_g_per_mol(formula_a)) / (mass_b / molar_mass_g_per_mol(formula_b))


@dataclass(frozen=True)
class Batch:
    """What a set of weighed reagents can become at most."""

    limiting_reagent: str
    product_mmol: float
    excess: dict[str, float]
    """How much more of each reagent there is than the limiting one can use, as a fraction; 0 for that one."""

    @property
    def stoichiometric_error(self) -> float:
        """The largest relative excess, 0 for a perfectly weighed batch."""
        return max(self.excess.values())


def batch(masses_mg: Mapping[str, float], moles_per_product: Mapping[str, float]) -> Batch:
    """Limiting reagent of {formula: mg}, when one mole of product takes {formula: moles}."""
    if set(masses_mg) != set(moles_per_product) or not masses_mg:
        raise StoichiometryError(
            "Masses and reaction coefficients must name the same reagents, at least one."
        )
    _check_positive(masses_mg, "mass")
    _check_positive(moles_per_product, "coefficient")
    possible_mmol = {
        formula: mass / molar_mass_g_per_mol(formula) / moles_per_product[formula]
        for formula, mass in masses_mg.items()
    }
    limiting = min(possible_mmol, key=lambda formula: possible_mmol[formula])
    extent = possible_mmol[limiting]
    return Batch(limiting, extent, {formula: mmol / extent - 1 for formula, mmol in possible_mmol.items()})


def masses_for(total_mass: float, moles_per_product: Mapping[str, float]) -> dict[str, float]:
    """How to split a total mass over reagents so that nothing is left over; same unit as the total."""
    _check_positive({"the batch": total_mass}, "mass")
    _check_positive(moles_per_product, "coefficient")
    return _reweighed(moles_per_product, {f: molar_mass_g_per_mol(f) for f in moles_per_product}, total_mass)


def ball_to_powder_ratio(balls_g: float, powder_g: float) -> float:
    _check_positive({"the balls": balls_g, "the powder": powder_g}, "mass")
    return balls_g / powder_g


# Fractions of mass, mole and volume, of two or more components.


def mass_to_mole_fractions(
    mass_fractions: Mapping[str, float], molar_masses_g_per_mol: Mapping[str, float]
) -> dict[str, float]:
    _check_fractions(mass_fractions)
    return _reweighed(mass_fractions, _inverse(molar_masses_g_per_mol, mass_fractions, "molar mass"))


def mole_to_mass_fractions(
    mole_fractions: Mapping[str, float], molar_masses_g_per_mol: Mapping[str, float]
) -> dict[str, float]:
    _check_fractions(mole_fractions)
    return _reweighed(mole_fractions, _complete(molar_masses_g_per_mol, mole_fractions, "molar mass"))


def mass_to_volume_fractions(
    mass_fractions: Mapping[str, float], densities_g_per_cm3: Mapping[str, float]
) -> dict[str, float]:
    """Volumes without pores and as if nothing dissolved in anything else."""
    _check_fractions(mass_fractions)
    return _reweighed(mass_fractions, _inverse(densities_g_per_cm3, mass_fractions, "density"))


def volume_to_mass_fractions(
    volume_fractions: Mapping[str, float], densities_g_per_cm3: Mapping[str, float]
) -> dict[str, float]:
    _check_fractions(volume_fractions)
    return _reweighed(volume_fractions, _complete(densities_g_per_cm3, volume_fractions, "density"))


def crystal_density_g_per_cm3(formula: str, formula_units: int, cell_volume_a3: float) -> float:
    """Density from a unit cell: Z formula units in a volume given in Å³."""
    _check_positive({"formula units": formula_units, "the cell": cell_volume_a3}, "volume or count")
    return formula_units * molar_mass_g_per_mol(formula) / (AVOGADRO_PER_MOL * cell_volume_a3 * 1e-24)


# Zeolitic imidazolate frameworks with two linkers, Zn(Im)2-x(bIm)x.


def mixed_linker_formula(x: float) -> str:
    """Zn(Im)2-x(bIm)x with its numbers; x counts benzimidazolates per zinc, from 0 to 2."""
    if not 0 <= x <= 2:
        raise StoichiometryError(f"x = {x:g} in Zn(Im)2-x(bIm)x must lie between 0 and 2.")
    linkers = [("C3H3N2", round(2 - x, 9)), ("C7H5N2", round(x, 9))]
    return "Zn" + "".join(f"({linker}){count:.9g}" for linker, count in linkers if count >= 1e-6)


def linker_fraction(x: float) -> float:
    """Share of benzimidazolate among all linkers of Zn(Im)2-x(bIm)x: 0.025 for x = 0.05."""
    mixed_linker_formula(x)
    return x / 2


def linker_feed_fraction(imidazole_mg: float, benzimidazole_mg: float) -> float:
    """Share of benzimidazole among the moles of linker that were weighed in."""
    ratio = mole_ratio(benzimidazole_mg, "C7H6N2", imidazole_mg, "C3H4N2")
    return ratio / (1 + ratio)


def off_stoichiometric(feed_fraction: float, x: float, tolerance: float = 0.1) -> str | None:
    """A warning when feed and product disagree by more than `tolerance` of the product's share, else None.

    Both numbers are kept: the framework takes up what fits, so the feed is no measure of the product.
    """
    product = linker_fraction(x)
    if abs(feed_fraction - product) <= tolerance * product:
        return None
    return (
        f"Off-stoichiometric: the feed holds {100 * feed_fraction:.2f} % benzimidazole among its linkers, "
        f"the formula {100 * product:.2f} %. Take the product's x from an analysis, not from the feed."
    )


def _reweighed(
    amounts: Mapping[str, float], weights: Mapping[str, float], total: float = 1.0
) -> dict[str, float]:
    products = {name: amount * weights[name] for name, amount in amounts.items()}
    scale = total / fsum(products.values())
    return {name: product * scale for name, product in products.items()}


def _complete(known: Mapping[str, float], needed: Iterable[str], what: str) -> dict[str, float]:
    missing = [name for name in needed if name not in known]
    if missing:
        raise StoichiometryError(
            f"The {what} of {', '.join(map(shown, missing))} is not known; enter it first."
        )
    chosen = {name: known[name] for name in needed}
    _check_positive(chosen, what)
    return chosen


def _inverse(known: Mapping[str, float], needed: Iterable[str], what: str) -> dict[str, float]:
    return {name: 1 / number for name, number in _complete(known, needed, what).items()}


def _check_positive(quantities: Mapping[str, float], what: str) -> None:
    for name, number in quantities.items():
        if not (isfinite(number) and 1e-30 < number < 1e30):
            raise StoichiometryError(f"The {what} of {shown(name)} must be above zero, not {number:g}.")


def _check_fractions(fractions: Mapping[str, float]) -> None:
    for name, fraction in fractions.items():
        if not 0 <= fraction <= 1:
            raise StoichiometryError(
                f"The fraction of {shown(name)} must lie between 0 and 1, not {fraction:g}."
            )
    total = fsum(fractions.values())
    if abs(total - 1) > FRACTION_SUM_TOLERANCE:
        raise StoichiometryError(f"The fractions add up to {total:.4g}; they must add up to 1.")

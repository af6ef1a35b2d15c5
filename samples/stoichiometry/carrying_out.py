"""Numbers for the bench: what a milling puts in, and how near weighed reagents come to their ratio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi

from samples.stoichiometry.formula import StoichiometryError, molar_mass_g_per_mol
from samples.stoichiometry.weighing import Batch, ball_to_powder_ratio, batch

LARGEST_COEFFICIENT = 6
RATIO_TOLERANCE = 0.03


@dataclass(frozen=True)
class Reagents:
    """Weighed reagents against the simple ratio that their planned masses come near to."""

    coefficients: dict[str, int]
    batch: Batch
    mole_ratio: float | None
    """Moles of the first per mole of the second, where there are two: 0.99995 for 144.17 mg CsI and 255.83
    mg PbI2."""


def reagents(masses_mg: Mapping[str, float], planned_mg: Mapping[str, float]) -> Reagents:
    """masses_mg, planned_mg : {formula: mg} of the same reagents, two or more.

    Raises StoichiometryError when the planned masses are near no simple ratio (1 to 6, within 3 %).
    """
    if len(masses_mg) < 2 or set(masses_mg) != set(planned_mg):
        raise StoichiometryError("Two or more reagents with planned masses are needed.")
    planned = {formula: mg / molar_mass_g_per_mol(formula) for formula, mg in planned_mg.items()}
    coefficients = simple_ratio(planned)
    found = batch(masses_mg, coefficients)
    first, second = list(masses_mg)[:2]
    ratio = (masses_mg[first] / molar_mass_g_per_mol(first)) / (
        masses_mg[second] / molar_mass_g_per_mol(second)
    )
    return Reagents(coefficients, found, ratio if len(masses_mg) == 2 else None)


def simple_ratio(amounts: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers in the ratio of the amounts: {CsI: 0.555, PbI2: 0.555} gives 1 and 1."""
    least = min(amounts.values())
    if least <= 0:
        raise StoichiometryError("Every reagent needs an amount above zero.")
    for factor in range(1, LARGEST_COEFFICIENT + 1):
        scaled = {name: factor * amount / least for name, amount in amounts.items()}
        rounded = {name: round(number) for name, number in scaled.items()}
        if max(rounded.values()) <= LARGEST_COEFFICIENT and all(
            abs(scaled[name] - rounded[name]) <= RATIO_TOLERANCE * rounded[name] for name in amounts
        ):
            return rounded
    raise StoichiometryError("The planned masses are near no simple ratio of moles.")


def milling_dose_index(balls_g: float, powder_g: float, rpm: float, duration_min: float) -> float:
    """Specific milling dose up to the geometry of the mill, in s⁻²: (balls/powder) · ω³ · t, ω in rad/s.

    In a planetary mill the energy of a hit goes as ball mass · (ω R)² and the hits as ω, so that the energy
    per mass of powder is this index times R² times a factor of order one, which the radii of the mill
    decide. These are not recorded, so no energy is claimed: the index compares millings in one mill.

    N. Burgio et al., Nuovo Cimento D 13 (1991) 459.
    """
    ratio = ball_to_powder_ratio(balls_g, powder_g)
    if not 0 < rpm < 1e6 or not 0 < duration_min < 1e9:
        raise StoichiometryError("Speed and time of a milling are above zero.")
    omega = 2 * pi * rpm / 60
    return ratio * omega**3 * duration_min * 60

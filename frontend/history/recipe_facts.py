"""What follows from a recipe's numbers and its materials' formulas, said for its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from frontend.formatting import NARROW, duration_min, number, percent, with_unit
from samples import alloys
from samples.ancestry import planned_steps
from samples.models import Component, Material, Milling, Recipe, Sintering
from samples.programmes import programme_min, total_min
from samples.stoichiometry import StoichiometryError, mass_to_mole_fractions, mass_to_volume_fractions


@dataclass
class Facts:
    """(what, value) in the order of reading, and sentences that ask for a second look."""

    said: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def facts(recipe: Recipe, materials: Sequence[Material]) -> Facts:
    """`materials` are those of the project: their densities give the ends of Vegard's line."""
    found = Facts()
    components = list(recipe.components.all())
    _fractions(found, components)
    _linkers(found, components)
    for component in components:
        _halides(found, component.material, materials)
        found.warnings += material_warnings(component.material)
    _steps(found, recipe)
    return found


def material_facts(material: Material, materials: Sequence[Material]) -> Facts:
    """What a material's formula lets expect, for its own page."""
    found = Facts()
    _halides(found, material, materials)
    found.warnings += material_warnings(material)
    return found


def material_warnings(material: Material) -> list[str]:
    return [
        f"{material.name}: {sentence}"
        for sentence in alloys.warnings(material.formula, material.linker_x_feed, material.linker_x_product)
    ]


def _fractions(found: Facts, components: Sequence[Component]) -> None:
    shares = {c.material.name: c.mass_fraction for c in components}
    if len(shares) < 2:
        return
    for what, column, convert in (
        ("By mole", "molar_mass_g_per_mol", mass_to_mole_fractions),
        ("By volume", "density_g_per_cm3", mass_to_volume_fractions),
    ):
        known = {c.material.name: v for c in components if (v := getattr(c.material, column)) is not None}
        try:
            fractions = convert(shares, known)
        except StoichiometryError as error:
            found.said.append((what, str(error)))
            continue
        parts = [f"{percent(fraction, 4)} {name}" for name, fraction in fractions.items()]
        found.said.append((what, " · ".join(parts)))


def _linkers(found: Facts, components: Sequence[Component]) -> None:
    masses = {c.material.formula: c.mass_fraction for c in components if c.material.formula}
    x = alloys.linker_x_of_feed(masses)
    if x is not None:
        found.said.append(
            (
                "Linker feed",
                f"{percent(x / 2, 3)} benzimidazole among the linkers, x = {number(x, 3)} in feed",
            )
        )


def _halides(found: Facts, material: Material, materials: Sequence[Material]) -> None:
    perovskite = alloys.read(material.formula)
    if perovskite is None:
        return
    try:
        t = _range(alloys.tolerance_factor(perovskite), 3)
        mu = _range(alloys.octahedral_factor(perovskite), 3)
    except StoichiometryError:
        return  # an ion that is not in Shannon's table: nothing is claimed
    found.said.append(("Tolerance factor", f"{t}; octahedral factor {mu} ({material.name})"))
    if perovskite.second is None:
        return
    try:
        a = _range(alloys.vegard_a_angstrom(perovskite, _ends(perovskite.end_members, materials)), 4)
        estimate = (
            f"pseudo-cubic a = {a}{NARROW}Å, from the densities of {' and '.join(perovskite.end_members)}"
        )
    except StoichiometryError as error:
        estimate = str(error)
    found.said.append(("Lattice after Vegard", estimate))


def _ends(end_members: Sequence[str], materials: Sequence[Material]) -> Mapping[str, float]:
    ends: dict[str, float] = {}
    for material in materials:
        pure = alloys.read(material.formula)
        if pure is None or pure.second is not None or material.density_g_per_cm3 is None:
            continue
        if pure.formula in end_members:
            ends[pure.formula] = alloys.pseudo_cubic_a_angstrom(pure.formula, material.density_g_per_cm3)
    return ends


def _steps(found: Facts, recipe: Recipe) -> None:
    steps = planned_steps(recipe)
    millings = [step for step in steps if isinstance(step, Milling)]
    for milling in millings:
        if milling.ball_to_powder_ratio is not None:
            found.said.append(("Ball-to-powder ratio", number(milling.ball_to_powder_ratio, 4)))
    milled = total_min([milling.duration_min for milling in millings])
    if len(millings) > 1 and milled is not None:
        found.said.append(("Milling, together", duration_min(milled)))
    for sintering in (step for step in steps if isinstance(step, Sintering)):
        minutes = programme_min(list(sintering.segments.all()))
        said = "not known: a ramp or hold is not stated" if minutes is None else duration_min(minutes)
        found.said.append(("Programme", said if minutes is None else f"{said} from {with_unit(25, '°C')}"))


def _range(values: tuple[float, float], digits: int) -> str:
    low, high = (number(value, digits) for value in values)
    return low if low == high else f"{low} to {high}"

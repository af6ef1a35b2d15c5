"""Halide perovskites ABX3 with one halide or two, and mixed-linker frameworks: what a formula lets expect.

The ratio of two halides is often not stated, as in CsPb(Cl,Br)3: then y is None and what follows from it is a
range. Pure: no Django. Numbers that no formula gives are refused with `StoichiometryError`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from samples.stoichiometry import (
    FormulaError,
    StoichiometryError,
    composition,
    linker_feed_fraction,
    molar_mass_g_per_mol,
    off_stoichiometric,
    typed_text,
)
from samples.stoichiometry.weighing import AVOGADRO_PER_MOL

# Effective ionic radii in Å of R. D. Shannon, Acta Cryst. A 32 (1976) 751, 10.1107/S0567739476001551: A in
# twelvefold, B and X in sixfold coordination. Sn2+ and molecular cations are not in that table.
A_RADIUS_ANGSTROM = {"K": 1.64, "Rb": 1.72, "Cs": 1.88}
B_RADIUS_ANGSTROM = {"Ge": 0.73, "Sr": 1.18, "Pb": 1.19}
X_RADIUS_ANGSTROM = {"F": 1.33, "Cl": 1.81, "Br": 1.96, "I": 2.20}

# Where halide perovskites were found: C. Li et al., Acta Cryst. B 64 (2008) 702, 10.1107/S0108768108032734.
TOLERANCE_FACTORS = (0.81, 1.11)
OCTAHEDRAL_FACTORS = (0.44, 0.90)

HALIDES_PER_FORMULA = 3.0
SUM_TOLERANCE = 0.015
_LONGEST = 60
_ALTERNATIVES = re.compile(
    r"(?P<a>[A-Z][a-z]?)(?P<b>[A-Z][a-z]?)\("
    r"(?P<first>F|Cl|Br|I)(?:1-[xy])?,?(?P<second>F|Cl|Br|I)[xy]?\)3"
)

Range = tuple[float, float]


@dataclass(frozen=True)
class HalidePerovskite:
    """A B (X1-y X'y)3. `second` is None for one halide; `y` is None where the ratio is not stated."""

    a: str
    b: str
    first: str
    second: str | None = None
    y: float | None = 0.0

    @property
    def end_members(self) -> tuple[str, ...]:
        """Formulas of the pure ends, in the order of the halides."""
        halides = (self.first,) if self.second is None else (self.first, self.second)
        return tuple(f"{self.a}{self.b}{halide}3" for halide in halides)

    @property
    def formula(self) -> str:
        if self.second is None:
            return self.end_members[0]
        if self.y is None:
            return f"{self.a}{self.b}({self.first},{self.second})3"
        return f"{self.a}{self.b}({self.first}{1 - self.y:.4g}{self.second}{self.y:.4g})3"


def read(formula: str) -> HalidePerovskite | None:
    """The halide perovskite that a formula names: CsPbI3, CsPb(I0.67Br0.33)3, CsPb(Cl,Br)3, CsPb(Br1-yIy)3.

    None for anything else, also for halides that do not add up to three (see `warnings`).
    """
    counted = _counted(formula)
    if counted is None:
        return _with_unknown_ratio(formula)
    a, b, halides = counted
    total = sum(halides.values())
    if abs(total - HALIDES_PER_FORMULA) > SUM_TOLERANCE or len(halides) > 2:
        return None
    first, *rest = halides
    if not rest:
        return HalidePerovskite(a, b, first)
    return HalidePerovskite(a, b, first, rest[0], halides[rest[0]] / total)


def tolerance_factor(perovskite: HalidePerovskite) -> Range:
    """Goldschmidt's t = (r_A + r_X) / √2 (r_B + r_X), with r_X the average of the halides; lowest, highest.

    Both are equal where the ratio of the halides is stated.
    V. M. Goldschmidt, Naturwissenschaften 14 (1926) 477.
    """
    r_a, r_b = _radius(perovskite.a, A_RADIUS_ANGSTROM), _radius(perovskite.b, B_RADIUS_ANGSTROM)
    return _ordered((r_a + r_x) / (sqrt(2) * (r_b + r_x)) for r_x in _halide_radii(perovskite))


def octahedral_factor(perovskite: HalidePerovskite) -> Range:
    """μ = r_B / r_X; lowest and highest, equal where the ratio of the halides is stated."""
    r_b = _radius(perovskite.b, B_RADIUS_ANGSTROM)
    return _ordered(r_b / r_x for r_x in _halide_radii(perovskite))


def pseudo_cubic_a_angstrom(formula: str, density_g_per_cm3: float) -> float:
    """Edge of a cube that holds one formula unit: (M / N_A ρ)^⅓.

    CsPbI3 with the 5.019 g/cm³ of its γ cell gives 6.20 Å.
    """
    if not 0.01 <= density_g_per_cm3 <= 100:
        raise StoichiometryError(
            f"A density of {density_g_per_cm3:g} g/cm³ is no solid's; check it and its unit."
        )
    volume_cm3 = molar_mass_g_per_mol(formula) / (AVOGADRO_PER_MOL * density_g_per_cm3)
    return float((volume_cm3 * 1e24) ** (1 / 3))


def vegard_a_angstrom(perovskite: HalidePerovskite, ends_angstrom: Mapping[str, float]) -> Range:
    """Lattice parameter on the straight line between the pure ends; lowest and highest.

    ends_angstrom : {formula of an end member: its pseudo-cubic a}, both of the same phase
    An estimate: alloys of iodide and bromide bow away from the line by some hundredths of an Å.
    L. Vegard, Z. Phys. 5 (1921) 17.
    """
    missing = [end for end in perovskite.end_members if end not in ends_angstrom]
    if missing:
        raise StoichiometryError(
            f"Vegard's line needs the lattice of {' and '.join(missing)}; enter the density of that material."
        )
    ends = [ends_angstrom[end] for end in perovskite.end_members]
    if not all(1 < a < 100 for a in ends):
        raise StoichiometryError("A pseudo-cubic lattice parameter lies between 1 and 100 Å.")
    if perovskite.second is None or perovskite.y is None:
        return _ordered(ends)
    return _ordered([ends[0] + perovskite.y * (ends[1] - ends[0])])


def warnings(formula: str, x_feed: float | None = None, x_product: float | None = None) -> list[str]:
    """What a material's page should say about its formula and its linkers; nothing for a plain substance.

    x_feed, x_product : x in Zn(Im)2-x(bIm)x as weighed in and as found, 0 to 2; None where not known
    """
    said = _halide_warnings(formula)
    if x_feed is not None and x_product is not None:
        sentence = off_stoichiometric(x_feed / 2, x_product)
        said += [sentence] if sentence else []
    return said


def linker_x_of_feed(masses: Mapping[str, float]) -> float | None:
    """x in Zn(Im)2-x(bIm)x that a feed of {formula: mass} would give if all of it were taken up.

    Masses in any one unit. None unless both imidazole C3H4N2 and benzimidazole C7H6N2 are among them.
    """
    found = {linker: _mass_of(linker, masses) for linker in ("C3H4N2", "C7H6N2")}
    imidazole, benzimidazole = found["C3H4N2"], found["C7H6N2"]
    if not imidazole or not benzimidazole:
        return None
    return 2 * linker_feed_fraction(imidazole, benzimidazole)


def _mass_of(formula: str, masses: Mapping[str, float]) -> float:
    wanted = composition(formula)
    return sum(mass for written, mass in masses.items() if _same(written, wanted))


def _same(formula: str, wanted: Mapping[str, float]) -> bool:
    try:
        return composition(formula) == wanted
    except FormulaError:
        return False


def _counted(formula: str) -> tuple[str, str, dict[str, float]] | None:
    """A, B and the halides with their amounts, for a formula that states them all; halides in its order."""
    try:
        plain, atoms = _plain(formula), composition(formula)
    except FormulaError:
        return None
    halides = {x: count for x, count in atoms.items() if x in X_RADIUS_ANGSTROM}
    others = {element: count for element, count in atoms.items() if element not in halides}
    if len(others) != 2 or not halides or any(abs(count - 1) > 1e-6 for count in others.values()):
        return None
    a, b = others
    if a not in A_RADIUS_ANGSTROM and b in A_RADIUS_ANGSTROM:
        return None
    order = sorted(halides, key=plain.find)
    return a, b, {halide: halides[halide] for halide in order}


def _with_unknown_ratio(formula: str) -> HalidePerovskite | None:
    try:
        found = _ALTERNATIVES.fullmatch(_plain(formula))
    except FormulaError:
        return None
    if found is None or found["first"] == found["second"]:
        return None
    return HalidePerovskite(found["a"], found["b"], found["first"], found["second"], None)


def _plain(formula: str) -> str:
    """Without phase and spaces; a minus below the line, as in Br₁₋y, is a minus."""
    return re.sub(r"^[αβγδ]-", "", typed_text(formula, _LONGEST).replace("−", "-")).replace(" ", "")


def _halide_warnings(formula: str) -> list[str]:
    counted = _counted(formula)
    if counted is not None and counted[0] in A_RADIUS_ANGSTROM and len(counted[2]) > 1:
        total = sum(counted[2].values())
        if abs(total - HALIDES_PER_FORMULA) > SUM_TOLERANCE:
            return [f"The halides of {formula} add up to {total:.4g}, not to 3; check the subscripts."]
    perovskite = read(formula)
    if perovskite is None or perovskite.a not in A_RADIUS_ANGSTROM:
        return []
    said = []
    if perovskite.second is not None and perovskite.y is None:
        said.append(
            f"The ratio of {perovskite.first} to {perovskite.second} is not stated, so there is no "
            "molar mass, and lattice and tolerance factor are ranges."
        )
    if perovskite.b in B_RADIUS_ANGSTROM:
        t, mu = tolerance_factor(perovskite), octahedral_factor(perovskite)
        if not (_inside(t, TOLERANCE_FACTORS) and _inside(mu, OCTAHEDRAL_FACTORS)):
            said.append(
                f"Tolerance factor {t[0]:.3f} and octahedral factor {mu[0]:.3f} lie outside those of known "
                "halide perovskites; another structure is likely."
            )
    return said


def _inside(found: Range, known: Range) -> bool:
    return known[0] <= found[0] and found[1] <= known[1]


def _halide_radii(perovskite: HalidePerovskite) -> list[float]:
    first = _radius(perovskite.first, X_RADIUS_ANGSTROM)
    if perovskite.second is None:
        return [first]
    second = _radius(perovskite.second, X_RADIUS_ANGSTROM)
    return [first, second] if perovskite.y is None else [first + perovskite.y * (second - first)]


def _radius(ion: str, radii: Mapping[str, float]) -> float:
    if ion not in radii:
        raise StoichiometryError(
            f"Shannon's table has no radius of {ion} for this place; known are {', '.join(radii)}."
        )
    return radii[ion]


def _ordered(values: Iterable[float]) -> Range:
    found = sorted(values)
    return found[0], found[-1]

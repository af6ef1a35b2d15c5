"""Formulas, molar masses and the arithmetic of weighing.

Pure: no Django, no NumPy. Everything raises `StoichiometryError`, of which `FormulaError` is one kind, with a
sentence for the person who typed the formula or the mass; nothing else escapes, whatever the text.
"""

from samples.stoichiometry.formula import (
    ATOMIC_WEIGHT_G_PER_MOL,
    FormulaError,
    StoichiometryError,
    composition,
    element_mass_fractions,
    molar_mass_g_per_mol,
    typed_text,
)
from samples.stoichiometry.weighing import (
    FRACTION_SUM_TOLERANCE,
    Batch,
    ball_to_powder_ratio,
    batch,
    crystal_density_g_per_cm3,
    element_mg_per_g,
    linker_feed_fraction,
    linker_fraction,
    mass_to_mole_fractions,
    mass_to_volume_fractions,
    masses_for,
    mixed_linker_formula,
    mole_ratio,
    mole_to_mass_fractions,
    off_stoichiometric,
    volume_to_mass_fractions,
)

__all__ = [
    "ATOMIC_WEIGHT_G_PER_MOL",
    "FRACTION_SUM_TOLERANCE",
    "Batch",
    "FormulaError",
    "StoichiometryError",
    "ball_to_powder_ratio",
    "batch",
    "composition",
    "crystal_density_g_per_cm3",
    "element_mass_fractions",
    "element_mg_per_g",
    "linker_feed_fraction",
    "linker_fraction",
    "mass_to_mole_fractions",
    "mass_to_volume_fractions",
    "masses_for",
    "mixed_linker_formula",
    "molar_mass_g_per_mol",
    "mole_ratio",
    "mole_to_mass_fractions",
    "off_stoichiometric",
    "typed_text",
    "volume_to_mass_fractions",
]

"""Changes that span rows."""

from samples.services import performing, stock
from samples.services.codes import new_code
from samples.services.deriving import FACTOR_COLUMNS, derive_factors, rederive
from samples.services.planning import plan_composite
from samples.services.projects import create_project
from samples.services.recipes import (
    change_recipe,
    check_components,
    mass_fractions,
    next_version,
    prepare,
    save_recipe,
)

__all__ = [
    "FACTOR_COLUMNS",
    "change_recipe",
    "check_components",
    "create_project",
    "derive_factors",
    "mass_fractions",
    "new_code",
    "next_version",
    "performing",
    "plan_composite",
    "prepare",
    "rederive",
    "save_recipe",
    "stock",
]

"""Changes that span rows."""

from samples.services.codes import new_code
from samples.services.deriving import FACTOR_COLUMNS, derive_factors, rederive
from samples.services.planning import check_components, next_version, plan_composite
from samples.services.projects import create_project

__all__ = [
    "FACTOR_COLUMNS",
    "check_components",
    "create_project",
    "derive_factors",
    "new_code",
    "next_version",
    "plan_composite",
    "rederive",
]

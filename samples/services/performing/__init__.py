"""A recipe is carried out: what was really weighed, milled, fired and quenched, step by step.

A performed step is a row of its own that points at the planned one; both are kept, and the process factors
take the performed value where it is known. Corrections and undone records say why.
"""

from samples.services.performing.dividing import Part, Portion, pool, split
from samples.services.performing.finishing import finish, yield_limit_g
from samples.services.performing.sheet import Deviation, Place, deviations, place, sheet
from samples.services.performing.steps import add_step, perform, undo
from samples.services.performing.weighing import candidates, hidden_sources, take_back, weigh

__all__ = [
    "Deviation",
    "Part",
    "Place",
    "Portion",
    "add_step",
    "candidates",
    "deviations",
    "finish",
    "hidden_sources",
    "perform",
    "place",
    "pool",
    "sheet",
    "split",
    "take_back",
    "undo",
    "weigh",
    "yield_limit_g",
]

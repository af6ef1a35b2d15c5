"""How samples were made, or are to be made, told for a page. No request comes in here."""

from frontend.history.plans import StartingPlan, fits_the_plan, plan_of, recipe_programme, recipe_steps
from frontend.history.programmes import ProgrammeTold, programme
from frontend.history.relatives import Relative, Relatives, relatives
from frontend.history.steps import Chapter, Fact, StepTold, Weighed, chapters

__all__ = [
    "Chapter",
    "Fact",
    "ProgrammeTold",
    "Relative",
    "Relatives",
    "StartingPlan",
    "StepTold",
    "Weighed",
    "chapters",
    "fits_the_plan",
    "plan_of",
    "programme",
    "recipe_programme",
    "recipe_steps",
    "relatives",
]

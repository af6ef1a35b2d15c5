"""Recipes in words and drawings, and as the beginning of the next plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from frontend.history.programmes import drawn
from frontend.history.steps import StepTold, told
from samples.models import Milling, Quench, Recipe, Sintering


@dataclass(frozen=True)
class StartingPlan:
    """What the plan form begins with."""

    fields: dict[str, Any] = field(default_factory=dict)
    components: list[dict[str, Any]] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)


def plan_of(recipe: Recipe | None, fallback: Recipe | None = None) -> StartingPlan:
    """A recipe as the plan form's beginning; `fallback` gives its steps when nothing is to be repeated."""
    source = recipe or fallback
    if source is None:
        return StartingPlan({"mill": True, "sinter": True})
    fields: dict[str, Any] = {"name": source.name if recipe else "", "mill": False, "sinter": False}
    segments: list[dict[str, Any]] = []
    for step in _recipe_steps(source):
        if isinstance(step, Milling):
            names = ("rpm", "duration_min", "ball_mass_g", "ball_material")
            fields |= {"mill": True, **{name: _typed(getattr(step, name)) for name in names}}
        elif isinstance(step, Sintering):
            fields |= {"sinter": True, "equipment": step.equipment}
            columns = ("target_c", "ramp_c_per_min", "hold_min", "gas", "flow_ml_min")
            segments += [{name: _typed(getattr(s, name)) for name in columns} for s in step.segments.all()]
        elif isinstance(step, Quench):
            fields |= {
                "quench": step.medium,
                "delay_s": _typed(step.delay_s),
                "rate_c_per_min": _typed(step.rate_c_per_min),
                "quench_gas": step.gas,
            }
    components = [
        {"material": c.material_id, "percent": _typed(100 * c.mass_fraction)} for c in source.components.all()
    ]
    return StartingPlan(fields, components, segments)


def fits_the_plan(recipe: Recipe) -> bool:
    """Whether the plan form can hold it: weigh by mass, mill, sinter, quench, each at most once."""
    kinds = [type(step) for step in _recipe_steps(recipe)]
    in_order = [kind for kind in (Milling, Sintering, Quench) if kind in kinds]
    components = list(recipe.components.all())
    return kinds == in_order and bool(components) and all(c.basis == "mass" for c in components)


def recipe_steps(recipe: Recipe) -> list[StepTold]:
    return [told(step) for step in _recipe_steps(recipe)]


def recipe_programme(recipe: Recipe) -> str:
    """The planned programme as SVG, "" for a recipe that sinters nothing."""
    steps = _recipe_steps(recipe)
    sintering = next((s for s in steps if isinstance(s, Sintering)), None)
    quench = next((s for s in steps if isinstance(s, Quench)), None)
    return drawn(sintering.segments.all(), quench) if sintering else ""


def _recipe_steps(recipe: Recipe) -> list[Any]:
    kinds = (recipe.milling_steps, recipe.sintering_steps, recipe.quench_steps, recipe.otherstep_steps)
    return sorted((step for kind in kinds for step in kind.all()), key=lambda step: step.order)


def _typed(value: Any) -> Any:
    """A number as a person would type it into a field."""
    return f"{value:.10g}" if isinstance(value, float) else value

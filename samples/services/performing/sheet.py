"""The run sheet of a preparation: each planned step beside what was recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from samples.models import Ingredient, Preparation
from samples.models.steps import STEP_MODELS
from samples.step_kinds import KINDS, SEGMENT_FIELDS, StepField, StepKind, kind_of

MODELS = {model._meta.model_name: model for model in STEP_MODELS}


@dataclass(frozen=True)
class Place:
    """One line of the run sheet. At least one of planned and performed is there."""

    planned: Any
    performed: Any

    @property
    def step(self) -> Any:
        return self.performed or self.planned

    @property
    def key(self) -> str:
        """`sintering-2`: the table and the place in it; the same before and after it is done."""
        return f"{self.step._meta.model_name}-{self.step.order}"

    @property
    def kind(self) -> StepKind:
        return kind_of(self.step)

    @property
    def fields(self) -> tuple[StepField, ...]:
        """What the sheet asks for: what such a step usually says, and whatever the plan says beyond it."""
        usual = self.kind.fields
        if self.step._meta.model_name != "otherstep" or self.planned is None:
            return usual
        names = {field.name for field in usual}
        more = [f for f in KINDS["other"].fields if f.name not in names and _said(self.planned, f.name)]
        return (*usual, *more)


@dataclass(frozen=True)
class Deviation:
    """How what was done differs from the plan. `difference` is None where it is no number.

    significant : more than twice the balance's sigma; true where no sigma is known
    """

    label: str
    planned: Any
    actual: Any
    unit: str
    difference: float | None
    significant: bool = True


def sheet(preparation: Preparation) -> list[Place]:
    """Planned steps and those done without a plan, in order. Prefetch the steps to save queries."""
    planned = _steps_of(preparation.recipe) if preparation.recipe else []
    performed = _steps_of(preparation)
    by_plan = {(type(step), step.planned_id): step for step in performed if step.planned_id is not None}
    places = [Place(step, by_plan.get((type(step), step.pk))) for step in planned]
    paired = {(type(p.performed), p.performed.pk) for p in places if p.performed is not None}
    places += [Place(None, step) for step in performed if (type(step), step.pk) not in paired]
    return sorted(places, key=lambda place: place.step.order)


def place(preparation: Preparation, key: str) -> Place:
    """The line with that key, or a ValidationError that says which there are."""
    places = sheet(preparation)
    found = next((line for line in places if line.key == key), None)
    if found is None:
        known = ", ".join(line.key for line in places) or "none"
        raise ValidationError(f"This preparation has no step “{key[:40]}”; its steps are: {known}.")
    return found


def deviations(line: Place | Ingredient) -> list[Deviation]:
    """Whatever is known of both and differs."""
    if isinstance(line, Ingredient):
        return _of_a_weigh_out(line)
    if line.planned is None or line.performed is None:
        return []
    fields = KINDS["other"].fields if line.step._meta.model_name == "otherstep" else line.fields
    found = _between(line.planned, line.performed, fields, "")
    if line.kind.has_segments:
        planned, performed = list(line.planned.segments.all()), list(line.performed.segments.all())
        for number, (before, after) in enumerate(zip(planned, performed, strict=False), start=1):
            found += _between(before, after, SEGMENT_FIELDS, f"segment {number}, ")
        if performed and len(performed) != len(planned):
            difference = float(len(performed) - len(planned))
            found.append(Deviation("Segments", len(planned), len(performed), "", difference))
    return found


def _of_a_weigh_out(row: Ingredient) -> list[Deviation]:
    if row.mass_g is None or row.planned_mass_g is None:
        return []
    difference = row.mass_g - row.planned_mass_g
    if abs(difference) < 1e-9:
        return []
    significant = row.mass_sigma_g is None or abs(difference) > 2 * row.mass_sigma_g
    return [Deviation("Mass", row.planned_mass_g, row.mass_g, "g", difference, significant)]


def _between(before: Any, after: Any, fields: Sequence[StepField], where: str) -> list[Deviation]:
    found = []
    for field in fields:
        planned, actual = getattr(before, field.name), getattr(after, field.name)
        if planned in (None, "") or actual in (None, "") or planned == actual:
            continue
        label = f"{where}{field.label.lower()}"
        numeric = field.reads in ("number", "count")
        words = dict(field.choices)
        found.append(
            Deviation(
                label=label[:1].upper() + label[1:],
                planned=words.get(planned, planned),
                actual=words.get(actual, actual),
                unit=field.unit,
                difference=actual - planned if numeric else None,
            )
        )
    return found


def _said(step: Any, name: str) -> bool:
    return getattr(step, name) not in (None, "")


def _steps_of(owner: Any) -> list[Any]:
    kinds = (owner.milling_steps, owner.sintering_steps, owner.quench_steps, owner.otherstep_steps)
    return sorted((step for kind in kinds for step in kind.all()), key=lambda step: step.order)

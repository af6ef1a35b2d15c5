"""The recipe editor's fields: read from what was posted, and written again as they were typed.

Names tell the place: `component-0-percent`, `step-2-rpm`, `step-2-segment-0-target_c`. Which fields a step
has is declared in `samples.step_kinds`; what they may hold is checked by `samples.services.recipes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from frontend.forms.base import Form
from samples.models import Component, Material, Recipe
from samples.services.recipe_steps import MOST_SEGMENTS, MOST_STEPS
from samples.services.recipes import MOST_COMPONENTS
from samples.step_kinds import KINDS, SEGMENT_FIELDS, StepField, StepKind

COMPONENT = re.compile(r"component-(\d{1,4})-(material|percent)")
STEP = re.compile(r"step-(\d{1,4})-([a-z_]+)")
SEGMENT = re.compile(r"step-(\d{1,4})-segment-(\d{1,4})-([a-z_]+)")
Raw = dict[str, str]


class RecipeForm(Form):
    name = forms.CharField(
        label="Name", max_length=160, help_text="The same name again makes the next version."
    )
    basis = forms.ChoiceField(label="Fractions by", choices=Component.Basis.choices, initial="mass")
    notes = forms.CharField(label="Notes", required=False, widget=forms.Textarea(attrs={"rows": 2}))


@dataclass(frozen=True)
class Cell:
    """One field of a step or segment with what stands in it."""

    field: StepField
    name: str
    value: str

    @property
    def id(self) -> str:
        return f"id_{self.name}"


@dataclass(frozen=True)
class SegmentRow:
    cells: list[Cell]


@dataclass(frozen=True)
class StepRow:
    kind: StepKind
    prefix: str
    cells: list[Cell]
    notes: str
    segments: list[SegmentRow] = field(default_factory=list)


@dataclass(frozen=True)
class ComponentRow:
    prefix: str
    material: str
    percent: str


@dataclass
class Written:
    """A recipe as typed: text in every place, so that nothing is lost when it is refused."""

    components: list[Raw] = field(default_factory=list)
    steps: list[tuple[Raw, list[Raw]]] = field(default_factory=list)

    def component_rows(self) -> list[ComponentRow]:
        return [
            ComponentRow(f"component-{place}", row.get("material", ""), row.get("percent", ""))
            for place, row in enumerate(self.components)
        ]

    def step_rows(self) -> list[StepRow]:
        return [step_row(f"step-{place}", *step) for place, step in enumerate(self.steps)]

    def shares(self, materials: QuerySet[Material]) -> list[tuple[Material, float]]:
        """Raises ValidationError with a sentence."""
        known = {str(material.pk): material for material in materials}
        shares = []
        for place, row in enumerate(self.components, start=1):
            material, percent = row.get("material", ""), row.get("percent", "")
            if not material and not percent:
                continue
            if material not in known:
                raise ValidationError(f"Component {place}: choose its material, or clear its fraction.")
            if not percent:
                raise ValidationError(f"Component {place}: say how much {known[material]}, in %.")
            shares.append((known[material], number(percent, f"Component {place}: the fraction") / 100))
        return shares

    def said(self) -> list[dict[str, Any]]:
        """The steps as `save_recipe` takes them. Raises ValidationError with a sentence."""
        return [self._said(place, *step) for place, step in enumerate(self.steps, start=1)]

    def _said(self, place: int, raw: Raw, segments: list[Raw]) -> dict[str, Any]:
        kind = KINDS.get(raw.get("kind", ""))
        if kind is None:
            raise ValidationError(f"Step {place} has no kind that is known here; remove it.")
        where = f"Step {place}, {kind.word.lower()}"
        step = {"kind": kind.key, **_values(raw, kind.fields, where)}
        if raw.get("notes"):
            step["notes"] = raw["notes"]
        if kind.has_segments:
            step["segments"] = [
                _values(segment, SEGMENT_FIELDS, f"{where}, segment {order}")
                for order, segment in enumerate(segments, start=1)
                if any(segment.values())
            ]
        return step


def posted(data: Mapping[str, Any]) -> Written:
    """What a browser sent, in the order of its numbers; anything else in it is not looked at."""
    components: dict[int, Raw] = {}
    steps: dict[int, Raw] = {}
    segments: dict[int, dict[int, Raw]] = {}
    for name, value in data.items():
        text = str(value).strip()
        if found := COMPONENT.fullmatch(name):
            components.setdefault(int(found[1]), {})[found[2]] = text
        elif found := SEGMENT.fullmatch(name):
            segments.setdefault(int(found[1]), {}).setdefault(int(found[2]), {})[found[3]] = text
        elif found := STEP.fullmatch(name):
            steps.setdefault(int(found[1]), {})[found[2]] = text
    if len(components) > MOST_COMPONENTS or len(steps) > MOST_STEPS:
        raise ValidationError(
            f"A recipe has at most {MOST_COMPONENTS} components and {MOST_STEPS} steps; divide it."
        )
    if any(len(rows) > MOST_SEGMENTS for rows in segments.values()):
        raise ValidationError(f"A programme has at most {MOST_SEGMENTS} segments; divide it over two steps.")
    return Written(
        [components[place] for place in sorted(components)],
        [
            (steps[place], [segments[place][n] for n in sorted(segments.get(place, {}))])
            for place in sorted(steps)
        ],
    )


def written(recipe: Recipe, steps: Iterable[Mapping[str, Any]]) -> Written:
    """A stored recipe as the beginning of the next one."""
    components = [
        {
            "material": str(row.material_id),
            "percent": typed(
                100 * (row.mass_fraction if row.stated_fraction is None else row.stated_fraction)
            ),
        }
        for row in recipe.components.all()
    ]
    return Written(
        components,
        [
            (
                {name: typed(value) for name, value in step.items() if name != "segments"},
                [{n: typed(v) for n, v in segment.items()} for segment in step.get("segments", ())],
            )
            for step in steps
        ],
    )


def step_row(prefix: str, raw: Raw, segments: list[Raw]) -> StepRow:
    kind = KINDS.get(raw.get("kind", ""), KINDS["other"])
    return StepRow(
        kind,
        prefix,
        _cells(kind.fields, prefix, raw),
        raw.get("notes", ""),
        [segment_row(f"{prefix}-segment-{n}", segment) for n, segment in enumerate(segments)]
        if kind.has_segments
        else [],
    )


def segment_row(prefix: str, raw: Raw) -> SegmentRow:
    return SegmentRow(_cells(SEGMENT_FIELDS, prefix, raw))


def blank_steps() -> list[StepRow]:
    """One empty step of each kind, for the page to copy; their numbers are written when they are placed."""
    return [
        step_row("step-__step__", {"kind": key}, [{}] if kind.has_segments else [])
        for key, kind in KINDS.items()
    ]


def typed(value: Any) -> str:
    """A value as a person would type it into a field."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def number(text: str, what: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ValidationError(f"{what} must be a number, not “{text[:30]}”.") from None


def _cells(fields: Iterable[StepField], prefix: str, raw: Raw) -> list[Cell]:
    return [Cell(field, f"{prefix}-{field.name}", raw.get(field.name, "")) for field in fields]


def _values(raw: Raw, fields: Iterable[StepField], where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for known in fields:
        text = raw.get(known.name, "")
        if not text:
            continue
        if known.reads in ("number", "count"):
            values[known.name] = number(text, f"{where}: the {known.label.lower()}")
        else:
            values[known.name] = text
    return values

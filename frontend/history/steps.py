"""Steps in words: each fact as run, its set point beside it where that differs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from frontend.formatting import duration_min, mass, percent, with_unit
from samples.ancestry import Lineage, steps_of
from samples.models import FurnaceSegment, Milling, OtherStep, Preparation, Quench, Sample, Sintering
from samples.notation import formula_unicode

# Per kind of step: (field, how it is said). What is not recorded is not said, except where it decides.
SAID: dict[type, tuple[tuple[str, Any], ...]] = {
    Milling: (
        ("duration_min", duration_min),
        ("rpm", lambda v: with_unit(v, "rpm")),
        ("cycles", lambda v: f"{v} cycles"),
        ("ball_mass_g", lambda v: f"balls {with_unit(v, 'g')}"),
        ("powder_mass_g", lambda v: f"powder {with_unit(v, 'g')}"),
        ("ball_diameter_mm", lambda v: f"Ø {with_unit(v, 'mm')}"),
        ("ball_material", formula_unicode),
        ("mill", str),
        ("jar", str),
    ),
    Sintering: (("equipment", str),),
    Quench: (
        ("delay_s", lambda v: f"after {with_unit(v, 's')}"),
        ("rate_c_per_min", lambda v: with_unit(v, "°C/min")),
        ("gas", lambda v: f"under {v}"),
    ),
    OtherStep: (
        ("temperature_c", lambda v: with_unit(v, "°C")),
        ("duration_min", duration_min),
        ("solvent", lambda v: f"in {v}"),
        ("volume_ml", lambda v: with_unit(v, "mL")),
        ("pressure_mpa", lambda v: with_unit(v, "MPa")),
        ("cycles", lambda v: f"{v} times"),
        ("gas", lambda v: f"under {v}"),
        ("equipment", str),
    ),
}


@dataclass(frozen=True)
class Fact:
    """One thing said about a step. `set_point`: planned otherwise; `only_planned`: not recorded as run."""

    text: str
    set_point: str = ""
    only_planned: bool = False
    inferred: bool = False


@dataclass(frozen=True)
class StepTold:
    word: str
    facts: list[Fact]
    planned: bool
    performed_at: Any = None
    notes: str = ""


@dataclass(frozen=True)
class Weighed:
    """An ingredient: from a sample that may be seen, from one that may not, or of a material."""

    amount: str
    planned_share: str = ""
    sample: Sample | None = None
    material_name: str = ""
    formula: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Chapter:
    """One preparation and what came out of it."""

    sample: Sample
    preparation: Preparation
    weighed: list[Weighed]
    steps: list[StepTold]
    masses_missing: bool
    is_own: bool


def chapters(family: Lineage, visible: Collection[int]) -> list[Chapter]:
    """Parents first; `visible` holds the keys of the samples that the reader may see. A preparation that
    yielded several samples is told once, for the one on the way here."""
    members = {sample.pk: sample for sample in [*family.ancestors, family.sample]}
    found = []
    for sample in members.values():
        if sample.preparation is None or sample.pk not in visible:
            continue
        weighed = _weighed(sample.preparation, members, visible)
        found.append(
            Chapter(
                sample=sample,
                preparation=sample.preparation,
                weighed=weighed,
                steps=[told(step) for step in steps_of(sample.preparation)],
                masses_missing=any(i.mass_g is None for i in sample.preparation.ingredients.all()),
                is_own=sample.pk == family.sample.pk,
            )
        )
    return found


def _weighed(preparation: Preparation, members: dict[int, Sample], visible: Collection[int]) -> list[Weighed]:
    components = preparation.recipe.components.all() if preparation.recipe else []
    shares = {component.material_id: percent(component.mass_fraction, 4) for component in components}
    rows = []
    for ingredient in preparation.ingredients.all():
        amount = mass(ingredient.mass_g)
        if ingredient.material is not None:
            material = ingredient.material
            share = shares.get(material.pk, "")
            rows.append(Weighed(amount, share, material_name=material.name, formula=material.formula))
            continue
        parent = members.get(ingredient.sample_id or 0)
        if parent is None or parent.pk not in visible:
            rows.append(Weighed(amount, hidden=True))
        else:
            rows.append(Weighed(amount, shares.get(parent.material_id or 0, ""), sample=parent))
    return rows


def told(step: Any) -> StepTold:
    words = {Milling: "Mill", Sintering: "Sinter", Quench: "Quench", OtherStep: "Step"}
    word = words[type(step)]
    facts = [fact for name, say in SAID[type(step)] if (fact := _fact(step, name, say))]
    if isinstance(step, OtherStep):
        word = step.get_kind_display()
    elif isinstance(step, Quench):
        facts.insert(0, Fact(step.get_medium_display().lower(), inferred="medium" in step.inferred))
    elif isinstance(step, Sintering):
        facts = [_peak(step), *facts]
    return StepTold(word, facts, step.recipe_id is not None, step.performed_at, step.notes)


def _fact(step: Any, name: str, say: Any) -> Fact | None:
    """As run where that is known; the set point beside it where it differs, or alone where it is all."""
    value = getattr(step, name)
    planned = getattr(step.planned, name) if step.planned_id else None
    inferred = name in step.inferred
    if value in (None, ""):
        return Fact(say(planned), only_planned=True) if planned not in (None, "") else None
    differs = planned not in (None, "") and planned != value
    return Fact(say(value), set_point=say(planned) if differs else "", inferred=inferred)


def _peak(step: Sintering) -> Fact:
    segments = segments_of(step)
    if not segments:
        return Fact("temperature not recorded")
    hottest = max(segments, key=lambda segment: segment.target_c)
    planned = max((s.target_c for s in planned_segments(step)), default=None)
    text = with_unit(hottest.target_c, "°C")
    if hottest.hold_min:
        text += f" for {duration_min(hottest.hold_min)}"
    differs = planned is not None and planned != hottest.target_c
    return Fact(text, set_point=with_unit(planned, "°C") if differs else "")


def planned_segments(step: Sintering) -> list[FurnaceSegment]:
    return list(step.planned.segments.all()) if step.planned else []


def segments_of(step: Sintering) -> list[FurnaceSegment]:
    return list(step.segments.all()) or planned_segments(step)

"""Steps of a recipe from what a person, a page or a script wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError

from samples.models import OtherStep, Recipe, Sintering
from samples.step_kinds import KINDS, SEGMENT_FIELDS, SEGMENT_MODEL, StepField, StepKind

MOST_STEPS = 60
MOST_SEGMENTS = 100


def add_steps(recipe: Recipe, steps: Sequence[Mapping[str, Any]]) -> None:
    """Saves the steps in their order. Raises ValidationError with a sentence that names step and field."""
    if len(steps) > MOST_STEPS:
        raise ValidationError(
            f"{len(steps)} steps are too many for one recipe; the most is {MOST_STEPS}. "
            "Write what repeats as cycles, or divide the recipe."
        )
    for place, step in enumerate(steps, start=1):
        _add_step(recipe, place, step)


def _add_step(recipe: Recipe, place: int, written: Mapping[str, Any]) -> None:
    if not isinstance(written, Mapping):
        raise ValidationError(f"Step {place} must be an object with a kind, such as milling.")
    said = dict(written)
    kind = KINDS.get(str(said.pop("kind", "")))
    if kind is None:
        raise ValidationError(
            f"Step {place} has no kind that is known here; choose one of {', '.join(KINDS)}."
        )
    where = f"Step {place}, {kind.word.lower()}"
    segments = said.pop("segments", None)
    step = kind.model(recipe=recipe, order=place, **_values(said, where, kind))
    if kind.model is OtherStep:
        step.kind = kind.key
    save_checked(step, where)
    if kind.has_segments:
        _add_segments(step, where, segments or [])
    elif segments:
        raise ValidationError(f"{where}: only a sintering has segments; leave them out.")


def _add_segments(step: Sintering, where: str, segments: Sequence[Mapping[str, Any]]) -> None:
    if not isinstance(segments, Sequence) or not segments:
        raise ValidationError(f"{where}: a sintering programme needs at least one target temperature.")
    if len(segments) > MOST_SEGMENTS:
        raise ValidationError(
            f"{where}: {len(segments)} segments are too many; no furnace here takes more than "
            f"{MOST_SEGMENTS}. Divide the programme over two steps."
        )
    for order, segment in enumerate(segments, start=1):
        here = f"{where}, segment {order}"
        if not isinstance(segment, Mapping):
            raise ValidationError(f"{here} must be an object with target_c.")
        row = SEGMENT_MODEL(sintering=step, order=order, **checked(segment, here, SEGMENT_FIELDS))
        save_checked(row, here)


def _values(said: dict[str, Any], where: str, kind: StepKind) -> dict[str, Any]:
    fields = KINDS["other"].fields if kind.model is OtherStep else kind.fields
    notes = said.pop("notes", "") or ""
    inferred = said.pop("inferred", None) or []
    known = {field.name for field in fields}
    if not isinstance(inferred, list) or not all(isinstance(n, str) and n in known for n in inferred):
        raise ValidationError(f"{where}: inferred lists names of its own fields, not {str(inferred)[:60]}.")
    return {**checked(said, where, fields), "notes": _text(notes, "notes", where), "inferred": inferred}


def checked(said: Mapping[str, Any], where: str, fields: Sequence[StepField]) -> dict[str, Any]:
    """Each value as its field reads it, or a sentence that names the field and what it may be."""
    known = {field.name: field for field in fields}
    unknown = [str(name)[:40] for name in said if name not in known]
    if unknown:
        raise ValidationError(f"{where} has no “{unknown[0]}”; it may say {', '.join(known)}.")
    values = {name: value for name in known if (value := said.get(name)) not in (None, "")}
    missing = [field.label.lower() for field in fields if field.required and field.name not in values]
    if missing:
        raise ValidationError(f"{where}: give the {missing[0]}.")
    return {name: _read(value, known[name], where) for name, value in values.items()}


def _read(value: Any, field: StepField, where: str) -> Any:
    if field.reads == "text":
        return _text(value, field.label.lower(), where)
    if field.reads == "choice":
        if not isinstance(value, str) or value not in dict(field.choices):
            raise ValidationError(
                f"{where}: the {field.label.lower()} must be one of {', '.join(dict(field.choices))}."
            )
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationError(f"{where}: the {field.label.lower()} must be a number{_in(field)}.")
    too_low = field.low is not None and (value < field.low or (field.above_low and value == field.low))
    too_high = field.high is not None and value > field.high
    if not isfinite(value) or too_low or too_high:
        raise ValidationError(
            f"{where}: the {field.label.lower()} cannot be {value:g}; {_span(field)}, "
            "or left empty when unknown."
        )
    if field.reads == "count" and value != int(value):
        raise ValidationError(f"{where}: the {field.label.lower()} must be a whole number, not {value:g}.")
    return int(value) if field.reads == "count" else float(value)


def _text(value: Any, label: str, where: str) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValidationError(f"{where}: the {label} must be text without hidden characters.")
    return value.strip()


def _in(field: StepField) -> str:
    return f" in {field.unit}" if field.unit else ""


def _span(field: StepField) -> str:
    if field.low is None:
        return f"it must be a number{_in(field)}"
    if field.above_low:
        return f"it must be above {'zero' if field.low == 0 else f'{field.low:g}'}{_in(field)}"
    if field.high is None:
        return f"it must be {field.low:g} or more{_in(field)}"
    return f"it must be {field.low:g} to {field.high:g}{_in(field)}"


def save_checked(row: Any, where: str) -> None:
    """Checked against the constraints first, so that the person reads a sentence, not a database error."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise ValidationError(f"{where}: {' '.join(error.messages)}") from error
    row.save()

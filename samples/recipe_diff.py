"""What differs between two recipes: components and steps added, removed and changed, with units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from samples.ancestry import planned_steps
from samples.models import Component, Recipe
from samples.step_kinds import KINDS, SEGMENT_FIELDS, StepField, as_written

How = Literal["added", "removed", "changed"]
FIELDS: dict[str, StepField] = {
    field.name: field for kind in KINDS.values() for field in (*kind.fields, *SEGMENT_FIELDS)
}


@dataclass(frozen=True)
class Change:
    """`what` is a component, a step or a segment; `field` is empty when all of it came or went.

    before, after : as stored; None where there is nothing, or nothing known.
    """

    how: How
    what: str
    field: str
    label: str
    before: Any
    after: Any
    unit: str = ""


def diff(before: Recipe, after: Recipe) -> list[Change]:
    """From one recipe to another, in the order of reading: notes, components, steps."""
    return [
        *_fields("recipe", {"notes": before.notes or None}, {"notes": after.notes or None}),
        *_components(list(before.components.all()), list(after.components.all())),
        *_steps(
            [as_written(s) for s in planned_steps(before)], [as_written(s) for s in planned_steps(after)]
        ),
    ]


def _components(before: Sequence[Component], after: Sequence[Component]) -> Iterator[Change]:
    old = {component.material_id: component for component in before}
    new = {component.material_id: component for component in after}
    for component in (*before, *(c for c in after if c.material_id not in old)):
        was, now = old.get(component.material_id), new.get(component.material_id)
        what = f"component {component.material}"
        share = ("mass_fraction", "Mass fraction")
        if was is None or now is None:
            how: How = "added" if was is None else "removed"
            yield Change(
                how, what, *share, was.mass_fraction if was else None, now.mass_fraction if now else None, "1"
            )
            continue
        if was.mass_fraction != now.mass_fraction:
            yield Change("changed", what, *share, was.mass_fraction, now.mass_fraction, "1")
        if was.basis != now.basis:
            yield Change("changed", what, "basis", "Basis", was.basis, now.basis)


def _steps(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    for was, now in _paired([(s["kind"], s) for s in before], [(s["kind"], s) for s in after]):
        what = _step_name(before, was) if now is None else _step_name(after, now)
        if was is None or now is None:
            how: How = "added" if was is None else "removed"
            yield Change(how, what, "", "", was and _summary(was), now and _summary(now))
            continue
        yield from _fields(what, _flat(was), _flat(now))
        segments = _paired(_numbered(was), _numbered(now))
        for place, (old, new) in enumerate(segments, start=1):
            here = f"{what}, segment {place}"
            if old is None or new is None:
                yield Change(
                    "added" if old is None else "removed",
                    here,
                    "",
                    "",
                    old and _said(old),
                    new and _said(new),
                )
            else:
                yield from _fields(here, old, new)


def _paired(before: Sequence[tuple[Any, Any]], after: Sequence[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Items that are the same one, by their key and order; None opposite what came or went."""
    matcher = SequenceMatcher(None, [key for key, _ in before], [key for key, _ in after], autojunk=False)
    for how, a, b, c, d in matcher.get_opcodes():
        if how == "equal":
            yield from ((x[1], y[1]) for x, y in zip(before[a:b], after[c:d], strict=True))
        else:
            yield from ((item, None) for _, item in before[a:b])
            yield from ((None, item) for _, item in after[c:d])


def _numbered(step: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    return list(enumerate(step.get("segments", ())))


def _fields(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        if was != now:
            known = FIELDS.get(name)
            how: How = "added" if was is None else "removed" if now is None else "changed"
            label = known.label if known else name.capitalize()
            yield Change(how, what, name, label, was, now, known.unit if known else "")


def _flat(step: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if name not in ("kind", "segments")}


def _step_name(steps: Sequence[Mapping[str, Any]], step: Mapping[str, Any]) -> str:
    place = next(number for number, other in enumerate(steps, start=1) if other is step)
    return f"step {place}, {KINDS[step['kind']].word.lower()}"


def _summary(step: Mapping[str, Any]) -> str:
    parts = [_said(_flat(step)), *(_said(segment) for segment in step.get("segments", ()))]
    return "; ".join(part for part in parts if part)


def _said(fields: Mapping[str, Any]) -> str:
    return ", ".join(_one(name, value) for name, value in _known(fields))


def _known(fields: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in fields.items() if value not in (None, ""))


def _one(name: str, value: Any) -> str:
    field = FIELDS.get(name)
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if field is None:
        return text
    return f"{field.label.lower()} {text}" + (f" {field.unit}" if field.unit else "")

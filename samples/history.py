"""What happened to a thing, read from its audit trail: who, when, from where, why, and what changed.

A thing's history holds the history of its parts: a preparation's weigh-outs and steps, a recipe's components,
a project's members. Parts that were removed are still told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Field, ForeignKey, Model

from samples.models import (
    Component,
    Design,
    Exposure,
    FurnaceSegment,
    Ingredient,
    Invitation,
    Location,
    Lot,
    Material,
    Membership,
    Milling,
    OtherStep,
    Preparation,
    Project,
    Quench,
    Recipe,
    Role,
    Sample,
    ShareLink,
    Sintering,
    StockEntry,
    User,
)

FOUND = "found"  # label of an event that only says how a row stood when the audit trail began
MOST_EVENTS = 500  # of one kind; older ones stay in the database
STEPS = (Milling, Sintering, Quench, OtherStep)
# Of a thing: (model of the thing or of a part, column that leads to the thing)
PARTS: dict[type[Model], tuple[tuple[type[Model], str], ...]] = {
    Sample: (
        (Sample, "id"),
        (Lot, "sample_id"),
        (StockEntry, "sample_id"),
        (Exposure, "sample_id"),
        (ShareLink, "sample_id"),
    ),
    Material: ((Material, "id"),),
    Location: ((Location, "id"),),
    Design: ((Design, "id"),),
    Recipe: ((Recipe, "id"), (Component, "recipe_id"), *((step, "recipe_id") for step in STEPS)),
    Preparation: (
        (Preparation, "id"),
        (Ingredient, "preparation_id"),
        *((step, "preparation_id") for step in STEPS),
    ),
    Project: ((Project, "id"), (Membership, "project_id"), (Invitation, "project_id")),
}
# Noun in the address → (model, what names one, its type)
NOUNS: dict[str, tuple[type[Model], str, type]] = {
    "samples": (Sample, "code", str),
    "materials": (Material, "pk", int),
    "recipes": (Recipe, "pk", int),
    "preparations": (Preparation, "pk", int),
    "projects": (Project, "slug", str),
    "designs": (Design, "pk", int),
    "locations": (Location, "pk", int),
}
UNTOLD = {
    "id", "digest", "place_is_slot", "created_at", "created_by", "path", "changed_at", "changed_by", "former",
    "found_at", "decided_at",
}  # fmt: skip
# The end of a column's name is its unit (see the style of names).
UNITS = (
    ("_c_per_min", "°C/min"),
    ("_ml_min", "mL/min"),
    ("_mw_per_cm2", "mW/cm2"),
    ("_g_per_mol", "g/mol"),
    ("_g_per_cm3", "g/cm3"),
    ("_kpa", "kPa"),
    ("_min", "min"),
    ("_mm", "mm"),
    ("_ml", "mL"),
    ("_nm", "nm"),
    ("_g", "g"),
    ("_s", "s"),
    ("_c", "°C"),
    ("rpm", "rpm"),
)


@dataclass(frozen=True)
class Change:
    """One column: its name in the interface, its name in words, and what stood there. None: not recorded."""

    field: str
    label: str
    unit: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Entry:
    """One event. `action`: insert, update, delete. `by` is None when no person was there to be known."""

    at: datetime
    action: str
    kind: str
    of: str
    by: str | None
    via: str
    reason: str
    changes: list[Change] = field(default_factory=list)


# What the rooms below have to tell of a thing, in the reader's eyes.
TELLERS: list[Callable[[Model, User], Iterable[Entry]]] = []


def keep(model: type[Model], *, noun: str = "", of: type[Model] | None = None) -> None:
    """For audited things of the rooms below: `noun` gives them a history of their own, `of` makes them a part
    of another's."""
    if noun:
        NOUNS[noun] = (model, "pk", int)
        PARTS[model] = ((model, "id"),)
    if of is not None:
        PARTS[of] += ((model, f"{of._meta.model_name}_id"),)


def history_of(thing: Model, user: User) -> list[Entry]:
    """Newest first. Whoever asks must be allowed to see `thing`; samples named in it that `user` may not see
    stay unnamed."""
    found = list(_events(thing, user))
    names = _Names(user, (row for _, row in found))
    entries: list[tuple[tuple[datetime, int], Entry]] = []
    before: dict[tuple[type[Model], int], Mapping[str, Any]] = {}
    for model, row in found:
        key = (model, row["pgh_obj_id"])
        old = before.get(key) if row["pgh_label"] != "insert" else None
        entry = _entry(model, row, old, names)
        if entry.changes or entry.action not in ("update", FOUND):
            entries.append(((entry.at, row["pgh_id"]), entry))
        before[key] = row
    entries += [((entry.at, 0), entry) for tell in TELLERS for entry in tell(thing, user)]
    return [entry for _, entry in sorted(entries, key=lambda told: told[0], reverse=True)]


def _events(thing: Model, user: User) -> Iterator[tuple[type[Model], Mapping[str, Any]]]:
    """Of the thing and of its parts, each kind oldest first."""
    sinterings: set[int] = set()
    for model, column in PARTS[type(thing)]:
        if model is Invitation and not _manages(user, thing):
            continue  # whom managers invited is theirs to know
        for row in _rows(model, **{column: thing.pk}):
            if model is Sintering:
                sinterings.add(row["pgh_obj_id"])
            yield model, row
    for row in _rows(FurnaceSegment, sintering_id__in=sinterings) if sinterings else []:
        yield FurnaceSegment, row


def _manages(user: User, project: Model) -> bool:
    return Project.objects.with_role(user, Role.MANAGER).filter(pk=project.pk).exists()


def _rows(model: Any, **of: Any) -> list[Mapping[str, Any]]:
    rows = model.pgh_event_model.objects.filter(**of).order_by("-pgh_id")
    return list(rows.values(*_columns(model), *ABOUT)[:MOST_EVENTS])[::-1]


NAMING = ("email", "note", "method", "pattern")
ABOUT = ("pgh_id", "pgh_obj_id", "pgh_created_at", "pgh_label", "pgh_context__metadata")


def _columns(model: type[Model]) -> list[str]:
    kept = {column.attname for column in model.pgh_event_model._meta.concrete_fields}
    return [column.attname for column in model._meta.concrete_fields if column.attname in kept]


def _entry(model: type[Model], row: Mapping[str, Any], old: Mapping[str, Any] | None, names: _Names) -> Entry:
    told = row["pgh_context__metadata"] or {}
    action = row["pgh_label"]
    changes: list[Change] = []
    for column in model._meta.concrete_fields:
        if action == "delete" or column.attname not in row or _untold(model, column):
            continue
        after = row[column.attname]
        if action == "insert":
            if after not in (None, "", [], {}) and after != column.get_default():
                changes += _differences(column, None, after, names)
        elif old is not None and old[column.attname] != after:
            changes += _differences(column, old[column.attname], after, names)
    return Entry(
        at=row["pgh_created_at"],
        action=action,
        kind=str(model._meta.verbose_name),
        of=_subject(model, row, names),
        by=names.person(told.get("user")),
        via=_via(told),
        reason=told.get("reason", ""),
        changes=changes,
    )


def _differences(column: Field, before: Any, after: Any, names: _Names) -> list[Change]:
    if not isinstance(after, dict):
        return [_change(column, before, after, names)]
    before = before or {}
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return [Change(f"{column.name}.{key}", key, "", before.get(key), after.get(key)) for key in keys]


def _untold(model: type[Model], column: Any) -> bool:
    """What says nothing: the link of a part to its whole, the plan of a step, keys and digests."""
    links = {column for parts in PARTS.values() for part, column in parts if part is model}
    to_a_step = isinstance(column, ForeignKey) and column.related_model in STEPS
    return column.name in UNTOLD or column.attname in links or to_a_step


def _change(column: Field, before: Any, after: Any, names: _Names) -> Change:
    label = str(column.verbose_name)
    return Change(column.name, label, unit_of(column), names.said(column, before), names.said(column, after))


def unit_of(column: Field) -> str:
    return next((unit for ending, unit in UNITS if column.name.endswith(ending)), "")


def _subject(model: type[Model], row: Mapping[str, Any], names: _Names) -> str:
    """Which of several parts: the step's place, the ingredient's material."""
    if "order" in row:
        return f"{model._meta.verbose_name} {row['order']}"
    for column in ("material", "sample", "user"):
        attname = f"{column}_id"
        if model in (Ingredient, Component, Membership) and row.get(attname):
            return str(names.said(model._meta.get_field(column), row[attname]) or "")
    return str(next((row[name] for name in NAMING if row.get(name)), ""))


def _via(told: Mapping[str, Any]) -> str:
    if "path" in told:
        return f"{told.get('method', '')} {told['path']}".strip()
    if "task" in told:
        return f"task {told['task']}"
    return f"command {told['command']}" if "command" in told else ""


class _Names:
    """Rows that events point at, in one query a table, and only those that the reader may see."""

    def __init__(self, user: User, rows: Iterable[Mapping[str, Any]]) -> None:
        self._user = user
        self._rows = list(rows)
        self._known: dict[type[Model], dict[Any, str]] = {}
        people = {(row["pgh_context__metadata"] or {}).get("user") for row in self._rows}
        self._people = dict(User.objects.filter(pk__in=people - {None}).values_list("pk", "username"))

    def person(self, key: Any) -> str | None:
        if key is None:
            return None
        return self._people.get(key, "somebody who is no longer here")

    def said(self, column: Any, value: Any) -> Any:
        if value in (None, ""):
            return None
        if isinstance(column, ForeignKey):
            return self._table(column.related_model).get(value, "not visible to you")
        choices = dict(column.flatchoices or [])
        return choices.get(value, value) if choices else value

    def _table(self, model: Any) -> dict[Any, str]:
        if model not in self._known:
            wanted = {
                row[name]
                for row in self._rows
                for name in row
                if name.endswith("_id") and not name.startswith("pgh_") and row[name] is not None
            }
            rows = model._default_manager.all()
            if hasattr(rows, "visible_to"):
                rows = rows.visible_to(self._user)
            if model is Preparation:
                rows = rows.select_related("recipe")
            self._known[model] = {row.pk: str(row) for row in rows.filter(pk__in=wanted)}
        return self._known[model]

"""A file is checked as a whole before anything of it is saved: cell by cell, row by row, then together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db import models

from samples.exchange import together
from samples.exchange.laws import broken
from samples.exchange.linking import Links, keys_of
from samples.exchange.parsing import Problem, Row, parse
from samples.exchange.reading import Sheet
from samples.exchange.tables import Table, tables
from samples.models import Location, Preparation, Project, Sample, User

NEVER_EMPTY = (models.CharField, models.TextField)
OWN_SAMPLES_ONLY = {"lots", "stock"}

RowCheck = Callable[[Row], Iterator[tuple[str, str]]]
ROW_CHECKS: dict[str, RowCheck] = {}  # other rooms add theirs: table → (column, sentence) of what is wrong


@dataclass
class Intake:
    """What a file would make. `rows` have objects, not saved yet."""

    rows: dict[str, list[Row]]
    problems: list[Problem]

    @property
    def counts(self) -> dict[str, int]:
        """New rows by table; what is there already is not counted."""
        found = {name: sum(not row.found for row in rows) for name, rows in self.rows.items()}
        return {name: count for name, count in found.items() if count}


def check(sheets: Sequence[Sheet], *, user: User, project: Project, zone: tzinfo) -> Intake:
    rows, problems = parse(sheets, zone)
    links = Links(project, user, rows)
    recipes = [table for table in tables() if table.name == "recipes"]
    for table in recipes:
        problems += links.index(table, rows[table.name])
    for of_table in rows.values():
        for row in of_table:
            problems += links.say_versions(row)
    for table in tables():
        problems += links.index(table, rows[table.name]) if table not in recipes else []
    for table in tables():
        ordered, circular = _in_order(table, rows[table.name], links)
        problems += circular
        for row in ordered:
            problems += _made(row, links, project, user)
    problems += together.taken_codes(rows["samples"])
    problems += together.fractions(rows["components"])
    problems += together.circles(rows)
    problems += together.overdrawn(rows)
    problems += together.slots(rows["samples"])
    if not problems and not any(rows.values()):
        problems.append(Problem("", "", "The file holds no rows; fill in the template."))
    return Intake(rows, problems)


def _made(row: Row, links: Links, project: Project, user: User) -> list[Problem]:
    """The row's object, with its links; problems where there are any."""
    problems = []
    for reference in row.table.references:
        target, problem = links.follow(row, reference)
        if problem is not None:
            problems.append(problem)
        elif target is not None:
            problems += _linked(row, reference.field, reference.columns, target, project)
    if not row.sound:
        return problems
    model = row.table.models.get(row.values.get("kind", ""), row.table.model)
    row.made = _object(row, model, project, user)
    if row.table.reused and _reused(row, links):
        return problems + _differences(row)
    problems += [row.problem(said, column) for column, said in _against_the_law(row, links)]
    for column, sentence in broken(row.made) if row.sound else ():
        problems.append(row.problem(sentence, *_columns(row.table, column)))
    for column, sentence in ROW_CHECKS.get(row.table.name, _no_more)(row) if row.sound else ():
        problems.append(row.problem(sentence, column))
    return problems


def _no_more(row: Row) -> Iterator[tuple[str, str]]:
    return iter(())


def _linked(row: Row, name: str, columns: tuple[str, ...], target: Any, project: Project) -> list[Problem]:
    if isinstance(target, Row):
        if target.made is None:
            row.sound = False  # told where it went wrong
            return []
        target = target.made
    elif isinstance(target, Sample) and row.table.name in OWN_SAMPLES_ONLY:
        return [row.problem(f"{target.code} is there already; record this on its page.", *columns)]
    elif isinstance(target, Sample) and row.table.name != "ingredients" and target.project_id != project.pk:
        return [row.problem(f"{target.code} belongs to another project.", *columns)]
    row.links[name] = target
    return []


def _object(row: Row, model: type[models.Model], project: Project, user: User) -> models.Model:
    of_model = {field.name: field for field in model._meta.concrete_fields}
    values: dict[str, Any] = {}
    for column in row.table.columns:
        value, field = row.values.get(column.name), of_model.get(column.field)
        if field is None or (value is None and (isinstance(field, NEVER_EMPTY) or field.has_default())):
            continue
        values[column.field] = value
    values |= {name: target for name, target in row.links.items() if name in of_model}
    if "project" in of_model:
        values["project"] = project
    if "created_by" in of_model:
        values["created_by"] = user
    return model(**values)


def _reused(row: Row, links: Links) -> bool:
    stored = links.stored(row.table.name)
    for key in keys_of(row):
        if key in stored:
            row.made, row.found = stored[key], True
    return row.found


def _differences(row: Row) -> list[Problem]:
    """A row that is there already must say what is stored, or nothing."""
    problems = []
    for column in row.table.columns:
        said, stored = row.values.get(column.name), getattr(row.made, column.field or "pk")
        if column.field and said is not None and said != stored:
            other = "" if row.table.global_rows else f" ({stored})"
            sentence = (
                f"“{row.made}” is there already with another {column.words}{other}; make the two agree."
            )
            problems.append(row.problem(sentence, column.name))
    return problems


def _against_the_law(row: Row, links: Links) -> Iterator[tuple[str, str]]:
    """What one row may not say, beyond its model's constraints."""
    name = row.table.name
    key = (row.values.get("name"), row.values.get("version") or 1)
    if name == "recipes" and key in links.stored("recipes"):
        yield "name", f"“{key[0]}” has a version {key[1]} already; leave the row out, or count on."
    if name == "designs" and key[:1] in links.stored("designs"):
        yield "name", f"There is a design “{key[0]}” already; give it another name."
    if name == "places":
        yield from _place(row)
    if name == "steps":
        yield from _step(row, links)


def _place(row: Row) -> Iterator[tuple[str, str]]:
    place = row.made
    assert isinstance(place, Location)
    ranks = list(Location.Kind.values)
    if "/" in place.name:
        yield "name", "A place's name holds no “/”: that separates the places of a path."
    above = place.parent
    if above is not None and ranks.index(place.kind) <= ranks.index(above.kind):
        yield "kind", f"A {place.kind} does not stand in a {above.kind}."
    place.path = f"{above.path} / {place.name}" if above is not None else place.name


def _step(row: Row, links: Links) -> Iterator[tuple[str, str]]:
    assert row.made is not None
    fields = {field.name for field in row.made._meta.concrete_fields} | {"kind"}
    if ("recipe" in row.links) == ("preparation" in row.links):
        yield "recipe", "A step belongs to a recipe or to a preparation; name one of the two."
        return
    for column in row.table.columns:
        says = column.field or (column.name if column.name in row.links else "kind")
        if says not in fields and row.values.get(column.name) is not None:
            yield column.name, f"A step of kind {row.values['kind']} has no {column.words}; empty the cell."
    if row.values.get("carries_out") is not None:
        row.made.planned = _planned(row, links)
        if row.made.planned is None:
            yield "carries_out", "The recipe of this preparation has no such step of this kind."


def _planned(row: Row, links: Links) -> models.Model | None:
    preparation = row.links.get("preparation")
    recipe = preparation.recipe if isinstance(preparation, Preparation) else None
    if recipe is None:
        return None
    assert row.made is not None
    order, model = row.values["carries_out"], type(row.made)
    if recipe.pk is not None:
        return model._default_manager.filter(recipe=recipe, order=order).first()
    found = links.in_file["steps"].get((recipe.name, recipe.version, None, order, model.__name__))
    return found.made if found else None


def _in_order(table: Table, rows: list[Row], links: Links) -> tuple[list[Row], list[Problem]]:
    """Rows that others of the same table refer to come before those."""
    if table.name == "steps":
        return sorted(rows, key=lambda row: row.values.get("preparation") is not None), []
    selves = [reference for reference in table.references if reference.table == table.name]
    if not selves:
        return rows, []
    known = links.in_file[table.name]
    above = {
        id(row): known.get(tuple(row.values.get(name) for name in reference.columns))
        for row in rows
        for reference in selves
    }
    by_id = {id(row): row for row in rows}
    graph = {key: [id(up)] if up else [] for key, up in above.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        row = by_id[error.args[1][0]]
        return [], [row.problem("Following what it refers to, one comes back to it.", selves[0].columns[0])]
    return [by_id[key] for key in order], []


def _columns(table: Table, field: str) -> tuple[str, ...]:
    by_field = [column.name for column in table.columns if field and column.field == field]
    linked = [reference.columns for reference in table.references if reference.field == field]
    return tuple(by_field) or (linked[0] if linked else table.key or (table.columns[0].name,))

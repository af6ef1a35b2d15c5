"""A file is checked as a whole before anything of it is saved: cell by cell, row by row, then together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db import models

from samples.exchange.laws import broken
from samples.exchange.linking import BATCH, Links, keys_of
from samples.exchange.parsing import Problem, Row, parse
from samples.exchange.reading import Sheet
from samples.exchange.tables import Table, tables
from samples.models import Location, Preparation, Project, Sample, User
from samples.stoichiometry import FRACTION_SUM_TOLERANCE

NANOGRAM_G = 1e-9
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
    problems += _taken_codes(rows["samples"])
    problems += _fractions(rows["components"])
    problems += _circles(rows)
    problems += _overdrawn(rows)
    problems += _slots(rows["samples"])
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


def _taken_codes(rows: list[Row]) -> list[Problem]:
    """Codes are printed on labels, so one belongs to one thing in the whole house."""
    by_code: dict[str, Row] = {row.values["code"]: row for row in rows if row.values.get("code")}
    codes, problems = sorted(by_code), []
    for start in range(0, len(codes), BATCH):
        taken = Sample.objects.filter(code__in=codes[start : start + BATCH]).values_list("code", flat=True)
        problems += [
            by_code[code].problem(f"The code {code} is taken; choose another.", "code") for code in taken
        ]
    return problems


def _fractions(rows: list[Row]) -> list[Problem]:
    """The components of a recipe are all of it."""
    of_recipe: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.sound and "recipe" in row.links:
            of_recipe[id(row.links["recipe"])].append(row)
    problems = []
    for together in of_recipe.values():
        recipe = together[0].links["recipe"]
        if recipe.pk is not None:
            problems.append(
                together[0].problem(f"{recipe} is there already; its components stay as they are.", "recipe")
            )
            continue
        total = sum(row.values["mass_fraction"] for row in together)
        if not abs(total - 1) <= FRACTION_SUM_TOLERANCE:
            problems.append(
                together[-1].problem(
                    f"The mass fractions of “{recipe.name}” add up to {total:.4g}; they must add up to 1.",
                    "mass_fraction",
                )
            )
    return problems


def _circles(rows: dict[str, list[Row]]) -> list[Problem]:
    """Nothing is made from itself, however far back. What is stored already came before the file."""
    parents: dict[Any, set[Any]] = defaultdict(set)
    for row in rows["ingredients"]:
        if row.made is not None and isinstance(row.links.get("sample"), Sample):
            parents[id(row.links.get("preparation"))].add(row.links["sample"].code)
    made = {row.values["code"]: row for row in rows["samples"] if row.made is not None}
    graph = {code: parents[id(row.links.get("preparation"))] for code, row in made.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = [code for code in error.args[1] if code in made]
        said = " ← ".join(circle[:6])
        return [
            made[circle[0]].problem(
                f"It is made from itself: {said}. Correct its ingredients.", "preparation", "code"
            )
        ]
    return []


def _overdrawn(rows: dict[str, list[Row]]) -> list[Problem]:
    """No more is weighed out of a sample of the file than there was of it."""
    taken_g: dict[int, float] = defaultdict(float)
    for row in rows["ingredients"]:
        if row.made is not None and "sample" in row.links:
            taken_g[id(row.links["sample"])] += row.values.get("mass_g") or 0.0
    recounted = set()
    for row in rows["stock"]:
        if row.made is not None and row.values.get("kind") == "recount":
            recounted.add(id(row.links["sample"]))
        elif row.made is not None:
            taken_g[id(row.links["sample"])] += row.values.get("mass_g") or 0.0
    problems = []
    for row in rows["samples"]:
        sample = row.made
        if not row.sound or not isinstance(sample, Sample) or sample.amount_g is None:
            continue
        if id(sample) in recounted:
            continue
        left_g = round(sample.amount_g - taken_g[id(sample)], 9)
        if left_g < -NANOGRAM_G:
            problems.append(
                row.problem(
                    f"{taken_g[id(sample)]:g} g are taken from {sample.code}, of which there were "
                    f"{sample.amount_g:g} g; correct one of them.",
                    "amount_g",
                )
            )
        elif sample.mass_left_g is not None and sample.mass_left_g > sample.amount_g + NANOGRAM_G:
            problems.append(row.problem("More is left than there ever was; correct one.", "mass_left_g"))
        elif "mass_left_g" not in row.places:
            sample.mass_left_g = max(left_g, 0.0)
    return problems


def _slots(rows: list[Row]) -> list[Problem]:
    """One thing a slot."""
    problems: list[Problem] = []
    holds: dict[int, str] = {}
    stored = [row.links["place"].pk for row in rows if "place" in row.links and row.links["place"].pk]
    full = dict(Sample.objects.filter(place__in=stored, place_is_slot=True).values_list("place_id", "code"))
    for row in rows:
        place = row.links.get("place")
        if row.made is None or place is None or place.kind != Location.Kind.SLOT:
            continue
        if place.pk in full:
            problems.append(row.problem(f"{place.path} holds something already; choose another.", "place"))
        elif id(place) in holds:
            problems.append(
                row.problem(f"{place.path} holds {holds[id(place)]} too; choose another.", "place")
            )
        holds.setdefault(id(place), row.values["code"])
    return problems

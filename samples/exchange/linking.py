"""Who refers to whom: rows of the file among themselves, and to what the project holds already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import models

from samples.exchange.parsing import Problem, Row
from samples.exchange.tables import PEOPLE, Reference, Table
from samples.models import Design, Location, Material, Project, Recipe, Sample, User

Key = tuple[Any, ...]
Loader = Callable[[Project, User, set[Key]], dict[Key, models.Model]]
BATCH = 5_000


def _materials(project: Project, user: User, wanted: set[Key]) -> dict[Key, models.Model]:
    return {(row.name,): row for row in Material.objects.filter(project=project)}


def _places(project: Project, user: User, wanted: set[Key]) -> dict[Key, models.Model]:
    return {(row.path,): row for row in Location.objects.filter(project=project)}


def _designs(project: Project, user: User, wanted: set[Key]) -> dict[Key, models.Model]:
    return {(row.name,): row for row in Design.objects.filter(project=project)}


def _recipes(project: Project, user: User, wanted: set[Key]) -> dict[Key, models.Model]:
    return {(row.name, row.version): row for row in Recipe.objects.filter(project=project)}


def _people(project: Project, user: User, wanted: set[Key]) -> dict[Key, models.Model]:
    return {(row.username,): row for row in User.objects.filter(memberships__project=project)}


def _samples(project: Project, user: User, wanted: set[Key]) -> dict[Key, models.Model]:
    """Only those that one may weigh from."""
    codes = sorted(key[0] for key in wanted if isinstance(key[0], str))
    open_to_me = Sample.objects.open_to(user).filter(voided_at=None)
    return {
        (row.code,): row
        for start in range(0, len(codes), BATCH)
        for row in open_to_me.filter(code__in=codes[start : start + BATCH])
    }


LOADERS: dict[str, Loader] = {
    "materials": _materials,
    "places": _places,
    "designs": _designs,
    "recipes": _recipes,
    "samples": _samples,
    PEOPLE: _people,
}
NOUNS = {
    "materials": "material",
    "places": "place",
    "designs": "design",
    "recipes": "recipe",
    "preparations": "preparation",
    "samples": "sample",
    "steps": "sintering step",
    "publications": "publication",
}


class Links:
    """Everything that can be referred to, by table and key."""

    def __init__(self, project: Project, user: User, rows: dict[str, list[Row]]) -> None:
        self.project, self.user = project, user
        self.in_file: dict[str, dict[Key, Row]] = {}
        self._stored: dict[str, dict[Key, models.Model]] = {}
        self._recipe_versions: dict[str, list[int]] | None = None
        self._wanted_samples = {
            (row.values.get(name),)
            for of_table in rows.values()
            for row in of_table
            for reference in row.table.references
            if reference.table == "samples"
            for name in reference.columns
        }

    def index(self, table: Table, rows: Iterable[Row]) -> list[Problem]:
        """Take in the rows of a table under their keys; a key that is there twice is a problem."""
        known = self.in_file.setdefault(table.name, {})
        problems = []
        for row in rows:
            for key in keys_of(row):
                if key in known:
                    problems.append(
                        row.problem(
                            f"{_said(key)} stands in row {known[key].number} already; keep one of the two.",
                            *table.key,
                        )
                    )
                else:
                    known[key] = row
        return problems

    def stored(self, table: str) -> dict[Key, models.Model]:
        if table not in self._stored:
            load = LOADERS.get(table)
            self._stored[table] = load(self.project, self.user, self._wanted_samples) if load else {}
        return self._stored[table]

    def follow(self, row: Row, reference: Reference) -> tuple[Row | models.Model | None, Problem | None]:
        """What a row's cells name: another row, a stored object, or None where they are empty."""
        key = tuple(row.values.get(name) for name in reference.columns)
        if all(part is None for part in key):
            return None, None
        found = self.in_file.get(reference.table, {}).get(key) or self.stored(reference.table).get(key)
        if found is not None:
            return found, None
        return None, row.problem(self._unknown(reference.table, key), *reference.columns)

    def say_versions(self, row: Row) -> list[Problem]:
        """A recipe named without its version is the only one there is."""
        problems = []
        for reference in row.table.references:
            if reference.table not in ("recipes", "steps"):
                continue
            name, version = (row.values.get(column) for column in reference.columns[:2])
            if name is None or version is not None:
                continue
            versions = self._versions().get(name, [1])
            if len(versions) > 1:
                said = ", ".join(str(each) for each in sorted(versions))
                sentence = f"There are versions {said} of “{name}”; say which one."
                problems.append(row.problem(sentence, *reversed(reference.columns[:2])))
            row.values[reference.columns[1]] = versions[0]
        return problems

    def _versions(self) -> dict[str, list[int]]:
        if self._recipe_versions is None:
            found: dict[str, set[int]] = {}
            for keys in (self.in_file.get("recipes", {}), self.stored("recipes")):
                for name, version in keys:
                    found.setdefault(name, set()).add(version)
            self._recipe_versions = {name: sorted(versions) for name, versions in found.items()}
        return self._recipe_versions

    def _unknown(self, table: str, key: Key) -> str:
        if table == PEOPLE:
            return f"“{key[0]}” is no member of {self.project.name}; add the person first, or empty the cell."
        noun = NOUNS.get(table, table)
        where = {
            "preparations": "add it to the sheet preparations",
            "samples": f"add it to the sheet samples, or to {self.project.name} first",
            "steps": "add a step of kind sintering with this order to the sheet steps",
        }.get(table, f"add it to the sheet {table}, or correct the name")
        return f"There is no {noun} {_said(key)}; {where}."


def keys_of(row: Row) -> list[Key]:
    """Under which keys a row can be referred to."""
    values, name = row.values, row.table.name
    if name == "places":
        return [(place_path(values.get("parent"), values.get("name")),)] if values.get("name") else []
    if name == "recipes":
        return [(values.get("name"), values.get("version") or 1)] if values.get("name") else []
    if name == "steps":
        owner = (values.get("recipe"), values.get("recipe_version"), values.get("preparation"))
        if None in (values.get("order"), values.get("kind")):
            return []
        model = row.table.models[values["kind"]].__name__
        key: Key = (*owner, values["order"])
        return [(*key, model), *([key] if model == "Sintering" else [])]
    named: Key = tuple(values.get(column) for column in row.table.key)
    return [named] if any(part is not None for part in named) else []


def place_path(parent: str | None, name: str | None) -> str:
    return f"{parent} / {name}" if parent else name or ""


def _said(key: Key) -> str:
    return " ".join(f"“{part}”" if isinstance(part, str) else str(part) for part in key if part is not None)

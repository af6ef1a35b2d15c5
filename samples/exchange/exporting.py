"""What one may see of a project, as the rows of the tables. The same project gives the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.db import connection, models

from samples.ancestry import ANCESTORS
from samples.exchange.columns import Column
from samples.exchange.tables import PEOPLE, Table, tables
from samples.models import (
    Component,
    Design,
    Exposure,
    FurnaceSegment,
    Ingredient,
    Location,
    Material,
    Preparation,
    Project,
    Recipe,
    Sample,
    StockEntry,
    User,
)

HIDDEN = "(hidden)"
Values = tuple[Any, ...]


@dataclass(frozen=True)
class Extent:
    """What an export holds: these samples, and with `whole` also what no sample of the project uses yet."""

    user: User
    project: Project
    samples: models.QuerySet
    whole: bool


@dataclass(frozen=True)
class Written:
    """A table with its rows; the values stand in the order of the columns."""

    table: Table
    rows: list[Values]

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.table.columns


Rows = Callable[[Extent], Iterable[Any]]
MORE_ROWS: dict[str, Rows] = {}  # other rooms say which rows their tables have


def extent(user: User, project: Project, samples: models.QuerySet | None = None) -> Extent:
    """All of a project, or the given samples with everything they come from, so that it can be imported."""
    visible = Sample.objects.visible_to(user).filter(project=project)
    if samples is None:
        return Extent(user, project, visible, whole=True)
    with connection.cursor() as cursor:
        cursor.execute(ANCESTORS, [list(samples.order_by().values_list("pk", flat=True))])
        keys = [row[0] for row in cursor.fetchall()]
    return Extent(user, project, visible.filter(pk__in=keys), whole=False)


def export(of: Extent) -> list[Written]:
    wanted = _objects(of)
    names = Names(of, wanted["preparations"])
    written = []
    for table in tables():
        rows = wanted[table.name] if table.name in wanted else MORE_ROWS[table.name](of)
        written.append(Written(table, [names.row(table, row) for row in rows]))
    return written


def _objects(of: Extent) -> dict[str, list[Any]]:
    samples = list(of.samples.order_by("code").select_related("lot"))
    pks = [sample.pk for sample in samples]
    used = {sample.preparation_id for sample in samples} - {None}
    first_code = {sample.preparation_id: sample.code for sample in reversed(samples)}
    if of.whole:
        used |= set(Preparation.objects.filter(project=of.project, samples=None).values_list("pk", flat=True))
    preparations = sorted(
        Preparation.objects.visible_to(of.user).filter(pk__in=used),
        key=lambda row: (first_code.get(row.pk, "~"), row.pk),
    )
    unlabelled = count(1)
    for preparation in preparations:
        preparation.label = f"P-{first_code.get(preparation.pk) or f'~{next(unlabelled)}'}"
    recipes = _recipes(of, {row.recipe_id for row in preparations} - {None})
    order = {row.pk: place for place, row in enumerate(preparations)}
    ingredients = sorted(
        Ingredient.objects.filter(preparation__in=order), key=lambda row: (order[row.preparation_id], row.pk)
    )
    components = list(
        Component.objects.filter(recipe__in=recipes).order_by("recipe__name", "recipe__version", "pk")
    )
    steps = _steps(recipes, preparations)
    segments = [
        segment
        for step in steps
        if hasattr(step, "segments")
        for segment in _with_step(step, sorted(step.segments.all(), key=lambda row: row.order))
    ]
    materials = _chosen(
        of,
        Material,
        {row.material_id for row in [*samples, *ingredients, *components]},
        "name",
    )
    return {
        "materials": materials,
        "places": _places(of, {sample.place_id for sample in samples}),
        "designs": _chosen(of, Design, {row.design_id for row in preparations}, "name"),
        "recipes": recipes,
        "components": components,
        "preparations": preparations,
        "steps": steps,
        "segments": segments,
        "samples": samples,
        "lots": [sample.lot for sample in samples if hasattr(sample, "lot")],
        "ingredients": ingredients,
        "exposures": _by_sample(Exposure, pks, "started_at"),
        "stock": _by_sample(StockEntry, pks, "at"),
    }


def _by_sample(model: type[models.Model], samples: list[int], moment: str) -> list[Any]:
    return list(model._default_manager.filter(sample__in=samples).order_by("sample__code", moment, "pk"))


def _recipes(of: Extent, used: set[int]) -> list[Recipe]:
    """Those used, and those they were derived from."""
    everything = {row.pk: row for row in Recipe.objects.filter(project=of.project)}
    wanted = set(everything) if of.whole else set()
    waiting = list(used)
    while waiting:
        pk = waiting.pop()
        if pk in everything and pk not in wanted:
            wanted.add(pk)
            waiting.append(everything[pk].derived_from_id or 0)
    return sorted((everything[pk] for pk in wanted), key=lambda row: (row.name, row.version))


def _places(of: Extent, used: set[int]) -> list[Location]:
    everything = {row.pk: row for row in Location.objects.filter(project=of.project)}
    wanted = set(everything) if of.whole else set()
    for pk in used:
        while pk in everything and pk not in wanted:
            wanted.add(pk)
            pk = everything[pk].parent_id or 0
    return sorted((everything[pk] for pk in wanted), key=lambda row: row.path)


def _chosen(of: Extent, model: type[models.Model], used: set[Any], order: str) -> list[Any]:
    rows = model._default_manager.filter(project=of.project)
    return list((rows if of.whole else rows.filter(pk__in=used - {None})).order_by(order))


def _steps(recipes: list[Recipe], preparations: list[Preparation]) -> list[Any]:
    from samples.exchange.tables import STEP_MODELS

    recipe_places = {row.pk: place for place, row in enumerate(recipes)}
    places = {row.pk: place + len(recipes) for place, row in enumerate(preparations)}
    found: list[Any] = []
    for model in dict.fromkeys(STEP_MODELS.values()):
        rows = model._default_manager.select_related("planned")
        rows = rows.prefetch_related("segments") if hasattr(model, "segments") else rows
        found += rows.filter(recipe__in=recipes)
        found += rows.filter(preparation__in=preparations)

    def order(step: Any) -> tuple[int, int, str]:
        place = recipe_places[step.recipe_id] if step.recipe_id else places[step.preparation_id]
        return place, step.order, type(step).__name__

    return sorted(found, key=order)


def _with_step(step: Any, segments: list[FurnaceSegment]) -> Iterator[FurnaceSegment]:
    for segment in segments:
        segment.sintering = step
        yield segment


class Names:
    """What the cells that name another row say, without a query per cell."""

    def __init__(self, of: Extent, preparations: list[Any]) -> None:
        self.materials = dict(Material.objects.filter(project=of.project).values_list("pk", "name"))
        self.places = dict(Location.objects.filter(project=of.project).values_list("pk", "path"))
        self.designs = dict(Design.objects.filter(project=of.project).values_list("pk", "name"))
        recipes = Recipe.objects.filter(project=of.project).values_list("pk", "name", "version")
        self.recipes = {pk: (name, version) for pk, name, version in recipes}
        self.preparations = {row.pk: row.label for row in preparations}
        parents = Ingredient.objects.filter(preparation__in=self.preparations).values("sample")
        visible = Sample.objects.visible_to(of.user)
        self.samples = dict(visible.filter(pk__in=parents).values_list("pk", "code"))
        self.samples |= dict(of.samples.order_by().values_list("pk", "code"))
        self.people = dict(User.objects.filter(memberships__project=of.project).values_list("pk", "username"))

    def row(self, table: Table, row: Any) -> Values:
        cells = {column.name: getattr(row, column.field, None) for column in table.columns if column.field}
        for reference in table.references:
            if reference.table != "steps":
                cells |= zip(reference.columns, self.named(row, reference), strict=True)
        if table.name == "preparations":
            cells["preparation"] = row.label
        elif table.name == "steps":
            cells |= self._owner(row)
            cells["kind"] = getattr(row, "kind", type(row).__name__.lower())
            cells["carries_out"] = row.planned.order if row.planned else None
        elif table.name == "segments":
            cells |= self._owner(row.sintering) | {"step": row.sintering.order}
        return tuple(cells.get(column.name) for column in table.columns)

    def named(self, row: Any, reference: Any) -> tuple[Any, ...]:
        pk = getattr(row, f"{reference.field}_id", None)
        empty = (None,) * len(reference.columns)
        if pk is None:
            return empty
        if reference.table == PEOPLE:
            return (self._person(pk),)
        name = self._table(reference.table).get(pk, (HIDDEN, *empty[1:]))
        return name if isinstance(name, tuple) else (name,)

    def _table(self, table: str) -> dict[int, Any]:
        names = {
            "materials": self.materials,
            "places": self.places,
            "designs": self.designs,
            "recipes": self.recipes,
            "preparations": self.preparations,
            "samples": self.samples,
        }
        return names[table] if table in names else MORE_NAMES[table]()

    def _person(self, pk: int) -> str:
        if pk not in self.people:
            self.people[pk] = User.objects.values_list("username", flat=True).get(pk=pk)
        return str(self.people[pk])

    def _owner(self, step: Any) -> dict[str, Any]:
        name, version = self.recipes.get(step.recipe_id, (None, None))
        return {
            "recipe": name,
            "recipe_version": version,
            "preparation": self.preparations.get(step.preparation_id),
        }


MORE_NAMES: dict[str, Callable[[], dict[int, Any]]] = {}

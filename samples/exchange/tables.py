"""The tables that carry samples in and out: which sheet holds which model, what names a row, what it needs.

Parents come before those that refer to them, and rows are saved in this order. Another room adds its tables
with `register` (values and publications come from `analysis`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from samples.exchange.columns import Column, column_of, plain_fields
from samples.models import (
    Component,
    Design,
    Exposure,
    FurnaceSegment,
    Ingredient,
    Location,
    Lot,
    Material,
    Milling,
    OtherStep,
    Preparation,
    Quench,
    Recipe,
    Sample,
    Sintering,
    StockEntry,
    User,
)

PEOPLE = "people"  # referred to by user name; never in a file as a table


@dataclass(frozen=True)
class Reference:
    """A foreign key, written as the cells that name its row in `table`."""

    field: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """models: by word of the `kind` column where a sheet holds several, else one under the empty word.

    key : columns that name a row; no two rows agree in all of them. Empty: rows have no name
    reused : a row that is there already is taken when it says the same (a bottle of CsI is still CsI)
    """

    name: str
    models: Mapping[str, type[Model]]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    key: tuple[str, ...] = ()
    help: str = ""
    reused: bool = False
    global_rows: bool = field(default=False)

    @property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def model(self) -> type[Model]:
        return next(iter(self.models.values()))


NAMED_BY: dict[type[Model], tuple[str, tuple[str, ...]]] = {
    Material: ("materials", ("",)),
    Location: ("places", ("",)),
    Design: ("designs", ("",)),
    Recipe: ("recipes", ("", "_version")),
    Preparation: ("preparations", ("",)),
    Sample: ("samples", ("",)),
    User: (PEOPLE, ("",)),
}
KEPT_BY_THE_MACHINE = {"project", "created_by"}


def of_model(
    name: str, model: type[Model], *, key: tuple[str, ...] = (), help: str = "", **more: Any
) -> Table:
    """A table of one model, its columns in the order of the model's fields."""
    plain = {plain_field.name for plain_field in plain_fields(model)}
    columns: list[Column] = []
    references: list[Reference] = []
    for model_field in model._meta.concrete_fields:
        if model_field.name in plain:
            columns.append(column_of(model_field))
        elif model_field.is_relation and model_field.name not in KEPT_BY_THE_MACHINE:
            named = _reference(model_field)
            if named is not None:
                references.append(named[0])
                columns += named[1]
    return Table(name, {"": model}, tuple(columns), tuple(references), key, help, **more)


def _reference(model_field: Any) -> tuple[Reference, list[Column]] | None:
    named = NAMED_BY.get(model_field.related_model)
    if named is None:
        return None
    table, endings = named
    required = not model_field.null
    columns = [
        Column(
            f"{model_field.name}{ending}",
            "integer" if ending else "reference",
            required=required and not ending,
            help=str(model_field.help_text) or f"As in the sheet {table}.",
        )
        for ending in endings
    ]
    return Reference(model_field.name, table, tuple(column.name for column in columns)), columns


STEP_MODELS: dict[str, type[Model]] = {
    "milling": Milling,
    "sintering": Sintering,
    "quench": Quench,
    **dict.fromkeys(OtherStep.Kind.values, OtherStep),
}


def _steps() -> Table:
    owner = (
        Column("recipe", "reference", help="Of a plan: its recipe, and its version."),
        Column("recipe_version", "integer"),
        Column("preparation", "reference", help="Of what was done: its preparation. One of the two."),
        Column("order", "integer", required=True, field="order", help="Its place among the steps, from 1."),
        Column("kind", "choice", required=True, choices=tuple(STEP_MODELS), field="kind"),
        Column("carries_out", "integer", help="Of what was done: the order of the planned step it follows."),
    )
    names = {column.name for column in owner}
    merged = {
        model_field.name: column_of(model_field)
        for model in (OtherStep, Quench, Sintering, Milling)
        for model_field in plain_fields(model)
        if model_field.name not in names
    }
    people = [
        (model_field.name, model)
        for model in dict.fromkeys(STEP_MODELS.values())
        for model_field in model._meta.concrete_fields
        if model_field.is_relation and model_field.related_model is User
    ]
    who = tuple(
        Column(name, "reference", help="A user name.") for name in dict.fromkeys(name for name, _ in people)
    )
    return Table(
        "steps",
        STEP_MODELS,
        owner + tuple(_optional(column) for column in merged.values()) + who,
        (
            Reference("recipe", "recipes", ("recipe", "recipe_version")),
            Reference("preparation", "preparations", ("preparation",)),
            *(Reference(column.name, PEOPLE, (column.name,)) for column in who),
        ),
        key=("recipe", "recipe_version", "preparation", "order", "kind"),
        help="What is to be done (of a recipe) or was done (of a preparation), in order.",
    )


def _optional(column: Column) -> Column:
    """A column that one kind of step needs and another has not: the model decides."""
    return Column(**{**column.__dict__, "required": False})


def _segments() -> Table:
    owner = (
        Column("recipe", "reference"),
        Column("recipe_version", "integer"),
        Column("preparation", "reference"),
        Column("step", "integer", required=True, help="The order of the sintering it belongs to."),
    )
    return Table(
        "segments",
        {"": FurnaceSegment},
        owner + tuple(column_of(plain) for plain in plain_fields(FurnaceSegment)),
        (Reference("sintering", "steps", ("recipe", "recipe_version", "preparation", "step")),),
        key=("recipe", "recipe_version", "preparation", "step", "order"),
        help="The furnace programme of a sintering: go to a temperature at a rate, then stay.",
    )


def _preparations() -> Table:
    table = of_model("preparations", Preparation)
    label = Column(
        "preparation", "text", required=True, longest=80, help="Any name; it joins the sheets of this file."
    )
    return Table(
        table.name,
        table.models,
        (label, *table.columns),
        table.references,
        key=("preparation",),
        help="A recipe carried out, or to be carried out. It yields one or more samples.",
    )


_TABLES: list[Table] = [
    of_model(
        "materials", Material, key=("name",), help="Substances as such; a bottle is a sample.", reused=True
    ),
    of_model("places", Location, key=("parent", "name"), help="Rooms, cabinets, boxes, slots.", reused=True),
    of_model("designs", Design, key=("name",), help="Arrays of planned samples."),
    of_model("recipes", Recipe, key=("name", "version"), help="Plans, by name and version."),
    of_model(
        "components",
        Component,
        key=("recipe", "recipe_version", "material"),
        help="What a recipe weighs in; the mass fractions of a recipe add up to 1.",
    ),
    _preparations(),
    _steps(),
    _segments(),
    of_model("samples", Sample, key=("code",), help="Everything with a label."),
    of_model("lots", Lot, key=("sample",), help="Samples that were bought: label and certificate."),
    of_model("ingredients", Ingredient, help="Parents of a preparation, and the grams taken from each."),
    of_model("exposures", Exposure, help="What happened to a sample after it was made."),
    of_model("stock", StockEntry, help="Recounts, losses and disposals."),
]


def tables() -> tuple[Table, ...]:
    return tuple(_TABLES)


def register(*more: Table) -> None:
    """Tables of another room, after those they refer to."""
    known = {table.name for table in _TABLES}
    _TABLES.extend(table for table in more if table.name not in known)


def table_called(name: str) -> Table | None:
    return next((table for table in _TABLES if table.name == name), None)

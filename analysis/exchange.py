"""Values that came from no run, and their sources, as tables: what a paper states or a person entered.

Values of runs are not carried like this: they come from raw files, and come again when these are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.db import models

from analysis import properties
from analysis.models import Publication, Value
from samples.exchange.checking import ROW_CHECKS
from samples.exchange.exporting import MORE_NAMES, MORE_ROWS, Extent
from samples.exchange.linking import LOADERS, Key
from samples.exchange.parsing import Row
from samples.exchange.tables import NAMED_BY, of_model, register
from samples.models import Project, User

OF_RUNS = {"method"}


def _values() -> None:
    table = of_model("values", Value, help="What publications state and people entered, with its source.")
    columns = tuple(
        replace(column, required=True) if column.name == "sample" else column
        for column in table.columns
        if column.name not in OF_RUNS
    )
    register(replace(table, columns=columns))


def connect() -> None:
    NAMED_BY[Publication] = ("publications", ("",))
    register(
        of_model(
            "publications",
            Publication,
            key=("key",),
            help="Sources of values.",
            reused=True,
            global_rows=True,
        )
    )
    _values()
    LOADERS["publications"] = _publications
    MORE_ROWS["publications"] = lambda of: (
        Publication.objects.filter(values__in=_exported(of)).distinct().order_by("key")
    )
    MORE_ROWS["values"] = _exported
    MORE_NAMES["publications"] = lambda: dict(Publication.objects.values_list("pk", "key"))
    ROW_CHECKS["values"] = _wrong


def _publications(project: Project, user: User, wanted: set[Key]) -> dict[Key, models.Model]:
    return {(row.key,): row for row in Publication.objects.all()}


def _exported(of: Extent) -> Iterable[Value]:
    seen = Value.objects.visible_to(of.user).filter(sample__in=of.samples.order_by().values("pk"), run=None)
    return seen.order_by("sample__code", "property", "component", "pk")


def _wrong(row: Row) -> Iterator[tuple[str, str]]:
    value = row.made
    assert isinstance(value, Value)
    try:
        declared = properties.get(value.property)
    except KeyError:
        known = ", ".join(sorted(properties.all()))
        yield "property", f"“{value.property}” is no property; known are {known}."
        return
    if value.unit != declared.unit:
        yield "unit", f"{declared.label} is kept in “{declared.unit}”, not “{value.unit}”; convert it."
    if value.component not in (declared.components or ("",)):
        known = ", ".join(declared.components) or "none"
        yield "component", f"{declared.label} has no component “{value.component}”; known: {known}."
    if value.origin == Value.Origin.MEASURED:
        yield "origin", "A measured value comes from its raw file; upload that, or say entered."

"""Rows of models for what every file of every instrument passes through.

Django looks at each field of a model when it makes a row, and sets each related row with several checks. For
a small file that was an eighth of all its work in the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=models.Model)


def loaded(model: type[Row], values: Mapping[str, Any]) -> Row:
    """As `from_db`: a column that is not among the values is loaded when somebody asks for it."""
    row = object.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    row.__dict__.update(values)
    return row


def fresh(model: type[Row], **values: Any) -> Row:
    """As `model(**values)`, with related rows that have their keys already."""
    row = object.__new__(model)
    row._state = ModelState()
    always = _always(model)  # type: ignore[arg-type]  # a class may be a key
    row.__dict__.update(always.the_same)
    for column, make in always.made_anew.items():
        row.__dict__[column] = make()
    for name in always.related.keys() & values:
        other = row._state.fields_cache[name] = values.pop(name)
        row.__dict__[always.related[name]] = None if other is None else other.pk
    row.__dict__.update(values)
    return row


class _Always(NamedTuple):
    """What holds for every row of a model: its defaults, and the columns of its related rows."""

    the_same: dict[str, Any]
    made_anew: dict[str, Callable[[], Any]]
    related: dict[str, str]


@cache
def _always(model: Any) -> _Always:
    fields = model._meta.concrete_fields
    made_anew = {field.attname: field.get_default for field in fields if callable(field.default)}
    the_same = {field.attname: field.get_default() for field in fields if field.attname not in made_anew}
    return _Always(the_same, made_anew, {field.name: field.attname for field in fields if field.is_relation})

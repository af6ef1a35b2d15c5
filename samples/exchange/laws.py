"""The models' own constraints, asked in Python.

Django asks the database once per constraint and row; for a sheet of ten thousand rows that is minutes. What
a constraint says here is what PostgreSQL will say again when the row is saved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q


def broken(row: models.Model) -> Iterator[tuple[str, str]]:
    """(field or "", sentence) of everything about this row alone that its model forbids."""
    model: Any = type(row)
    skipped = _links(model)
    refused: set[str] = set()
    try:
        row.clean_fields(exclude=skipped)
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            refused.add(name)
            yield name, " ".join(sentences)
    for constraint in _checks(model):
        names = _names(constraint.condition)
        if not refused & set(names) and holds(constraint.condition, row) is False:
            yield next(iter(names), ""), _sentence(constraint)


@cache
def _links(model: Any) -> frozenset[str]:
    return frozenset(field.name for field in model._meta.concrete_fields if field.is_relation)


@cache
def _checks(model: Any) -> tuple[models.CheckConstraint, ...]:
    return tuple(c for c in model._meta.constraints if isinstance(c, models.CheckConstraint))


def _sentence(constraint: models.CheckConstraint) -> str:
    message = str(constraint.violation_error_message)
    if message == str(models.CheckConstraint.default_violation_error_message):
        return f"This cannot be: {constraint.name.replace('_', ' ')}."
    return message


def _names(condition: Q) -> list[str]:
    """Fields that a condition speaks of, in its order."""
    found: list[str] = []
    for child in condition.children:
        found += _names(child) if isinstance(child, Q) else [child[0].split("__")[0]]
    return list(dict.fromkeys(found))


def holds(condition: Q, row: models.Model) -> bool | None:
    """True, False, or None where an empty field makes it unknown (which SQL lets pass)."""
    answers = [
        holds(child, row) if isinstance(child, Q) else _asked(row, child[0], child[1])
        for child in condition.children
    ]
    if condition.connector == Q.AND:
        answer = False if False in answers else None if None in answers else True
    else:
        answer = True if True in answers else None if None in answers else False
    return answer if answer is None or not condition.negated else not answer


def _asked(row: models.Model, path: str, wanted: Any) -> bool | None:
    name, _, lookup = path.partition("__")
    value = _value(row, name)
    if isinstance(wanted, F):
        wanted = _value(row, wanted.name)
    if lookup == "isnull":
        return (value is None) == wanted
    if lookup in ("", "exact") and wanted is None:
        return value is None
    if value is None or wanted is None:
        return None
    if lookup in ("gte", "lte", "gt", "lt"):
        return {
            "gte": value >= wanted,
            "lte": value <= wanted,
            "gt": value > wanted,
            "lt": value < wanted,
        }[lookup]
    if lookup in ("", "exact"):
        return value == wanted
    if lookup == "in":
        return value in wanted
    if lookup == "regex":
        return re.search(wanted, value) is not None
    return None  # a law of a kind not known here is left to PostgreSQL


def _value(row: models.Model, name: str) -> Any:
    """A link counts as filled when it holds an object, though that is not saved yet."""
    field = row._meta.get_field(name)
    if not field.is_relation:
        return getattr(row, name)
    return row._state.fields_cache.get(name) or getattr(row, field.attname)

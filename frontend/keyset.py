"""Pages by key: the ten-thousandth row costs what the first one costs. Never OFFSET.

Rows are ordered by one column, unknown values last in either direction, and by primary key among equals.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Model, Q, QuerySet

from samples.incoming import all_text


@dataclass(frozen=True)
class Page:
    rows: list[Any]  # model rows of whichever list it is
    after: str  # cursor of the next page, "" on the last
    before: str  # cursor of the previous page, "" on the first


def page(
    rows: QuerySet,
    column: str,
    *,
    descending: bool = False,
    after: str = "",
    before: str = "",
    size: int = 50,
) -> Page:
    """`size` rows after or before a cursor; a cursor that is none begins at the start."""
    field = _field(rows.model, column)
    backwards = _decoded(before, field) is not None
    cursor = _decoded(before if backwards else after, field)
    found = rows.order_by(*_order(column, descending, backwards))
    if cursor is not None:
        found = found.filter(_beyond(column, *cursor, descending=descending, backwards=backwards))
    taken = list(found[: size + 1])
    more, taken = len(taken) > size, taken[:size]
    if backwards:
        taken.reverse()
    if not taken:
        return Page([], "", "")
    has_next = more if not backwards else True
    has_previous = more if backwards else cursor is not None
    return Page(
        taken,
        _encoded(taken[-1], column) if has_next else "",
        _encoded(taken[0], column) if has_previous else "",
    )


def _order(column: str, descending: bool, backwards: bool) -> list[Any]:
    if backwards:  # the mirror image, unknown values first
        first = F(column).asc(nulls_first=True) if descending else F(column).desc(nulls_first=True)
        return [first, "-pk"]
    first = F(column).desc(nulls_last=True) if descending else F(column).asc(nulls_last=True)
    return [first, "pk"]


def _beyond(column: str, value: Any, pk: int, *, descending: bool, backwards: bool) -> Q:
    unknown = Q(**{f"{column}__isnull": True})
    if value is None:
        return (unknown & Q(pk__lt=pk)) | ~unknown if backwards else unknown & Q(pk__gt=pk)
    further = "lt" if descending != backwards else "gt"
    ties = Q(**{column: value, f"pk__{'lt' if backwards else 'gt'}": pk})
    beyond = Q(**{f"{column}__{further}": value}) | ties
    return beyond if backwards else beyond | unknown


def _encoded(row: Model, column: str) -> str:
    value: Any = row
    for name in column.split("__"):
        value = getattr(value, name, None)
    if isinstance(value, date):
        value = value.isoformat()
    return urlsafe_b64encode(json.dumps([value, row.pk]).encode()).decode().rstrip("=")


def _field(model: type[Model], column: str) -> Field:
    *relations, name = column.split("__")
    for relation in relations:
        model = model._meta.get_field(relation).related_model
    return model._meta.get_field(name)


def _decoded(cursor: str, field: Field) -> tuple[Any, int] | None:
    """Value and primary key; None for what is no cursor, or one of another column."""
    try:
        value, pk = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(value, (str, float, int, type(None))):
            return None
        value = field.to_python(value)
    except (ValueError, TypeError, ValidationError, RecursionError):
        return None
    return (value, pk) if type(pk) is int and all_text(value) else None

"""Named check constraints for physical quantities: what the laboratory could not have done is not saved."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

ABSOLUTE_ZERO_C = -273.15
# Beyond any quantity of nature, and small enough that sums of squares stay finite in PostgreSQL. Every
# quantity is bounded by it, for PostgreSQL holds NaN and Infinity to be greater than any number.
LARGEST = 1e100


def within(model: str, field: str, low: float = -LARGEST, high: float = LARGEST) -> models.CheckConstraint:
    """`field` lies in [low, high]; an unknown (null) value is always allowed."""
    return models.CheckConstraint(
        name=f"{model}_{field}_possible",
        condition=Q(**{f"{field}__gte": low, f"{field}__lte": high}) | Q(**{f"{field}__isnull": True}),
        violation_error_message=f"{_words(field)} must be {_span(low, high)}, or left empty when unknown.",
    )


def above_zero(model: str, field: str) -> models.CheckConstraint:
    """`field` is positive where it is known."""
    return models.CheckConstraint(
        name=f"{model}_{field}_above_zero",
        condition=Q(**{f"{field}__gt": 0, f"{field}__lte": LARGEST}) | Q(**{f"{field}__isnull": True}),
        violation_error_message=f"{_words(field)} must be above zero, or left empty when unknown.",
    )


def _words(field: str) -> str:
    words = field.replace("_", " ")
    return words[:1].upper() + words[1:]


def _span(low: float, high: float) -> str:
    if low == -LARGEST:
        return "a number" if high == LARGEST else f"{high:g} or less"
    return f"{low:g} or more" if high == LARGEST else f"{low:g} to {high:g}"

"""Named check constraints for physical quantities: what the laboratory could not have done is not saved."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

ABSOLUTE_ZERO_C = -273.15


def within(
    model: str, field: str, low: float | None = None, high: float | None = None
) -> models.CheckConstraint:
    """`field` lies in [low, high]; an unknown (null) value is always allowed."""
    condition = Q()
    if low is not None:
        condition &= Q(**{f"{field}__gte": low})
    if high is not None:
        condition &= Q(**{f"{field}__lte": high})
    if low is not None and high is not None:
        span = f"{low:g} to {high:g}"
    else:
        span = f"{low:g} or more" if low is not None else f"{high:g} or less"
    return models.CheckConstraint(
        name=f"{model}_{field}_possible",
        condition=condition | Q(**{f"{field}__isnull": True}),
        violation_error_message=f"{field.replace('_', ' ')} must be {span}, or left empty when unknown.",
    )


def above_zero(model: str, field: str) -> models.CheckConstraint:
    """`field` is positive where it is known."""
    return models.CheckConstraint(
        name=f"{model}_{field}_above_zero",
        condition=Q(**{f"{field}__gt": 0}) | Q(**{f"{field}__isnull": True}),
        violation_error_message=f"{field.replace('_', ' ')} must be above zero, or left empty when unknown.",
    )

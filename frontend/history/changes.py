"""Differences between two recipes, in words and with units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from frontend.formatting import number, percent, with_unit
from samples.recipe_diff import Change

SIGN = {"added": "+", "removed": "−", "changed": "→"}


@dataclass(frozen=True)
class ChangeTold:
    how: str
    sign: str
    what: str
    label: str
    before: str
    after: str


def told(changes: Iterable[Change]) -> list[ChangeTold]:
    return [
        ChangeTold(
            change.how,
            SIGN[change.how],
            change.what[:1].upper() + change.what[1:],
            change.label,
            _said(change.before, change),
            _said(change.after, change),
        )
        for change in changes
    ]


def _said(value: Any, change: Change) -> str:
    """Nothing known is said as nothing: the column beside it says added or removed."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).replace("_", " ") if change.field in ("medium", "basis") else str(value)
    if change.field == "mass_fraction":
        return percent(float(value))
    return with_unit(float(value), change.unit) if change.unit else number(float(value))

"""What a column of a table is: its name, its kind, its unit. Derived from the models, so that a new column
of a model is exported and imported without a second edit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

# Ending of a column's name → unit in its title. The longest ending wins.
UNITS = {
    "g_per_mol": "g/mol",
    "g_per_cm3": "g/cm³",
    "mw_per_cm2": "mW/cm²",
    "c_per_min": "°C/min",
    "ml_min": "mL/min",
    "fraction": "1",
    "humidity": "1",
    "purity": "1",
    "kpa": "kPa",
    "min": "min",
    "mm": "mm",
    "ml": "mL",
    "nm": "nm",
    "um": "µm",
    "c": "°C",
    "g": "g",
    "s": "s",
    "h": "h",
}
QUANTITIES_NAMED_BY_THEIR_UNIT = {"fraction", "humidity", "purity"}


@dataclass(frozen=True)
class Column:
    """kind: text (one line), words (any text), number, integer, truth, date, moment, choice, names, json, or
    reference (the text names a row of another table)."""

    name: str
    kind: str
    unit: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""
    field: str = ""
    longest: int | None = None

    @property
    def title(self) -> str:
        return f"{self.words} [{self.unit}]" if self.unit else self.words

    @property
    def words(self) -> str:
        """The title without its unit."""
        ending = _ending(self.name) if self.unit else ""
        if ending and ending not in QUANTITIES_NAMED_BY_THEIR_UNIT:
            return _spaced(self.name.removesuffix(f"_{ending}"))
        return _spaced(self.name)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _ending(name: str) -> str:
    fitting = [ending for ending in UNITS if re.search(rf"(?:^|_){ending}$", name)]
    return max(fitting, key=len, default="")


KINDS: list[tuple[type[models.Field], str]] = [
    (ArrayField, "names"),
    (models.JSONField, "json"),
    (models.BooleanField, "truth"),
    (models.DateTimeField, "moment"),
    (models.DateField, "date"),
    (models.FloatField, "number"),
    (models.IntegerField, "integer"),
    (models.TextField, "words"),
    (models.CharField, "text"),
]


def column_of(field: Any) -> Column:
    """The column that carries a plain field of a model. Any: Django's field types carry a value type."""
    kind = next(kind for of, kind in KINDS if isinstance(field, of))
    choices = tuple(str(value) for value, _ in field.choices or ())
    if choices:
        kind = "choice"
    may_be_left_out = field.null or field.blank or field.has_default()
    return Column(
        name=field.name,
        kind=kind,
        unit=UNITS.get(_ending(field.name), "") if kind == "number" else "",
        required=not may_be_left_out,
        choices=choices,
        help=str(field.help_text),
        field=field.name,
        longest=field.max_length if kind == "text" else None,
    )


def plain_fields(model: type[models.Model]) -> list[Any]:
    """Fields that a person wrote: no keys, no links to other rows, nothing that the machine keeps itself."""
    return [
        field
        for field in model._meta.concrete_fields
        if not field.primary_key
        and not field.is_relation
        and field.editable
        and not getattr(field, "auto_now", False)
        and not getattr(field, "auto_now_add", False)
    ]

"""What was checked is saved: everything, in one transaction, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pghistory
import pgtrigger
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import DecimalField, F, Max
from django.db.models.functions import Cast, Greatest
from django.utils import timezone

from samples.exchange.checking import Intake
from samples.exchange.parsing import Problem, Row
from samples.exchange.tables import tables
from samples.models import Ingredient, Preparation, Recipe, Sample, StockEntry
from samples.services.deriving import derive_factors

BATCH = 2_000
DUST_G = 5e-10  # half a nanogram, as in samples.services.stock
# `check` has looked for circles in the whole file, and what was there before descends from nothing in it.
# The trigger would walk the genealogy for every ingredient, through tables whose statistics know none of it.
WALKS_EACH_ANCESTRY = "samples.Ingredient:ingredient_makes_no_cycle"
IN_NANOGRAMS = DecimalField(max_digits=120, decimal_places=9)
CONSTRAINTS_IN_WORDS = {
    "sample_one_thing_a_slot": "Two samples stand in one slot; give one another place.",
    "samples_sample_code_key": "A code was taken meanwhile; choose another.",
}


class _NothingSaved(Exception):  # noqa: N818  it is no error: a rehearsal ends like this
    def __init__(self, problems: Sequence[Problem] = ()) -> None:
        self.problems = list(problems)


def commit(intake: Intake, *, reason: str, rehearse: bool = False) -> list[Problem]:
    """Save what `check` made. Problems mean that nothing was saved; a rehearsal takes all back again."""
    if intake.problems:
        return intake.problems
    try:
        with transaction.atomic(), pghistory.context(reason=reason), pgtrigger.ignore(WALKS_EACH_ANCESTRY):
            overdrawn = _saved(intake)
            if overdrawn or rehearse:
                raise _NothingSaved(overdrawn)
            _derived(intake.rows["samples"])
    except _NothingSaved as nothing:
        return nothing.problems
    except IntegrityError as error:
        return [Problem("", "", _in_words(error))]
    except DatabaseError as error:
        return [Problem("", "", f"The database refused the file: {_first_line(error)}")]
    return []


def _saved(intake: Intake) -> list[Problem]:
    from_stock = [row for row in intake.rows["ingredients"] if _is_stored_already(row)]
    frozen = _thawed(intake.rows["recipes"], intake.rows["preparations"])
    for table in tables():
        rows = [row for row in intake.rows[table.name] if not row.found]
        for model in dict.fromkeys(table.models.values()):
            _inserted(model, [row.made for row in rows if type(row.made) is model])
    for recipe, moment in frozen:
        recipe.frozen_at = moment
    Recipe.objects.bulk_update([recipe for recipe, _ in frozen], ["frozen_at"], batch_size=BATCH)
    return _taken(from_stock)


def _derived(rows: Sequence[Row]) -> None:
    made = [row.made for row in rows if isinstance(row.made, Sample)]
    for start in range(0, len(made), BATCH):
        derive_factors(made[start : start + BATCH])


def _is_stored_already(row: Row) -> bool:
    """Whether what a row weighs from was there before the file; asked before anything is saved."""
    parent = row.links.get("sample")
    return parent is not None and parent.pk is not None


def _thawed(recipes: Iterable[Row], preparations: Iterable[Row]) -> list[tuple[Recipe, Any]]:
    """Recipes that will be frozen, with the moment: a frozen one takes no components and steps any more."""
    now = timezone.now()
    moments: dict[int, tuple[Recipe, Any]] = {}
    for row in recipes:
        if isinstance(row.made, Recipe) and row.made.frozen_at is not None:
            moments[id(row.made)] = (row.made, row.made.frozen_at)
            row.made.frozen_at = None
    for row in preparations:
        used = row.made.recipe if isinstance(row.made, Preparation) else None
        if used is not None and used.frozen_at is None:
            moments.setdefault(id(used), (used, now))
    return list(moments.values())


def _inserted(model: type[models.Model], rows: Sequence[Any]) -> None:
    """Rows that others of them refer to are saved first."""
    selves = [field.name for field in model._meta.concrete_fields if field.related_model is model]
    waiting = list(rows)
    while waiting:
        ready = [row for row in waiting if all(_is_stored(row, name) for name in selves)]
        model._default_manager.bulk_create(ready, batch_size=BATCH)
        saved = set(map(id, ready))
        waiting = [row for row in waiting if id(row) not in saved]


def _is_stored(row: Any, name: str) -> bool:
    above = getattr(row, name)
    return above is None or above.pk is not None


def _taken(rows: Sequence[Row]) -> list[Problem]:
    """What is weighed from samples that were there before leaves them, by one conditional UPDATE each.

    A recount is the truth from its moment on, so what was weighed before it is in it already.
    """
    parents = {row.made.sample_id for row in rows if isinstance(row.made, Ingredient)} - {None}
    recounts = StockEntry.objects.filter(sample__in=parents, kind=StockEntry.Kind.RECOUNT)
    counted = dict(recounts.values_list("sample").annotate(Max("at")))
    taken_g: dict[int, float] = defaultdict(float)
    first: dict[int, Row] = {}
    for row in rows:
        weighed = row.made
        if not isinstance(weighed, Ingredient) or weighed.mass_g is None or weighed.sample_id is None:
            continue
        last_count = counted.get(weighed.sample_id)
        if weighed.weighed_at is None or last_count is None or weighed.weighed_at >= last_count:
            taken_g[weighed.sample_id] += weighed.mass_g
            first.setdefault(weighed.sample_id, row)
    return [
        problem
        for pk, mass_g in sorted(taken_g.items())
        if (problem := _take(pk, mass_g, first[pk])) is not None
    ]


def _take(pk: int, mass_g: float, row: Row) -> Problem | None:
    known = Sample.objects.filter(pk=pk, mass_left_g__isnull=False)
    rest = Greatest(Cast(F("mass_left_g") - mass_g, IN_NANOGRAMS), Cast(0, IN_NANOGRAMS))
    if known.filter(mass_left_g__gte=mass_g - DUST_G).update(mass_left_g=rest):
        return None
    short = known.first()
    if short is None:
        return None  # an unknown amount stays unknown
    return row.problem(
        f"{mass_g:g} g are taken from {short.code}, of which {short.mass_left_g:g} g are left; "
        "recount it, or correct the masses.",
        "mass_g",
    )


def _in_words(error: IntegrityError) -> str:
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
    if name in CONSTRAINTS_IN_WORDS:
        return CONSTRAINTS_IN_WORDS[name]
    return (
        f"The database refused the file: {name.replace('_', ' ') or _first_line(error)}. Nothing was saved."
    )


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]

"""Values as methods over values get them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from django.db.models import QuerySet

from analysis import properties
from analysis.methods import LoadedMethod, ValueRow
from analysis.methods._contract import FACTORS
from analysis.models import Run, Value, ValueInput
from samples.models import Project, Sample

Subject: TypeAlias = Sample | Project
Rows: TypeAlias = dict[int, ValueRow]  # by the key of the value
NUMBERS = sorted(FACTORS)
COLUMNS = (
    "pk", "sample__code", "property", "value", "sigma", "component", "origin", "method",
    "measurement__acquired_at", "sample__preparation__recipe_id", *(f"sample__factors__{n}" for n in NUMBERS),
)  # fmt: skip
# What was measured and what somebody entered belong together; a simulation is not mixed with either.
OWN = (str(Value.Origin.MEASURED), str(Value.Origin.ENTERED))
SIMULATED = (str(Value.Origin.SIMULATED),)


def rows_for(loaded: LoadedMethod, subject: Subject) -> Rows:
    """What the method is given today; empty when that is not enough to ask it.

    Current numbers of samples that are not void, from the first method of each property that speaks of
    them or entered by hand, neither limits nor words. Of one origin: what was measured here or entered, and
    where there is none of it, what was simulated; what is published elsewhere never. Into a project's runs
    nothing goes that is under an embargo: everybody in the project reads the result.
    """
    values = _counting(loaded, subject)
    for origins in (OWN, SIMULATED):
        found = _read(values.filter(origin__in=origins), loaded)
        if found:
            return found if _enough(loaded, found.values()) else {}
    return {}


def _counting(loaded: LoadedMethod, subject: Subject) -> QuerySet[Value]:
    values = Value.objects.filter(
        current=True,
        value__isnull=False,
        upper=None,
        comparator__in=["=", "~"],
        property__in=loaded.method.reads,
        sample__voided_at=None,
    )
    if isinstance(subject, Sample):
        return values.filter(sample=subject)
    embargoed = Sample.objects.under_embargo().order_by().values("pk")
    return values.filter(sample__project=subject).exclude(sample__in=embargoed)


def _read(values: QuerySet[Value], loaded: LoadedMethod) -> Rows:
    rows = {
        pk: _row(columns, loaded) for pk, *columns in values.order_by("pk").values_list(*COLUMNS).iterator()
    }
    ranked = {key: properties.methods_yielding(key) for key in loaded.method.reads}
    # Of each sample the preferred method speaks, and the next one where it has said nothing.
    voice: dict[tuple[str, str, str], str] = {}
    for row in rows.values():
        order = ranked[row.property]
        if row.method in order:
            before = voice.get(_about(row), row.method)
            voice[_about(row)] = min(row.method, before, key=order.index)
    return {pk: row for pk, row in rows.items() if row.method in ("", voice.get(_about(row)))}


def _about(row: ValueRow) -> tuple[str, str, str]:
    return row.sample, row.property, row.component


def rows_of_runs(loaded: Mapping[int, LoadedMethod]) -> dict[int, Rows]:
    """What runs were asked with, in one statement; by run."""
    found: dict[int, Rows] = {key: {} for key in loaded}
    given = ValueInput.objects.filter(run__in=list(loaded)).order_by("value")
    for key, pk, *columns in given.values_list("run", *(f"value__{name}" for name in COLUMNS)):
        found[key][pk] = _row(columns, loaded[key])
    return found


def _row(columns: Sequence[Any], loaded: LoadedMethod) -> ValueRow:
    code, key, value, sigma, component, origin, method, acquired_at, recipe, *numbers = columns
    known = dict(zip(NUMBERS, numbers, strict=True))
    return ValueRow(
        sample=code,
        property=key,
        value=value,
        sigma=sigma,
        component=component,
        origin=origin,
        method=method,
        measured_at=acquired_at,
        recipe="" if recipe is None else str(recipe),
        factors={name: known[name] for name in loaded.method.factors if known[name] is not None},
    )


def _enough(loaded: LoadedMethod, rows: Iterable[ValueRow]) -> bool:
    """A method that would only say that there is too little is not asked."""
    counts: Counter[tuple[str, str]] = Counter()
    repeats: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        counts[row.property, row.component] += 1
        repeats[row.property, row.component, row.sample] += 1
    method = loaded.method
    repeated = {(key, of) for (key, of, _), n in repeats.items() if n >= method.repeats}
    fit = {key for (key, of), n in counts.items() if n >= method.at_least and (key, of) in repeated}
    return fit >= set(method.needs) and bool(fit)


def identity_over(loaded: LoadedMethod, params: Mapping[str, Any], subject: Subject, rows: Rows) -> str:
    """SHA-256 over everything that decides the result: values, and what the method sees of samples."""
    question = {
        "method": [loaded.key, loaded.method.version],
        "params": dict(params),
        loaded.method.over: subject.pk,
        "values": [[pk, asdict(row)] for pk, row in sorted(rows.items())],
    }
    return hashlib.sha256(json.dumps(question, sort_keys=True, default=str).encode()).hexdigest()


def origins_of(runs: Sequence[Run]) -> dict[int, str]:
    """What the results of runs over values are: no better than the least of what they read."""
    found: dict[int, str] = {}
    given = ValueInput.objects.filter(run__in=[run.pk for run in runs]).order_by()
    for run_pk, origin in given.values_list("run", "value__origin").distinct():
        found[run_pk] = max(found.get(run_pk, OWN[0]), origin, key=(*OWN, *SIMULATED).index)
    return found

"""Which of many values a page shows for a property, and how many more there are.

The property's preferred method speaks; its replicates are combined with their sigmas; origins are never
mixed, nor limits with numbers. The same rule as `analysis.explore`, which applies it in SQL.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import Prefetch, QuerySet

from analysis import properties
from analysis.explore.combining import SMALLEST_SIGMA
from analysis.methods.base import Property
from analysis.models import Conflict, Value
from frontend.formatting import Written, quantity

# What people look for first on a sample's page; the rest follows in the order of its declaration.
FIRST = ("plqy", "pl_peak_center", "pl_peak_fwhm", "trpl_tau_amp", "band_gap", "phase_fraction", "tg")
# What a laboratory would rather believe, first.
ORIGINS = ("measured", "entered", "published", "simulated", "predicted")
EXACT = ("=", "~")


@dataclass(frozen=True)
class Shown:
    """One line of "what it is". `written` is None where the source gives words and no number."""

    label: str
    symbol: str
    component: str
    written: Written | None
    text: str
    origin: str
    rows: list[Value]
    others: list[Value]

    @property
    def source(self) -> Value:
        return self.rows[0]

    @property
    def doubt(self) -> str:
        """Why one of them is in doubt, such as a withdrawn calibration."""
        return next((row.run.stale for row in self.rows if row.run and row.run.stale), "")

    @property
    def inferred(self) -> bool:
        return any(row.inferred for row in self.rows)


def shown(values: Iterable[Value]) -> list[Shown]:
    """One line per property and component, what people look for first on top."""
    order = {key: place for place, key in enumerate(dict.fromkeys([*FIRST, *properties.all()]))}

    def subject(value: Value) -> tuple[int, str, str]:
        return order.get(value.property, len(order)), value.property, value.component

    ordered = sorted(values, key=subject)
    return [_line(list(group)) for _, group in groupby(ordered, key=subject)]


def with_conflicts(values: QuerySet[Value], user: Any) -> QuerySet[Value]:
    """Each with `open_conflicts`, those that the user may see."""
    seen = Conflict.objects.visible_to(user).open()
    return values.prefetch_related(Prefetch("conflicts", queryset=seen, to_attr="open_conflicts"))


def by_sample(values: Iterable[Value]) -> dict[int, dict[tuple[str, str], Shown]]:
    """sample id → (property, component) → what is shown, for a list of samples."""
    found: dict[int, dict[tuple[str, str], Shown]] = {}
    ordered = sorted(values, key=lambda value: value.sample_id or 0)
    for sample_id, group in groupby(ordered, key=lambda value: value.sample_id or 0):
        found[sample_id] = {(line.source.property, line.component): line for line in shown(group)}
    return found


def _line(values: list[Value]) -> Shown:
    first = values[0]
    declared = properties.all().get(first.property) or Property(first.property, first.property, first.unit)
    chosen = _of_one_voice(values)
    used = {value.pk for value in chosen}
    return Shown(
        label=declared.label,
        symbol=declared.html,
        component=first.component,
        written=_written(chosen, declared),
        text=chosen[0].text,
        origin=chosen[0].origin,
        rows=chosen,
        others=[value for value in values if value.pk not in used],
    )


def _of_one_voice(values: Sequence[Value]) -> list[Value]:
    """The replicates that are shown: best origin, numbers before words, the preferred method."""
    best = min(values, key=lambda v: (v.value is None, ORIGINS.index(v.origin), -v.pk))
    same = [v for v in values if v.origin == best.origin and (v.value is None) == (best.value is None)]
    if best.value is None or best.upper is not None:
        return [best]
    preferred = properties.preferred_method(best.property)
    of_method = [v for v in same if v.method in ("", preferred)]
    return _without_idle_limits(of_method or [v for v in same if v.method == best.method])


def _without_idle_limits(values: Sequence[Value]) -> list[Value]:
    """Every number; without any, the tightest limit, for limits have no mean. Upper ones go first."""

    def tightest(limit: Value) -> tuple[bool, float, bool]:
        assert limit.value is not None  # words were left out before
        lower = limit.comparator.startswith(">")
        return lower, -limit.value if lower else limit.value, limit.comparator.endswith("=")

    return [v for v in values if v.comparator in EXACT] or [min(values, key=tightest)]


def _written(values: Sequence[Value], declared: Property) -> Written | None:
    first = values[0]
    if first.value is None:
        return None
    number, sigma = combined([(v.value, v.sigma) for v in values if v.value is not None])
    return quantity(
        number,
        sigma,
        first.unit,
        upper=first.upper,
        comparator="~" if any(v.comparator == "~" for v in values) else first.comparator,
        as_percent=declared.as_percent,
    )


def combined(replicates: Sequence[tuple[float, float | None]]) -> tuple[float, float | None]:
    """Weighted mean and its standard error; where a sigma is missing, plain mean and that of the scatter,
    unknown where there is none.

    Weights are 1/σ². Where they scatter more than their sigmas say, the error grows by the Birge ratio.
    R. T. Birge, Phys. Rev. 40 (1932) 207.
    """
    if len(replicates) == 1:
        return replicates[0]
    sigmas = [sigma for _, sigma in replicates if sigma and sigma > SMALLEST_SIGMA]
    if len(sigmas) < len(replicates):
        values = [value for value, _ in replicates]
        scatter = statistics.stdev(values)
        return statistics.fmean(values), scatter / math.sqrt(len(values)) if scatter else None
    weights = [1 / sigma**2 for sigma in sigmas]
    total = math.fsum(weights)
    mean = math.fsum(w * value for w, (value, _) in zip(weights, replicates, strict=True)) / total
    chi2 = math.fsum(w * (value - mean) ** 2 for w, (value, _) in zip(weights, replicates, strict=True))
    birge = math.sqrt(chi2 / (len(replicates) - 1))
    return mean, max(birge, 1.0) / math.sqrt(total)

"""What a campaign changed: by how much, where most, and which conclusions moved.

The report holds keys and numbers, never names: who reads it may see less than it knows.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Exists, OuterRef, Q, Sum

from analysis import methods, properties
from analysis.explore.combining import combine, keys
from analysis.models import Reanalysis, Run, Value
from analysis.services.comparing import Subject, in_sigmas
from samples.models import User

LARGEST = 20
TOP = 5
MOST_REASONS = 20
RANKED = ("sample", "value", "sigma", "comparator")
BOUNDS = (0.1, 0.5, 1.0, 2.0, 5.0)  # σ; below the first, between, and above the last
Rows = list[tuple[int, float, float | None, str]]
Said = dict[tuple[int, str, str], Any]  # (run that was asked again, property, component) → key, value, sigma


@dataclass(frozen=True)
class Change:
    """The keys of an old and of a new value, and how far it went in σ; None where no σ is stated."""

    property: str
    component: str
    old: int
    new: int
    sigmas: float | None


def report_of(campaign: Reanalysis) -> dict[str, Any]:
    runs = campaign.runs.all()
    counted = runs.aggregate(
        asked=Count("pk"),
        done=Count("pk", filter=Q(status=Run.Status.DONE)),
        failed=Count("pk", filter=Q(status=Run.Status.FAILED)),
        cancelled=Count("pk", filter=Q(status=Run.Status.CANCELLED)),
        seconds=Sum("duration_s", default=0.0),
    )
    found = list(changes(campaign))
    old, new = _before_and_after(campaign)
    return {
        "runs": counted,
        "values": {
            "compared": len(found),
            "appeared": len(new.keys() - old.keys()),
            "vanished": len(old.keys() - new.keys()),
        },
        "bounds": BOUNDS,
        "properties": [_distribution(*subject, of) for subject, of in sorted(_by_subject(found).items())],
        "largest": [
            {"old": change.old, "new": change.new, "sigmas": change.sigmas} for change in _largest(found)
        ],
        "conclusions": list(conclusions(campaign)),
        "failures": _failures(runs.filter(status=Run.Status.FAILED)),
    }


def changes(campaign: Reanalysis) -> Iterator[Change]:
    """Values of the campaign, each beside that of the run whose question it answers anew."""
    old, new = _before_and_after(campaign)
    for key, (pk, value, sigma) in new.items():
        if key in old:
            was, was_value, was_sigma = old[key]
            sigmas = in_sigmas(value - was_value, was_sigma, sigma)
            yield Change(key[1], key[2], was, pk, sigmas)


def _before_and_after(campaign: Reanalysis) -> tuple[Said, Said]:
    """Two plain queries, joined here: a join of so many rows is left to no planner's guess."""
    new = Value.objects.filter(run__reanalysis=campaign, run__status=Run.Status.DONE)
    redone = campaign.runs.filter(status=Run.Status.DONE).values("supersedes")
    old = Value.objects.filter(run__in=redone)
    said = ("pk", "value", "sigma")
    order = ("property", "component", "pk")
    return (
        {
            (run, key, component): tuple(rest)
            for run, key, component, *rest in old.order_by().values_list("run", *order[:2], *said)
        },
        {
            (run, key, component): tuple(rest)
            for run, key, component, *rest in new.order_by(*order).values_list(
                "run__supersedes", *order[:2], *said
            )
        },
    )


def _by_subject(found: Iterable[Change]) -> dict[Subject, list[Change]]:
    groups: dict[Subject, list[Change]] = {}
    for change in found:
        groups.setdefault((change.property, change.component), []).append(change)
    return groups


def _distribution(key: str, component: str, found: list[Change]) -> dict[str, Any]:
    sizes = [abs(change.sigmas) for change in found if change.sigmas is not None]
    moved = [size for size in sizes if size > 0]
    places = np.searchsorted(BOUNDS, moved, side="right") if moved else np.empty(0, int)
    return {
        "property": key,
        "component": component,
        "compared": len(found),
        "same": len(sizes) - len(moved),
        "without_sigma": len(found) - len(sizes),
        "bins": np.bincount(places, minlength=len(BOUNDS) + 1).tolist(),
        "median": statistics.median(sizes) if sizes else None,
        "largest": max(sizes, default=None),
    }


def _largest(found: Iterable[Change]) -> list[Change]:
    moved = [change for change in found if change.sigmas]
    return sorted(moved, key=lambda change: -abs(change.sigmas or 0))[:LARGEST]


def _failures(failed: Any) -> list[dict[str, Any]]:
    reasons: Counter[str] = Counter()
    runs: dict[str, list[int]] = {}
    for pk, message in failed.order_by("pk").values_list("pk", "message"):
        reasons[message] += 1
        runs.setdefault(message, []).append(pk)
    return [
        {"sentence": sentence, "count": count, "runs": runs[sentence][:MOST_REASONS]}
        for sentence, count in reasons.most_common(MOST_REASONS)
    ]


def conclusions(campaign: Reanalysis) -> Iterator[dict[str, Any]]:
    """Where the best samples of the project are others now, or in another order, by this campaign alone.

    `before` and `after` are the keys of the samples, the best first; replicates are combined as in Explore,
    and origins are never mixed.
    """
    stood = set(_stood_before(campaign).values_list("supersedes", flat=True))
    for key in sorted(_shown_properties(campaign)):
        rows = Value.objects.filter(
            Q(current=True) | Q(rejected=False, run__in=stood),
            method=properties.preferred_method(key),
            property=key,
            value__isnull=False,
            sample__project=campaign.project_id,
            sample__voided_at=None,
        )
        best_first = properties.get(key).higher_is_better is not False
        before: dict[Subject, Rows] = {}
        after: dict[Subject, Rows] = {}
        columns = ("component", "origin", "current", "run", "run__reanalysis", *RANKED)
        for component, origin, current, run, reanalysis, *row in rows.order_by("pk").values_list(*columns):
            if current:
                after.setdefault((component, origin), []).append(tuple(row))
            if run in stood or (current and reanalysis != campaign.pk):
                before.setdefault((component, origin), []).append(tuple(row))
        for component, origin in sorted({*before, *after}):
            was = _ranking(before.get((component, origin), []), best_first)
            now = _ranking(after.get((component, origin), []), best_first)
            if was != now:
                yield {
                    "property": key,
                    "component": component,
                    "origin": origin,
                    "before": was,
                    "after": now,
                }


def _shown_properties(campaign: Reanalysis) -> set[str]:
    """Properties that figures show by a method of the campaign."""
    used = campaign.runs.order_by().values_list("method", flat=True).distinct()
    declared = {(key, each.key) for key in used for each in methods.get(key).method.properties}
    return {key for method, key in declared if properties.preferred_method(key) == method}


def _stood_before(campaign: Reanalysis) -> Any:
    """Runs that would still be current without the campaign."""
    later = Run.objects.filter(
        measurement=OuterRef("measurement"),
        method=OuterRef("method"),
        status=Run.Status.DONE,
        verifies=None,
        requested_at__gt=OuterRef("requested_at"),
    )
    standing = campaign.runs.filter(~Exists(later), status=Run.Status.DONE)
    return standing.exclude(measurement__status="void")


def _ranking(rows: Rows, best_first: bool) -> list[int]:
    if not rows:
        return []
    sample, value, sigma, comparator = zip(*rows, strict=True)
    one_origin = np.full(len(rows), b"me")  # all of them are of the same
    points = combine(
        keys(np.array(sample), one_origin),
        np.array(value, float),
        np.array([np.nan if each is None else each for each in sigma], float),
        np.array(comparator),
    )
    order = np.lexsort((points.key, -points.value if best_first else points.value))
    return (points.key[order][:TOP] >> 3).tolist()


COLUMNS = (
    "sample", "measurement", "property", "component", "unit", "old_run", "old_value", "old_sigma", "new_run",
    "new_value", "new_sigma", "difference_in_sigma",
)  # fmt: skip


def change_rows(campaign: Reanalysis, user: User) -> Iterator[tuple[Any, ...]]:
    """Every value of the campaign beside its forerunner, with a heading; of those that the reader may see."""
    yield COLUMNS
    old, _ = _before_and_after(campaign)
    seen = Value.objects.visible_to(user).filter(run__reanalysis=campaign, run__status=Run.Status.DONE)
    rows = seen.order_by("property", "component", "pk").values_list(
        "sample__code", "measurement", "property", "component", "unit", "run__supersedes", "run", "value",
        "sigma",
    )  # fmt: skip
    for code, measurement, key, component, unit, redone, run, now, now_sigma in rows:
        _, was, was_sigma = old.get((redone, key, component), (None, None, None))
        sigmas = None if was is None else in_sigmas(now - was, was_sigma, now_sigma)
        cells = (code, measurement, key, component, unit, redone, was, was_sigma, run, now, now_sigma, sigmas)
        yield tuple("" if cell is None else cell for cell in cells)

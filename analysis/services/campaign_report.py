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
BOUNDS = (0.1, 0.5, 1.0, 2.0, 5.0)  # σ; below the first, between, and above the last
Rows = list[tuple[int, float, float | None, str]]


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
    appeared, vanished = _only_once(campaign)
    return {
        "runs": counted,
        "values": {"compared": len(found), "appeared": appeared, "vanished": vanished},
        "bounds": BOUNDS,
        "properties": [_distribution(*subject, of) for subject, of in sorted(_by_subject(found).items())],
        "largest": [
            {"old": change.old, "new": change.new, "sigmas": change.sigmas} for change in _largest(found)
        ],
        "conclusions": list(conclusions(campaign)),
        "failures": _failures(runs.filter(status=Run.Status.FAILED)),
    }


def pairs(campaign: Reanalysis) -> Any:
    """Values of the campaign, each beside that of the run whose question it answers anew."""
    before = Value.objects.filter(
        run=OuterRef("run__supersedes"), property=OuterRef("property"), component=OuterRef("component")
    )
    new = Value.objects.filter(run__reanalysis=campaign, run__status=Run.Status.DONE)
    return new.annotate(
        old_id=before.values("pk")[:1],
        old_value=before.values("value")[:1],
        old_sigma=before.values("sigma")[:1],
    )


def changes(campaign: Reanalysis) -> Iterator[Change]:
    both = pairs(campaign).filter(old_id__isnull=False).order_by("property", "component", "pk")
    columns = ("property", "component", "old_id", "old_value", "old_sigma", "pk", "value", "sigma")
    for key, component, old, was, was_sigma, new, now, now_sigma in both.values_list(*columns):
        yield Change(key, component, old, new, in_sigmas(now - was, was_sigma, now_sigma))


def _only_once(campaign: Reanalysis) -> tuple[int, int]:
    """How many values only the new runs gave, and how many only the old ones."""
    done = campaign.runs.filter(status=Run.Status.DONE)
    again = Value.objects.filter(
        run__supersedes=OuterRef("run"),
        run__reanalysis=campaign,
        property=OuterRef("property"),
        component=OuterRef("component"),
    )
    vanished = Value.objects.filter(~Exists(again), run__in=done.values("supersedes")).count()
    return pairs(campaign).filter(old_id=None).count(), vanished


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
    after = Q(current=True)
    before = (after & ~Q(run__reanalysis=campaign)) | Q(rejected=False, run__in=_stood_before(campaign))
    for key in sorted(_shown_properties(campaign)):
        rows = Value.objects.filter(
            before | after,
            method=properties.preferred_method(key),
            property=key,
            sample__project=campaign.project_id,
            sample__voided_at=None,
        )
        best_first = properties.get(key).higher_is_better is not False
        subjects = rows.order_by("component", "origin").values_list("component", "origin").distinct()
        for component, origin in subjects:
            of = rows.filter(component=component, origin=origin)
            was, now = _ranking(of.filter(before), best_first), _ranking(of.filter(after), best_first)
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
    return standing.exclude(measurement__status="void").values("supersedes")


def _ranking(values: Any, best_first: bool) -> list[int]:
    rows: Rows = list(values.values_list("sample", "value", "sigma", "comparator"))
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
    """Every pair of old and new, with a heading; of those that the reader may see."""
    yield COLUMNS
    seen = pairs(campaign).filter(pk__in=Value.objects.visible_to(user).values("pk"))
    rows = seen.order_by("property", "component", "pk").values_list(
        "sample__code", "measurement", "property", "component", "unit", "run__supersedes", "old_value",
        "old_sigma", "run", "value", "sigma",
    )  # fmt: skip
    for row in rows.iterator(chunk_size=2000):
        was, was_sigma, _, now, now_sigma = row[6:]
        sigmas = None if was is None else in_sigmas(now - was, was_sigma, now_sigma)
        yield (*("" if cell is None else cell for cell in row), "" if sigmas is None else sigmas)

"""The question that an address of Explore asks, in the words of `GET /api/v1/explore/`; `as` is the figure.

A page, its figure and the call that repeats it in a script are the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from django.http import HttpRequest, QueryDict

from analysis import explore
from analysis.explore.axes import FACTORS
from analysis.models import Value
from frontend import figures, formatting
from frontend.scope import ALL, narrowed, scope
from samples.models import ProcessFactors
from samples.querysets import hidden_from

DEFAULT = {
    "x": "sintering_temperature_c",
    "y": "plqy",
    "color": "loading_mass_fraction",
    "as": "map",
}
LOADING = "loading_mass_fraction"
OFFERED_FOR_S = 15
MOST_LEVELS = 40


def asked(request: HttpRequest) -> QueryDict:
    """What the address asks, with what it leaves open filled in: the map of PL quantum yield, and the project
    that is chosen in the frame."""
    query = request.GET.copy()
    if not query.get("x") and not query.get("y"):
        for name, value in DEFAULT.items():
            query.setdefault(name, value)
    for name in ("x", "y"):
        query[name] = query.get(name) or DEFAULT[name]
    offered = [loaded.key for loaded in figures.taking("points")]
    query["as"] = query["as"] if query.get("as") in offered else offered[0]
    _value_upright(query)
    chosen = scope(request).project
    if not query.getlist("project"):
        query["project"] = chosen.slug if chosen else ALL
    return query


def _value_upright(query: QueryDict) -> None:
    """The property is y: a question that names it as colour or x means the same map or plot."""
    for other in ("color", "x"):
        if query["y"] in FACTORS and query.get(other) and query[other] not in FACTORS:
            query["y"], query[other] = query[other], query["y"]


def for_interface(query: QueryDict) -> QueryDict:
    """The same question in the words of the REST interface."""
    plain = query.copy()
    plain.pop("as", None)
    plain.setlist("project", [slug for slug in query.getlist("project") if slug not in (ALL, "")])
    if not plain.getlist("project"):
        plain.pop("project", None)
    return plain


@dataclass(frozen=True)
class Choice:
    """One option of a filter, with how many samples it has and whether it is chosen."""

    value: str
    label: str
    count: int | None = None
    chosen: bool = False


def axes_on_offer(request: HttpRequest, query: QueryDict) -> dict[str, list[explore.Axis]]:
    """Factors, and those properties of which the reader can see a value, or which the address names."""
    named = {query.get(name) for name in ("x", "y", "color")}
    seen = _properties_with_values(request)
    offered: dict[str, list[explore.Axis]] = {"factor": [], "property": []}
    for axis in explore.axes():
        if axis.kind == "factor" or axis.key in named or (axis.property, axis.component) in seen:
            offered[axis.kind].append(axis)
    return offered


def _properties_with_values(request: HttpRequest) -> set[tuple[str, str]]:
    """One probe of the covering index a property: asking for the distinct ones would read every value."""
    key = f"properties-with-values-{request.user.pk}"
    known = cache.get(key)
    if known is None:
        declared = [axis for axis in explore.axes() if axis.kind == "property"]
        projects = [membership.project_id for membership in scope(request).memberships]
        hidden, given = hidden_from(request.user).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT property, component
                FROM unnest(%s::text[], %s::text[]) AS asked(property, component)
                WHERE EXISTS (
                    SELECT 1 FROM analysis_value v JOIN samples_sample s ON s.id = v.sample_id
                    WHERE v.current AND v.value IS NOT NULL AND v.sample_id IS NOT NULL
                    AND v.property = asked.property AND v.component = asked.component
                    AND s.project_id = ANY(%s) AND s.voided_at IS NULL AND s.id NOT IN ({hidden}))""",  # noqa: S608
                [
                    [axis.property for axis in declared],
                    [axis.component for axis in declared],
                    projects,
                    *given,
                ],
            )
            known = set(cursor.fetchall())
        cache.set(key, known, OFFERED_FOR_S)
    return known


def quenches(request: HttpRequest, query: QueryDict) -> list[Choice]:
    return _named(request, query, "quench_medium")


def _named(request: HttpRequest, query: QueryDict, factor: str) -> list[Choice]:
    chosen = query.getlist(factor)
    counted = (
        narrowed_factors(request)
        .exclude(**{factor: ""})
        .values_list(factor)
        .annotate(Count("pk"))
        .order_by(factor)
    )
    return [Choice(word, word.replace("_", " "), count, word in chosen) for word, count in counted]


def origins(query: QueryDict) -> list[Choice]:
    chosen = query.getlist("origin")
    return [
        Choice(key, formatting.ORIGIN_WORDS[key], None, key in chosen)
        for key in Value.Origin.values
        if key != Value.Origin.PREDICTED
    ]


def loadings(request: HttpRequest) -> list[Choice]:
    return levels(request, LOADING, formatting.percent)


def levels(request: HttpRequest, factor: str, written: Callable[[float], object]) -> list[Choice]:
    """The values of a factor that occur, each with its number of samples; at most 40, evenly taken."""
    counted = list(
        narrowed_factors(request)
        .filter(**{f"{factor}__isnull": False})
        .values_list(factor)
        .annotate(Count("pk"))
        .order_by(factor)
    )
    step = max(1, -(-len(counted) // MOST_LEVELS))
    return [Choice(repr(value), str(written(value)), count) for value, count in counted[::step]]


def bars(levels: Sequence[Choice], width: int = 160, height: int = 28) -> list[dict[str, Any]]:
    """The histogram above the loading filter, as rectangles."""
    most = max((level.count or 0 for level in levels), default=0)
    step = width / max(len(levels), 1)
    return [
        {
            "x": round(index * step, 2),
            "y": round(height * (1 - (level.count or 0) / most), 2),
            "width": round(max(step - 1, 0.5), 2),
            "height": round(height * (level.count or 0) / most, 2),
            "label": f"{level.label}: {level.count}",
        }
        for index, level in enumerate(levels)
    ]


def narrowed_factors(request: HttpRequest) -> Any:
    """Factors of the samples that the reader sees in the chosen project; a queryset, hence Any."""
    return narrowed(ProcessFactors.objects.filter(sample__voided_at=None), request, "sample__project")

"""One SQL statement for one question.

Names in it come from this module's own constants and from the columns of ProcessFactors, never from the
request; whatever the request brings travels as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis import properties
from analysis.explore.axes import FACTORS, Axis, ExploreError, axis
from analysis.explore.filters import Filters
from samples.models import Project

# Weighted where every replicate states a sigma; `weight` leaves out sigmas that are zero or absurdly small.
COMBINED = """{name} AS MATERIALIZED (
    SELECT sample_id, origin, count(*) AS n,
        CASE WHEN count(*) = 1 THEN min(value)
             WHEN count(weight) = count(*) THEN sum(weight * value) / sum(weight)
             ELSE avg(value) END AS value,
        CASE WHEN count(*) = 1 THEN min(sigma)
             WHEN count(weight) = count(*) THEN sqrt(greatest(1,
                 (sum(weight * value * value) - sum(weight * value) ^ 2 / sum(weight)) / (count(*) - 1)
             ) / sum(weight))
             ELSE stddev_samp(value) / sqrt(count(*)) END AS sigma,
        CASE WHEN count(*) = 1 THEN min(comparator) ELSE '=' END AS comparator
    FROM (
        SELECT sample_id, origin, value, sigma, comparator,
            CASE WHEN sigma > 1e-30 THEN 1 / (sigma * sigma) END AS weight
        FROM analysis_value
        WHERE property = %({name}_property)s AND component = %({name}_component)s
            AND method = ANY(%({name}_methods)s)
            AND current AND value IS NOT NULL AND sample_id IS NOT NULL
    ) AS replicate
    GROUP BY sample_id, origin
)"""
MADE = "coalesce(sample.made_at, sample.created_at)"


def statement(
    user: Any, asked: Mapping[str, Axis], filters: Filters, labels: bool
) -> tuple[str, dict[str, Any]]:
    """The query and its parameters. `asked` holds "x", "y" and perhaps "color".

    Every selected column is packed into one bytes or text value by `_packed`.
    """
    of_properties = [name for name in ("y", "x", "color") if name in asked and asked[name].kind == "property"]
    main = next((name for name in of_properties if name != "color"), None)
    parameters: dict[str, Any] = {"projects": _project_ids(user, filters)}
    for name in of_properties:
        parameters |= _chosen(name, asked[name])

    selected = {name: _source(name, quantity) for name, quantity in asked.items()}
    selected |= {f"{name}_sigma": f"{name}.sigma" for name in of_properties if name != "color"}
    selected |= {"replicates": f"{main}.n::float8" if main else "1::float8"}
    numeric = {name for name, quantity in asked.items() if quantity.numeric} | set(selected) - set(asked)
    selected |= {
        "code": "sample.code",
        "origin": f"{main}.origin" if main else "''",
        "comparator": f"{main}.comparator" if main else "'='",
    }
    if labels:
        selected["notation"] = "sample.notation"

    tables = ", ".join(COMBINED.format(name=name) for name in of_properties)
    packed = ", ".join(_packed(name, numeric=name in numeric) for name in selected)
    sources = ", ".join(f"{source} AS {name}" for name, source in selected.items())
    query = f"""{f"WITH {tables}" if tables else ""}
        SELECT count(*) AS count, {packed}
        FROM (
            SELECT {sources}
            FROM samples_sample sample
            LEFT JOIN samples_processfactors factors ON factors.sample_id = sample.id
            {" ".join(_joins(of_properties))}
            WHERE {" AND ".join(_conditions(filters, parameters, main))}
            ORDER BY sample.id
        ) AS point"""  # noqa: S608  see the module's first lines
    return query, parameters


def _source(name: str, quantity: Axis) -> str:
    return f"{name}.value" if quantity.kind == "property" else f"factors.{quantity.key}"


def _chosen(name: str, quantity: Axis) -> dict[str, Any]:
    """Which values: those of the property's preferred method, and those that no method gave."""
    preferred = properties.preferred_method(quantity.property)
    return {
        f"{name}_property": quantity.property,
        f"{name}_component": quantity.component,
        f"{name}_methods": ["", preferred] if preferred else [""],
    }


def _joins(of_properties: list[str]) -> list[str]:
    """x and y must exist, a colour may be missing; all of one origin."""
    joins = []
    for name in of_properties:
        same_origin = f" AND {name}.origin = {of_properties[0]}.origin" if name != of_properties[0] else ""
        kind = "LEFT JOIN" if name == "color" else "JOIN"
        joins.append(f"{kind} {name} ON {name}.sample_id = sample.id{same_origin}")
    return joins


def _packed(name: str, *, numeric: bool) -> str:
    if numeric:
        return f"string_agg(float8send(coalesce({name}, 'NaN')), '') AS {name}"
    return f"string_agg(coalesce({name}, ''), chr(31)) AS {name}"


def _project_ids(user: Any, filters: Filters) -> list[int]:
    visible = Project.objects.visible_to(user)
    if filters.projects:
        visible = visible.filter(slug__in=filters.projects)
    return list(visible.values_list("pk", flat=True))


def _conditions(filters: Filters, parameters: dict[str, Any], main: str | None) -> list[str]:
    conditions = ["sample.project_id = ANY(%(projects)s)"]

    def restrict(condition: str, value: Any) -> None:
        name = f"filter_{len(parameters)}"
        parameters[name] = value
        conditions.append(condition.format(f"%({name})s"))

    if filters.states:
        restrict("sample.state = ANY({})", list(filters.states))
    if filters.origins and main:
        restrict(f"{main}.origin = ANY({{}})", list(filters.origins))
    for key, wanted in filters.texts.items():
        restrict(f"{_factor(key, numeric=False)} = ANY({{}})", list(wanted))
    for key, bound in filters.at_least.items():
        restrict(f"{_factor(key, numeric=True)} >= {{}}", bound)
    for key, bound in filters.at_most.items():
        restrict(f"{_factor(key, numeric=True)} <= {{}}", bound)
    if filters.made_from:
        restrict(f"{MADE} >= {{}}", filters.made_from)
    if filters.made_until:
        restrict(f"{MADE} < {{}}::date + 1", filters.made_until)
    return conditions


def _factor(key: str, *, numeric: bool) -> str:
    if key not in FACTORS or axis(key).numeric is not numeric:
        kind = "numeric" if numeric else "named"
        raise ExploreError(key, f"“{key}” is not a {kind} factor.")
    return f"factors.{key}"

"""One SQL statement for one question: a row of packed columns for the samples, and one per property.

Names in it come from this module's own constants and from the factors that `axes` declares, never from the
request; whatever the request brings travels as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis import properties
from analysis.explore.axes import FACTORS, Axis, ExploreError, axis
from analysis.explore.filters import Filters
from samples.models import Project
from samples.querysets import hidden_from

# Answered from the index alone (value_current_by_property). Origins differ in their first two letters.
OF_PROPERTY = """(
    SELECT string_agg(int8send(sample_id), '') AS {name}_sample,
        string_agg(float8send(value), '') AS {name}_value,
        string_agg(float8send(coalesce(sigma, 'NaN')), '') AS {name}_sigma,
        string_agg(left(origin, 2), '') AS {name}_origin,
        string_agg(rpad(comparator, 2), '') AS {name}_comparator
    FROM analysis_value
    WHERE property = %({name}_property)s AND component = %({name}_component)s
        AND {of_methods}
        AND current AND value IS NOT NULL AND sample_id IS NOT NULL
) AS {name}"""
OF_FIRST = "method = ANY(%({name}_methods)s)"
# Asked only where several methods yield a property: those after the first are few, and looked up by sample.
OF_OTHERS = f"""({OF_FIRST} OR method = ANY(%({{name}}_others)s) AND NOT EXISTS (
            SELECT FROM analysis_value better
            WHERE better.property = analysis_value.property AND better.component = analysis_value.component
                AND better.sample_id = analysis_value.sample_id AND better.origin = analysis_value.origin
                AND better.current AND better.value IS NOT NULL
                AND (better.method = '' OR array_position(%({{name}}_ranks)s, better.method::text)
                    < array_position(%({{name}}_ranks)s, analysis_value.method::text))
        ))"""
MADE = "coalesce(sample.made_at, sample.created_at)"


def statement(
    user: Any, asked: Mapping[str, Axis], filters: Filters, labels: bool
) -> tuple[str, dict[str, Any]]:
    """The query and its parameters. `asked` holds "x", "y" and perhaps "color".

    It answers one row: `sample`, `code`, perhaps `notation`, a column for each factor asked for, and
    `<name>_sample`, `_value`, `_sigma`, `_origin`, `_comparator` for each property, all packed.
    """
    parameters: dict[str, Any] = {"projects": _project_ids(user, filters)}
    visible = ["sample.project_id = ANY(%(projects)s)", _not_hidden_from(user, parameters)]
    of_samples = ["string_agg(int8send(sample.id), '') AS sample", _joined("sample.code", "code")]
    if labels:
        of_samples.append(_joined("sample.notation", "notation"))
    of_properties = []
    for name, quantity in asked.items():
        if quantity.kind == "property":
            chosen = _chosen(name, quantity)
            of_methods = OF_OTHERS if chosen[f"{name}_others"] else OF_FIRST
            of_properties.append(OF_PROPERTY.format(name=name, of_methods=of_methods.format(name=name)))
            parameters |= chosen
        elif quantity.numeric:
            of_samples.append(
                f"string_agg(float8send(coalesce({FACTORS[quantity.key].sql}, 'NaN')), '') AS {name}"
            )
        else:
            of_samples.append(_joined(FACTORS[quantity.key].sql, name))
    conditions = [*visible, "sample.voided_at IS NULL", *_conditions(filters, parameters)]
    query = f"""SELECT * FROM (
            SELECT {", ".join(of_samples)}
            FROM samples_sample sample
            LEFT JOIN samples_processfactors factors ON factors.sample_id = sample.id
            WHERE {" AND ".join(conditions)}
        ) AS samples{"".join(f", {part}" for part in of_properties)}"""  # noqa: S608  see the first lines
    return query, parameters


def _joined(text: str, name: str) -> str:
    return f"string_agg(coalesce({text}, ''), chr(31)) AS {name}"


def _chosen(name: str, quantity: Axis) -> dict[str, Any]:
    """Which values: those of the property's preferred method and those that no method gave; for a sample that
    has none of them, those of the next method."""
    yielding = properties.methods_yielding(quantity.property)
    return {
        f"{name}_property": quantity.property,
        f"{name}_component": quantity.component,
        f"{name}_methods": ["", *yielding[:1]],
        f"{name}_others": yielding[1:],
        f"{name}_ranks": yielding,
    }


def _project_ids(user: Any, filters: Filters) -> list[int]:
    visible = Project.objects.visible_to(user)
    if filters.projects:
        visible = visible.filter(slug__in=filters.projects)
    return list(visible.values_list("pk", flat=True))


def _not_hidden_from(user: Any, parameters: dict[str, Any]) -> str:
    """The embargo as `samples.querysets` states it; it is asked once, whatever the number of samples."""
    query, given = hidden_from(user).query.sql_with_params()
    named = {f"embargo_{number}": value for number, value in enumerate(given)}
    parameters |= named
    return f"sample.id NOT IN ({query % tuple(f'%({name})s' for name in named)})"


def _conditions(filters: Filters, parameters: dict[str, Any]) -> list[str]:
    conditions: list[str] = []

    def restrict(condition: str, value: Any) -> None:
        name = f"filter_{len(parameters)}"
        parameters[name] = value
        conditions.append(condition.format(f"%({name})s"))

    if filters.states:
        restrict("sample.state = ANY({})", list(filters.states))
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
    return FACTORS[key].sql

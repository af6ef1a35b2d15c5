"""Is a reference sample still what it was? Shewhart's chart of single values, one for each quantity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods._quantities import QUANTITIES, READS, Quantity, by_sample, checked
from analysis.methods.base import Curve, Method, MethodError, Outcome, Property, Result, ValueRow, param
from analysis.numerics.control_charts import Chart, individuals_chart

FEWEST = 8
RULES = {
    "beyond": "beyond three sigma",
    "run": "nine in a row on one side",
    "trend": "six in a row rising or falling",
    "two_of_three": "two of three beyond two sigma",
}


def _properties() -> tuple[Property, ...]:
    found = []
    for quantity in QUANTITIES:
        found += [
            quantity.about("reference_level", "level of the reference sample"),
            quantity.about("reference_sd", "from one measurement of the reference to the next"),
            quantity.about(
                "drift_signals", "signals of drift", unit="1", as_percent=False, higher_is_better=False
            ),
        ]
    return tuple(found)


METHOD = Method(
    title="Drift of a reference sample",
    version=1,
    over="project",
    reads=READS,
    at_least=FEWEST,
    repeats=FEWEST,
    properties=_properties(),
    description=(
        "Shewhart's chart for single values over time, with its limits and four of Nelson's rules. σ comes "
        "from the moving range, which a slow drift does not inflate."
    ),
    equation="limits: x̄ ± 3 σ,  σ = mean |xᵢ − xᵢ₋₁| / 1.128",
    reference="W. A. Shewhart (1931); L. S. Nelson, J. Qual. Technol. 16 (1984) 237; A-51",
)


@dataclass(frozen=True)
class Params:
    sample: str = param("", help="Code of the reference sample; empty: the one that was measured most often.")
    baseline: int | None = param(
        None, min=FEWEST, max=10_000, help="How many of the first values decide the limits; without it all."
    )


def run(values: Sequence[ValueRow], params: Params) -> Outcome:
    given = checked(values)
    dated = [row for row in given if row.measured_at is not None]
    reference = params.sample or _most_measured(dated)
    results: list[Result] = []
    curves: list[Curve] = []
    notes: dict[str, float | str] = {"reference sample": reference}
    warnings = []
    for quantity in QUANTITIES:
        rows = [row for row in quantity.rows(dated) if row.sample == reference]
        if len(rows) < FEWEST:
            continue
        rows.sort(key=lambda row: (_seconds(row), row.value))
        chart = individuals_chart([row.value for row in rows], params.baseline)
        results += _results(quantity, chart, len(rows))
        curves += _curves(quantity, chart, rows)
        warnings += _signals(quantity, chart, rows)
    if not results:
        raise MethodError(
            f"{reference or 'No sample'} has no quantity that was measured {FEWEST} times with a date; "
            "measure the reference sample regularly, and see that its files say when."
        )
    undated = sum(row.sample == reference for row in given) - sum(row.sample == reference for row in dated)
    if undated:
        warnings.append(f"{undated} values of {reference} have no date and are left out.")
    return Outcome(tuple(results), tuple(curves), tuple(warnings), notes)


def _most_measured(rows: Sequence[ValueRow]) -> str:
    counts = {
        sample: max(sum(r.property == row.property for r in of) for row in of)
        for sample, of in by_sample(rows).items()
    }
    return min(counts, key=lambda sample: (-counts[sample], sample), default="")


def _seconds(row: ValueRow) -> float:
    assert row.measured_at is not None  # the undated were left out
    return row.measured_at.timestamp()


def _results(quantity: Quantity, chart: Chart, count: int) -> list[Result]:
    component = quantity.component
    # The range of two has a relative scatter of 0.756; neighbouring ranges share a value.
    sigma_of_sigma = chart.sigma * math.sqrt(0.826 / max(count - 1, 1))
    return [
        Result(f"{quantity.key}_reference_level", chart.centre, chart.sigma / math.sqrt(count), component),
        Result(f"{quantity.key}_reference_sd", chart.sigma, sigma_of_sigma, component),
        Result(f"{quantity.key}_drift_signals", float(chart.flagged.sum()), 0.0, component),
    ]


def _curves(quantity: Quantity, chart: Chart, rows: Sequence[ValueRow]) -> list[Curve]:
    days = np.array([_seconds(row) for row in rows])
    days = (days - days[0]) / 86_400
    lines = {
        "values": np.array([row.value for row in rows]),
        "centre": np.full(days.size, chart.centre),
        "lower limit": np.full(days.size, chart.lower),
        "upper limit": np.full(days.size, chart.upper),
    }
    return [
        Curve(f"{quantity.key} {name}", days, y, "time since the first", "d", quantity.name, quantity.unit)
        for name, y in lines.items()
    ]


def _signals(quantity: Quantity, chart: Chart, rows: Sequence[ValueRow]) -> list[str]:
    said = []
    for rule, words in RULES.items():
        where = np.flatnonzero(getattr(chart, rule))
        if where.size:
            first = rows[int(where[0])].measured_at
            times = "once" if where.size == 1 else f"{where.size} times"
            said.append(f"{quantity.name}: {words}, {times}, first on {first:%Y-%m-%d}.")
    return said

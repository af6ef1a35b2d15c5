"""How much of a quantity's scatter over a project lies between the samples, and how much is repeating."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.methods._quantities import QUANTITIES, READS, Quantity, checked
from analysis.methods.base import Method, MethodError, Outcome, Property, Result, ValueRow, param
from analysis.numerics.replicates import variances


def _properties() -> tuple[Property, ...]:
    found = []
    for quantity in QUANTITIES:
        within = quantity.about("repeatability_sd", "repeatability", higher_is_better=False)
        icc = quantity.about(
            "icc", "intraclass correlation", unit="1", as_percent=False, higher_is_better=True
        )
        found += [within, icc]
    return tuple(found)


METHOD = Method(
    title="Agreement of replicates",
    version=1,
    over="project",
    reads=READS,
    at_least=3,
    repeats=2,
    properties=_properties(),
    description=(
        "Pooled standard deviation inside groups, and the share of the variance that lies between them: of "
        "samples, or of recipes, where what differs inside a group are samples."
    ),
    equation="ICC(1) = (MSB − MSW) / (MSB + (n₀ − 1) MSW)",
    reference="P. E. Shrout, J. L. Fleiss, Psychol. Bull. 86 (1979) 420; A-51",
)


@dataclass(frozen=True)
class Params:
    group: str = param(
        "sample", choices=("sample", "recipe"), help="What is repeated: the measurement, or the preparation."
    )


def run(values: Sequence[ValueRow], params: Params) -> Outcome:
    given = checked(values)
    results: list[Result] = []
    notes: dict[str, float | str] = {"groups are": params.group}
    for quantity in QUANTITIES:
        groups = _groups(quantity, given, params.group)
        if len(groups) < 2 or max(map(len, groups)) < 2:
            continue
        found = variances(groups)
        dof = found.count - found.groups
        sd_sigma = found.within_sd / math.sqrt(2 * dof)
        results.append(
            Result(f"{quantity.key}_repeatability_sd", found.within_sd, sd_sigma, quantity.component)
        )
        if math.isfinite(found.icc) and math.isfinite(found.icc_sigma):
            results.append(Result(f"{quantity.key}_icc", found.icc, found.icc_sigma, quantity.component))
        notes[f"{quantity.name}: groups"] = float(found.groups)
        notes[f"{quantity.name}: values"] = float(found.count)
        notes[f"{quantity.name}: SD between groups"] = found.between_sd
    if not results:
        raise MethodError(
            f"No quantity has two {params.group}s with values, one of them repeated; measure one again."
        )
    return Outcome(tuple(results), notes=notes)


def _groups(quantity: Quantity, values: Sequence[ValueRow], group: str) -> list[list[float]]:
    found: dict[str, list[float]] = {}
    if group == "sample":
        for row in quantity.rows(values):
            found.setdefault(row.sample, []).append(row.value)
        return list(found.values())
    samples: dict[tuple[str, str], list[float]] = {}
    for row in quantity.rows(values):
        if row.recipe:
            samples.setdefault((row.recipe, row.sample), []).append(row.value)
    for (recipe, _), repeated in samples.items():
        found.setdefault(recipe, []).append(math.fsum(repeated) / len(repeated))
    return list(found.values())

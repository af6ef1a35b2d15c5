"""How far repeated measurements of one sample lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods._quantities import QUANTITIES, READS, checked
from analysis.methods.base import Method, MethodError, Outcome, Property, Result, ValueRow, param
from analysis.numerics.replicates import spread


def _properties() -> tuple[Property, ...]:
    found = []
    for quantity in QUANTITIES:
        found.append(quantity.about("replicate_mean", "mean of replicates"))
        found.append(
            quantity.about("replicate_sd", "between replicates", higher_is_better=False, help="Sample SD.")
        )
    return tuple(found)


METHOD = Method(
    title="Replicates of a sample",
    version=1,
    over="sample",
    reads=READS,
    at_least=2,
    properties=_properties(),
    description="Mean and standard deviation of what was measured more than once on the same sample.",
    equation="s² = Σ (xᵢ − x̄)² / (n − 1);  σ(x̄) = s/√n;  σ(s) = s/√(2(n − 1))",
    reference="ISO 5725-2:2019, repeatability; A-51",
)


@dataclass(frozen=True)
class Params:
    at_least: int = param(2, min=2, max=100, help="Replicates below which nothing is said.")


def run(values: Sequence[ValueRow], params: Params) -> Outcome:
    given = checked(values)
    results: list[Result] = []
    notes: dict[str, float | str] = {}
    warnings = []
    for quantity in QUANTITIES:
        rows = quantity.rows(given)
        if len(rows) < params.at_least:
            continue
        found = spread([row.value for row in rows])
        results += [
            Result(f"{quantity.key}_replicate_mean", found.mean, found.mean_sigma, quantity.component),
            Result(f"{quantity.key}_replicate_sd", found.sd, found.sd_sigma, quantity.component),
        ]
        notes[f"replicates of {quantity.name}"] = float(found.count)
        sigmas = [row.sigma for row in rows if row.sigma]
        if len(sigmas) == len(rows) and found.sd > 3 * float(np.median(sigmas)):
            warnings.append(
                f"{quantity.name} scatters {found.sd / float(np.median(sigmas)):.1f} times as much between "
                "replicates as their sigmas say: something besides noise differs between them."
            )
    if not results:
        raise MethodError(
            f"No quantity was measured {params.at_least} times on this sample; measure it again."
        )
    return Outcome(tuple(results), warnings=tuple(warnings), notes=notes)

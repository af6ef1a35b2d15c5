"""Which process factors go with which properties: rank correlations over a project's samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.methods._quantities import QUANTITIES, READS, Quantity, by_sample, checked, means
from analysis.methods.base import Array, Method, MethodError, Outcome, Result, ValueRow, param
from analysis.numerics.ranks import benjamini_hochberg, spearman, spearman_sigma

FACTORS = {
    "loading": "loading_mass_fraction",
    "milling time": "milling_duration_min",
    "sintering temperature": "sintering_temperature_c",
    "heating rate": "sintering_ramp_c_per_min",
    "hold": "sintering_hold_min",
    "quench rate": "quench_rate_c_per_min",
}
FEWEST = 6

METHOD = Method(
    title="Rank correlations with process factors",
    version=1,
    over="project",
    reads=READS,
    at_least=FEWEST,
    factors=tuple(FACTORS.values()),
    properties=tuple(
        quantity.about(
            "rank_correlation", "rank correlation", unit="1", as_percent=False, components=tuple(FACTORS)
        )
        for quantity in QUANTITIES
    ),
    description=(
        "Spearman’s ρ between every quantity and every factor, over the samples for which both are known: "
        "nothing is filled in. Replicates of a sample count once. p is adjusted for their number "
        "(Benjamini–Hochberg). A correlation is no cause, and factors that were varied together share one."
    ),
    equation="ρ = corr(rank x, rank y);  q₍ᵢ₎ = min over j ≥ i of m·p₍ⱼ₎/j",
    reference="Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289; Li et al. 2023, Fig. 2; A-50",
)


@dataclass(frozen=True)
class Params:
    samples: int = param(FEWEST, min=4, max=1000, help="Samples below which a pair is not looked at.")
    false_share: float = param(
        0.05, min=0.0001, max=0.5, help="Share of chance among what is called a correlation."
    )


@dataclass(frozen=True)
class _Pair:
    quantity: Quantity
    factor: str
    rho: float
    p: float
    count: int


def run(values: Sequence[ValueRow], params: Params) -> Outcome:
    given = checked(values)
    pairs = [
        pair
        for quantity in QUANTITIES
        for factor in FACTORS
        if (pair := _pair(quantity, factor, given, params.samples)) is not None
    ]
    if not pairs:
        raise MethodError(
            f"No quantity is known for {params.samples} samples that differ in a factor of their process."
        )
    adjusted = benjamini_hochberg([pair.p for pair in pairs])
    notes: dict[str, float | str] = {"pairs": float(len(pairs))}
    for pair, q in zip(pairs, adjusted, strict=True):
        name = f"{pair.quantity.name} × {pair.factor}"
        notes[f"{name}: q"] = float(q)
        notes[f"{name}: samples"] = float(pair.count)
    notes[f"believed at q ≤ {params.false_share:g}"] = _believed(pairs, adjusted, params.false_share)
    return Outcome(
        tuple(
            Result(
                f"{pair.quantity.key}_rank_correlation",
                pair.rho,
                spearman_sigma(pair.rho, pair.count),
                pair.factor,
            )
            for pair in pairs
        ),
        notes=notes,
    )


def _believed(pairs: Sequence[_Pair], adjusted: Array, false_share: float) -> str:
    """The strongest first; without this, a table of ρ invites to read chance."""
    held = [pair for pair, q in zip(pairs, adjusted, strict=True) if q <= false_share]
    held.sort(key=lambda pair: -abs(pair.rho))
    words = [f"{pair.quantity.name} with {pair.factor} (ρ = {pair.rho:.2f})" for pair in held]
    return ", ".join(words) or f"none of {len(pairs)}: all of them may be chance"


def _pair(quantity: Quantity, factor: str, values: Sequence[ValueRow], fewest: int) -> _Pair | None:
    rows = by_sample(
        row for row in quantity.rows(values) if math.isfinite(row.factors.get(FACTORS[factor], math.nan))
    )
    if len(rows) < fewest:
        return None
    level = [of[0].factors[FACTORS[factor]] for of in rows.values()]
    rho, p = spearman(level, list(means(rows).values()))
    return _Pair(quantity, factor, rho, p, len(rows)) if math.isfinite(rho) else None

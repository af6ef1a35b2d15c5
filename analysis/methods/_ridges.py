"""A property over loading and sintering temperature: its cells, the best of each row, the best of all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.methods._quantities import by_sample, known_sigma
from analysis.methods.base import ValueRow
from analysis.numerics.ridges import Optimum, meant_loading, meant_temperature_c, optimum

LOADING, SINTERING = "loading_mass_fraction", "sintering_temperature_c"


@dataclass(frozen=True)
class Cell:
    """The mean of the samples made alike; sigma None where nothing is known about it."""

    loading: float
    temperature_c: float
    value: float
    sigma: float | None
    samples: int


def cells(rows: Iterable[ValueRow]) -> list[Cell]:
    """One for each pair of factors that was tried, in their order; samples without both are no cell."""
    placed: dict[tuple[float, float], list[Sequence[ValueRow]]] = {}
    usable = [
        row for row in rows if all(math.isfinite(row.factors.get(f, math.nan)) for f in (LOADING, SINTERING))
    ]
    for of in by_sample(usable).values():
        first = of[0].factors
        place = (meant_loading(first[LOADING]), meant_temperature_c(first[SINTERING]))
        placed.setdefault(place, []).append(of)
    return [_cell(place, samples) for place, samples in sorted(placed.items())]


def _cell(place: tuple[float, float], samples: Sequence[Sequence[ValueRow]]) -> Cell:
    """Replicates tell their own scatter; a single sample has only what its measurements say."""
    means = [math.fsum(sorted(row.value for row in of)) / len(of) for of in samples]
    mean = math.fsum(sorted(means)) / len(means)
    if len(means) > 1:
        scatter = math.fsum(sorted((value - mean) ** 2 for value in means)) / (len(means) - 1)
        return Cell(*place, mean, math.sqrt(scatter / len(means)), len(means))
    known = [sigma for row in samples[0] if (sigma := known_sigma(row)) is not None]
    if len(known) < len(samples[0]):
        return Cell(*place, mean, None, 1)
    return Cell(*place, mean, math.sqrt(math.fsum(sorted(s * s for s in known))) / len(known), 1)


def row_optima(found: Sequence[Cell]) -> dict[float, Optimum]:
    """Loading → the best sintering temperature at it, where at least three were tried."""
    best = {}
    for loading in sorted({cell.loading for cell in found}):
        row = [cell for cell in found if cell.loading == loading]
        if len(row) >= 3:
            at = [cell.temperature_c for cell in row]
            best[loading] = optimum(at, [cell.value for cell in row], [cell.sigma for cell in row])
    return best

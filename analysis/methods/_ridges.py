"""A property over loading and sintering temperature: its cells, the best of each row, the best of all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.methods._quantities import by_sample, known_sigma
from analysis.methods.base import ValueRow
from analysis.numerics.ridges import Optimum, meant_loading, meant_temperature_c, optimum

LOADING, SINTERING = "loading_mass_fraction", "sintering_temperature_c"
BY_MOLE = "loading_mole_fraction"
MADE = ("milling_duration_min", "sintering_hold_min")
FACTORS = (LOADING, SINTERING, BY_MOLE, *MADE)
OTHER_MOLAR_MASS = 0.08  # CsPbI₃ and FAPbI₃ differ by 0.13, weighing does not


@dataclass(frozen=True)
class Cell:
    """The mean of the samples made alike; sigma None where nothing is known about it."""

    loading: float
    temperature_c: float
    value: float
    sigma: float | None
    samples: int


def cells(rows: Iterable[ValueRow]) -> list[Cell]:
    """One for each pair of factors that was tried, in their order; samples without both are no cell.

    Of several samples in a cell only those stand for it that were milled and held as most were.
    """
    usable = [row for row in rows if all(math.isfinite(_known(row, key)) for key in (LOADING, SINTERING))]
    usual = {key: _most_frequent([_known(row, key) for row in usable]) for key in MADE}
    placed: dict[tuple[float, float], list[Sequence[ValueRow]]] = {}
    for of in by_sample(usable).values():
        place = (meant_loading(_known(of[0], LOADING)), meant_temperature_c(_known(of[0], SINTERING)))
        placed.setdefault(place, []).append(of)
    return [_cell(place, _usual(samples, usual)) for place, samples in sorted(placed.items())]


def of_one_perovskite(rows: Sequence[ValueRow]) -> tuple[list[ValueRow], int]:
    """Without the samples whose perovskite has another molar mass, and how many those are.

    (n/(1−n))/(x/(1−x)) of mole and mass fraction is the molar mass of the glass over that of the perovskite;
    where it is not known, nothing says that the sample is another.
    """
    ratios = {}
    for of in by_sample(rows).values():
        mole, mass = _known(of[0], BY_MOLE), _known(of[0], LOADING)
        if 0 < mole < 1 and 0 < mass < 1:
            ratios[of[0].sample] = math.log(mole / (1 - mole)) - math.log(mass / (1 - mass))
    if not ratios:
        return list(rows), 0
    middle = sorted(ratios.values())[len(ratios) // 2]
    others = {sample for sample, ratio in ratios.items() if abs(ratio - middle) > OTHER_MOLAR_MASS}
    return [row for row in rows if row.sample not in others], len(others)


def _known(row: ValueRow, factor: str) -> float:
    return row.factors.get(factor, math.nan)


def _most_frequent(values: Iterable[float]) -> float | None:
    counts = Counter(value for value in values if math.isfinite(value))
    return max(counts, key=lambda value: (counts[value], value), default=None)


def _usual(
    samples: Sequence[Sequence[ValueRow]], usual: Mapping[str, float | None]
) -> list[Sequence[ValueRow]]:
    odd = [sum(_known(of[0], key) != value for key, value in usual.items()) for of in samples]
    return [of for of, ways in zip(samples, odd, strict=True) if ways == min(odd)]


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

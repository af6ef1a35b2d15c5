"""A property over loading and sintering temperature: its cells, the best of each row, the best of all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.methods._quantities import by_sample, known_sigma
from analysis.methods.base import ValueRow

RECTANGLE = 0.34  # steps of a grid: half of 68 % of a rectangle
LOADING, SINTERING = "loading_mass_fraction", "sintering_temperature_c"


@dataclass(frozen=True)
class Cell:
    """The mean of the samples made alike; sigma None where nothing is known about it."""

    loading: float
    temperature_c: float
    value: float
    sigma: float | None
    samples: int


@dataclass(frozen=True)
class Optimum:
    """Where a property is highest along one line of cells.

    at : the cell's place. best, sigma : the top of a parabola through it and its neighbours
    refined : whether there were two neighbours below it to draw a parabola through
    """

    at: float
    best: float
    sigma: float
    refined: bool
    value: float


def cells(rows: Iterable[ValueRow]) -> list[Cell]:
    """One for each pair of factors that was tried, in their order; samples without both are no cell."""
    placed: dict[tuple[float, float], list[Sequence[ValueRow]]] = {}
    usable = [
        row for row in rows if all(math.isfinite(row.factors.get(f, math.nan)) for f in (LOADING, SINTERING))
    ]
    for of in by_sample(usable).values():
        first = of[0].factors
        placed.setdefault((round(first[LOADING], 6), round(first[SINTERING], 3)), []).append(of)
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
            best[loading] = optimum([cell.temperature_c for cell in row], row)
    return best


def optimum(at: Sequence[float], line: Sequence[Cell]) -> Optimum:
    """The highest cell of a line and the parabola through it and its two neighbours.

    at : ascending, one coordinate a cell. The parabola goes through the logarithms where all three are above
    zero, for emission falls off like a bell on both sides, and the logarithm of a bell is a parabola.
    """
    top = max(range(len(line)), key=lambda i: (line[i].value, -i))
    place, value = at[top], line[top].value
    if 0 < top < len(line) - 1:
        refined = _vertex(at[top - 1 : top + 2], line[top - 1 : top + 2])
        if refined is not None:
            return Optimum(place, *refined, True, value)
    gaps = [abs(at[i] - place) for i in (top - 1, top + 1) if 0 <= i < len(line)]
    return Optimum(place, place, RECTANGLE * max(gaps) if gaps else 0.0, False, value)


def _vertex(at: Sequence[float], three: Sequence[Cell]) -> tuple[float, float] | None:
    """Top of the parabola through three points and its sigma; None where they do not curve downwards."""
    values = [cell.value for cell in three]
    highest = max(abs(value) for value in values)
    if highest == 0 or not math.isfinite(highest):
        return None
    logarithmic = min(values) > 1e-12 * highest
    heights = [math.log(v / highest) if logarithmic else v / highest for v in values]
    left, middle, right = at
    a, b = left - middle, right - middle  # the middle one is zero
    down, up = heights[0] - heights[1], heights[2] - heights[1]
    bend = (up / b - down / a) / (b - a)
    if bend >= 0 or not math.isfinite(bend):
        return None
    slope = down / a - bend * a
    best = middle - slope / (2 * bend)
    if not left <= best <= right:
        return None
    # Derivatives by the three heights, through those of bend and slope.
    by_bend = (-1 / a / (b - a), 0.0, 1 / b / (b - a))
    by_bend = (by_bend[0], -by_bend[0] - by_bend[2], by_bend[2])
    by_slope = (1 / a - a * by_bend[0], -1 / a - a * by_bend[1], -a * by_bend[2])
    total = 0.0
    for cell, d_bend, d_slope in zip(three, by_bend, by_slope, strict=True):
        if cell.sigma is None:
            return best, RECTANGLE * (right - left) / 2
        sigma = cell.sigma / (cell.value if logarithmic else highest)
        total += ((-d_slope / (2 * bend) + slope * d_bend / (2 * bend * bend)) * sigma) ** 2
    return best, math.sqrt(total)

"""The array as cells: relative PL intensity over loading and sintering temperature, and its ridge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.numerics.ridges import Optimum, optimum
from frontend.figures._pl_views import LOADING, SINTERING, best_of, factor_of
from frontend.figures.base import Reading, View

INTENSITIES = {
    "pl_brightness": "",
    "pl_integrated_intensity": (
        "Counts are not divided by integration time and excitation power, for not every file states both: "
        "they must have been taken alike."
    ),
    "pl_intensity_rel": "Intensities as they were published or entered, relative already.",
}
Place = tuple[float, float]  # loading, sintering temperature


@dataclass(frozen=True)
class Grid:
    """The cells that are known and the levels of both factors; `relative` (loading, temperature) with NaN."""

    cells: Mapping[Place, Reading]
    loadings: Sequence[float]
    temperatures: Sequence[float]
    relative: np.ndarray[Any, np.dtype[np.float64]]

    def column(self, temperature_c: float) -> float:
        """Where a temperature stands between the columns, which are evenly spaced whatever their step."""
        return float(np.interp(temperature_c, self.temperatures, np.arange(len(self.temperatures))))


def cells_of(view: View) -> tuple[str, dict[Place, Reading]]:
    """By brightness where it covers as many cells as plain counts do: one unit for the whole map."""
    found = {key: best_of(view, key, lambda reading: _place(view, reading)) for key in INTENSITIES}
    key = max(found, key=lambda name: len(found[name]))  # the first of equally many
    return key, found[key]


def _place(view: View, reading: Reading) -> Place | None:
    if not np.isfinite(reading.value) or reading.comparator not in ("=", "~"):
        return None
    loading = factor_of(view, reading.subject, LOADING)
    temperature_c = factor_of(view, reading.subject, SINTERING)
    return None if loading is None or temperature_c is None else (loading, temperature_c)


def grid_of(cells: Mapping[Place, Reading]) -> Grid | None:
    highest = max(reading.value for reading in cells.values())
    if highest <= 0:
        return None
    loadings = sorted({place[0] for place in cells})
    temperatures = sorted({place[1] for place in cells})
    relative = np.full((len(loadings), len(temperatures)), np.nan)
    for (loading, temperature_c), reading in cells.items():
        relative[loadings.index(loading), temperatures.index(temperature_c)] = reading.value / highest
    return Grid(cells, loadings, temperatures, relative)


def ridge_of(grid: Grid) -> dict[float, Optimum]:
    """Loading → its best temperature, where at least two temperatures were tried."""
    ridge = {}
    for loading in grid.loadings:
        row = [(t, grid.cells[loading, t]) for t in grid.temperatures if (loading, t) in grid.cells]
        if len(row) >= 2:
            sigmas = [r.sigma if np.isfinite(r.sigma) and r.sigma > 0 else None for _, r in row]
            ridge[loading] = optimum([t for t, _ in row], [r.value for _, r in row], sigmas)
    return ridge


def highest_yield(view: View, grid: Grid) -> tuple[Place, Reading] | None:
    """Of those inside this map."""
    found = best_of(view, "plqy", lambda reading: _place(view, reading))
    inside = [
        (place, reading)
        for place, reading in found.items()
        if place[0] in grid.loadings and place[1] in grid.temperatures
    ]
    return max(inside, key=lambda pair: pair[1].value, default=None)

"""Where in loading and sintering temperature the array emits most strongly. Row A-05.

What is compared is the intensity by the instrument's time and power or, where not every sample has that,
plain counts, with a warning that they must have been taken alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods._quantities import checked
from analysis.methods._ridges import FACTORS, Cell, cells, of_one_perovskite, row_optima
from analysis.methods.base import Curve, Method, MethodError, Outcome, Property, Result, ValueRow, param
from analysis.numerics.ridges import RECTANGLE, Optimum
from analysis.numerics.straight_lines import weighted_line

INTENSITIES = ("pl_brightness", "pl_integrated_intensity")
YIELD = "plqy"
WORDS = {
    "pl_brightness": "integrated PL over time and power",
    "pl_integrated_intensity": "integrated PL, not normalised",
    "plqy": "PL quantum yield",
}
FEWEST_ROWS = 3

METHOD = Method(
    title="PL intensity over loading and sintering temperature",
    version=2,
    over="project",
    reads=(*INTENSITIES, YIELD),
    at_least=1,
    factors=FACTORS,
    properties=(
        Property("pl_map_loading", "Loading of the brightest sample", "1", as_percent=True),
        Property("pl_map_sintering", "Sintering temperature of the brightest sample", "°C"),
        Property(
            "pl_optimum_sintering",
            "Best sintering temperature for PL, interpolated",
            "°C",
            help="At the loading of the brightest sample.",
        ),
        Property("pl_ridge_slope", "Best sintering temperature per unit mass fraction", "°C"),
        Property("plqy_map_loading", "Loading of the highest PLQY", "1", as_percent=True),
        Property("plqy_map_sintering", "Sintering temperature of the highest PLQY", "°C"),
        Property(
            "plqy_optimum_sintering",
            "Best sintering temperature for PLQY, interpolated",
            "°C",
            help="At the loading of the highest PLQY.",
        ),
    ),
    description=(
        "Integrated PL of each sample, by time and power where all measurements state them, is averaged in "
        "cells of equal loading and sintering temperature and divided by the highest cell. Along each "
        "loading a parabola through the logarithms of the best cell and its neighbours, two on either side "
        "or as many more as it takes for them to bend surely, gives the best temperature between the grid's; "
        "its sigma is propagated from those of the cells and holds no error of the parabola. The place of "
        "the brightest sample is one of the grid, known to a step of it: step/√12. Cells without a sample "
        "stay blank. The maximum of the quantum yield stands beside it: it "
        "need not be the same sample."
    ),
    reference=(
        "Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Supplementary Information 8"
    ),
)


@dataclass(frozen=True)
class Params:
    intensity: str = param(
        "auto",
        choices=("auto", *INTENSITIES),
        help="auto: by time and power where every sample has that, else the plain integral.",
    )


def run(values: Sequence[ValueRow], params: Params) -> Outcome:
    rows, others = of_one_perovskite(checked(values))
    key, found, warnings = _intensity(rows, params)
    yields = cells(row for row in rows if row.property == YIELD and not row.component)
    if not found and not yields:
        raise MethodError(
            "No sample has a PL intensity or a quantum yield together with a loading and a sintering "
            "temperature; record how the samples were made."
        )
    if others:
        warnings.append(
            f"{others} {'sample is' if others == 1 else 'samples are'} left out: mole and mass fraction say "
            "that the perovskite has another molar mass than in most."
        )
    results: list[Result] = []
    curves: list[Curve] = []
    notes: dict[str, float | str] = {}
    for prefix, what, of in (("pl", key, found), ("plqy", YIELD, yields)):
        if of and max(cell.value for cell in of) > 0:
            results += _about(prefix, what, of, curves, notes, warnings)
    if not results:
        raise MethodError("No intensity and no quantum yield is above zero; look at the measurements.")
    notes["maxima"] = _apart(found, yields)
    return Outcome(tuple(results), tuple(curves), tuple(warnings), notes)


def _intensity(rows: Sequence[ValueRow], params: Params) -> tuple[str, list[Cell], list[str]]:
    """Which intensity is compared, its cells, and what to know about the choice."""
    by_key = {key: [row for row in rows if row.property == key and not row.component] for key in INTENSITIES}
    bright, plain = (cells(by_key[key]) for key in INTENSITIES)
    if params.intensity != "auto":
        return params.intensity, bright if params.intensity == INTENSITIES[0] else plain, []
    if bright and len(bright) >= len(plain):
        return INTENSITIES[0], bright, []
    if not plain:
        return INTENSITIES[1], plain, []
    missing = len(plain) - len(bright)
    return (
        INTENSITIES[1],
        plain,
        [
            f"{missing} of {len(plain)} cells have no intensity by integration time and excitation power, so "
            "plain counts are compared: they must have been taken alike."
        ],
    )


def _about(
    prefix: str,
    what: str,
    found: Sequence[Cell],
    curves: list[Curve],
    notes: dict[str, float | str],
    warnings: list[str],
) -> list[Result]:
    best = max(found, key=lambda cell: (cell.value, -cell.loading, -cell.temperature_c))
    loadings = sorted({cell.loading for cell in found})
    temperatures = sorted({cell.temperature_c for cell in found})
    results = [
        Result(f"{prefix}_map_loading", best.loading, _grid_sigma(loadings, best.loading)),
        Result(f"{prefix}_map_sintering", best.temperature_c, _grid_sigma(temperatures, best.temperature_c)),
    ]
    words = "PL" if prefix == "pl" else "PLQY"
    notes[f"{words}: compared"] = WORDS[what]
    notes[f"{words}: cells"] = float(len(found))
    notes[f"{words}: blank cells"] = float(len(loadings) * len(temperatures) - len(found))
    notes[f"{words}: highest"] = f"{100 * best.loading:g} %, {best.temperature_c:g} °C"
    ridge = row_optima(found)
    for loading, top in ridge.items():
        share = top.value / best.value
        notes[f"{words}: best at {100 * loading:g} %"] = top.at
        notes[f"{words}: best at {100 * loading:g} %, interpolated"] = top.best
        notes[f"{words}: row maximum at {100 * loading:g} %"] = share
    if best.loading in ridge and ridge[best.loading].refined:
        top = ridge[best.loading]
        results.append(Result(f"{prefix}_optimum_sintering", top.best, top.sigma))
    elif best.temperature_c in (temperatures[0], temperatures[-1]) and len(temperatures) > 1:
        warnings.append(
            f"The highest {words} lies at the edge of the array, {best.temperature_c:g} °C; the optimum may "
            "lie beyond it."
        )
    if ridge:
        curves += _ridge_curves(words, ridge)
    if prefix == "pl":
        results += _slope(ridge)
    return results


def _grid_sigma(levels: Sequence[float], at: float) -> float:
    """68 % of a rectangle as wide as the step of the grid around the level."""
    place = levels.index(at)
    gaps = [abs(levels[i] - at) for i in (place - 1, place + 1) if 0 <= i < len(levels)]
    return RECTANGLE * sum(gaps) / len(gaps) if gaps else 0.0


def _slope(ridge: dict[float, Optimum]) -> list[Result]:
    """Of the line through the best temperatures; scatter about it widens the sigma."""
    inner = {loading: top for loading, top in ridge.items() if top.refined}
    if len(inner) < FEWEST_ROWS:
        return []
    x = np.array(list(inner))
    y = np.array([top.best for top in inner.values()])
    sigma = np.array([max(top.sigma, 1e-6) for top in inner.values()])
    line = weighted_line(x, y, sigma)
    if line is None or not math.isfinite(line.slope_sigma):
        return []
    return [Result("pl_ridge_slope", line.slope, line.slope_sigma)]


def _ridge_curves(words: str, ridge: dict[float, Optimum]) -> list[Curve]:
    axes = ("perovskite by mass", "1", f"{words}: best sintering temperature", "°C")
    x = np.array(list(ridge), dtype=np.float64)
    return [
        Curve(f"{words} values", x, np.array([top.at for top in ridge.values()]), *axes),
        Curve(f"{words} line", x, np.array([top.best for top in ridge.values()]), *axes),
    ]


def _apart(intensities: Sequence[Cell], yields: Sequence[Cell]) -> str:
    if not intensities or not yields:
        return "Only one of intensity and quantum yield is known."
    bright = max(intensities, key=lambda cell: cell.value)
    high = max(yields, key=lambda cell: cell.value)
    if (bright.loading, bright.temperature_c) == (high.loading, high.temperature_c):
        return "The brightest sample has the highest quantum yield too."
    return (
        f"The brightest sample ({100 * bright.loading:g} %, {bright.temperature_c:g} °C) is not that of the "
        f"highest quantum yield ({100 * high.loading:g} %, {high.temperature_c:g} °C): brightness also "
        "counts how much light is absorbed."
    )

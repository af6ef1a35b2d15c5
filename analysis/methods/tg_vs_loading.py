"""Does the perovskite soften the glass, and is the brightest sintering just above where it softens?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods._quantities import by_sample, checked, known_sigma, means
from analysis.methods.base import (
    Array,
    Curve,
    Method,
    MethodError,
    Outcome,
    Property,
    Result,
    ValueRow,
    param,
)
from analysis.numerics.ranks import spearman, spearman_sigma
from analysis.numerics.straight_lines import Line, weighted_line

LOADING, SINTERING = "loading_mass_fraction", "sintering_temperature_c"
BRIGHTNESS = ("plqy", "pl_max_intensity")
FEWEST_VALUES, FEWEST_LOADINGS, FEWEST_TEMPERATURES = 4, 3, 3

METHOD = Method(
    title="Glass transition against loading",
    version=1,
    over="project",
    reads=("tg", *BRIGHTNESS),
    needs=("tg",),
    at_least=FEWEST_VALUES,
    factors=(LOADING, SINTERING),
    properties=(
        Property("tg_slope", "T<sub>g</sub> per unit mass fraction of perovskite", "°C"),
        Property("tg_of_pure_glass", "T<sub>g</sub> at zero loading, extrapolated", "°C"),
        Property("tg_loading_correlation", "T<sub>g</sub> and loading, rank correlation", "1", html="ρ"),
        Property(
            "tg_brightest_gap",
            "Brightest sintering temperature and T<sub>g</sub>, largest distance",
            "°C",
            help="Over the loadings for which both are known; positive where sintering is above.",
        ),
    ),
    description=(
        "Weighted line through Tg over the mass fraction of perovskite, Spearman’s ρ, and for every loading "
        "how far the sintering temperature with the brightest PL lies from Tg."
    ),
    equation="T_g = T_g(0) + m·x;  Δ = T(PL max) − T_g",
    reference="Li et al. 2023, Fig. 3b; A-19",
)


@dataclass(frozen=True)
class Params:
    flag_above_c: float = param(
        25.0,
        unit="°C",
        min=0,
        max=500,
        help="Distances between T(PL max) and Tg beyond this are pointed out.",
    )


def run(values: Sequence[ValueRow], params: Params) -> Outcome:
    given = [row for row in checked(values) if math.isfinite(row.factors.get(LOADING, math.nan))]
    rows = [row for row in given if row.property == "tg"]
    loading = np.array([row.factors[LOADING] for row in rows])
    if len(rows) < FEWEST_VALUES or np.unique(loading).size < FEWEST_LOADINGS:
        raise MethodError(
            f"It takes {FEWEST_VALUES} values of Tg of samples with known loading, at {FEWEST_LOADINGS} "
            f"loadings; there are {len(rows)} at {np.unique(loading).size}."
        )
    tg = np.array([row.value for row in rows])
    line, weighting = _line(rows, loading, tg)
    results = [
        Result("tg_slope", line.slope, line.slope_sigma),
        Result("tg_of_pure_glass", line.intercept, line.intercept_sigma),
    ]
    notes: dict[str, float | str] = {"values": float(len(rows)), "sigma": weighting}
    rho, p = spearman(loading, tg)
    if math.isfinite(rho):
        results.append(Result("tg_loading_correlation", rho, spearman_sigma(rho, len(rows))))
        notes["p of the rank correlation"] = p
    gaps = _gaps(given, rows, line)
    warnings = []
    if gaps:
        largest = max(gaps.values(), key=abs)
        results.append(Result("tg_brightest_gap", largest, _gap_sigma(given)))
        warnings = [
            f"At a loading of {100 * x:.3g} % the brightest sintering temperature lies {abs(gap):.0f} °C "
            f"{'above' if gap > 0 else 'below'} Tg."
            for x, gap in sorted(gaps.items())
            if abs(gap) > params.flag_above_c
        ]
    return Outcome(tuple(results), _curves(loading, tg, line), tuple(warnings), notes)


def _line(rows: Sequence[ValueRow], x: Array, y: Array) -> tuple[Line, str]:
    """With the sigmas that are known; without any, the scatter about the line stands for them."""
    sigmas = [known_sigma(row) for row in rows]
    known = [sigma for sigma in sigmas if sigma is not None]
    if known:
        filled = np.array([sigma if sigma is not None else max(known) for sigma in sigmas])
        weighting = (
            "those of the values" if len(known) == len(rows) else "where missing, the largest that is known"
        )
    else:
        plain = weighted_line(x, y, np.ones_like(y))
        scatter = math.sqrt(plain.chi2 / plain.dof) if plain else 0.0
        filled, weighting = np.full(y.size, max(scatter, 1e-9)), "from the scatter about the line"
    line = weighted_line(x, y, filled)
    if line is None or not math.isfinite(line.chi2):
        raise MethodError("The loadings are too close together for a slope; add samples with other loadings.")
    return line, weighting


def _gaps(values: Sequence[ValueRow], tg_rows: Sequence[ValueRow], line: Line) -> dict[float, float]:
    """Loading → T(PL max) − Tg. Tg as measured at that loading, else on the line, inside its range."""
    measured = {
        x: math.fsum(of) / len(of)
        for x, of in _per_loading([(_loading(row), row.value) for row in tg_rows]).items()
    }
    found = {}
    for x, (temperature_c, _) in _brightest(values).items():
        if x in measured:
            found[x] = temperature_c - measured[x]
        elif min(measured) <= x <= max(measured):
            found[x] = temperature_c - (line.intercept + line.slope * x)
    return found


def _brightest(values: Sequence[ValueRow]) -> dict[float, tuple[float, float]]:
    """Loading → sintering temperature of the brightest, and the step between temperatures there."""
    for brightness in BRIGHTNESS:
        rows = by_sample(
            row
            for row in values
            if row.property == brightness and math.isfinite(row.factors.get(SINTERING, math.nan))
        )
        bright = means(rows)
        places = [(_loading(of[0]), (of[0].factors[SINTERING], bright[code])) for code, of in rows.items()]
        found = {}
        for x, pairs in _per_loading(places).items():
            temperatures = np.unique([temperature for temperature, _ in pairs])
            if temperatures.size >= FEWEST_TEMPERATURES:
                best = max(pairs, key=lambda pair: (pair[1], -pair[0]))
                found[x] = (best[0], float(np.diff(temperatures).max()))
        if found:
            return found
    return {}


def _gap_sigma(values: Sequence[ValueRow]) -> float:
    """The optimum is only known to a step of the temperature programme: a rectangle, step/√12."""
    return max(step for _, step in _brightest(values).values()) / math.sqrt(12)


def _loading(row: ValueRow) -> float:
    return round(row.factors[LOADING], 4)


def _per_loading(pairs: Sequence[tuple[float, object]]) -> Mapping[float, list]:
    found: dict[float, list] = {}
    for x, what in pairs:
        found.setdefault(x, []).append(what)
    return found


def _curves(x: Array, y: Array, line: Line) -> tuple[Curve, ...]:
    names = ("perovskite by mass", "1", "Tg", "°C")
    order = np.argsort(x, kind="stable")
    ends = np.array([0.0, float(x.max())])
    return (
        Curve("Tg values", x[order], y[order], *names),
        Curve("Tg line", ends, line.intercept + line.slope * ends, *names),
    )

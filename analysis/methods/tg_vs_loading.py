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
from analysis.numerics.mixing_rules import Mixture, fox, gordon_taylor
from analysis.numerics.ranks import spearman, spearman_sigma
from analysis.numerics.straight_lines import Line, weighted_line

LOADING, SINTERING = "loading_mass_fraction", "sintering_temperature_c"
BRIGHTNESS = ("plqy", "pl_max_intensity")
FEWEST_VALUES, FEWEST_LOADINGS, FEWEST_TEMPERATURES = 4, 3, 3
FOX, GORDON_TAYLOR = "Fox", "Gordon-Taylor"
SCATTER = "from the scatter about the line"
PLAINLY_BENT = -10.0  # BIC less that of the line
FEWEST_FOR_K = 5
UNDETERMINED = 0.5  # σ over the constant of Gordon and Taylor

METHOD = Method(
    title="Glass transition against loading",
    version=2,
    over="project",
    reads=("tg", *BRIGHTNESS),
    needs=("tg",),
    at_least=FEWEST_VALUES,
    factors=(LOADING, SINTERING),
    properties=(
        Property("tg_slope", "T<sub>g</sub> per unit mass fraction of perovskite", "°C"),
        Property("tg_of_pure_glass", "T<sub>g</sub> at zero loading, extrapolated", "°C"),
        Property(
            "tg_fox_full_loading",
            "T<sub>g</sub> at full loading, after Fox",
            "°C",
            help="Extrapolated: as if the perovskite were a part of the glass.",
        ),
        Property(
            "tg_gordon_taylor_constant",
            "Gordon-Taylor constant of T<sub>g</sub> against loading",
            "1",
            html="k",
            help="1 is a straight line; only where the points tell it.",
        ),
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
        "how far the sintering temperature with the brightest PL lies from Tg. Beside the line the rules of "
        "Fox and of Gordon and Taylor for mixtures, each with its BIC less that of the line in the notes: "
        "below −10 the points are plainly no straight line. Where all scatter more than their σ, that grows "
        "with it; fewer than 15 values without σ cannot tell. The constant of Gordon and Taylor is given "
        "from five values at four loadings on, where its σ is below half of it."
    ),
    equation=(
        "T_g = T_g(0) + m·x;  Fox: 1/T_g = (1 − x)/T₁ + x/T₂;  Gordon-Taylor: T_g = [(1 − x)·T₁ + k·x·T₂]/"
        "[(1 − x) + k·x];  Δ = T(PL max) − T_g"
    ),
    reference=(
        "Li et al. 2023, Fig. 3b; A-19; T. G. Fox, Bull. Am. Phys. Soc. 1 (1956) 123; M. Gordon, "
        "J. S. Taylor, J. Appl. Chem. 2 (1952) 493"
    ),
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
    sigma, weighting = _sigmas(rows, loading, tg)
    line = weighted_line(loading, tg, sigma)
    if line is None or not math.isfinite(line.chi2):
        raise MethodError("The loadings are too close together for a slope; add samples with other loadings.")
    results = [
        Result("tg_slope", line.slope, line.slope_sigma),
        Result("tg_of_pure_glass", line.intercept, line.intercept_sigma),
    ]
    notes: dict[str, float | str] = {"values": float(len(rows)), "sigma": weighting}
    rho, p = spearman(loading, tg)
    if math.isfinite(rho):
        results.append(Result("tg_loading_correlation", rho, spearman_sigma(rho, len(rows))))
        notes["p of the rank correlation"] = p
    mixtures = _mixtures(loading, tg, sigma)
    results += _of_mixtures(mixtures)
    notes |= _against_the_line(line, mixtures, len(rows), weighting)
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
    return Outcome(tuple(results), _curves(loading, tg, line, mixtures), tuple(warnings), notes)


def _sigmas(rows: Sequence[ValueRow], x: Array, y: Array) -> tuple[Array, str]:
    """Those that are known; without any, the scatter about the line stands for them."""
    sigmas = [known_sigma(row) for row in rows]
    known = [sigma for sigma in sigmas if sigma is not None]
    if known:
        weighting = (
            "those of the values" if len(known) == len(rows) else "where missing, the largest that is known"
        )
        return np.array([sigma if sigma is not None else max(known) for sigma in sigmas]), weighting
    plain = weighted_line(x, y, np.ones_like(y))
    scatter = math.sqrt(plain.chi2 / plain.dof) if plain else 0.0
    return np.full(y.size, max(scatter, 1e-9)), SCATTER


def _mixtures(x: Array, y: Array, sigma: Array) -> dict[str, Mixture]:
    """The rules that the points determine."""
    enough = y.size >= FEWEST_FOR_K and np.unique(x).size > FEWEST_LOADINGS
    found = {FOX: fox(x, y, sigma), GORDON_TAYLOR: gordon_taylor(x, y, sigma) if enough else None}
    return {
        name: mixture
        for name, mixture in found.items()
        if mixture is not None and mixture.k_sigma <= UNDETERMINED * mixture.k
    }


def _of_mixtures(mixtures: Mapping[str, Mixture]) -> list[Result]:
    results = []
    if found := mixtures.get(FOX):
        results.append(Result("tg_fox_full_loading", found.second, found.second_sigma))
    if found := mixtures.get(GORDON_TAYLOR):
        results.append(Result("tg_gordon_taylor_constant", found.k, found.k_sigma))
    return results


def _against_the_line(
    line: Line, mixtures: Mapping[str, Mixture], values: int, weighting: str
) -> dict[str, float | str]:
    """BIC with the σ that all errors have: grown by the scatter about whichever rule fits best."""
    ratios = [line.chi2 / line.dof]
    ratios += [mixture.chi2 / (line.dof - (name == GORDON_TAYLOR)) for name, mixture in mixtures.items()]
    grown = max(1.0, min(ratios))
    one_more = math.log(values)
    notes: dict[str, float | str] = {}
    for name, mixture in mixtures.items():
        notes[f"Tg at zero loading after {name}"] = mixture.first
        notes[f"BIC of {name} less that of the line"] = (mixture.chi2 - line.chi2) / grown + (
            one_more if name == GORDON_TAYLOR else 0.0
        )
    if mixtures and weighting == SCATTER and one_more - line.dof > PLAINLY_BENT:
        notes["bend"] = (
            f"{values} values without errors of their own cannot tell a bend from a line: σ is their scatter "
            f"about the line, so BIC falls by no more than {line.dof:.0f}."
        )
    return notes


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


def _curves(x: Array, y: Array, line: Line, mixtures: Mapping[str, Mixture]) -> tuple[Curve, ...]:
    names = ("perovskite by mass", "1", "Tg", "°C")
    order = np.argsort(x, kind="stable")
    ends = np.array([0.0, float(x.max())])
    along = np.linspace(0.0, float(x.max()), 51)
    return (
        Curve("Tg values", x[order], y[order], *names),
        Curve("Tg line", ends, line.intercept + line.slope * ends, *names),
        *(Curve(f"Tg {name}", along, mixture(along), *names) for name, mixture in mixtures.items()),
    )

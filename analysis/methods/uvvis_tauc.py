"""The optical gap after Tauc, direct and indirect. Row A-09."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods._absorbance import (
    PHASES,
    SAMPLE,
    Absorbance,
    EdgeParams,
    absorbance,
)
from analysis.methods._absorption_edges import Edge, edges_of
from analysis.methods._spectra import HC_EV_NM
from analysis.methods.base import Array, Curve, Dataset, Method, MethodError, Outcome, Property, Result, param
from analysis.numerics import tauc

METHOD = Method(
    title="UV-Vis: Tauc gap",
    version=2,
    accepts=(SAMPLE,),
    properties=(
        Property("tauc_gap_direct", "Tauc gap, direct", "eV", components=PHASES, html="E<sub>g</sub>"),
        Property("tauc_gap_indirect", "Tauc gap, indirect", "eV", components=PHASES, html="E<sub>g</sub>"),
    ),
    reference=(
        "J. Tauc, R. Grigorovici, A. Vancu, Phys. Status Solidi 15 (1966) 627; "
        "Hou et al., Science 374 (2021) 621, doi:10.1126/science.abf4460"
    ),
    equation="(α hν)^(1/r) = B (hν − E_g), r = ½ direct, 2 indirect",
    description=(
        "The background beyond the edge is taken off as for the absorption edge. A straight line, weighted "
        "by the noise, goes through (α hν)^(1/r) where it is 20 to 80 % of its rise, up to where the fall "
        "of absorbance ends, the chosen span or the next edge; E_g is where it meets zero. hν = 1239.842 eV"
        " nm / λ. Sigmas hold the noise of the points and of the background, and grow where the points "
        "scatter more than that; whether a gap is direct or indirect, and whether the curve is a Tauc line "
        "at all, no sigma can tell: R² is in the notes."
    ),
)
LOWEST_R2, STRAIGHT_R2 = 0.9, 0.98


@dataclass(frozen=True)
class Params(EdgeParams):
    low_share: float = param(0.2, unit="1", min=0.01, max=0.9, help="Where on the rise the line begins.")
    high_share: float = param(0.8, unit="1", min=0.1, max=1.0, help="Where on the rise it ends.")
    span_ev: float = param(0.5, unit="eV", min=0.05, max=5, help="How far above the edge the rise is sought.")


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    if params.low_share >= params.high_share:
        raise MethodError("low_share must be below high_share.")
    data = absorbance(datasets["sample"], params)
    found, said = edges_of(data, params.edges, params.background, params.smallest_share, True)
    values: list[Result] = []
    curves: list[Curve] = []
    warnings = [*data.warnings, *said]
    notes: dict[str, float | str] = {"signal": data.kind}
    for place, edge in enumerate(found):
        blue_nm = found[place - 1].fall.red if place else 0.0
        for kind, power in tauc.POWERS.items():
            name = f"{kind} {edge.component}".rstrip()
            answer = _gap(data, edge, blue_nm, power, params)
            if answer is None:
                warnings.append(
                    f"The {name} Tauc plot holds no straight line near the edge, so no such gap is given."
                )
                continue
            gap, sigma, curve = answer
            values.append(Result(f"tauc_gap_{kind}", gap.gap, sigma, edge.component))
            curves += [
                Curve(f"tauc {name}", *curve, "photon energy", "eV", f"(αhν)^{power:g}", "1"),
                _line(name, gap),
            ]
            notes |= {f"R² {name}": gap.r2, f"points {name}": float(gap.points)}
            notes |= {f"line from, eV, {name}": gap.low, f"line to, eV, {name}": gap.high}
            if gap.r2 < STRAIGHT_R2:
                warnings.append(f"The {name} Tauc plot is not straight (R² {gap.r2:.3f}); mind its gap.")
    if not values:
        raise MethodError(
            "No Tauc plot rises over enough points for a line; scan with smaller steps, or widen the span."
        )
    return Outcome(tuple(values), tuple(curves), tuple(warnings), notes)


def _gap(
    data: Absorbance, edge: Edge, blue_nm: float, power: float, params: Params
) -> tuple[tauc.Gap, float, tuple[Array, Array]] | None:
    """The gap, its σ with that of the background, and the curve that the line is laid through."""
    foot_ev, edge_ev = HC_EV_NM / (edge.fall.red + edge.fall.width), HC_EV_NM / edge.fall.red
    energy = HC_EV_NM / data.x[::-1]
    risen_ev = HC_EV_NM / edge.fall.blue  # beyond, (α hν)² goes on to rise with hν alone
    near = (energy >= foot_ev) & (energy <= min(risen_ev, edge_ev + params.span_ev))
    if blue_nm:
        near &= energy <= HC_EV_NM / blue_nm
    energy, variance = energy[near], data.variance[::-1][near]

    def alpha(level: float, slope: float) -> Array:
        """With this background instead of the one that was fitted."""
        taken_off = edge.base(data.x) if edge.subtracted else 0.0
        return np.asarray((edge.y + taken_off - edge.base(data.x, level, slope))[::-1][near])

    def found(level: float, slope: float) -> tauc.Gap | None:
        return tauc.gap(energy, alpha(level, slope), variance, power, params.low_share, params.high_share)

    if energy.size < 2 * tauc.FEWEST:
        return None
    best = found(edge.base.level, edge.base.slope)
    if best is None or best.r2 < LOWEST_R2 or abs(best.gap - edge_ev) > params.span_ev:
        return None
    moved = np.zeros(2)
    for which, sigma in enumerate(np.sqrt(np.diag(edge.base.covariance))):
        at = [edge.base.level, edge.base.slope]
        at[which] += sigma
        other = found(*at) if sigma > 0 else best
        moved[which] = (other or best).gap - best.gap
    correlation = _correlation(edge.base.covariance)
    from_base = float(moved @ moved + 2 * correlation * moved[0] * moved[1])
    y, _ = tauc.transformed(energy, alpha(edge.base.level, edge.base.slope), variance, power)
    return best, float(np.sqrt(best.sigma**2 + max(from_base, 0.0))), (energy, y)


def _correlation(covariance: Array) -> float:
    size = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
    return float(covariance[0, 1]) / size if size > 0 else 0.0


def _line(name: str, gap: tauc.Gap) -> Curve:
    x = np.array([gap.gap, gap.high])
    return Curve(f"line {name}", x, gap.slope * (x - gap.gap), "photon energy", "eV", "Tauc line", "1")

"""Where absorption begins: λ_g from the steepest tangent, one edge or two. Row A-09."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analysis.methods._absorbance import (
    GUIDE_EV,
    PHASES,
    SAMPLE,
    Absorbance,
    EdgeParams,
    absorbance,
)
from analysis.methods._absorption_edges import Edge, edges_of, under_other_scattering
from analysis.methods._spectra import HC_EV_NM
from analysis.methods.base import Array, Curve, Dataset, Method, MethodError, Outcome, Property, Result
from analysis.numerics import edge_tangents as kernel
from analysis.numerics.peaks import running_mean

PUBLISHED_EV_NM = 1240.0
MOST_WIDTHS = 3.0
MOST_DIP = 0.4  # of its height, that the signal may lose above an edge
CONVERTED = ("transmittance", "reflectance")

METHOD = Method(
    title="UV-Vis: absorption edge",
    version=3,
    accepts=(SAMPLE,),
    properties=(
        Property("band_edge", "Absorption edge", "nm", components=PHASES, html="λ<sub>g</sub>"),
        Property("band_gap", "Band gap", "eV", components=PHASES, html="E<sub>g</sub>"),
        Property(
            "band_gap_exact",
            "Band gap, hc = 1239.842 eV nm",
            "eV",
            components=PHASES,
            html="E<sub>g</sub>",
            help="The same edge with hc as it is, instead of the published 1240.",
        ),
        Property("band_edge_inflection", "Absorption edge, inflection", "nm", components=PHASES),
        Property("absorption_edge_number", "Number of absorption edges", "1"),
    ),
    reference=(
        "Hou et al., Science 374 (2021) 621, doi:10.1126/science.abf4460, Fig. 1D; "
        "Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Supplementary Information 10; "
        "P. Kubelka, F. Munk, Z. Tech. Phys. 12 (1931) 593"
    ),
    equation="E_g = 1240 eV nm / λ_g",
    description=(
        "λ_g is where the steepest tangent meets what lies beyond the edge; the inflection is the point "
        "of that tangent (for a sigmoid of centre 708 and width 8 nm: 724.0 and 708.0 nm). Both come from"
        " a cubic through the points around the steepest fall, as many as the noise asks for. Beyond the "
        "edge lies a constant, or where that plainly slopes scattering a·λ^(−p), which is then taken off "
        "everywhere, or a line. Two falls more than 60 nm apart are two edges: that of higher energy is "
        "called delta, that of lower energy gamma, whatever the sample is. The published rule is "
        "1240/λ_g; the value with 1239.842 stands beside it. Transmittance is turned into −log₁₀T, "
        "reflectance into (1−R)²/2R. Sigmas are propagated from the noise of the points through tangent "
        "and background."
    ),
)
Params = EdgeParams

Kept = tuple[Edge, kernel.Tangent, float, float]


def run(datasets: Mapping[str, Dataset], params: EdgeParams) -> Outcome:
    data = absorbance(datasets["sample"], params)
    found, said = edges_of(data, params.edges, params.background, params.smallest_share)
    kept: list[Kept] = []
    left_out: list[str] = []
    for edge in found:
        line = kernel.tangent(data.x, edge.y, data.variance, edge.fall, data.kind == "reflectance")
        place, sigma = (0.0, 0.0) if line is None else kernel.intersection(line, edge.base, edge.subtracted)
        if line is None or abs(place - line.x) > MOST_WIDTHS * edge.fall.width:
            left_out.append(
                f"The fall at {edge.fall.steepest:.0f} nm has no tangent that meets the background near it. "
                "Choose a window around the edge, or another background."
            )
        else:
            kept.append((edge, line, place, sigma))
    if not kept:
        raise MethodError(" ".join(left_out))
    kept = _beside_scattering(data, found, kept)
    warnings = [*data.warnings, *said, *left_out]
    values = [Result("absorption_edge_number", float(len(kept)), 0.0)]
    notes: dict[str, float | str] = {"signal": data.kind, "edge": "steepest tangent meets the background"}
    curves = [Curve("absorbance", data.x, data.y, "wavelength", "nm", data.y_name, "1")]
    for edge, line, place, sigma in kept:
        named = edge if len(kept) == 2 else replace(edge, component="")
        values += _values(named, line, place, sigma)
        warnings += [*_about(named, line, place), *_band(data.x, named, line, place)]
        notes |= _notes(named, line)
        curves += _curves(data, named, line, place)
    return Outcome(tuple(values), tuple(curves), tuple(warnings), notes)


def _beside_scattering(data: Absorbance, found: list[Edge], kept: list[Kept]) -> list[Kept]:
    """With the error of scattering that was found beyond another edge and taken off under this one."""
    others = under_other_scattering(data, found)
    if not others or kept[0][0] is not found[0]:
        return kept
    edge, line, place, sigma = kept[0]
    errors = line.covariance.copy()
    for other in others:
        moved = kernel.tangent(data.x, other.y, data.variance, other.fall, data.kind == "reflectance")
        if moved is not None:
            sigma = float(np.hypot(sigma, kernel.intersection(moved, other.base, False)[0] - place))
            errors[0, 0] += (moved.x - line.x) ** 2
    return [(edge, replace(line, covariance=errors), place, sigma), *kept[1:]]


def _values(edge: Edge, line: kernel.Tangent, place: float, sigma: float) -> list[Result]:
    label = edge.component
    values = [
        Result("band_edge", place, sigma, label),
        Result("band_gap", PUBLISHED_EV_NM / place, PUBLISHED_EV_NM * sigma / place**2, label),
        Result("band_gap_exact", HC_EV_NM / place, HC_EV_NM * sigma / place**2, label),
    ]
    if line.inflects:
        values.append(Result("band_edge_inflection", line.x, float(np.sqrt(line.covariance[0, 0])), label))
    return values


def _about(edge: Edge, line: kernel.Tangent, place: float) -> list[str]:
    said = []
    if not line.inflects:
        said.append(
            f"At {line.x:.0f} nm the curve is too angular or too noisy for an inflection; the tangent is "
            "that of the steepest stretch."
        )
    if (
        edge.component
        and not GUIDE_EV[edge.component][0] < PUBLISHED_EV_NM / place < GUIDE_EV[edge.component][1]
    ):
        said.append(
            f"{PUBLISHED_EV_NM / place:.2f} eV is called {edge.component} because of its place among two "
            f"edges; it is not where the {edge.component} phase of CsPbI₃ absorbs."
        )
    return said


def _band(x: Array, edge: Edge, line: kernel.Tangent, place: float) -> list[str]:
    """What absorbs above an edge goes on absorbing; a dye, a plasmon or a lone exciton does not."""
    y = running_mean(edge.y, 2)
    near = np.flatnonzero((x < line.x) & (x > line.x - 2 * edge.fall.width))
    if near.size < 5:
        return []
    top = int(near[np.argmax(y[near])])
    height = float(y[top] - (0.0 if edge.subtracted else edge.base(x[top])))
    dip = float(y[top] - y[: top + 1].min())
    if dip < MOST_DIP * height:
        return []
    which = f"{edge.component} edge".strip()
    return [
        f"Above the {which} at {place:.0f} nm the signal falls again, towards the blue, by "
        f"{dip / height:.0%} of its height at {x[top]:.0f} nm: this is a band, as of a dye, "
        "a plasmon or a lone exciton, and the end of a band is no band gap."
    ]


def _notes(edge: Edge, line: kernel.Tangent) -> dict[str, float | str]:
    of = f" {edge.component}".rstrip()
    notes: dict[str, float | str] = {
        f"background{of}": edge.base.kind,
        f"background level{of}": edge.base.level,
        f"steepest slope per nm{of}": line.slope,
        f"drop{of}": edge.fall.drop,
    }
    if edge.base.kind == "scattering":
        notes["scattering exponent"] = edge.base.slope
        notes["scattering exponent sigma"] = float(np.sqrt(edge.base.covariance[1, 1]))
    return notes


def _curves(data: Absorbance, edge: Edge, line: kernel.Tangent, place: float) -> list[Curve]:
    """The tangent from the top of its fall to λ_g, "fit" for the edge of lowest energy, and the background.
    None where the file holds %T or %R: they would lie on another scale than what it shows."""
    if data.kind in CONVERTED:
        return []
    x = np.linspace(line.x - edge.fall.width / 2, place, 25)
    under = edge.base(x) if edge.subtracted else np.zeros(x.size)
    red = data.x[data.x >= edge.fall.blue]
    names = ("wavelength", "nm", data.y_name, "1")
    label = "tangent delta" if edge.component == "delta" else "fit"
    return [
        Curve(label, x, line.y + line.slope * (x - line.x) + under, *names),
        Curve(f"background {edge.component}".rstrip(), red, edge.base(red), *names),
    ]

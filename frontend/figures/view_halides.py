"""The emission of the halide series, each to its maximum, with its colour as a chip. Row D-23."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.numerics import colour
from frontend.figures._arrays import typed
from frontend.figures._pl_views import (
    LOADING,
    SINTERING,
    USUAL,
    code_of,
    factor_of,
    origin_words,
    origins_of,
    smoothed,
)
from frontend.figures._template import INK, ORIGINS, SECOND, axis, layout
from frontend.figures.base import Column, Curves, Drawing, Figure, Line, Numbers, Option, Quantity, View
from frontend.formatting import MARKS, number
from samples.notation import to_html

PEROVSKITE, HALIDE = "perovskite", "halide"
FIGURE = Figure(
    title="Emission of the halides",
    takes="view",
    theme="Colour",
    order=10,
    help="One spectrum a perovskite, to its maximum; the chip is the colour of the light as a screen can "
    "show it, with its CIE 1931 x, y.",
    reads=("cie_x", "cie_y"),
    factors=(PEROVSKITE, HALIDE, LOADING, SINTERING),
    curves=(Curves("pl"),),
    options=(
        Option("height", "Height", (("normalised", "each to its maximum"), ("absolute", "as measured"))),
    ),
    height_px=440,
    needs="Upload PL spectra of samples with different halides.",
)
MOST_CURVES = 16
FEWEST_POINTS = 5
X = Quantity("wavelength", "Wavelength", "nm")


@dataclass(frozen=True)
class Emission:
    """One perovskite's spectrum; xy None where no colour of it is known."""

    name: str
    code: str
    line: Line
    x: Numbers
    y: Numbers
    top_nm: float
    xy: tuple[float, float] | None

    @property
    def paint(self) -> str:
        return SECOND if self.xy is None else colour.screen_colour(self.xy)


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    normalised = options.get("height", "normalised") == "normalised"
    groups, unknown = _groups(view)
    notes = list(view.missing)
    if unknown:
        are = "1 spectrum is" if unknown == 1 else f"{number(unknown)} spectra are"
        notes.append(f"{are} left out: the perovskite of the sample is not recorded.")
    if not groups:
        empty = "No PL spectrum over wavelength is of a sample whose perovskite is known."
        return Drawing(empty=empty, notes=notes)
    emissions = sorted(
        (_emission(view, name, lines, normalised) for name, lines in groups.items()),
        key=lambda emission: emission.top_nm,
    )
    if len(emissions) > MOST_CURVES:
        notes.append(f"{MOST_CURVES} of {len(emissions)} perovskites are drawn; choose fewer by a filter.")
        emissions = emissions[:MOST_CURVES]
    more = sum(len(lines) - 1 for lines in groups.values())
    if more:
        notes.append(
            f"{number(more)} more {'spectrum' if more == 1 else 'spectra'} of the same perovskites; drawn "
            "are those nearest to a loading of 25 % sintered at 275 °C, then the newest."
        )
    if pale := [emission.name for emission in emissions if emission.xy is None]:
        notes.append(f"No colour is known of {', '.join(pale)}: they are drawn in grey, without a chip.")
    data = [_trace(emission) for emission in emissions] + [_chips(emissions)]
    data += origins_of([emission.line.origin for emission in emissions])
    return Drawing(
        data=data,
        layout=_layout(emissions, normalised),
        table=_table(emissions, normalised),
        summary=_summary(emissions),
        notes=notes,
        filename="halide-emission",
    )


def _groups(view: View) -> tuple[dict[str, list[Line]], int]:
    """Spectra by perovskite, or by halide where that is all one knows; how many say neither."""
    groups: dict[str, list[Line]] = {}
    unknown = 0
    for line in view.curves():
        if line.x_is.unit != "nm" or line.x.size < FEWEST_POINTS or np.isfinite(line.series):
            continue
        if not np.isfinite(line.y).all() or float(np.ptp(line.y)) <= 0:
            continue
        known = view.subjects[line.subject].factors
        name = str(known.get(PEROVSKITE) or known.get(HALIDE) or "")
        if name:
            groups.setdefault(name, []).append(line)
        else:
            unknown += 1
    return groups, unknown


def _emission(view: View, name: str, lines: Sequence[Line], normalised: bool) -> Emission:
    line = min(lines, key=lambda each: _order(view, each))
    order = np.argsort(line.x)
    x, y = line.x[order], line.y[order].astype(np.float64)
    smooth = smoothed(y)
    top = int(smooth.argmax())
    if normalised:
        edge = max(1, x.size // 40)
        offset = float(np.median(np.concatenate([y[:edge], y[-edge:]])))
        height = float(smooth[top]) - offset
        y = (y - offset) / (height if height > 0 else 1.0)
    return Emission(name, code_of(view, line), line, x, y, float(x[top]), _xy(view, line))


def _order(view: View, line: Line) -> tuple[Any, ...]:
    away = []
    for factor, scale in ((LOADING, 0.1), (SINTERING, 50.0)):
        level = factor_of(view, line.subject, factor)
        away.append(9.0 if level is None else abs(level - USUAL[factor]) / scale)
    return ORIGINS.index(line.origin), round(sum(away), 6), -line.measurement


def _xy(view: View, line: Line) -> tuple[float, float] | None:
    found = []
    for key in ("cie_x", "cie_y"):
        value = next(
            (r.value for r in view.values(key) if (r.subject, r.origin) == (line.subject, line.origin)), None
        )
        if value is None or not 0 < value < 1:
            return None
        found.append(value)
    return found[0], found[1]


def _trace(emission: Emission) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": emission.name,
        "x": typed(emission.x),
        "y": typed(emission.y),
        "samples": [emission.code],
        "line": {"color": emission.paint, "width": 2},
        "hovertemplate": f"{_label(emission)}<br>%{{x:.5~g}} nm, %{{y:.4~g}}<extra></extra>",
        "showlegend": False,
        "meta": "spectrum",
    }


def _chips(emissions: Sequence[Emission]) -> dict[str, Any]:
    known = [emission for emission in emissions if emission.xy is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "CIE 1931 colour",
        "x": typed(np.array([emission.top_nm for emission in known])),
        "y": typed(np.array([_height(emission) for emission in known])),
        "yaxis": "y",
        "marker": {
            "symbol": "square",
            "size": 15,
            "color": [emission.paint for emission in known],
            "line": {"color": INK, "width": 1},
        },
        "samples": [emission.code for emission in known],
        "hovertext": [
            f"{_label(each)}<br>x {each.xy[0]:.4f}, y {each.xy[1]:.4f}<br>{each.code}"
            for each in known
            if each.xy
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
        "showlegend": False,
        "meta": "chips",
    }


def _height(emission: Emission) -> float:
    return 1.07 * float(emission.y.max())


def _label(emission: Emission) -> str:
    mark = "" if emission.line.origin == "measured" else f" {MARKS[emission.line.origin]}"
    return f"{to_html(emission.name)}{mark}"


def _layout(emissions: Sequence[Emission], normalised: bool) -> dict[str, Any]:
    names = [
        {
            "x": emission.top_nm,
            "y": _height(emission),
            "yshift": 12 + (16 if place % 2 else 0),
            "yanchor": "bottom",
            "text": _label(emission),
            "showarrow": False,
            "font": {"color": INK, "size": 12},
        }
        for place, emission in enumerate(emissions)
    ]
    low = min(float(emission.x.min()) for emission in emissions)
    high = max(float(emission.x.max()) for emission in emissions)
    top = max(_height(emission) for emission in emissions)
    unit = emissions[0].line.y_is.unit
    y_is = Quantity(
        "intensity", "PL, normalised" if normalised else "PL intensity", "1" if normalised else unit
    )
    return layout(
        axis(X.title, range=[low, high], hoverformat=".5~g"),
        axis(y_is.title, range=[-0.03 * top, 1.18 * top]),
        annotations=names,
        dragmode="zoom",
    )


def _table(emissions: Sequence[Emission], normalised: bool) -> list[Column]:
    """The curves under each other, with the colour of each."""
    sizes = [emission.x.size for emission in emissions]

    def repeated(of: Any) -> list[Any]:
        return [
            value for emission, size in zip(emissions, sizes, strict=True) for value in [of(emission)] * size
        ]

    return [
        Column("sample", repeated(lambda each: each.code)),
        Column("perovskite", repeated(lambda each: each.name)),
        Column("wavelength", np.concatenate([each.x for each in emissions]), "nm"),
        Column("PL, normalised" if normalised else "PL", np.concatenate([each.y for each in emissions])),
        Column("CIE x", np.array(repeated(lambda each: each.xy[0] if each.xy else np.nan), dtype=np.float64)),
        Column("CIE y", np.array(repeated(lambda each: each.xy[1] if each.xy else np.nan), dtype=np.float64)),
        Column("origin", repeated(lambda each: each.line.origin)),
    ]


def _summary(emissions: Sequence[Emission]) -> str:
    told = []
    for each in emissions:
        at = f"{each.name} at {each.top_nm:.0f} nm"
        told.append(at if each.xy is None else f"{at}, x {each.xy[0]:.3f}, y {each.xy[1]:.3f}")
    origins = origin_words([emission.line.origin for emission in emissions])
    listed = "; ".join(told)
    return f"Emission of {len(emissions)} perovskites ({origins}), by wavelength of the maximum: {listed}."

"""Where the light of the samples lies in the CIE diagram, beside what displays can show. Row D-24."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.numerics import colour, gamuts
from frontend.figures._arrays import typed
from frontend.figures._chromaticity import backdrop, line, placed
from frontend.figures._template import INK, ORIGINS, SECOND, SYMBOLS, axis, layout, legend_mark
from frontend.figures.base import Column, Drawing, Figure, Numbers, Option, Quantity, Reading, View
from frontend.formatting import MARKS, ORIGIN_WORDS, number, quantity
from samples.notation import to_html

PEROVSKITE = "perovskite"
FIGURE = Figure(
    title="Chromaticity",
    takes="view",
    theme="Colour",
    order=20,
    help="Each mark is the light of a sample, in its own colour as far as a screen has it. The curve holds "
    "all single wavelengths; triangles are what displays show; dots and dashes join the outermost samples.",
    reads=("cie_x", "cie_y"),
    factors=(PEROVSKITE,),
    options=(
        Option("space", "Diagram", (("xy", "CIE 1931 x, y"), ("uv", "CIE 1976 u′, v′"))),
        Option("gamut", "Gamuts", (("all", "sRGB, NTSC, Rec. 2020"), ("none", "none"))),
    ),
    height_px=620,
    needs="Upload PL spectra; their colour follows by itself.",
)
DASHES = {"sRGB": "solid", "NTSC": "dash", "Rec. 2020": "dot"}


@dataclass(frozen=True)
class Point:
    x: Reading
    y: Reading
    code: str
    name: str

    @property
    def xy(self) -> tuple[float, float]:
        return self.x.value, self.y.value


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    points = _points(view)
    if not points:
        return Drawing(empty="No sample has a colour yet.", notes=view.missing)
    uv = options.get("space", "xy") == "uv"
    data = backdrop(uv)
    if options.get("gamut", "all") == "all":
        data += [
            _outline(name, corners_of, uv, DASHES[name], SECOND) for name, corners_of in gamuts.GAMUTS.items()
        ]
    present = [origin for origin in ORIGINS if any(point.x.origin == origin for point in points)]
    spanned = {origin: _corners(points, origin) for origin in present}
    data += [
        _outline(f"gamut of these, {ORIGIN_WORDS[origin]}", corners, uv, "dashdot", INK)
        for origin, corners in spanned.items()
        if len(corners) > 2
    ]
    data += [_marks(points, origin, uv) for origin in present]
    return Drawing(
        data=[*data, *(legend_mark(origin) for origin in present)],
        layout=_layout(uv),
        table=_table(points),
        summary=_summary(points, spanned),
        notes=[*view.missing, *_about_the_gamut(spanned)],
        filename=f"chromaticity-{'uv' if uv else 'xy'}",
    )


def _points(view: View) -> list[Point]:
    """Samples with both coordinates, of one origin each; what lies outside 0 to 1 is no colour."""
    of_y = {(r.subject, r.origin): r for r in view.values("cie_y") if 0 < r.value < 1}
    found = []
    for x in view.values("cie_x"):
        y = of_y.get((x.subject, x.origin))
        if y is not None and 0 < x.value < 1:
            subject = view.subjects[x.subject]
            name = str(subject.factors.get(PEROVSKITE) or subject.notation or "")
            found.append(Point(x, y, subject.code, name))
    return found


def _outline(name: str, corners: Numbers, uv: bool, dash: str, ink: str) -> dict[str, Any]:
    closed = np.concatenate([corners, corners[:1]])
    return line(
        name, closed, uv, line={"color": ink, "width": 1.2, "dash": dash}, showlegend=True, meta="gamut"
    )


def _marks(points: Sequence[Point], origin: str, uv: bool) -> dict[str, Any]:
    rows = np.array([row for row, point in enumerate(points) if point.x.origin == origin], dtype=np.int32)
    chosen = [points[row] for row in rows]
    at = placed(uv, np.array([point.xy for point in chosen]))
    open_mark = SYMBOLS[origin].endswith("open")
    paints = [colour.screen_colour(point.xy) for point in chosen]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": ORIGIN_WORDS[origin],
        "x": typed(np.ascontiguousarray(at[:, 0])),
        "y": typed(np.ascontiguousarray(at[:, 1])),
        "customdata": typed(rows),
        "hovertext": [_hover(point) for point in chosen],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": SYMBOLS[origin],
            "size": 12,
            "color": paints,
            "line": {"width": 2.4 if open_mark else 1, "color": paints if open_mark else INK},
        },
        "showlegend": False,
        "cliponaxis": False,
        "meta": "samples",
    }


def _hover(point: Point) -> str:
    x, y = (quantity(each.value, each.sigma) for each in (point.x, point.y))
    named = f"{to_html(point.name)}<br>" if point.name else ""
    origin = f"{MARKS[point.x.origin]} {ORIGIN_WORDS[point.x.origin]}"
    return f"<b>{point.code}</b><br>{named}x {x}<br>y {y}<br>{origin}"


def _corners(points: Sequence[Point], origin: str) -> Numbers:
    """Of what samples of one origin span; origins are never mixed."""
    return gamuts.hull([point.xy for point in points if point.x.origin == origin])


def _layout(uv: bool) -> dict[str, Any]:
    names = ("u′", "v′") if uv else ("x", "y")
    ranges = ([-0.03, 0.68], [-0.03, 0.63]) if uv else ([-0.06, 0.8], [-0.04, 0.9])
    x, y = (Quantity(name, f"CIE {'1976' if uv else '1931'} {name}") for name in names)
    return layout(
        axis(x.title, range=ranges[0], constrain="domain"),
        axis(y.title, range=ranges[1], scaleanchor="x", scaleratio=1, constrain="domain"),
        dragmode="zoom",
    )


def _about_the_gamut(spanned: Mapping[str, Numbers]) -> list[str]:
    told = [_size(origin, corners) for origin, corners in spanned.items() if len(corners) > 2]
    return told or ["Three samples of one origin and of different colours span a gamut; there are fewer."]


def _size(origin: str, corners: Numbers) -> str:
    size = gamuts.area(corners)
    told = []
    for name, of in gamuts.GAMUTS.items():
        share, covered = size / gamuts.area(of), gamuts.overlap(corners, of) / gamuts.area(of)
        told.append(f"{100 * share:.0f} % of {name} in area, covering {100 * covered:.0f} %")
    return f"The samples ({ORIGIN_WORDS[origin]}) span {size:.4f} of x, y: {'; '.join(told)}."


def _table(points: Sequence[Point]) -> list[Column]:
    xy = np.array([point.xy for point in points])
    uv = colour.uv_prime(xy)

    def column(values: Any) -> Numbers:
        return np.array(list(values), dtype=np.float64)

    return [
        Column("sample", [point.code for point in points]),
        Column("x", column(xy[:, 0])),
        Column("sigma of x", column(point.x.sigma for point in points)),
        Column("y", column(xy[:, 1])),
        Column("sigma of y", column(point.y.sigma for point in points)),
        Column("u′", column(uv[:, 0])),
        Column("v′", column(uv[:, 1])),
        Column("perovskite", [point.name for point in points]),
        Column("origin", [point.x.origin for point in points]),
        Column("source", [point.x.source for point in points]),
    ]


def _summary(points: Sequence[Point], spanned: Mapping[str, Numbers]) -> str:
    told = ", ".join(f"{p.name or p.code} at x {p.x.value:.3f}, y {p.y.value:.3f}" for p in points[:8])
    more = f", and {number(len(points) - 8)} more" if len(points) > 8 else ""
    gamut = " ".join(_about_the_gamut(spanned))
    return f"CIE chromaticity of {number(len(points))} samples: {told}{more}. {gamut}"

"""Absorption along a row of the array, its edges marked, and the band gap against temperature. Row D-04."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontend.figures._absorption_curves import EDGES, arrows, joined, names, told
from frontend.figures._absorption_gaps import gaps_of, inset_of
from frontend.figures._arrays import typed
from frontend.figures._pl_views import (
    LOADING,
    MADE,
    SINTERING,
    Curve,
    Row,
    code_of,
    origin_words,
    origins_of,
    quantity_of,
    row_along,
    title_of,
    words,
)
from frontend.figures._points import plain, shown
from frontend.figures._template import INK, axis, layout
from frontend.figures.base import (
    Column,
    Curves,
    Drawing,
    Figure,
    Line,
    Numbers,
    Option,
    Quantity,
    Reading,
    View,
)

FIGURE = Figure(
    title="Absorption",
    takes="view",
    theme="Absorption",
    order=10,
    help="Absorbance with its edges, or the Tauc plot with its gaps, along sintering temperature or loading; "
    "beside it where the band gap goes.",
    reads=tuple(
        f"{key}:{edge}" if edge else key
        for key in ("band_edge", "band_gap", "tauc_gap_direct", "tauc_gap_indirect")
        for edge in EDGES
    ),
    factors=(SINTERING, LOADING, *MADE),
    curves=(
        Curves("uvvis", "uvvis_edge", ("absorbance",)),
        Curves("uvvis", "uvvis_tauc", ("tauc direct*", "tauc indirect*")),
    ),
    options=(
        Option(
            "show",
            "Show",
            (
                ("absorbance", "absorbance"),
                ("direct", "Tauc plot, direct gap"),
                ("indirect", "Tauc plot, indirect gap"),
            ),
        ),
        Option("along", "Along", ((SINTERING, "sintering temperature"), (LOADING, "loading"))),
        Option("height", "Height", (("absolute", "as measured"), ("normalised", "each to its maximum"))),
    ),
    height_px=480,
    needs="Upload UV-Vis spectra of samples whose sintering temperature and loading are known.",
)
WAVELENGTH, ENERGY = Quantity("wavelength", "Wavelength", "nm"), Quantity("energy", "Photon energy", "eV")
GAP = Quantity("band_gap", "Band gap", "eV")


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    show, along = options.get("show", "absorbance"), options.get("along", SINTERING)
    normalised = options.get("height") == "normalised"
    wanted = joined([line for line in view.lines if _belongs(line.name, show) and _is_drawable(line)])
    row = row_along(view, wanted, along)
    notes = [*view.missing, *row.notes]
    if not row.curves:
        if wanted:
            factor = words(quantity_of(view, along))
            return Drawing(empty=f"No absorption spectrum is of a sample with a known {factor}.", notes=notes)
        return Drawing(empty="There is no analysed absorption spectrum yet.", notes=notes)
    drawn = [_shown(curve, normalised) for curve in row.curves]
    marks = [_marks_of(view, curve, show) for curve in row.curves]
    data = [_line(view, curve, pair, show) for curve, pair in zip(row.curves, drawn, strict=True)]
    data += _edges(view, row, drawn, marks, show)
    inset, outside = gaps_of(view, row, along, show)
    notes += outside
    data += [inset_of(view, along, edge, found) for edge, found in inset.items()]
    data += origins_of([curve.line.origin for curve in row.curves])
    return Drawing(
        data=data,
        layout=_layout(view, row, drawn, marks, inset, show, normalised),
        table=_table(view, row, drawn, marks, show, normalised),
        summary=_summary(view, row, marks, show),
        notes=notes,
        filename=f"absorption-{show}-by-{'temperature' if along == SINTERING else 'loading'}",
    )


def _belongs(name: str, show: str) -> bool:
    return name == "absorbance" if show == "absorbance" else name.startswith(f"tauc {show}")


def _is_drawable(line: Line) -> bool:
    return line.x.size > 1 and bool(np.isfinite(line.y).any())


def _shown(curve: Curve, normalised: bool) -> tuple[Numbers, Numbers]:
    order = np.argsort(curve.line.x)
    x, y = curve.line.x[order], curve.line.y[order]
    top = float(np.nanmax(y))
    return x, y / top if normalised and top > 0 else y


def _marks_of(view: View, curve: Curve, show: str) -> list[Reading]:
    """The edges of a curve's sample, or its gaps, of the same origin."""
    key = "band_edge" if show == "absorbance" else f"tauc_gap_{show}"
    return [
        reading
        for edge in EDGES
        for reading in view.values(f"{key}:{edge}" if edge else key)
        if (reading.subject, reading.origin) == (curve.line.subject, curve.line.origin)
        and np.isfinite(reading.value)
    ]


def _line(view: View, curve: Curve, drawn: tuple[Numbers, Numbers], show: str) -> dict[str, Any]:
    x, y = drawn
    unit = "nm" if show == "absorbance" else "eV"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": curve.name,
        "x": typed(x),
        "y": typed(y),
        "samples": [code_of(view, curve.line)],
        "line": {"color": curve.color, "width": 1.8},
        "hovertemplate": f"{curve.name}<br>%{{x:.5~g}} {unit}, %{{y:.4~g}}<extra></extra>",
        "showlegend": False,
        "meta": "spectrum",
    }


def _edges(
    view: View,
    row: Row,
    drawn: Sequence[tuple[Numbers, Numbers]],
    marks: Sequence[Sequence[Reading]],
    show: str,
) -> list[dict[str, Any]]:
    """A mark where each edge begins, on its curve."""
    traces = []
    for curve, (x, y), found in zip(row.curves, drawn, marks, strict=True):
        if not found:
            continue
        at = np.array([reading.value for reading in found])
        height = np.interp(at, x, y) if show == "absorbance" else np.zeros(at.size)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": typed(at),
                "y": typed(np.asarray(height, dtype=np.float64)),
                "marker": {
                    "symbol": "triangle-down",
                    "size": 10,
                    "color": curve.color,
                    "line": {"width": 1, "color": INK},
                },
                "samples": [code_of(view, curve.line)] * len(found),
                "hovertext": [f"{curve.name}<br>{told(reading, show)}" for reading in found],
                "hovertemplate": "%{hovertext}<extra></extra>",
                "showlegend": False,
                "cliponaxis": False,
                "meta": "edges",
            }
        )
    return traces


def _layout(
    view: View,
    row: Row,
    drawn: Sequence[tuple[Numbers, Numbers]],
    marks: Sequence[Sequence[Reading]],
    inset: Mapping[str, Any],
    show: str,
    normalised: bool,
) -> dict[str, Any]:
    x_is = WAVELENGTH if show == "absorbance" else ENERGY
    right = 0.62 if inset else 1.0
    more: dict[str, Any] = {
        "dragmode": "zoom",
        "margin": {"l": 64, "r": 16, "t": 28, "b": 52},
    }
    if inset:
        more["xaxis2"] = axis(quantity_of(view, row.along).title, domain=[0.8, 1], anchor="y2", nticks=5)
        more["yaxis2"] = axis(GAP.title, anchor="x2", nticks=7)
    top = max(float(np.nanmax(y)) for _, y in drawn)
    low = min(0.0, *(float(np.nanmin(y)) for _, y in drawn))
    y_axis = axis(_y_is(row, show, normalised).title, range=[low, 1.12 * top])
    ends = (min(float(x.min()) for x, _ in drawn), max(float(x.max()) for x, _ in drawn))
    told_at = arrows(row, drawn, marks, show, (ends, (low, 1.12 * top)))
    more["annotations"] = [*names(row, right, show), *told_at]
    return layout(axis(x_is.title, hoverformat=".5~g", domain=[0, right], range=list(ends)), y_axis, **more)


def _y_is(row: Row, show: str, normalised: bool) -> Quantity:
    label = row.curves[0].line.y_is.label
    if show != "absorbance":
        label = "(αhν)<sup>2</sup>" if show == "direct" else "(αhν)<sup>1/2</sup>"
    return Quantity("absorbance", f"{label}, normalised" if normalised else label)


def _table(
    view: View,
    row: Row,
    drawn: Sequence[tuple[Numbers, Numbers]],
    marks: Sequence[Sequence[Reading]],
    show: str,
    normalised: bool,
) -> list[Column]:
    """The curves under each other; the edges of its sample stand in every row of a curve."""
    sizes = [x.size for x, _ in drawn]
    along = quantity_of(view, row.along)
    x_is = WAVELENGTH if show == "absorbance" else ENERGY

    def repeated(values: Sequence[Any]) -> list[Any]:
        return [value for value, size in zip(values, sizes, strict=True) for _ in range(size)]

    listed = ["; ".join(plain(told(reading, show)) for reading in found) for found in marks]
    levels = repeated([curve.level * along.factor for curve in row.curves])
    return [
        Column("sample", repeated([view.subjects[curve.line.subject].code for curve in row.curves])),
        Column(plain(along.label), np.array(levels), along.shown_unit),
        Column(plain(x_is.label), np.concatenate([x for x, _ in drawn]), x_is.unit),
        Column(plain(_y_is(row, show, normalised).label), np.concatenate([y for _, y in drawn])),
        Column("edges" if show == "absorbance" else "gaps", repeated(listed)),
        Column("origin", repeated([curve.line.origin for curve in row.curves])),
    ]  # fmt: skip


def _summary(view: View, row: Row, marks: Sequence[Sequence[Reading]], show: str) -> str:
    what = "Absorption spectra" if show == "absorbance" else f"Tauc plots for a {show} gap"
    origins = origin_words([curve.line.origin for curve in row.curves])
    along = quantity_of(view, row.along)
    found_at = [
        f"{shown(curve.level, along)}: {', '.join(plain(told(reading, show)) for reading in found)}"
        for curve, found in zip(row.curves, marks, strict=True)
        if found
    ]
    listed = f" {'; '.join(found_at)}." if found_at else " No edge of them is known."
    return f"{what} along {words(along)}{title_of(view, row)}: {len(row.curves)} curves ({origins}).{listed}"

"""A map: colour over two axes, such as diffraction against temperature or a picture of a microscope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures._points import plain
from frontend.figures._template import FULL, axis, colorbar, layout
from frontend.figures.base import Column, Drawing, Figure, Map, Numbers, Quantity, Repeated
from frontend.formatting import number

FIGURE = Figure(title="Map", takes="map", help="Colour over two axes; a picture keeps its proportions.")
GRAY = "Greys"  # from black to white: a micrograph, not its negative
SQUARE_WITHIN = 0.05  # pixels of a picture differ less than this in their sides


def draw(shown: Map, options: Mapping[str, str]) -> Drawing:
    """options: `scale` "log" for the logarithm of the signal."""
    if not np.isfinite(shown.z).any():
        return Drawing(empty="No value of this map is a finite number.")
    notes = list(shown.notes)
    z, title = shown.z, shown.z_is.title
    if logarithmic := options.get("scale") == "log":
        hidden = int((z <= 0).sum())
        z = np.log10(np.where(z > 0, z, np.nan))
        title = f"log₁₀ {title}"
        if hidden:
            notes.append(f"{number(hidden)} values at or below zero have no logarithm and are left blank.")
        if not np.isfinite(z).any():
            return Drawing(empty="No value of this map is above zero, so it has no logarithm.")
    picture = _is_picture(shown)
    low, high = np.nanpercentile(z, [0.5, 99.5])
    y_more: dict[str, Any] = {"autorange": "reversed", "scaleanchor": "x"} if picture else {}
    return Drawing(
        data=[
            {
                "type": "heatmap",
                "x": typed(shown.x),
                "y": typed(shown.y),
                "z": typed(z.astype(np.float32)),
                "zmin": float(low),
                "zmax": float(high) if high > low else float(low) + 1,
                "colorscale": GRAY if picture else FULL,
                "hoverongaps": False,
                "hovertemplate": f"{plain(shown.x_is.label)} %{{x:.5~g}}"
                f"<br>{plain(shown.y_is.label)} %{{y:.5~g}}<br>{plain(title)} %{{z:.4~g}}<extra></extra>",
                "colorbar": colorbar(title),
            }
        ],
        layout=layout(axis(shown.x_is.title), axis(shown.y_is.title, **y_more), dragmode="zoom"),
        table=_table(shown, logarithmic),
        summary=_summary(shown),
        notes=notes,
        filename="map",
    )


def _is_picture(shown: Map) -> bool:
    """Two lengths (or pixels) of one unit with the same step: a picture, drawn from its top."""
    if shown.x_is.unit != shown.y_is.unit or min(shown.x.size, shown.y.size) < 2:
        return False
    steps = [float(np.median(np.diff(values))) for values in (shown.x, shown.y)]
    return steps[0] > 0 and abs(steps[1] / steps[0] - 1) < SQUARE_WITHIN


def _table(shown: Map, logarithmic: bool) -> list[Column]:
    """Long form: a row for each value that is drawn. A map has a quarter of a million of them, so coordinates
    travel once, and so do values unless something else is drawn, such as their logarithms."""
    up, across = shown.z.shape
    values = Repeated(shown.z.ravel(), drawn="" if logarithmic else "z")
    return [
        Column(plain(shown.y_is.label), Repeated(shown.y, each=across), shown.y_is.shown_unit),
        Column(plain(shown.x_is.label), Repeated(shown.x, times=up), shown.x_is.shown_unit),
        Column(plain(shown.z_is.label), values, shown.z_is.shown_unit),
    ]


def _summary(shown: Map) -> str:
    row, column = np.unravel_index(int(np.nanargmax(shown.z)), shown.z.shape)
    place = f"{number(float(shown.y[row]), 5)}, {number(float(shown.x[column]), 5)}"
    return (
        f"Map of {shown.y.size} × {shown.x.size} values: {_span(shown.y_is, shown.y)}, "
        f"{_span(shown.x_is, shown.x)}. "
        f"Highest {number(float(shown.z[row, column]), 5)} {shown.z_is.shown_unit} at {place}."
    )


def _span(quantity: Quantity, values: Numbers) -> str:
    low, high = number(float(np.min(values)), 5), number(float(np.max(values)), 5)
    return f"{plain(quantity.title)} from {low} to {high}"

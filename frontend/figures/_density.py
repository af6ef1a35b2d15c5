"""Counts in bins, for more values than marks can show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from frontend.figures import _points
from frontend.figures._arrays import typed
from frontend.figures._points import Positions
from frontend.figures._template import FULL, axis, colorbar, layout
from frontend.figures.base import Column, Drawing, Points
from frontend.formatting import number

BINS = (96, 64)


def density(points: Points, x: Positions, notes: Sequence[str]) -> Drawing:
    """How many values lie in each of 96 × 64 bins; empty bins stay empty."""
    y = points.y * points.y_is.factor
    bins = (len(x.words) or min(BINS[0], np.unique(x.at).size), BINS[1])
    counts, x_edges, y_edges = np.histogram2d(x.at, y, bins=bins)
    x_mid, y_mid = (x_edges[:-1] + x_edges[1:]) / 2, (y_edges[:-1] + y_edges[1:]) / 2
    filled = np.where(counts > 0, counts, np.nan)
    columns, rows = np.nonzero(counts)
    said = (
        f"{number(points.y.size)} values are too many for single marks; the colour counts them in bins. "
        "Narrow the filters to below 3000 to see each one."
    )
    return Drawing(
        data=[
            {
                "type": "heatmap",
                "x": typed(x_mid),
                "y": typed(y_mid),
                "z": typed(filled.T),
                "colorscale": FULL,
                "hoverongaps": False,
                "hovertemplate": f"%{{z}} values<br>{points.x_is.label} %{{x:.4~g}}"
                f"<br>{points.y_is.label} %{{y:.4~g}}<extra></extra>",
                "colorbar": colorbar("values in a bin"),
            }
        ],
        layout=layout(x.axis(points.x_is), axis(points.y_is.title)),
        table=[
            Column(_points.plain(points.x_is.label), x_mid[columns], points.x_is.shown_unit),
            Column(_points.plain(points.y_is.label), y_mid[rows], points.y_is.shown_unit),
            Column("values in the bin", counts[columns, rows]),
        ],
        summary=f"{said} {_points.extremes_in_words(points)}",
        notes=[*notes, said],
        filename=_points.file_stem(points, "density"),
    )

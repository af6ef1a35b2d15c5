"""One mark a value: a property against a factor, colour by a third, error bars at one sigma."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from frontend.figures import _points
from frontend.figures._arrays import typed
from frontend.figures._density import density
from frontend.figures._points import Positions
from frontend.figures._template import (
    ACCENT,
    CATEGORIES,
    ORIGINS,
    SECOND,
    SEQUENTIAL,
    SYMBOLS,
    colorbar,
    error_bars,
    layout,
    legend_mark,
)
from frontend.figures.base import Drawing, Figure, Numbers, Points
from frontend.formatting import MARKS, ORIGIN_WORDS, number

FIGURE = Figure(title="Points", takes="points", order=1, help="One mark a value.")
MOST_POINTS = 3000  # as SVG; more are counted in bins


def draw(points: Points, options: Mapping[str, str]) -> Drawing:
    points, notes = _points.known(points)
    if not points.y.size:
        return Drawing(empty="No value fits these choices.", notes=notes)
    x = _points.positions(points.x, points.x_is)
    if points.y.size > MOST_POINTS:
        return density(points, x, notes)
    paint = _paint(points)
    present = [origin for origin in ORIGINS if origin in points.origin]
    known = np.ones(points.y.size, dtype=bool) if paint is None else np.isfinite(paint.at)
    notes += _points.without_color(points, int((~known).sum()), "drawn in grey")
    data = [
        _marks(points, x.at, paint if coloured else None, rows)
        for origin in present
        for coloured in (False, True)
        if (rows := _rows(points, origin, known == coloured)).size
    ]
    data += [legend_mark(origin) for origin in present]
    return Drawing(
        data=data,
        layout=layout(
            x.axis(points.x_is),
            _points.axis(points.y_is.title),
            dragmode="select",
            **({"coloraxis": _color_axis(points, paint)} if paint is not None else {}),
        ),
        table=_points.table(points),
        summary=summary(points),
        notes=notes,
        filename=_points.file_stem(points, "points"),
    )


def _paint(points: Points) -> Positions | None:
    """The numbers behind the colours, when something is chosen for colour and known for any point."""
    if points.color is None or points.color_is is None:
        return None
    paint = _points.positions(points.color, points.color_is)
    return paint if np.isfinite(paint.at).any() else None


def _rows(points: Points, origin: str, wanted: Any) -> Any:
    same = np.array([source == origin for source in points.origin], dtype=bool)
    return np.flatnonzero(same & wanted).astype(np.int32)


def _marks(points: Points, x: Numbers, paint: Positions | None, rows: Any) -> dict[str, Any]:
    """The values in `rows`, all of one origin; without `paint` in the one colour that means nothing."""
    origin = points.origin[rows[0]]
    scale = points.y_is.factor
    plain_color = SECOND if points.color_is is not None else ACCENT
    marker: dict[str, Any] = {"symbol": SYMBOLS[origin], "size": 9, "color": plain_color, "opacity": 0.92}
    # An open mark is all line, and shows its colour only when that is strong.
    marker["line"] = {"width": 2 if SYMBOLS[origin].endswith("open") else 0}
    if paint is not None:
        marker |= {"color": typed(paint.at[rows]), "coloraxis": "coloraxis"}
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": f"{ORIGIN_WORDS[origin]}",
        "x": typed(x[rows]),
        "y": typed(points.y[rows] * scale),
        "customdata": typed(rows),
        "hovertext": [_points.hover(points, row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": marker,
        "showlegend": False,
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0.18}},
    }
    sigma = points.sigma[rows] * scale
    if np.isfinite(sigma).any():
        trace["error_y"] = error_bars(sigma)
    return trace


def _color_axis(points: Points, paint: Positions) -> dict[str, Any]:
    title = points.color_is.title if points.color_is is not None else ""
    if not paint.words:
        return {"colorscale": SEQUENTIAL, "colorbar": colorbar(title)}
    count = len(paint.words)
    steps = []
    for index in range(count):
        color = CATEGORIES[index % len(CATEGORIES)]
        steps += [[index / count, color], [(index + 1) / count, color]]
    return {
        "colorscale": steps,
        "cmin": -0.5,
        "cmax": count - 0.5,
        "colorbar": colorbar(title, tickvals=list(range(count)), ticktext=list(paint.words), ticks=""),
    }


def summary(points: Points) -> str:
    marks = ", ".join(
        f"{MARKS[origin]} {ORIGIN_WORDS[origin]}" for origin in ORIGINS if origin in points.origin
    )
    colour = f", coloured by {_points.plain(points.color_is.title)}" if points.color_is is not None else ""
    return (
        f"{_points.plain(points.y_is.title)} against {_points.plain(points.x_is.title)}{colour}: "
        f"{number(points.y.size)} values ({_points.count_origins(points)}; marks {marks}). "
        f"{_points.extremes_in_words(points)}"
    )

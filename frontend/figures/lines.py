"""Points of the same colour joined in order of x, each line named at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontend.figures import _points
from frontend.figures._arrays import typed
from frontend.figures._density import density
from frontend.figures._template import (
    CATEGORIES,
    ORIGINS,
    SECOND,
    SYMBOLS,
    along_scale,
    error_bars,
    layout,
    legend_mark,
    named,
)
from frontend.figures.base import Drawing, Figure, Numbers, Points
from frontend.figures.points import MOST_POINTS, summary

FIGURE = Figure(title="Lines", takes="points", order=3, help="One line for each colour.")
MOST_LINES = 40


def draw(points: Points, options: Mapping[str, str]) -> Drawing:
    points, notes = _points.known(points)
    if points.color is None or points.color_is is None:
        return Drawing(empty="Lines join points of one colour: choose a factor for colour.", notes=notes)
    if not points.y.size:
        return Drawing(empty="No value fits these choices.", notes=notes)
    x = _points.positions(points.x, points.x_is)
    if points.y.size > MOST_POINTS:
        return density(points, x, notes)
    groups = _groups(points)
    if len(groups) > MOST_LINES:
        return Drawing(
            empty=f"That makes {len(groups)} lines; up to {MOST_LINES} can be told apart. "
            "Narrow the filters, or draw points.",
            notes=notes,
        )
    joined = sum(len(rows) for rows, _ in groups)
    notes += _points.without_color(points, points.y.size - joined, "left out")
    data = [_line(points, x.at, rows, color) for rows, color in groups]
    present = [origin for origin in ORIGINS if origin in points.origin]
    return Drawing(
        data=[*data, *(legend_mark(origin) for origin in present)],
        layout=layout(
            x.axis(points.x_is),
            _points.axis(points.y_is.title),
            dragmode="select",
            annotations=_names(points, x.at, groups),
            margin={"l": 64, "r": 84, "t": 28, "b": 52},
        ),
        table=_points.table(points),
        summary=summary(points),
        notes=notes,
        filename=_points.file_stem(points, "lines"),
    )


def _groups(points: Points) -> list[tuple[list[int], str]]:
    """Rows of one colour and one origin, in order of x; origins are never joined. With the colour of each."""
    if points.color is None:
        return []
    keys = list(zip(points.color.tolist(), points.origin, strict=True))
    known = {level for level, _ in keys if level == level and level != ""}  # NaN and "" are unknown
    levels = sorted(known)
    groups = []
    for number_of, level in enumerate(levels):
        if isinstance(level, str):
            color = CATEGORIES[number_of % len(CATEGORIES)]
        else:
            color = along_scale(number_of / max(len(levels) - 1, 1))
        for origin in ORIGINS:
            rows = [row for row, key in enumerate(keys) if key == (level, origin)]
            if rows:
                groups.append((sorted(rows, key=lambda row: _order(points.x[row])), color))
    return groups


def _order(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def _line(points: Points, x: Numbers, rows: Sequence[int], color: str) -> dict[str, Any]:
    chosen = np.array(rows, dtype=np.int32)
    scale = points.y_is.factor
    origin = points.origin[rows[0]]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": _name(points, rows[0]),
        "x": typed(x[chosen]),
        "y": typed(points.y[chosen] * scale),
        "customdata": typed(chosen),
        "hovertext": [_points.hover(points, row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "line": {"color": color, "width": 1.4, "dash": "dot" if origin == "simulated" else "solid"},
        "marker": {"symbol": SYMBOLS[origin], "size": 8, "color": color, "line": {"width": 1.8}},
        "showlegend": False,
        "unselected": {"marker": {"opacity": 0.2}},
    }
    sigma = points.sigma[chosen] * scale
    if np.isfinite(sigma).any():
        trace["error_y"] = error_bars(sigma, color)
    return trace


def _name(points: Points, row: int) -> str:
    if points.color is None or points.color_is is None:
        return ""
    return _points.shown(points.color[row], points.color_is)


def _names(points: Points, x: Numbers, groups: Sequence[tuple[list[int], str]]) -> list[dict[str, Any]]:
    """Each line's name at its right end, moved apart where ends lie together."""
    longer = [(rows, color) for rows, color in groups if len(rows) > 1]
    longer.sort(key=lambda group: points.y[group[0][-1]])
    if not longer:
        return []
    drawn = np.concatenate([points.y[rows] for rows, _ in groups])
    gap = 0.05 * (float(np.ptp(drawn)) or 1.0)
    heights = spread([float(points.y[rows[-1]]) for rows, _ in longer], gap)
    shown = [
        named(float(x[rows[-1]]), height * points.y_is.factor, _name(points, rows[0]), color, xshift=10)
        for (rows, color), height in zip(longer, heights, strict=True)
    ]
    title = points.color_is.label if points.color_is is not None else ""
    above = (heights[-1] + 1.3 * gap) * points.y_is.factor
    return [*shown, named(shown[-1]["x"], above, title, SECOND, xshift=10)]


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights moved until they lie `gap` apart; those that would touch share their middle."""
    clusters: list[list[float]] = []
    for height in heights:
        clusters.append([height])
        while len(clusters) > 1 and _reach(clusters[-2], gap)[1] + gap > _reach(clusters[-1], gap)[0]:
            last = clusters.pop()
            clusters[-1] += last
    moved = []
    for cluster in clusters:
        low, _ = _reach(cluster, gap)
        moved += [low + gap * place for place in range(len(cluster))]
    return moved


def _reach(cluster: Sequence[float], gap: float) -> tuple[float, float]:
    middle, half = float(np.mean(cluster)), gap * (len(cluster) - 1) / 2
    return middle - half, middle + half

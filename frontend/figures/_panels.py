"""Small panels side by side, each one quantity against another, with one table behind them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from frontend.figures import _points
from frontend.figures._arrays import typed
from frontend.figures._template import ACCENT, ORIGINS, SECOND, SYMBOLS, axis, error_bars, layout, legend_mark
from frontend.figures.base import Column, Drawing, Points
from frontend.formatting import COMPARATORS

GAP = 0.1  # of the width, for the next panel's title


@dataclass(frozen=True)
class Panel:
    """points : all with known x and y; their colour is not used
    words : what stands along x, where its values are words; their order
    joined : rows that belong together, each group a thin line
    pale : rows that are context only
    x_more : settings of the x axis
    empty : the sentence in place of points
    """

    points: Points
    words: tuple[str, ...] = ()
    joined: Sequence[Sequence[int]] = ()
    pale: frozenset[int] = frozenset()
    x_more: Mapping[str, Any] = field(default_factory=dict)
    empty: str = ""


def beside(panels: Sequence[Panel]) -> Drawing:
    """Without summary, notes and name, which only the figure knows."""
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    notes: list[dict[str, Any]] = []
    width = (1 - GAP * (len(panels) - 1)) / len(panels)
    row = 0
    for number_of, panel in enumerate(panels):
        suffix = "" if number_of == 0 else str(number_of + 1)
        domain = [number_of * (width + GAP), number_of * (width + GAP) + width]
        axes |= _axes(panel, suffix, domain)
        if not panel.points.y.size:
            notes.append(_sentence(panel.empty, domain))
        data += _traces(panel, suffix, row)
        row += panel.points.y.size
    present = [o for o in ORIGINS if any(o in panel.points.origin for panel in panels)]
    first = layout(axes.pop("xaxis"), axes.pop("yaxis"))
    return Drawing(
        data=[*data, *(legend_mark(origin) for origin in present)],
        layout={**first, **axes, "annotations": notes, "dragmode": "zoom"},
        table=_table(panels),
    )


def _axes(panel: Panel, suffix: str, domain: Sequence[float]) -> dict[str, Any]:
    points = panel.points
    x: dict[str, Any] = {"domain": list(domain), "anchor": f"y{suffix}", **panel.x_more}
    if panel.words:
        places = list(range(len(panel.words)))
        x |= {"tickvals": places, "range": [-0.6, len(places) - 0.4]}
        x["ticktext"] = [word.replace("_", " ") for word in panel.words]
    y: dict[str, Any] = {"anchor": f"x{suffix}"}
    if not points.y.size:
        x["visible"] = y["visible"] = False
    if points.y.size and float(np.min(points.y)) >= 0:
        y["rangemode"] = "tozero"
    return {
        f"xaxis{suffix}": axis(points.x_is.title, **x),
        f"yaxis{suffix}": axis(points.y_is.title, **y),
    }


def _sentence(text: str, domain: Sequence[float]) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": (domain[0] + domain[1]) / 2,
        "y": 0.5,
        "xanchor": "center",
        "showarrow": False,
        "font": {"color": SECOND, "size": 12},
    }


def _places(panel: Panel) -> np.ndarray[Any, np.dtype[np.float64]]:
    if panel.words:
        return np.array([float(panel.words.index(word)) for word in panel.points.x], dtype=np.float64)
    return np.asarray(panel.points.x, dtype=np.float64) * panel.points.x_is.factor


def _traces(panel: Panel, suffix: str, first_row: int) -> list[dict[str, Any]]:
    points, x = panel.points, _places(panel)
    on = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    y = points.y * points.y_is.factor
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": typed(x[list(group)]),
            "y": typed(y[list(group)]),
            "line": {"color": SECOND, "width": 1},
            "hoverinfo": "skip",
            "showlegend": False,
            **on,
        }
        for group in panel.joined
    ]
    for origin in ORIGINS:
        rows = np.array([n for n, each in enumerate(points.origin) if each == origin], dtype=np.int32)
        if rows.size:
            traces.append(_marks(panel, rows, x, first_row) | on)
    return traces


def _marks(panel: Panel, rows: Any, x: Any, first_row: int) -> dict[str, Any]:
    points = panel.points
    origin, scale = points.origin[rows[0]], points.y_is.factor
    signs = [COMPARATORS.get(points.comparator[row], "") for row in rows]
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers+text" if any(signs) else "markers",
        "x": typed(x[rows]),
        "y": typed(points.y[rows] * scale),
        "text": signs,
        "textposition": "middle left",
        "textfont": {"color": SECOND, "size": 13},
        "customdata": typed((rows + first_row).astype(np.int32)),
        "hovertext": [_points.hover(points, row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": SYMBOLS[origin],
            "size": 9,
            "color": ACCENT,
            "opacity": typed(np.array([0.3 if int(row) in panel.pale else 0.95 for row in rows])),
            "line": {"width": 2 if SYMBOLS[origin].endswith("open") else 0, "color": ACCENT},
        },
        "showlegend": False,
    }
    sigma = points.sigma[rows] * scale
    if np.isfinite(sigma).any():
        trace["error_y"] = error_bars(sigma)
    return trace


def _table(panels: Sequence[Panel]) -> list[Column]:
    """A row a point, in the order in which the panels stand."""

    def told(of: Any) -> list[str]:
        return [text for panel in panels for text in of(panel.points)]

    def numbers(of: Any) -> Any:
        return np.concatenate([np.empty(0), *(of(panel.points) for panel in panels)])

    has_words = any(panel.words for panel in panels)
    x: Any = (
        told(lambda p: [str(word) for word in p.x]) if has_words else numbers(lambda p: p.x * p.x_is.factor)
    )
    return [
        Column("sample", told(lambda p: p.code)),
        Column("against", told(lambda p: [_points.plain(p.x_is.title)] * p.y.size)),
        Column("x", x),
        Column("quantity", told(lambda p: [_points.plain(p.y_is.label)] * p.y.size)),
        Column("value", numbers(lambda p: p.y * p.y_is.factor)),
        Column("sigma", numbers(lambda p: p.sigma * p.y_is.factor)),
        Column("unit", told(lambda p: [p.y_is.shown_unit] * p.y.size)),
        Column("comparator", told(lambda p: p.comparator)),
        Column("origin", told(lambda p: p.origin)),
        Column("source", told(lambda p: p.source)),
    ]

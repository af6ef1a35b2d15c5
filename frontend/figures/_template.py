"""One look for all figures, made from the tokens of the stylesheet: no frame, light grid, ticks outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures.base import Numbers
from frontend.formatting import ORIGIN_WORDS

INK, SECOND, LINE, SURFACE = "var(--ink)", "var(--second)", "var(--line)", "var(--surface)"
ACCENT, CAUTION = "var(--accent)", "var(--caution)"
GRID, RAISED = "var(--figure-grid)", "var(--raised)"
# For marks: viridis without the end that would vanish in the page, chosen by theme in figures.css.
SEQUENTIAL = [[step / 6, f"var(--scale-{step})"] for step in range(7)]
FULL = "Viridis"  # for areas, which carry their own contrast
CATEGORIES = tuple(f"var(--category-{n})" for n in range(1, 9))  # Okabe-Ito
SYMBOLS = {
    "measured": "circle",
    "entered": "square",
    "published": "diamond-open",
    "simulated": "x-thin-open",
    "predicted": "triangle-up",
}
ORIGINS = tuple(SYMBOLS)  # in the order in which one is shown where several are known


def along_scale(share: float) -> str:
    """The colour at `share` (0 to 1) of the scale for marks."""
    place = min(max(share, 0.0), 1.0) * 6
    lower = min(int(place), 5)
    part = round(100 * (place - lower))
    return f"color-mix(in oklab, var(--scale-{lower + 1}) {part}%, var(--scale-{lower}))"


def worded(color: str) -> str:
    """A colour of marks for text, which must stand out more: mixed with the ink of the page."""
    return f"color-mix(in srgb, {color} 70%, {INK})"


def error_bars(sigma: Numbers, color: str = SECOND, width: int = 3) -> dict[str, Any]:
    """One sigma to both sides; none where it is not known."""
    return {
        "type": "data",
        "array": typed(np.where(np.isfinite(sigma), sigma, 0.0)),
        "color": color,
        "thickness": 1,
        "width": width,
    }


def heat_of(z: Numbers, ids: Any, hovers: Any, bar: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A map whose cells stand apart, each with a number and a hover text of its own."""
    return {
        "type": "heatmap",
        "z": typed(z),
        "customdata": typed(ids),
        "hovertext": hovers,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "hoverongaps": False,
        "colorscale": FULL,
        "xgap": 2,
        "ygap": 2,
        "colorbar": bar,
        **more,
    }


def named(x: float, y: float, text: str, color: str, **more: Any) -> dict[str, Any]:
    """Words beside a mark or the end of a line, in its colour."""
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "middle",
        "font": {"color": worded(color), "size": 12},
        **more,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 10},
        "color": SECOND,
        "gridcolor": GRID,
        "linecolor": LINE,
        "tickcolor": LINE,
        "ticks": "outside",
        "ticklen": 4,
        "showline": True,
        "zeroline": False,
        "automargin": True,
        "minexponent": 5,
        "exponentformat": "power",
        **more,
    }


def layout(x: dict[str, Any], y: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "font": {"family": "var(--sans)", "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 64, "r": 16, "t": 28, "b": 52},
        "hoverlabel": {
            "bgcolor": RAISED,
            "bordercolor": LINE,
            "align": "left",
            "font": {"family": "var(--sans)", "size": 13, "color": INK},
        },
        "hovermode": "closest",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "xanchor": "left",
            "bgcolor": "rgba(0,0,0,0)",
            "font": {"color": SECOND, "size": 12},
        },
        "xaxis": x,
        "yaxis": y,
        "separators": ".\u202f",
        **more,
    }


def legend_mark(origin: str) -> dict[str, Any]:
    """An entry of the legend in the page's ink: marks on the figure take other colours."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": ORIGIN_WORDS[origin],
        "x": [None],
        "y": [None],
        "marker": {"symbol": SYMBOLS[origin], "size": 8, "color": INK, "line": {"width": 1.6}},
        "hoverinfo": "skip",
    }


def colorbar(title: str, **more: Any) -> dict[str, Any]:
    return {
        "title": {"text": title, "side": "right", "font": {"color": SECOND}},
        "thickness": 10,
        "outlinewidth": 0,
        "ticks": "outside",
        "ticklen": 3,
        "tickcolor": LINE,
        "tickfont": {"color": SECOND},
        "x": 1.01,
        "minexponent": 5,
        "exponentformat": "power",
        **more,
    }

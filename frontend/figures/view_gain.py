"""How much brighter than the pure perovskite: logarithmic bars, and the table to compare. Row D-26."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frontend.figures import _points
from frontend.figures._arrays import typed
from frontend.figures._from_view import factor_of, points_of, quantity_of
from frontend.figures._template import ACCENT, INK, LINE, ORIGINS, SECOND, SYMBOLS, axis, layout, legend_mark
from frontend.figures.base import Drawing, Figure, Points, Quantity, View
from frontend.formatting import COMPARATORS, NARROW, ORIGIN_WORDS, number
from samples.notation import to_html

GAIN = Quantity("pl_gain_vs_pure", "PL gain over the pure perovskite", "1")
PEROVSKITE, HALIDE = Quantity("perovskite", "Perovskite"), Quantity("halide", "Halide")
MOST_BARS = 40

FIGURE = Figure(
    title="PL gain over the pure perovskite",
    takes="view",
    order=26,
    theme="Quantum yield",
    reads=(GAIN.key,),
    factors=(PEROVSKITE.key, HALIDE.key),
    height_px=440,
    help="Each bar is the highest value of its perovskite and origin, from 1, which is as bright as the pure "
    "one. ≥ marks a limit. The table compares all values with their sources.",
    needs="Enter the gain of a composite over its pure perovskite, or load published values.",
)


@dataclass(frozen=True)
class Bar:
    """row : of the value that makes it; all : of those it was chosen from"""

    name: str
    origin: str
    row: int
    all: tuple[int, ...]


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    readings = [reading for reading in view.values(GAIN.key) if np.isfinite(reading.value)]
    shown = [reading for reading in readings if reading.value > 0]
    notes = []
    if hidden := len(readings) - len(shown):
        notes.append(f"{number(hidden)} at or below zero: no place on a logarithmic axis.")
    if not shown:
        return Drawing(empty="No gain over the pure perovskite yet.", notes=notes)
    names = factor_of(view, shown, PEROVSKITE.key, words=True)
    points = points_of(view, shown, quantity_of(view, GAIN.key, GAIN), (names, PEROVSKITE))
    bars = _bars(points)
    if len(bars) > MOST_BARS:
        notes.append(f"The highest {MOST_BARS} of {len(bars)} bars are drawn; the table holds all values.")
        bars = bars[:MOST_BARS]
    order = list(dict.fromkeys(bar.name for bar in bars))
    present = [origin for origin in ORIGINS if any(bar.origin == origin for bar in bars)]
    data = [
        trace
        for origin in present
        for trace in _traces(points, [bar for bar in bars if bar.origin == origin], order, present)
    ]
    return Drawing(
        data=[*data, *(legend_mark(origin) for origin in present)],
        layout=_layout(points, order),
        table=_points.table(points),
        summary=_summary(points, bars),
        notes=notes,
        filename="gain-over-pure",
    )


def _bars(points: Points) -> list[Bar]:
    """The highest first; origins are never mixed."""
    found: dict[tuple[str, str], list[int]] = {}
    for row, (word, origin) in enumerate(zip(points.x, points.origin, strict=True)):
        name = str(word) or points.notation[row] or points.code[row]
        found.setdefault((name, origin), []).append(row)
    bars = [
        Bar(name, origin, max(rows, key=lambda row: points.y[row]), tuple(rows))
        for (name, origin), rows in found.items()
    ]
    return sorted(bars, key=lambda bar: (-float(points.y[bar.row]), bar.name))


def _traces(
    points: Points, bars: Sequence[Bar], order: Sequence[str], present: Sequence[str]
) -> list[dict[str, Any]]:
    origin = bars[0].origin
    width = 0.7 / len(present)
    shift = (present.index(origin) - (len(present) - 1) / 2) * width
    x = np.array([order.index(bar.name) + shift for bar in bars], dtype=np.float64)
    y = np.array([points.y[bar.row] for bar in bars], dtype=np.float64)
    filled = origin in ("measured", "entered")
    hovers = [_hover(points, bar) for bar in bars]
    rows = typed(np.array([bar.row for bar in bars], dtype=np.int32))
    marker: dict[str, Any] = {
        "color": ACCENT if filled else "rgba(0,0,0,0)",
        "opacity": 0.75,
        "line": {"color": ACCENT, "width": 1.4},
    }
    if origin == "simulated":
        marker["pattern"] = {
            "shape": "/",
            "fillmode": "replace",
            "fgcolor": ACCENT,
            "size": 8,
            "solidity": 0.14,
        }
    bar_trace = {
        "type": "bar",
        "name": ORIGIN_WORDS[origin],
        "x": typed(x),
        "base": 1,
        "y": typed(y - 1),
        "width": 0.9 * width,
        "marker": marker,
        "hovertext": hovers,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }
    mark_trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": typed(x),
        "y": typed(y),
        "text": [_label(points, bar.row) for bar in bars],
        "textposition": "top center",
        "textfont": {"color": INK, "size": 12},
        "customdata": rows,
        "hovertext": hovers,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"symbol": SYMBOLS[origin], "size": 8, "color": INK, "line": {"width": 1.6}},
        "cliponaxis": False,
        "showlegend": False,
    }
    return [bar_trace, mark_trace]


def _label(points: Points, row: int) -> str:
    sign = COMPARATORS.get(points.comparator[row], "")
    return f"{sign}{NARROW if sign else ''}{number(float(points.y[row]), 3)}×"


def _hover(points: Points, bar: Bar) -> str:
    first = _points.hover(points, bar.row)
    more = len(bar.all) - 1
    return f"{first}<br>the highest of {more + 1}" if more else first


def _layout(points: Points, order: Sequence[str]) -> dict[str, Any]:
    top = float(np.log10(max(points.y.max(), 10.0)))
    bottom = min(float(np.log10(points.y.min())), 0.0)
    return layout(
        axis(
            PEROVSKITE.title,
            tickvals=list(range(len(order))),
            ticktext=[to_html(name) for name in order],
            range=[-0.6, len(order) - 0.4],
            showgrid=False,
        ),
        axis(points.y_is.title, type="log", dtick=1, range=[bottom - (0.1 if bottom < 0 else 0), top + 0.35]),
        barmode="overlay",
        dragmode="zoom",
        shapes=[_level(1, SECOND), _level(100, LINE)],
    )


def _level(gain: float, color: str) -> dict[str, Any]:
    line = {"color": color, "width": 1, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": gain, "y1": gain, "line": line}


def _summary(points: Points, bars: Sequence[Bar]) -> str:
    told = ", ".join(f"{bar.name} {_label(points, bar.row)} ({ORIGIN_WORDS[bar.origin]})" for bar in bars[:8])
    more = f", and {len(bars) - 8} more" if len(bars) > 8 else ""
    return f"Gain over the pure perovskite, of {points.y.size} values the highest: {told}{more}."

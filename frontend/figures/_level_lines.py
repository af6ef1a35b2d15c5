"""Lines over one of two factors, a line for each level of the other; published values are marks alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from frontend.figures import lines
from frontend.figures._template import SYMBOLS, axis
from frontend.figures.base import Drawing, Numbers, Points
from frontend.formatting import number


def as_lines(points: Points, *, over_loading: bool) -> Drawing:
    assert points.color is not None
    assert points.color_is is not None
    if over_loading:
        points = replace(points, x=points.color, x_is=points.color_is, color=points.x, color_is=points.x_is)
    drawing = lines.draw(points, {})
    if drawing.empty:
        return drawing
    title = points.color_is.label if points.color_is is not None else ""
    top = float(np.max(points.y + np.nan_to_num(points.sigma))) * points.y_is.factor
    names = _names(drawing.layout.get("annotations", []), title, 0.04 * top)
    more: dict[str, Any] = {"yaxis": {**drawing.layout["yaxis"], "range": [-0.02 * top, 1.12 * top]}}
    if over_loading:
        names = [{**name, "x": float(np.log10(name["x"]))} for name in names]
        at = np.unique(np.round(np.asarray(points.x, dtype=np.float64) * points.x_is.factor, 9))
        labels = apart(at, [number(float(value), 3) for value in at], 0.03 * float(np.log10(at[-1] / at[0])))
        more["xaxis"] = axis(
            points.x_is.title, type="log", tickvals=at.tolist(), ticktext=labels, tickangle=0
        )
    return replace(
        drawing,
        data=[_unjoined(trace) for trace in drawing.data],
        layout={**drawing.layout, **more, "annotations": names},
    )


def _unjoined(trace: dict[str, Any]) -> dict[str, Any]:
    """Published values are single findings of different samples, some of them limits: no line."""
    published = trace["marker"]["symbol"] == SYMBOLS["published"]
    return {**trace, "mode": "markers"} if published and trace["mode"] == "lines+markers" else trace


def _names(written: Sequence[dict[str, Any]], title: str, gap: float) -> list[dict[str, Any]]:
    """Each name once, in the order in which the longest of its lines end, from zero upwards without touching;
    above them all what they name."""
    last: dict[str, dict[str, Any]] = {}
    for name in sorted(written, key=lambda name: float(name["x"])):
        last[name["text"]] = name
    head = last.pop(title, None)
    moved, below = [], -gap
    right = max((float(name["x"]) for name in last.values()), default=0.0)
    for name in sorted(last.values(), key=lambda name: float(name["y"])):
        below = max(float(name["y"]), below + gap)
        moved.append({**name, "x": right, "y": below})
    return moved if head is None else [*moved, {**head, "x": right, "y": below + 1.3 * gap}]


def apart(at: Numbers, labels: Sequence[str], decades: float) -> list[str]:
    """The labels that stand clear of the one before; the others are left blank."""
    shown, last = [], -np.inf
    for place, label in zip(np.log10(at), labels, strict=True):
        clear = place - last >= decades
        shown.append(label if clear else "")
        last = place if clear else last
    return shown

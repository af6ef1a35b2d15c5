"""The curves of the view of absorption, their names, and arrows at their edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from frontend.figures._pl_views import Row
from frontend.figures._template import SECOND, worded
from frontend.figures.base import Line, Numbers, Reading
from frontend.formatting import quantity as written

GREEK = {"": "", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ"}
EDGES = ("", "gamma", "delta", "beta", "alpha")
MOST_ARROWS = 4


def joined(lines: Sequence[Line]) -> list[Line]:
    """One line a measurement: the Tauc plots of its edges one after the other, with a gap between."""
    of: dict[int, list[Line]] = {}
    for line in sorted(lines, key=lambda line: float(line.x.min())):
        of.setdefault(line.measurement, []).append(line)
    found = []
    for parts in of.values():
        x, y = parts[0].x, parts[0].y
        for part in parts[1:]:
            x = np.concatenate([x, [(x.max() + part.x.min()) / 2], part.x])
            y = np.concatenate([y, [np.nan], part.y])
        found.append(replace(parts[0], x=x, y=y))
    return found


def told(reading: Reading, show: str) -> str:
    of = f" {GREEK[reading.component]}" if reading.component else ""
    value = written(reading.value, reading.sigma, "nm" if show == "absorbance" else "eV")
    return f"{'λ' if show == 'absorbance' else 'E'}<sub>g</sub>{of} {value}"


def names(row: Row, right: float, show: str) -> list[dict[str, Any]]:
    """A column of levels in the colours of their curves, in the corner of the panel that they leave free:
    beyond the edges of absorbance, before those of Tauc plots. The panel ends at `right`."""
    beyond = show == "absorbance"
    step = min(0.055, 0.95 / len(row.curves))
    return [
        {
            "xref": "paper",
            "yref": "paper",
            "x": right if beyond else 0.0,
            "y": 1 - step * place,
            "text": curve.name,
            "showarrow": False,
            "xanchor": "right" if beyond else "left",
            "yanchor": "top",
            "xshift": -4 if beyond else 8,
            "font": {"color": worded(curve.color), "size": 12},
        }
        for place, curve in enumerate(row.curves)
    ]


def _side(at: float, middle: float, show: str) -> int:
    """Beside a falling edge there is nothing, above it or beneath: the name goes where there is more room."""
    if show != "absorbance":
        return 0
    return 26 if at < middle else -26


def arrows(
    row: Row, drawn: Sequence[tuple[Numbers, Numbers]], marks: Sequence[Sequence[Reading]], show: str
) -> list[dict[str, Any]]:
    """Named arrows at the edges of the first and the last curve; all of them where there are few."""
    middle = np.mean([x[[0, -1]].mean() for x, _ in drawn])
    places = range(len(row.curves)) if len(row.curves) <= 2 else (0, len(row.curves) - 1)
    found = [
        {
            "x": reading.value,
            "y": float(np.interp(reading.value, *drawn[place])) if show == "absorbance" else 0.0,
            "text": told(reading, show),
            "ax": _side(reading.value, middle, show),
            "ay": -30 - 22 * n,
            "xanchor": {1: "left", 0: "center", -1: "right"}[
                int(np.sign(_side(reading.value, middle, show)))
            ],
            "arrowhead": 2,
            "arrowwidth": 1,
            "arrowcolor": SECOND,
            "font": {"size": 11, "color": worded(row.curves[place].color)},
        }
        for n, place in enumerate(places)
        for reading in marks[place]
    ]
    return found[:MOST_ARROWS]

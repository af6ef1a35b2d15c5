"""The curves of the view of absorption, their names, and arrows at their edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from frontend.figures._label_places import HIGH_PX, LETTER_PX, WIDE_PX, Box, Room
from frontend.figures._pl_views import Row
from frontend.figures._points import plain
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


def _step(row: Row) -> float:
    return min(0.055, 0.95 / len(row.curves))


def names(row: Row, right: float, show: str) -> list[dict[str, Any]]:
    """A column of levels in the colours of their curves, in the corner of the panel that they leave free:
    beyond the edges of absorbance, before those of Tauc plots. The panel ends at `right`."""
    beyond = show == "absorbance"
    step = _step(row)
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


def arrows(
    row: Row,
    drawn: Sequence[tuple[Numbers, Numbers]],
    marks: Sequence[Sequence[Reading]],
    show: str,
    ranges: tuple[tuple[float, float], tuple[float, float]],
) -> list[dict[str, Any]]:
    """Named arrows at the edges of the first and the last curve, all of them where there are few; where the
    names touch neither a curve nor each other. ranges : of the panel along x and y"""
    room = Room(*ranges, taken=[_taken_by_names(row, show)])
    for x, y in drawn:
        room.draw(x, y)
    middle = float(np.mean([x[[0, -1]].mean() for x, _ in drawn]))
    places = range(len(row.curves)) if len(row.curves) <= 2 else (0, len(row.curves) - 1)
    wanted = [(place, reading) for place in places for reading in marks[place]]
    found = []
    for place, reading in wanted[:MOST_ARROWS]:
        text = told(reading, show)
        height = float(np.interp(reading.value, *drawn[place])) if show == "absorbance" else 0.0
        sides = (1, -1) if reading.value < middle else (-1, 1)
        ax, ay, side = room.beside(reading.value, height, len(plain(text)), sides)
        found.append(
            {
                "x": reading.value,
                "y": height,
                "text": text,
                "axref": "x",
                "ayref": "y",
                "ax": ax,
                "ay": ay,
                "xanchor": "left" if side > 0 else "right",
                "arrowhead": 2,
                "arrowwidth": 1,
                "arrowcolor": SECOND,
                "font": {"size": 11, "color": worded(row.curves[place].color)},
            }
        )
    return found


def _taken_by_names(row: Row, show: str) -> Box:
    wide = LETTER_PX * max(len(plain(curve.name)) for curve in row.curves) + 8
    low = HIGH_PX * (1 - _step(row) * len(row.curves)) - 4
    return (WIDE_PX - wide, WIDE_PX, low, HIGH_PX) if show == "absorbance" else (0.0, wide, low, HIGH_PX)

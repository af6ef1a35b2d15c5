"""What the view of absorption writes beside its curves: their names, and arrows at their edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from frontend.figures._pl_views import Row
from frontend.figures._template import SECOND
from frontend.figures.base import Numbers, Reading
from frontend.figures.lines import spread
from frontend.formatting import quantity as written

GREEK = {"": "", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ"}
MOST_ARROWS = 4


def told(reading: Reading, show: str) -> str:
    of = f" {GREEK[reading.component]}" if reading.component else ""
    value = written(reading.value, reading.sigma, "nm" if show == "absorbance" else "eV")
    return f"{'λ' if show == 'absorbance' else 'E'}<sub>g</sub>{of} {value}"


def names(row: Row, drawn: Sequence[tuple[Numbers, Numbers]], show: str) -> list[dict[str, Any]]:
    """Each curve's level at the end where it is high, moved apart."""
    left = show == "absorbance"
    ends = [(float(x[0 if left else -1]), float(y[0 if left else -1])) for x, y in drawn]
    order = np.argsort([height for _, height in ends], kind="stable")
    top = max(float(y.max()) for _, y in drawn)
    heights = spread([ends[place][1] for place in order], 0.05 * top)
    right = max(float(x[-1]) for x, _ in drawn)
    return [
        {
            "x": ends[place][0] if left else right,
            "y": height,
            "text": row.curves[place].name,
            "showarrow": False,
            "xanchor": "left",
            "xshift": 4 if left else 8,
            "yshift": 9 if left else 0,
            "font": {"color": row.curves[place].color, "size": 12},
        }
        for place, height in zip(order, heights, strict=True)
    ]


def arrows(
    row: Row, drawn: Sequence[tuple[Numbers, Numbers]], marks: Sequence[Sequence[Reading]], show: str
) -> list[dict[str, Any]]:
    """Named arrows at the edges of the first and the last curve; all of them where there are few."""
    places = range(len(row.curves)) if len(row.curves) <= 2 else (0, len(row.curves) - 1)
    found = [
        {
            "x": reading.value,
            "y": float(np.interp(reading.value, *drawn[place])) if show == "absorbance" else 0.0,
            "text": told(reading, show),
            "ax": 0,
            "ay": -34 - 20 * n,
            "arrowhead": 2,
            "arrowwidth": 1,
            "arrowcolor": SECOND,
            "font": {"size": 11, "color": row.curves[place].color},
        }
        for n, place in enumerate(places)
        for reading in marks[place]
    ]
    return found[:MOST_ARROWS]

"""The rows and columns of a map: the levels at which a factor was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from frontend.figures._template import axis
from frontend.figures.base import Numbers, Quantity, Words
from frontend.formatting import number

MOST_LEVELS = 32  # of one factor; more are gathered in as many equal steps


@dataclass(frozen=True)
class Levels:
    """The rows or columns of the map: where each point belongs, and what is written beside it."""

    index: np.ndarray[Any, np.dtype[np.intp]]
    labels: tuple[str, ...]
    binned: bool = False


def levels(values: Numbers | Words, quantity: Quantity) -> Levels:
    if values.dtype == object:
        found, index = np.unique(values.astype(str), return_inverse=True)
        return Levels(index, tuple(str(word).replace("_", " ") for word in found))
    scaled = values.astype(np.float64) * quantity.factor
    found, index = np.unique(np.round(scaled, 9), return_inverse=True)
    if found.size <= MOST_LEVELS:
        return Levels(index, tuple(number(float(level)) for level in found))
    edges = np.linspace(scaled.min(), scaled.max(), MOST_LEVELS + 1)
    index = np.clip(np.searchsorted(edges, scaled, side="right") - 1, 0, MOST_LEVELS - 1)
    middles = (edges[:-1] + edges[1:]) / 2
    return Levels(index, tuple(number(float(middle), 3) for middle in middles), binned=True)


def level_axis(quantity: Quantity, level: Levels) -> dict[str, Any]:
    count = len(level.labels)
    every = max(1, count // 16)
    ticks = list(range(0, count, every))
    return axis(
        quantity.title,
        tickvals=ticks,
        ticktext=[level.labels[tick] for tick in ticks],
        range=[-0.5, count - 0.5],
        showgrid=False,
        showline=False,
        tickcolor="rgba(0,0,0,0)",
    )

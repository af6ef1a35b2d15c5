"""A dataset as lines: one of a curve, one for each step of a series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods._axes import TEMPERATURE, TIME, kind_of
from frontend.figures import Quantity
from frontend.formatting import sentence_case
from measurements import models as measured

MOST_STEPS = 60
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    x: Numbers
    y: Numbers
    x_is: Quantity
    series: float = float("nan")
    series_is: Quantity | None = None


def pieces(dataset: measured.Dataset, numbers: tuple[tuple[Numbers, ...], Numbers]) -> Iterator[Piece]:
    """numbers : coordinates in the order of the axes, and the values over them

    A series runs over time or temperature where one of its axes does, else over the first; of a long one,
    steps that are evenly spaced.
    """
    coordinates, values = numbers
    named = [
        Quantity(axis["name"], sentence_case(axis["name"]), axis["unit"] or "1") for axis in dataset.axes
    ]
    if len(coordinates) == 1:
        yield Piece(coordinates[0], values, named[0])
        return
    along = int(_runs_along(dataset.axes[1]["unit"]) and not _runs_along(dataset.axes[0]["unit"]))
    steps, x = coordinates[along], coordinates[1 - along]
    rows = values if along == 0 else values.T
    for step in np.unique(np.linspace(0, steps.size - 1, min(steps.size, MOST_STEPS)).round().astype(int)):
        yield Piece(x, rows[step], named[1 - along], float(steps[step]), named[along])


def _runs_along(unit: str) -> bool:
    return kind_of(unit) in (TIME, TEMPERATURE)

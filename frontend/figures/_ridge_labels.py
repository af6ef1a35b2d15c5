"""Numbers in the cells of a map that a line crosses: beside the line, never on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures.base import Numbers

ON_DARK, ON_BRIGHT, BRIGHT_FROM = "#ffffff", "#15202b", 0.62
# where in a cell a number may stand, in parts of its sides from the middle
SPOTS = ((0.0, 0.27), (0.0, -0.27), (-0.3, 0.27), (0.3, 0.27), (-0.3, -0.27), (0.3, -0.27))
CLEAR = 0.3  # from the line to the middle of a number, of a cell's side


def labels(cells: Sequence[tuple[int, int]], words: Sequence[str], shares: Numbers, line: Numbers) -> Any:
    """A trace of text, in letters that the colour of each cell allows.

    cells : row and column; shares : (N,) of the colour scale; line : (M, 2) places of the line, column first
    """
    spots = np.array([_beside(line, column, row) for row, column in cells])
    return {
        "type": "scatter",
        "mode": "text",
        "meta": "cell text",
        "x": typed(spots[:, 0]),
        "y": typed(spots[:, 1]),
        "text": list(words),
        "textfont": {"color": [ON_BRIGHT if s > BRIGHT_FROM else ON_DARK for s in shares], "size": 11},
        "customdata": typed(np.arange(len(cells), dtype=np.int32)),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _beside(line: Numbers, column: int, row: int) -> tuple[float, float]:
    """Above the middle of the cell, or where the line is farthest if that is too near to it."""
    spots = [(column + x, row + y) for x, y in SPOTS]
    if len(line) < 2:
        return spots[0]
    away = [distance(line, *spot) for spot in spots]
    return spots[0] if away[0] > CLEAR else spots[int(np.argmax(away))]


def distance(line: Numbers, x: float, y: float) -> float:
    """From a point to the nearest place of a line through (N, 2) points."""
    begins, along = line[:-1], np.diff(line, axis=0)
    to = np.array([x, y]) - begins
    share = np.clip((to * along).sum(1) / np.maximum((along**2).sum(1), 1e-12), 0, 1)
    return float(np.sqrt(((to - share[:, None] * along) ** 2).sum(1)).min())

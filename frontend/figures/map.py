"""A property over two factors as a map; each cell carries its value and the mark of its origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frontend.figures import _points
from frontend.figures._arrays import typed
from frontend.figures._levels import MOST_LEVELS, Levels, level_axis, levels
from frontend.figures._template import ORIGINS, SYMBOLS, colorbar, heat_of, layout, legend_mark
from frontend.figures.base import Column, Drawing, Figure, Numbers, Points, Quantity, Words
from frontend.formatting import COMPARATORS, MINUS, NARROW, ORIGIN_WORDS, number

FIGURE = Figure(title="Map", takes="points", order=2, help="Two factors across, the property as colour.")
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
ON_DARK, ON_BRIGHT = "#ffffff", "#15202b"
BRIGHT_FROM = 0.62  # of the scale: from here viridis needs dark letters


@dataclass(frozen=True)
class Cell:
    """One cell: its value, which points it shows, and all points that lie in it."""

    column: int
    row: int
    value: float
    sign: str
    origin: str
    shown: tuple[int, ...]
    all: tuple[int, ...]


def draw(points: Points, options: Mapping[str, str]) -> Drawing:
    if points.color is None or points.color_is is None:
        return Drawing(empty="A map needs a second factor: choose one for colour.")
    points, notes = _points.known(points)
    color, color_is = points.color, points.color_is
    if color is None or color_is is None:
        return Drawing(empty="A map needs a second factor: choose one for colour.")
    present = np.flatnonzero(_present(color))
    notes += _points.without_color(points, points.y.size - present.size, "left out")
    points = _points.take(points, present)
    if not points.y.size or points.color is None:
        return Drawing(empty="No value fits these choices.", notes=notes)
    across, up = levels(points.x, points.x_is), levels(points.color, color_is)
    for quantity, level in ((points.x_is, across), (color_is, up)):
        if level.binned:
            notes.append(f"{_points.plain(quantity.label)} is gathered in {MOST_LEVELS} equal steps.")
    cells = combined(points, across, up)
    return Drawing(
        data=_traces(points, cells, across, up),
        layout=layout(
            level_axis(points.x_is, across),
            level_axis(color_is, up),
            dragmode="select",
            barmode="overlay",
            meta={"cells": [len(across.labels), len(up.labels)]},
        ),
        table=_table(points, cells),
        summary=_summary(points, cells),
        notes=notes,
        filename=_points.file_stem(points, "map"),
    )


def _present(values: Numbers | Words) -> Any:
    return values != "" if values.dtype == object else np.isfinite(values)


def combined(points: Points, across: Levels, up: Levels) -> list[Cell]:
    """One cell a pair of levels. Origins are never mixed: the first in the order of ORIGINS is shown."""
    members: dict[tuple[int, int], list[int]] = {}
    for row, place in enumerate(zip(across.index, up.index, strict=True)):
        members.setdefault((int(place[0]), int(place[1])), []).append(row)
    return [_cell(points, place, rows) for place, rows in sorted(members.items())]


def _cell(points: Points, place: tuple[int, int], rows: Sequence[int]) -> Cell:
    origin = min((points.origin[row] for row in rows), key=ORIGINS.index)
    same = [row for row in rows if points.origin[row] == origin]
    exact = [row for row in same if points.comparator[row] in ("=", "~")]
    if exact:
        shown, value = exact, float(np.mean(points.y[exact]))
        sign = COMPARATORS["~"] if any(points.comparator[row] == "~" for row in exact) else ""
    else:  # only limits are known: the narrowest one, since limits have no mean
        above = points.comparator[same[0]] in (">", ">=")
        strongest = max(same, key=lambda row: points.y[row] if above else -points.y[row])
        shown, value = [strongest], float(points.y[strongest])
        sign = COMPARATORS[points.comparator[strongest]]
    return Cell(*place, value, sign, origin, tuple(shown), tuple(rows))


def _power(highest: float) -> int:
    """Large and tiny numbers are written in units of 10³, 10⁶, …, which the colour bar names."""
    top = _exponent(highest)
    return 3 * (top // 3) if top >= 4 or top <= -3 else 0


def _label(points: Points, cell: Cell, highest: float) -> str:
    """`81.3 %`: three or four digits, and never more decimals than matter beside the map's highest value."""
    power = _power(highest)
    scaled = cell.value * points.y_is.factor / 10.0**power
    top = _exponent(highest) - power
    digits = 4 if top >= 2 else 3
    decimals = max(min(digits - 1 - _exponent(scaled), 3 - top), 0)
    unit = f"{NARROW}%" if points.y_is.as_percent else ""
    sign = f"{cell.sign}{NARROW}" if cell.sign else ""
    written = f"{scaled:.{decimals}f}".replace("-", MINUS)
    return f"{sign}{written}{unit}"


def _scaled_title(quantity: Quantity, power: int) -> str:
    if not power:
        return quantity.title
    return f"{quantity.label} (10{str(power).translate(RAISED)}{NARROW}{quantity.shown_unit})"


def _exponent(value: float) -> int:
    return int(np.floor(np.log10(abs(value)))) if value else 0


def _hover(points: Points, cell: Cell, highest: float) -> str:
    first = _points.hover(points, cell.shown[0])
    if len(cell.shown) > 1:
        spread = points.y[list(cell.shown)] * points.y_is.factor
        unit = points.y_is.shown_unit
        first = (
            f"<b>Mean of {len(cell.shown)} samples: {_label(points, cell, highest)}</b> "
            f"({number(float(spread.min()), 3)} to {number(float(spread.max()), 3)} {unit})<br>{first}"
        )
    others = [row for row in cell.all if row != cell.shown[0]]
    lines = [
        f"{points.code[row]}\u2002{_points.measured(points, row)}\u2002{_points.origin_of(points, row)}"
        for row in others[:6]
    ]
    if len(others) > 6:
        lines.append(f"and {len(others) - 6} more")
    return "<br>".join([first, *lines])


def _traces(points: Points, cells: Sequence[Cell], across: Levels, up: Levels) -> list[dict[str, Any]]:
    shape = (len(up.labels), len(across.labels))
    z = np.full(shape, np.nan)
    ids = np.full(shape, -1, dtype=np.int32)
    hovers = [["" for _ in across.labels] for _ in up.labels]
    highest = max(abs(cell.value) for cell in cells) * points.y_is.factor
    power = _power(highest)
    for number_of, cell in enumerate(cells):
        z[cell.row, cell.column] = cell.value * points.y_is.factor / 10.0**power
        ids[cell.row, cell.column] = number_of
        hovers[cell.row][cell.column] = _hover(points, cell, highest)
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    traces: list[dict[str, Any]] = [heat_of(z, ids, hovers, colorbar(_scaled_title(points.y_is, power)))]
    if hatched := [cell for cell in cells if cell.origin == "simulated"]:
        traces.append(_hatching(hatched))
    for origin in ORIGINS:
        numbered = [(n, cell) for n, cell in enumerate(cells) if cell.origin == origin]
        if numbered:
            traces += _labels(points, numbered, (low, high), highest)
    return traces


def _hatching(cells: Sequence[Cell]) -> dict[str, Any]:
    """Simulated cells are hatched: what was only computed never passes for measured."""
    return {
        "type": "bar",
        "x": typed(np.array([cell.column for cell in cells], dtype=np.int32)),
        "y": typed(np.full(len(cells), 0.96)),
        "base": typed(np.array([cell.row - 0.48 for cell in cells])),
        "width": 0.97,
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {"width": 0},
            "pattern": {
                "shape": "/",
                "fillmode": "replace",
                "fgcolor": "var(--hatch)",
                "bgcolor": "rgba(0,0,0,0)",
                "size": 8,
                "solidity": 0.14,
            },
        },
        "hoverinfo": "skip",
        "showlegend": False,
        "unselected": {"marker": {"opacity": 1}},
    }


def _labels(
    points: Points, numbered: Sequence[tuple[int, Cell]], scale: tuple[float, float], highest: float
) -> list[dict[str, Any]]:
    cells = [cell for _, cell in numbered]
    origin = cells[0].origin
    low, high = scale
    scaled = np.array([cell.value for cell in cells]) * points.y_is.factor / 10.0 ** _power(highest)
    share = (scaled - low) / (high - low) if high > low else np.zeros_like(scaled)
    colors = [ON_BRIGHT if part > BRIGHT_FROM else ON_DARK for part in share]
    column = np.array([cell.column for cell in cells], dtype=np.float64)
    row = np.array([cell.row for cell in cells], dtype=np.float64)
    numbers = typed(np.array([n for n, _ in numbered], dtype=np.int32))
    return [
        {
            "type": "scatter",
            "mode": "text",
            "name": ORIGIN_WORDS[origin],
            "x": typed(column),
            "y": typed(row - 0.06),
            "text": [_label(points, cell, highest) for cell in cells],
            "textfont": {"color": colors, "size": 12},
            "customdata": numbers,
            "hovertext": [_hover(points, cell, highest) for cell in cells],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "showlegend": False,
            "meta": "cell text",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": typed(column - 0.37),
            "y": typed(row + 0.31),
            "customdata": numbers,
            "hoverinfo": "skip",
            "marker": {
                "symbol": SYMBOLS[origin],
                "size": 7,
                "color": colors,
                "line": {"width": 1.4},
                "opacity": 0.75 if origin == "simulated" else 1,
            },
            "unselected": {"marker": {"opacity": 0.25}},
            "showlegend": False,
            "meta": "cell mark",
        },
        legend_mark(origin),
    ]


def _table(points: Points, cells: Sequence[Cell]) -> list[Column]:
    """Every value that lies in a cell, with the cell's number and whether the cell shows it."""
    rows = [(n, row) for n, cell in enumerate(cells) for row in cell.all]
    drawn = {row for cell in cells for row in cell.shown}
    columns = _points.table(_points.take(points, [row for _, row in rows]))
    return [
        *columns,
        Column("cell", np.array([n for n, _ in rows], dtype=np.float64)),
        Column("in the colour", ["yes" if row in drawn else "no" for _, row in rows]),
    ]


def _summary(points: Points, cells: Sequence[Cell]) -> str:
    counts = Counter(cell.origin for cell in cells)
    origins = ", ".join(f"{counts[o]} {ORIGIN_WORDS[o]}" for o in ORIGINS if counts[o])
    color = points.color_is.label if points.color_is is not None else ""
    return (
        f"Map of {_points.plain(points.y_is.title)} over {_points.plain(points.x_is.label)} and "
        f"{_points.plain(color)}: {len(cells)} cells ({origins}). {_points.extremes_in_words(points)}"
    )

"""PLQY over loading and sintering temperature: map, or lines over either. Row D-14."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from frontend.figures import _points
from frontend.figures._arrays import typed
from frontend.figures._from_view import factor_of, merged, points_of, quantity_of
from frontend.figures._level_lines import apart, as_lines
from frontend.figures._levels import Levels, level_axis, levels
from frontend.figures._template import ORIGINS, SYMBOLS, axis, colorbar, heat_of, layout, legend_mark
from frontend.figures.base import Column, Drawing, Figure, Numbers, Option, Points, Quantity, View
from frontend.figures.map import BRIGHT_FROM, ON_BRIGHT, ON_DARK, Cell, combined
from frontend.formatting import COMPARATORS, MINUS, NARROW, ORIGIN_WORDS, number

PLQY = Quantity("plqy", "PL quantum yield", "1", as_percent=True)
LOADING = Quantity("loading_mass_fraction", "Loading", "1", as_percent=True)
TEMPERATURE = Quantity("sintering_temperature_c", "Sintering temperature", "°C")

FIGURE = Figure(
    title="PLQY over loading and sintering temperature",
    takes="view",
    order=14,
    theme="Quantum yield",
    reads=(PLQY.key,),
    factors=(LOADING.key, TEMPERATURE.key),
    options=(
        Option(
            "as",
            "Draw",
            (
                ("map", "as a map"),
                ("loading", "lines over loading"),
                ("temperature", "lines over temperature"),
            ),
        ),
    ),
    height_px=520,
    help="Loading on a logarithmic axis. ◇ are published values: hover tells where they stand.",
    needs="Upload the spectra of an integrating sphere, or enter quantum yields by hand.",
)
TEXT_FITS, LABEL_APART = 0.045, 0.035  # of the height: a row with text in it, two labels beneath each other
SAME_LOADING, SAME_TEMPERATURE_C = 0.03, 2.0  # relative, and in °C: meant to be the same


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    points, notes = _placed(view)
    if not points.y.size:
        return Drawing(empty="No quantum yield of a sample with known loading and temperature.", notes=notes)
    as_ = options.get("as", "map")
    drawing = _map(points) if as_ == "map" else as_lines(points, over_loading=as_ == "loading")
    return replace(
        drawing,
        notes=[*notes, *drawing.notes],
        summary=f"{drawing.summary} {_published(points)}".strip(),
        filename=f"plqy-{as_}",
    )


def _placed(view: View) -> tuple[Points, list[str]]:
    """The values whose place is known, levels that were meant to be the same made the same."""
    readings = view.values(PLQY.key)
    loading = merged(factor_of(view, readings, LOADING.key), relative=SAME_LOADING)  # type: ignore[arg-type]
    temperature = merged(factor_of(view, readings, TEMPERATURE.key), absolute=SAME_TEMPERATURE_C)  # type: ignore[arg-type]
    points = points_of(
        view,
        readings,
        quantity_of(view, PLQY.key, PLQY),
        (temperature, quantity_of(view, TEMPERATURE.key, TEMPERATURE)),
        (loading, quantity_of(view, LOADING.key, LOADING)),
    )
    known = np.isfinite(points.y) & np.isfinite(temperature) & np.isfinite(loading)
    above = known & (np.nan_to_num(loading) > 0)
    notes = []
    if unknown := int((~known).sum()):
        notes.append(f"{_values(unknown)} left out: loading or sintering temperature is not recorded.")
    if bare := int((known & ~above).sum()):
        notes.append(f"{_values(bare)} left out: without perovskite there is no place on a logarithmic axis.")
    return _points.take(points, np.flatnonzero(above)), notes


def _values(count: int) -> str:
    return "1 value is" if count == 1 else f"{number(count)} values are"


def _published(points: Points) -> str:
    """The anchors, in words."""
    rows = [row for row, origin in enumerate(points.origin) if origin == "published"]
    if not rows:
        return ""
    told = "; ".join(f"{_points.measured(points, row)} at {_place(points, row)}" for row in rows[:6])
    more = f"; and {len(rows) - 6} more" if len(rows) > 6 else ""
    return f"Published: {told}{more}."


def _place(points: Points, row: int) -> str:
    assert points.color is not None  # _placed gives it
    assert points.color_is is not None
    return f"{_points.shown(points.color[row], points.color_is)}, {_points.shown(points.x[row], points.x_is)}"


# As a map


def _map(points: Points) -> Drawing:
    assert points.color is not None
    assert points.color_is is not None
    across, up = levels(points.x, points.x_is), levels(points.color, points.color_is)
    rows = _heights(points.color * points.color_is.factor, up)
    cells = combined(points, across, up)
    shape = (rows.size, len(across.labels))
    z, ids = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int32)
    hovers = [[""] * shape[1] for _ in range(shape[0])]
    for place, cell in enumerate(cells):
        z[cell.row, cell.column] = cell.value * points.y_is.factor
        ids[cell.row, cell.column] = place
        hovers[cell.row][cell.column] = _hover(points, cell)
    return Drawing(
        data=[
            heat_of(
                z,
                ids,
                hovers,
                colorbar(points.y_is.title),
                x=typed(np.arange(shape[1] + 1) - 0.5),
                y=typed(edges(rows)),
                zmin=0.0,
            ),
            *_texts(points, cells, rows, float(np.nanmax(z))),
        ],
        layout=layout(
            level_axis(points.x_is, across),
            _log_axis(points.color_is, rows, up.labels),
            dragmode="select",
            meta={"cells": [shape[1], shape[0]]},
        ),
        table=_table(points, cells),
        summary=_summary(points, cells),
    )


def _heights(loading: Numbers, up: Levels) -> Numbers:
    """(levels,) where each level stands."""
    return np.array([np.median(loading[up.index == level]) for level in range(len(up.labels))])


def edges(levels_at: Numbers) -> Numbers:
    """(N + 1,) borders of the cells around N rising values above zero, halfway on a logarithmic axis."""
    logs = np.log10(levels_at)
    if logs.size == 1:
        return 10 ** (logs[0] + np.array([-0.2, 0.2]))
    middles = (logs[:-1] + logs[1:]) / 2
    first, last = logs[0] - (middles[0] - logs[0]), logs[-1] + (logs[-1] - middles[-1])
    return np.asarray(10 ** np.concatenate([[first], middles, [last]]))


def _log_axis(quantity: Quantity, at: Numbers, labels: Sequence[str]) -> dict[str, Any]:
    borders = np.log10(edges(at))
    return axis(
        quantity.title,
        type="log",
        tickvals=[float(value) for value in at],
        ticktext=apart(at, labels, LABEL_APART * float(borders[-1] - borders[0])),
        range=[float(borders[0]), float(borders[-1])],
        showgrid=False,
        showline=False,
    )


def _texts(points: Points, cells: Sequence[Cell], rows: Numbers, highest: float) -> list[dict[str, Any]]:
    """In each cell the mark of where its value comes from, and the value; published values keep theirs
    where something else gives the colour."""
    traces: list[dict[str, Any]] = []
    borders = np.log10(edges(rows))
    middles = 10 ** ((borders[:-1] + borders[1:]) / 2)
    tall = np.diff(borders) >= TEXT_FITS * (borders[-1] - borders[0])
    present = [origin for origin in ORIGINS if any(_origins(points, cell) & {origin} for cell in cells)]
    for origin in present:
        shown = [(n, cell) for n, cell in enumerate(cells) if cell.origin == origin]
        beside = [
            (n, cell)
            for n, cell in enumerate(cells)
            if origin == "published" != cell.origin and "published" in _origins(points, cell)
        ]
        numbered = [*shown, *beside]
        if not numbered:
            continue
        at = np.array([cell.column + 0.35 * (1 if (n, cell) in beside else -1) for n, cell in numbered])
        colors = [_ink(cell.value * points.y_is.factor / (highest or 1.0)) for _, cell in numbered]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": ORIGIN_WORDS[origin],
                "meta": origin,
                "x": typed(at.astype(np.float64)),
                "y": typed(np.array([middles[cell.row] for _, cell in numbered])),
                "text": [f" {_label(points, cell)}" if tall[cell.row] else "" for _, cell in shown]
                + [""] * len(beside),
                "textposition": "middle right",
                "textfont": {"color": colors, "size": 12},
                "customdata": typed(np.array([n for n, _ in numbered], dtype=np.int32)),
                "hovertext": [_hover(points, cell) for _, cell in numbered],
                "hovertemplate": "%{hovertext}<extra></extra>",
                "marker": {
                    "symbol": SYMBOLS[origin],
                    "size": [7 if tall[cell.row] else 4 for _, cell in numbered],
                    "opacity": 1,
                    "color": colors,
                    "line": {"width": 1.4},
                },
                "cliponaxis": False,
                "showlegend": False,
            }
        )
    return [*traces, *(legend_mark(trace["meta"]) for trace in list(traces))]


def _origins(points: Points, cell: Cell) -> set[str]:
    return {points.origin[row] for row in cell.all}


def _ink(share: float) -> str:
    return ON_BRIGHT if share > BRIGHT_FROM else ON_DARK


def _label(points: Points, cell: Cell) -> str:
    sign, shown = f"{cell.sign}{NARROW}" if cell.sign else "", cell.value * points.y_is.factor
    return f"{sign}{shown:.{1 if abs(shown) >= 10 else 2}f}{NARROW}%".replace("-", MINUS)


def _hover(points: Points, cell: Cell) -> str:
    first = _points.hover(points, cell.shown[0])
    if len(cell.shown) > 1:
        first = f"<b>Mean of {len(cell.shown)} samples: {_label(points, cell)}</b><br>{first}"
    others = [row for row in cell.all if row != cell.shown[0]]
    told = [
        f"{points.code[row]}\u2002{_points.measured(points, row)}\u2002{_points.origin_of(points, row)}"
        for row in sorted(others, key=lambda row: points.origin[row] != "published")[:5]
    ]
    return "<br>".join([first, *told, *([f"and {len(others) - 5} more"] if len(others) > 5 else [])])


def _table(points: Points, cells: Sequence[Cell]) -> list[Column]:
    rows = [(n, row) for n, cell in enumerate(cells) for row in cell.all]
    drawn = {row for cell in cells for row in cell.shown}
    return [
        *_points.table(_points.take(points, [row for _, row in rows])),
        Column("cell", np.array([n for n, _ in rows], dtype=np.float64)),
        Column("in the colour", ["yes" if row in drawn else "no" for _, row in rows]),
    ]


def _summary(points: Points, cells: Sequence[Cell]) -> str:
    best = max(cells, key=lambda cell: cell.value)
    limits = [COMPARATORS[sign] for sign in (">", "<") if sign in points.comparator]
    return (
        f"Map of the quantum yield over sintering temperature and loading, {len(cells)} cells "
        f"({_points.count_origins(points)}). Highest: {_label(points, best)} at "
        f"{_place(points, best.shown[0])} ({ORIGIN_WORDS[best.origin]})."
        + (f" Some are limits ({', '.join(limits)})." if limits else "")
    )

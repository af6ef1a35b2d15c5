"""Relative PL intensity over loading and sintering temperature with the ridge of its row maxima. D-15."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.numerics.ridges import Optimum
from frontend import formatting
from frontend.figures._arrays import typed
from frontend.figures._pl_grid import INTENSITIES, Grid, Place, cells_of, grid_of, highest_yield, ridge_of
from frontend.figures._pl_views import LOADING, MADE, SINTERING, origins_of, quantity_of, usual, words
from frontend.figures._points import plain, shown
from frontend.figures._ridge_labels import ON_BRIGHT, ON_DARK, labels
from frontend.figures._template import FULL, INK, axis, colorbar, layout
from frontend.figures.base import Column, Drawing, Figure, Option, Quantity, Reading, View
from frontend.formatting import MARKS, ORIGIN_WORDS, number

FIGURE = Figure(
    title="PL intensity map",
    takes="view",
    theme="Photoluminescence",
    order=20,
    help="Integrated PL relative to the brightest sample; the line joins the best temperatures of the rows.",
    reads=("pl_brightness", "pl_integrated_intensity", "pl_intensity_rel", "plqy"),
    factors=(LOADING, SINTERING, *MADE),
    options=(Option("colour", "Colour", (("linear", "linear"), ("log", "logarithmic"))),),
    height_px=480,
    needs="Upload PL spectra of samples whose loading and sintering temperature are known.",
)
FAINTEST = 1e-3  # of the maximum, on the logarithmic scale
RIDGE = "#ffffff"
MOST_TICKS = 16


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    key, cells = cells_of(view)
    if not cells:
        return Drawing(
            empty="No sample has a PL intensity together with a loading and a sintering temperature.",
            notes=view.missing,
        )
    grid = grid_of(cells)
    if grid is None:
        return Drawing(empty="No PL intensity is above zero.", notes=view.missing)
    ridge = ridge_of(grid)
    best = max(cells, key=lambda place: cells[place].value)
    high = highest_yield(view, grid)
    made = usual(view).note
    notes = [*view.missing, *([made] if made else [])]
    if INTENSITIES[key]:
        notes.append(INTENSITIES[key])
    blank = grid.relative.size - len(cells)
    if blank:
        notes.append(f"{blank} of {grid.relative.size} cells are blank: no sample was measured there.")
    logarithmic = options.get("colour") == "log"
    if logarithmic:
        notes.append(f"What is below {100 * FAINTEST:g} % of the maximum has the darkest colour.")
    data = [_heat(view, grid, logarithmic), *_ridge_traces(grid, ridge, view)]
    data += _maxima(view, grid, best, high)
    data.append(_numbers(view, grid, ridge, logarithmic))
    data += origins_of([reading.origin for reading in cells.values()])
    return Drawing(
        data=data,
        layout=_layout(view, grid),
        table=_table(view, grid, ridge),
        summary=_summary(view, grid, ridge, best, high),
        notes=notes,
        filename="pl-intensity-map",
    )


def _heat(view: View, grid: Grid, logarithmic: bool) -> dict[str, Any]:
    percent = 100 * grid.relative
    z = np.log10(np.maximum(percent, 100 * FAINTEST)) if logarithmic else percent
    z = np.where(np.isfinite(percent), z, np.nan)
    low, high = (np.log10(100 * FAINTEST), 2.0) if logarithmic else (0.0, 100.0)
    bar = colorbar("PL relative to the brightest (%)")
    if logarithmic:
        ticks = np.log10([0.1, 1, 10, 100])
        bar |= {"tickvals": ticks.tolist(), "ticktext": ["0.1", "1", "10", "100"]}
    return {
        "type": "heatmap",
        "z": typed(z),
        "zmin": float(low),
        "zmax": float(high),
        "colorscale": FULL,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "hovertext": [[_hover(view, grid, i, j) for j in range(z.shape[1])] for i in range(z.shape[0])],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "colorbar": bar,
    }


def _percent(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.095 else f"{value:.1g}"


def _hover(view: View, grid: Grid, i: int, j: int) -> str:
    place = (grid.loadings[i], grid.temperatures[j])
    reading = grid.cells.get(place)
    if reading is None:
        return ""
    code = view.subjects[reading.subject].code
    return (
        f"<b>{code}</b><br>{_where(view, place)}<br>PL {_percent(100 * float(grid.relative[i, j]))} % of the "
        f"brightest<br>{MARKS[reading.origin]} {ORIGIN_WORDS[reading.origin]}"
    )


def _where(view: View, place: Place) -> str:
    loading, sintering = quantity_of(view, LOADING), quantity_of(view, SINTERING)
    return f"{shown(place[0], loading)}, {shown(place[1], sintering)}"


def _ridge_traces(grid: Grid, ridge: Mapping[float, Optimum], view: View) -> list[dict[str, Any]]:
    """The line through the parabolas' tops; a dark one beneath keeps it visible on bright cells."""
    if len(ridge) < 2:
        return []
    x = np.array([grid.column(top.best) for top in ridge.values()])
    y = np.array([float(grid.loadings.index(loading)) for loading in ridge])
    hover = [
        f"{_where(view, (loading, top.at))}: row maximum"
        + (f"<br>parabola {number(top.best, 4)} ± {number(top.sigma, 2)} °C" if top.refined else "")
        for loading, top in ridge.items()
    ]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": typed(x),
        "y": typed(y),
        "showlegend": False,
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    outer = {**line, "line": {"color": ON_BRIGHT, "width": 4.5}, "marker": {"size": 9, "color": ON_BRIGHT}}
    inner = {
        **line,
        "meta": "ridge",
        "name": "best temperature of each loading",
        "line": {"color": RIDGE, "width": 2, "dash": "dot"},
        "marker": {"size": 6, "color": RIDGE},
    }
    return [{**outer, "hoverinfo": "skip", "hovertemplate": None}, inner]


def _maxima(view: View, grid: Grid, best: Place, high: tuple[Place, Reading] | None) -> list[dict[str, Any]]:
    """A frame around the brightest cell, and a broken one around that of the highest quantum yield."""
    frames = [(best, "solid", 0.48, f"brightest: {_where(view, best)}")]
    if high is not None:
        value = _yield(view, high[1])
        frames.append((high[0], "dot", 0.43, f"highest PLQY, {value}: {_where(view, high[0])}"))
    traces: list[dict[str, Any]] = []
    for (loading, temperature_c), dash, grow, name in frames:
        i, j = grid.loadings.index(loading), grid.temperatures.index(temperature_c)
        frame: dict[str, Any] = {
            "type": "scatter",
            "mode": "lines",
            "x": [j - grow, j + grow, j + grow, j - grow, j - grow],
            "y": [i - grow, i - grow, i + grow, i + grow, i - grow],
            "showlegend": False,
            "hoverinfo": "skip",
        }
        key: dict[str, Any] = {"type": "scatter", "mode": "lines", "name": name, "x": [None], "y": [None]}
        traces += [
            {**frame, "line": {"color": ON_BRIGHT, "width": 5}},
            {
                **frame,
                "line": {"color": ON_DARK, "width": 2.5, "dash": dash},
                "meta": "maximum",
                "name": name,
            },
            {**key, "line": {"color": INK, "width": 2.5, "dash": dash}, "hoverinfo": "skip"},
        ]
    return traces


def _yield(view: View, reading: Reading) -> str:
    """To the digit of its sigma, three digits where that is not known."""
    quantity = quantity_of_yield(view)
    if np.isfinite(reading.sigma) and reading.sigma > 0:
        return str(formatting.quantity(reading.value, reading.sigma, quantity.unit, as_percent=True))
    return f"{number(100 * reading.value, 3)}\u202f%"


def quantity_of_yield(view: View) -> Quantity:
    return view.quantities.get("plqy", Quantity("plqy", "PL quantum yield", "1", as_percent=True))


def _layout(view: View, grid: Grid) -> dict[str, Any]:
    return layout(
        _levels(quantity_of(view, SINTERING), grid.temperatures),
        _levels(quantity_of(view, LOADING), grid.loadings),
        meta={"cells": [len(grid.temperatures), len(grid.loadings)]},
    )


def _levels(quantity: Quantity, levels: Sequence[float]) -> dict[str, Any]:
    ticks = range(0, len(levels), max(1, len(levels) // MOST_TICKS))
    return axis(
        quantity.title,
        tickvals=list(ticks),
        ticktext=[number(levels[tick] * quantity.factor, 4) for tick in ticks],
        range=[-0.5, len(levels) - 0.5],
        showgrid=False,
        showline=False,
        tickcolor="rgba(0,0,0,0)",
    )


def _numbers(view: View, grid: Grid, ridge: Mapping[float, Optimum], logarithmic: bool) -> dict[str, Any]:
    """Cells in the order of the table's rows, so that each leads to its sample."""
    cells = [(grid.loadings.index(loading), grid.temperatures.index(t)) for loading, t in sorted(grid.cells)]
    shares = np.array([grid.relative[cell] for cell in cells])
    bright = 1 + np.log10(np.maximum(shares, FAINTEST)) / -np.log10(FAINTEST) if logarithmic else shares
    line = np.array([(grid.column(top.best), grid.loadings.index(level)) for level, top in ridge.items()])
    return {
        **labels(cells, [_percent(100 * float(share)) for share in shares], bright, line),
        "hovertext": [_hover(view, grid, i, j) for i, j in cells],
    }


def _table(view: View, grid: Grid, ridge: Mapping[float, Optimum]) -> list[Column]:
    places = sorted(grid.cells)
    loading, sintering = quantity_of(view, LOADING), quantity_of(view, SINTERING)
    readings = [grid.cells[place] for place in places]
    highest = max(reading.value for reading in readings)
    return [
        Column("sample", [view.subjects[reading.subject].code for reading in readings]),
        Column(plain(loading.label), np.array([p[0] for p in places]) * loading.factor, loading.shown_unit),
        Column(plain(sintering.label), np.array([p[1] for p in places]), sintering.shown_unit),
        Column("PL relative to the brightest", np.array([100 * r.value / highest for r in readings]), "%"),
        Column("sigma", np.array([100 * r.sigma / highest for r in readings]), "%"),
        Column(
            "row maximum",
            ["yes" if p[0] in ridge and ridge[p[0]].at == p[1] else "no" for p in places],
        ),
        Column(
            "best temperature of the row",
            np.array([ridge[p[0]].best if p[0] in ridge else np.nan for p in places]),
            "°C",
        ),
        Column("origin", [reading.origin for reading in readings]),
    ]


def _summary(
    view: View,
    grid: Grid,
    ridge: Mapping[float, Optimum],
    best: Place,
    high: tuple[Place, Reading] | None,
) -> str:
    loading = quantity_of(view, LOADING)
    rows = ", ".join(f"{number(top.at, 4)} °C at {shown(level, loading)}" for level, top in ridge.items())
    sentences = [
        f"Map of relative PL intensity: {len(grid.loadings)} levels of {words(loading)} by "
        f"{len(grid.temperatures)} sintering temperatures, {len(grid.cells)} cells known. Brightest: "
        f"{_where(view, best)}."
    ]
    if rows:
        sentences.append(f"Row maxima: {rows}.")
    if high is not None:
        sentences.append(
            f"The quantum yield is highest, {_yield(view, high[1])}, at {_where(view, high[0])}."
        )
    return " ".join(sentences)

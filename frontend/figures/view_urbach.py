"""The red tails of the emission on a logarithmic scale with their lines, and the spread of slopes. D-18."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures._pl_views import (
    LOADING,
    MADE,
    OTHER,
    SINTERING,
    Curve,
    Row,
    best_of,
    code_of,
    factor_of,
    origins_of,
    quantity_of,
    row_along,
    title_of,
    words,
)
from frontend.figures._points import plain, shown
from frontend.figures._template import INK, SECOND, SYMBOLS, along_scale, axis, error_bars, layout, named
from frontend.figures.base import (
    Column,
    Curves,
    Drawing,
    Drawn,
    Figure,
    Line,
    Option,
    Quantity,
    Reading,
    View,
)
from frontend.formatting import quantity as written

FIGURE = Figure(
    title="Urbach tails",
    takes="view",
    order=30,
    help="PL on a logarithmic scale with the line through its tail; slopes against sintering temperature.",
    reads=("pl_tail_slope", "pl_urbach_energy"),
    factors=(SINTERING, LOADING, *MADE),
    curves=(Curves("pl", "pl_tail", ("tail data", "tail line")),),
    options=(
        Option("along", "Along", ((SINTERING, "sintering temperature"), (LOADING, "loading"))),
        Option("order", "Curves", (("overlaid", "overlaid"), ("stacked", "stacked"))),
        Option("show", "Beside", (("pl_tail_slope", "slope"), ("pl_urbach_energy", "Urbach energy"))),
    ),
    height_px=460,
    needs="Run “PL: Urbach tail” on PL spectra that reach a thousandth of their maximum on the red side.",
)
UNITS = {
    "pl_tail_slope": Quantity("pl_tail_slope", "Slope of ln PL", "eV⁻¹"),
    "pl_urbach_energy": Quantity("pl_urbach_energy", "Urbach energy", "meV"),
}
SMALL_CV = 0.10  # the published slopes vary less than this over temperature
STEP = 0.6  # decades between stacked tails
BAND = "rgba(127, 127, 127, 0.16)"  # visible on light, dark and paper
FLOOR = -4.0  # decades below the maximum that are drawn


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation and their ratio over the levels of one row."""

    levels: np.ndarray[Any, np.dtype[np.float64]]
    values: Sequence[Reading]
    mean: float
    deviation: float

    @property
    def cv(self) -> float:
        return self.deviation / abs(self.mean) if self.mean else float("nan")


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    along, key = options.get("along", SINTERING), options.get("show", "pl_tail_slope")
    row = row_along(view, view.curves("tail data"), along)
    notes = [*view.missing, *row.notes]
    if not row.curves:
        return Drawing(
            empty="No tail has been found yet in a spectrum of a sample with known factors.", notes=notes
        )
    lines = {line.measurement: line for line in view.curves("tail line")}
    spread = _spread(view, row, key)
    step = STEP if options.get("order") == "stacked" and len(row.curves) > 1 else 0.0
    data = [
        trace
        for place, curve in enumerate(row.curves)
        for trace in _tail(view, curve, lines.get(curve.line.measurement), place * step)
    ]
    data += _beside(view, row, spread, key)
    data += origins_of([curve.line.origin for curve in row.curves])
    return Drawing(
        data=data,
        layout=_layout(view, row, spread, key, step),
        table=_table(view, row),
        curves=Drawn("photon energy (eV)", dict.fromkeys(("tail", "line"), _height(step))),
        summary=_summary(view, row, spread, key),
        notes=notes,
        filename="urbach-tails",
    )


def _spread(view: View, row: Row, key: str) -> Spread | None:
    """Of all samples in this row, whether or not their curve is drawn; None of fewer than two."""
    other = OTHER[row.along]

    def place(reading: Reading) -> float | None:
        level = factor_of(view, reading.subject, row.along)
        same = factor_of(view, reading.subject, other) == row.fixed
        return level if same and np.isfinite(reading.value) else None

    found = best_of(view, key, place)
    if len(found) < 2:
        return None
    levels = sorted(found)
    values = [found[level] for level in levels]
    numbers = np.array([reading.value for reading in values])
    return Spread(np.array(levels), values, float(numbers.mean()), float(numbers.std(ddof=1)))


def _tail(view: View, curve: Curve, line: Line | None, offset: float) -> list[dict[str, Any]]:
    visible = curve.line.y >= FLOOR
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": curve.name,
            "x": typed(curve.line.x[visible]),
            "y": typed(curve.line.y[visible] + offset),
            "line": {"color": curve.color, "width": 1.4},
            "customdata": typed(curve.line.y[visible]),
            "samples": [code_of(view, curve.line)],
            "hovertemplate": f"{curve.name}<br>%{{x:.4f}} eV<br>log₁₀ %{{customdata:.2f}}<extra></extra>",
            "showlegend": False,
            "meta": "tail",
        }
    ]
    if line is not None and line.x.size:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"line of {curve.name}",
                "x": typed(line.x),
                "y": typed(line.y + offset),
                "line": {"color": INK, "width": 1.8, "dash": "dash"},
                "hoverinfo": "skip",
                "showlegend": False,
                "meta": "line",
            }
        )
    return traces


def _beside(view: View, row: Row, spread: Spread | None, key: str) -> list[dict[str, Any]]:
    if spread is None:
        return []
    quantity = UNITS[key]
    factor = quantity_of(view, row.along).factor
    colors = [along_scale(place / (len(spread.values) - 1)) for place in range(len(spread.values))]
    sigma = np.array([reading.sigma for reading in spread.values])
    hover = [
        f"{shown(level, quantity_of(view, row.along))}<br>"
        f"{written(reading.value, reading.sigma, quantity.unit)}<br>{view.subjects[reading.subject].code}"
        for level, reading in zip(spread.levels.tolist(), spread.values, strict=True)
    ]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": typed(spread.levels * factor),
            "y": typed(np.array([reading.value for reading in spread.values])),
            "error_y": error_bars(sigma),
            "marker": {
                "size": 8,
                "color": colors,
                "symbol": [SYMBOLS[reading.origin] for reading in spread.values],
                "line": {"width": 1.6, "color": colors},
            },
            "samples": [code_of(view, reading) for reading in spread.values],
            "hovertext": hover,
            "hovertemplate": "%{hovertext}<extra></extra>",
            "xaxis": "x2",
            "yaxis": "y2",
            "showlegend": False,
            "meta": "slopes",
        }
    ]


def _layout(view: View, row: Row, spread: Spread | None, key: str, step: float) -> dict[str, Any]:
    wide = 0.9 if spread is None else 0.56
    x = axis("Photon energy (eV)", domain=[0, wide], hoverformat=".4f")
    title = _height(step)
    top = 0.15 + step * (len(row.curves) - 1)
    y = axis(title, range=[FLOOR, top], dtick=1, showticklabels=not step)
    names = [
        named(
            wide, 0.97 - 0.055 * place, curve.name, curve.color, xref="paper", yref="paper", xshift=6
        )
        for place, curve in enumerate(reversed(row.curves))
    ]  # fmt: skip
    more: dict[str, Any] = {}
    if spread is not None:
        more["xaxis2"] = axis(quantity_of(view, row.along).title, domain=[0.77, 1.0], anchor="y2", nticks=5)
        more["yaxis2"] = axis(UNITS[key].title, anchor="x2", nticks=6)
        names.append(_said(spread))
        more["shapes"] = [_band(spread)]
    return layout(x, y, annotations=names, **more)


def _height(step: float) -> str:
    return "log₁₀(PL per eV / maximum)" + (", each shifted up" if step else "")


def _said(spread: Spread) -> dict[str, Any]:
    verdict = "" if spread.cv <= SMALL_CV else f" (above {100 * SMALL_CV:.0f} %)"
    text = f"spread {100 * spread.cv:.1f} %{verdict}"
    return named(1, 1, text, SECOND, xref="paper", yref="paper", xanchor="right", yanchor="bottom")


def _band(spread: Spread) -> dict[str, Any]:
    """Mean plus and minus one standard deviation."""
    return {
        "type": "rect",
        "xref": "x2 domain",
        "yref": "y2",
        "x0": 0,
        "x1": 1,
        "y0": spread.mean - spread.deviation,
        "y1": spread.mean + spread.deviation,
        "fillcolor": BAND,
        "line": {"width": 0},
        "layer": "below",
    }


def _table(view: View, row: Row) -> list[Column]:
    """One row a level: the slopes and energies; the curves behind them are those of the runs."""
    along, other = quantity_of(view, row.along), quantity_of(view, OTHER[row.along])
    both = {key: {(r.subject, r.origin): r for r in view.values(key)} for key in UNITS}
    fixed = np.nan if row.fixed is None else row.fixed * other.factor
    columns = [
        Column("sample", [view.subjects[curve.line.subject].code for curve in row.curves]),
        Column(plain(along.label), np.array([c.level for c in row.curves]) * along.factor, along.shown_unit),
        Column(plain(other.label), np.full(len(row.curves), fixed), other.shown_unit),
    ]
    for key, quantity in UNITS.items():
        found = [both[key].get((c.line.subject, c.line.origin)) for c in row.curves]
        value = np.array([np.nan if reading is None else reading.value for reading in found])
        sigma = np.array([np.nan if reading is None else reading.sigma for reading in found])
        columns += [Column(quantity.label, value, quantity.unit), Column("sigma", sigma, quantity.unit)]
    return [*columns, Column("origin", [curve.line.origin for curve in row.curves])]


def _summary(view: View, row: Row, spread: Spread | None, key: str) -> str:
    first = (
        f"{len(row.curves)} emission tails along {words(quantity_of(view, row.along))}{title_of(view, row)}, "
        "as the decadic logarithm of PL over photon energy, each with the line through its tail."
    )
    if spread is None:
        return first
    quantity = UNITS[key]
    compared = "within" if spread.cv <= SMALL_CV else "more than"
    return (
        f"{first} {quantity.label} {written(spread.mean, spread.deviation, quantity.unit)} on average over "
        f"{len(spread.values)} levels: a spread of {100 * spread.cv:.1f} %, {compared} "
        f"{100 * SMALL_CV:.0f} %."
    )

"""The band gaps beside the absorption spectra, against what the row runs along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from frontend.figures._absorption_curves import EDGES, GREEK, told
from frontend.figures._arrays import typed
from frontend.figures._pl_views import OTHER, Row, best_of, code_of, factor_of, quantity_of
from frontend.figures._points import plain, shown
from frontend.figures._template import SECOND, SYMBOLS, error_bars
from frontend.figures.base import Reading, View

Gaps = dict[str, list[tuple[float, Reading]]]


def gaps_of(view: View, row: Row, along: str, show: str) -> tuple[Gaps, list[str]]:
    """Band gaps of the samples of this row against the factor, by edge. One that stands alone far from all
    others, such as that of δ, would press these into a line: it is told in a sentence."""
    key = "band_gap" if show == "absorbance" else f"tauc_gap_{show}"
    found: Gaps = {}
    for edge in EDGES:
        readings = best_of(
            view, f"{key}:{edge}" if edge else key, lambda reading: _level(view, reading, row, along)
        )
        if readings:
            found[edge] = sorted(readings.items(), key=lambda item: item[0])
    of_lines = [reading.value for each in found.values() if len(each) > 1 for _, reading in each]
    if not of_lines:
        return {}, []
    low, high = min(of_lines), max(of_lines)
    kept: Gaps = {}
    notes = []
    for edge, each in found.items():
        if len(each) > 1 or 2 * low - high <= each[0][1].value <= 2 * high - low:
            kept[edge] = each
        else:
            at = shown(each[0][0], quantity_of(view, along))
            notes.append(f"Outside the panel of band gaps: {plain(told(each[0][1], 'gap'))} at {at}.")
    return kept, notes


def _level(view: View, reading: Reading, row: Row, along: str) -> float | None:
    if not np.isfinite(reading.value):
        return None
    if row.fixed is not None and factor_of(view, reading.subject, OTHER[along]) != row.fixed:
        return None
    return factor_of(view, reading.subject, along)


def inset_of(view: View, along: str, edge: str, found: Sequence[tuple[float, Reading]]) -> dict[str, Any]:
    factor = quantity_of(view, along).factor
    sigma = np.array([reading.sigma for _, reading in found])
    return {
        "type": "scatter",
        "mode": "lines+markers+text",
        "text": [*[""] * (len(found) - 1), GREEK[edge]],  # the last point names its edge
        "textposition": "middle right",
        "textfont": {"color": SECOND, "size": 12},
        "name": f"E<sub>g</sub> {GREEK[edge]}".strip(),
        "x": typed(np.array([level * factor for level, _ in found])),
        "y": typed(np.array([reading.value for _, reading in found])),
        "error_y": error_bars(sigma, width=2),
        "line": {"color": SECOND, "width": 1.2, "dash": "solid" if edge in ("", "gamma") else "dash"},
        "marker": {"size": 7, "color": SECOND, "symbol": [SYMBOLS[reading.origin] for _, reading in found]},
        "samples": [code_of(view, reading) for _, reading in found],
        "hovertext": [
            f"{shown(level, quantity_of(view, along))}<br>{told(reading, 'gap')}<br>{code_of(view, reading)}"
            for level, reading in found
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "xaxis": "x2",
        "yaxis": "y2",
        "showlegend": False,
        "meta": "gaps",
    }

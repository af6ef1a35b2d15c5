"""What the view of photostability draws: the map, what is left with its fit, and where the peak went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures._template import FULL, SECOND, SYMBOLS, colorbar
from frontend.figures.base import Line, Numbers
from frontend.formatting import number


@dataclass(frozen=True)
class Trace:
    """One series: `per_hour` turns its hours into what stands on the axis; `code` is what it is called."""

    sample: str
    code: str
    measurement: int
    origin: str
    color: str
    irradiance: float
    per_hour: float
    retention: Line
    fit: Line | None
    wavelength: Line | None

    @property
    def unit(self) -> str:
        return "h" if self.per_hour == 1.0 else "J\u202fcm⁻²"

    @property
    def left(self) -> float:
        """At the end, by the fit where there is one: a single spectrum would tell its noise."""
        return float((self.fit or self.retention).y[-1])

    @property
    def lasted_h(self) -> float:
        return float(self.retention.x[-1])


def heat(trace: Trace, hours: Numbers, x: Numbers, z: Numbers) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "x": typed(hours * trace.per_hour),
        "y": typed(x),
        "z": typed(z.astype(np.float32)),
        "colorscale": FULL,
        "zmin": 0.0,
        "colorbar": colorbar("Relative intensity", len=0.44, y=0.79),
        "hovertemplate": "%{y:.5~g} nm at %{x:.4~g}<br>%{z:.3~g} of the first maximum<extra></extra>",
        "xaxis": "x2",
        "yaxis": "y",
        "meta": "map",
    }


def _marker(trace: Trace, size: int) -> dict[str, Any]:
    return {
        "symbol": SYMBOLS[trace.origin],
        "size": size,
        "color": trace.color,
        "line": {"width": 1.2, "color": trace.color},
    }


def retention_of(trace: Trace) -> list[dict[str, Any]]:
    dots = {
        "type": "scatter",
        "mode": "markers",
        "name": f"{trace.code}: {number(100 * trace.left, 3)} % after {number(trace.lasted_h, 3)} h",
        "x": typed(trace.retention.x * trace.per_hour),
        "y": typed(100 * trace.retention.y),
        "marker": _marker(trace, 6),
        "samples": [trace.sample] * trace.retention.x.size,
        "hovertext": [
            f"<b>{trace.code}</b><br>{number(100 * left, 4)} % left after "
            f"{number(x * trace.per_hour, 4)}\u202f{trace.unit}"
            for x, left in zip(trace.retention.x.tolist(), trace.retention.y.tolist(), strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "yaxis": "y2",
        "showlegend": True,
        "meta": "retention",
    }
    if trace.fit is None:
        return [dots]
    fit = {
        "type": "scatter",
        "mode": "lines",
        "x": typed(trace.fit.x * trace.per_hour),
        "y": typed(100 * trace.fit.y),
        "line": {"color": trace.color, "width": 1.6},
        "hoverinfo": "skip",
        "yaxis": "y2",
        "showlegend": False,
        "meta": "fit",
    }
    return [dots, fit]


def guide(traces: Sequence[Trace]) -> dict[str, Any]:
    """The level at which T₈₀ is read."""
    end = max(float(trace.retention.x[-1]) * trace.per_hour for trace in traces)
    return {
        "type": "scatter",
        "mode": "lines+text",
        "x": [0.0, end],
        "y": [80.0, 80.0],
        "text": ["", "80 %"],
        "textposition": "top left",
        "textfont": {"color": SECOND, "size": 11},
        "line": {"color": SECOND, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "yaxis": "y2",
        "showlegend": False,
        "meta": "80 %",
    }


def shift_of(trace: Trace) -> list[dict[str, Any]]:
    if trace.wavelength is None:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": typed(trace.wavelength.x * trace.per_hour),
            "y": typed(trace.wavelength.y - beginning(trace.wavelength)),
            "line": {"color": trace.color, "width": 1},
            "marker": _marker(trace, 5),
            "samples": [trace.sample],
            "hovertemplate": f"<b>{trace.code}</b><br>%{{y:.3~g}} nm at %{{x:.4~g}}<extra></extra>",
            "yaxis": "y3",
            "showlegend": False,
            "meta": "shift",
        }
    ]


def beginning(line: Line) -> float:
    """The median of the first twentieth: one spectrum alone would pass its noise on to all."""
    return float(np.median(line.y[: max(3, line.y.size // 20)]))


def from_zero(traces: Sequence[Trace]) -> dict[str, Any]:
    """Where nearly all is left, the axis need not begin at zero."""
    lowest = min(float(trace.retention.y.min()) for trace in traces)
    highest = max(float(trace.retention.y.max()) for trace in traces)
    return {"rangemode": "tozero"} if lowest < 0.8 else {"range": [75, max(102, 101 * highest)]}

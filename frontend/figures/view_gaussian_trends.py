"""Where the Gaussians under the emission go with sintering temperature: position, bandwidth, share. D-19."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures._pl_views import (
    LOADING,
    MADE,
    SINTERING,
    best_of,
    code_of,
    factor_of,
    heading,
    origin_words,
    origins_of,
    quantity_of,
    usual,
    words,
)
from frontend.figures._points import plain, shown
from frontend.figures._template import SYMBOLS, along_scale, axis, error_bars, layout, named
from frontend.figures.base import Column, Drawing, Figure, Option, Quantity, Reading, View
from frontend.figures.lines import spread
from frontend.formatting import quantity as written

FIGURE = Figure(
    title="Gaussians with sintering temperature",
    takes="view",
    theme="Photoluminescence",
    order=40,
    help="Position, bandwidth and area share of the fitted Gaussians, one line a loading.",
    reads=(
        "pl_peak_center:I",
        "pl_peak_center:II",
        "pl_peak_fwhm:I",
        "pl_peak_fwhm:II",
        "pl_area_share:II",
    ),
    factors=(SINTERING, LOADING, *MADE),
    options=(
        Option("peak", "Peak", (("I", "I, the grain's"), ("II", "II, the shoulder"))),
        Option("loadings", "Loadings", (("published", "10, 25 and 40 %"), ("all", "all"))),
    ),
    height_px=430,
    needs="Upload PL spectra of samples whose loading and sintering temperature are known.",
)
PUBLISHED = (0.10, 0.25, 0.40)
NEAR = 0.03  # a loading this close to a published one stands for it
DOMAINS = ([0.0, 0.26], [0.35, 0.61], [0.70, 0.96])
MOST_LINES = 12
UNITS = {
    "pl_peak_center": Quantity("pl_peak_center", "Position", "nm"),
    "pl_peak_fwhm": Quantity("pl_peak_fwhm", "Bandwidth", "nm"),
    "pl_area_share": Quantity("pl_area_share", "Share of II", "1", as_percent=True),
}


@dataclass(frozen=True)
class Trend:
    """One property at one loading by rising temperature; one origin only."""

    loading: float
    origin: str
    temperature_c: np.ndarray[Any, np.dtype[np.float64]]
    readings: Sequence[Reading]
    color: str

    @property
    def values(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([reading.value for reading in self.readings])


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    peak = options.get("peak", "I")
    panels = [f"pl_peak_center:{peak}", f"pl_peak_fwhm:{peak}", "pl_area_share:II"]
    found = {key: _placed(view, key) for key in panels}
    every = sorted({place[0] for cells in found.values() for place in cells})
    if not every:
        return Drawing(
            empty="No fitted Gaussian is of a sample with a known loading and sintering temperature.",
            notes=view.missing,
        )
    made = usual(view).note
    loadings, notes = _chosen(view, every, options.get("loadings", "published"))
    trends = {key: _trends(cells, loadings) for key, cells in found.items()}
    empty = [plain(_unit(key).label) for key in panels if not trends[key]]
    if empty:
        notes.append(f"Nothing is known of {', '.join(empty).lower()}: there one Gaussian is enough.")
    drawn = [trend for of in trends.values() for trend in of]
    data = [_line(view, key, n, trend) for n, key in enumerate(panels) for trend in trends[key]]
    data += origins_of([trend.origin for trend in drawn])
    return Drawing(
        data=data,
        layout=_layout(view, panels, trends),
        table=_table(view, panels, trends),
        summary=_summary(view, panels, trends, peak),
        notes=[*view.missing, *([made] if made else []), *notes],
        filename=f"gaussian-trends-{peak}",
    )


def _unit(key: str) -> Quantity:
    return UNITS[key.partition(":")[0]]


def _placed(view: View, key: str) -> dict[tuple[float, float], Reading]:
    def place(reading: Reading) -> tuple[float, float] | None:
        loading = factor_of(view, reading.subject, LOADING)
        temperature_c = factor_of(view, reading.subject, SINTERING)
        if loading is None or temperature_c is None or not np.isfinite(reading.value):
            return None
        return loading, temperature_c

    return best_of(view, key, place)


def _chosen(view: View, every: Sequence[float], which: str) -> tuple[list[float], list[str]]:
    """The published loadings or those next to them; all there are where none is near."""
    if which == "published":
        near = [min(every, key=lambda level: abs(level - wanted)) for wanted in PUBLISHED]
        kept = sorted({n for n, wanted in zip(near, PUBLISHED, strict=True) if abs(n - wanted) <= NEAR})
        if kept:
            rest = len(every) - len(kept)
            more = f"{rest} other {'loading is' if rest == 1 else 'loadings are'} not drawn; choose all."
            return kept, [more] if rest else []
    if len(every) <= MOST_LINES:
        return list(every), []
    places = np.unique(np.linspace(0, len(every) - 1, MOST_LINES).round().astype(int))
    note = f"{MOST_LINES} of {len(every)} loadings are drawn; narrow {words(quantity_of(view, LOADING))}."
    return [every[place] for place in places], [note]


def _trends(cells: Mapping[tuple[float, float], Reading], loadings: Sequence[float]) -> list[Trend]:
    trends = []
    for number_of, loading in enumerate(loadings):
        color = along_scale(number_of / max(len(loadings) - 1, 1))
        row = sorted((t, reading) for (x, t), reading in cells.items() if x == loading)
        for origin in dict.fromkeys(reading.origin for _, reading in row):
            same = [(t, reading) for t, reading in row if reading.origin == origin]
            at = np.array([t for t, _ in same])
            trends.append(Trend(loading, origin, at, [reading for _, reading in same], color))
    return trends


def _line(view: View, key: str, panel: int, trend: Trend) -> dict[str, Any]:
    quantity, loading = _unit(key), quantity_of(view, LOADING)
    scale = quantity.factor
    sigma = np.array([reading.sigma for reading in trend.readings])
    suffix = "" if panel == 0 else str(panel + 1)
    hover = [
        f"<b>{view.subjects[reading.subject].code}</b><br>{shown(trend.loading, loading)}, {t:g} °C<br>"
        f"{quantity.label} {_written(reading, quantity)}"
        for t, reading in zip(trend.temperature_c.tolist(), trend.readings, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": shown(trend.loading, loading),
        "x": typed(trend.temperature_c),
        "y": typed(trend.values * scale),
        "error_y": error_bars(sigma * scale, trend.color),
        "line": {
            "color": trend.color,
            "width": 1.4,
            "dash": "dot" if trend.origin in ("simulated", "predicted") else "solid",
        },
        "marker": {
            "symbol": SYMBOLS[trend.origin],
            "size": 7,
            "color": trend.color,
            "line": {"width": 1.6, "color": trend.color},
        },
        "samples": [code_of(view, reading) for reading in trend.readings],
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "showlegend": False,
        "meta": key,
    }


def _written(reading: Reading, quantity: Quantity) -> str:
    return str(written(reading.value, reading.sigma, quantity.unit, as_percent=quantity.as_percent))


def _layout(view: View, panels: Sequence[str], trends: Mapping[str, Sequence[Trend]]) -> dict[str, Any]:
    sintering = quantity_of(view, SINTERING)
    axes: dict[str, Any] = {}
    for number_of, (key, domain) in enumerate(zip(panels, DOMAINS, strict=True)):
        suffix = "" if number_of == 0 else str(number_of + 1)
        axes[f"xaxis{suffix}"] = axis(sintering.title, domain=domain, anchor=f"y{suffix}", nticks=5)
        axes[f"yaxis{suffix}"] = axis(_unit(key).title, anchor=f"x{suffix}", nticks=6)
    names = _names(view, panels, trends)
    return layout(
        axes.pop("xaxis"),
        axes.pop("yaxis"),
        annotations=names,
        margin={"l": 64, "r": 64, "t": 32, "b": 52},
        **axes,
    )


def _names(view: View, panels: Sequence[str], trends: Mapping[str, Sequence[Trend]]) -> list[dict[str, Any]]:
    """Loadings at the right ends of the last panel that holds lines, moved apart where they would touch."""
    filled = [number_of for number_of, key in enumerate(panels) if trends[key]]
    last = filled[-1]
    key, loading = panels[last], quantity_of(view, LOADING)
    scale, suffix = _unit(key).factor, "" if last == 0 else str(last + 1)
    ends = sorted(trends[key], key=lambda trend: float(trend.values[-1]))
    values = np.concatenate([trend.values for trend in ends])
    gap = 0.075 * (float(np.ptp(values)) or 1.0)
    heights = spread([float(trend.values[-1]) for trend in ends], gap)
    right = max(float(trend.temperature_c[-1]) for trend in ends)
    names = [
        named(
            right, height * scale, shown(trend.loading, loading), trend.color,
            xref=f"x{suffix}", yref=f"y{suffix}", xshift=10,
        )
        for trend, height in zip(ends, heights, strict=True)
    ]  # fmt: skip
    title = plain(loading.label)
    return [*names, heading(title) | {"x": DOMAINS[last][1], "xanchor": "right"}]


def _table(view: View, panels: Sequence[str], trends: Mapping[str, Sequence[Trend]]) -> list[Column]:
    rows = [
        (key, trend, float(t), reading)
        for key in panels
        for trend in trends[key]
        for t, reading in zip(trend.temperature_c, trend.readings, strict=True)
    ]
    loading, sintering = quantity_of(view, LOADING), quantity_of(view, SINTERING)
    return [
        Column("sample", [view.subjects[reading.subject].code for *_, reading in rows]),
        Column(
            plain(loading.label),
            np.array([trend.loading for _, trend, _, _ in rows]) * loading.factor,
            loading.shown_unit,
        ),
        Column(plain(sintering.label), np.array([t for _, _, t, _ in rows]), sintering.shown_unit),
        Column("quantity", [_name(key) for key, *_ in rows]),
        Column("value", np.array([reading.value * _unit(key).factor for key, _, _, reading in rows])),
        Column("sigma", np.array([reading.sigma * _unit(key).factor for key, _, _, reading in rows])),
        Column("unit", [_unit(key).shown_unit for key, *_ in rows]),
        Column("origin", [trend.origin for _, trend, _, _ in rows]),
    ]


def _name(key: str) -> str:
    component = key.partition(":")[2]
    return (
        plain(_unit(key).label) if component == "II" and "share" in key else f"{_unit(key).label} {component}"
    )


def _summary(view: View, panels: Sequence[str], trends: Mapping[str, Sequence[Trend]], peak: str) -> str:
    drawn = [trend for key in panels for trend in trends[key]]
    loading = quantity_of(view, LOADING)
    sentences = [
        f"Gaussian {peak} under the PL with sintering temperature, {len({t.loading for t in drawn})} "
        f"loadings ({origin_words([trend.origin for trend in drawn])} lines)."
    ]
    for key in panels[:2]:
        quantity = _unit(key)
        for trend in trends[key]:
            if len(trend.readings) > 1:
                first, last = trend.readings[0], trend.readings[-1]
                sentences.append(
                    f"{_name(key)} at {shown(trend.loading, loading)}: "
                    f"{written(first.value, first.sigma, quantity.unit)} at {trend.temperature_c[0]:g} °C, "
                    f"{written(last.value, last.sigma, quantity.unit)} at {trend.temperature_c[-1]:g} °C."
                )
    return " ".join(sentences)

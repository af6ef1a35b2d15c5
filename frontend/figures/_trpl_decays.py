"""Decays of a view: which are drawn, after what they are named, and their traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures._points import plain, shown
from frontend.figures._template import CATEGORIES, INK, along_scale, worded
from frontend.figures.base import Line, Numbers, Quantity, View
from frontend.formatting import MARKS

SINTERING, MEDIUM, LOADING = "sintering_temperature_c", "quench_medium", "loading_mass_fraction"
FACTORS = {
    SINTERING: Quantity(SINTERING, "Sintering temperature", "°C"),
    MEDIUM: Quantity(MEDIUM, "Quench"),
    LOADING: Quantity(LOADING, "Loading", "1", as_percent=True),
}
FASTEST_FIRST = (
    "liquid_nitrogen", "ice_water", "water", "oil", "metal_plate", "air", "instrument_ramp", "furnace",
    "slow",
)  # fmt: skip
NANOSECONDS = {"ps": 1e-3, "µs": 1e3, "us": 1e3, "ms": 1e6, "s": 1e9}
MOST = 8
FLOOR = 1e-4  # of the maximum
MOST_DOTS = 4000


@dataclass(frozen=True)
class Shown:
    """A decay that is drawn. peak : counts; at : ns of its maximum."""

    lines: Mapping[str, Line]
    level: float | str
    name: str
    color: str
    peak: float
    at: float
    code: str = ""

    @property
    def subject(self) -> int:
        return self.lines["data"].subject


def quantity_of(view: View, factor: str) -> Quantity:
    return view.quantities.get(factor, FACTORS[factor])


def words_of(view: View, factor: str) -> str:
    return plain(quantity_of(view, factor).label).lower()


def level_of(view: View, subject: int, along: str) -> float | str | None:
    value = view.subjects[subject].factors.get(along)
    if isinstance(value, str):
        return value or None
    return None if value is None or not np.isfinite(value) else float(value)


def known_level(view: View, subject: int, along: str) -> float | str:
    level = level_of(view, subject, along)
    assert level is not None
    return level


def ordered(levels: set[float | str]) -> list[float | str]:
    words = {level for level in levels if isinstance(level, str)}
    media: list[float | str] = [word for word in FASTEST_FIRST if word in words]
    numbers: list[float | str] = sorted(level for level in levels if not isinstance(level, str))
    return [*numbers, *media, *sorted(words - set(media))]


def decays_of(view: View, along: str) -> tuple[list[Shown], list[str]]:
    """One decay a sample, the newest; where the level is unknown too, under the sample's code."""
    runs: dict[int, dict[str, Line]] = {}
    for line in view.lines:
        if line.x.size:
            in_ns = replace(line, x=line.x * NANOSECONDS.get(line.x_is.unit.lower(), 1.0))
            runs.setdefault(line.measurement, {})[line.name] = in_ns
    newest: dict[int, dict[str, Line]] = {}
    for measurement in sorted(runs):
        found = runs[measurement]
        if "data" in found and np.any(found["data"].y > 0):
            newest[found["data"].subject] = found
    levels = ordered({level for s in newest if (level := level_of(view, s, along)) is not None})
    known = sorted(
        (s for s in newest if level_of(view, s, along) is not None),
        key=lambda s: levels.index(known_level(view, s, along)),
    )
    unknown = [s for s in newest if level_of(view, s, along) is None]
    chosen, notes = [*known, *unknown], []
    if len(chosen) > MOST:
        places = np.unique(np.linspace(0, len(chosen) - 1, MOST).round().astype(int))
        notes.append(f"{MOST} of {len(chosen)} decays are drawn; narrow the samples to see all.")
        chosen = [chosen[place] for place in places]
    words = along == MEDIUM
    names = _names(view, {s: newest[s]["data"].origin for s in chosen}, along)
    drawn = []
    for place, subject in enumerate(chosen):
        level = level_of(view, subject, along)
        share = place / max(len(chosen) - 1, 1)
        color = CATEGORIES[place % len(CATEGORIES)] if words else along_scale(share)
        data = newest[subject]["data"]
        top = int(np.nanargmax(data.y))
        drawn.append(
            Shown(
                newest[subject],
                level or "",
                names[subject],
                color,
                float(data.y[top]),
                float(data.x[top]),
                view.subjects[subject].code,
            )
        )
    return drawn, notes


def _names(view: View, origins: Mapping[int, str], along: str) -> dict[int, str]:
    """The level of each sample, of those that share one also how it was quenched, else its code; a sample of
    unknown level has its code. What was not measured is marked."""
    found = {}
    levels = {subject: level_of(view, subject, along) for subject in origins}
    for subject, level in levels.items():
        code = view.subjects[subject].code
        same = [other for other, known in levels.items() if known == level]
        name = code if level is None else named(view, level, along)
        if level is not None and len(same) > 1:
            media = [level_of(view, other, MEDIUM) for other in same]
            medium = level_of(view, subject, MEDIUM)
            alone = along != MEDIUM and isinstance(medium, str) and media.count(medium) == 1
            name += f", {str(medium).replace('_', ' ') if alone else code}"
        found[subject] = name if origins[subject] == "measured" else f"{name} {MARKS[origins[subject]]}"
    return found


def named(view: View, level: float | str, along: str) -> str:
    return level.replace("_", " ") if isinstance(level, str) else shown(level, quantity_of(view, along))


def thinning(decays: Sequence[Shown]) -> int:
    """Of how many channels one is drawn as a point: a browser paints thousands, not tens of thousands."""
    points = sum(each.lines["data"].x.size for each in decays)
    return max(1, round(points / MOST_DOTS))


def traces_of(each: Shown, relative: bool, every: int = 1) -> list[dict[str, Any]]:
    """Points of the data, the line of the fit, and the residual in the panel beneath."""
    scale = each.peak if relative else 1.0
    traces: list[dict[str, Any]] = []
    for name in ("data", "fit", "residual"):
        line = each.lines.get(name)
        if line is None:
            continue
        y = line.y if name == "residual" else line.y / scale
        visible = np.isfinite(y) if name == "residual" else y > 0
        trace: dict[str, Any] = {
            "type": "scatter",
            "name": f"{each.name}, {name}",
            "x": typed(line.x[visible] - each.at),
            "y": typed(y[visible]),
            "samples": [each.code],
            "mode": "lines",
            "line": {"color": each.color, "width": 1 if name == "residual" else 1.8},
            "hovertemplate": f"{each.name}, {name}<br>%{{x:.4~g}} ns<br>%{{y:.3~g}}<extra></extra>",
            "showlegend": False,
            "meta": name,
        }
        if name == "data":
            del trace["line"]
            visible &= np.arange(y.size) % every == int(np.nanargmax(y)) % every  # the maximum stays
            trace |= {"x": typed(line.x[visible] - each.at), "y": typed(y[visible])}
            trace |= {"mode": "markers", "marker": {"size": 3, "color": each.color, "opacity": 0.45}}
        if name == "residual":
            trace |= {"yaxis": "y2", "opacity": 0.7}
        traces.append(trace)
    return traces


def response_of(decays: Sequence[Shown], relative: bool) -> list[dict[str, Any]]:
    """Of the first decay that has one; it is as high as the decay."""
    for each in decays:
        line = each.lines.get("irf")
        if line is None:
            continue
        y = line.y / (each.peak if relative else 1.0)
        visible = y > FLOOR * float(y.max())
        return [
            {
                "type": "scatter",
                "mode": "lines",
                "name": "response",
                "x": typed(line.x[visible] - each.at),
                "y": typed(y[visible]),
                "line": {"color": INK, "width": 1.2, "dash": "dot"},
                "hoverinfo": "skip",
                "showlegend": True,
                "meta": "irf",
            }
        ]
    return []


def decades_of(decays: Sequence[Shown], relative: bool) -> list[float]:
    """From below the lowest fit or a count, to above the maximum."""
    if not decays:
        return [-4.0, 0.2]
    scale = [each.peak if relative else 1.0 for each in decays]
    top = max(each.peak / s for each, s in zip(decays, scale, strict=True))
    lows = [
        _lowest(each.lines.get("fit", each.lines["data"]).y) / s
        for each, s in zip(decays, scale, strict=True)
    ]
    low = max(min(lows) * 0.4, top * FLOOR * 0.1)
    return [float(np.log10(low)), float(np.log10(top * 1.6))]


def _lowest(y: Numbers) -> float:
    above = y[y > 0]
    return float(np.percentile(above, 2)) if above.size else 1.0


def names_beside(decays: Sequence[Shown], wide: float) -> list[dict[str, Any]]:
    """Beside the decays, in their order, in their colour."""
    return [
        {
            "x": wide,
            "y": 0.99 - 0.05 * place,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "right",
            "yanchor": "top",
            "text": each.name,
            "showarrow": False,
            "font": {"color": worded(each.color), "size": 12},
        }
        for place, each in enumerate(decays)
    ]

"""Decays on a logarithmic scale with response and residual, and lifetimes against what was varied. D-20."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures._points import plain
from frontend.figures._template import (
    CATEGORIES,
    INK,
    ORIGINS,
    SECOND,
    SYMBOLS,
    along_scale,
    axis,
    error_bars,
    layout,
    legend_mark,
)
from frontend.figures._trpl_decays import (
    FACTORS,
    LOADING,
    MEDIUM,
    SINTERING,
    Shown,
    decades_of,
    decays_of,
    known_level,
    level_of,
    named,
    names_beside,
    ordered,
    quantity_of,
    response_of,
    thinning,
    traces_of,
    words_of,
)
from frontend.figures.base import (
    Column,
    Curves,
    Drawing,
    Drawn,
    Figure,
    Option,
    Quantity,
    Reading,
    View,
)
from frontend.formatting import number
from frontend.formatting import quantity as written

LIFETIMES = {
    "trpl_tau_amp": Quantity("trpl_tau_amp", "Lifetime by amplitude", "ns"),
    "trpl_tau_int": Quantity("trpl_tau_int", "Lifetime by intensity", "ns"),
    "trpl_one_over_e_time": Quantity("trpl_one_over_e_time", "Decay to 1/e", "ns"),
}
FIGURE = Figure(
    title="TRPL: decays and lifetimes",
    takes="view",
    order=30,
    theme="Lifetime",
    help="Counts after the pulse over their maximum, with the fit, the response of the instrument and the "
    "residual in standard deviations beneath; lifetimes beside.",
    reads=tuple(LIFETIMES),
    factors=tuple(FACTORS),
    curves=(Curves("trpl", "trpl", ("data", "fit", "irf", "residual")),),
    options=(
        Option(
            "along",
            "Along",
            ((SINTERING, "sintering temperature"), (MEDIUM, "quench"), (LOADING, "loading")),
        ),
        Option(
            "tau",
            "Lifetime",
            (
                ("trpl_tau_amp", "by amplitude"),
                ("trpl_tau_int", "by intensity"),
                ("trpl_one_over_e_time", "to 1/e"),
            ),
        ),
        Option("scale", "Counts", (("relative", "over the maximum"), ("counts", "as counted"))),
    ),
    height_px=520,
    needs="Upload decays, and the response of the instrument with the role “irf”.",
)


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    along, key = options.get("along", SINTERING), options.get("tau", "trpl_tau_amp")
    relative = options.get("scale", "relative") == "relative"
    readings = [
        r for r in view.values(key) if np.isfinite(r.value) and level_of(view, r.subject, along) is not None
    ]
    decays, notes = decays_of(view, along)
    notes = [*view.missing, *notes]
    without = len(view.values(key)) - len(readings)
    if without:
        are = "1 lifetime is" if without == 1 else f"{number(without)} lifetimes are"
        notes.append(f"{are} left out: {words_of(view, along)} is not recorded.")
    if not decays and not readings:
        return Drawing(empty="No decay of a sample has been fitted yet.", notes=notes)
    levels = ordered({known_level(view, r.subject, along) for r in readings})
    every = thinning(decays)
    if every > 1:
        notes.append(f"Of the counts one channel in {every} is drawn; fits and residuals are whole.")
    data = [trace for each in decays for trace in traces_of(each, relative, every)]
    data += response_of(decays, relative)
    data += _lifetimes(view, readings, along, levels, LIFETIMES[key])
    data += [legend_mark(origin) for origin in ORIGINS if any(r.origin == origin for r in readings)]
    return Drawing(
        data=data,
        layout=_layout(view, decays, along, levels, LIFETIMES[key], relative, bool(readings)),
        table=_table(view, along),
        curves=Drawn("time after the pulse (ns)", _headings(relative)),
        summary=_summary(view, decays, readings, along, LIFETIMES[key]),
        notes=notes,
        filename="trpl",
    )


def _headings(relative: bool) -> dict[str, str]:
    counts = "counts over their maximum" if relative else "counts"
    return {**dict.fromkeys(("data", "fit", "irf"), counts), "residual": "residual (standard deviations)"}


def _places(levels: Sequence[float | str], factor: Quantity) -> dict[float | str, float]:
    words = any(isinstance(level, str) for level in levels)
    return {
        level: float(place) if words or isinstance(level, str) else level * factor.factor
        for place, level in enumerate(levels)
    }


def _lifetimes(
    view: View, readings: Sequence[Reading], along: str, levels: Sequence[float | str], quantity: Quantity
) -> list[dict[str, Any]]:
    if not readings:
        return []
    places = _places(levels, quantity_of(view, along))
    share = {level: place / max(len(levels) - 1, 1) for place, level in enumerate(levels)}
    known = [known_level(view, r.subject, along) for r in readings]
    colors = [
        CATEGORIES[levels.index(level) % len(CATEGORIES)] if along == MEDIUM else along_scale(share[level])
        for level in known
    ]
    sigma = np.array([r.sigma for r in readings])
    unusual = _unusual(view, readings) if along != MEDIUM else [""] * len(readings)
    hover = [
        f"{named(view, level, along)}<br>{plain(quantity.label)} {written(r.value, r.sigma, quantity.unit)}"
        f"<br>{view.subjects[r.subject].code}"
        for level, r in zip(known, readings, strict=True)
    ]
    return [
        {
            "type": "scatter",
            "mode": "markers+text" if any(unusual) else "markers",
            "text": unusual,
            "textposition": "bottom center",
            "textfont": {"size": 11, "color": SECOND},
            "name": plain(quantity.label),
            "x": typed(np.array([places[level] for level in known])),
            "y": typed(np.array([r.value for r in readings])),
            "error_y": error_bars(sigma),
            "marker": {
                "size": 9,
                "color": colors,
                "symbol": [SYMBOLS[r.origin] for r in readings],
                "line": {"width": 1.6, "color": colors},
            },
            "samples": [view.subjects[r.subject].code for r in readings],
            "hovertext": hover,
            "hovertemplate": "%{hovertext}<extra></extra>",
            "xaxis": "x2",
            "yaxis": "y3",
            "showlegend": False,
            "meta": "lifetimes",
        }
    ]


def _unusual(view: View, readings: Sequence[Reading]) -> list[str]:
    """How a sample was quenched, where most were quenched otherwise: two at one temperature need a name."""
    media = [str(level_of(view, r.subject, MEDIUM) or "") for r in readings]
    usual = Counter(filter(None, media)).most_common(1)
    return ["" if not usual or medium in ("", usual[0][0]) else medium.replace("_", " ") for medium in media]


def _layout(
    view: View,
    decays: Sequence[Shown],
    along: str,
    levels: Sequence[float | str],
    quantity: Quantity,
    relative: bool,
    has_lifetimes: bool,
) -> dict[str, Any]:
    if not decays:
        return _lifetimes_alone(view, along, levels, quantity)
    wide = 0.62 if has_lifetimes else 1.0
    residual = any("residual" in each.lines for each in decays)
    x = axis("Time after the maximum (ns)", domain=[0, wide], anchor="y2" if residual else "y")
    title = "Counts over their maximum" if relative else "Counts"
    y = axis(title, type="log", dtick=1, domain=[0.27 if residual else 0.0, 1.0])
    y["range"] = decades_of(decays, relative)
    more: dict[str, Any] = {"annotations": names_beside(decays, wide)}
    if residual:
        zero = {"zeroline": True, "zerolinecolor": INK, "zerolinewidth": 1}
        more["yaxis2"] = axis("Residual (σ)", domain=[0, 0.2], nticks=5) | zero
    if has_lifetimes:
        more["xaxis2"], more["yaxis3"] = _lifetime_axes(view, along, levels, quantity, wide + 0.13)
    return layout(x, y, **more)


def _lifetime_axes(
    view: View, along: str, levels: Sequence[float | str], quantity: Quantity, begin: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    x = axis(quantity_of(view, along).title, domain=[begin, 1.0], anchor="y3", nticks=5)
    if along == MEDIUM:
        words = [str(level).replace("_", " ") for level in levels]
        x |= {"tickvals": list(range(len(words))), "ticktext": words, "range": [-0.6, len(words) - 0.4]}
    return x, axis(quantity.title, anchor="x2", nticks=6, rangemode="tozero")


def _lifetimes_alone(
    view: View, along: str, levels: Sequence[float | str], quantity: Quantity
) -> dict[str, Any]:
    """Of values that were published or entered there are no decays: no empty panel stands for them."""
    x, y = _lifetime_axes(view, along, levels, quantity, 0.0)
    hidden = axis("", visible=False)
    return layout(hidden, hidden, xaxis2=x, yaxis3=y)


def _table(view: View, along: str) -> list[Column]:
    """One row a sample and origin: all three lifetimes. The curves behind them are those of the runs."""
    rows = sorted({(r.subject, r.origin) for key in LIFETIMES for r in view.values(key)})
    quantity = quantity_of(view, along)
    levels = [level_of(view, subject, along) for subject, _ in rows]
    columns = [Column("sample", [view.subjects[subject].code for subject, _ in rows])]
    if along == MEDIUM:
        columns.append(Column(plain(quantity.label), [str(level or "") for level in levels]))
    else:
        numbers = [np.nan if not isinstance(level, float) else level * quantity.factor for level in levels]
        columns.append(Column(plain(quantity.label), np.array(numbers), quantity.shown_unit))
    for key, lifetime in LIFETIMES.items():
        found = {(r.subject, r.origin): r for r in view.values(key)}
        values = np.array([found[row].value if row in found else np.nan for row in rows])
        sigmas = np.array([found[row].sigma if row in found else np.nan for row in rows])
        columns += [Column(lifetime.label, values, lifetime.unit), Column("sigma", sigmas, lifetime.unit)]
    return [*columns, Column("origin", [origin for _, origin in rows])]


def _summary(
    view: View, decays: Sequence[Shown], readings: Sequence[Reading], along: str, quantity: Quantity
) -> str:
    told = []
    if decays:
        fitted = sum("irf" in each.lines for each in decays)
        told.append(
            f"{len(decays)} {'decay' if len(decays) == 1 else 'decays'} on a logarithmic scale, "
            f"{fitted} fitted through the response of the instrument."
        )
    if readings:
        low, high = (choose(readings, key=lambda r: r.value) for choose in (min, max))
        ends = []
        for r in (low, high):
            level = named(view, known_level(view, r.subject, along), along)
            ends.append(f"{written(r.value, r.sigma, quantity.unit)} at {level}")
        told.append(
            f"{quantity.label} of {len(readings)} samples along {words_of(view, along)}: from "
            f"{' to '.join(ends)}."
        )
    return " ".join(told)

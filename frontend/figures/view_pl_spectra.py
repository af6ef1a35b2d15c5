"""PL spectra along a row of the array, and beside them where their maxima go. D-03."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    code_of,
    origin_words,
    origins_of,
    quantity_of,
    row_along,
    smoothed,
    title_of,
    words,
)
from frontend.figures._points import plain, shown
from frontend.figures._template import ACCENT, SYMBOLS, axis, error_bars, layout, named
from frontend.figures.base import Column, Curves, Drawing, Figure, Line, Numbers, Option, Quantity, View
from frontend.figures.spectrum import HC_EV_NM
from frontend.formatting import number
from frontend.formatting import quantity as written

FIGURE = Figure(
    title="PL spectra",
    takes="view",
    order=10,
    help="Emission along sintering temperature or loading; its maximum beside it.",
    reads=("pl_max_position", "pl_max_energy"),
    factors=(SINTERING, LOADING, *MADE),
    curves=(Curves("pl"),),
    options=(
        Option("along", "Along", ((SINTERING, "sintering temperature"), (LOADING, "loading"))),
        Option("unit", "Axis", (("nm", "wavelength"), ("ev", "photon energy"))),
        Option("height", "Height", (("normalised", "each to its maximum"), ("absolute", "as measured"))),
        Option("order", "Curves", (("stacked", "stacked"), ("overlaid", "overlaid"))),
    ),
    height_px=480,
    needs="Upload PL spectra of samples whose sintering temperature and loading are known.",
)
STEP = 0.45  # of the highest curve, between stacked ones
FEWEST_POINTS = 5


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    along = options.get("along", SINTERING)
    in_ev, normalised = options.get("unit") == "ev", options.get("height", "normalised") == "normalised"
    spectra = [line for line in view.curves() if _is_spectrum(line)]
    row = row_along(view, spectra, along)
    notes = [*view.missing, *row.notes]
    if not row.curves:
        if spectra:
            return Drawing(
                empty=f"No spectrum is of a sample with a known {words(quantity_of(view, along))}."
            )
        return Drawing(empty="There are no PL spectra over wavelength yet.", notes=notes)
    if in_ev:
        notes.append(
            "Over photon energy the intensity is multiplied by λ²/hc, so that areas stay what they were."
        )
    drawn = [_shown(curve.line, in_ev, normalised) for curve in row.curves]
    highest = max(float(np.nanmax(y)) for _, y in drawn)
    stacked = options.get("order", "stacked") == "stacked" and len(drawn) > 1
    offsets: Numbers = np.arange(len(drawn), dtype=np.float64) * (STEP * highest if stacked else 0.0)
    peaks, tracked = _peaks(view, row, in_ev)
    data = [_line(view, *three) for three in zip(row.curves, drawn, offsets, strict=True)]
    data += [*peaks, *origins_of([curve.line.origin for curve in row.curves])]
    return Drawing(
        data=data,
        layout=_layout(view, row, drawn, offsets, in_ev, normalised, stacked, bool(peaks)),
        table=_table(view, row, drawn, offsets, in_ev, normalised),
        summary=_summary(view, row, drawn, in_ev, tracked),
        notes=notes,
        filename=f"pl-spectra-by-{'temperature' if along == SINTERING else 'loading'}",
    )


def _is_spectrum(line: Line) -> bool:
    whole = not np.isfinite(line.series) and line.conditions.get("role", "sample") in ("", "sample")
    return whole and line.x_is.unit == "nm" and line.x.size >= FEWEST_POINTS and bool(np.all(line.x > 0))


def _shown(line: Line, in_ev: bool, normalised: bool) -> tuple[Numbers, Numbers]:
    """The curve by ascending x; the background goes before anything is multiplied or divided."""
    order = np.argsort(line.x)
    x, y = line.x[order], line.y[order].astype(np.float64)
    if normalised:
        edge = max(1, x.size // 40)
        y = y - float(np.nanmedian(np.concatenate([y[:edge], y[-edge:]])))
    if in_ev:
        y = y * x**2 / HC_EV_NM
        x, y = (HC_EV_NM / x)[::-1], y[::-1]
    if normalised:
        top = float(np.nanmax(smoothed(y)))
        y = y / top if top > 0 else y
    return x, y


def _line(view: View, curve: Curve, drawn: tuple[Numbers, Numbers], offset: float) -> dict[str, Any]:
    x, y = drawn
    return {
        "type": "scatter",
        "mode": "lines",
        "name": curve.name,
        "x": typed(x),
        "y": typed(y + offset),
        "customdata": typed(y),
        "samples": [code_of(view, curve.line)],
        "line": {"color": curve.color, "width": 1.6},
        "hovertemplate": f"{curve.name}<br>%{{x:.5~g}}, %{{customdata:.4~g}}<extra></extra>",
        "showlegend": False,
        "meta": "spectrum",
    }


def _peaks(
    view: View, row: Row, in_ev: bool
) -> tuple[list[dict[str, Any]], list[tuple[float, float, float]]]:
    """Maxima with their sigmas against the factor: level, value, sigma of those that are known."""
    wanted = view.values("pl_max_energy" if in_ev else "pl_max_position")
    known = {(reading.subject, reading.origin): reading for reading in wanted}
    factor = quantity_of(view, row.along).factor
    tracked = [
        (curve, reading)
        for curve in row.curves
        if (reading := known.get((curve.line.subject, curve.line.origin))) is not None
    ]
    if len(tracked) < 2:
        return [], []
    rows = [(curve.level * factor, reading.value, reading.sigma) for curve, reading in tracked]
    level, value, sigma = (np.array(column) for column in zip(*rows, strict=True))
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": typed(level),
        "y": typed(value),
        "error_y": error_bars(sigma),
        "line": {"color": ACCENT, "width": 1.2},
        "marker": {
            "size": 8,
            "color": [curve.color for curve, _ in tracked],
            "symbol": [SYMBOLS[curve.line.origin] for curve, _ in tracked],
            "line": {"width": 1.6, "color": [curve.color for curve, _ in tracked]},
        },
        "samples": [code_of(view, reading) for _, reading in tracked],
        "hovertext": [
            f"{curve.name}<br>maximum {written(reading.value, reading.sigma, _x_is(in_ev).unit)}"
            f"<br>{code_of(view, reading)}"
            for curve, reading in tracked
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "xaxis": "x2",
        "yaxis": "y2",
        "showlegend": False,
        "meta": "peaks",
    }
    return [trace], rows


def _x_is(in_ev: bool) -> Quantity:
    return Quantity("energy", "Photon energy", "eV") if in_ev else Quantity("wavelength", "Wavelength", "nm")


def _y_is(row: Row, in_ev: bool, normalised: bool) -> Quantity:
    if normalised:
        return Quantity("intensity", "PL, normalised", "1")
    unit = row.curves[0].line.y_is.unit
    per = "" if unit in ("", "1") else unit
    return Quantity("intensity", "PL intensity", f"{per} nm/eV".strip() if in_ev else per or "1")


def _layout(
    view: View,
    row: Row,
    drawn: Sequence[tuple[Numbers, Numbers]],
    offsets: Numbers,
    in_ev: bool,
    normalised: bool,
    stacked: bool,
    with_peaks: bool,
) -> dict[str, Any]:
    wide = 0.64 if with_peaks else 0.93
    y_title = _y_is(row, in_ev, normalised).title + (", each shifted up" if stacked else "")
    x = axis(_x_is(in_ev).title, domain=[0, wide], hoverformat=".5~g")
    y = axis(y_title, showticklabels=not stacked, showgrid=not stacked, rangemode="tozero")
    names = []
    for place, (curve, (x_values, y_values), offset) in enumerate(
        zip(row.curves, drawn, offsets, strict=True)
    ):
        if stacked:
            tail = float(np.nanmedian(y_values[-max(3, y_values.size // 40) :]))
            at = {"x": float(x_values[-1]), "y": tail + offset, "yshift": 7, "xshift": 4}
        else:
            at = {"x": wide, "y": 0.97 - 0.055 * place, "xref": "paper", "yref": "paper", "xshift": 6}
        names.append(named(at.pop("x"), at.pop("y"), curve.name, curve.color, **at))
    more: dict[str, Any] = {"annotations": names, "hovermode": "closest", "dragmode": "zoom"}
    if with_peaks:
        about = quantity_of(view, row.along)
        more["xaxis2"] = axis(about.title, domain=[0.8, 0.97], anchor="y2", nticks=5)
        more["yaxis2"] = axis(f"Maximum ({_x_is(in_ev).unit})", anchor="x2", nticks=6)
    return layout(x, y, **more)


def _table(
    view: View,
    row: Row,
    drawn: Sequence[tuple[Numbers, Numbers]],
    offsets: Numbers,
    in_ev: bool,
    normalised: bool,
) -> list[Column]:
    sizes = [x.size for x, _ in drawn]
    along, other = quantity_of(view, row.along), quantity_of(view, OTHER[row.along])
    codes = [view.subjects[curve.line.subject].code for curve in row.curves]
    fixed = np.nan if row.fixed is None else row.fixed * other.factor
    levels = np.array([curve.level for curve in row.curves]) * along.factor
    x_is, y_is = _x_is(in_ev), _y_is(row, in_ev, normalised)
    return [
        Column("sample", [code for code, size in zip(codes, sizes, strict=True) for _ in range(size)]),
        Column(plain(along.label), np.repeat(levels, sizes), along.shown_unit),
        Column(plain(other.label), np.full(sum(sizes), fixed), other.shown_unit),
        Column(plain(x_is.label), np.concatenate([x for x, _ in drawn]), x_is.shown_unit),
        Column(plain(y_is.label), np.concatenate([y for _, y in drawn]), y_is.shown_unit),
        Column("shifted up by", np.repeat(offsets, sizes), y_is.shown_unit),
        Column(
            "origin",
            [c.line.origin for c, size in zip(row.curves, sizes, strict=True) for _ in range(size)],
        ),
    ]


def _summary(
    view: View,
    row: Row,
    drawn: Sequence[tuple[Numbers, Numbers]],
    in_ev: bool,
    tracked: Sequence[tuple[float, float, float]],
) -> str:
    along, unit = quantity_of(view, row.along), _x_is(in_ev).unit
    first, last = row.curves[0], row.curves[-1]
    sentences = [
        f"{len(row.curves)} PL spectra ({origin_words([curve.line.origin for curve in row.curves])}) from "
        f"{shown(first.level, along)} to {shown(last.level, along)} of {words(along)}{title_of(view, row)}."
    ]
    if tracked:
        sentences.append(
            f"The maximum moves from {number(tracked[0][1], 5)} to {number(tracked[-1][1], 5)} {unit}."
        )
    else:
        tops = [float(x[int(np.nanargmax(y))]) for x, y in drawn]
        sentences.append(f"The highest points run from {number(tops[0], 5)} to {number(tops[-1], 5)} {unit}.")
    return " ".join(sentences)

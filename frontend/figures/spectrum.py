"""A measured curve with fit and components, the residual beneath on the same axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from frontend.figures._arrays import extremes, typed
from frontend.figures._points import plain
from frontend.figures._template import ACCENT, CATEGORIES, INK, LINE, SECOND, axis, layout
from frontend.figures.base import Column, Drawing, Figure, Numbers, Quantity, Spectrum, Trace
from frontend.formatting import number

FIGURE = Figure(title="Spectrum", takes="spectrum", help="Data, fit, components and residual.")
MOST_POINTS = 4000  # a screen has fewer columns than that
HC_EV_NM = 1239.841984332  # h·c in eV nm, exact in the SI of 2019; wavelengths taken as in vacuum
FEW_DECADES = 2  # on fewer, powers of ten alone are too few ticks: 2 and 5 stand between them
COMPONENTS = (CATEGORIES[4], CATEGORIES[5], CATEGORIES[2], CATEGORIES[6])


def draw(spectrum: Spectrum, options: Mapping[str, str]) -> Drawing:
    """options: `unit` "ev" for photon energy, `scale` "log" for a logarithmic signal."""
    notes: list[str] = []
    if not any(trace.x.size for trace in spectrum.traces):
        return Drawing(empty="The file holds no points.")
    if options.get("unit") == "ev" and can_be_energy(spectrum):
        spectrum = in_energy(spectrum)
        notes.append(
            "Energy axis: E = hc/λ, and the signal is multiplied by λ²/hc, so that areas stay what they were."
        )
    logarithmic = options.get("scale") == "log"
    if logarithmic:
        notes += _below_zero(spectrum)
    has_residual = any(trace.role == "residual" for trace in spectrum.traces)
    data = [
        drawn
        for number_of, trace in enumerate(spectrum.traces)
        if not (logarithmic and trace.role == "component" and not (trace.y > 0).any())
        for drawn in _lines(trace, number_of, logarithmic)
    ]
    return Drawing(
        data=data,
        layout=_layout(spectrum, logarithmic, has_residual),
        table=table(spectrum),
        summary=_summary(spectrum),
        notes=notes + _thinned(spectrum),
        filename="spectrum",
    )


def can_be_energy(spectrum: Spectrum) -> bool:
    return spectrum.x_is.unit == "nm" and all((trace.x > 0).all() for trace in spectrum.traces)


def in_energy(spectrum: Spectrum) -> Spectrum:
    """The spectrum over photon energy in eV, signals per eV instead of per nm.

    I(E) = I(λ) |dλ/dE| = I(λ) λ²/hc. Residuals and errors, being differences of signals, scale alike.
    J. Mooney, P. Kambhampati, J. Phys. Chem. Lett. 4 (2013) 3316.
    """

    def turned(trace: Trace) -> Trace:
        jacobian = trace.x**2 / HC_EV_NM
        order = np.argsort(HC_EV_NM / trace.x)
        errors = None if trace.errors is None else (trace.errors * jacobian)[order]
        return replace(trace, x=(HC_EV_NM / trace.x)[order], y=(trace.y * jacobian)[order], errors=errors)

    unit = "" if spectrum.y_is.unit == "1" else spectrum.y_is.unit
    return Spectrum(
        Quantity("energy", "Photon energy", "eV"),
        replace(spectrum.y_is, unit=f"{unit} nm eV⁻¹".strip()),
        [turned(trace) for trace in spectrum.traces],
        spectrum.of_points,
    )


def _below_zero(spectrum: Spectrum) -> list[str]:
    hidden = sum(int((trace.y <= 0).sum()) for trace in spectrum.traces if trace.role == "data")
    if not hidden:
        return []
    are = "1 point at or below zero has" if hidden == 1 else f"{number(hidden)} points at or below zero have"
    return [f"{are} no place on a logarithmic axis."]


def _decades(spectrum: Spectrum) -> list[float] | None:
    """From what nearly all data lie above to over the highest; background that was subtracted leaves some
    points arbitrarily near zero."""
    signals = [trace.y[trace.y > 0] for trace in spectrum.traces if trace.role != "residual"]
    data = [trace.y[trace.y > 0] for trace in spectrum.traces if trace.role == "data"]
    positive = np.concatenate([np.empty(0), *data])
    if not positive.size:
        return None
    top = max(float(y.max()) for y in signals if y.size)
    return [float(np.log10(0.5 * np.percentile(positive, 5))), float(np.log10(1.6 * top))]


def _thinned(spectrum: Spectrum) -> list[str]:
    longest = max(spectrum.of_points, *(trace.x.size for trace in spectrum.traces))
    if longest <= MOST_POINTS:
        return []
    return [
        f"{number(longest)} points are drawn as the extremes of {MOST_POINTS // 2} stretches; "
        "the raw file and the CSV of the dataset hold them all."
    ]


def _lines(trace: Trace, number_of: int, logarithmic: bool) -> list[dict[str, Any]]:
    keep = extremes(trace.y, MOST_POINTS)
    y, gaps = trace.y[keep], False
    if logarithmic and trace.role != "residual" and (gaps := bool((y <= 0).any())):
        y = np.where(y > 0, y, np.nan)  # a line would fall to the foot of the figure there, and back
    line: dict[str, Any] = {
        "type": "scatter",
        "name": trace.name,
        "x": typed(trace.x[keep]),
        "y": typed(y),
        "mode": "lines",
        "hovertemplate": "%{y:.5~g}",
        "meta": trace.role,
    }
    if trace.role == "data":
        if keep.size <= 700 or gaps:
            size = 4 if keep.size <= 700 else 2.5
            line |= {"mode": "markers", "marker": {"size": size, "color": SECOND, "opacity": 0.75}}
        else:
            line |= {"line": {"color": SECOND, "width": 1}}
        if trace.errors is not None:
            line["error_y"] = {
                "type": "data", "array": typed(trace.errors[keep]), "color": LINE, "thickness": 1, "width": 0
            }  # fmt: skip
    elif trace.role == "fit":
        line["line"] = {"color": ACCENT, "width": 2}
    elif trace.role == "component":
        color = COMPONENTS[number_of % len(COMPONENTS)]
        line |= {"line": {"color": color, "width": 1.5, "dash": ("dash", "dot", "dashdot")[number_of % 3]}}
    elif trace.role == "residual":
        line |= {"yaxis": "y2", "line": {"color": SECOND, "width": 1}, "showlegend": False}
    return [line]


def _layout(spectrum: Spectrum, logarithmic: bool, has_residual: bool) -> dict[str, Any]:
    spikes = {
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "cursor",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": SECOND,
    }
    x = axis(spectrum.x_is.title, **spikes, hoverformat=".5~g")
    y = axis(spectrum.y_is.title, **spikes, hoverformat=".4~g", type="log" if logarithmic else "linear")
    if logarithmic:
        y |= {"dtick": 1}
        if (decades := _decades(spectrum)) is not None:
            few = decades[1] - decades[0] < FEW_DECADES
            y |= {"range": decades, "dtick": "D2" if few else 1}
    more: dict[str, Any] = {"hovermode": "x unified", "dragmode": "zoom"}
    if has_residual:
        y["domain"] = [0.27, 1.0]
        x["anchor"] = "y2"
        zero = {"zeroline": True, "zerolinecolor": INK, "zerolinewidth": 1}
        more["yaxis2"] = axis("Residual", domain=[0.0, 0.2], nticks=5, **spikes) | zero
        more["hoversubplots"] = "axis"
    return layout(x, y, **more)


def table(spectrum: Spectrum) -> list[Column]:
    """All traces beside each other when they share one axis; otherwise each with its own."""
    first = next(trace for trace in spectrum.traces if trace.x.size)
    columns = [Column(plain(spectrum.x_is.label), first.x, spectrum.x_is.shown_unit)]
    for trace in spectrum.traces:
        if trace.x.size != first.x.size or not np.array_equal(trace.x, first.x):
            columns.append(
                Column(f"{plain(spectrum.x_is.label)} of {trace.name}", trace.x, spectrum.x_is.shown_unit)
            )
        columns.append(Column(trace.name, trace.y, spectrum.y_is.shown_unit))
        if trace.errors is not None:
            columns.append(Column(f"sigma of {trace.name}", trace.errors, spectrum.y_is.shown_unit))
    return columns


def _summary(spectrum: Spectrum) -> str:
    data: Sequence[Trace] = [trace for trace in spectrum.traces if trace.role == "data"]
    others = [trace.name for trace in spectrum.traces if trace.role != "data"]
    sentences = []
    for trace in data:
        if not np.isfinite(trace.y).any():
            continue
        top = int(np.nanargmax(trace.y))
        sentences.append(
            f"{trace.name}: {number(trace.x.size)} points from {number(_low(trace.x), 5)} to "
            f"{number(_high(trace.x), 5)} {spectrum.x_is.shown_unit}, "
            f"highest {number(float(trace.y[top]), 5)} {spectrum.y_is.shown_unit} "
            f"at {number(float(trace.x[top]), 5)} {spectrum.x_is.shown_unit}."
        )
    if others:
        sentences.append(f"Drawn with it: {', '.join(others)}.")
    return " ".join(sentences)


def _low(values: Numbers) -> float:
    return float(np.nanmin(values))


def _high(values: Numbers) -> float:
    return float(np.nanmax(values))

"""Emission under light: a map over wavelength and time, what is left, and where the peak went. D-16."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontend.figures._photostability_traces import (
    Trace,
    beginning,
    from_zero,
    guide,
    heat,
    retention_of,
    shift_of,
)
from frontend.figures._template import CATEGORIES, ORIGINS, axis, layout, legend_mark
from frontend.figures.base import Column, Curves, Drawing, Figure, Line, Numbers, Option, View
from frontend.formatting import number

MEDIA = {"light": "light", "water": "water", "air": "air", "sonication": "ultrasound", "other": "else"}
FIGURE = Figure(
    title="Photostability",
    takes="view",
    order=60,
    theme="Stability",
    help="The map is of one series, over its first maximum; beneath it, for every series, the intensity over "
    "its beginning with the fitted curve, and how far the peak moved.",
    curves=(
        Curves("pl", "photostability", ("data", "retention", "retention fit", "wavelength")),
        Curves("pl", "photostability_trace", ("retention", "retention fit")),
    ),
    options=(
        Option("medium", "Under", tuple(MEDIA.items())),
        Option("along", "Along", (("time", "time"), ("dose", "light dose"))),
    ),
    height_px=620,
    needs="Upload PL spectra against time with the irradiance of the light.",
)
HOURS = {
    "ms": 1 / 3.6e6, "s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0, "day": 24.0, "days": 24.0,
}  # fmt: skip
JOULE_PER_MILLIWATT_HOUR = 3.6
MOST_SERIES = 8
ROWS = {True: ([0.58, 1.0], [0.29, 0.51], [0.0, 0.21]), False: (None, [0.54, 1.0], [0.0, 0.42])}


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    dose, medium = options.get("along", "time") == "dose", options.get("medium", "light")
    traces, notes = _traces(view, medium, dose)
    notes = [*view.missing, *notes]
    if not traces:
        others = {MEDIA[m] for m in MEDIA if m != medium and any(_medium(line) == m for line in view.lines)}
        where = f" There are some under: {', '.join(sorted(others))}." if others else ""
        said = f"No series of PL over time under {MEDIA[medium]} has been analysed yet.{where}"
        return Drawing(empty=said, notes=notes)
    shown = _map_of(view, traces)
    if shown is None:
        notes.append("There is no map: only intensities were measured, or the spectra cannot be shown.")
    data: list[dict[str, Any]] = []
    if shown is not None:
        trace, hours, x, z = shown
        data.append(heat(trace, hours, x, z))
        notes.append("The table and the CSV hold the series; the map is on the page of its measurement.")
        if len(traces) > 1:
            notes.append(f"The map is of {trace.code}.")
    for trace in traces:
        data += retention_of(trace)
        data += shift_of(trace)
    data.append(guide(traces))
    data += [legend_mark(origin) for origin in ORIGINS if any(t.origin == origin for t in traces)]
    return Drawing(
        data=data,
        layout=_layout(traces, dose, shown is not None),
        table=_table(traces),
        summary=_summary(traces),
        notes=notes,
        filename="photostability",
    )


def _medium(line: Line) -> str:
    """What a series had to endure: the method writes it behind the name of what it draws."""
    return line.y_is.label.rpartition(", ")[2] if line.name == "retention" else ""


def _traces(view: View, medium: str, dose: bool) -> tuple[list[Trace], list[str]]:
    found: dict[int, dict[str, Line]] = {}
    for line in view.lines:
        if line.name in ("retention", "retention fit", "wavelength") and line.x.size:
            found.setdefault(line.measurement, {})[line.name] = line
    traces: list[Trace] = []
    dark, notes = 0, []
    for measurement, lines in sorted(found.items()):
        retention = lines.get("retention")
        if retention is None or _medium(retention) != medium:
            continue
        told = retention.conditions.get("irradiance")
        irradiance = float(told) if isinstance(told, int | float) and told > 0 else float("nan")
        if dose and not np.isfinite(irradiance):
            dark += 1
            continue
        traces.append(
            Trace(
                view.subjects[retention.subject].code,
                _name(view, retention),
                measurement,
                retention.origin,
                CATEGORIES[len(traces) % len(CATEGORIES)],
                irradiance,
                irradiance * JOULE_PER_MILLIWATT_HOUR if dose else 1.0,
                retention,
                lines.get("retention fit"),
                lines.get("wavelength"),
            )
        )
    if dark:
        are = "1 series is" if dark == 1 else f"{dark} series are"
        notes.append(f"{are} left out: the irradiance is not recorded.")
    if len(traces) > MOST_SERIES:
        notes.append(f"The newest {MOST_SERIES} of {len(traces)} series are drawn; narrow the filters.")
        traces = traces[-MOST_SERIES:]
    return traces, notes


def _name(view: View, line: Line) -> str:
    """The sample, and what it lay in where that is not the medium asked for."""
    code, solvent = view.subjects[line.subject].code, line.conditions.get("solvent")
    return f"{code} in {solvent}" if _medium(line) == "other" and isinstance(solvent, str) else code


def _map_of(view: View, traces: Sequence[Trace]) -> tuple[Trace, Numbers, Numbers, Numbers] | None:
    """The series with the most spectra: hours from its beginning, nm, (nm, hours) over the first maximum."""
    best: tuple[Trace, list[Line]] | None = None
    for trace in traces:
        frames = [
            line
            for line in view.curves()
            if line.measurement == trace.measurement
            and line.series_is
            and line.series_is.unit in HOURS
            and line.conditions.get("role", "sample") in ("", "sample")  # and not the lamp's monitor
        ]
        frames = [line for line in frames if np.isfinite(line.series)]
        if len(frames) > 1 and (best is None or len(frames) > len(best[1])):
            best = trace, sorted(frames, key=lambda line: line.series)
    if best is None:
        return None
    trace, frames = best
    x = frames[0].x
    frames = [line for line in frames if line.x.size == x.size]
    unit = HOURS[frames[0].series_is.unit] if frames[0].series_is else 1.0
    hours = np.array([line.series for line in frames]) * unit
    top = float(np.nanmax(frames[0].y))
    if not top > 0:
        return None
    return trace, hours - hours[0], x, np.stack([line.y for line in frames], axis=1) / top


def _layout(traces: Sequence[Trace], dose: bool, mapped: bool) -> dict[str, Any]:
    above, middle, below = ROWS[mapped]
    title = "Light dose (J cm⁻²)" if dose else "Time (h)"
    end = max(trace.lasted_h * trace.per_hour for trace in traces)
    moved = any(trace.wavelength is not None for trace in traces)
    x = axis(title, anchor="y3" if moved else "y2", range=[-0.01 * end, 1.01 * end])
    if not moved:
        middle = [0.0, 0.51] if mapped else [0.0, 1.0]
    more: dict[str, Any] = {
        "yaxis2": axis("Retained (%)", domain=middle, anchor="x", **from_zero(traces)),
    }
    if moved:
        more["yaxis3"] = axis("Shift (nm)", domain=below, anchor="x", zeroline=True, nticks=5)
    if mapped:  # a clock of its own where other series last longer
        alone = {"matches": "x", "showticklabels": False} if len(traces) == 1 else {}
        more["xaxis2"] = axis("", anchor="y", **alone)
    y = axis("Wavelength (nm)", domain=above, anchor="x2") if mapped else axis("", visible=False)
    return layout(x, y, **more)


def _table(traces: Sequence[Trace]) -> list[Column]:
    """Long form: a row for each point of each series."""
    code, name, measurement, hours, left, fitted, peak, joule = [], [], [], [], [], [], [], []
    for trace in traces:
        line = trace.retention
        code += [trace.sample] * line.x.size
        name += [trace.code] * line.x.size
        measurement += [trace.measurement] * line.x.size
        hours.append(line.x)
        left.append(100 * line.y)
        fitted.append(_at(trace.fit, line.x, 100.0))
        peak.append(_at(trace.wavelength, line.x))
        joule.append(line.x * trace.irradiance * JOULE_PER_MILLIWATT_HOUR)
    return [
        Column("sample", code),
        Column("series", name),
        Column("measurement", np.array(measurement, dtype=np.float64)),
        Column("time", np.concatenate(hours), "h"),
        Column("light dose", np.concatenate(joule), "J cm⁻²"),
        Column("retained", np.concatenate(left), "%"),
        Column("retained, fit", np.concatenate(fitted), "%"),
        Column("PL peak centre", np.concatenate(peak), "nm"),
    ]


def _at(line: Line | None, x: Numbers, factor: float = 1.0) -> Numbers:
    """The values of a curve where it has a point; NaN elsewhere, for nothing is invented between points."""
    found = np.full(x.size, np.nan)
    if line is not None:
        place = np.searchsorted(line.x, x)
        inside = place < line.x.size
        same = np.zeros(x.size, dtype=bool)
        same[inside] = line.x[place[inside]] == x[inside]
        found[same] = factor * line.y[place[same]]
    return found


def _summary(traces: Sequence[Trace]) -> str:
    told = []
    for trace in traces:
        sentence = f"{trace.code}: {number(100 * trace.left, 3)} % left after {number(trace.lasted_h, 4)} h"
        if np.isfinite(trace.irradiance):
            joule = trace.lasted_h * trace.irradiance * JOULE_PER_MILLIWATT_HOUR
            sentence += f" and {number(joule, 3)} J cm⁻²"
        if trace.wavelength is not None:
            last_few = trace.wavelength.y[-max(3, trace.wavelength.y.size // 20) :]
            moved = float(np.median(last_few)) - beginning(trace.wavelength)
            sentence += f", peak moved by {number(moved, 2)} nm"
        told.append(sentence + ".")
    return " ".join([f"{len(traces)} series of PL over time.", *told])

"""Between the rooms and the figures: what a figure draws, and how it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from analysis import explore
from analysis.api.explore import answer
from analysis.curves import load_curves
from analysis.models import Artifact, Run, Value
from frontend import formatting
from frontend.figures import Drawing, Map, Points, Quantity, Repeated, Spectrum, Trace, typed
from frontend.question import for_interface
from measurements import models as measured
from measurements.overview import Overview, overview, unpacked
from measurements.services import load
from measurements.techniques import Technique

CODE = "CODE"  # stands for a sample's code in the address that a click opens
# the raw data are drawn from the file itself, and so is absorbance; an offset is part of the fit
NOT_DRAWN = {"data", "absorbance", "offset"}


def points_for(user: Any, query: QueryDict) -> Points:
    """Raises rest_framework's ValidationError with a sentence."""
    found = answer(user, for_interface(query))
    count = len(found)
    sources = _sources(user, found.y_axis) if "published" in found.origin else {}
    return Points(
        x=_column(found.x),
        y=np.asarray(found.y, dtype=np.float64),
        sigma=np.full(count, np.nan) if found.y_sigma is None else found.y_sigma,
        color=None if found.color is None else _column(found.color),
        code=found.code,
        notation=found.notation,
        origin=found.origin,
        comparator=found.comparator,
        source=[
            sources.get(code, "") if origin == "published" else ""
            for code, origin in zip(found.code, found.origin, strict=True)
        ],
        x_is=_quantity(found.x_axis),
        y_is=_quantity(found.y_axis),
        color_is=None if found.color_axis is None else _quantity(found.color_axis),
    )


def _column(column: Any) -> Any:
    return column if isinstance(column, np.ndarray) else np.array(column, dtype=object)


def _quantity(axis: explore.Axis) -> Quantity:
    return Quantity(axis.key, axis.label, axis.unit or "1", axis.as_percent)


def _sources(user: Any, axis: explore.Axis) -> dict[str, str]:
    """sample code → where its published value stands: DOI and place."""
    rows = Value.objects.visible_to(user).filter(
        origin=Value.Origin.PUBLISHED, property=axis.property, component=axis.component, current=True
    )
    return {
        code: ", ".join(part for part in (f"doi:{doi}" if doi else key, place) if part)
        for code, key, doi, place in rows.values_list(
            "sample__code", "publication__key", "publication__doi", "place"
        )
    }


def usual_scale(technique: str) -> str:
    """What a curve of a technique is drawn on unasked: "log" for decays, and for spectra of a sphere, where
    the laser is a thousand times the emission; else "" for linear."""
    return "log" if technique in (str(Technique.TRPL), str(Technique.PLQY)) else ""


def figure_of(dataset: measured.Dataset, run: Run | None) -> Spectrum | Map:
    """What a page draws of a dataset: a curve with the curves of a run, or a map.

    Large ones come from the overview that was kept when they were read, without opening their file.
    """
    if dataset.overview is not None:
        shown = unpacked(dataset.overview)
    else:
        arrays = load(dataset)
        if len(arrays.axes) == 1:
            x, signal = arrays.axes[0].values, arrays.signal
            return _spectrum(dataset, [Trace("data", x, signal.values, "data", signal.errors)], run)
        made = overview(arrays)
        if made is None:
            return _spectrum(dataset, [], run)
        shown = made
    if len(shown.axes) == 1:
        return _spectrum(dataset, [Trace("data", shown.coordinates[0], shown.values)], run)
    return _map(dataset, shown)


def _spectrum(dataset: measured.Dataset, traces: list[Trace], run: Run | None) -> Spectrum:
    axis = dataset.axes[0]
    if run is not None:
        traces = traces + _curves(run, axis["unit"])
    return Spectrum(_named(axis), _signal(dataset), traces, of_points=dataset.shape[0])


def compared(dataset: measured.Dataset, old: Run, new: Run) -> Spectrum | Map:
    """The data with the fits of two runs; the newer as one draws it, the older as a broken line beneath."""
    shown = figure_of(dataset, new)
    if isinstance(shown, Map):
        return shown
    unit = dataset.axes[0]["unit"]
    newer, older = _curves(new, unit), _curves(old, unit)
    has_fits = any(trace.role == "fit" for trace in newer + older)
    kept = ("fit",) if has_fits else ("component",)
    before = [
        replace(trace, name=f"{trace.name} of run {old.pk}", role="component")
        for trace in older
        if trace.role in kept
    ]
    after = [
        replace(trace, name=f"{trace.name} of run {new.pk}")
        for trace in newer
        if trace.role in (*kept, "residual")
    ]
    data = [trace for trace in shown.traces if trace.role == "data"]
    return replace(shown, traces=[*data, *before, *after])


def _map(dataset: measured.Dataset, shown: Overview) -> Map:
    rows, columns = shown.axes
    notes = []
    if shown.values.shape != (dataset.shape[rows], dataset.shape[columns]):
        notes.append(
            f"{dataset.shape[rows]} × {dataset.shape[columns]} values are averaged to "
            f"{shown.values.shape[0]} × {shown.values.shape[1]} blocks; the NeXus file holds them all."
        )
    others = [axis for place, axis in enumerate(dataset.axes) if place not in shown.axes]
    if others:
        notes.append(f"Averaged over {' and '.join(str(axis['name']) for axis in others)}.")
    return Map(
        _named(dataset.axes[columns]),
        _named(dataset.axes[rows]),
        _signal(dataset),
        shown.coordinates[1],
        shown.coordinates[0],
        shown.values,
        notes,
    )


def _named(axis: Mapping[str, Any]) -> Quantity:
    return Quantity(axis["name"], formatting.sentence_case(axis["name"]), axis["unit"])


def _signal(dataset: measured.Dataset) -> Quantity:
    return Quantity(
        dataset.signal_name, formatting.sentence_case(dataset.signal_name), dataset.signal_unit or "1"
    )


def _curves(run: Run, x_unit: str) -> list[Trace]:
    artifact = Artifact.objects.select_related("blob").filter(run=run).first()
    if artifact is None:
        return []
    drawn = []
    for curve in load_curves(artifact):
        if curve.name in NOT_DRAWN or curve.x_unit not in ("", x_unit):
            continue
        role = curve.name if curve.name in ("fit", "residual") else "component"
        drawn.append(Trace(curve.name, np.asarray(curve.x), np.asarray(curve.y), role))
    order = {"component": 0, "fit": 1, "residual": 2}
    return sorted(drawn, key=lambda trace: order[trace.role])


def curves_over_values(run: Run, quantity: str) -> Spectrum | None:
    """What a run over values left of one quantity: its values, the line or centre, and limits. What follows
    the first word of a curve's name says which; those of one quantity share the name of their y."""
    artifact = Artifact.objects.select_related("blob").filter(run=run).first()
    curves = load_curves(artifact) if artifact else []
    chosen = [curve for curve in curves if curve.y_name == (quantity or curves[0].y_name)]
    if not chosen:
        return None
    roles = {"values": "data", "line": "fit", "centre": "fit"}
    traces = []
    for curve in chosen:
        name = curve.name.partition(" ")[2]
        role = roles.get(name, "component")
        traces.append(Trace(name, np.asarray(curve.x), np.asarray(curve.y), role))
    first = chosen[0]
    return Spectrum(
        Quantity(first.x_name, formatting.sentence_case(first.x_name), first.x_unit or "1"),
        Quantity(first.y_name, first.y_name, first.y_unit or "1"),
        traces,
    )


def sent(
    request: HttpRequest, drawing: Drawing, *, api: str, more: Mapping[str, Any] | None = None
) -> HttpResponse:
    """A drawing as the chart script takes it. `api` is the address that gives the numbers to a script."""
    address = request.build_absolute_uri(api)
    body = {
        "data": drawing.data,
        "layout": drawing.layout,
        "table": [
            {
                "name": column.name,
                "unit": column.unit,
                "values": _travelling(column.values),
            }
            for column in drawing.table
        ],
        "curves": drawing.curves,
        "summary": drawing.summary,
        "notes": list(drawing.notes),
        "empty": drawing.empty,
        "filename": drawing.filename,
        "call": f"curl -H 'Authorization: Token …' '{address}'",
        "open": reverse("sample", args=[CODE]),
        **(more or {}),
    }
    content = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)  # a figure may leave a np.float64
    response = HttpResponse(content, content_type="application/json")
    response["Cache-Control"] = "private, no-cache"
    return response


def _travelling(values: Any) -> Any:
    """A column as the chart script unpacks it."""
    if isinstance(values, Repeated):
        if values.drawn:
            return {"drawn": values.drawn}
        once = typed(values.values.astype(np.float32) if values.each == values.times == 1 else values.values)
        return {"repeat": once, "each": values.each, "times": values.times}
    return typed(values) if isinstance(values, np.ndarray) else list(values)


def refused(message: str, status: int = 400) -> HttpResponse:
    return HttpResponse(
        orjson.dumps({"error": {"message": message}}), content_type="application/json", status=status
    )


def sentence(error: ValidationError) -> str:
    """What is wrong with a question, for a person."""
    detail = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    return " ".join(
        str(text) for texts in detail.values() for text in (texts if isinstance(texts, list) else [texts])
    )

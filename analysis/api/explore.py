"""Explore over REST: JSON with Plotly's typed arrays, raw binary columns, or CSV."""

from __future__ import annotations

import base64
import csv
import io
import struct
from typing import Any, ClassVar

import numpy as np
import orjson
from django.http import HttpResponse, QueryDict
from django.utils.dateparse import parse_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import explore
from analysis.explore.axes import FACTORS
from analysis.models import Value

JSON, BINARY, CSV = "application/json", "application/octet-stream", "text/csv"


class BinaryRenderer(BaseRenderer):
    media_type, format = BINARY, "bin"


class CsvRenderer(BaseRenderer):
    media_type, format = CSV, "csv"


class ExploreView(APIView):
    """Any process factor or property against any other: one row per sample and origin.

    `application/json`: columns are `{dtype, bdata}` as Plotly takes them.
    `application/octet-stream`: uint32 length of a JSON header, the header, then little-endian columns.
    `text/csv`: the same rows in words.
    """

    renderer_classes: ClassVar = [JSONRenderer, BinaryRenderer, CsvRenderer]

    @extend_schema(
        operation_id="explore",
        parameters=[
            OpenApiParameter("x", str, required=True, description="Factor or property[:component]"),
            OpenApiParameter("y", str, required=True, description="Factor or property[:component]"),
            OpenApiParameter("color", str, description="Factor or property[:component]"),
            OpenApiParameter("project", str, many=True, description="Project slug"),
            OpenApiParameter("state", str, many=True),
            OpenApiParameter("origin", str, many=True, enum=Value.Origin.values),
            OpenApiParameter("made_from", OpenApiTypes.DATE),
            OpenApiParameter("made_until", OpenApiTypes.DATE),
        ],
        responses={(200, JSON): OpenApiTypes.OBJECT, (200, BINARY): OpenApiTypes.BINARY, (200, CSV): str},
    )
    def get(self, request: Request) -> HttpResponse:
        media_type = request.accepted_renderer.media_type
        found = answer(request.user, request.query_params, labels=media_type == CSV)
        writer = {BINARY: as_binary, CSV: as_csv}.get(media_type, as_json)
        response = HttpResponse(writer(found), content_type=media_type)
        if media_type == CSV:
            response["Content-Disposition"] = 'attachment; filename="explore.csv"'
        return response

    def handle_exception(self, exc: Exception) -> Response:
        """An error is a sentence in JSON, whatever columns were asked for."""
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSON
        return super().handle_exception(exc)


def answer(user: Any, query: QueryDict, *, labels: bool = True) -> explore.Columns:
    """The columns that a query string asks for; the pages use it too: a page's URL is its question."""
    missing = [name for name in ("x", "y") if not query.get(name)]
    if missing:
        raise ValidationError({missing[0]: "Name a factor or property; GET /api/v1/properties/ lists them."})
    try:
        return explore.columns(
            user,
            x=query["x"],
            y=query["y"],
            color=query.get("color") or None,
            filters=filters_in(query),
            labels=labels,
        )
    except explore.ExploreError as error:
        raise ValidationError({error.field: str(error)}) from None


def filters_in(query: QueryDict) -> explore.Filters:
    """`?project=&state=&origin=&<named factor>=&<factor>__gte=&<factor>__lte=&made_from=&made_until=`"""
    texts = {key: query.getlist(key) for key in query if key in FACTORS}
    bounds: dict[str, dict[str, float]] = {"gte": {}, "lte": {}}
    for key in query:
        factor, _, comparison = key.partition("__")
        if comparison in bounds and query[key] != "":
            bounds[comparison][factor] = _number(key, query[key])
    return explore.Filters(
        projects=query.getlist("project"),
        states=query.getlist("state"),
        origins=query.getlist("origin"),
        texts={key: [text for text in wanted if text] for key, wanted in texts.items() if any(wanted)},
        at_least=bounds["gte"],
        at_most=bounds["lte"],
        made_from=_day("made_from", query.get("made_from", "")),
        made_until=_day("made_until", query.get("made_until", "")),
    )


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise ValidationError({name: f"“{text[:40]}” is not a number; write it like 275 or 0.25."})
    return number


def _day(name: str, text: str) -> Any:
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise ValidationError({name: f"“{text[:40]}” is not a date; write it like 2026-11-20."})
    return day


def _columns(found: explore.Columns) -> dict[str, Any]:
    columns: dict[str, Any] = {"x": found.x, "y": found.y}
    if found.color is not None:
        columns["color"] = found.color
    if found.x_sigma is not None:
        columns["x_sigma"] = found.x_sigma
    if found.y_sigma is not None:
        columns["y_sigma"] = found.y_sigma
    return columns | {
        "replicates": found.replicates,
        "sample": found.code,
        "origin": found.origin,
        "comparator": found.comparator,
    }


def _axes(found: explore.Columns) -> dict[str, Any]:
    axes = {"x": found.x_axis, "y": found.y_axis, "color": found.color_axis}
    return {name: vars(axis) for name, axis in axes.items() if axis is not None}


def as_json(found: explore.Columns) -> bytes:
    columns = {
        name: {"dtype": "f8", "bdata": base64.b64encode(column.astype("<f8").tobytes()).decode()}
        if isinstance(column, np.ndarray)
        else column
        for name, column in _columns(found).items()
    }
    return orjson.dumps({"count": len(found), "axes": _axes(found), "columns": columns})


def as_binary(found: explore.Columns) -> bytes:
    columns = _columns(found)
    numbers = {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}
    header = orjson.dumps(
        {
            "count": len(found),
            "axes": _axes(found),
            "numbers": [{"name": name, "dtype": "<f8"} for name in numbers],
            "texts": {name: column for name, column in columns.items() if name not in numbers},
        }
    )
    # Spaces bring the columns to a multiple of eight bytes, so that a script may map them in place.
    header += b" " * (-(len(header) + 4) % 8)
    return b"".join(
        [struct.pack("<I", len(header)), header, *(c.astype("<f8").tobytes() for c in numbers.values())]
    )


def as_csv(found: explore.Columns) -> str:
    columns = _columns(found) | {"notation": found.notation}
    units = {name: axis["unit"] for name, axis in _axes(found).items() if axis["unit"]}
    titles = [f"{name} ({units[name]})" if name in units else name for name in columns]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(titles)
    writer.writerows([_cell(value) for value in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Unknown is empty; a text that a spreadsheet would execute is made a text again."""
    if isinstance(value, float):
        return "" if np.isnan(value) else repr(float(value))
    if value in Value.Comparator.values:
        return value  # our own word, and no formula
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value

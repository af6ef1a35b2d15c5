"""Arrays and original bytes. Permission is that of the measurement they belong to."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import orjson
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from measurements import data, exports, services
from measurements.api.errors import as_http
from measurements.models import Dataset, RawFile
from measurements.serializers import ArraysSerializer
from measurements.store import store

KINDS = ("json", "csv", "jcamp", "nexus")
MOST_AS_TEXT = 2_000_000  # values; beyond, an answer would fill the memory of the web process
# What lets a name look like another in a save dialogue: controls, path separators, marks that turn text.
UNSAFE_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class DatasetViewSet(viewsets.GenericViewSet):
    queryset = Dataset.objects.none()
    serializer_class = ArraysSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = ()
    pagination_class = None

    def get_queryset(self) -> QuerySet[Dataset]:
        return Dataset.objects.visible_to(self.request.user).select_related(
            "blob", "measurement__sample", "measurement__instrument"
        )

    @extend_schema(
        parameters=[OpenApiParameter("as", enum=list(KINDS), default="json")],
        responses={
            (200, "application/json"): ArraysSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "chemical/x-jcamp-dx"): OpenApiTypes.STR,
            (200, "application/x-hdf5"): OpenApiTypes.BINARY,
        },
    )
    @action(detail=True, methods=["get"])
    def data(self, request: Request, pk: str) -> HttpResponseBase:
        """The numbers of a dataset, all of them."""
        row = self.get_object()
        kind = request.query_params.get("as", "json")
        if kind not in KINDS:
            raise ValidationError({"as": [f"“{kind}” is not known; choose json, csv, jcamp or nexus."]})
        if kind != "nexus" and math.prod(row.shape) > MOST_AS_TEXT:
            raise ValidationError(
                {"as": [f"More than {MOST_AS_TEXT} values are too many for {kind}: ask for nexus."]}
            )
        with as_http():
            if kind == "nexus":
                response: HttpResponseBase = FileResponse(
                    services.exported(row), content_type="application/x-hdf5"
                )
                return attached(response, _filename(row, "nxs"))
            dataset = services.load(row)
        if kind == "json":
            return HttpResponse(_json(dataset), content_type="application/json")
        return _text(row, kind, dataset)


def _text(row: Dataset, kind: str, dataset: data.Dataset) -> HttpResponseBase:
    try:
        if kind == "csv":
            lines = started(exports.csv(dataset))
            response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
            return attached(response, _filename(row, "csv"))
        measurement = row.measurement
        sample = measurement.sample.code if measurement.sample else measurement.claimed_code or "no sample"
        lines = started(
            exports.jcamp(
                dataset,
                title=f"{sample} {dataset.title}".strip(),
                technique=measurement.technique,
                origin=f"Vitrine, measurement {measurement.pk}, {row.reader} {row.reader_version}",
            )
        )
    except exports.CannotExportError as error:
        raise ValidationError({"as": [str(error)]}) from None
    response = StreamingHttpResponse(lines, content_type="chemical/x-jcamp-dx; charset=us-ascii")
    return attached(response, _filename(row, "jdx"))


def started(lines: Iterator[str]) -> Iterator[str]:
    """The same lines, with the first one made now: what cannot be written at all is refused with a status."""
    return itertools.chain([next(lines)], lines)


def _filename(row: Dataset, ending: str) -> str:
    sample = f"{row.measurement.sample.code}-" if row.measurement.sample else ""
    return f"{sample}{row.measurement.technique}-{row.measurement_id}-{row.number}.{ending}"


class FileViewSet(viewsets.GenericViewSet):
    queryset = RawFile.objects.none()
    lookup_value_regex = r"\d{1,18}"
    filter_backends = ()
    pagination_class = None

    def get_queryset(self) -> QuerySet[RawFile]:
        return RawFile.objects.visible_to(self.request.user).select_related("blob")

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="Your copy, named by If-None-Match, is the same"),
        },
    )
    @action(detail=True, methods=["get"])
    def content(self, request: Request, pk: str) -> HttpResponseBase:
        """The original bytes. The ETag is their SHA-256."""
        row = self.get_object()
        etag = f'"{row.blob.sha256}"'
        if etag in parse_etags(request.headers.get("If-None-Match", "")):
            response: HttpResponseBase = HttpResponseNotModified()
        else:
            with as_http():
                response = FileResponse(
                    store().open(row.blob.sha256), content_type="application/octet-stream"
                )
            attached(response, row.filename)
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        return response


def attached(response: HttpResponseBase, filename: str) -> HttpResponseBase:
    """To be saved, never shown. The name in ASCII for old clients, whole (RFC 5987) for all others."""
    name = UNSAFE_IN_NAMES.sub("_", filename)
    ascii_name = re.sub(r'[^\x20-\x7e]|["%;]', "_", name)
    response["Content-Disposition"] = (
        f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _json(dataset: data.Dataset) -> bytes:
    signal = dataset.signal
    body: dict[str, Any] = {
        "axes": [
            {"name": axis.name, "unit": axis.unit, "values": _finite(axis.values)} for axis in dataset.axes
        ],
        "signal": {"name": signal.name, "unit": signal.unit, "values": _finite(signal.values)},
        "acquired_at": dataset.acquired_at,
    }
    if signal.errors is not None:
        body["errors"] = {"name": signal.name, "unit": signal.unit, "values": _finite(signal.errors)}
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def _finite(values: data.Array) -> data.Array:
    # orjson writes NaN and infinity as null, which is what JSON has for them.
    return np.ascontiguousarray(values)

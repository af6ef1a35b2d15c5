"""What the registries know: techniques and formats. Short lists, so the page is always whole."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from measurements import readers
from measurements.serializers import ChoiceSerializer, FormatSerializer
from measurements.techniques import Technique


def _whole(name: str, of: type[serializers.Serializer]) -> serializers.Serializer:
    ends = {
        "next": serializers.CharField(allow_null=True),
        "previous": serializers.CharField(allow_null=True),
    }
    page: serializers.Serializer = inline_serializer(name, {**ends, "results": of(many=True)})
    return page


def _page(results: list[dict[str, Any]]) -> Response:
    return Response({"next": None, "previous": None, "results": results})


class TechniquesView(APIView):
    """What a measurement can be of."""

    @extend_schema(responses=_whole("Techniques", ChoiceSerializer), operation_id="techniques_list")
    def get(self, request: Request) -> Response:
        return _page([{"key": key, "label": label} for key, label in Technique.choices])


class FormatsView(APIView):
    """Which files can be read."""

    @extend_schema(responses=_whole("Formats", FormatSerializer), operation_id="formats_list")
    def get(self, request: Request) -> Response:
        return _page(
            [
                {
                    "key": reader.key,
                    "name": reader.format.name,
                    "extensions": list(reader.format.extensions),
                    "vendor": reader.format.vendor,
                    "techniques": list(reader.format.techniques),
                    "description": reader.format.description,
                    "version": reader.version,
                    "max_bytes": reader.format.max_bytes,
                }
                for reader in readers.registry().values()
            ]
        )

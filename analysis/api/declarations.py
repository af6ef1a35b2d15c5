"""What can be run and what can be plotted: straight from what the method files declare."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import explore, methods, properties


class MethodsView(APIView):
    """Analysis methods with their inputs, parameters and properties."""

    @extend_schema(responses={200: list[dict[str, Any]]}, operation_id="methods_list")
    def get(self, request: Request) -> Response:
        return Response([_method(loaded) for loaded in methods.registry().values()])


class PropertiesView(APIView):
    """Everything a value can be about, and every axis that Explore offers."""

    @extend_schema(responses={200: dict[str, Any]}, operation_id="properties_list")
    def get(self, request: Request) -> Response:
        return Response(
            {
                "properties": [_property(declared) for declared in properties.all().values()],
                "axes": [vars(axis) for axis in explore.axes()],
            }
        )


def _method(loaded: methods.LoadedMethod) -> dict[str, Any]:
    method = loaded.method
    return {
        "key": loaded.key,
        "title": method.title,
        "version": method.version,
        "description": method.description,
        "equation": method.equation,
        "reference": method.reference,
        "on_upload": method.on_upload,
        "time_limit_s": method.time_limit_s,
        "over": method.over,
        "reads": method.reads,
        "factors": method.factors,
        "accepts": [
            {
                "role": r.key,
                "techniques": r.techniques,
                "required": r.required,
                "calibration": r.calibration,
                "axes": r.axes,
                "conditions": r.conditions,
                "help": r.help,
            }
            for r in method.accepts
        ],
        "params": methods.params_schema(loaded),
        "properties": [_property(declared) for declared in method.properties],
    }


def _property(declared: methods.Property) -> dict[str, Any]:
    return {
        "key": declared.key,
        "label": declared.label,
        "unit": declared.unit,
        "components": declared.components,
        "higher_is_better": declared.higher_is_better,
        "as_percent": declared.as_percent,
        "help": declared.help,
    }

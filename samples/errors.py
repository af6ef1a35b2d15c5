"""One shape for every error the REST interface gives: {"error": {"message", "fields"?}}."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback


def one_shape(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, DjangoValidationError):  # a service refused, in a sentence
        error = exceptions.ValidationError(get_error_detail(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    set_rollback()
    if isinstance(error, exceptions.ValidationError):
        response.data = {"error": _validation(error.detail)}
    elif isinstance(response.data, dict):
        response.data = {"error": {"message": str(response.data.get("detail", error))}}
    return response


def _validation(detail: Any) -> dict[str, Any]:
    if isinstance(detail, dict):
        fields = {name: " ".join(_sentences(messages)) for name, messages in detail.items()}
        return {"message": " ".join(f"{name}: {text}" for name, text in fields.items()), "fields": fields}
    return {"message": " ".join(_sentences(detail))}


def _sentences(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [f"{name}: {text}" for name, value in detail.items() for text in _sentences(value)]
    if isinstance(detail, (list, tuple)):
        return [text for part in detail for text in _sentences(part)]
    return [str(detail)]

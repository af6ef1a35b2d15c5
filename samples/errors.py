"""One shape for every error the REST interface gives: {"error": {"message", "fields"?}}."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

log = logging.getLogger(__name__)

# What the framework says in its own words, as sentences that name the remedy.
SENTENCES = (
    (r"This field may not be blank\.", "It was left empty; it needs a word."),
    (r"This field is required\.", "It is missing; send it too."),
    (r"This field may not be null\.", "It may not be null; leave it out, or give a value."),
    (r'"(.*)" is not a valid choice\.', r"“\1” is not one of the choices; /api/docs/ lists them."),
    (
        r"(Datetime|Date|Time) has wrong format\. .*",
        "This is not understood; write times as 2026-05-04T10:00:00+02:00.",
    ),
    (
        r"Invalid token\.",
        "This token is not known here: it was revoked, has expired, or was copied in part. Take a new one, "
        "from the page of the instrument or by logging in.",
    ),
    (
        r"Authentication credentials were not provided\.",
        "Nobody is logged in. Send a token with the request: Authorization: Token …",
    ),
    (
        r"No \w+ matches the given query\.|Not found\.",
        "There is nothing here that you may see: it does not exist, or is in a project that you are no "
        "member of.",
    ),
)
KNOWN = [(re.compile(pattern, re.DOTALL), sentence) for pattern, sentence in SENTENCES]


class DatabaseSilent(exceptions.APIException):
    status_code = 503
    default_detail = (
        "The database does not answer. Try again in a minute, and keep what you sent until its receipt comes."
    )


def one_shape(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, DjangoValidationError):  # a service refused, in a sentence
        error = exceptions.ValidationError(get_error_detail(error))
    elif isinstance(error, (OperationalError, InterfaceError)):
        log.error("The database does not answer: %s", error)
        error = DatabaseSilent()
    response = exception_handler(error, context)
    if response is None:
        return None
    set_rollback()
    if isinstance(error, exceptions.ValidationError):
        response.data = {"error": _validation(error.detail)}
    elif isinstance(response.data, dict):
        message = _plain(str(response.data.get("detail", error)))
        if isinstance(error, exceptions.MethodNotAllowed) and "view" in context:
            taken = ", ".join(context["view"].allowed_methods)
            message = f"{context['request'].method} is not possible at this address, which takes {taken}."
        response.data = {"error": {"message": message}}
    return response


def _plain(text: str) -> str:
    for pattern, sentence in KNOWN:
        if match := pattern.fullmatch(text):
            return match.expand(sentence)
    return text


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
    return [_plain(str(detail))]

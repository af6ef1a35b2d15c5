"""A file that an instrument sends with its token goes past what only pages need.

Sessions, forms, messages and static files are nothing to it, and for a small file passing them costs more
than looking up the token. Where the token may plainly add to the sample that is named, not even Django's
request is made. What is named, counted, refused or recorded of every request is so of these too.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from http.client import responses
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import InterfaceError, OperationalError, close_old_connections
from django.http import HttpResponse
from django.urls import resolve
from django.utils.module_loading import import_string

log = logging.getLogger(__name__)

MIDDLEWARE = (
    "samples.middleware.RequestIdMiddleware",
    "config.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "samples.middleware.NulMiddleware",
    "django.middleware.common.CommonMiddleware",
    "samples.middleware.AuditMiddleware",
)
NAMING = MIDDLEWARE[:2]  # of these a plain file has its own
SAME_FOR_ALL = ("django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware")
GO_BY = (
    "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
)  # fmt: skip
UPLOADS = "/api/v1/uploads/"
JSON = "application/json"
SILENT = (
    b'{"error":{"message":"The database does not answer, so the file was not taken. Keep it, and send it '
    b'again in a minute."}}'
)


class ShortWay(WSGIHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        handler = convert_exception_to_response(self._get_response)
        for path in reversed(MIDDLEWARE):
            handler = convert_exception_to_response(import_string(path)(handler))
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = handler


class Put:
    """As much of a request as somebody looks at when it is plain."""

    method = "PUT"

    def __init__(self, environ: dict[str, Any], match: Any) -> None:
        self.META = environ
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        self.GET = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True, max_num_fields=most))
        self.filename: str = environ["PATH_INFO"][len(UPLOADS) :]
        self.resolver_match = match
        self.headers = self
        self.read = environ["wsgi.input"].read
        self.sender: Any = None  # measurements may not be loaded yet when this file is
        self.unasked = False

    def get(self, name: str, otherwise: str | None = None) -> Any:
        """A header."""
        return self.META.get(f"HTTP_{name.upper().replace('-', '_')}", otherwise)


class Answer(dict[str, str]):
    """Its headers, under their names."""

    def __init__(self, status_code: int, body: bytes) -> None:
        super().__init__({"Content-Type": JSON, "Content-Length": str(len(body))})
        self.status_code = status_code
        self.body = body


class PlainWay:
    """For a token that may plainly add to the sample that is named. All else is left to the others."""

    def __init__(self) -> None:
        self._sender = import_string("measurements.api.raw.plain_sender")
        self._receipt = import_string("measurements.api.raw.plain_receipt")
        self._match = resolve(f"{UPLOADS}name")
        self._manners = lru_cache(maxsize=64)(learn_manners)
        self._handler: Any = self._taken
        for path in reversed(NAMING):
            self._handler = import_string(path)(self._handler)

    def __call__(self, environ: dict[str, Any]) -> Answer | None:
        manners = self._manners(*map(environ.get, GO_BY)) if looks_plain(environ) else None
        if manners is None:
            return None
        try:
            put = Put(environ, self._match)
        except ValueError:
            return None  # more fields than anybody reads
        try:
            try:
                put.sender = self._sender(put)
            except (OperationalError, InterfaceError):
                put.unasked = True  # asking once more would wait as long again
            if put.sender is None and not put.unasked:
                return None
            answer: Answer = self._handler(put)
        finally:
            close_old_connections()
        answer.update(manners)
        return answer

    def _taken(self, put: Put) -> Answer:
        if put.unasked:
            return Answer(503, SILENT)
        try:
            return Answer(*self._receipt(put, put.filename, put.sender))
        except Exception:  # the outer edge: the web server has no words for it
            log.exception("A file could not be taken.")
            return Answer(
                500, b'{"error":{"message":"Something broke here, and it was not you. Send it again."}}'
            )


def looks_plain(environ: dict[str, Any]) -> bool:
    """Whether path and query are such as every reader of them reads alike."""
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    return (
        path.isascii()
        and path.isprintable()
        and query.isascii()
        and query.isprintable()
        and "%00" not in query
        and path[-1] != "/"  # no upload in parts
    )


def learn_manners(*said: str | None) -> dict[str, str] | None:
    """The headers that every answer to such a caller has; None where it is refused or sent elsewhere."""
    environ = {name: value for name, value in zip(GO_BY, said, strict=True) if value is not None}
    handler: Any = lambda request: HttpResponse()  # noqa: E731
    for path in reversed(SAME_FOR_ALL):
        handler = import_string(path)(handler)
    try:
        answer = handler(
            WSGIRequest({**environ, "REQUEST_METHOD": "PUT", "PATH_INFO": "/", "wsgi.input": BytesIO()})
        )
    except (SuspiciousOperation, BadRequest):
        return None
    own = ("Content-Type", "Content-Length")
    return (
        {name: value for name, value in answer.items() if name not in own}
        if answer.status_code == 200
        else None
    )


class Door:
    """The application that the web server calls."""

    def __init__(self, pages: WSGIHandler, uploads: WSGIHandler) -> None:
        self._pages, self._uploads, self._plain = pages, uploads, PlainWay()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not is_upload(environ):
            return self._pages(environ, start_response)
        answer = self._plain(environ)
        if answer is not None:
            start_response(f"{answer.status_code} {responses[answer.status_code]}", list(answer.items()))
            return [answer.body]
        receipt = self._uploads(environ, start_response)
        try:
            # In one piece: what is handed on piece by piece wakes the web server's own thread for each.
            return [b"".join(receipt)]
        finally:
            receipt.close()


def is_upload(environ: dict[str, Any]) -> bool:
    return (
        environ["REQUEST_METHOD"] == "PUT"
        and environ["PATH_INFO"].startswith(UPLOADS)
        and environ.get("HTTP_AUTHORIZATION", "").lower().startswith("token ")
    )

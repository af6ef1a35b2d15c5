"""A file that an instrument sends with its token goes past what only pages need.

Sessions, forms, messages and static files are nothing to it, and for a small file passing them costs more
than looking up the token. What is named, counted, refused or recorded of every request is so of these too.
"""

from __future__ import annotations

from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.utils.module_loading import import_string

MIDDLEWARE = (
    "samples.middleware.RequestIdMiddleware",
    "config.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "samples.middleware.NulMiddleware",
    "django.middleware.common.CommonMiddleware",
    "samples.middleware.AuditMiddleware",
)
UPLOADS = "/api/v1/uploads/"


class ShortWay(WSGIHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        handler = convert_exception_to_response(self._get_response)
        for path in reversed(MIDDLEWARE):
            handler = convert_exception_to_response(import_string(path)(handler))
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = handler


class Door:
    """The application that the web server calls."""

    def __init__(self, pages: WSGIHandler, uploads: WSGIHandler) -> None:
        self._pages, self._uploads = pages, uploads

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not is_upload(environ):
            return self._pages(environ, start_response)
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

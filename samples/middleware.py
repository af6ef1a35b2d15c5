"""What no request may bring, and what every change carries into the audit trail."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from pghistory.middleware import HistoryMiddleware

from samples import tracing

log = logging.getLogger("vitrine.requests")
FORM = "application/x-www-form-urlencoded"


class RequestIdMiddleware:
    """A name for every request: in all its lines of the log, in those of the tasks that it asks for, and in
    the answer. The line about the request holds the pattern of its address: an address may be a key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = tracing.request_id(request.headers.get("X-Request-ID"))
        request.request_id = name
        with tracing.about(request_id=name):
            began = time.perf_counter()
            response = self.get_response(request)
            said = {
                "route": route_of(request),
                "status": response.status_code,
                "duration_ms": round((time.perf_counter() - began) * 1000, 1),
            }
            log.info("%s %s", request.method, said["route"], extra=said)
        response["X-Request-ID"] = name
        return response


def route_of(request: HttpRequest) -> str:
    """`samples/<str:code>/`, or nothing where no page is."""
    return request.resolver_match.route if request.resolver_match else ""


class NulMiddleware:
    """PostgreSQL keeps no NUL: it is refused once, before any view looks for it in the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _has_nul(request):
            return self.get_response(request)
        sentence = "The request holds a NUL character, which no name of ours has; leave it out."
        if request.path.startswith("/api/"):
            return JsonResponse({"error": {"message": sentence}}, status=400)
        return HttpResponse(sentence, status=400, content_type="text/plain; charset=utf-8")


def _has_nul(request: HttpRequest) -> bool:
    query = request.META.get("QUERY_STRING", "")
    if "\0" in request.path or "\0" in query or "%00" in query:
        return True
    return request.content_type == FORM and (b"%00" in request.body or b"\0" in request.body)


class AuditMiddleware(HistoryMiddleware):
    """Changes made by a request carry the person, the method and the path into the audit trail.

    A token's person is known only in the view: the base class takes them up when Django REST framework sets
    `request.user`."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        user = getattr(request, "user", None)
        return {"user": user.pk if user else None, "method": request.method, "path": request.path}

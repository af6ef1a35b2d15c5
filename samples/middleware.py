"""What no request may bring, and what every change carries into the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from pghistory.middleware import HistoryMiddleware

FORM = "application/x-www-form-urlencoded"


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

"""Changes made by a request carry the person, the method and the path into the audit trail."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from pghistory.middleware import HistoryMiddleware


class AuditMiddleware(HistoryMiddleware):
    """A token's person is known only in the view: the base class takes them up when Django REST framework
    sets `request.user`."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        user = getattr(request, "user", None)
        return {"user": user.pk if user else None, "method": request.method, "path": request.path}

"""For whoever watches the servers: `/healthz` (this process answers) and `/readyz` (it can do its work)."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis import Redis, RedisError


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """503 when an upload could not be kept. 200 when the broker is down, which delays analysis and loses
    nothing, and when files are damaged, which wants an operator and not another server."""
    answers = {"database": _database(), "files": _files(), "broker": _broker()}
    fit = answers["database"] == answers["files"] == "ok"
    answers["fixity"] = _fixity() if answers["database"] == "ok" else "unknown"
    return JsonResponse(answers, status=200 if fit else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _files() -> str:
    from measurements.store import StoreError, store

    try:
        store().require_room()
        if settings.STORAGE_URL:
            store().require_reachable()
    except StoreError as error:
        return str(error)
    return "ok"


def _fixity() -> str:
    from measurements.models import Blob

    damaged = Blob.objects.damaged().count()
    return f"{damaged} stored files are damaged; see the Storage page" if damaged else "ok"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5) as broker:
            broker.ping()
    except RedisError:
        return "does not answer"
    return "ok"

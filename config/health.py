"""For whoever watches the servers: `/healthz` (this process answers) and `/readyz` (it can do its work)."""

from __future__ import annotations

import shutil

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis import Redis, RedisError

LEAST_FREE_BYTES = 200 * 1024**2


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """503 when an upload could not be kept. A broker that is down delays analysis and loses nothing: 200."""
    answers = {"database": _database(), "files": _files(), "broker": _broker()}
    fit = answers["database"] == answers["files"] == "ok"
    return JsonResponse(answers, status=200 if fit else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _files() -> str:
    folder = settings.RAW_FILES_DIR
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return "ok" if free > LEAST_FREE_BYTES else f"only {free // 1024**2} MB free"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5) as broker:
            broker.ping()
    except RedisError:
        return "does not answer"
    return "ok"

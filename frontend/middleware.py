"""Times are stored in UTC and shown in the zone of whoever reads."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "time_zone"  # set by the page's script from the browser's own zone
KNOWN = frozenset(available_timezones())


class LocalTimeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = getattr(request.user, "time_zone", "") or request.COOKIES.get(COOKIE, "")
        with timezone.override(ZoneInfo(name) if name in KNOWN else None):
            return self.get_response(request)

"""What every noun that takes files with a form needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from measurements.api.errors import as_http
from measurements.uploads import StoreUploadHandler


class TakesFiles(APIView):
    """Its files go straight into the store, and what the store refuses is said in HTTP."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Before authentication: a session's CSRF check may be the first to look into the body.
        request.upload_handlers = [StoreUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def handle_exception(self, error: Exception) -> Response:
        try:
            with as_http():
                raise error
        except Exception as translated:
            return super().handle_exception(translated)

"""PUT a file as it is: no form around it, each byte is read, hashed and written once."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from measurements.api.errors import as_http
from measurements.serializers import ReceiptSerializer
from measurements.services import Incoming, Receipt, RefusedError, receive
from measurements.services.claims import FIELDS, claims_of, writable_project
from measurements.services.placing import place_at
from measurements.services.receipts import receipt_body
from measurements.services.receiving import check_size
from measurements.services.senders import Sender, sender_with
from measurements.techniques import Technique
from samples.errors import one_shape
from samples.models import User

SHA256_BYTES = 32
JSON = "application/json"
ABOUT = {
    "sample": "Code on the label. Unknown, missing or not visible to you: the file waits in the inbox.",
    "technique": "Left out: found out when the file is read.",
    "role": "sample, blank, irf, …",
    "acquired_at": "With its zone.",
    "conditions": "A JSON object.",
    "origin": "measured, if not said otherwise.",
    "project": "Whose inbox takes it when the sample is not known.",
}
DIGESTS = {
    "Repr-Digest": "`sha-256=:…:`, the SHA-256 in Base64 (RFC 9530). Other bytes are refused.",
    "Content-Digest": "The same; nothing is encoded on the way.",
    "X-Content-SHA256": "The same in hexadecimal.",
}


class LengthRequired(APIException):
    status_code = 411
    default_detail = "Say with Content-Length how many bytes come: only so is a file known to be whole."


class Body:
    """The bytes of a request, all that were announced and no more, or an error."""

    def __init__(self, request: HttpRequest, size_bytes: int) -> None:
        self._read = request.read
        self._size_bytes = self._missing = size_bytes
        self._ends_by_itself = request.META.get("wsgi.input_terminated", False)

    def read(self, size: int, /) -> bytes:
        try:
            data = self._next(size) if self._missing else b""
        except OSError:
            data = b""
        self._missing -= len(data)
        if not data and self._missing:
            raise RefusedError("file", "The upload broke off before its end. Send it again.")
        return data

    def _next(self, size: int) -> bytes:
        if self._ends_by_itself and self._missing == self._size_bytes <= size:
            return bytes(self._read())  # as a whole: the web server copies it twice less
        return bytes(self._read(min(size, self._missing)))


class RawUploadView(APIView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A token that may plainly add to its sample goes a short way: half of what a small file costs is
        not in its bytes. All others go the way of every view."""
        try:
            sender = plain_sender(request) if request.method == "PUT" else None
        except (OperationalError, InterfaceError) as error:  # asking once more would wait as long again
            status_code, body = refusal(error)
            return HttpResponse(body, JSON, status_code)
        if sender is None:
            return super().dispatch(request, *args, **kwargs)
        request.user = sender.user
        status_code, body = plain_receipt(request, kwargs["filename"], sender)
        return HttpResponse(body, JSON, status_code)

    @extend_schema(
        operation_id="uploads_put",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter("filename", OpenApiTypes.STR, OpenApiParameter.PATH, description="Its name."),
            *[
                OpenApiParameter(
                    name,
                    OpenApiTypes.DATETIME if name == "acquired_at" else OpenApiTypes.STR,
                    description=ABOUT[name],
                    enum=Technique.values if name == "technique" else None,
                )
                for name in FIELDS
            ],
            *[
                OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=text)
                for name, text in DIGESTS.items()
            ],
        ],
        responses={
            201: OpenApiResponse(ReceiptSerializer, "Stored. The sha256 is of what is durably on disk."),
            200: OpenApiResponse(
                ReceiptSerializer, "These bytes were already here for sample and technique."
            ),
            400: OpenApiResponse(description="It broke off, or has another digest than announced."),
            403: OpenApiResponse(description="You may look at this sample but not add to it."),
            411: OpenApiResponse(description="Its length was not announced."),
            413: OpenApiResponse(description="Larger than this installation or the project's quota takes."),
            507: OpenApiResponse(description="The disk is full."),
        },
    )  # fmt: skip
    def put(self, request: Request, filename: str) -> Response:
        """Hand in one file as the body of the request. The answer is the same receipt as for a form."""
        with as_http():
            receipt = take(request._request, filename, request.user)
        return Response(receipt_body(receipt), status=201 if receipt.created else 200)


def plain_sender(request: HttpRequest) -> Sender | None:
    kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    code = request.GET.get("sample", "").strip()
    if kind.lower() != "token" or not code or not (token + code).isprintable():
        return None
    return sender_with(token.strip(), code)


def plain_receipt(request: HttpRequest, filename: str, sender: Sender) -> tuple[int, bytes]:
    """Status and body of the answer."""
    try:
        with as_http():
            receipt = take(request, filename, sender.user, sender)
    except (APIException, PermissionDenied, OperationalError, InterfaceError) as error:
        return refusal(error)
    return 201 if receipt.created else 200, in_json(receipt_body(receipt))


def refusal(error: Exception) -> tuple[int, bytes]:
    refused = one_shape(error, {})
    assert refused is not None
    return refused.status_code, in_json(refused.data)


def in_json(body: Any) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # numbers of more than 64 bits, deep nesting: JSON all the same, and recorded already
        return json.dumps(body).encode()


def take(request: HttpRequest, filename: str, user: User, sender: Sender | None = None) -> Receipt:
    size_bytes = announced_size(request)
    claims = claims_of(said_in_address(request))
    expected = expected_sha256(request)
    project = writable_project(user, claims.project)
    warnings: list[str] = []
    return receive(
        user=user,
        files=[Incoming(filename, Body(request, size_bytes), claims.role, expected, size_bytes)],
        sample_code=claims.sample,
        project=project,
        technique=claims.technique,
        acquired_at=claims.acquired_at,
        conditions=claims.conditions,
        origin=claims.origin,
        instrument=sender.instrument if sender else None,
        place=place_at(sender.sample, project, warnings) if sender else None,
        warnings=warnings,
    )


def announced_size(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH", "")
    if not text.isascii() or not text.isdecimal() or "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired
    check_size(int(text))
    return int(text)


def said_in_address(request: HttpRequest) -> dict[str, str]:
    """A misspelt `sampel=` would send the file to the inbox, so what is not known is refused."""
    said = {name: value for name, value in request.GET.items() if isinstance(value, str)}
    for name in said:
        if name not in FIELDS:
            raise RefusedError(name[:40], f"This is not known here; known are {', '.join(FIELDS)}.")
    return said


def expected_sha256(request: HttpRequest) -> str:
    """In hexadecimal; empty when no header says it."""
    if (plain := request.headers.get("X-Content-SHA256")) is not None:
        return _checked("X-Content-SHA256", plain.strip().lower())
    for header in ("Repr-Digest", "Content-Digest"):
        said = request.headers.get(header)
        if said is not None and not said.strip():
            return _checked(header, "")
        for part in (said or "").split(","):
            name, _, value = part.strip().partition("=")
            if name.strip().lower() == "sha-256":
                try:
                    return _checked(header, base64.b64decode(value.strip().strip(":"), validate=True).hex())
                except ValueError:
                    return _checked(header, "")
    return ""


def _checked(header: str, digest: str) -> str:
    try:
        if len(bytes.fromhex(digest)) == SHA256_BYTES:
            return digest
    except ValueError:
        pass
    raise RefusedError(header, "This is no SHA-256. Send it as sha-256=:Base64:, or leave the header out.")

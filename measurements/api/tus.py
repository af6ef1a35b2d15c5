"""Resumable uploads: the tus protocol 1.0.0, https://tus.io/protocols/resumable-upload.

Extensions: creation, creation-with-upload, checksum, termination, expiration. An upload exists only for who
began it, whatever others ask.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from measurements.api.errors import as_http
from measurements.models import Upload
from measurements.serializers import ResumableUploadSerializer
from measurements.services import RefusedError, uploading
from measurements.services.claims import FIELDS
from measurements.services.uploading import ChecksumError, GoneError, LockedError, OffsetError, TooManyError
from measurements.store import Readable
from samples.incoming import all_text

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
PIECE = "application/offset+octet-stream"
METADATA_CHARACTERS = 64 * 1024
KNOWN = ("filename", *FIELDS)  # other things that clients say, such as filetype, are passed over
OVERRIDES = ("PATCH", "DELETE", "HEAD")


class OtherVersion(APIException):
    status_code = 412
    default_detail = f"Say Tus-Resumable: {VERSION}; this server speaks no other version."


class WrongOffset(APIException):
    status_code = 409


class NotAPiece(APIException):
    status_code = 415
    default_detail = f"A piece of a file is sent as Content-Type: {PIECE}."


class Locked(APIException):
    status_code = 423


class WrongChecksum(APIException):
    status_code = 460


class TooMany(APIException):
    status_code = 429


class Gone(APIException):
    status_code = 410
    default_detail = "What was here of this upload is gone: nobody went on with it in time. Begin it anew."


def tus_header(name: str, description: str, kind: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description, **more)


TUS = tus_header("Tus-Resumable", "The version of tus.", required=True, enum=[VERSION])
CHECKSUM = tus_header("Upload-Checksum", "`sha1`, `sha256` or `md5`, a space, and the digest in Base64.")
REFUSALS = {
    404: OpenApiResponse(description="Not there, or not yours."),
    410: OpenApiResponse(description="Nobody went on with it, so it was removed."),
    412: OpenApiResponse(description="Another version of tus."),
}


class TusView(APIView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        override = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and override in OVERRIDES:
            request.method = override  # for clients that can send nothing else; CSRF is still checked
        return super().dispatch(request, *args, **kwargs)

    def get_permissions(self) -> list[Any]:
        return [] if self.request.method == "OPTIONS" else super().get_permissions()

    def handle_exception(self, error: Exception) -> Response:
        try:
            with as_http():
                raise error
        except OffsetError as found:
            translated: Exception = WrongOffset(str(found))
        except LockedError as found:
            translated = Locked(str(found))
        except ChecksumError as found:
            translated = WrongChecksum(str(found))
        except GoneError as found:
            translated = Gone(str(found))
        except TooManyError as found:
            translated = TooMany(str(found))
        except Exception as found:
            translated = found
        return super().handle_exception(translated)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().finalize_response(*args, **kwargs)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        if response.status_code in (412, 204) and self.request.method in ("OPTIONS", *OVERRIDES, "POST"):
            response["Tus-Version"] = VERSION
        return response

    @extend_schema(exclude=True)
    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(
            status=204,
            headers={
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(settings.MAX_UPLOAD_BYTES),
                "Tus-Checksum-Algorithm": ",".join(uploading.ALGORITHMS),
            },
        )

    def _require_version(self) -> None:
        if self.request.headers.get("Tus-Resumable") != VERSION:
            raise OtherVersion


class UploadsView(TusView):
    @extend_schema(
        operation_id="uploads_create",
        request={PIECE: OpenApiTypes.BINARY},
        parameters=[
            TUS,
            tus_header("Upload-Length", "Bytes of the whole file.", OpenApiTypes.INT64, required=True),
            tus_header(
                "Upload-Metadata",
                f"Pairs of a key and its value in Base64, between commas: {', '.join(KNOWN)}.",
            ),
            CHECKSUM,
        ],
        responses={
            201: OpenApiResponse(
                ResumableUploadSerializer,
                "Begun at the address in `Location`; `Upload-Expires` says how long.",
            ),
            403: OpenApiResponse(description="You may look at this sample but not add to it."),
            412: OpenApiResponse(description="Another version of tus."),
            413: OpenApiResponse(description="Larger than this installation or the project's quota takes."),
            429: OpenApiResponse(description="Too many unfinished uploads: finish or delete them first."),
            507: OpenApiResponse(description="The disk is full."),
        },
    )
    def post(self, request: Request) -> Response:
        """Begin a resumable upload (tus 1.0), perhaps with its first piece as the body."""
        self._require_version()
        sent = request._request
        upload = uploading.begin_upload(
            user=request.user,
            size_bytes=_number(sent, "Upload-Length"),
            said=metadata(sent.headers.get("Upload-Metadata", "")),
        )
        if sent.META.get("CONTENT_TYPE", "") == PIECE:
            take(upload, 0, sent)
        else:
            uploading.finish(upload)  # an empty file is whole at once
        where = reverse("resumable-upload", args=[upload.pk])
        headers = {"Location": sent.build_absolute_uri(where), **progress(upload)}
        return Response(ResumableUploadSerializer(upload).data, status=201, headers=headers)


class UploadView(TusView):
    def _upload(self, pk: uuid.UUID) -> Upload:
        upload = uploading.upload_named(self.request.user, pk)
        if upload is None:
            raise NotFound("There is no upload of yours at this address.")
        if upload.has_ended:
            raise Gone
        return upload

    @extend_schema(
        operation_id="uploads_retrieve",
        responses={200: ResumableUploadSerializer, 404: REFUSALS[404], 410: REFUSALS[410]},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """How far it is; and its receipt, once it is whole."""
        upload = self._upload(pk)
        uploading.finish(upload)
        return Response(ResumableUploadSerializer(upload).data)

    @extend_schema(
        operation_id="uploads_offset",
        parameters=[TUS],
        responses={200: OpenApiResponse(description="Where to go on: `Upload-Offset`."), **REFUSALS},
    )
    def head(self, request: Request, pk: uuid.UUID) -> Response:
        """Where to go on. Bytes before that offset survive a power cut."""
        upload = self._upload(pk)
        self._require_version()
        return Response(headers={"Upload-Length": str(upload.size_bytes), **progress(upload)})

    @extend_schema(
        operation_id="uploads_append",
        request={PIECE: OpenApiTypes.BINARY},
        parameters=[
            TUS,
            tus_header("Upload-Offset", "Where this piece begins.", OpenApiTypes.INT64, required=True),
            CHECKSUM,
        ],
        responses={
            204: OpenApiResponse(
                description="Taken. After the last piece `Vitrine-Measurement` says what it has become."
            ),
            409: OpenApiResponse(description="The upload goes on at another offset."),
            413: OpenApiResponse(description="More bytes than were announced."),
            415: OpenApiResponse(description=f"Not sent as {PIECE}."),
            423: OpenApiResponse(description="Another request is adding to it."),
            460: OpenApiResponse(description="The checksum does not fit; nothing of the piece was kept."),
            **REFUSALS,
        },
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Add the next piece."""
        upload = self._upload(pk)
        self._require_version()
        sent = request._request
        if sent.META.get("CONTENT_TYPE", "") != PIECE:
            raise NotAPiece
        take(upload, _number(sent, "Upload-Offset"), sent)
        headers = progress(upload)
        if upload.receipt is not None:
            headers["Vitrine-Measurement"] = reverse("measurement-detail", args=[upload.receipt["id"]])
        return Response(status=204, headers=headers)

    @extend_schema(
        operation_id="uploads_terminate",
        parameters=[TUS],
        responses={204: OpenApiResponse(description="Ended; its bytes are gone."), **REFUSALS},
    )
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """End it and forget its bytes. A measurement that has come of it stays."""
        upload = self._upload(pk)
        self._require_version()
        uploading.terminate(upload)
        return Response(status=204)


def take(upload: Upload, offset: int, sent: HttpRequest) -> None:
    checksum = sent.headers.get("Upload-Checksum")
    uploading.append(
        upload,
        offset,
        body_of(sent),
        size_bytes=None if is_chunked(sent) else int(sent.META.get("CONTENT_LENGTH") or 0),
        checksum=uploading.Checksum(checksum) if checksum else None,
    )
    uploading.finish(upload)


def is_chunked(sent: HttpRequest) -> bool:
    return "chunked" in sent.headers.get("Transfer-Encoding", "").lower()


def body_of(sent: HttpRequest) -> Readable:
    """Django reads no body whose length was not announced; here its end says nothing, so it may be read."""
    stream: Readable = sent.META["wsgi.input"] if is_chunked(sent) else sent
    return stream


def progress(upload: Upload) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.received_bytes),
        "Upload-Expires": http_date(upload.expires_at.timestamp()),
    }


def metadata(header: str) -> dict[str, str]:
    """What stands in Upload-Metadata, of what is known here."""
    if len(header) > METADATA_CHARACTERS:
        raise RefusedError("Upload-Metadata", f"It has more than {METADATA_CHARACTERS} characters.")
    said: dict[str, str] = {}
    for pair in filter(None, map(str.strip, header.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            value = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise RefusedError(
                "Upload-Metadata", f"The value of “{key[:40]}” is not UTF-8 in Base64."
            ) from None
        if not all_text(value):
            raise RefusedError("Upload-Metadata", f"The value of “{key[:40]}” holds what is no text.")
        if key in KNOWN:
            said[key] = value
    return said


def _number(sent: HttpRequest, header: str) -> int:
    text = sent.headers.get(header, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ParseError(f"Say with {header} a number of bytes.")
    return int(text)

"""Multipart uploads straight into the store: each byte is hashed and written once, on its file system."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from measurements.multipart import FIELDS_BYTES, Part, read_form
from measurements.store import Pending, TooLargeError


class IncomingFile(UploadedFile):
    """A file of a form, already in the store's `incoming/`. Closing it without `keep()` removes it."""

    name = None  # Django's property would make a path of it and refuse some; here it is only ever text

    def __init__(self, pending: Pending, part: Part) -> None:
        super().__init__(None, part.filename or "unnamed", part.content_type, pending.size)
        self.pending = pending

    def close(self) -> None:
        self.pending.discard()


class StoreUploadHandler(FileUploadHandler):
    """Takes over a whole form: `request.upload_handlers = [StoreUploadHandler(request)]`."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: bytes,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict]:
        if content_length > settings.MAX_UPLOAD_BYTES + FIELDS_BYTES:
            sent_mb, most_mb = content_length / 1e6, settings.MAX_UPLOAD_BYTES / 1e6
            raise TooLargeError(
                f"The upload has {sent_mb:.0f} MB; up to {most_mb:.0f} MB are taken here. Send it in parts, "
                "or ask the operator to raise VITRINE_MAX_UPLOAD_BYTES."
            )
        return read_form(input_data, boundary, IncomingFile)

"""Multipart uploads straight into the store: each byte is hashed and written once, on its file system."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

from measurements.store import CHUNK_BYTES, Pending, TooLargeError, store

FORM_BYTES = 1024 * 1024  # what a multipart body may have beside its files


class IncomingFile(UploadedFile):
    """A file of a form, already in the store's `incoming/`. Closing it without `keep()` removes it."""

    pending: Pending

    def __init__(self, pending: Pending, name: str | None, content_type: str | None) -> None:
        super().__init__(None, name, content_type, pending.size)
        self.pending = pending

    def close(self) -> None:
        self.pending.discard()


class StoreUploadHandler(FileUploadHandler):
    """Django's interface for what the multipart parser finds."""

    chunk_size = CHUNK_BYTES

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._pending: Pending | None = None

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: bytes,
        encoding: Any = None,
    ) -> None:
        if content_length > settings.MAX_UPLOAD_BYTES + FORM_BYTES:
            raise TooLargeError(
                f"The upload has {content_length / 1e6:.0f} MB; one file may have up to "
                f"{settings.MAX_UPLOAD_BYTES / 1e6:.0f} MB here. Send it in parts, or ask the operator to "
                "raise VITRINE_MAX_UPLOAD_BYTES."
            )

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._pending = store().begin(limit=settings.MAX_UPLOAD_BYTES)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self._pending is not None
        self._pending.write(raw_data)

    def file_complete(self, file_size: int) -> IncomingFile:
        assert self._pending is not None
        complete = IncomingFile(self._pending, self.file_name, self.content_type)
        self._pending = None
        return complete

    def upload_interrupted(self) -> None:
        if self._pending is not None:
            self._pending.discard()

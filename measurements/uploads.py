"""Multipart uploads straight into the store: each byte is hashed and written once, on its file system."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser
from django.utils.datastructures import MultiValueDict

from measurements.store import CHUNK_BYTES, Pending, TooLargeError, store

FORM_BYTES = 1024 * 1024  # what a multipart body may have beside its files


class IncomingFile(UploadedFile):
    """A file of a form, already in the store's `incoming/`. Closing it without `keep()` removes it."""

    name = None  # Django's property would make a path of it and refuse some; here it is only ever text

    def __init__(self, pending: Pending, name: str, content_type: str | None) -> None:
        super().__init__(None, name, content_type, pending.size)
        self.pending = pending

    def close(self) -> None:
        self.pending.discard()


class VerbatimNames(MultiPartParser):
    """Django's parser drops a file whose name is nothing but dots or marks; here every file counts."""

    def sanitize_file_name(self, file_name: str) -> str:
        return file_name


class StoreUploadHandler(FileUploadHandler):
    """Takes over a whole form: `request.upload_handlers = [StoreUploadHandler(request)]`."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: bytes,
        encoding: Any = None,
    ) -> tuple[QueryDict, MultiValueDict]:
        if content_length > settings.MAX_UPLOAD_BYTES + FORM_BYTES:
            raise TooLargeError(
                f"The upload has {content_length / 1e6:.0f} MB; one file may have up to "
                f"{settings.MAX_UPLOAD_BYTES / 1e6:.0f} MB here. Send it in parts, or ask the operator to "
                "raise VITRINE_MAX_UPLOAD_BYTES."
            )
        return VerbatimNames(META, input_data, [FileByFile()], encoding).parse()


class FileByFile(FileUploadHandler):
    """Django's interface for what the parser finds: here the bytes go."""

    chunk_size = CHUNK_BYTES

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._pending: Pending | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._pending = store().begin(limit=settings.MAX_UPLOAD_BYTES)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self._pending is not None
        self._pending.write(raw_data)

    def file_complete(self, file_size: int) -> IncomingFile:
        assert self._pending is not None
        complete = IncomingFile(self._pending, self.file_name or "", self.content_type)
        self._pending = None
        return complete

    def upload_interrupted(self) -> None:
        if self._pending is not None:
            self._pending.discard()

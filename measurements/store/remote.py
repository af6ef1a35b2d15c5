"""An object in the storage as a file, and what the storage says when it does not answer, as sentences."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from measurements.store.errors import StoreFullError, StoreUnavailableError

FULL = {"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge"}


@contextmanager
def answers(what_failed: str) -> Iterator[None]:
    """What the storage refuses or leaves unanswered becomes a sentence."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError) as error:
        said = error.__cause__ if isinstance(error, Boto3Error) and error.__cause__ else error
        code = said.response["Error"]["Code"] if isinstance(said, ClientError) else type(said).__name__
        if code in FULL or any(f"({full})" in str(error) for full in FULL):
            raise StoreFullError(
                "The S3 storage is full, so the file was not taken. Keep it, ask the operator to make "
                "space, and send it again."
            ) from error
        raise StoreUnavailableError(
            f"The S3 storage does not do its part ({code}): the file {what_failed}. Keep it, ask the "
            "operator to look at the storage, and try again."
        ) from error


class RemoteFile(io.RawIOBase):
    """An object as a file: read on and it streams, seek and the next read asks for the bytes from there."""

    def __init__(self, body_from: Callable[[int], Any], size: int) -> None:
        """`body_from` gives boto3's stream from a byte on."""
        self._body_from, self._size = body_from, size
        self._at = 0
        self._body: Any = None  # boto3's stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset != self._at:
            self._drop()
            self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        if self._body is None:
            self._body = self._body_from(self._at)
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, size: int) -> bytes:
        with answers("cannot be read to its end"):
            data: bytes = self._body.read(size)
        if not data:
            raise StoreUnavailableError("The S3 storage broke off in the middle of a file. Try again.")
        return data

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def close(self) -> None:
        self._drop()
        super().close()

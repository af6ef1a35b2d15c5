"""What can go wrong with storing, in sentences."""

from __future__ import annotations

import errno
from contextlib import AbstractContextManager

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.EMFILE}
NOT_WRITABLE |= {errno.EEXIST}  # a file where a folder should be


class StoreError(Exception):
    """Bytes that could not be stored, in a sentence. Nothing of them counts as received."""


class StoreFullError(StoreError):
    """No space left."""


class TooLargeError(StoreError):
    """More bytes than one file may have here."""


class QuotaError(TooLargeError):
    """More bytes than the project may still add."""


class StoreUnavailableError(StoreError):
    """The folder cannot be written, or a file of it cannot be read."""


class sentences(AbstractContextManager[None]):  # noqa: N801  lower case, as contextlib's own
    """What the system's errors mean. A class, as every small file passes it seven times."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in NO_SPACE:
            raise StoreFullError(
                "The disk of the raw files is full, so the file was not taken. Keep it, ask the operator to "
                "make space, and send it again."
            ) from error
        if error.errno in NOT_WRITABLE:
            raise StoreUnavailableError(
                f"The folder of raw files cannot be written ({error.strerror}), so the file was not taken. "
                "Keep it, ask the operator to repair the folder, and send it again."
            ) from error


def readable(size_bytes: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.3g} {unit}"
    return f"{size_bytes} bytes"

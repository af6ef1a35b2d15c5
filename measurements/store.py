"""The durable, content-addressed store: bytes live under their own SHA-256 and are never changed.

The order is the promise: temporary file, hash while writing, fsync, link into place, fsync the folder. Only
what has come that far may be named by a row in the database or by a receipt. A crash at any point leaves
either a complete file under its hash or an orphan in `incoming/`, which a sweep removes after a day.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

log = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024
ORPHAN_AGE_S = 24 * 3600
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.EMFILE}


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class StoreError(Exception):
    """Bytes that could not be stored, in a sentence. Nothing of them counts as received."""


class StoreFullError(StoreError):
    """No space left."""


class TooLargeError(StoreError):
    """More bytes than one file may have here."""


class StoreUnavailableError(StoreError):
    """The folder cannot be written, or a file of it cannot be read."""


@dataclass(frozen=True)
class Stored:
    sha256: str
    size: int


class Pending:
    """A file on its way in: written and hashed, not yet durable, under no name that anyone relies on."""

    def __init__(self, store: BlobStore, limit_bytes: int | None) -> None:
        self._store = store
        self._limit_bytes = limit_bytes
        self._sha256 = hashlib.sha256()
        self.size = 0
        self.path = store.new_temporary()
        with _sentences():
            self._fd: int | None = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)

    def write(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        if self._limit_bytes is not None and self.size > self._limit_bytes:
            self.discard()
            raise TooLargeError(
                f"The file has more than {_readable(self._limit_bytes)}, the most that one file may have "
                "here. Send it in parts, or ask the operator to raise VITRINE_MAX_UPLOAD_BYTES."
            )
        assert self._fd is not None
        self._sha256.update(data)
        with _sentences():
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]

    def head(self, size: int) -> bytes:
        """The first bytes, for readers that recognise a format by them."""
        if self._fd is None:
            return b""
        return os.pread(self._fd, size, 0)

    def keep(self) -> Stored:
        """Make the file durable under its hash. Only after this may a row name it."""
        assert self._fd is not None
        with _sentences():
            os.fchmod(self._fd, 0o400)
            os.fsync(self._fd)
        stored = Stored(self._sha256.hexdigest(), self.size)
        self._store.link_into_place(self.path, stored)
        self.discard()
        return stored

    def discard(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self.path.unlink(missing_ok=True)


class BlobStore:
    """Files under `root/ab/cd/<sha256>`, beside the folder `incoming/` for what is not complete yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self._durable: set[Path] = set()  # folders whose entry in their parent is on disk

    def begin(self, *, limit: int | None = None) -> Pending:
        return Pending(self, limit)

    def put(self, stream: Readable, *, limit: int | None = None) -> Stored:
        """Store what `stream` gives, in constant memory."""
        pending = self.begin(limit=limit)
        try:
            while chunk := stream.read(CHUNK_BYTES):
                pending.write(chunk)
            return pending.keep()
        finally:
            pending.discard()

    def adopt(self, path: Path) -> Stored:
        """Take a finished file that was written at `new_temporary()`; it is gone from there afterwards."""
        sha256 = hashlib.sha256()
        with _sentences(), path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                sha256.update(chunk)
            os.fchmod(file.fileno(), 0o400)
            os.fsync(file.fileno())
            stored = Stored(sha256.hexdigest(), file.tell())
        self.link_into_place(path, stored)
        path.unlink()
        return stored

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self.path(sha256).open("rb")
        except OSError as error:
            raise StoreUnavailableError(
                f"The stored file {sha256[:12]}… cannot be opened ({error.strerror}). "
                "Restore it from a backup into the folder of raw files."
            ) from error

    def verify(self, sha256: str) -> bool:
        """Whether the bytes under this hash still have this hash."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def sweep(self, *, older_than_s: float = ORPHAN_AGE_S) -> int:
        """Remove what crashed uploads left in `incoming/`; returns how many files."""
        removed = 0
        limit = time.time() - older_than_s
        for path in self.incoming.glob("*"):
            try:
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # its upload has just ended
        return removed

    def free_bytes(self) -> int:
        with _sentences():
            self.root.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.root).free

    def new_temporary(self) -> Path:
        """A fresh name on the same file system as the store, so that linking into place cannot copy."""
        with _sentences():
            self.incoming.mkdir(parents=True, exist_ok=True)
        return self.incoming / secrets.token_hex(16)

    def link_into_place(self, temporary: Path, stored: Stored) -> None:
        final = self.path(stored.sha256)
        # Folders too, once per process even if they exist: whoever made them may not have come that far yet.
        unsure = [
            level for level in (final.parent, final.parent.parent, self.root) if level not in self._durable
        ]
        with _sentences():
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                # A link, not a rename: of two that send the same bytes, the first file stays untouched.
                os.link(temporary, final)
            except FileExistsError:
                if final.stat().st_size != stored.size:
                    # The name is the hash, so these are not the bytes that belong here.
                    log.error("%s was damaged on disk and is replaced by the same bytes sent again.", final)
                    repaired = self.new_temporary()
                    os.link(temporary, repaired)
                    os.replace(repaired, final)
            # All at the end: a journal that has just written the lowest folder has written those above it.
            for folder in (final.parent, *(level.parent for level in unsure)):
                _fsync_folder(folder)
        self._durable.update(unsure)


def _fsync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except OSError as error:
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
        raise


def _readable(size_bytes: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.3g} {unit}"
    return f"{size_bytes} bytes"


@cache
def _at(root: Path) -> BlobStore:
    return BlobStore(root)


def store() -> BlobStore:
    """The store of this installation."""
    from django.conf import settings

    return _at(Path(settings.RAW_FILES_DIR))

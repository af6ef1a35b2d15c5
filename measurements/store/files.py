"""Raw files in a folder of this machine."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from measurements.store.errors import StoreUnavailableError, sentences
from measurements.store.pending import CHUNK_BYTES, Pending, Readable, Stored

log = logging.getLogger(__name__)

ORPHAN_AGE_S = 24 * 3600


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
        with sentences(), path.open("rb") as file:
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

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """The file on a local disk while the block lasts: libraries want paths. Never write to it."""
        self.open(sha256).close()
        yield self.path(sha256)

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
        with sentences():
            self.root.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.root).free

    def new_temporary(self) -> Path:
        """A fresh name on the same file system as the store, so that linking into place cannot copy."""
        with sentences():
            self.incoming.mkdir(parents=True, exist_ok=True)
        return self.incoming / secrets.token_hex(16)

    def link_into_place(self, temporary: Path, stored: Stored) -> None:
        final = self.path(stored.sha256)
        # Folders too, once per process even if they exist: whoever made them may not have come that far yet.
        unsure = [
            level for level in (final.parent, final.parent.parent, self.root) if level not in self._durable
        ]
        with sentences():
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

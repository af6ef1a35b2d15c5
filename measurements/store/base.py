"""What every store has in common: a file on its way in lies on a local disk, wherever it goes."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from measurements.store.errors import StoreFullError, StoreUnavailableError, readable, sentences
from measurements.store.pending import CHUNK_BYTES, Pending, Readable, Stored

ORPHAN_AGE_S = 24 * 3600


class Store(ABC):
    """Bytes under their own hash, never changed. `incoming/` holds what is not complete yet."""

    def __init__(self, scratch: Path, least_free_bytes: int = 0) -> None:
        self.scratch = scratch
        self.incoming = scratch / "incoming"
        self.least_free_bytes = least_free_bytes

    # --- in ------------------------------------------------------------------------------------------

    def begin(self, *, limit: int | None = None) -> Pending:
        self.require_room()
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

    def new_temporary(self) -> Path:
        """A fresh name in `incoming/`."""
        with sentences():
            if not self.incoming.is_dir():
                self.incoming.mkdir(parents=True, exist_ok=True)
        return self.incoming / secrets.token_hex(16)

    def free_bytes(self) -> int:
        """On the disk to which uploads are written."""
        with sentences():
            try:
                return shutil.disk_usage(self.scratch).free
            except FileNotFoundError:
                self.scratch.mkdir(parents=True, exist_ok=True)
                return shutil.disk_usage(self.scratch).free

    def require_room(self, expected_bytes: int = 0) -> None:
        """StoreFullError unless so many bytes fit and the reserve stays free: the database needs it."""
        free = self.free_bytes()
        if free - expected_bytes >= self.least_free_bytes:
            return
        wanted = f"the file has {readable(expected_bytes)} and " if expected_bytes else ""
        raise StoreFullError(
            f"The disk of the raw files has {readable(free)} left; {wanted}"
            f"{readable(self.least_free_bytes)} must stay free (VITRINE_MIN_FREE_BYTES), so the file was not "
            "taken. Keep it, ask the operator to make space, and send it again."
        )

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

    @abstractmethod
    def link_into_place(self, temporary: Path, stored: Stored) -> None:
        """Make the synced file `temporary` durable under its hash; it may be unlinked afterwards."""

    # --- out -----------------------------------------------------------------------------------------

    @abstractmethod
    def open(self, sha256: str) -> BinaryIO:
        """The bytes as a stream that can seek, or StoreUnavailableError with the remedy."""

    @abstractmethod
    def local(self, sha256: str) -> AbstractContextManager[Path]:
        """The file on a local disk while the block lasts: libraries want paths. Never write to it."""

    @abstractmethod
    def examine(self, sha256: str, size: int | None = None) -> str:
        """Re-read the bytes: what is wrong with them, in words, or "" when they still have their hash.

        Raises StoreUnavailableError when the store itself cannot be reached, which says nothing of the file.
        """

    def verify(self, sha256: str) -> bool:
        """Whether the bytes under this hash still have this hash."""
        try:
            return not self.examine(sha256)
        except StoreUnavailableError:
            return False

    # --- housekeeping --------------------------------------------------------------------------------

    @abstractmethod
    def require_reachable(self) -> None:
        """StoreUnavailableError unless the place where the bytes lie answers."""

    def is_reachable(self) -> bool:
        """Whether what failed may be the fault of one file; otherwise it is worth another try later."""
        try:
            self.require_reachable()
        except StoreUnavailableError:
            return False
        return True

    @abstractmethod
    def hashes(self) -> Iterator[str]:
        """Everything that lies in its place, named by a row or not."""

    @abstractmethod
    def set_aside(self, sha256: str, *, older_than_s: float = ORPHAN_AGE_S) -> bool:
        """Move a file that no row names into `orphans/`, unless it is younger or an upload relies on it."""

    @abstractmethod
    def bring_back(self, sha256: str) -> bool:
        """Move a file from `orphans/` to its place; False when it is not there."""

    @abstractmethod
    def orphans(self) -> list[str]:
        """What was set aside."""

    @abstractmethod
    def remove(self, sha256: str) -> None:
        """Delete the bytes. Only for what no row names, and never for what a receipt has named."""

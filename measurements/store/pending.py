"""A file on its way in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from measurements.store.errors import TooLargeError, readable, sentences
from measurements.store.hashing import Hashing
from measurements.store.writeback import hand_on

CHUNK_BYTES = 1024 * 1024
# The kernel caches in pieces as large as what is written at once, and has small ones at hand: to copy 2 GiB
# took it 0.1 s by 64 kB, 0.6 s by 256 kB and 2.5 s by whole megabytes.
WRITE_BYTES = 64 * 1024
HAND_ON_BYTES = 8 * CHUNK_BYTES
LOOK_EVERY_BYTES = 64 * 1024**2


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Stored:
    sha256: str
    size: int


class Destination(Protocol):
    """The store that a pending file goes to."""

    def new_temporary(self) -> Path: ...

    def require_room(self) -> None: ...

    def link_into_place(self, temporary: Path, stored: Stored) -> None: ...


class Pending:
    """A file on its way in: written and hashed, not yet durable, under no name that anyone relies on."""

    def __init__(self, store: Destination, limit_bytes: int | None) -> None:
        self._store = store
        self._limit_bytes = limit_bytes
        self._look_again_at = LOOK_EVERY_BYTES
        self._hashed = Hashing()
        self.size = 0
        self._handed_on = 0
        self.path = store.new_temporary()
        with sentences():
            self._fd: int | None = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)

    def write(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        if self._limit_bytes is not None and self.size > self._limit_bytes:
            self.discard()
            raise TooLargeError(
                f"The file has more than {readable(self._limit_bytes)}, the most that one file may have "
                "here. Send it in parts, or ask the operator to raise VITRINE_MAX_UPLOAD_BYTES."
            )
        if self.size >= self._look_again_at:
            self._store.require_room()  # others fill the disk too
            self._look_again_at = self.size + LOOK_EVERY_BYTES
        self._hashed.update(data)
        self._append(data)

    def _append(self, data: bytes | memoryview) -> None:
        assert self._fd is not None
        with sentences():
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view[:WRITE_BYTES]) :]
        if self.size - self._handed_on >= HAND_ON_BYTES:
            hand_on(self._fd, self._handed_on, self.size - self._handed_on)
            self._handed_on = self.size

    def sha256(self) -> str:
        """Of what was written so far."""
        return self._hashed.hexdigest()

    def head(self, size: int) -> bytes:
        """The first bytes, for readers that recognise a format by them."""
        if self._fd is None:
            return b""
        return os.pread(self._fd, size, 0)

    def keep(self) -> Stored:
        """Make the file durable under its hash. Only after this may a row name it."""
        assert self._fd is not None
        with sentences():
            os.fchmod(self._fd, 0o400)
            os.fsync(self._fd)
        stored = Stored(self.sha256(), self.size)
        self._store.link_into_place(self.path, stored)
        self.discard()
        return stored

    def discard(self) -> None:
        self._hashed.close()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self.path.unlink(missing_ok=True)

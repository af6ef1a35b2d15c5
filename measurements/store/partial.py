"""A file that comes in several pieces: it lies beside the store, on the same file system, until it is whole.

Hashes cannot be saved in the middle, so what this process has hashed stays in its memory; the rest is read
once more at the end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from measurements.store.base import Store
from measurements.store.errors import StoreUnavailableError, sentences
from measurements.store.hashing import Hashing
from measurements.store.pending import CHUNK_BYTES, Pending, Stored

FOLDER = "partial"
REMEMBERED = 256


_remembered: OrderedDict[Path, Hashing] = OrderedDict()
_remembering = threading.Lock()


def _recall(path: Path, size: int) -> Hashing:
    with _remembering:
        hashed = _remembered.pop(path, None)
    return hashed if hashed is not None and hashed.size <= size else Hashing()


def _remember(path: Path, hashed: Hashing) -> None:
    with _remembering:
        _remembered[path] = hashed
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)


def partial_path(store: Store, name: str) -> Path:
    return store.scratch / FOLDER / name


def create_partial(store: Store, name: str) -> None:
    """An empty file that is there after a power cut too."""
    path = partial_path(store, name)
    with sentences():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        for folder in (path.parent, path.parent.parent):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)


def remove_partial(store: Store, name: str) -> None:
    path = partial_path(store, name)
    path.unlink(missing_ok=True)
    with _remembering:
        _remembered.pop(path, None)


def partial_names(store: Store) -> Iterator[str]:
    folder = partial_path(store, "any").parent
    yield from (path.name for path in folder.glob("*"))


class Partial(Pending):
    """An unfinished file, open for its next piece. `keep()` and `discard()` leave it where it is."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._limit_bytes = None
        self.path = partial_path(store, name)
        self.size = self._handed_on = 0
        self._hashed = Hashing()
        try:
            self._fd: int | None = os.open(self.path, os.O_RDWR)
        except OSError as error:
            raise StoreUnavailableError(
                f"The part of the file that is already here cannot be opened ({error.strerror}). Begin this "
                "upload anew."
            ) from error

    def lock(self) -> bool:
        """Whether this is the only one open; the kernel frees the lock when its process dies."""
        assert self._fd is not None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def go_on_at(self, size: int) -> None:
        """Forget what lies behind `size`: nobody was told that it is here."""
        assert self._fd is not None
        with sentences():
            if os.fstat(self._fd).st_size < size:
                raise StoreUnavailableError(
                    "Bytes that were already here are gone from the disk. Begin this upload anew, and tell "
                    "the operator."
                )
            if os.fstat(self._fd).st_size > size:  # never of a whole file, which the store may share already
                os.ftruncate(self._fd, size)
            os.lseek(self._fd, size, os.SEEK_SET)
        self.size = self._handed_on = size
        self._hashed = _recall(self.path, size)

    def write(self, data: bytes | memoryview) -> None:
        # With a gap before it, it is hashed at the end together with the gap.
        if self._hashed.size == self.size:
            self._hashed.update(data)
        self.size += len(data)
        self._append(data)

    def flush(self) -> None:
        """After this, `size` bytes survive a power cut."""
        assert self._fd is not None
        with sentences():
            os.fsync(self._fd)

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """What the block writes is taken back when it raises."""
        before, hashed = self.size, self._hashed.copy()
        try:
            yield
        except BaseException:
            assert self._fd is not None
            os.ftruncate(self._fd, before)
            os.lseek(self._fd, before, os.SEEK_SET)
            self._hashed.close()
            self.size = self._handed_on = before
            self._hashed = hashed
            raise

    def sha256(self) -> str:
        assert self._fd is not None
        while self._hashed.size < self.size:
            most = min(CHUNK_BYTES, self.size - self._hashed.size)
            data = os.pread(self._fd, most, self._hashed.size)
            if not data:
                raise StoreUnavailableError("The file became shorter while it was hashed. Send it again.")
            self._hashed.update(data)
        return self._hashed.hexdigest()

    def keep(self) -> Stored:
        assert self._fd is not None
        with sentences():
            os.utime(self._fd)  # it may have waited for days, and a sweep goes by the age of what it finds
        return super().keep()

    def discard(self) -> None:
        """Close it. It stays, for its next piece."""
        self._hashed.close()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            _remember(self.path, self._hashed)

"""A file that comes in several pieces: it lies beside the store, on the same file system, until it is whole.

Each file has one writer, who holds the kernel's lock on it. Who takes the place of a writer that hangs goes
on in a copy under the same name: what the other still does to its own file concerns nobody.

Hashes cannot be saved in the middle, so what this process has hashed stays in its memory; the rest is read
once more at the end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measurements.store.base import Store
from measurements.store.errors import StoreUnavailableError, sentences
from measurements.store.files import fsync_folder
from measurements.store.hashing import Hashing
from measurements.store.pending import CHUNK_BYTES, WRITE_BYTES, Pending, Stored

FOLDER = "partial"
REMEMBERED = 256


@dataclass(frozen=True)
class _Remembered:
    hashed: Hashing
    seen: tuple[int, int, int]  # the file as it was: what another process added to it was not hashed here


_remembered: OrderedDict[Path, _Remembered] = OrderedDict()
_remembering = threading.Lock()


class LostError(StoreUnavailableError):
    """Bytes that were acknowledged are not there, and will not come back by themselves."""

    def __init__(self) -> None:
        super().__init__(
            "Bytes that were already here are gone from the disk. Begin this upload anew, and tell the "
            "operator."
        )


def _seen(fd: int) -> tuple[int, int, int]:
    found = os.fstat(fd)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _recall(path: Path, size: int, seen: tuple[int, int, int]) -> Hashing:
    with _remembering:
        known = _remembered.pop(path, None)
    return known.hashed if known and known.seen == seen and known.hashed.size <= size else Hashing()


def _remember(path: Path, known: _Remembered) -> None:
    with _remembering:
        _remembered[path] = known
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
            fsync_folder(folder)


def remove_partial(store: Store, name: str) -> None:
    path = partial_path(store, name)
    path.unlink(missing_ok=True)
    with _remembering:
        _remembered.pop(path, None)


def partial_names(store: Store, *, older_than_s: float) -> Iterator[str]:
    """Those to which nothing was added for so long."""
    limit = time.time() - older_than_s
    for path in partial_path(store, "any").parent.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < limit:
                yield path.name


class Partial(Pending):
    """An unfinished file, open for its next piece. `keep()` and `discard()` leave it where it is.

    A `whole` one is only read: it may have a place in the store already, where nothing may write to it.
    """

    def __init__(self, store: Store, name: str, *, whole: bool = False) -> None:
        self._store: Store = store
        self._limit_bytes = None
        self.path = partial_path(store, name)
        self.size = self._handed_on = 0
        self.acknowledged_bytes = 0
        self._hashed = Hashing()
        self._copy: tuple[int, Path] | None = None
        self._whole = whole
        try:
            self._fd: int | None = os.open(self.path, os.O_RDONLY if whole else os.O_RDWR)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and self.path.parent.is_dir():  # else it is not mounted
                raise LostError from error
            raise StoreUnavailableError(
                f"The part of the file that is already here cannot be opened ({error.strerror}). Ask the "
                "operator to repair the folder of raw files, then go on with this upload."
            ) from error

    def lock(self) -> bool:
        """Whether this is the only one open; the kernel frees the lock when its process dies."""
        assert self._fd is not None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def copy(self, size: int) -> Iterator[None]:
        """Copy the first `size` bytes into a file that nobody else has open, which `replace` makes this one.

        It stops after each piece, for whoever has to say that this takes long.
        """
        assert self._fd is not None
        self._store.require_room(size)
        path = self._store.new_temporary()
        with sentences():
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            self._copy = fd, path
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            while self._hashed.size < size:
                data = os.pread(self._fd, min(CHUNK_BYTES, size - self._hashed.size), self._hashed.size)
                if not data:
                    raise LostError
                self._hashed.update(data)
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view[:WRITE_BYTES]) :]
                yield
            os.fsync(fd)

    def replace(self) -> None:
        """Give the copy the name, durably, and go on in it."""
        assert self._fd is not None
        assert self._copy is not None
        fd, path = self._copy
        with sentences():
            os.replace(path, self.path)
            os.close(self._fd)
            self._fd, self._copy = fd, None
            fsync_folder(self.path.parent)

    def go_on_at(self, size: int) -> None:
        """Forget what lies behind `size`: nobody was told that it is here."""
        assert self._fd is not None
        with sentences():
            here = os.fstat(self._fd).st_size
            if here < size or (self._whole and here != size):
                raise LostError
            if self._hashed.size < size:  # it may have been hashed as it was copied
                self._hashed = _recall(self.path, size, _seen(self._fd))
            if here > size:
                os.ftruncate(self._fd, size)
            os.lseek(self._fd, size, os.SEEK_SET)
        self.size = self._handed_on = self.acknowledged_bytes = size

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
        """When the block raises, what it wrote does not count. It is cut off by whoever goes on."""
        before, hashed = self.size, self._hashed.copy()
        try:
            yield
        except BaseException:
            assert self._fd is not None
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
                raise LostError
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
        if self._copy is not None:
            fd, path = self._copy
            os.close(fd)
            path.unlink(missing_ok=True)
            self._copy = None
        if self._fd is not None:
            if self._hashed.size <= self.acknowledged_bytes:  # what was not acknowledged may come otherwise
                _remember(self.path, _Remembered(self._hashed, _seen(self._fd)))
            os.close(self._fd)
            self._fd = None

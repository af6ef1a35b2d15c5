"""HDF5 files on a disk that may be full.

HDF5 does not recover from a file that it could not write: what it had open stays in its lists, and a later,
sound file of the same process ends that process (seen with HDF5 2.0). So it never hears of the disk's errors:
they are kept until it has closed its file, and raised then. Pure floor; h5py is imported inside.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

OLDEST_READERS = ("earliest", "v110")


@contextmanager
def created(target: Path | BinaryIO, **options: Any) -> Iterator[Any]:
    """A new h5py.File; what the disk refused is raised as OSError when it is closed."""
    yield from _opened(target, "w+", "w", {"libver": OLDEST_READERS, **options})


@contextmanager
def changed(target: Path) -> Iterator[Any]:
    """Likewise one that is there."""
    yield from _opened(target, "r+", "r+", {})


def _opened(target: Path | BinaryIO, opened: str, mode: str, options: dict[str, Any]) -> Iterator[Any]:
    import h5py

    if not isinstance(target, Path):  # in memory
        with h5py.File(target, mode, **options) as file:
            yield file
        return
    with io.FileIO(target, opened) as raw:
        patient = _Patient(raw)
        try:
            with h5py.File(patient, mode, **options) as file:
                yield file
        finally:
            if patient.error is not None:
                raise patient.error


class _Patient(io.RawIOBase):
    """A file that takes everything; `error` : the first that it kept to itself."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any, /) -> int | None:
        return self._file.readinto(buffer)

    def write(self, data: Any, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and self.error is None:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        try:
            return self._file.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

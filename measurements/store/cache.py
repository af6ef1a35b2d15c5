"""A bounded folder of local copies, shared by the processes of one machine."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class FileCache:
    """Files by name; whoever uses one holds a shared lock on it, and only unlocked ones give way."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder, self.most_bytes = folder, most_bytes

    @contextmanager
    def file(self, name: str, fetch: Callable[[], Path]) -> Iterator[Path]:
        """The file of this name while the block lasts; `fetch` gives a finished one to be taken over."""
        path = self.folder / name
        while True:
            try:
                fd = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                self.folder.mkdir(parents=True, exist_ok=True)
                fetched = fetch()
                os.chmod(fetched, 0o400)
                with suppress(FileExistsError):  # never in the place of one that somebody may have opened
                    os.link(fetched, path)
                fetched.unlink()
                continue
            fcntl.flock(fd, fcntl.LOCK_SH)
            if _is_at(path, fd):
                break
            os.close(fd)  # it gave way between opening and locking
        try:
            now_ns = time.time_ns()  # finer than the clock of the file system
            os.utime(path, ns=(now_ns, now_ns))
            self._make_room()
            yield path
        finally:
            os.close(fd)

    def _make_room(self) -> None:
        """Oldest use first, until the rest fits."""
        files = []
        for path in self.folder.glob("*"):
            with suppress(FileNotFoundError):
                files.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.most_bytes:
                return
            with suppress(FileNotFoundError, BlockingIOError):
                fd = os.open(path, os.O_RDONLY)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if _is_at(path, fd):  # and not another, fetched since, that has readers
                        path.unlink()
                        total -= size
                finally:
                    os.close(fd)


def _is_at(path: Path, fd: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(fd))
    return False

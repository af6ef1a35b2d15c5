"""Raw files in a folder of this machine."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from measurements.store.base import ORPHAN_AGE_S, Store
from measurements.store.errors import StoreUnavailableError, sentences
from measurements.store.pending import Stored

log = logging.getLogger(__name__)

NAME = re.compile(r"[0-9a-f]{64}")


class BlobStore(Store):
    """Files under `root/ab/cd/<sha256>`, beside `incoming/` and `orphans/`."""

    def __init__(self, root: Path, least_free_bytes: int = 0) -> None:
        super().__init__(root, least_free_bytes)
        self.root = root
        self.aside = root / "orphans"
        self._durable: set[str] = set()  # folders whose entry in their parent is on disk

    def path(self, sha256: str) -> Path:
        return Path(self._folders(sha256)[-1], sha256)

    def _folders(self, sha256: str) -> tuple[str, str, str]:
        """From the root to the one in which the file lies."""
        root = str(self.root)
        return root, f"{root}/{sha256[:2]}", f"{root}/{sha256[:2]}/{sha256[2:4]}"

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self._open(sha256)
        except OSError as error:
            raise StoreUnavailableError(
                f"The stored file {sha256[:12]}… cannot be opened ({error.strerror}). Tell the operator: "
                "the Storage page says how to restore it from a backup."
            ) from error

    def _open(self, sha256: str) -> BinaryIO:
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError:
            if not self.bring_back(sha256):
                raise
            return self.path(sha256).open("rb")

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        self.open(sha256).close()
        yield self.path(sha256)

    def examine(self, sha256: str, size: int | None = None) -> str:
        self.require_reachable()
        try:
            with self._open(sha256) as file:
                found = os.fstat(file.fileno()).st_size
                if size is not None and found != size:
                    return f"has {found} bytes instead of {size}"
                _forget_cached(file)
                digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        except FileNotFoundError:
            return "is missing"
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        return "" if digest == sha256 else "has other bytes than were received"

    def require_reachable(self) -> None:
        try:
            with os.scandir(self.root):
                pass
        except OSError as error:
            raise StoreUnavailableError(
                f"The folder of raw files, {self.root}, cannot be read ({error.strerror}). Mount or repair "
                "it."
            ) from error

    def link_into_place(self, temporary: Path, stored: Stored) -> None:
        # As text: of what a small file costs in the interpreter, a tenth was paths.
        folders = self._folders(stored.sha256)
        # Folders too, once per process even if they exist: whoever made them may not have come that far yet.
        unsure = [folder for folder in folders if folder not in self._durable]
        with sentences():
            for folder in unsure:
                with suppress(FileExistsError):
                    os.mkdir(folder)
            try:
                # A link, not a rename: of two that send the same bytes, the first file stays untouched.
                os.link(temporary, f"{folders[-1]}/{stored.sha256}")
            except FileNotFoundError:
                self._durable.clear()  # somebody took folders away: they are made again for the next
                raise
            except FileExistsError:
                self._rely_on(self.path(stored.sha256), temporary, stored.sha256)
            # All at the end: a journal that has just written the lowest folder has written those above it.
            for folder in (folders[-1], *(os.path.dirname(each) or "." for each in reversed(unsure))):
                fsync_folder(folder)
        self._durable.update(unsure)

    def _rely_on(self, final: Path, temporary: Path, sha256: str) -> None:
        """These bytes are said to be here already. A receipt will say so too: look before it does."""
        if self.verify(sha256):
            try:
                os.utime(final)  # a sweep that was about to set it aside sees that it is wanted
            except FileNotFoundError:
                with suppress(FileExistsError):
                    os.link(temporary, final)
            return
        log.error("%s was damaged on disk and is replaced by the same bytes sent again.", final)
        repaired = self.new_temporary()
        os.link(temporary, repaired)
        os.replace(repaired, final)

    def hashes(self) -> Iterator[str]:
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
            yield from sorted(name for name in os.listdir(folder) if NAME.fullmatch(name))

    def set_aside(self, sha256: str, *, older_than_s: float = ORPHAN_AGE_S) -> bool:
        path, aside = self.path(sha256), self.aside / sha256
        limit = time.time() - older_than_s
        try:
            if path.stat().st_mtime >= limit:
                return False
            self.aside.mkdir(exist_ok=True)
            path.rename(aside)
        except FileNotFoundError:
            return False
        if aside.stat().st_mtime >= limit:  # an upload of the same bytes touched it between look and move
            self.bring_back(sha256)
            return False
        return True

    def bring_back(self, sha256: str) -> bool:
        path, aside = self.path(sha256), self.aside / sha256
        try:
            with suppress(FileExistsError):
                os.link(aside, path)
        except FileNotFoundError:
            return False
        fsync_folder(path.parent)
        aside.unlink(missing_ok=True)
        return True

    def orphans(self) -> list[str]:
        return sorted(path.name for path in self.aside.glob("*") if NAME.fullmatch(path.name))

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)
        (self.aside / sha256).unlink(missing_ok=True)


def _forget_cached(file: BinaryIO) -> None:
    """What memory still holds proves nothing about the disk."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def fsync_folder(folder: Path | str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

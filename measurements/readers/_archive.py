"""Zip files from strangers: no traversal, no bomb, no surprise.

What an archive announces is not believed: bytes are counted while they are unpacked.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from measurements.data import ReadError
from samples.zip_directory import DirectoryError, check_directory

MOST_FILES = 5_000
MOST_BYTES = 1024**3
MOST_RATIO = 200  # deflate reaches 1000; instruments' XML stays far below
RATIO_FROM_BYTES = 10 * 1024**2  # a small file may well be all zeros
PIECE = 1024 * 1024
BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    struct.error, KeyError, IndexError, UnicodeError, OverflowError,
)  # fmt: skip


class Archive:
    """A zip file of which every member can be read in full, and none reaches out of its folder."""

    def __init__(self, path: Path) -> None:
        try:
            with _sentences(), path.open("rb") as stream:
                check_directory(stream, MOST_FILES)
        except DirectoryError as error:
            raise ReadError(f"the archive {error}. Send its files in parts.") from None
        with _sentences():
            self._zip = zipfile.ZipFile(path)
            infos = self._zip.infolist()
        self._size = path.stat().st_size
        self._spent = 0
        self._members = {}
        for info in infos:
            if info.is_dir():
                continue
            name = info.filename.replace("\\", "/")
            if _reaches_out(name) or stat.S_ISLNK(info.external_attr >> 16):
                self.close()
                raise ReadError(
                    f"the archive holds “{name[:80]}”, which points out of its folder, so it is not opened. "
                    "Zip the folder of the measurement itself."
                )
            self._members[name] = info

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """Names of its files with forward slashes, in the order of the archive."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """One file of it, in full. ReadError when there is none of that name."""
        return b"".join(self._pieces(name))

    def find(self, pattern: str) -> list[str]:
        """Names of files that match a regular expression somewhere."""
        return [name for name in self._members if re.search(pattern, name)]

    def unpack(self, folder: Path) -> list[Path]:
        """Write every file into `folder`, which must be empty; returns where they are."""
        written = []
        for name in self._members:
            target = folder / PurePosixPath(name)
            with _sentences():
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    for piece in self._pieces(name):
                        file.write(piece)
            written.append(target)
        return written

    def _pieces(self, name: str) -> Iterator[bytes]:
        if name not in self._members:
            raise ReadError(f"the archive does not hold “{name}”. It is damaged or of another format.")
        with _sentences(), self._zip.open(self._members[name]) as member:
            while piece := member.read(PIECE):
                self._spent += len(piece)
                if self._spent > MOST_BYTES or (
                    self._spent > RATIO_FROM_BYTES and self._spent > MOST_RATIO * self._size
                ):
                    raise ReadError(
                        f"the archive unpacks to more than {self._spent / 1e6:.0f} MB from "
                        f"{self._size / 1e6:.2g} MB, so it is not opened any further. Send its files singly."
                    )
                yield piece


def _reaches_out(name: str) -> bool:
    parts = name.split("/")
    return name.startswith("/") or "\0" in name or ".." in parts or ":" in parts[0] or not name.strip("/. ")


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise ReadError(
            f"the archive is damaged or cut off ({error}). Copy it again from the instrument."
        ) from None

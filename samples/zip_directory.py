"""How much a zip says that it holds, before `zipfile` builds an object for each entry. No Django here."""

from __future__ import annotations

import struct
import zipfile
from typing import BinaryIO

MOST_DIRECTORY_BYTES = 8_000_000
ENTRY = b"PK\x01\x02"
SIZE, LOCATION = 5, 9  # in what `_EndRecData` returns
ZIP64_END_BYTES = 76  # may lie between the directory and the end


class DirectoryError(Exception):
    """More than is opened; the message says how much, and goes on after the name of the archive."""


def check_directory(stream: BinaryIO, most_files: int) -> None:
    """DirectoryError for a zip whose central directory is too large. What is no zip, zipfile refuses."""
    try:
        # zipfile's own search for the end: another one could find another end than it will use.
        end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
    except (zipfile.BadZipFile, OSError, struct.error):
        return
    if not end:
        return
    size_bytes = end[SIZE]
    if size_bytes > MOST_DIRECTORY_BYTES:
        raise DirectoryError(
            f"has {size_bytes / 1e6:.0f} MB of names alone; up to "
            f"{MOST_DIRECTORY_BYTES / 1e6:.0f} MB are read"
        )
    # zipfile does not believe the number in the end record either: it takes what is there.
    stream.seek(max(end[LOCATION] - size_bytes - ZIP64_END_BYTES, 0))
    files = stream.read(size_bytes + ZIP64_END_BYTES).count(ENTRY)
    stream.seek(0)
    if files > most_files:
        raise DirectoryError(f"holds {files} files; up to {most_files} are read")

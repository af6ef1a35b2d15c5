"""The durable, content-addressed store: bytes live under their own SHA-256 and are never changed.

The order is the promise: temporary file, hash while writing, fsync, link into place, fsync the folder. Only
what has come that far may be named by a row in the database or by a receipt. A crash at any point leaves
either a complete file under its hash or an orphan in `incoming/`, which a sweep removes after a day.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from measurements.store.errors import StoreError, StoreFullError, StoreUnavailableError, TooLargeError
from measurements.store.files import ORPHAN_AGE_S, BlobStore
from measurements.store.pending import CHUNK_BYTES, Pending, Readable, Stored

__all__ = [
    "CHUNK_BYTES",
    "ORPHAN_AGE_S",
    "BlobStore",
    "Pending",
    "Readable",
    "StoreError",
    "StoreFullError",
    "StoreUnavailableError",
    "Stored",
    "TooLargeError",
    "store",
]


@cache
def _at(root: Path) -> BlobStore:
    return BlobStore(root)


def store() -> BlobStore:
    """The store of this installation."""
    from django.conf import settings

    return _at(Path(settings.RAW_FILES_DIR))

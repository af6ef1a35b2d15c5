"""The durable, content-addressed store: bytes live under their own SHA-256 and are never changed.

The order is the promise: temporary file, hash while writing, fsync, link into place, fsync the folder. Only
what has come that far may be named by a row in the database or by a receipt. A crash at any point leaves
either a complete file under its hash or an orphan in `incoming/`, which a sweep removes after a day. A
complete file that no row names after a day (killed between link and commit) is set aside in `orphans/`, never
deleted.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from measurements.store.base import ORPHAN_AGE_S, Store
from measurements.store.errors import (
    QuotaError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    TooLargeError,
    readable,
)
from measurements.store.files import BlobStore
from measurements.store.pending import CHUNK_BYTES, Pending, Readable, Stored

__all__ = [
    "CHUNK_BYTES",
    "ORPHAN_AGE_S",
    "BlobStore",
    "Pending",
    "QuotaError",
    "Readable",
    "Store",
    "StoreError",
    "StoreFullError",
    "StoreUnavailableError",
    "Stored",
    "TooLargeError",
    "readable",
    "store",
]


@cache
def _at(url: str, folder: Path, least_free_bytes: int, cache_bytes: int) -> Store:
    if not url:
        return BlobStore(folder, least_free_bytes)
    from measurements.store.objects import ObjectStore

    return ObjectStore(url, folder, least_free_bytes, cache_bytes)


def store() -> Store:
    """The store of this installation."""
    from django.conf import settings

    folder = settings.SCRATCH_DIR if settings.STORAGE_URL else settings.RAW_FILES_DIR
    return _at(settings.STORAGE_URL, Path(folder), settings.MIN_FREE_BYTES, settings.CACHE_BYTES)

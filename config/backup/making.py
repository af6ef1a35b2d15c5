"""A backup: the database in one snapshot, then every file which that snapshot names."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import psycopg

from config import dumping, postgres
from config.backup.folder import (
    DUMP,
    HALF_MADE,
    KEPT_OF_DATA,
    Backup,
    BackupError,
    Copied,
    Manifest,
    clear_half_made,
    kept_files,
    new_name,
    seal,
)
from measurements.store import BlobStore, Store, StoreError, StoreUnavailableError

HERE = "SELECT to_regclass('measurements_blob') IS NOT NULL"


def make(folder: Path, *, url: str, files: Store, data: Path) -> Backup:
    """Back up the database at `url`, its `files` and what belongs to them of the folder `data`.

    The caller holds the lock of `folder`. Killed at any point, it leaves nothing that looks like a backup;
    what was copied by then serves the next one.
    """
    clear_half_made(folder)
    name = new_name()
    if (folder / name).exists():
        raise BackupError(f"There is a backup {name} already; wait a second.")
    half_made = folder / f"{HALF_MADE}{name}"
    half_made.mkdir(mode=0o700)
    with psycopg.connect(url) as connection:
        # Files are never changed and a row comes after its file, so whatever this snapshot names exists.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        if connection.execute(HERE).fetchone() != (True,):
            raise BackupError("The database holds no Vitrine: it was never migrated.")
        dumping.dump(postgres.postgres_programs(), url, half_made / DUMP, snapshot)
        tables = dumping.row_counts(connection)
        migrations = [
            f"{app}.{name}"
            for app, name in connection.execute("SELECT app, name FROM django_migrations ORDER BY id")
        ]
        blobs = connection.execute("SELECT sha256, size FROM measurements_blob ORDER BY sha256").fetchall()
        version = connection.info.server_version // 10000
    copied = copy_files(files, kept_files(folder), blobs)
    for kept in KEPT_OF_DATA:
        if (data / kept).exists():
            (half_made / "data").mkdir(mode=0o700, exist_ok=True)
            shutil.copy2(data / kept, half_made / "data" / kept)
    manifest = Manifest(
        made_at=f"{name[:10]} {name[11:19].replace('-', ':')} UTC",
        postgresql=version,
        tables=tables,
        migrations=migrations,
        files=len(copied.sound),
        size_bytes=copied.size_bytes,
        copied_bytes=copied.copied_bytes,
        unsound=copied.unsound,
    )
    return seal(half_made, manifest, copied.sound)


def copy_files(source: Store, target: BlobStore, blobs: Iterable[tuple[str, int]]) -> Copied:
    """What `target` lacks is copied, synced and read again. A copy, as a link would share its damage."""
    done = Copied()
    for sha256, size in blobs:
        there = target.path(sha256)
        if not (there.exists() and there.stat().st_size == size):
            if wrong := _copy(source, target, sha256, size):
                done.unsound[sha256] = wrong
                continue
            done.copied_bytes += size
        done.sound.append(sha256)
        done.size_bytes += size
    return done


def _copy(source: Store, target: BlobStore, sha256: str, size: int) -> str:
    """What is wrong with the file in `source`, or "" when it is in `target`, read again there."""
    try:
        with source.open(sha256) as file:
            stored = target.put(_Source(file))
    except UnreadableError as error:
        return f"cannot be read ({error})"
    except StoreUnavailableError as error:
        source.require_reachable()
        target.require_reachable()
        return str(error)
    if stored.sha256 != sha256:
        target.remove(stored.sha256)
        return f"has other bytes than were received ({stored.size} of {size})"
    return target.examine(sha256, size)


class UnreadableError(Exception):
    """The source broke off; what the target says of itself is another thing."""


class _Source:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        try:
            return self._file.read(size)
        except (OSError, StoreError) as error:
            raise UnreadableError(str(error)) from error

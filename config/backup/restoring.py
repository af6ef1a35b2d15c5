"""A backup becomes a Vitrine again: in an empty data folder, or in a database and a store that are empty."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg

from config import dumping, locations, postgres
from config.backup.folder import (
    KEPT_OF_DATA,
    Backup,
    BackupError,
    Manifest,
    kept_files,
    new_name,
    sha256_of,
)
from config.bootstrap import PYTHON, ROOT
from measurements.store import CHUNK_BYTES, BlobStore, Store, StoreUnavailableError

REPLACED = "replaced-"
# All that a restore makes in the data folder, and so all that one which was killed can have left.
MADE = ("pg", "files", "scratch", "run", *KEPT_OF_DATA)
# Of a database that `migrate` has just made; nobody would miss it.
UNUSED = "SELECT NOT EXISTS (SELECT FROM samples_user) AND NOT EXISTS (SELECT FROM measurements_blob)"
LOST = """
    UPDATE measurements_blob SET damaged_at = coalesce(damaged_at, now()), damage = left(%s, 200)
    WHERE sha256 = %s
"""


def check(backup: Backup) -> Manifest:
    """Everything that can be known before anything is changed."""
    manifest = backup.manifest()
    known = {f"{path.parent.parent.name}.{path.stem}" for path in ROOT.glob("*/migrations/[0-9]*.py")}
    ours = {name.partition(".")[0] for name in known}
    newer = [name for name in manifest.migrations if name.partition(".")[0] in ours and name not in known]
    if newer:
        raise BackupError(
            f"{backup.name} was made by a newer Vitrine (with {newer[-1]}). Update this one, then restore."
        )
    for sha256, place in backup.sums():
        if place.parts[0] != "files":
            _require_as_written(backup.folder / place, sha256)
    return manifest


def _require_as_written(path: Path, sha256: str) -> None:
    if sha256_of(path) != sha256:
        raise BackupError(f"{path} is not as it was written. Restore another backup, with --at NAME.")


def prepare_folder(data: Path, backup: Backup, *, replace: bool) -> None:
    """An empty data folder, marked as not to be used yet, with what the backup kept of the old one."""
    _require_apart(data, backup.folder)
    if locations.is_supervised(data):
        raise BackupError(f"Vitrine runs on {data}. Stop it first, or restore into another folder.")
    marker = data / locations.UNFINISHED_RESTORE
    if data.is_dir() and any(data.iterdir()) and not marker.exists():
        if not replace:
            raise BackupError(
                f"{data} is not empty. Name an empty folder with --data DIR; or add --replace, which moves "
                "aside what is there."
            )
        # Within the folder, which may be a mount.
        aside = data / f"{REPLACED}{new_name()}"
        aside.mkdir(mode=0o700)
        for path in list(data.iterdir()):
            if path.name != "lock" and not path.name.startswith(REPLACED):
                path.rename(aside / path.name)
    _wait_for_predecessor(data / "pg")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker.write_text(f"{backup.path}\n")
    for leftover in (data / name for name in MADE):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
    for name in KEPT_OF_DATA:
        kept = backup.path / "data" / name
        if kept.exists():
            shutil.copy2(kept, data / name)


def _require_apart(data: Path, backups: Path) -> None:
    """What is moved aside or removed to make room must never be the backups themselves."""
    ours, theirs = data.resolve(), backups.resolve()
    if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
        raise BackupError(
            f"The backups in {backups} and the data folder {data} lie one in the other. Move the backups "
            "elsewhere, or restore into another folder with --data DIR."
        )


def _wait_for_predecessor(cluster: Path, patience_s: float = 30) -> None:
    """The database of a restore that was killed may still be leaving."""
    deadline = time.monotonic() + patience_s
    while pid := postgres.living_postmaster(cluster):
        if time.monotonic() > deadline:
            raise BackupError(f"A PostgreSQL, process {pid}, still serves {cluster}. Stop it first.")
        time.sleep(0.2)


def restore_files(backup: Backup, target: Store) -> dict[str, str]:
    """Copy every file and compare its hash: those that are not sound in the backup, and what is wrong."""
    source, lost = kept_files(backup.folder), {}
    for sha256 in backup.blobs():
        if wrong := _put(source, target, sha256):
            lost[sha256] = wrong
    return lost


def _put(source: BlobStore, target: Store, sha256: str) -> str:
    pending = target.begin()
    try:
        with source.open(sha256) as file:
            while chunk := file.read(CHUNK_BYTES):
                pending.write(chunk)
        if pending.sha256() != sha256:
            return "has other bytes in the backup from which it was restored"
        pending.keep()
    except StoreUnavailableError:
        target.require_room()
        if source.path(sha256).exists():
            raise
        return "is missing in the backup from which it was restored"
    finally:
        pending.discard()
    return ""


def restore_database(backup: Backup, url: str, manifest: Manifest) -> None:
    """Load the dump, count every table, and migrate to what this Vitrine knows."""
    with psycopg.connect(url) as connection:
        there = dumping.row_counts(connection)
        if there:
            unused = "samples_user" in there and connection.execute(UNUSED).fetchone() == (True,)
            if not unused:
                raise BackupError("The database is not empty. Make an empty one and name it in DATABASE_URL.")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    dumping.restore(postgres.postgres_programs(), url, backup.dump)
    with psycopg.connect(url) as connection:
        wrong = dumping.differences(manifest.tables, dumping.row_counts(connection))
    if wrong:
        raise BackupError(f"After restoring, some tables have other numbers of rows: {wrong}.")


def migrate(url: str) -> None:
    command = [str(PYTHON), str(ROOT / "manage.py"), "migrate", "--no-input", "--skip-checks", "-v", "0"]
    done = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"The restored database could not be migrated:\n{done.stderr.strip()}")


def mark_lost(url: str, lost: dict[str, str]) -> None:
    """Files that could not be restored are damaged files: the Storage page and readers say so."""
    with psycopg.connect(url) as connection:
        for sha256, what in lost.items():
            connection.execute(LOST, (what, sha256))


def finish(data: Path) -> None:
    os.sync()
    (data / locations.UNFINISHED_RESTORE).unlink(missing_ok=True)

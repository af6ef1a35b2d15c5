"""`manage.py backup` and `manage.py restore`: arguments in, sentences out."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import embedded, locations, postgres, up
from config.backup import folder as folders
from config.backup import making, restoring
from config.backup.folder import Backup, BackupError
from config.dumping import DumpError
from config.network import RefusedError
from config.supervisor import StartError, Supervisor
from measurements.store import Store, StoreError, readable

ERRORS = (
    BackupError,
    DumpError,
    RefusedError,
    StartError,
    StoreError,
    embedded.MissingServerError,
    OSError,
)


def backup(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "manage.py backup",
        description="Backs up the database and every file it names into DIR, beside earlier backups: files "
        "that are there already are not copied again. Vitrine may be running.",
    )
    parser.add_argument("folder", type=_path, metavar="DIR")
    parser.add_argument("--keep", type=int, metavar="N", help="then remove all but the newest N backups")
    parser.add_argument("--verify", action="store_true", help="make none; read all that are there again")
    parser.add_argument("--data", type=_path, metavar="DIR", help="the data folder, as of `up`")
    options = parser.parse_args(arguments)
    if options.keep is not None and options.keep < 1:
        parser.error("--keep needs 1 or more")
    _use(options.data)
    with _sentences(), folders.locked(options.folder):
        if options.verify:
            return _verify(options.folder)
        with _database(locations.data_dir(), new=False) as url:
            return _make(options.folder, url, options.keep)
    return 1


def restore(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "manage.py restore",
        description="Makes an empty data folder, or an empty database (DATABASE_URL) and store, what they "
        "were when a backup was made, compares every hash and row count, and migrates to this version.",
    )
    parser.add_argument("folder", type=_path, metavar="DIR", help="the folder of backups")
    parser.add_argument("--at", metavar="NAME", help="which backup; by default the newest")
    parser.add_argument("--data", type=_path, metavar="DIR", help="the data folder to fill")
    parser.add_argument("--replace", action="store_true", help="move aside what is in the data folder")
    parser.add_argument("--list", action="store_true", help="restore nothing; say which backups there are")
    options = parser.parse_args(arguments)
    with _sentences():
        found = folders.backups_in(options.folder)
        if options.list:
            for each in found:
                manifest = each.manifest()
                print(f"{each.name}  {manifest.files} files, {readable(manifest.size_bytes)}")
            return 0
        with folders.held(options.folder):
            return _restore(_chosen(options.folder, folders.backups_in(options.folder), options.at), options)
    return 1


def _make(folder: Path, url: str, keep: int | None) -> int:
    started_at = datetime.now(UTC)
    made = making.make(folder, url=url, files=_store(url), data=locations.data_dir())
    manifest = made.manifest()
    _note(made, started_at=started_at, finished_at=datetime.now(UTC))
    print(
        f"{made.path}: {manifest.files} files, {readable(manifest.size_bytes)}, of which "
        f"{readable(manifest.copied_bytes)} were new."
    )
    if keep is not None and (removed := folders.prune(folder, keep)):
        print(f"Removed {', '.join(removed)}.")
    for sha256, wrong in manifest.unsound.items():
        print(f"Not in the backup: {sha256} {wrong}", file=sys.stderr)
    return 1 if manifest.unsound else 0


def _note(made: Backup, **times: Any) -> None:
    """For the Storage page. The folder is the proof: a database that cannot be told of it spoils nothing."""
    from django.db import DatabaseError

    from measurements.models import Backup as Row

    manifest = made.manifest()
    try:
        Row.objects.create(
            folder=str(made.folder),
            name=made.name,
            files=manifest.files,
            size_bytes=manifest.size_bytes,
            copied_bytes=manifest.copied_bytes,
            unsound=len(manifest.unsound),
            **times,
        )
    except DatabaseError as error:
        print(f"The backup is complete, but the Storage page will not show it: {error}", file=sys.stderr)


def _verify(folder: Path) -> int:
    found = folders.backups_in(folder)
    if not found:
        raise BackupError(f"There is no backup in {folder}.")
    damage: dict[str, None] = {}
    for each in found:
        each.manifest()
        wrong = each.damage()
        damage |= dict.fromkeys(wrong)
        print(f"{each.name}: {'every hash agrees' if not wrong else f'{len(wrong)} files are damaged'}")
        if not wrong:
            _note_verified(each)
    for line in damage:
        print(line, file=sys.stderr)
    if damage:
        print("The next backup copies those again that the store still has.", file=sys.stderr)
    return 1 if damage else 0


def _note_verified(backup: Backup) -> None:
    url = os.environ.get("DATABASE_URL") or locations.read_services().get("DATABASE_URL")
    if not url:
        return  # nothing runs; the next verification while it runs is noted
    _set_up(url)
    from measurements.models import Backup as Row

    Row.objects.filter(folder=str(backup.folder), name=backup.name).update(verified_at=datetime.now(UTC))


def _restore(backup: Backup, options: argparse.Namespace) -> int:
    manifest = restoring.check(backup)
    _use(options.data)
    data = locations.data_dir()
    is_elsewhere = bool(os.environ.get("DATABASE_URL"))
    restoring.prepare_folder(data, backup, replace=options.replace)
    print(f"Restoring {backup.name}: {manifest.files} files, {readable(manifest.size_bytes)}.")
    with _database(data, new=True) as url:
        lost = dict(manifest.unsound) | restoring.restore_files(backup, _store(url))
        restoring.restore_database(backup, url, manifest)
        restoring.migrate(url)
        restoring.mark_lost(url, lost)
    restoring.finish(data)
    print(f"All {sum(manifest.tables.values())} rows of {len(manifest.tables)} tables are there.")
    if not lost:
        print(f"All {manifest.files} files are there, and every hash agrees.")
    if not is_elsewhere:
        print(f"Start it: python3 manage.py up --data {data}")
    for sha256, wrong in lost.items():
        print(f"Not restored: {sha256} {wrong}", file=sys.stderr)
    return 1 if lost else 0


def _chosen(folder: Path, found: list[Backup], name: str | None) -> Backup:
    if not found:
        raise BackupError(f"There is no complete backup in {folder}.")
    if name is None:
        return found[-1]
    for each in found:
        if each.name == name:
            return each
    raise BackupError(f"There is no backup {name} in {folder}. There are {', '.join(b.name for b in found)}.")


@contextlib.contextmanager
def _database(data: Path, *, new: bool) -> Iterator[str]:
    """The address of the database: of the one that runs, or of one that is started for this alone."""
    url = os.environ.get("DATABASE_URL") or locations.read_services().get("DATABASE_URL")
    if url:
        yield url
        return
    if not new and not (data / "pg").exists():
        raise BackupError(f"There is no Vitrine in {data}. Name its data folder with --data DIR.")
    said = io.StringIO()
    with up.locked(data), Supervisor(out=said) as supervisor:
        sockets = embedded.socket_folder(data)
        url, child = embedded.database(data, sockets, supervisor.out)
        postgres.wait_for_predecessor(supervisor, data / "pg")
        try:
            supervisor.start(child)
        except StartError as error:
            raise BackupError(f"The database did not start: {error}\n{said.getvalue()}") from error
        yield url


def _store(url: str) -> Store:
    _set_up(url)
    from measurements.store import store

    return store()


def _set_up(url: str) -> None:
    import django

    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


def _use(data: Path | None) -> None:
    if data is not None:
        os.environ["VITRINE_DATA"] = str(data)


def _path(name: str) -> Path:
    return Path(name).expanduser().absolute()


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except ERRORS as error:
        print(f"vitrine: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("vitrine: stopped before the end; what is incomplete will not be used.", file=sys.stderr)

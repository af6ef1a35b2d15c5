"""A folder of backups: what lies where, what belongs to each, and whether it is still sound."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from config.dumping import sync
from measurements.store import BlobStore

FORMAT = 1
NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")
HALF_MADE = ".making-"
DUMP, SUMS, MANIFEST = "database.dump", "SHA256SUMS", "manifest.json"
# Of the data folder: the key that signs sessions, and what `up` knows of the demo. The rest is made anew.
KEPT_OF_DATA = ("secret_key", "demo_password", "demo_was_here")


class BackupError(Exception):
    """What cannot be backed up or restored, in a sentence."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. `sums_sha256` covers the list, and the list covers everything else."""

    made_at: str
    postgresql: int
    tables: dict[str, int]
    migrations: list[str]
    files: int
    size_bytes: int
    copied_bytes: int
    unsound: dict[str, str]
    sums_sha256: str = ""
    format: int = FORMAT


@dataclass(frozen=True)
class Backup:
    """One backup in its folder."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def dump(self) -> Path:
        return self.path / DUMP

    def manifest(self) -> Manifest:
        """What it says of itself, after a look at whether it is whole."""
        try:
            said = json.loads((self.path / MANIFEST).read_text())
            sums = (self.path / SUMS).read_bytes()
        except (OSError, ValueError) as error:
            raise BackupError(f"{self.path} is no complete backup: {error}.") from error
        if said.get("format") != FORMAT:
            raise BackupError(
                f"{self.path} has the format {said.get('format')}; this Vitrine knows {FORMAT}. Use a newer."
            )
        if hashlib.sha256(sums).hexdigest() != said["sums_sha256"]:
            raise BackupError(f"{self.path / SUMS} is not as it was written. Take another backup.")
        return Manifest(**said)

    def sums(self) -> Iterator[tuple[str, Path]]:
        """Hash and place, relative to the folder of backups, of everything that belongs to it."""
        with (self.path / SUMS).open() as lines:
            for line in lines:
                sha256, _, name = line.rstrip("\n").partition("  ")
                yield sha256, Path(name)

    def blobs(self) -> Iterator[str]:
        return (sha256 for sha256, place in self.sums() if place.parts[0] == "files")

    def damage(self) -> list[str]:
        """Read everything again: what is not as it was written, in words."""
        files = kept_files(self.folder)
        found = []
        for sha256, place in self.sums():
            if place.parts[0] == "files":
                wrong = files.examine(sha256)
                if wrong and files.path(sha256).exists():
                    # Out of the way, so that the next backup copies it again while the store still has it.
                    files.path(sha256).replace(files.path(sha256).with_suffix(".damaged"))
            else:
                wrong = "" if sha256_of(self.folder / place) == sha256 else "is not as it was written"
            if wrong:
                found.append(f"{place} {wrong}")
        return found


def backups_in(folder: Path) -> list[Backup]:
    """Oldest first. What a killed backup left has another name and is none."""
    if not folder.is_dir():
        return []
    names = (path.name for path in folder.iterdir() if NAME.fullmatch(path.name))
    return [Backup(folder, name) for name in sorted(names) if (folder / name / MANIFEST).exists()]


def kept_files(folder: Path) -> BlobStore:
    return BlobStore(folder / "files")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One backup at a time in a folder; the kernel lets go of it however this process ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(
                f"Another backup is being made in {folder}, or restored from it. Wait for it to end."
            ) from None
        yield


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Nothing is added to the folder or removed from it meanwhile; others may read it too."""
    with contextlib.ExitStack() as held_open:
        # What is not ours to write, perhaps a medium that nobody can write, is read as it is.
        with contextlib.suppress(OSError):
            lock = held_open.enter_context((folder / "lock").open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"A backup is being made in {folder}. Wait for it to end.") from None
        yield


def sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def clear_half_made(folder: Path) -> None:
    for path in folder.glob(f"{HALF_MADE}*"):
        shutil.rmtree(path)
    kept_files(folder).sweep(older_than_s=-1)


def seal(half_made: Path, manifest: Manifest, blobs: list[str]) -> Backup:
    """Write list and manifest, put everything on disk, and only then give the backup its name."""
    folder, name = half_made.parent, half_made.name.removeprefix(HALF_MADE)
    files = kept_files(folder)
    own = sorted(path for path in half_made.rglob("*") if path.is_file())
    lines = [f"{sha256_of(path)}  {name}/{path.relative_to(half_made)}\n" for path in own]
    lines += [f"{sha256}  {files.path(sha256).relative_to(folder)}\n" for sha256 in blobs]
    text = "".join(lines)
    (half_made / SUMS).write_text(text)
    said = asdict(manifest) | {"sums_sha256": hashlib.sha256(text.encode()).hexdigest()}
    (half_made / MANIFEST).write_text(json.dumps(said, indent=1, sort_keys=True))
    sync(*(path for path in half_made.rglob("*")), half_made)
    half_made.rename(folder / name)
    sync(folder)
    return Backup(folder, name)


def prune(folder: Path, keep: int) -> list[str]:
    """Remove all but the newest `keep` backups, and the files that none of those names."""
    found = backups_in(folder)
    removed = found[:-keep]
    for backup in removed:
        # The name first: half removed it would look like a backup.
        doomed = backup.path.rename(folder / f"{HALF_MADE}{backup.name}")
        shutil.rmtree(doomed)
    if removed:
        needed = {sha256 for backup in found[-keep:] for sha256 in backup.blobs()}
        files = kept_files(folder)
        for sha256 in files.hashes():
            if sha256 not in needed:
                files.remove(sha256)
    return [backup.name for backup in removed]


def new_name() -> str:
    return time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())


@dataclass
class Copied:
    """What went into the folder of backups."""

    sound: list[str] = field(default_factory=list)
    size_bytes: int = 0
    copied_bytes: int = 0
    unsound: dict[str, str] = field(default_factory=dict)

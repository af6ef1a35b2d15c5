"""A batch begins with its manifest; its files come one by one, or in one archive with it."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction

from measurements.data import ReadError
from measurements.models import Batch, BatchFile, BatchRow
from measurements.readers._archive import Archive
from measurements.services import quota
from measurements.services.batches.manifest import FileError, Manifest, is_manifest, read_manifest
from measurements.services.datasets import blobs_of
from measurements.services.filenames import as_text
from measurements.services.receiving import RefusedError
from measurements.store import Pending, Stored, store
from samples.exchange.reading import MOST_BYTES as MOST_TABLE_BYTES
from samples.models import Project, User

LONGEST_NAME = 1000
MOST_FILES = 10_000
TABLES = (".csv", ".tsv", ".txt", ".xlsx")
SPREADSHEET = b"[Content_Types].xml"


def open_batch(
    *, user: User, project: Project, name: str, upload: Pending, zone: tzinfo | None = None
) -> Batch:
    """From a manifest, or from a zip that holds one beside its files.

    Raises FileError, RefusedError or PermissionDenied with a sentence; then nothing is kept.
    """
    if not Project.objects.open_to(user).filter(pk=project.pk).exists():
        raise PermissionDenied("You may look at this project but not write to it; ask one of its managers.")
    with unpacked(upload, name) as (table, table_name, others):
        manifest = manifest_of(table, table_name, zone)
        quota.require_room(project, _sizes(project, upload, [path for path, _ in others]))
        # All of it durable before the first row: others wait for rows, and not for the disk.
        kept = upload.keep()
        beside = [(inside, _put(path)) for path, inside in others]
    sizes = {file.sha256: file.size for file in (kept, *(file for _, file in beside))}
    with transaction.atomic(), quota.room(project, sizes):
        return _recorded(user, project, as_text(name), manifest, kept, beside)


def _put(path: Path) -> Stored:
    with path.open("rb") as stream:
        return store().put(stream, limit=settings.MAX_UPLOAD_BYTES)


def _recorded(
    user: User,
    project: Project,
    name: str,
    manifest: Manifest,
    kept: Stored,
    beside: list[tuple[str, Stored]],
) -> Batch:
    archive, *blobs = blobs_of([kept, *(file for _, file in beside)])
    batch = Batch.objects.create(
        project=project, name=name, manifest=archive, remarks=manifest.remarks, created_by=user
    )
    BatchRow.objects.bulk_create(
        BatchRow(batch=batch, number=row.number, said=row.said, wrong=row.wrong) for row in manifest.rows
    )
    named = {(_clean(inside), blob.pk): blob for (inside, _), blob in zip(beside, blobs, strict=True)}
    BatchFile.objects.bulk_create(
        BatchFile(batch=batch, name=clean, blob=blob) for (clean, _), blob in named.items()
    )
    return batch


def manifest_of(table: bytes, name: str, zone: tzinfo | None) -> Manifest:
    return read_manifest(io.BytesIO(table), name, size=len(table), zone=zone)


def add_file(batch: Batch, name: str, upload: Pending) -> BatchFile:
    """Durably, whatever the manifest says of it. The same bytes under the same name are one file."""
    _refuse_when_over(batch)
    sizes = {upload.sha256(): upload.size}
    quota.require_room(batch.project, sizes)
    kept = upload.keep()
    with quota.room(batch.project, sizes):
        return add_stored(batch, name, kept)


def add_stored(batch: Batch, name: str, kept: Stored) -> BatchFile:
    (blob,) = blobs_of([kept])
    file, created = BatchFile.objects.get_or_create(batch=batch, name=_clean(name), blob=blob)
    if created and batch.status == Batch.Status.DONE:
        Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.OPEN)  # it has something to record again
    return file


def _sizes(project: Project, upload: Pending, others: list[Path]) -> dict[str, int]:
    """Of an archive and of what is in it, which is kept beside it, by hash; nothing where no limit asks."""
    if quota.room_left(project) is None:
        return {}
    sizes = {upload.sha256(): upload.size}
    for path in others:
        with path.open("rb") as stream:
            sizes[hashlib.file_digest(stream, "sha256").hexdigest()] = path.stat().st_size
    return sizes


def _refuse_when_over(batch: Batch) -> None:
    if batch.files.count() >= MOST_FILES:
        raise RefusedError("file", f"A batch takes {MOST_FILES} files; make another one for the rest.")


def _clean(name: str) -> str:
    """Folders and name, as text: what would lead out of the batch is left out."""
    parts = name.replace("\\", "/").split("/")
    inside = [part for part in parts if part not in ("", ".", "..")] or ["unnamed"]
    return as_text("/".join(inside), LONGEST_NAME)


@contextmanager
def unpacked(upload: Pending, name: str) -> Iterator[tuple[bytes, str, list[tuple[Path, str]]]]:
    """The table, its name, and the other files of an archive while the block lasts."""
    if not _is_archive(upload):
        if upload.size > MOST_TABLE_BYTES:
            raise FileError(f"{name} has {upload.size / 1e6:.0f} MB; that is no manifest.")
        yield upload.head(upload.size), name, []
        return
    with tempfile.TemporaryDirectory(prefix="vitrine-batch-") as folder:
        try:
            with Archive(upload.path) as archive:
                paths = archive.unpack(Path(folder))
        except ReadError as error:
            raise FileError(f"{name}: {error.message}") from None
        inside = [(path, str(PurePosixPath(path.relative_to(folder)))) for path in paths]
        manifest = _the_manifest(inside, name)
        yield (
            manifest[0].read_bytes(),
            manifest[1],
            [each for each in inside if each != manifest and not _of_the_system(each[1])],
        )


def _is_archive(upload: Pending) -> bool:
    """A zip; a spreadsheet is one too, and names its parts at the beginning."""
    return upload.head(4) == b"PK\x03\x04" and SPREADSHEET not in upload.head(4096)


def _the_manifest(inside: list[tuple[Path, str]], name: str) -> tuple[Path, str]:
    """The table called manifest, else the only one with the titles of a manifest."""
    tables = [each for each in inside if each[1].lower().endswith(TABLES)]
    called = [each for each in tables if "manifest" in each[1].rpartition("/")[2].lower()]
    for candidates in (called, tables):
        fitting = [each for each in candidates if _fits(*each)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            names = ", ".join(each[1] for each in fitting[:5])
            raise FileError(f"{name} holds several manifests ({names}). Send one batch for each.")
    raise FileError(
        f"{name} holds no manifest: a CSV or XLSX with the titles “sample” and “file”. Put one beside the "
        "files, or drop the manifest and the files without an archive."
    )


def _fits(path: Path, name: str) -> bool:
    with path.open("rb") as stream:
        return is_manifest(stream, name, size=path.stat().st_size)


def _of_the_system(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name.startswith("__MACOSX/") or last in (".DS_Store", "Thumbs.db", "desktop.ini")

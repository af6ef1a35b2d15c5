"""An `.eln` comes in: its tables, then its raw files and attachments, all or nothing.

The archive comes from a stranger: names that leave it, links, bombs and bytes that are not what their hash
says are refused before anything is read into the database.
"""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from measurements.models import Attachment
from measurements.services import Incoming, RefusedError, Subject, attach, read_log, receive
from measurements.store import StoreError
from measurements.techniques import Technique
from samples.exchange import FileError, Outcome, Problem, Sheet
from samples.exchange.checking import Intake, check
from samples.exchange.committing import commit
from samples.exchange.reading import BROKEN, MOST_BYTES, MOST_EXPANDED_BYTES, sheets
from samples.models import Preparation, Project, Sample, User

MOST_ARCHIVE_BYTES = 2 * 1024**3
MOST_RAW_BYTES = 4 * 1024**3
MOST_MEMBERS = 50_000
MOST_TIMES_LARGER = 200
GRACE_BYTES = 50 * 1024**2
METADATA = "ro-crate-metadata.json"
CHUNK_BYTES = 1 << 20


def bring_in(
    *,
    user: User,
    project: Project,
    stream: BinaryIO,
    filename: str,
    size: int,
    dry_run: bool,
    zone: tzinfo = UTC,
    table: str = "",
) -> Outcome:
    """Check, or check and save, an archive. Raises FileError with a sentence."""
    with _opened(stream, filename, size) as archive:
        crate = _crate(archive, filename)
        problems = list(crate.wrong_hashes())
        intake = check(crate.tables(), user=user, project=project, zone=zone)
        intake.problems[:0] = problems
        counts = intake.counts | _counted(crate)
        try:
            with transaction.atomic():
                problems = commit(intake, reason=f"Import of {filename[:120]}", rehearse=dry_run)
                if not problems and not dry_run:
                    _files(crate, intake, user, project)
        except (RefusedError, StoreError, PermissionDenied) as error:
            problems = [Problem("raw files", "", f"{error} Nothing was saved.")]
        except ValidationError as error:
            problems = [Problem("attachments", "", f"{' '.join(error.messages)} Nothing was saved.")]
    return Outcome(counts, problems, saved=not problems and not dry_run)


def _counted(crate: Crate) -> dict[str, int]:
    found = {"raw files": len(list(crate.raw_files())), "attachments": len(crate.attachments)}
    return {name: count for name, count in found.items() if count}


def _opened(stream: BinaryIO, filename: str, size: int) -> zipfile.ZipFile:
    if size > MOST_ARCHIVE_BYTES:
        raise FileError(f"{filename} has {size / 1e9:.1f} GB; 2 GB can be taken. Export fewer samples.")
    try:
        archive = zipfile.ZipFile(stream)
    except BROKEN as error:
        raise FileError(f"{filename} is no archive, or damaged; export it again.") from error
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise FileError(f"{filename} holds {len(members)} files; {MOST_MEMBERS} can be taken.")
    expanded = sum(one.file_size for one in members)
    if expanded > MOST_RAW_BYTES or expanded > MOST_TIMES_LARGER * size + GRACE_BYTES:
        raise FileError(f"{filename} would expand to {expanded / 1e9:.1f} GB and was not opened.")
    for one in members:
        _believable(one, filename)
    return archive


def _believable(one: zipfile.ZipInfo, filename: str) -> None:
    path = PurePosixPath(one.filename)
    odd = "\\" in one.filename or ":" in one.filename or not path.parts
    if odd or path.is_absolute() or ".." in path.parts:
        raise FileError(f"{filename} holds a file whose name leaves the archive; it was not opened.")
    if stat.S_ISLNK(one.external_attr >> 16):
        raise FileError(f"{filename} holds a link instead of a file; it was not opened.")
    if one.flag_bits & 1:
        raise FileError(f"{filename} is encrypted; export it without a password.")


@dataclass(frozen=True)
class Crate:
    archive: zipfile.ZipFile
    filename: str
    folder: str
    hashes: dict[str, str]
    measurements: list[dict[str, Any]]
    attachments: list[dict[str, Any]]

    def open(self, path: str) -> Any:
        """Any: what zipfile gives back. Raises FileError when the archive has no such file."""
        try:
            return self.archive.open(self.folder + path)
        except (KeyError, *BROKEN) as error:
            raise FileError(
                f"{self.filename} speaks of a file that it does not hold; export it again."
            ) from error

    def content(self, path: str, limit: int) -> bytes:
        try:
            with self.open(path) as stream:
                found: bytes = stream.read(limit + 1)
        except BROKEN as error:
            raise FileError(f"{path} in {self.filename} is damaged; export it again.") from error
        if len(found) > limit:
            raise FileError(f"{path} in {self.filename} is too large to be a table.")
        return found

    def tables(self) -> list[Sheet]:
        found = []
        for name in self.archive.namelist():
            path = name.removeprefix(self.folder)
            if path.startswith("tables/") and path.endswith(".csv") and name.startswith(self.folder):
                content = self.content(path, MOST_EXPANDED_BYTES // 10)
                found += sheets(_stream(content), path, size=min(len(content), MOST_BYTES))
        if not found:
            raise FileError(
                f"{self.filename} is an .eln of another program: it holds no tables of samples. "
                "Fill in the template from it, and upload its raw files."
            )
        return found

    def raw_files(self) -> Iterator[dict[str, Any]]:
        for measurement in self.measurements:
            yield from measurement["files"]

    def wrong_hashes(self) -> Iterator[Problem]:
        """Files whose bytes are not those that the archive vouches for."""
        for file in [*self.raw_files(), *self.attachments]:
            digest = hashlib.sha256()
            try:
                with self.open(file["path"]) as stream:
                    while chunk := stream.read(CHUNK_BYTES):
                        digest.update(chunk)
            except BROKEN as error:
                raise FileError(f"{file['path']} in {self.filename} is damaged.") from error
            if not digest.hexdigest() == file["sha256"] == self.hashes.get(file["path"]):
                yield Problem("raw files", file["path"][:200], "Its bytes are not those of its SHA-256.")


def _stream(content: bytes) -> BinaryIO:
    from io import BytesIO

    return BytesIO(content)


def _crate(archive: zipfile.ZipFile, filename: str) -> Crate:
    found = [
        name for name in archive.namelist() if PurePosixPath(name).name == METADATA and name.count("/") < 2
    ]
    if len(found) != 1:
        raise FileError(f"{filename} has no {METADATA}; it is no .eln archive.")
    folder = found[0].removesuffix(METADATA)
    bare = Crate(archive, filename, folder, {}, [], [])
    graph = _json(bare, METADATA).get("@graph")
    if not isinstance(graph, list):
        raise FileError(f"The {METADATA} of {filename} has no @graph; it is no RO-Crate.")
    hashes = {
        str(entity.get("@id", "")).removeprefix("./"): str(entity["sha256"])
        for entity in graph
        if isinstance(entity, dict) and "sha256" in entity
    }
    manifest = _json(bare, "vitrine.json") if f"{folder}vitrine.json" in archive.namelist() else {}
    try:
        measurements = [_measurement(row) for row in manifest.get("measurements", [])]
        attachments = [_attachment(row) for row in manifest.get("attachments", [])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(f"The vitrine.json of {filename} is not as exported; export it again.") from error
    return Crate(archive, filename, folder, hashes, measurements, attachments)


def _json(crate: Crate, path: str) -> dict[str, Any]:
    try:
        document = json.loads(crate.content(path, MOST_EXPANDED_BYTES // 5))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} of {crate.filename} is not JSON; export it again.") from error
    return document if isinstance(document, dict) else {}


def _measurement(row: dict[str, Any]) -> dict[str, Any]:
    acquired_at = datetime.fromisoformat(row["acquired_at"]) if row["acquired_at"] else None
    if row["technique"] not in Technique.values or row["origin"] not in ("measured", "simulated"):
        raise ValueError
    if not isinstance(row["conditions"], dict) or not row["files"]:
        raise TypeError
    files = [
        {name: str(file[name]) for name in ("path", "filename", "role", "sha256")} for file in row["files"]
    ]
    return {**row, "sample": str(row["sample"]), "acquired_at": acquired_at, "files": files}


def _attachment(row: dict[str, Any]) -> dict[str, Any]:
    if row["kind"] not in Attachment.Kind.values:
        raise ValueError
    texts = {name: str(row[name]) for name in ("path", "filename", "sha256", "note", "step")}
    owner = {name: str(row[name]) if row[name] else None for name in ("sample", "preparation")}
    was_read = row["kind"] == Attachment.Kind.FURNACE_LOG and bool(row["reading"])
    return {**texts, **owner, "kind": row["kind"], "was_read": was_read}


def _files(crate: Crate, intake: Intake, user: User, project: Project) -> None:
    """Raw files and furnace logs take the road of every upload: stored durably, then read and analysed anew.
    What the archive says of them is not believed."""
    codes = {row.made.code for row in intake.rows["samples"] if isinstance(row.made, Sample)}
    for measurement in crate.measurements:
        if measurement["sample"] not in codes:
            raise RefusedError("sample", f"{measurement['sample'][:60]} is no sample of the archive.")
        streams = [crate.open(file["path"]) for file in measurement["files"]]
        incoming = zip(measurement["files"], streams, strict=True)
        receive(
            user=user,
            files=[Incoming(file["filename"], stream, file["role"]) for file, stream in incoming],
            sample_code=measurement["sample"],
            project=project,
            technique=measurement["technique"],
            acquired_at=measurement["acquired_at"],
            conditions=measurement["conditions"],
            origin=measurement["origin"],
        )
    samples = {row.values["code"]: row.made for row in intake.rows["samples"]}
    preparations = {row.values["preparation"]: row.made for row in intake.rows["preparations"]}
    for row in crate.attachments:
        sample, preparation = samples.get(row["sample"]), preparations.get(row["preparation"])
        made = attach(
            user=user,
            subject=Subject(
                sample=sample if isinstance(sample, Sample) else None,
                preparation=preparation if isinstance(preparation, Preparation) else None,
                step=row["step"],
            ),
            name=row["filename"],
            stream=crate.open(row["path"]),
            note=row["note"],
            kind=row["kind"],
        )
        if row["was_read"]:
            read_log(made)

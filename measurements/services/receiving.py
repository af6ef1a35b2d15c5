"""A file arrives: durable first, then the row, then the receipt. What was taken is never thrown away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Exists, Min, OuterRef

from measurements import readers, tasks
from measurements.models import Instrument, Measurement, RawFile
from measurements.services.datasets import blobs_of
from measurements.store import CHUNK_BYTES, Pending, Readable, Stored, store
from measurements.techniques import Technique
from samples.models import Membership, Project, Role, Sample, User
from samples.queueing import enqueue

FILENAME_CHARACTERS = 255
CLAIMED_CHARACTERS = 200


class RefusedError(Exception):
    """A request that cannot be carried out; `field` names the part of it to repair."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass
class Incoming:
    """A file as it comes in: an open stream, or one that was already written into the store's `incoming/`."""

    name: str
    stream: Readable | Pending
    role: str = ""


@dataclass(frozen=True)
class Receipt:
    """`created` is False when these bytes were already there for this sample and technique."""

    measurement: Measurement
    files: list[RawFile]
    created: bool
    warnings: list[str] = field(default_factory=list)


class Place(NamedTuple):
    project: Project
    sample: Sample | None
    claimed_code: str


def receive(
    *,
    user: User,
    files: Sequence[Incoming],
    sample_code: str | None = None,
    project: Project | None = None,
    technique: str | None = None,
    acquired_at: datetime | None = None,
    conditions: dict[str, Any] | None = None,
    origin: str = "measured",
    instrument: Instrument | None = None,
) -> Receipt:
    """Store the files and record them as one measurement, or find the measurement that they already are.

    A sample that `user` cannot see counts as unknown: the files wait in the inbox of `project`, of the
    instrument's project, or of the user's default project. Raises RefusedError, PermissionDenied or
    StoreError, and then nothing counts as received.
    """
    if not files:
        raise RefusedError("file", "No file came with the request. Attach one or more under the name “file”.")
    if technique is not None and technique not in Technique.values:
        raise RefusedError(
            "technique", f"“{technique}” is not a technique; known are {', '.join(Technique.values)}."
        )
    if acquired_at is not None and acquired_at.tzinfo is None:
        raise RefusedError(
            "acquired_at", "The time of acquisition needs a zone, such as 2026-05-04T10:00:00+02:00."
        )
    warnings: list[str] = []
    instrument = instrument or Instrument.objects.filter(account=user).first()
    place = _place(user, (sample_code or "").strip(), project, instrument, warnings)
    pending: list[Pending] = []
    try:
        for file in files:
            pending.append(_written(file))
        recognised = technique or _technique_of(pending[0].head(readers.HEAD_BYTES), files[0].name)
        stored = [written.keep() for written in pending]
    finally:
        for unfinished in pending:
            unfinished.discard()
    new = Measurement(
        project=place.project,
        sample=place.sample,
        claimed_code=place.claimed_code,
        technique=recognised,
        origin=origin,
        instrument=instrument,
        acquired_at=acquired_at,
        conditions=conditions or {},
        content_key=_content_key(files, stored),
        received_by=user,
    )
    return _record(new, files, stored, any_technique=technique is None, warnings=warnings)


@transaction.atomic
def _record(
    new: Measurement,
    files: Sequence[Incoming],
    stored: list[Stored],
    *,
    any_technique: bool,
    warnings: list[str],
) -> Receipt:
    lock_content(new.content_key)
    existing = _existing(new, any_technique)
    if existing is not None:
        kept = list(existing.files.select_related("blob"))
        return Receipt(existing, kept, False, warnings + _differences(existing, new))
    new.save(force_insert=True)
    kept = RawFile.objects.bulk_create(
        RawFile(measurement=new, blob=blob, filename=as_text(file.name), role=file.role)
        for file, blob in zip(files, blobs_of(stored), strict=True)
    )
    enqueue(tasks.read, new.pk)
    return Receipt(new, kept, True, warnings)


def lock_content(content_key: str) -> None:
    """Until the transaction ends, uploads of the same bytes wait: the second finds the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [content_key])


def same_bytes(measurement: Measurement) -> Any:
    """Measurements with these bytes of the same sample, or in the same inbox under the same claimed code."""
    same = Measurement.objects.filter(content_key=measurement.content_key)
    if measurement.sample is not None:
        return same.filter(sample=measurement.sample)
    # One that has left the inbox since keeps its claimed code, so an instrument that repeats itself finds it.
    same = same.filter(project=measurement.project, claimed_code=measurement.claimed_code)
    return same if measurement.claimed_code else same.filter(sample=None)


def _existing(new: Measurement, any_technique: bool) -> Measurement | None:
    found = same_bytes(new) if any_technique else same_bytes(new).filter(technique=new.technique)
    # The key first: nearly always there is none, and this query is on the way of every upload.
    first = found.aggregate(first=Min("pk"))["first"]
    return (
        Measurement.objects.select_related("project", "sample", "instrument").get(pk=first) if first else None
    )


def _differences(existing: Measurement, new: Measurement) -> list[str]:
    told = []
    if existing.status in (Measurement.Status.FAILED, Measurement.Status.VOID):
        state = existing.get_status_display().lower()
        told.append(f"These bytes are already here as measurement {existing.pk} ({state}).")
    if new.acquired_at is not None and new.acquired_at != existing.acquired_at:
        told.append("These bytes are already here with another time of acquisition, which was not changed.")
    if any(existing.conditions.get(key) != value for key, value in new.conditions.items()):
        told.append("These bytes are already here with other conditions, which were not changed.")
    return told


def _place(
    user: User, code: str, project: Project | None, instrument: Instrument | None, warnings: list[str]
) -> Place:
    writable = Membership.objects.filter(user=user, project=OuterRef("project"), role__gte=Role.CONTRIBUTOR)
    is_instrument = instrument is not None and instrument.account_id == user.pk
    samples = Sample.objects.despite_embargo(user) if is_instrument else Sample.objects.visible_to(user)
    sample = (
        samples.filter(code=code).select_related("project").annotate(writable=Exists(writable)).first()
        if code
        else None
    )
    if sample is None:
        return Place(*_inbox(user, code, project, instrument, warnings))
    if not sample.writable:
        raise PermissionDenied(
            f"You may look at {sample.code} but not add to it. Ask a manager of {sample.project} to make you "
            "a contributor, then send the file again."
        )
    if project is not None and project != sample.project:
        warnings.append(f"{sample.code} belongs to {sample.project}, so the measurement does too.")
    return Place(sample.project, sample, "")


def _inbox(
    user: User, code: str, project: Project | None, instrument: Instrument | None, warnings: list[str]
) -> tuple[Project, None, str]:
    open_projects = Project.objects.open_to(user)
    if project is not None:
        wanted = [project.pk]
    else:
        wanted = [instrument.project_id if instrument else user.default_project_id]
    inbox = open_projects.filter(pk__in=[pk for pk in wanted if pk is not None]).first()
    if inbox is None and project is None:
        inbox = open_projects.first()
    if inbox is None:
        raise PermissionDenied(
            "There is no project into which you may write. Ask a manager to make you a contributor, then "
            "send the file again."
        )
    claimed_code = as_text(code, CLAIMED_CHARACTERS) if code else ""
    named = f"There is no sample “{claimed_code}”" if claimed_code else "No sample was named"
    warnings.append(f"{named}: the measurement waits in the inbox of {inbox} until somebody assigns it.")
    return inbox, None, claimed_code


def _written(file: Incoming) -> Pending:
    if isinstance(file.stream, Pending):
        return file.stream
    pending = store().begin(limit=settings.MAX_UPLOAD_BYTES)
    try:
        while chunk := file.stream.read(CHUNK_BYTES):
            pending.write(chunk)
    except BaseException:
        pending.discard()
        raise
    return pending


def _technique_of(head: bytes, filename: str) -> str:
    """A format that knows only one technique says which it is; otherwise it stays unknown."""
    reader = readers.recognise(head, filename)
    if reader is not None and len(reader.format.techniques) == 1:
        return reader.format.techniques[0]
    return "unknown"


def _content_key(files: Sequence[Incoming], stored: list[Stored]) -> str:
    """SHA-256 over roles and hashes. The order in which the files came and their names do not matter."""
    parts = sorted([file.role, kept.sha256] for file, kept in zip(files, stored, strict=True))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def as_text(name: str, characters: int = FILENAME_CHARACTERS) -> str:
    """A name as PostgreSQL can hold it: the middle of a very long one gives way, its ending stays."""
    text = name.replace("\0", "").encode("utf-8", "replace").decode() or "unnamed"
    if len(text) <= characters:
        return text
    tail = characters // 4
    return f"{text[: characters - tail - 1]}…{text[-tail:]}"

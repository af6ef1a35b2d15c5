"""A file arrives: durable first, then the row, then the receipt. What was taken is never thrown away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from measurements import tasks
from measurements.models import Blob, Decision, InboxRule, Instrument, Measurement, RawFile
from measurements.services import quota
from measurements.services.filenames import as_text
from measurements.services.placing import Place, find_place
from measurements.services.recording import lock_content, record
from measurements.services.roles import in_words, roles_from_names
from measurements.store import CHUNK_BYTES, Pending, Readable, Stored, TooLargeError, readable, store
from measurements.techniques import Technique
from samples.models import Project, Sample, User
from samples.queueing import enqueue_soon
from samples.rows import fresh

__all__ = ["Incoming", "Receipt", "RefusedError", "as_text", "lock_content", "receive", "same_bytes"]


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
    expected_sha256: str = ""  # what its sender says that it is; other bytes are refused
    size_bytes: int = 0  # as announced; 0 where nobody knows before its end


@dataclass(frozen=True)
class Receipt:
    """`created` is False when these bytes were already there for this sample and technique."""

    measurement: Measurement
    files: list[RawFile]
    created: bool
    warnings: list[str] = field(default_factory=list)


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
    place: Place | None = None,
    warnings: Sequence[str] = (),
) -> Receipt:
    """Store the files and record them as one measurement, or find the measurement that they already are.

    A sample that `user` cannot see counts as unknown: the files wait in the inbox of `project`, of the
    instrument's project, or of the user's default project. A caller who has just found out where they belong,
    and who sends them, gives `place`, `instrument` and `warnings`. Raises RefusedError, PermissionDenied or
    StoreError, and then nothing counts as received.
    """
    if not files:
        raise RefusedError("file", "No file came with the request. Attach one or more under the name “file”.")
    check_claims(technique, acquired_at)
    told = list(warnings)
    if place is None:
        instrument = instrument or Instrument.objects.filter(account=user).first()
        names = [file.name for file in files]
        place = find_place(user, (sample_code or "").strip(), project, instrument, told, names)
    _require_room(place.project, files)
    _let_go(files)
    pending: list[Pending] = []
    try:
        for file in files:
            pending.append(_written(file))
        sizes = {written.sha256(): written.size for written in pending}
        quota.require_room(place.project, sizes)
        stored = [written.keep() for written in pending]
    finally:
        for unfinished in pending:
            unfinished.discard()
    # Where nobody says it, the worker finds out: a hundred readers need not look while an instrument waits.
    known = technique or (place.rule.technique if place.rule else "") or Technique.UNKNOWN
    new = fresh(
        Measurement,
        project=place.project,
        sample=place.sample,
        claimed_code=place.claimed_code,
        technique=known,
        origin=origin,
        instrument=instrument,
        acquired_at=acquired_at,
        conditions=conditions or {},
        content_key=content_key(files, stored),
        received_by=user,
    )
    names = [as_text(file.name) for file in files]
    # What counts as the same upload is what was sent, so the key above knows nothing of what names tell.
    told_by_names = [] if any(file.role for file in files) else roles_from_names(str(known), names)
    roles = told_by_names or [file.role for file in files]
    rows = [
        (fresh(Blob, sha256=kept.sha256, size=kept.size), fresh(RawFile, filename=name, role=role))
        for name, role, kept in zip(names, roles, stored, strict=True)
    ]
    # Without a rule it is one statement.
    with quota.room(place.project, sizes), transaction.atomic() if place.rule else nullcontext():
        recorded = record(new, rows, any_technique=technique is None)
        if place.rule and recorded.known is None:
            decided_by(place.rule, new)
    if recorded.known is not None:
        return _known(recorded.known, new, told)
    if any(told_by_names):
        told.append(in_words(names, told_by_names))
    enqueue_soon(tasks.read, new.pk)
    return Receipt(new, recorded.files, True, told)


def decided_by(rule: InboxRule, new: Measurement) -> None:
    Decision.objects.create(measurement=new, kind=Decision.Kind.ASSIGNED, to_sample=new.sample, rule=rule)


def check_size(size_bytes: int) -> None:
    """Raises TooLargeError for a file that says at once that it has too many bytes."""
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        raise TooLargeError(
            f"The file has {readable(size_bytes)}; up to {readable(settings.MAX_UPLOAD_BYTES)} are taken "
            "here. Send it in parts, or ask the operator to raise VITRINE_MAX_UPLOAD_BYTES."
        )


def check_claims(technique: str | None, acquired_at: datetime | None) -> None:
    """Raises RefusedError for what could not be recorded, before any byte is read."""
    if technique is not None and technique not in Technique.values:
        raise RefusedError(
            "technique", f"“{technique}” is not a technique; known are {', '.join(Technique.values)}."
        )
    if acquired_at is not None and acquired_at.tzinfo is None:
        raise RefusedError(
            "acquired_at", "The time of acquisition needs a zone, such as 2026-05-04T10:00:00+02:00."
        )


def same_bytes(measurement: Measurement) -> Any:
    """Measurements with these bytes of the same sample, or in the same inbox under the same claimed code."""
    same = Q(content_key=measurement.content_key)
    if measurement.sample_id is not None:
        same &= Q(sample=measurement.sample_id)
    else:
        # One that has left the inbox keeps its claimed code, so an instrument that repeats itself finds it.
        same &= Q(project=measurement.project_id, claimed_code=measurement.claimed_code)
        same &= Q() if measurement.claimed_code else Q(sample=None)
    return Measurement.objects.filter(same)


def _known(pk: int, new: Measurement, warnings: list[str]) -> Receipt:
    existing = Measurement.objects.select_related("project", "sample", "instrument").get(pk=pk)
    if existing.sample_id not in (None, new.sample_id):
        # Assigned since, perhaps to a sample under an embargo: its code is not for everyone who sends.
        seen = Sample.objects.visible_to(new.received_by).filter(pk=existing.sample_id)
        existing.sample = seen.first()  # in the receipt; the row stays as it is
    kept = list(existing.files.select_related("blob"))
    return Receipt(existing, kept, False, warnings + _differences(existing, new))


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


def _require_room(project: Project, files: Sequence[Incoming]) -> None:
    """What is announced to be too much is refused before its bytes; whether it is, they decide in the end."""
    announced = {file.expected_sha256 or f"file {n}": file.size_bytes for n, file in enumerate(files)}
    if total := sum(announced.values()):
        store().require_room(total)
        quota.require_room(project, announced)


def _let_go(files: Sequence[Incoming]) -> None:
    """Of the session of the pool, which others may need while a slow sender's bytes come."""
    to_read = not all(isinstance(file.stream, Pending) for file in files)
    if to_read and connection.pool is not None and not connection.in_atomic_block:
        connection.close()


def _written(file: Incoming) -> Pending:
    pending = file.stream if isinstance(file.stream, Pending) else _read(file.stream)
    if file.expected_sha256 and pending.sha256() != file.expected_sha256:
        pending.discard()
        raise RefusedError(
            "sha256",
            f"“{as_text(file.name)}” arrived with the SHA-256 {pending.sha256()} and not with the one that "
            "was announced, so it was not kept. Send it again.",
        )
    return pending


def _read(stream: Readable) -> Pending:
    pending = store().begin(limit=settings.MAX_UPLOAD_BYTES)
    try:
        while chunk := stream.read(CHUNK_BYTES):
            pending.write(chunk)
    except BaseException:
        pending.discard()
        raise
    return pending


def content_key(files: Sequence[Incoming], stored: list[Stored]) -> str:
    """SHA-256 over roles and hashes. The order in which the files came and their names do not matter."""
    parts = sorted((file.role, kept.sha256) for file, kept in zip(files, stored, strict=True))
    # As JSON writes a list of pairs, without the encoder that it makes for each list.
    written = ", ".join(f'[{json.dumps(role)}, "{sha256}"]' for role, sha256 in parts)
    return hashlib.sha256(f"[{written}]".encode()).hexdigest()

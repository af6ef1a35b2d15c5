"""Photos, notes as files, furnace logs and whatever else belongs to a sample or to a step of its making."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from measurements.models import Attachment
from measurements.services import quota
from measurements.services.datasets import blobs_of
from measurements.services.receiving import as_text
from measurements.store import CHUNK_BYTES, Pending, Readable, store
from samples.models import Preparation, Project, Sample, User
from samples.services import performing

HEAD_BYTES = 16
LONGEST_NOTE = 10_000
STEP = re.compile(r"(milling|sintering|quench|otherstep)-(\d{1,5})")


@dataclass(frozen=True)
class Subject:
    """What something is attached to: a sample, or a preparation and perhaps one of its steps."""

    sample: Sample | None = None
    preparation: Preparation | None = None
    step: str = ""


def attach(
    *, user: User, subject: Subject, name: str, stream: Readable | Pending, note: str = "", kind: str = ""
) -> Attachment:
    """Store a file durably and tie it to its subject. A picture is one by its first bytes, not by its name.

    Raises ValidationError, RefusedError or StoreError; then nothing is attached.
    """
    step_kind, step_order = _step(subject)
    if len(note) > LONGEST_NOTE or "\0" in note:
        raise ValidationError(f"A note is text of at most {LONGEST_NOTE} characters.")
    pending = stream if isinstance(stream, Pending) else store().begin(limit=settings.MAX_UPLOAD_BYTES)
    try:
        if pending is not stream:
            while chunk := stream.read(CHUNK_BYTES):  # type: ignore[union-attr]
                pending.write(chunk)
        if pending.size == 0:
            raise ValidationError(f"“{as_text(name, 80)}” is empty. Choose the file again.")
        media_type = picture_type(pending.head(HEAD_BYTES))
        sizes = {pending.sha256(): pending.size}
        quota.require_room(_project(subject), sizes)
        stored = pending.keep()
    finally:
        pending.discard()
    with quota.room(_project(subject), sizes), transaction.atomic():
        (blob,) = blobs_of([stored])
        row = Attachment(
            sample=subject.sample,
            preparation=subject.preparation,
            step_kind=step_kind,
            step_order=step_order,
            kind=kind or (Attachment.Kind.PHOTO if media_type else Attachment.Kind.FILE),
            blob=blob,
            filename=as_text(name),
            media_type=media_type,
            note=note.strip(),
            attached_by=user,
        )
        row.full_clean()
        row.save()
    return row


def picture_type(head: bytes) -> str:
    """`image/png`, `image/jpeg`, `image/webp` by the first bytes, "" for everything else (SVG is no picture
    here: it can hold scripts)."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return ""


@transaction.atomic
def void_attachment(*, user: User, attachment: Attachment, reason: str) -> Attachment:
    """Take it from the pages. Its bytes stay, and so does the reason."""
    if not reason.strip():
        raise ValidationError("Say why this attachment is withdrawn.")
    row = Attachment.objects.select_for_update().get(pk=attachment.pk)
    if row.voided_at is not None:
        raise ValidationError("This attachment is withdrawn already.")
    row.voided_at, row.void_reason = timezone.now(), reason.strip()
    row.full_clean()
    with pghistory.context(reason=row.void_reason):
        row.save(update_fields=["voided_at", "void_reason"])
    return row


def _project(subject: Subject) -> Project:
    owner = subject.sample or subject.preparation
    assert owner is not None  # `_step` has asked
    return owner.project


def _step(subject: Subject) -> tuple[str, int | None]:
    if (subject.sample is None) == (subject.preparation is None):
        raise ValidationError("Name the sample or the preparation to which this belongs, one of them.")
    if not subject.step:
        return "", None
    match = STEP.fullmatch(subject.step)
    if subject.preparation is None or match is None:
        raise ValidationError(f"“{subject.step[:40]}” is no step; steps are named like sintering-2.")
    performing.place(subject.preparation, subject.step)
    return match[1], int(match[2])

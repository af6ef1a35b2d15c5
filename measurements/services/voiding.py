"""Void and not void again, read and read again. Bytes are never touched by any of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from measurements import readers, tasks
from measurements.models import Decision, Measurement
from measurements.services.conflicts import release_twins
from measurements.services.moving import locked, said_why
from measurements.services.receiving import RefusedError
from measurements.signals import measurement_placed
from measurements.store import StoreError, store
from samples.models import User
from samples.queueing import enqueue

MOST_AT_ONCE = 500
ZIP = b"PK\x03\x04"


@transaction.atomic
def void(measurement: Measurement, *, user: User, reason: str) -> None:
    """It leaves inbox, lists and figures; page, files and values stay where they are. `restore` undoes it."""
    told = said_why(reason)
    row = locked(measurement, user)
    if row.status == Measurement.Status.VOID:
        raise RefusedError("reason", f"Measurement {row.pk} is void already; nothing was changed.")
    before = row.status
    _set(measurement, row, "void")
    Decision.objects.create(
        measurement=row, kind=Decision.Kind.VOIDED, before=before, after="void", by=user, reason=told
    )
    release_twins(row)
    measurement_placed.send(sender=Measurement, measurement=row)


@transaction.atomic
def restore(measurement: Measurement, *, user: User, reason: str) -> None:
    """As it was before: read, or failed with its sentence, or still to be read."""
    told = said_why(reason)
    row = locked(measurement, user)
    if row.status != Measurement.Status.VOID:
        raise RefusedError("reason", f"Measurement {row.pk} is not void; nothing was changed.")
    if row.error:
        status = "failed"
    elif row.datasets.filter(current=True).exists():
        status = "read"
    else:
        status = "received"
    _set(measurement, row, status)
    Decision.objects.create(
        measurement=row, kind=Decision.Kind.RESTORED, before="void", after=status, by=user, reason=told
    )
    measurement_placed.send(sender=Measurement, measurement=row)
    if status == "received":
        enqueue(tasks.read, row.pk)


@transaction.atomic
def reread(measurement: Measurement, *, user: User, reason: str = "") -> None:
    """Hand its files to the readers once more; what they gave before stays readable."""
    row = locked(measurement, user)
    if row.status == Measurement.Status.VOID:
        raise RefusedError("status", "It is void. Restore it first, then have it read again.")
    if row.status == Measurement.Status.RECEIVED:
        raise RefusedError("status", "It waits to be read already.")
    _again(row, by=user, reason=reason.strip()[:1000])
    measurement.status, measurement.error = row.status, ""


def reread_failed(*, dry_run: bool = False) -> int:
    """Every failed measurement that a reader recognises with which it was not tried again yet; how many."""
    again = 0
    failed = Measurement.objects.filter(status=Measurement.Status.FAILED).order_by("pk")
    for row in failed.prefetch_related("files__blob").iterator(chunk_size=100):
        known = " ".join(_recognised(row))[:80]
        if not known or known == row.read_again_with:
            continue
        again += dry_run or _once_more(row, known)
        if again == MOST_AT_ONCE:
            break
    return again


@transaction.atomic
def _once_more(measurement: Measurement, known: str) -> bool:
    row = locked(measurement, None)
    if row.status != Measurement.Status.FAILED:
        return False
    row.read_again_with = known
    _again(row, by=None, reason=f"Recognised by {known}")
    return True


def _again(row: Measurement, *, by: User | None, reason: str) -> None:
    Decision.objects.create(
        measurement=row,
        kind=Decision.Kind.REREAD,
        before=row.get_status_display(),
        by=by,
        reason=reason,
    )
    row.status, row.error, row.attempts = Measurement.Status.RECEIVED, "", 0
    row.refused_by = ""
    row.queued_at = timezone.now()  # or the sweep would take it for forgotten at once
    row.save(update_fields=["status", "error", "refused_by", "attempts", "queued_at", "read_again_with"])
    enqueue(tasks.read, row.pk)


def _recognised(row: Measurement) -> Iterator[str]:
    for file in row.files.all():
        try:
            with store().open(file.blob.sha256) as stream:
                head = stream.read(readers.HEAD_BYTES)
        except StoreError:
            continue  # the alarm for lost bytes is another's
        reader = readers.recognise(head, file.filename)
        if reader is not None:
            yield f"{reader.key} {reader.version}"
        elif head.startswith(ZIP):  # perhaps a folder that some reader knows by now
            yield f"archive {sum(each.version for each in readers.registry().values())}"


def _set(measurement: Measurement, row: Measurement, status: str) -> None:
    row.status = measurement.status = status
    row.save(update_fields=["status"])

"""What is right becomes measurements, what is wrong goes to the inbox with its reason; nothing twice.

Each measurement is recorded in a transaction of its own, so that a killed worker leaves whole ones, and the
next begins where it stopped.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import BinaryIO

from billiard.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from measurements import tasks
from measurements.models import Batch, BatchFile, BatchRow, Blob, Measurement
from measurements.services.batches.checking import plan_of
from measurements.services.batches.verdicts import ERROR, MISSING, Group, Plan
from measurements.services.placing import CLAIMED_CHARACTERS, Place
from measurements.services.receiving import Incoming, Receipt, RefusedError, as_text, receive
from measurements.store import Pending, Stored, StoreError, StoreUnavailableError, store
from samples.locking import alone
from samples.models import User
from samples.queueing import enqueue

log = logging.getLogger(__name__)

AT_ONCE = 5  # measurements that are recorded within the request; more go to the worker
MISTAKE = (
    "It could not be recorded, by a mistake of Vitrine's and not of yours. The file is safe; tell the "
    "operator, whose log says more, and record the batch again later."
)
LOST_AFTER = timedelta(minutes=2)
RECORDING = 0x6261_7463  # "batc": first half of the advisory lock's key, the batch is the second


def commit(batch: Batch, user: User) -> Batch:
    """Record what can be. Again after more files have come: what is recorded already stays as it is."""
    if not Batch.objects.visible_to(user).filter(pk=batch.pk).exists():
        raise PermissionDenied("Only who made a batch, and may still write to its project, records it.")
    plan = plan_of(batch)
    now = timezone.now()
    open_ones = Batch.objects.filter(pk=batch.pk).exclude(status=Batch.Status.QUEUED)
    if open_ones.update(status=Batch.Status.QUEUED, committed_at=now, queued_at=now):
        if len(plan.groups) + len(plan.unnamed) > AT_ONCE:
            enqueue(tasks.record_batch, batch.pk)
        else:
            record_batch(batch)
    batch.refresh_from_db()
    return batch


def record_batch(batch: Batch) -> None:
    """May run twice, in two places, and be killed in between."""
    with alone(RECORDING, batch.pk) as is_alone:
        if not is_alone or not Batch.objects.filter(pk=batch.pk, status=Batch.Status.QUEUED).exists():
            return
        plan = plan_of(batch)
        try:
            _record_all(batch, plan)
        except SoftTimeLimitExceeded:
            raise  # the sweep hands it to the next worker, which goes on
        except Exception:
            _close(batch)  # a mistake of ours, told in the log: a person decides whether to try again
            raise
        _close(batch)


def _record_all(batch: Batch, plan: Plan) -> None:
    for group in plan.groups:
        if any(row.recorded is None for row in group.rows):
            _record_group(batch, group)
    for file in plan.unnamed:
        try:
            _take_in(batch, file)
        except (RefusedError, PermissionDenied, StoreError) as error:
            log.warning("%s of batch %s waits: %s", file.name, batch.pk, error)


def requeue_batches() -> int:
    """Hand batches to the broker again whose message or worker was lost; returns how many."""
    lost = Batch.objects.filter(status=Batch.Status.QUEUED, queued_at__lt=timezone.now() - LOST_AFTER)
    keys = list(lost.values_list("pk", flat=True)[:100])
    Batch.objects.filter(pk__in=keys).update(queued_at=timezone.now())
    for pk in keys:
        enqueue(tasks.record_batch, pk)
    return len(keys)


def _record_group(batch: Batch, group: Group) -> None:
    state = group.state
    if state == MISSING:
        return  # the rest of it waits with it
    try:
        if state == ERROR:
            _quarantine(batch, group)
        else:
            _record(batch, group)
    except (RefusedError, PermissionDenied, StoreError) as error:
        _say(batch, group, str(error))
    except SoftTimeLimitExceeded:
        raise
    except Exception:  # a mistake of ours in one group is no reason to leave the others
        log.exception("Row %s of batch %s could not be recorded.", group.rows[0].number, batch.pk)
        _say(batch, group, MISTAKE)
    # A sign of life for the sweep, and for the page.
    Batch.objects.filter(pk=batch.pk).update(queued_at=timezone.now())


@transaction.atomic
def _record(batch: Batch, group: Group) -> None:
    if group.sample is None:
        raise RefusedError("sample", "Its sample is not known, so it was not recorded. Correct the table.")
    receipt = receive(
        user=batch.created_by,
        files=[
            Incoming(row.name, Kept(row.blob), row.said.get("role", "")) for row in group.rows if row.blob
        ],
        place=Place(group.sample.project, group.sample, ""),
        instrument=group.instrument,
        technique=group.technique,
        acquired_at=group.acquired_at,
        conditions=group.conditions,
    )
    _settle(batch, group, receipt, "" if receipt.created else "These bytes were here already.")


@transaction.atomic
def _quarantine(batch: Batch, group: Group) -> None:
    """What came of the group, to the inbox with the reason; rows without a file only keep theirs.

    What went there before stays as it is: somebody may have assigned it since.
    """
    came = [row for row in group.rows if row.blob is not None and row.recorded is None]
    reasons = " ".join(f"Row {row.number}: {' '.join(row.wrong)}" for row in group.rows if row.wrong)
    for_all = " ".join(f"Row {row.number}: {' '.join(row.for_all)}" for row in group.rows if row.wrong)
    if not came:
        _say(batch, group, "")
        return
    receipt = _into_the_inbox(
        batch,
        [Incoming(row.name, Kept(row.blob), row.said.get("role", "")) for row in came if row.blob],
        code=str(group.said.get("sample") or ""),
        technique=group.technique,
        why=f"{for_all} (batch {batch.pk}, {batch.name})",
        conditions_of=group,
    )
    _settle(batch, group, receipt, f"In the inbox. {reasons}")


@transaction.atomic
def _take_in(batch: Batch, file: BatchFile) -> None:
    """A file that no row names."""
    receipt = _into_the_inbox(
        batch,
        [Incoming(file.name, Kept(file.blob))],
        why=f"It came with batch {batch.pk} ({batch.name}), and no row of the manifest names it.",
    )
    BatchFile.objects.filter(pk=file.pk).update(measurement=receipt.measurement)


def _into_the_inbox(
    batch: Batch,
    files: list[Incoming],
    *,
    why: str,
    code: str = "",
    technique: str | None = None,
    conditions_of: Group | None = None,
) -> Receipt:
    receipt = receive(
        user=batch.created_by,
        files=files,
        place=Place(batch.project, None, as_text(code, CLAIMED_CHARACTERS) if code else ""),
        instrument=conditions_of.instrument if conditions_of else None,
        technique=technique,
        acquired_at=conditions_of.acquired_at if conditions_of else None,
        conditions=conditions_of.conditions if conditions_of else None,
    )
    if receipt.created:
        Measurement.objects.filter(pk=receipt.measurement.pk).update(waits_because=why[:2000])
    return receipt


def _settle(batch: Batch, group: Group, receipt: Receipt, outcome: str) -> None:
    with_file = [row.number for row in group.rows if row.blob is not None]
    batch.rows.filter(number__in=with_file, measurement=None).update(
        measurement=receipt.measurement, outcome=outcome[:2000]
    )


def _say(batch: Batch, group: Group, sentence: str) -> None:
    numbers = [row.number for row in group.rows]
    batch.rows.filter(number__in=numbers, measurement=None).update(outcome=sentence[:2000])


def _close(batch: Batch) -> None:
    """Done when every row has become something; otherwise open for what is still to come."""
    waiting = BatchRow.objects.filter(batch=batch, measurement=None).exists()
    Batch.objects.filter(pk=batch.pk, status=Batch.Status.QUEUED).update(
        status=Batch.Status.OPEN if waiting else Batch.Status.DONE
    )


class Kept(Pending):
    """Bytes that are in the store already, where a file on its way in is expected."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self.size = blob.size

    def sha256(self) -> str:
        return self._blob.sha256

    def head(self, size: int) -> bytes:
        stream: BinaryIO
        with store().open(self._blob.sha256) as stream:
            return stream.read(size)

    def keep(self) -> Stored:
        """They came earlier: a receipt will say that they are safe, so look before it does."""
        if wrong := store().examine(self._blob.sha256, self._blob.size):
            raise StoreUnavailableError(
                f"The stored file {self._blob.sha256[:12]}… {wrong}, so nothing is recorded from it. Send it "
                "again with the batch, then record the batch."
            )
        return Stored(self._blob.sha256, self._blob.size)

    def discard(self) -> None:
        """They stay."""

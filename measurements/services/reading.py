"""From bytes to datasets. May run twice, in two places, and be killed in between."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from measurements import data, qc, readers, tasks
from measurements.data import ReadError
from measurements.models import Dataset, Measurement, RawFile
from measurements.preview import preview
from measurements.readers import HEAD_BYTES, Reader
from measurements.services.datasets import blobs_of, write
from measurements.signals import measurement_read
from measurements.store import Stored, StoreError, store
from samples.queueing import enqueue

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
MAX_DATASETS = 1000
READING = 0x7265_6164  # "read": first half of the advisory lock's key, the measurement is the second
REQUEUE_AT_ONCE = 500


class Found(NamedTuple):
    file: RawFile
    reader: Reader
    dataset: data.Dataset


def read_measurement(measurement: Measurement) -> None:
    """Store what the readers make of the files, or mark the measurement failed with a sentence.

    Does nothing for a measurement that is already read, or is being read elsewhere. Mistakes of a reader
    (anything but ReadError) are recorded too, and raised.
    """
    with _alone_with(measurement) as alone:
        if not alone or not _begin(measurement):
            return
        try:
            found = _read_files(measurement)
            stored = [write({"data": each.dataset}) for each in found]
        except (ReadError, StoreError) as error:
            _fail(measurement, str(error))
        except SoftTimeLimitExceeded:
            _fail(
                measurement,
                f"Reading took longer than {tasks.SOFT_LIMIT_S} s and was stopped. The bytes are kept; "
                "export fewer points, or tell the maintainers which program wrote the file.",
            )
        except DatabaseError:
            raise  # time may heal it; the attempt is counted
        except Exception as error:
            _fail(
                measurement,
                f"The reader stopped at a mistake of its own ({type(error).__name__}: {error}). The bytes "
                "are kept; tell the maintainers, who find the details in the log of the worker.",
            )
            raise
        else:
            _save(measurement, found, stored)


def requeue_forgotten() -> int:
    """Hand measurements to the broker again whose message must have been lost; returns how many."""
    forgotten = list(Measurement.objects.forgotten().values_list("pk", flat=True)[:REQUEUE_AT_ONCE])
    Measurement.objects.filter(pk__in=forgotten).update(queued_at=timezone.now())
    for pk in forgotten:
        enqueue(tasks.read, pk)
    return len(forgotten)


@contextmanager
def _alone_with(measurement: Measurement) -> Iterator[bool]:
    """A lock that dies with its process: no lease to wait for when a worker is killed."""
    key = [READING, measurement.pk % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


def _begin(measurement: Measurement) -> bool:
    """Count the attempt before it is made: a file that kills its reader leaves no other trace."""
    waiting = Measurement.objects.filter(pk=measurement.pk, status=Measurement.Status.RECEIVED)
    if not waiting.update(attempts=F("attempts") + 1):
        return False
    measurement.refresh_from_db()
    if measurement.attempts <= MAX_ATTEMPTS:
        return True
    _fail(
        measurement,
        f"Reading it stopped its worker {MAX_ATTEMPTS} times, so it is not tried again. The bytes are kept; "
        "tell the maintainers which program wrote the file.",
    )
    return False


def _read_files(measurement: Measurement) -> list[Found]:
    found = []
    for file in measurement.files.select_related("blob"):
        try:
            found += _read_file(file)
        except ReadError as error:
            raise ReadError(_about(file, error)) from error
    if len(found) > MAX_DATASETS:
        raise ReadError(
            f"The files hold {len(found)} scans; up to {MAX_DATASETS} are read. Send them in parts."
        )
    return found


def _read_file(file: RawFile) -> list[Found]:
    if file.blob.size == 0:
        raise ReadError("the file is empty (0 bytes). Export it again and send it again.")
    with store().open(file.blob.sha256) as stream:
        head = stream.read(HEAD_BYTES)
    reader = readers.recognise(head, file.filename)
    if reader is None:
        known = ", ".join(each.format.name for each in readers.registry().values())
        raise ReadError(
            f"no reader recognises this format. Known are: {known}. The bytes are kept and can be read as "
            "soon as there is a reader; until then, export the measurement as text."
        )
    with store().local(file.blob.sha256) as path:
        datasets = readers.read(reader, path)
    return [Found(file, reader, dataset) for dataset in datasets]


def _about(file: RawFile, error: ReadError) -> str:
    place = f"line {error.line}" if error.line is not None else ""
    if error.byte is not None:
        place = f"byte {error.byte}"
    return f"{', '.join(filter(None, [file.filename, place]))}: {error.message}"


def _fail(measurement: Measurement, sentence: str) -> None:
    # UPDATE, not save(): somebody may have declared it void meanwhile.
    Measurement.objects.filter(pk=measurement.pk, status=Measurement.Status.RECEIVED).update(
        status=Measurement.Status.FAILED, error=_storable(sentence)
    )
    log.info("Measurement %s could not be read: %s", measurement.pk, sentence)


@transaction.atomic
def _save(measurement: Measurement, found: list[Found], stored: list[Stored]) -> None:
    now = Measurement.objects.select_for_update().get(pk=measurement.pk)
    if now.status != Measurement.Status.RECEIVED:
        return
    Dataset.objects.filter(measurement=now, current=True).update(current=False)
    for number, (each, blob) in enumerate(zip(found, blobs_of(stored), strict=True)):
        # The same reader version gave this number before: the first answer stays.
        row, _ = Dataset.objects.get_or_create(
            measurement=now,
            number=number,
            reader=each.reader.key,
            reader_version=each.reader.version,
            defaults={**_described(each.dataset), "blob": blob, "file": each.file, "current": False},
        )
        Dataset.objects.filter(pk=row.pk).update(current=True)
    now.status = Measurement.Status.READ
    now.error = ""
    if now.acquired_at is None:
        now.acquired_at = next((e.dataset.acquired_at for e in found if e.dataset.acquired_at), None)
    now.conditions = {**_conditions(each.dataset for each in found), **now.conditions}
    now.qc_level = qc.worst(list(now.datasets.filter(current=True).values_list("qc_level", flat=True)))
    now.save(update_fields=["status", "error", "acquired_at", "conditions", "qc_level"])
    transaction.on_commit(lambda: measurement_read.send(sender=Measurement, measurement=now))


def _described(dataset: data.Dataset) -> dict[str, object]:
    flags = qc.flags(dataset)
    return {
        "shape": list(dataset.signal.values.shape),
        "axes": [
            {"name": _storable(axis.name), "unit": _storable(axis.unit), "size": axis.values.size}
            for axis in dataset.axes
        ],
        "signal_name": _storable(dataset.signal.name)[:80],
        "signal_unit": _storable(dataset.signal.unit)[:40],
        "header": {_storable(key): _storable(text) for key, text in dataset.header.items()},
        "title": _storable(dataset.title)[:200],
        "conditions": _conditions([dataset]),
        "flags": [flag._asdict() | {"sentence": _storable(flag.sentence)} for flag in flags],
        "qc_level": qc.worst([flag.level for flag in flags]),
        "preview": preview(dataset),
    }


def _conditions(datasets: Iterable[data.Dataset]) -> dict[str, object]:
    """What the files say of the conditions; the first dataset that names one decides."""
    said: dict[str, object] = {}
    for dataset in datasets:
        for key, quantity in dataset.conditions.items():
            value = quantity.value if isinstance(quantity.value, float) else _storable(quantity.value)
            said.setdefault(key, {"value": value, "unit": quantity.unit})
    return said


def _storable(text: str) -> str:
    """PostgreSQL holds any text but NUL."""
    return text.replace("\0", "�")

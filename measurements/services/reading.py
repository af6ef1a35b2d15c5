"""From bytes to datasets. May run twice, in two places, and be killed in between."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from measurements import data, detection, qc, readers, tasks
from measurements.data import ReadError
from measurements.models import Dataset, Measurement, RawFile
from measurements.opening import Opened, Source, datasets_of
from measurements.overview import FROM_VALUES, overview, packed
from measurements.preview import preview
from measurements.sandbox import ReaderMistakeError, compute_s, read_limited
from measurements.services.datasets import blobs_of, write
from measurements.services.receiving import lock_content, same_bytes
from measurements.services.roles import give_roles
from measurements.signals import measurement_read, measurement_settled
from measurements.store import Stored, StoreError, store
from measurements.techniques import Technique
from measurements.vocabulary import understood
from samples.locking import alone
from samples.queueing import enqueue

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
CONTRADICTION = 0.9  # how sure a detection must be to doubt what a person said
READING = 0x7265_6164  # "read": first half of the advisory lock's key, the measurement is the second
REQUEUE_AT_ONCE = 500


class Found(NamedTuple):
    """`file` is None for a series that comes from several."""

    file: RawFile | None
    reader: str
    reader_version: int
    dataset: data.Dataset


def read_measurement(measurement: Measurement) -> None:
    """Store what the readers make of the files, or mark the measurement failed with a sentence.

    Does nothing for a measurement that is already read, or is being read elsewhere. Mistakes of a reader
    (anything but ReadError) are recorded too, and raised.
    """
    with alone(READING, measurement.pk) as is_alone:
        if not is_alone or not _begin(measurement):
            return
        try:
            found = _read_files(measurement)
            stored = [write({"data": each.dataset}) for each in found]
        except ReadError as error:
            _fail(measurement, str(error), error.reader)
        except StoreError as error:
            if store().is_reachable():
                _fail(measurement, str(error))
            else:
                _leave_for_later(measurement, error)
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
                f"The reader stopped at a mistake of its own ({_mistake(error)}). The bytes are kept; tell "
                "the maintainers, who find the details in the log of the worker.",
            )
            log.error("Measurement %s: %s", measurement.pk, getattr(error, "details", ""))
            raise
        else:
            _save(measurement, found, stored)


def _mistake(error: Exception) -> str:
    return str(error) if isinstance(error, ReaderMistakeError) else f"{type(error).__name__}: {error}"


def requeue_forgotten() -> int:
    """Hand measurements to the broker again whose message must have been lost; returns how many."""
    forgotten = list(Measurement.objects.forgotten().values_list("pk", flat=True)[:REQUEUE_AT_ONCE])
    Measurement.objects.filter(pk__in=forgotten).update(queued_at=timezone.now())
    for pk in forgotten:
        enqueue(tasks.read, pk)
    return len(forgotten)


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


def _leave_for_later(measurement: Measurement, error: StoreError) -> None:
    """An outage is nobody's attempt: the sweep asks again."""
    Measurement.objects.filter(pk=measurement.pk).update(attempts=F("attempts") - 1)
    log.warning("Measurement %s waits for the raw files to be reachable: %s", measurement.pk, error)


def _read_files(measurement: Measurement) -> list[Found]:
    """The datasets of its files, read at arm's length."""
    files = list(measurement.files.select_related("blob"))
    with ExitStack() as borrowed:
        sources = [
            Source(borrowed.enter_context(store().local(file.blob.sha256)), file.filename, place, file.role)
            for place, file in enumerate(files)
        ]
        offset_s = _clock_offset_s(measurement)
        read = read_limited(
            lambda: _by_name(datasets_of(sources, offset_s)),
            store().new_temporary(),
            compute_s=compute_s(sum(file.blob.size for file in files)),
        )
    return [_unpacked(name, dataset, files) for name, dataset in read.items()]


def _by_name(opened: list[Opened]) -> dict[str, data.Dataset]:
    """The reader's process hands over named datasets, so the name carries what else is known of each."""
    return {
        f"{number}|{'' if each.place is None else each.place}|{each.reader}|{each.version}": each.dataset
        for number, each in enumerate(opened)
    }


def _unpacked(name: str, dataset: data.Dataset, files: list[RawFile]) -> Found:
    _, place, reader, version = name.split("|")
    return Found(files[int(place)] if place else None, reader, int(version), dataset)


def _clock_offset_s(measurement: Measurement) -> float | None:
    """By how much a companion log's clock is ahead, if the sender said so."""
    said = measurement.conditions.get("clock_offset_s")
    return float(said) if isinstance(said, int | float) else None


@transaction.atomic
def _fail(measurement: Measurement, sentence: str, reader: str = "") -> None:
    """`reader`: key and version of the one that refused it, where one did."""
    # UPDATE, not save(): somebody may have declared it void meanwhile.
    failed = Measurement.objects.filter(pk=measurement.pk, status=Measurement.Status.RECEIVED).update(
        status=Measurement.Status.FAILED, error=_storable(sentence), refused_by=reader
    )
    if failed:
        measurement_settled.send(sender=Measurement, measurement=measurement)
    log.info("Measurement %s could not be read: %s", measurement.pk, sentence)


@transaction.atomic
def _save(measurement: Measurement, found: list[Found], stored: list[Stored]) -> None:
    lock_content(measurement.content_key)  # before the row, as everybody who changes a technique does
    now = Measurement.objects.select_for_update().get(pk=measurement.pk)
    if now.status != Measurement.Status.RECEIVED:
        return
    Dataset.objects.filter(measurement=now, current=True).update(current=False)
    said = understood(now.conditions)
    for number, (each, blob) in enumerate(zip(found, blobs_of(stored), strict=True)):
        # The same reader version gave this number before: the first answer stays.
        row, _ = Dataset.objects.get_or_create(
            measurement=now,
            number=number,
            reader=each.reader,
            reader_version=each.reader_version,
            defaults={**_described(each.dataset, said), "blob": blob, "file": each.file, "current": False},
        )
        Dataset.objects.filter(pk=row.pk).update(current=True)
    now.status = Measurement.Status.READ
    now.error, now.refused_by = "", ""
    if now.acquired_at is None:
        now.acquired_at = next((e.dataset.acquired_at for e in found if e.dataset.acquired_at), None)
    now.conditions = {**_conditions(each.dataset for each in found), **now.conditions}
    now.qc_level = qc.worst(list(now.datasets.filter(current=True).values_list("qc_level", flat=True)))
    _detect_technique(now, found)
    now.save(
        update_fields=[
            "status", "error", "refused_by", "acquired_at", "conditions", "qc_level", "technique",
            "technique_confidence", "technique_reason",
        ]
    )  # fmt: skip
    measurement_settled.send(sender=Measurement, measurement=now)
    transaction.on_commit(lambda: measurement_read.send(sender=Measurement, measurement=now))


def _detect_technique(now: Measurement, found: list[Found]) -> None:
    """Say what it seems to be, if nobody did; a person's word stands, with a note when the file differs."""
    reader = readers.registry().get(found[0].reader.partition("+")[0])
    guess = detection.detect(
        [each.dataset for each in found],
        reader.format.name if reader else found[0].reader,
        reader.format.techniques if reader else (),
        [file.filename for file in now.files.all()],
    )
    if guess is None:
        return
    said = now.technique != Technique.UNKNOWN
    if said and guess.technique != now.technique and guess.confidence >= CONTRADICTION:
        label = Technique(guess.technique).label
        now.technique_reason = f"The sender said so, but it looks like {label}: {guess.reason}."[:200]
    elif not said:
        now.technique_confidence = guess.confidence
        now.technique_reason = f"{Technique(guess.technique).label}: {guess.reason}."[:200]
        twin = same_bytes(now).filter(technique=guess.technique).exclude(pk=now.pk)
        if guess.confidence >= detection.ENOUGH and not twin.exists():
            now.technique = guess.technique
            give_roles(now)


def _described(dataset: data.Dataset, said: Mapping[str, data.Quantity]) -> dict[str, object]:
    flags = qc.flags(dataset, said)
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
        "overview": _overview(dataset),
    }


def _overview(dataset: data.Dataset) -> bytes | None:
    if dataset.signal.values.size <= FROM_VALUES and len(dataset.axes) == 1:
        return None
    shown = overview(dataset)
    return None if shown is None else packed(shown)


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

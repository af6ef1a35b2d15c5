"""What came without a known sample gets one; what came without a technique gets one."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction

from measurements.models import Measurement
from measurements.services.receiving import RefusedError, lock_content, same_bytes
from measurements.signals import measurement_assigned, measurement_read
from measurements.techniques import Technique
from samples.models import Sample, User


@transaction.atomic
def assign(measurement: Measurement, sample: Sample, *, user: User) -> None:
    """Take a measurement out of the inbox. It keeps the code under which it came."""
    lock_content(measurement.content_key)
    row = _writable(measurement, user)
    if not Sample.objects.open_to(user).filter(pk=sample.pk).exists():
        raise PermissionDenied(f"You may not add to {sample.code}. Ask a manager of its project.")
    if row.sample == sample:
        return
    if row.sample is not None:
        raise RefusedError(
            "sample",
            f"Measurement {row.pk} already belongs to {row.sample.code}. Only what waits in the inbox can be "
            "assigned.",
        )
    row.sample, row.project = sample, sample.project
    _refuse_a_second(row)
    row.save(update_fields=["sample", "project"])
    measurement.sample, measurement.project = sample, sample.project
    transaction.on_commit(lambda: measurement_assigned.send(sender=Measurement, measurement=row))


@transaction.atomic
def set_technique(measurement: Measurement, technique: str, *, user: User) -> None:
    """Say what was measured. The methods for that technique then run on it as on a new one."""
    if technique not in Technique.values:
        raise RefusedError(
            "technique", f"“{technique}” is not a technique; known are {', '.join(Technique.values)}."
        )
    lock_content(measurement.content_key)
    row = _writable(measurement, user)
    if row.technique == technique:
        return
    row.technique = technique
    _refuse_a_second(row)
    row.save(update_fields=["technique"])
    measurement.technique = technique
    if row.status == Measurement.Status.READ:
        transaction.on_commit(lambda: measurement_read.send(sender=Measurement, measurement=row))


def _writable(measurement: Measurement, user: User) -> Measurement:
    row: Measurement | None = (
        Measurement.objects.open_to(user)
        .select_related("project", "sample")
        .select_for_update(of=("self",))
        .filter(pk=measurement.pk)
        .first()
    )
    if row is None:
        raise PermissionDenied(
            f"You may not change measurements of {measurement.project}. Ask one of its managers."
        )
    return row


def _refuse_a_second(row: Measurement) -> None:
    twin = same_bytes(row).filter(technique=row.technique).exclude(pk=row.pk).first()
    if twin is not None:
        raise RefusedError(
            "sample", f"The same bytes are already there as measurement {twin.pk}: declare one void."
        )

"""What came without a known sample gets one, without a technique gets one; two answers become one."""

from __future__ import annotations

from django.db import transaction

from measurements.models import Decision, Measurement
from measurements.services import rules
from measurements.services.conflicts import conflict_of
from measurements.services.moving import locked, may_add, put, refuse_a_second
from measurements.services.receiving import RefusedError
from measurements.services.roles import give_roles
from measurements.signals import measurement_read
from measurements.techniques import Technique
from samples.models import Sample, User
from samples.services.correcting import readable


@transaction.atomic
def assign(measurement: Measurement, sample: Sample, *, user: User) -> None:
    """Take a measurement out of the inbox. It keeps the code under which it came."""
    row = locked(measurement, user)
    may_add(sample, user)
    if row.sample == sample:
        return
    if row.sample is not None:
        raise RefusedError(
            "sample",
            f"Measurement {row.pk} already belongs to {row.sample.code}. To move it, say why.",
        )
    put(row, sample, by=user)
    measurement.sample, measurement.project = sample, sample.project


@transaction.atomic
def set_technique(measurement: Measurement, technique: str, *, user: User) -> None:
    """Say what was measured. The methods for that technique then run on it as on a new one."""
    known_technique(technique)
    row = locked(measurement, user)
    if row.technique == technique:
        return
    Decision.objects.create(
        measurement=row, kind=Decision.Kind.TECHNIQUE, before=row.technique, after=technique, by=user
    )
    row.technique, row.technique_confidence, row.technique_reason = technique, None, ""
    refuse_a_second(row)
    row.save(update_fields=["technique", "technique_confidence", "technique_reason"])
    measurement.technique = technique
    give_roles(row)
    if row.status == Measurement.Status.READ:
        transaction.on_commit(lambda: measurement_read.send(sender=Measurement, measurement=row))


def known_technique(technique: str) -> str:
    if technique not in Technique.values:
        raise RefusedError(
            "technique", f"“{technique}” is not a technique; known are {', '.join(Technique.values)}."
        )
    return technique


@transaction.atomic
def keep(measurement: Measurement, *, user: User, reason: str = "") -> None:
    """A person has looked at the conflict: it is right as it is."""
    row = locked(measurement, user)
    if not row.conflict:
        return
    Decision.objects.create(
        measurement=row, kind=Decision.Kind.KEPT, before=row.conflict, by=user, reason=readable(reason)[:1000]
    )
    row.conflict = measurement.conflict = ""
    row.save(update_fields=["conflict"])


@transaction.atomic
def look_over(measurement: Measurement) -> None:
    """After reading: a rule may know the sample from the header, and two answers make a conflict."""
    row = locked(measurement, None)
    if row.status == Measurement.Status.VOID:
        return
    if row.sample is None:
        rules.apply_to(row)
    elif not row.decisions.exclude(kind=Decision.Kind.REREAD).filter(rule=None).exists():
        row.conflict = conflict_of(row)  # after a person's decision it is not asked again
        Measurement.objects.filter(pk=row.pk).update(conflict=row.conflict)

"""A measurement gets its right sample. Everything that hangs on it follows in the same transaction."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from measurements.models import Decision, InboxRule, Measurement
from measurements.services.conflicts import release_twins
from measurements.services.receiving import RefusedError, lock_content, same_bytes
from measurements.signals import measurement_assigned, measurement_placed
from samples.models import Sample, User
from samples.services.correcting import checked_reason


@transaction.atomic
def move(measurement: Measurement, to: Sample | None, *, user: User, reason: str) -> Decision:
    """To the sample it is really of, or back into the inbox (`to` is None). Moving back undoes it.

    Raises RefusedError or PermissionDenied with a sentence; then nothing has changed.
    """
    told = said_why(reason)
    row = locked(measurement, user)
    if row.sample == to:
        where = f"already belongs to {to.code}" if to else "is in the inbox already"
        raise RefusedError("sample", f"Measurement {row.pk} {where}; nothing was changed.")
    if to is not None:
        may_add(to, user)
    decision = put(row, to, by=user, reason=told)
    measurement.sample, measurement.project, measurement.conflict = row.sample, row.project, ""
    return decision


def put(
    row: Measurement, to: Sample | None, *, by: User | None, rule: InboxRule | None = None, reason: str = ""
) -> Decision:
    """The change itself, on a row that is locked; whether one may is asked before."""
    came_from = row.sample
    row.sample = to
    row.project = to.project if to is not None else row.project
    row.conflict = ""
    refuse_a_second(row)
    row.save(update_fields=["sample", "project", "conflict"])
    decision = Decision.objects.create(
        measurement=row,
        kind=Decision.Kind.ASSIGNED if came_from is None else Decision.Kind.MOVED,
        from_sample=came_from,
        to_sample=to,
        by=by,
        rule=rule,
        reason=reason,
    )
    release_twins(row)
    measurement_placed.send(sender=Measurement, measurement=row)
    if came_from is None:
        transaction.on_commit(lambda: measurement_assigned.send(sender=Measurement, measurement=row))
    return decision


def locked(measurement: Measurement, user: User | None) -> Measurement:
    """The row as it is now, ours until the transaction ends. Without a user: for a rule, which may."""
    lock_content(measurement.content_key)
    rows = Measurement.objects.all() if user is None else Measurement.objects.open_to(user)
    row: Measurement | None = (
        rows.select_related("project", "sample")
        .select_for_update(of=("self",))
        .filter(pk=measurement.pk)
        .first()
    )
    if row is None:
        raise PermissionDenied(
            f"You may not change measurements of {measurement.project}. Ask one of its managers."
        )
    return row


def may_add(sample: Sample, user: User) -> None:
    if not Sample.objects.open_to(user).filter(pk=sample.pk).exists():
        raise PermissionDenied(f"You may not add to {sample.code}. Ask a manager of its project.")
    if sample.voided_at is not None:
        raise RefusedError("sample", f"{sample.code} is void ({sample.void_reason}); it takes nothing more.")


def refuse_a_second(row: Measurement) -> None:
    twin = same_bytes(row).filter(technique=row.technique).exclude(pk=row.pk).first()
    if twin is not None:
        raise RefusedError(
            "sample", f"The same bytes are already there as measurement {twin.pk}: declare one void."
        )


def said_why(reason: str) -> str:
    try:
        return checked_reason(reason)
    except ValidationError as error:
        raise RefusedError("reason", " ".join(error.messages)) from None

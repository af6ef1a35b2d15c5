"""Adding, replacing and withdrawing calibrations. Managers decide; what depended on one follows.

None is ever changed: one without an end of its own ends where the next begins, which is computed and not
written, so that it goes on when the next is withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from analysis.models import Calibration, Run, Value
from analysis.services import recalibrating
from measurements.models import Instrument, Measurement
from samples.auditing import because
from samples.models import Project, Role, User
from samples.services.correcting import checked_reason, readable

EARLIEST = datetime(1950, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST_NOTE = 2000


@transaction.atomic
def add_calibration(
    *,
    user: User,
    instrument: Instrument,
    kind: str,
    measurement: Measurement,
    valid_from: datetime,
    valid_until: datetime | None = None,
    note: str = "",
    from_elsewhere: bool = False,
) -> Calibration:
    """What it takes over is flagged at once and asked again soon.

    from_elsewhere : the person knows that the measurement is not recorded as of this instrument

    Raises ValidationError with a sentence for a field, or PermissionDenied.
    """
    row = _add(user, instrument, kind, measurement, (valid_from, valid_until), note, from_elsewhere)
    recalibrating.flag(instrument)
    return row


@transaction.atomic
def replace_calibration(
    calibration: Calibration,
    measurement: Measurement,
    *,
    user: User,
    reason: str,
    from_elsewhere: bool = False,
) -> Calibration:
    """Another measurement takes its place for all of its time, and it is withdrawn."""
    _withdraw(calibration, user, reason)
    validity = calibration.valid_from, calibration.valid_until
    instrument, kind = calibration.instrument, calibration.kind
    row = _add(user, instrument, kind, measurement, validity, calibration.note, from_elsewhere)
    recalibrating.flag(instrument)
    return row


@transaction.atomic
def withdraw_calibration(calibration: Calibration, *, user: User, reason: str) -> None:
    """It is used no more. Every value that was computed with it is flagged, and asked again where another
    calibration is valid or none is needed. `restore_calibration` takes it back."""
    _withdraw(calibration, user, reason)
    recalibrating.flag(calibration.instrument)


@transaction.atomic
def restore_calibration(calibration: Calibration, *, user: User, reason: str = "") -> None:
    """As if it had never been withdrawn; the history keeps that it was, and why."""
    row = _locked(calibration, user)
    if row.withdrawn_at is None:
        raise ValidationError("This calibration is not withdrawn; nothing was changed.")
    row.withdrawn_at = row.withdrawn_by = None
    row.withdraw_reason = ""
    _save_withdrawal(calibration, row, readable(reason) if isinstance(reason, str) else "", user)
    recalibrating.flag(row.instrument)


@dataclass(frozen=True)
class Dependents:
    """What was computed with a calibration, as far as the person asking may see it."""

    runs: int
    values: int
    samples: int

    def sentence(self) -> str:
        if not self.values:
            return "No current value was computed with it."
        values = "1 value" if self.values == 1 else f"{self.values} values"
        samples = "1 sample" if self.samples == 1 else f"{self.samples} samples"
        return f"{values} of {samples} {'was' if self.values == 1 else 'were'} computed with it."


def dependents(calibration: Calibration, user: User) -> Dependents:
    runs = Run.objects.visible_to(user).filter(inputs__calibration=calibration)
    values = Value.objects.visible_to(user).filter(current=True, run__in=runs.order_by().values("pk"))
    samples = values.filter(sample__isnull=False).order_by().values("sample").distinct()
    return Dependents(runs.distinct().count(), values.count(), samples.count())


def may_calibrate(project: Project | int, user: User) -> bool:
    key = project if isinstance(project, int) else project.pk
    return Project.objects.with_role(user, Role.MANAGER).filter(pk=key).exists()


def _add(
    user: User,
    instrument: Instrument,
    kind: str,
    measurement: Measurement,
    validity: tuple[datetime, datetime | None],
    note: str,
    from_elsewhere: bool,
) -> Calibration:
    _must_calibrate(instrument.project_id, user)
    # One change of an instrument's calibrations at a time: each sees what the other has done.
    instrument = Instrument.objects.select_for_update(of=("self",)).get(pk=instrument.pk)
    if kind not in Calibration.Kind.values:
        raise ValidationError({"kind": f"A calibration is one of: {', '.join(Calibration.Kind.values)}."})
    _check_measurement(measurement, instrument, user, from_elsewhere)
    _check_validity(*validity)
    text = readable(note) if isinstance(note, str) else ""
    if len(text) > LONGEST_NOTE:
        raise ValidationError({"note": f"Say it in at most {LONGEST_NOTE} characters."})
    row = Calibration(
        project_id=instrument.project_id,
        instrument=instrument,
        kind=kind,
        measurement=measurement,
        valid_from=validity[0],
        valid_until=validity[1],
        note=text,
        made_by=user,
    )
    _check_new(row)
    with because("", user):
        row.save()
    return row


def _check_measurement(row: Measurement, instrument: Instrument, user: User, from_elsewhere: bool) -> None:
    if not Measurement.objects.visible_to(user).filter(pk=row.pk).exists():
        raise ValidationError({"measurement": f"There is no measurement {row.pk}; look at its address."})
    if row.project_id != instrument.project_id:
        raise ValidationError(
            {
                "measurement": f"Measurement {row.pk} belongs to another project than {instrument}, whose "
                "members could not look at it. Upload its file into the project of the instrument."
            }
        )
    if row.status != Measurement.Status.READ or not row.datasets.filter(current=True).exists():
        raise ValidationError(
            {
                "measurement": f"Measurement {row.pk} gives no numbers: its state is "
                f"“{row.get_status_display().lower()}”. Choose one that was read."
            }
        )
    if row.instrument_id != instrument.pk and not from_elsewhere:
        whose = f"was made by {row.instrument}" if row.instrument else "names no instrument"
        raise ValidationError(
            {
                "measurement": f"Measurement {row.pk} {whose}. If it holds for {instrument} all the same, "
                "say so, and add it again."
            }
        )


def _check_validity(valid_from: datetime, valid_until: datetime | None) -> None:
    for name, moment in (("valid_from", valid_from), ("valid_until", valid_until)):
        if moment is None:
            continue
        if moment.tzinfo is None:
            raise ValidationError({name: "A time needs a zone, such as 2026-05-04T10:00:00+02:00."})
        if not EARLIEST <= moment <= LATEST:
            raise ValidationError({name: "Give a time between 1950 and 2200."})
    if valid_until is not None and valid_until <= valid_from:
        raise ValidationError(
            {"valid_until": "It ends before it begins. Leave it empty: it ends when another takes over."}
        )


def _check_new(row: Calibration) -> None:
    same = Calibration.objects.in_force().filter(
        instrument=row.instrument_id,
        kind=row.kind,
        measurement=row.measurement_id,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )
    if same.exists():
        raise ValidationError({"measurement": "Exactly this calibration is entered already."})


def _withdraw(calibration: Calibration, user: User, reason: str) -> None:
    row = _locked(calibration, user)
    reason = checked_reason(reason)
    if row.withdrawn_at is not None:
        raise ValidationError("This calibration is withdrawn already; nothing was changed.")
    row.withdrawn_at, row.withdrawn_by, row.withdraw_reason = timezone.now(), user, reason
    _save_withdrawal(calibration, row, reason, user)


def _locked(calibration: Calibration, user: User) -> Calibration:
    _must_calibrate(calibration.project_id, user)
    Instrument.objects.select_for_update(of=("self",)).get(pk=calibration.instrument_id)
    row: Calibration = Calibration.objects.select_for_update(of=("self",)).get(pk=calibration.pk)
    return row


def _save_withdrawal(calibration: Calibration, row: Calibration, reason: str, user: User) -> None:
    fields: Any = ["withdrawn_at", "withdrawn_by", "withdraw_reason"]
    with because(reason, user):
        row.save(update_fields=fields)
    for name in fields:
        setattr(calibration, name, getattr(row, name))


def _must_calibrate(project_id: int, user: User) -> None:
    if not may_calibrate(project_id, user):
        raise PermissionDenied(
            "Only a manager of the instrument’s project decides about its calibrations; ask one of them."
        )

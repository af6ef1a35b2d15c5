"""What happened to a sample after it was made: stored, immersed, heated, lit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from samples.models import Exposure, Sample, User

FIELDS = ("medium", "temperature_c", "relative_humidity", "irradiance_mw_per_cm2", "wavelength_nm", "notes")
FUTURE = timedelta(minutes=5)
LONGEST_NOTES = 10_000


@transaction.atomic
def expose(
    *,
    user: User,
    sample: Sample,
    kind: str,
    started_at: datetime,
    ended_at: datetime | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> Exposure:
    """Record an exposure. `ended_at` None: it goes on, or its end is recorded later.

    conditions : medium, temperature_c, relative_humidity (a fraction), irradiance_mw_per_cm2, wavelength_nm,
        notes; what is left out was not recorded.
    Raises ValidationError with a sentence.
    """
    if sample.planned:
        raise ValidationError(f"{sample.code} is not made yet, so nothing can have happened to it.")
    said = {name: value for name, value in (conditions or {}).items() if value not in (None, "")}
    unknown = [name for name in said if name not in FIELDS]
    if unknown:
        raise ValidationError(f"An exposure has no “{unknown[0][:40]}”; it may say {', '.join(FIELDS)}.")
    for moment in (started_at, ended_at):
        _check(moment)
    if sample.made_at is not None and started_at < sample.made_at - timedelta(days=1):
        raise ValidationError(f"{sample.code} was made after that. Check the date on which it began.")
    row = Exposure(sample=sample, kind=kind, started_at=started_at, ended_at=ended_at, **said)
    _save(row)
    return row


@transaction.atomic
def end(*, user: User, exposure: Exposure, at: datetime | None = None) -> Exposure:
    """The exposure is over, now or at the time given."""
    row = Exposure.objects.select_for_update().get(pk=exposure.pk)
    if row.ended_at is not None:
        raise ValidationError("This exposure has ended already.")
    row.ended_at = at or timezone.now()
    _check(row.ended_at)
    _save(row)
    return row


@transaction.atomic
def remove(*, user: User, exposure: Exposure, reason: str) -> None:
    """An exposure that was entered by mistake. The audit trail keeps it, with the reason."""
    if not reason.strip():
        raise ValidationError("Say why this exposure is removed.")
    with pghistory.context(reason=reason.strip()):
        exposure.delete()


def _check(moment: datetime | None) -> None:
    if moment is None:
        return
    if timezone.is_naive(moment):
        raise ValidationError("The time needs a zone, such as 2026-05-04T10:00:00+02:00.")
    if moment > timezone.now() + FUTURE:
        raise ValidationError("The time lies in the future. Record an exposure when it begins.")


def _save(row: Exposure) -> None:
    if "\0" in f"{row.medium}{row.notes}" or len(row.notes) > LONGEST_NOTES:
        raise ValidationError(f"Notes are text of at most {LONGEST_NOTES} characters.")
    row.full_clean()
    row.save()

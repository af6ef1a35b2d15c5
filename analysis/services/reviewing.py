"""Judging a value: a person accepts or rejects it, with a reason that stands beside it for ever."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from analysis.models import Review, Value
from analysis.services.currency import decide_reviewed
from samples.models import User


@transaction.atomic
def review(*, value: Value, verdict: str, reason: str, user: User) -> Review:
    """A rejected value leaves every figure and list of current values, and stays in the record with the
    reason. Accepting it takes that back; what was never rejected is confirmed by it.
    """
    if not Value.objects.open_to(user).filter(pk=value.pk).exists():
        raise PermissionDenied("You may look at this project but not judge its values; ask its manager.")
    if verdict not in Review.Verdict.values:
        raise ValidationError({"verdict": f"A value is accepted or rejected, not “{verdict}”."})
    if not reason.strip():
        raise ValidationError({"reason": "Say why: the reason stands beside the value for ever."})
    written = Review(value=value, verdict=verdict, reason=reason.strip(), by=user)
    written.full_clean()
    written.save()
    decide_reviewed(value)
    value.refresh_from_db(fields=["current", "rejected"])
    return written

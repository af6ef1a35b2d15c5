"""What is written about a sample can be corrected; of one that was made, not without a reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from samples.auditing import because
from samples.models import Project, Role, Sample, User
from samples.services.deriving import rederive

CORRECTABLE = ("name", "notation", "state", "made_at", "notes", "embargoed_until")
LONGEST_REASON = 1000


def readable(text: str) -> str:
    """Without what cannot be seen: control, zero-width and direction characters, which only deceive."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return kept.strip()


def checked_reason(reason: Any) -> str:
    """The reason as it is kept. Raises ValidationError when there is nothing to read in it."""
    text = readable(reason) if isinstance(reason, str) else ""
    if not text:
        raise ValidationError({"reason": "Say why, in a few words: whoever reads the history will ask."})
    if len(text) > LONGEST_REASON:
        raise ValidationError({"reason": f"Say it in at most {LONGEST_REASON} characters."})
    return text


@transaction.atomic
def correct(sample: Sample, changes: Mapping[str, Any], *, user: User, reason: str = "") -> Sample:
    """Change some of CORRECTABLE and tell the audit trail why.

    Raises ValidationError with a sentence, or PermissionDenied; then nothing is changed.
    """
    if not Sample.objects.open_to(user).filter(pk=sample.pk).exists():
        raise PermissionDenied(
            f"You may look at {sample.code} but not change it; ask a manager of the project."
        )
    unknown = [name for name in changes if name not in CORRECTABLE]
    if unknown:
        raise ValidationError(
            f"{', '.join(unknown)} cannot be corrected; {', '.join(CORRECTABLE)} can. "
            "Masses are corrected by a recount."
        )
    row = Sample.objects.select_for_update(of=("self",)).get(pk=sample.pk)
    changed = [name for name, value in changes.items() if getattr(row, name) != value]
    if not changed:
        return row
    reason = checked_reason(reason) if reason or not row.planned else ""
    if "embargoed_until" in changed and not may_embargo(row, user):
        raise PermissionDenied(
            "Only the maker of a sample and the managers of its project decide its embargo."
        )
    if "made_at" in changed and row.planned:
        raise ValidationError({"made_at": f"{row.code} is not made yet; record first that it is."})
    for name in changed:
        value = changes[name]
        setattr(row, name, readable(value) if isinstance(value, str) else value)
    row.full_clean()
    with because(reason, user):
        row.save(update_fields=changed)
        rederive([row])
    return row


def may_embargo(sample: Sample, user: User) -> bool:
    managed = Project.objects.with_role(user, Role.MANAGER)
    return sample.created_by_id == user.pk or managed.filter(pk=sample.project_id).exists()

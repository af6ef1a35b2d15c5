"""Deleting is voiding: a void sample leaves lists, counts and figures, and stays at its address."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from samples.ancestry import descendants
from samples.auditing import because
from samples.models import Project, Role, Sample, User
from samples.services.correcting import checked_reason


@dataclass(frozen=True)
class Consequences:
    """What hangs on a sample, and stays when it is void."""

    made_from_it: int
    measurements: int
    values: int

    def sentence(self) -> str:
        """What voiding means, "" when nothing hangs on the sample."""
        parts = [
            _counted(
                self.made_from_it, "sample was made from it and stays", "samples were made from it and stay"
            ),
            _counted(
                self.measurements, "measurement stays at its address", "measurements stay at their address"
            ),
            _counted(self.values, "value leaves the figures", "values leave the figures"),
        ]
        told = [part for part in parts if part]
        return f"{'; '.join(told)}." if told else ""


def _counted(number: int, one: str, many: str) -> str:
    return "" if not number else f"1 {one}" if number == 1 else f"{number} {many}"


def consequences(sample: Sample, user: User) -> Consequences:
    """Counts only what `user` may see. The rooms below are reached through their relations, not imported."""

    def seen(name: str) -> int:
        related = getattr(sample, name, None)
        return related.visible_to(user).count() if related is not None else 0

    below = [child.pk for child in descendants([sample]) if child.pk != sample.pk]
    made = Sample.objects.kept().visible_to(user).filter(pk__in=below).count()
    return Consequences(made, seen("measurements"), seen("values"))


def may_void(sample: Sample, user: User) -> bool:
    """Its maker, while a contributor, and the managers of its project."""
    if Project.objects.with_role(user, Role.MANAGER).filter(pk=sample.project_id).exists():
        return True
    is_maker = sample.created_by_id is not None and sample.created_by_id == user.pk
    return is_maker and Sample.objects.open_to(user).filter(pk=sample.pk).exists()


def void(sample: Sample, *, reason: str, user: User) -> Sample:
    """Raises ValidationError without a reason or when it is void already, PermissionDenied for others."""
    return _set(sample, user, reason, void=True)


def unvoid(sample: Sample, *, reason: str, user: User) -> Sample:
    return _set(sample, user, reason, void=False)


@transaction.atomic
def _set(sample: Sample, user: User, reason: str, *, void: bool) -> Sample:
    if not may_void(sample, user):
        raise PermissionDenied("Only the maker of a sample and the managers of its project may void it.")
    reason = checked_reason(reason)
    row = Sample.objects.select_for_update(of=("self",)).get(pk=sample.pk)
    if (row.voided_at is not None) is void:
        raise ValidationError(f"{row.code} is {'void already' if void else 'not void'}; nothing was changed.")
    row.voided_at, row.void_reason = (timezone.now(), reason) if void else (None, "")
    with because(reason, user):
        row.save(update_fields=["voided_at", "void_reason"])
    sample.voided_at, sample.void_reason = row.voided_at, row.void_reason
    return row

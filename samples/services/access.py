"""Ways in: invitations to a project, and links to look at one sample. Of a token only the digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from samples.auditing import because
from samples.models import Invitation, Membership, Project, Role, Sample, ShareLink, User
from samples.services.correcting import readable

LONGEST_DAYS = 365
TOKEN_BYTES = 32
TOKEN_CHARACTERS = 43  # of TOKEN_BYTES in base64


class SpentError(ValidationError):
    """An invitation that lets nobody in any more, or never did."""

    def __init__(self) -> None:
        super().__init__(
            "This invitation is spent: it was used, revoked or is too old, or the address is not complete. "
            "Ask whoever invited you for a new one."
        )


def digest_of(token: Any) -> str:
    """ "" for what cannot be a token, which equals no stored digest."""
    well_formed = isinstance(token, str) and len(token) == TOKEN_CHARACTERS and token.isascii()
    return hashlib.sha256(token.encode()).hexdigest() if well_formed else ""


def invite(*, project: Project, email: str, role: int, user: User, days: int = 14) -> tuple[Invitation, str]:
    """The invitation and its token, which nobody can read again. Only managers invite."""
    _must_manage(project, user)
    email = readable(email).lower() if isinstance(email, str) else ""
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError({"email": "Write an e-mail address, such as ada@example.org."}) from None
    if role not in Role.values:
        raise ValidationError({"role": "A role is viewer, contributor or manager."})
    if Membership.objects.filter(project=project, user__email__iexact=email).exists():
        raise ValidationError({"email": f"{email} is a member already; change the role in the list."})
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = Invitation(
        project=project,
        email=email,
        role=role,
        digest=digest_of(token),
        invited_by=user,
        expires_at=timezone.now() + timedelta(days=_checked_days(days)),
    )
    row.full_clean()
    row.save()
    return row, token


def open_invitations() -> Any:
    """Those that would still let somebody in, whose inviter still manages the project."""
    inviter_manages = Q(
        project__memberships__user=F("invited_by"), project__memberships__role__gte=Role.MANAGER
    )
    return Invitation.objects.filter(
        inviter_manages, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )


def invitation_for(token: Any) -> Invitation:
    """Raises SpentError."""
    found: Invitation | None = (
        open_invitations().filter(digest=digest_of(token)).select_related("project", "invited_by").first()
    )
    if found is None:
        raise SpentError
    return found


@transaction.atomic
def accept(token: Any, user: User) -> Membership:
    """Make `user` a member. Works once: the row is taken by one conditional UPDATE, so that of two browsers
    the second finds it spent. Somebody who is a member already keeps the higher role."""
    found = invitation_for(token)
    taken = Invitation.objects.filter(pk=found.pk, accepted_at=None, revoked_at=None).update(
        accepted_at=timezone.now(), accepted_by=user
    )
    if not taken:
        raise SpentError
    with because("", user):
        member, created = Membership.objects.get_or_create(
            project=found.project, user=user, defaults={"role": found.role}
        )
        if not created and member.role < found.role:
            member.role = found.role
            member.save(update_fields=["role"])
    return member


def revoke_invitation(invitation: Invitation, user: User) -> None:
    _must_manage(invitation.project, user)
    unused = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if not unused.update(revoked_at=timezone.now()):
        raise ValidationError("This invitation was used or revoked already.")


def may_share(sample: Sample, user: User) -> bool:
    """Whoever may write in the project; under an embargo only those who see the sample, which is a subset."""
    return Sample.objects.open_to(user).filter(pk=sample.pk).exists()


def share(*, sample: Sample, user: User, days: int = 30, note: str = "") -> tuple[ShareLink, str]:
    """The link and its token, which nobody can read again."""
    if not may_share(sample, user):
        raise PermissionDenied(
            f"You may look at {sample.code} but not share it; ask a manager of the project."
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = ShareLink(
        sample=sample,
        digest=digest_of(token),
        note=readable(note) if isinstance(note, str) else "",
        created_by=user,
        expires_at=timezone.now() + timedelta(days=_checked_days(days)),
    )
    row.full_clean()
    row.save()
    return row, token


def open_links() -> Any:
    """Links that still show their sample; whoever made one must still be allowed to write in the project."""
    maker_writes = Q(
        sample__project__memberships__user=F("created_by"),
        sample__project__memberships__role__gte=Role.CONTRIBUTOR,
    )
    return ShareLink.objects.filter(maker_writes, revoked_at=None, expires_at__gt=timezone.now())


def shared_sample(token: Any) -> ShareLink | None:
    found: ShareLink | None = (
        open_links().filter(digest=digest_of(token)).select_related("sample", "created_by").first()
    )
    return found if found is not None and may_share(found.sample, found.created_by) else None


def revoke_link(link: ShareLink, user: User) -> None:
    if not may_share(link.sample, user):
        raise PermissionDenied("You may not revoke links to this sample; ask a manager of the project.")
    if not ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now()):
        raise ValidationError("This link was revoked already.")


def who_sees(sample: Sample) -> list[Membership]:
    """The members who see a sample today (as `Sample.objects.visible_to` decides)."""
    members = sample.project.memberships.filter(user__is_active=True).select_related("user")
    if Sample.objects.under_embargo().filter(pk=sample.pk).exists():
        members = members.filter(Q(role__gte=Role.MANAGER) | Q(user=sample.created_by_id))
    return list(members.order_by("-role", "user__username"))


def _must_manage(project: Project, user: User) -> None:
    if not Project.objects.with_role(user, Role.MANAGER).filter(pk=project.pk).exists():
        raise PermissionDenied("Only a manager of the project may invite people to it.")


def _checked_days(days: Any) -> int:
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST_DAYS:
        raise ValidationError({"days": f"Choose a number of days from 1 to {LONGEST_DAYS}."})
    return days

"""The letter that brings an invitation, where this instance can send letters."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail

from samples.models import Invitation

LETTER = """{inviter} invites you to the project “{project}” at Vitrine, as a {role}.

Open this address to join; it works once, until {until:%Y-%m-%d} (UTC):

{address}

If you do not know what this is about, do nothing.
"""
log = logging.getLogger(__name__)


def send(invitation: Invitation, address: str) -> bool:
    """Whether it was handed to a mail server. Without one the address must not land in a log."""
    if settings.EMAIL_BACKEND.endswith((".console.EmailBackend", ".dummy.EmailBackend")):
        return False
    letter = LETTER.format(
        inviter=invitation.invited_by.get_full_name() or invitation.invited_by.get_username(),
        project=invitation.project.name,
        role=invitation.get_role_display().lower(),
        until=invitation.expires_at,
        address=address,
    )
    try:
        send_mail(f"An invitation to {one_line(invitation.project.name)}", letter, None, [invitation.email])
    except (SMTPException, OSError):
        log.exception("the invitation of project %s could not be mailed", invitation.project_id)
        return False
    return True


def one_line(text: str) -> str:
    """A line break in a subject would begin another header."""
    return " ".join(text.split())

"""Telling people: in the app at once, by mail as soon as a mail server takes it.

A notice says that something happened and where to look, never a number or a name of a sample: who may see
those is decided when the address is opened, and mail is read by more people than it is written to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from analysis.models import Notice, Reanalysis
from samples.models import Project, Role, User
from samples.queueing import enqueue

log = logging.getLogger(__name__)
MAIL_WITHIN = timedelta(days=2)  # what could not be sent by then, its reader has seen in the app
MOST_AT_ONCE = 500


def tell(users: Iterable[User], text: str, *, project: Project | None = None, url: str = "") -> None:
    """One notice for each of them. Where a project is named, only who is its member reads it."""
    from analysis.tasks import mail_notices

    Notice.objects.bulk_create(
        Notice(user=user, project=project, text=text, url=url) for user in users if user.is_active
    )
    if mail_is_set_up():
        enqueue(mail_notices)


def managers_of(project: Project) -> list[User]:
    return list(User.objects.filter(memberships__project=project, memberships__role__gte=Role.MANAGER))


def tell_of_campaign(campaign: Reanalysis) -> None:
    """Managers of its report; whoever asked for a run that was redone, that it was."""
    project = campaign.project
    assert project is not None  # campaigns that this house begins have one
    managers = managers_of(project)
    tell(
        managers,
        f"Reanalysis {campaign.pk} of {project.name} is done. Its report says what changed, and by how much.",
        project=project,
        url=reverse("reanalysis", args=[campaign.pk]),
    )
    redone = User.objects.filter(
        pk__in=campaign.runs.filter(status="done").values("supersedes__requested_by"),
        memberships__project=project,
    ).exclude(pk__in=[user.pk for user in managers])
    tell(
        redone,
        f"Runs that you asked for in {project.name} were done again, because something they relied on is "
        "newer. The page of a measurement shows what was before, and by how much it moved.",
        project=project,
        url=reverse("jobs"),
    )


def mark_read(user: User, pk: int | None = None) -> int:
    unread = Notice.objects.visible_to(user).unread()
    return (unread if pk is None else unread.filter(pk=pk)).update(read_at=timezone.now())


def mail_is_set_up() -> bool:
    return not settings.EMAIL_BACKEND.endswith((".console.EmailBackend", ".dummy.EmailBackend"))


def mail_notices() -> int:
    """One letter for each person with everything that waits; how many were sent. What fails is tried again by
    the next call: the scheduler makes one every minute."""
    if not mail_is_set_up():
        return 0
    waiting = (
        Notice.objects.filter(mailed_at=None, read_at=None, at__gte=timezone.now() - MAIL_WITHIN)
        .filter(Q(project=None) | Q(project__memberships__user=F("user")))
        .exclude(user__email="")
        .order_by("user", "pk")
    )
    sent = 0
    with transaction.atomic():
        # Another worker that mails at the same time passes over these.
        rows = list(
            waiting.select_for_update(skip_locked=True, of=("self",)).select_related("user")[:MOST_AT_ONCE]
        )
        try:
            with get_connection() as server:
                for user, notices in groupby(rows, key=lambda notice: notice.user):
                    mine = list(notices)
                    _letter(user, mine, server).send()
                    Notice.objects.filter(pk__in=[each.pk for each in mine]).update(mailed_at=timezone.now())
                    sent += 1
        except (SMTPException, OSError):
            log.exception("notices could not be mailed; they are tried again")
    return sent


def _letter(user: User, notices: list[Notice], server: object) -> EmailMessage:
    site = settings.CSRF_TRUSTED_ORIGINS[0] if settings.CSRF_TRUSTED_ORIGINS else ""
    lines = [f"{notice.text}\n{site}{notice.url}".strip() for notice in notices]
    count = "A notice" if len(notices) == 1 else f"{len(notices)} notices"
    return EmailMessage(
        f"{count} from Vitrine", "\n\n".join(lines) + "\n", None, [user.email], connection=server
    )

"""Notices reach people by mail where a server is set up; a server that is down costs nothing but time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from pytest_django import Settings

from analysis import services
from analysis.models import Notice
from samples.models import Membership, Project, User


class DownBackend(EmailBackend):
    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        raise ConnectionRefusedError("nobody listens there")


@pytest.fixture
def server(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.CSRF_TRUSTED_ORIGINS = ["https://vitrine.example.org"]


def told(alice: User, project: Project, text: str = "Reanalysis 1 is done.") -> None:
    services.tell([alice], text, project=project, url="/reanalysis/1/")


def test_everything_that_waits_comes_in_one_letter_once(server: None, alice: User, project: Project) -> None:
    told(alice, project)
    told(alice, project, "Another thing.")
    assert services.mail_notices() == 1
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.org"]
    assert "https://vitrine.example.org/reanalysis/1/" in letter.body
    assert "Another thing." in letter.body
    assert services.mail_notices() == 0
    assert len(mail.outbox) == 1


def test_a_server_that_is_down_is_tried_again(
    server: None, alice: User, project: Project, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.DownBackend"
    told(alice, project)
    assert services.mail_notices() == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert services.mail_notices() == 1


def test_without_a_server_nothing_is_sent_and_the_notice_stands_in_the_app(
    settings: Settings, alice: User, project: Project
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    told(alice, project)
    assert services.mail_notices() == 0
    assert Notice.objects.visible_to(alice).unread().count() == 1


def test_what_was_read_or_is_old_is_not_mailed(server: None, alice: User, project: Project) -> None:
    told(alice, project)
    services.mark_read(alice)
    told(alice, project)
    Notice.objects.unread().update(at=timezone.now() - timedelta(days=3))
    assert services.mail_notices() == 0


def test_who_left_the_project_gets_no_letter_about_it(server: None, alice: User, project: Project) -> None:
    told(alice, project)
    Membership.objects.filter(user=alice).delete()
    assert services.mail_notices() == 0
    assert mail.outbox == []

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from measurements.services import add_instrument
from samples.models import Project, User


def token(*arguments: str) -> str:
    out = io.StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue().strip()


def test_a_person_gets_a_token_that_opens_the_interface(alice: User) -> None:
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token('alice')}")
    assert client.get("/api/v1/measurements/").status_code == 200


def test_an_instrument_gets_a_token_under_its_own_name(project: Project) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    assert token("FLS 1000", "--days", "30")
    row = AuthToken.objects.get()
    assert row.user == instrument.account
    assert row.expiry - timezone.now() < timedelta(days=31)


def test_only_the_hash_is_stored(alice: User) -> None:
    said = token("alice")
    row = AuthToken.objects.get()
    assert said not in (row.digest, row.token_key)


def test_an_unknown_name_is_answered_with_the_names_there_are(project: Project) -> None:
    add_instrument(project=project, name="FLS 1000")
    with pytest.raises(CommandError, match=r"called “nobody”\. Users: alice\. Instruments: FLS 1000\."):
        token("nobody")


def test_an_odd_lifetime_is_refused_in_a_sentence(alice: User) -> None:
    with pytest.raises(CommandError, match="between 1 and 3650 days"):
        token("alice", "--days", "0")

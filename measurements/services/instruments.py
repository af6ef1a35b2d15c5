"""Instruments and tokens. A token is stored as a hash, expires, and can be revoked alone."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db import transaction
from knox.models import AuthToken

from measurements.models import Instrument
from measurements.services.receiving import RefusedError
from samples.models import Membership, Project, Role, User

DEFAULT_DAYS = 365
MAX_DAYS = 3650


@transaction.atomic
def add_instrument(*, project: Project, name: str, model: str = "", location: str = "") -> Instrument:
    """An instrument with its own service account, which may add to `project` and nothing else."""
    if Instrument.objects.filter(name=name).exists():
        raise RefusedError("name", f"There is already an instrument “{name}”. Choose another name.")
    account = User(username=_free_username(name), first_name=name[:150], default_project=project)
    account.set_unusable_password()
    account.save()
    Membership.objects.create(project=project, user=account, role=Role.CONTRIBUTOR)
    return Instrument.objects.create(
        project=project, name=name, model=model, location=location, account=account
    )


def issue_token(account: User, *, days: int = DEFAULT_DAYS) -> tuple[AuthToken, str]:
    """The row and the token itself, which exists only here: what is stored is its hash."""
    if not 1 <= days <= MAX_DAYS:
        raise RefusedError("days", f"A token lives between 1 and {MAX_DAYS} days, not {days}.")
    return AuthToken.objects.create(account, expiry=timedelta(days=days))


def owner_of_token(name: str) -> User | None:
    """The account of the user or instrument called `name`."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is not None:
        return user
    instrument = Instrument.objects.filter(name=name).select_related("account").first()
    return instrument.account if instrument and instrument.account.is_active else None


def _free_username(name: str) -> str:
    stem = "instrument-" + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:100] or "unnamed")
    username, number = stem, 2
    while User.objects.filter(username=username).exists():
        username, number = f"{stem}-{number}", number + 1
    return username

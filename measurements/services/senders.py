"""Who sends with a token, and whether they may plainly add to the sample they name: in one question.

It only ever says yes. Whoever is under an embargo, names no sample, an unknown or a void one, or may not
write, is left to `find_place`, which knows every case and the sentence for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hmac import compare_digest
from itertools import islice
from typing import Any, NamedTuple

from django.db import models
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS

from measurements.models import Instrument
from samples.models import Membership, Project, Role, Sample, User
from samples.prepared import rows_of
from samples.rows import loaded

USER = ("id", "username", "is_active", "default_project_id")
INSTRUMENT = ("id", "name", "project_id", "account_id")
SAMPLE = ("id", "code", "project_id")
PROJECT = ("id", "slug", "name")
SENDER = f"""
SELECT token.digest,
    {", ".join(f"account.{column}" for column in USER)},
    {", ".join(f"instrument.{column}" for column in INSTRUMENT)},
    {", ".join(f"sample.{column}" for column in SAMPLE)},
    {", ".join(f"project.{column}" for column in PROJECT)}
FROM {AuthToken._meta.db_table} token
JOIN {User._meta.db_table} account ON account.id = token.user_id AND account.is_active
JOIN {Sample._meta.db_table} sample ON sample.code = %s AND sample.embargoed_until IS NULL
    AND sample.voided_at IS NULL
JOIN {Membership._meta.db_table} membership ON membership.user_id = account.id
    AND membership.project_id = sample.project_id AND membership.role >= {Role.CONTRIBUTOR:d}
JOIN {Project._meta.db_table} project ON project.id = sample.project_id
LEFT JOIN {Instrument._meta.db_table} instrument ON instrument.account_id = account.id
WHERE token.token_key = %s AND (token.expiry IS NULL OR token.expiry > now())
"""  # noqa: S608  names of tables and columns only


class Sender(NamedTuple):
    user: User
    instrument: Instrument | None
    sample: Sample


def sender_with(token: str, sample_code: str) -> Sender | None:
    """None where the answer is not a plain yes."""
    rows = rows_of(SENDER, [sample_code, token[: CONSTANTS.TOKEN_KEY_LENGTH]])
    for digest, *columns in rows:
        if compare_digest(hash_token(token), digest):
            return _sender(columns)
    return None


def _sender(columns: list[object]) -> Sender:
    rest = iter(columns)
    user, instrument = _row(User, USER, rest), _row(Instrument, INSTRUMENT, rest)
    sample, project = _row(Sample, SAMPLE, rest), _row(Project, PROJECT, rest)
    sample.project = project
    return Sender(user, instrument, sample)


def _row(model: type[models.Model], names: Sequence[str], rest: Iterator[object]) -> Any:
    """None for what was joined and is not there."""
    values = dict(zip(names, islice(rest, len(names)), strict=True))
    return loaded(model, values) if values["id"] is not None else None

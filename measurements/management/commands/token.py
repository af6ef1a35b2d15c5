"""manage.py token NAME: a token for a user or an instrument."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from measurements.models import Instrument
from measurements.services import RefusedError, issue_token, owner_of_token
from measurements.services.instruments import DEFAULT_DAYS
from samples.models import User

NAMES_SHOWN = 20


class Command(BaseCommand):
    help = "Prints a new token for a user or an instrument. It is stored as a hash and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name of a user or of an instrument")
        parser.add_argument(
            "--days", type=int, default=DEFAULT_DAYS, help="until it expires (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = owner_of_token(options["name"])
        if account is None:
            raise CommandError(
                f"There is no user and no instrument called “{options['name']}”. Users: "
                f"{_names(User.objects.filter(is_active=True, instrument=None), 'username')}. Instruments: "
                f"{_names(Instrument.objects.all(), 'name')}."
            )
        try:
            _, token = issue_token(account, days=options["days"])
        except RefusedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(token)


def _names(rows: Any, field: str) -> str:
    names = list(rows.order_by(field).values_list(field, flat=True)[: NAMES_SHOWN + 1])
    more = ", …" if len(names) > NAMES_SHOWN else ""
    return (", ".join(names[:NAMES_SHOWN]) or "none yet") + more

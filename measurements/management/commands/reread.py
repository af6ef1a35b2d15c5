"""manage.py reread: hand failed files to the readers again that recognise them by now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from measurements.services import reread_failed


class Command(BaseCommand):
    help = (
        "Has failed files read again that a reader recognises with which they were not tried yet. The "
        "scheduler does the same every night."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say how many, queue nothing.")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        count = reread_failed(dry_run=dry_run)
        what = "would be read again" if dry_run else "queued to be read again"
        self.stdout.write(f"{count} failed {'measurement' if count == 1 else 'measurements'} {what}.")

"""manage.py fixity: read stored files again now, or put back what is damaged."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from measurements.models import Blob
from measurements.services.fixity import check_fixity, repair_from
from measurements.store import StoreError, readable


class Command(BaseCommand):
    help = (
        "Reads stored files again and compares them with their SHA-256: those that are due, or --all. Ends "
        "with code 1 while any is damaged. The scheduler does the same by itself, a slice every hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="whether they are due or not")
        parser.add_argument(
            "--budget-s",
            type=float,
            default=float("inf"),
            help="stop after so many seconds; the next goes on",
        )
        parser.add_argument(
            "--repair", type=Path, metavar="DIR", help="put damaged files back from a folder of backups"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["repair"]:
                self.repair(options["repair"])
            else:
                self.examine(options["budget_s"], everything=options["all"])
        except StoreError as error:
            raise CommandError(str(error)) from error
        damaged = list(Blob.objects.damaged().order_by("pk"))
        for blob in damaged:
            self.stdout.write(f"{blob.sha256} {blob.damage} (since {blob.damaged_at:%Y-%m-%d})")
        if damaged:
            raise CommandError(
                f"{len(damaged)} stored files are damaged. Put them back: manage.py fixity --repair BACKUP"
            )

    def examine(self, budget_s: float, *, everything: bool) -> None:
        done = check_fixity(budget_s=budget_s, everything=everything)
        if done.unreachable:
            raise CommandError(done.unreachable)
        self.stdout.write(f"{done.files} files, {readable(done.size_bytes)} read again.")

    def repair(self, folder: Path) -> None:
        if not (folder / "files").is_dir():
            raise CommandError(f"{folder} is no folder of backups: it has no folder “files”.")
        damaged, healed = repair_from(folder)
        self.stdout.write(f"{healed} of {damaged} damaged files are sound again.")

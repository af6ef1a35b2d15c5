"""`manage.py reanalyse`: ask again for what an older method version or reader answered."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis import methods, services
from analysis.models import Run


class Command(BaseCommand):
    help = "Queue a new run for every outdated one. Old values stay readable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--method", help="Only this method; default: all.")
        parser.add_argument(
            "--outdated", action="store_true", help="Runs of an older method or reader version (the default)."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say how many, queue nothing.")

    def handle(self, *, method: str | None, dry_run: bool, **options: Any) -> None:
        if method is not None and method not in methods.registry():
            known = ", ".join(methods.registry())
            raise CommandError(f"There is no method “{method}”; known are: {known}.")
        if dry_run:
            runs = list(services.outdated(method))
            self.stdout.write(_sentence(runs, "would be queued"))
        else:
            runs = services.reanalyse(method, trigger="person")
            self.stdout.write(_sentence(runs, "queued"))


def _sentence(runs: list[Run], what: str) -> str:
    if not runs:
        return "Nothing is outdated."
    counts = Counter(run.method for run in runs)
    return ", ".join(f"{count} × {method}" for method, count in sorted(counts.items())) + f" {what}."

"""`manage.py reanalyse`: ask again for what an older method version or reader answered."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis import methods, services
from analysis.services.outdated import REASONS
from analysis.services.reanalysing import Planned
from samples.models import Project


class Command(BaseCommand):
    help = "Begin a reanalysis of everything outdated, one for each project. Old values stay readable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--method", help="Only this method; default: all.")
        parser.add_argument("--project", help="Only the project with this slug; default: every project.")
        parser.add_argument(
            "--outdated", action="store_true", help="Runs of an older method or reader version (the default)."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Say how many and how long, queue nothing."
        )

    def handle(self, *, method: str | None, project: str | None, dry_run: bool, **options: Any) -> None:
        if method is not None and method not in methods.registry():
            known = ", ".join(methods.registry())
            raise CommandError(f"There is no method “{method}”; known are: {known}.")
        projects = list(Project.objects.filter(slug=project) if project else Project.objects.all())
        if project and not projects:
            known = ", ".join(Project.objects.values_list("slug", flat=True))
            raise CommandError(f"There is no project “{project}”; known are: {known or 'none'}.")
        if dry_run:
            lines = [_sentence(each) for each in services.plan(projects, method)]
        else:
            begun = services.reanalyse(method, projects, trigger="person")
            lines = [f"Reanalysis {each.pk} of {each.project}: {each.found} queued." for each in begun]
        self.stdout.write("\n".join(lines) or "Nothing is outdated.")


def _sentence(planned: Planned) -> str:
    took = "" if planned.seconds is None else f", about {max(planned.seconds, 1):.0f} s of computing"
    return (
        f"{planned.project.slug}: {planned.runs} × {planned.method} would be queued, because "
        f"{REASONS[planned.reason]}{took}."
    )

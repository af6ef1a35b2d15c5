from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.services.conflicts import find_all_conflicts
from samples.models import Project


class Command(BaseCommand):
    help = "Compare what publications state about the same quantity of a sample; propose a conflict for each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", help="Only the project with this slug; default: every project.")

    def handle(self, *, project: str | None, **options: Any) -> None:
        chosen = Project.objects.filter(slug=project).first() if project else None
        if project and chosen is None:
            raise CommandError(f"There is no project “{project}”.")
        found = find_all_conflicts(chosen)
        for conflict in found:
            state = "decided" if conflict.decided_at else "open"
            self.stdout.write(f"{conflict.project.slug}\t{conflict.code}\t{state}\t{conflict.title}")
        self.stdout.write(f"{len(found)} quantities on which publications disagree.")

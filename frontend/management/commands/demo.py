from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from frontend.demo.loading import DemoError, demo_project, load_demo, marker, password
from frontend.demo.removing import contents, remove_demo
from frontend.demo.sending import USERNAME
from samples.models import Project


class Command(BaseCommand):
    help = "Load the demo campaign: 129 published samples, what is stated about them, and simulated spectra."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-new", action="store_true", help="do nothing if the demo was ever here")
        parser.add_argument("--remove", action="store_true", help="delete the demo project and all it holds")
        parser.add_argument("--yes", action="store_true", help="remove without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["remove"]:
                self.remove(sure=options["yes"])
            elif not (options["if_new"] and marker().exists()):
                self.load()
        except DemoError as error:
            raise CommandError(str(error)) from error

    def load(self) -> None:
        project = load_demo()
        self.stdout.write(
            f"The demo is loaded as “{project.name}”; the worker reads and fits its spectra now.\n"
            f"Demo login: {USERNAME}, password {password()}"
        )

    def remove(self, *, sure: bool) -> None:
        project = demo_project()
        if project is not None and not sure:
            self.confirm(project)
        removed = remove_demo()
        self.stdout.write("The demo is removed." if removed else "There is no demo here.")

    def confirm(self, project: Project) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Add --yes to remove the demo without being asked.")
        answer = input(f"Remove “{project.name}”: {contents(project)}? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was removed.")

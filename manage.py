#!/usr/bin/env python3
"""The only entry: `up`, `test`, and Django's own commands. Any Python from 3.11 on starts it."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  older ones are met here, and nowhere else
        sys.exit("Vitrine needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info))
    if os.name != "posix":
        sys.exit("Vitrine runs on Linux and macOS; on Windows, start it inside WSL.")
    from config import bootstrap

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    needs = ["requirements.txt", "tests/requirements.txt"] if command == "test" else ["requirements.txt"]
    bootstrap.enter_venv(*needs)
    if command == "up":
        from config import up

        sys.exit(up.main(sys.argv[2:]))
    if command in ("backup", "restore"):
        from config.backup import commands

        sys.exit(getattr(commands, command)(sys.argv[2:]))
    if command == "test":
        from config import testing

        sys.exit(testing.main(sys.argv[2:]))
    django_command()


def django_command() -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config import locations

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    arguments = locations.use_data_folder(sys.argv)
    try:
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:  # a sentence for the operator, such as "nothing is running"
        sys.exit(str(error))


if __name__ == "__main__":
    main()

"""Run one benchmark over a PostgreSQL and a broker of its own, and print what belongs into RESULTS.md.

.venv/bin/python -m benchmarks explore
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path

THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR")


def main() -> None:
    here = Path(__file__).parent
    names = sorted(
        file.stem for file in here.glob("*.py") if file.stem not in ("__init__", "__main__", "measuring")
    )
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        sys.exit(f"Name one of: {', '.join(names)}.")
    os.environ.update({f"{library}_NUM_THREADS": "1" for library in THREADS})
    from config import embedded
    from config.supervisor import Supervisor

    with (
        tempfile.TemporaryDirectory(prefix="vitrine-benchmark-") as folder,
        (Path(folder) / "services.log").open("w") as log,
        Supervisor(out=log) as supervisor,
        embedded.services(supervisor, Path(folder)),
    ):
        os.environ.update(supervisor.env, VITRINE_DATA=folder)
        prepare()
        print(importlib.import_module(f"benchmarks.{sys.argv[1]}").main())


def prepare() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()

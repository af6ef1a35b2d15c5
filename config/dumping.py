"""PostgreSQL's own dump and restore, and how many rows there are, to compare."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.child import dying_with_parent


class DumpError(Exception):
    """pg_dump or pg_restore did not do it; the message holds what they said."""


def dump(programs: Path, url: str, target: Path, snapshot: str = "") -> None:
    """Everything of one database into `target`, which pg_restore reads; on disk when this returns."""
    options = ["--format=custom", f"--file={target}", *([f"--snapshot={snapshot}"] if snapshot else [])]
    _run(programs / "pg_dump", url, options)
    sync(target)


def restore(programs: Path, url: str, source: Path) -> None:
    """All of the dump or nothing of it, into an empty database; statistics are gathered afterwards."""
    # The owner is whoever restores: names of roles differ between installations.
    options = ["--no-owner", "--no-acl", "--exit-on-error", "--single-transaction"]
    _run(programs / "pg_restore", url, options, source)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def row_counts(connection: psycopg.Connection) -> dict[str, int]:
    """Exactly how many rows each table holds, as the connection's snapshot sees them."""
    names = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    ).fetchall()
    counts = {}
    for (name,) in names:
        found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
        counts[name] = found[0] if found else 0
    return counts


def differences(before: dict[str, int], after: dict[str, int]) -> str:
    """Which tables differ, in words; "" when none does."""
    differing = [
        f"{name} ({before.get(name, 'none')} → {after.get(name, 'none')})"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    return ", ".join(differing)


def sync(*paths: Path) -> None:
    """Files and folders, on disk."""
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _run(program: Path, url: str, options: list[str], *arguments: Path) -> None:
    known = conninfo_to_dict(url)
    env = os.environ | {"PGPASSWORD": str(known.pop("password", None) or "")}  # not for everybody's `ps`
    command = [str(program), f"--dbname={make_conninfo('', **known)}", *options, *map(str, arguments)]
    try:
        done = subprocess.run(
            command,
            env=env,
            capture_output=True,
            text=True,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )
    except FileNotFoundError as error:
        raise DumpError(
            f"There is no {program.name} in {program.parent}. Install PostgreSQL's client programs "
            "(sudo apt install postgresql-client)."
        ) from error
    if done.returncode:
        raise DumpError(f"{program.name} ended with code {done.returncode}:\n{done.stderr.strip()}")

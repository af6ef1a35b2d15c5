"""A data folder of an older PostgreSQL: backed up, moved over, nothing of it lost wherever it is killed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from config import embedded, postgres, upgrade
from config.postgres import MissingServerError
from config.supervisor import Supervisor
from tests.config.household import ROOT, household, manage_py

ENV = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
NEW = postgres.major_version(postgres.postgres_programs())
OLDER = sorted(
    (folder / "bin" for folder in postgres.SYSTEM_POSTGRES.glob("*") if (folder / "bin" / "initdb").exists()),
    key=lambda folder: float(folder.parent.name),
)
OLDER = [folder for folder in OLDER if postgres.major_version(folder) < NEW]
needs_an_older_one = pytest.mark.skipif(not OLDER, reason="needs an older PostgreSQL on this system")
ROWS = 300


def make_old(data: Path, programs: Path) -> None:
    """A cluster of the older version with an extension, an index that uses it, a trigger, and rows."""
    data.mkdir(exist_ok=True)
    prefix, run_as = postgres.without_root(programs / "postgres", data)
    postgres.create_cluster(programs, data / "pg", prefix, run_as)
    with (
        Supervisor(out=io.StringIO()) as supervisor,
        upgrade.served(supervisor, programs, data / "pg", data) as url,
        psycopg.connect(url) as connection,
    ):
        connection.execute("CREATE TABLE kept (id bigserial PRIMARY KEY, name text UNIQUE NOT NULL)")
        connection.execute("INSERT INTO kept (name) SELECT 'größe ' || n FROM generate_series(1, 300) n")
        connection.execute("CREATE TABLE empty (kept bigint REFERENCES kept)")


def start(data: Path) -> tuple[str, list[tuple[object, ...]]]:
    """What `up` says while it starts the services, and what is in the database then."""
    out = io.StringIO()
    with (
        Supervisor(env=dict(ENV), out=out) as supervisor,
        embedded.services(supervisor, data),
        psycopg.connect(supervisor.env["DATABASE_URL"]) as connection,
    ):
        version = connection.execute("SHOW server_version_num").fetchone()
        rows = connection.execute("SELECT count(*), max(name), max(id) FROM kept").fetchall()
        connection.execute("INSERT INTO kept (name) VALUES ('the sequence goes on')")
        connection.rollback()
    assert version is not None
    assert int(version[0]) // 10000 == NEW
    return out.getvalue(), rows


@needs_an_older_one
def test_a_database_of_an_older_version_is_backed_up_and_moved_and_both_are_said(tmp_path: Path) -> None:
    make_old(tmp_path, OLDER[0])
    old = postgres.made_by(tmp_path / "pg")
    said, rows = start(tmp_path)
    assert rows == [(ROWS, "größe 99", ROWS)]
    assert f"was written by PostgreSQL {old}; here runs PostgreSQL {NEW}" in said
    assert "Backed up to" in said
    assert f"The database is PostgreSQL {NEW} now, 300 rows in 2 tables" in said
    (aside,) = tmp_path.glob(f"pg.{old}-*")
    assert postgres.made_by(aside) == old, "the old one is kept"
    (dump,) = (tmp_path / "upgrade").glob("*.dump")
    listed = subprocess.run(
        [postgres.postgres_programs() / "pg_restore", "--list", dump], capture_output=True, text=True
    )
    assert "TABLE DATA public kept" in listed.stdout
    assert "PostgreSQL" not in start(tmp_path)[0].replace("│ LOG", ""), "the second start has nothing to do"


KILLED_AT = """
import io, os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from config import dumping, embedded, postgres, upgrade
from config.supervisor import Supervisor

place, name = sys.argv[2].split(".")
module = {"dumping": dumping, "postgres": postgres, "upgrade": upgrade, "path": Path}[place]
real, calls = getattr(module, name), 0

def deadly(*args, **kwargs):
    global calls
    calls += 1
    result = real(*args, **kwargs)
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(module, name, deadly)
with Supervisor(out=io.StringIO()) as supervisor, embedded.services(supervisor, Path(sys.argv[1])):
    print("started")
"""


@needs_an_older_one
@pytest.mark.parametrize(
    ("place", "call"),
    [
        pytest.param("dumping.dump", 1, marks=pytest.mark.full),
        pytest.param("postgres.create_cluster", 1, marks=pytest.mark.full),
        ("dumping.restore", 1),
        pytest.param("path.rename", 1, marks=pytest.mark.full),  # pg.init → pg.new
        ("path.rename", 2),  # pg.new → pg.ready
        ("path.rename", 3),  # pg → pg.15-…
        pytest.param("path.rename", 4, marks=pytest.mark.full),  # pg.ready → pg
    ],
)
def test_killed_at_any_step_the_next_start_finds_everything(tmp_path: Path, place: str, call: int) -> None:
    make_old(tmp_path, OLDER[0])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(tmp_path), place, str(call)],
        cwd=ROOT,
        env=ENV,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert start(tmp_path)[1] == [(ROWS, "größe 99", ROWS)]
    assert not (tmp_path / "pg.ready").exists()
    assert list(tmp_path.glob("pg.1*"))


@needs_an_older_one
def test_a_new_database_with_other_numbers_of_rows_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old(tmp_path, OLDER[0])
    real = upgrade.counted
    counts = iter([{}, {"kept": 1}])
    monkeypatch.setattr(upgrade, "counted", lambda url: real(url) | next(counts))
    with pytest.raises(MissingServerError, match=r"other numbers of rows: kept \(300 → 1\)"):
        start(tmp_path)
    assert postgres.made_by(tmp_path / "pg") == postgres.major_version(OLDER[0])


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "PG_VERSION").write_text("99\n")
    with pytest.raises(MissingServerError, match="written by PostgreSQL 99, but"):
        start(tmp_path)
    assert [path.name for path in (tmp_path / "pg").iterdir()] == ["PG_VERSION"]


def test_a_disk_without_room_for_the_move_is_said_before_anything_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "PG_VERSION").write_text("9\n")
    monkeypatch.setattr(upgrade.shutil, "disk_usage", lambda path: SimpleNamespace(free=1))
    with pytest.raises(MissingServerError, match="Make space and start again"):
        start(tmp_path)


def test_without_the_old_programs_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "PG_VERSION").write_text("9\n")
    monkeypatch.setattr(upgrade, "install", lambda wheel, target: False)
    with pytest.raises(MissingServerError, match=r"apt install postgresql-9\).*Nothing was changed"):
        start(tmp_path)


@pytest.mark.full
def test_the_old_programs_come_from_a_wheel_where_the_system_has_none(tmp_path: Path) -> None:
    (wheel,) = upgrade.WHEELS.items()
    if not upgrade.install(wheel[1], tmp_path / "upgrade" / f"programs-{wheel[0]}"):
        pytest.skip("no package index is reachable")
    programs = upgrade.first_of(
        wheel[0], (tmp_path / "upgrade" / f"programs-{wheel[0]}").glob("*/pginstall/bin")
    )
    assert programs is not None
    make_old(tmp_path, programs)
    assert start(tmp_path)[1] == [(ROWS, "größe 99", ROWS)]


@needs_an_older_one
@pytest.mark.live
@pytest.mark.full
def test_up_on_an_old_data_folder_serves_what_was_there(tmp_path: Path) -> None:
    """The real tables, written by the older version."""
    prefix, run_as = postgres.without_root(OLDER[0] / "postgres", tmp_path)
    postgres.create_cluster(OLDER[0], tmp_path / "pg", prefix, run_as)
    people = "from django.contrib.auth import get_user_model as m; m().objects.create_user('ada')"
    with (
        Supervisor(out=io.StringIO()) as supervisor,
        upgrade.served(supervisor, OLDER[0], tmp_path / "pg", tmp_path) as url,
    ):
        for command in (["migrate"], ["shell", "-c", people]):
            answer = subprocess.run(
                [sys.executable, str(ROOT / "manage.py"), *command],
                env=ENV | {"DATABASE_URL": url, "VITRINE_DATA": str(tmp_path)},
                capture_output=True,
                text=True,
            )
            assert answer.returncode == 0, answer.stderr
    with household(tmp_path) as running:
        assert f"here runs PostgreSQL {NEW}" in running.said
        assert running.get("/readyz") == 200
        count = "from django.contrib.auth import get_user_model as m; print('people:', m().objects.count())"
        assert "people: 1" in manage_py(tmp_path, "shell", "-v", "0", "-c", count).stdout

"""PostgreSQL and Valkey as `up` and `test` start them: real servers in a folder of their own."""

import io
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded, postgres
from config.embedded import MissingServerError
from config.supervisor import Supervisor

ENV = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}


@contextmanager
def running(data: Path, env: dict[str, str] = ENV) -> Iterator[Supervisor]:
    with (
        Supervisor(env=dict(env), out=io.StringIO(), first_backoff_s=0.1) as supervisor,
        embedded.services(supervisor, data),
    ):
        yield supervisor


def ask(supervisor: Supervisor, sql: str) -> object:
    with psycopg.connect(supervisor.env["DATABASE_URL"]) as connection:
        row = (
            connection.execute(sql).fetchone()
            if sql.startswith(("SELECT", "SHOW"))
            else connection.execute(sql)
        )
        return row[0] if isinstance(row, tuple) else None


def kill_everything(supervisor: Supervisor) -> None:
    for child in supervisor.children:
        assert child.process
        os.kill(child.process.pid, signal.SIGKILL)


def test_both_answer_on_sockets_that_only_their_owner_reaches(tmp_path: Path) -> None:
    with running(tmp_path) as supervisor:
        assert str(ask(supervisor, "SHOW server_version")).startswith("18.")
        assert ask(supervisor, "SHOW listen_addresses") == ""
        assert redis.Redis.from_url(supervisor.env["REDIS_URL"]).ping()
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_what_was_committed_survives_the_death_of_everything(tmp_path: Path) -> None:
    with running(tmp_path) as supervisor:
        ask(supervisor, "CREATE TABLE kept AS SELECT generate_series(1, 500) AS n")
        redis.Redis.from_url(supervisor.env["REDIS_URL"]).lpush("queue", "17")
        redis.Redis.from_url(supervisor.env["REDIS_URL"]).waitaof(1, 0, 2000)
        kill_everything(supervisor)
    with running(tmp_path) as supervisor:
        assert ask(supervisor, "SELECT count(*) FROM kept") == 500
        assert redis.Redis.from_url(supervisor.env["REDIS_URL"]).lpop("queue") == b"17"


def test_a_killed_database_comes_back_by_itself(tmp_path: Path) -> None:
    with running(tmp_path) as supervisor:
        kill_everything(supervisor)
        database = supervisor.children[0]
        for _ in range(100):
            supervisor.pump_for(0.1)
            if database.failures and database.alive and database.ready():
                break
        assert ask(supervisor, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["a" * 120, "with, comma", 'a "quoted" name', "größe"])
def test_a_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    data.mkdir()
    with running(data) as supervisor:
        assert ask(supervisor, "SELECT 1") == 1
        place = Path(supervisor.env["REDIS_URL"].removeprefix("unix://")).parent
        assert place.parent != data, "such a name cannot be part of a socket's address"
    assert not place.exists()


def test_a_cluster_that_was_only_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "pg.init" / "base").mkdir(parents=True)
    with running(tmp_path) as supervisor:
        assert ask(supervisor, "SELECT 1") == 1
    assert not (tmp_path / "pg.init").exists()


@pytest.fixture
def predecessor(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A cluster that was served before, and its PostgreSQL that takes its time to leave."""
    with running(tmp_path):
        pass
    with subprocess.Popen(["sh", "-c", "sleep 0.7; : postgres"]) as leaving:
        (tmp_path / "pg" / "postmaster.pid").write_text(f"{leaving.pid}\n{tmp_path / 'pg'}\n")
        yield leaving


def test_a_predecessor_that_is_still_leaving_is_waited_for(
    predecessor: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    reaper = threading.Thread(target=predecessor.wait)
    reaper.start()
    with running(tmp_path) as supervisor:
        assert not reaper.is_alive(), "it had gone before its successor served"
        assert ask(supervisor, "SELECT 1") == 1
        assert supervisor.children[0].failures == 0


def test_a_predecessor_that_stays_is_named(predecessor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    with (
        Supervisor(out=io.StringIO()) as supervisor,
        pytest.raises(MissingServerError, match=f"process {predecessor.pid}, still serves"),
    ):
        postgres.wait_for_predecessor(supervisor, tmp_path / "pg", patience_s=0.1)


def test_where_nothing_is_installed_the_sentence_names_both_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "in_wheel", lambda *_: [])
    monkeypatch.setattr(embedded, "in_wheel", lambda *_: [])
    monkeypatch.setattr(postgres, "SYSTEM_POSTGRES", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingServerError, match=r"apt install postgresql.*DATABASE_URL"):
        postgres.postgres_programs()
    with pytest.raises(MissingServerError, match=r"apt install redis-server.*REDIS_URL"):
        embedded.valkey_program()


def test_servers_that_the_environment_names_are_used_and_none_is_started(tmp_path: Path) -> None:
    named = ENV | {"DATABASE_URL": "postgresql:///elsewhere", "REDIS_URL": "redis://elsewhere"}
    with running(tmp_path, named) as supervisor:
        assert supervisor.children == []
        assert supervisor.env["DATABASE_URL"] == "postgresql:///elsewhere"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else for PostgreSQL")
def test_root_without_namespaces_runs_the_database_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "IN_A_NAMESPACE", ["false"])
    if not postgres.succeeds([str(postgres.postgres_programs() / "postgres"), "--version"], postgres.NOBODY):
        pytest.skip("this checkout is closed to the user nobody, as under /root")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        with running(Path(folder)) as supervisor:
            assert ask(supervisor, "SELECT 1") == 1
        assert (Path(folder) / "pg").stat().st_uid == postgres.NOBODY

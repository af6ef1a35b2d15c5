"""The sessions that a web server keeps for what every upload asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from queue import Empty

import pytest
from django.db import DataError, OperationalError, connection, transaction

from samples import prepared
from samples.prepared import Sessions, rows_of

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "SELECT pg_backend_pid()"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sessions]:
    sessions = Sessions()
    monkeypatch.setattr(prepared, "_sessions", sessions)
    monkeypatch.setattr(Sessions, "PATIENCE_S", 0.001)
    yield sessions
    try:
        while True:
            if cursor := sessions._places.get_nowait():
                connection.pool.putconn(cursor.connection)
    except Empty:
        pass


def session_of_a_statement() -> int:
    ((backend,),) = rows_of(WHO, [])
    return int(backend)


def test_one_session_serves_one_statement_after_the_other(kept: Sessions) -> None:
    assert len({session_of_a_statement() for _ in range(Sessions.MOST)}) == 1


def test_where_all_are_busy_a_request_asks_on_its_own(kept: Sessions) -> None:
    with ExitStack() as busy:
        cursors = [busy.enter_context(kept.one()) for _ in range(Sessions.MOST)]
        theirs = {cursor.connection.info.backend_pid for cursor in cursors if cursor}
        assert len(theirs) == Sessions.MOST
        assert session_of_a_statement() not in theirs
    assert session_of_a_statement() in theirs


def test_a_session_that_somebody_left_in_a_transaction_commits_again(
    kept: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.ensure_connection()
    left = connection.pool.getconn()
    left.autocommit = False  # as Django leaves it that closes inside an atomic block
    left.execute(WHO)
    left.rollback()
    monkeypatch.setattr(connection.pool, "getconn", lambda: left)
    rows_of("WITH made AS (INSERT INTO auth_group (name) VALUES (%s) RETURNING id) TABLE made", ["left"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM auth_group WHERE name = 'left'")
        assert cursor.fetchone() == ("left",)


def test_what_is_not_committed_gets_no_answer(kept: Sessions) -> None:
    session_of_a_statement()
    (cursor,) = [cursor for cursor in kept._places.queue if cursor]
    cursor.connection.autocommit = False
    with pytest.raises(OperationalError, match="did not commit"):
        session_of_a_statement()
    assert not any(kept._places.queue)
    assert session_of_a_statement()


def test_a_session_that_the_server_ended_is_replaced(kept: Sessions) -> None:
    ended = {session_of_a_statement()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 10000) FROM unnest(%s) pid", [sorted(ended)])
        assert {gone for (gone,) in cursor.fetchall()} == {True}
    assert session_of_a_statement() not in ended


def test_statements_that_fail_use_up_no_session(kept: Sessions) -> None:
    for _ in range(Sessions.MOST + 1):
        with pytest.raises(DataError):
            rows_of("SELECT 1 / %s", [0])
    assert session_of_a_statement()


def test_inside_a_transaction_its_own_session_is_asked(kept: Sessions) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WHO)
        assert session_of_a_statement() == cursor.fetchone()[0]


def test_what_a_kept_session_writes_is_committed_at_once(kept: Sessions) -> None:
    rows_of("WITH made AS (INSERT INTO auth_group (name) VALUES (%s) RETURNING id) TABLE made", ["guests"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM auth_group WHERE name = 'guests'")
        assert cursor.fetchone() == ("guests",)

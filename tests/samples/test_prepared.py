"""The sessions that a web server keeps for what every upload asks."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from queue import Empty

import psycopg
import pytest
from django.db import (
    DataError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from psycopg.types.json import Jsonb

from samples import prepared
from samples.prepared import Session, Sessions, rows_of

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
            if session := sessions._places.get_nowait():
                connection.pool.putconn(session.connection)
    except Empty:
        pass


def session_of_a_statement() -> int:
    ((backend,),) = rows_of(WHO, [])
    return int(backend)


def test_one_session_serves_one_statement_after_the_other(kept: Sessions) -> None:
    assert len({session_of_a_statement() for _ in range(Sessions.MOST)}) == 1


def test_where_all_are_busy_a_request_asks_on_its_own(kept: Sessions) -> None:
    with ExitStack() as busy:
        taken = [busy.enter_context(kept.one()) for _ in range(Sessions.MOST)]
        theirs = {session.connection.info.backend_pid for session in taken if session}
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
    (session,) = [session for session in kept._places.queue if session]
    session.connection.pgconn.exec_(b"BEGIN")
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


def test_a_statement_that_fails_leaves_its_session_for_the_next(kept: Sessions) -> None:
    before = session_of_a_statement()
    for _ in range(Sessions.MOST + 1):
        with pytest.raises(DataError):
            rows_of("SELECT 1 / %s", [0])
    assert session_of_a_statement() == before


def test_inside_a_transaction_its_own_session_is_asked(kept: Sessions) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WHO)
        assert session_of_a_statement() == cursor.fetchone()[0]


def test_what_a_kept_session_writes_is_committed_at_once(kept: Sessions) -> None:
    rows_of("WITH made AS (INSERT INTO auth_group (name) VALUES (%s) RETURNING id) TABLE made", ["guests"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM auth_group WHERE name = 'guests'")
        assert cursor.fetchone() == ("guests",)


def test_values_come_back_as_they_were_sent(kept: Sessions) -> None:
    moment = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
    sent = ("Ωμ", 7, 2**40, 1.5, True, None, moment)
    assert rows_of("SELECT %s, %s, %s, %s, %s, %s, %s", sent) == [sent]
    assert rows_of("SELECT %s ->> 'a'", [Jsonb({"a": "Ω"})]) == [("Ω",)]


def test_a_statement_is_planned_once_and_plans_are_forgotten_before_they_are_too_many(
    kept: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "PLANS", 3)
    plans = "SELECT statement FROM pg_prepared_statements WHERE statement ~ '[0-9]$' ORDER BY statement"
    for number in (1, 1, 2, 1):
        assert rows_of(f"SELECT %s + {number}", [10]) == [(10 + number,)]
    assert rows_of(plans, []) == [("SELECT $1 + 1",), ("SELECT $1 + 2",)]
    assert rows_of("SELECT %s + 3", [10]) == [(13,)]
    assert rows_of(plans, []) == [("SELECT $1 + 2",), ("SELECT $1 + 3",)]


def test_a_statement_that_cannot_be_planned_is_refused_each_time_in_the_same_words(kept: Sessions) -> None:
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="no_such_table"):
            rows_of("SELECT * FROM no_such_table", [])


def test_a_plan_is_made_anew_after_its_table_has_changed(kept: Sessions) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing AS SELECT 7 AS a")
        try:
            assert rows_of("SELECT * FROM changing", []) == [(7,)]
            cursor.execute("ALTER TABLE changing ALTER a TYPE text")
            with pytest.raises(NotSupportedError):
                rows_of("SELECT * FROM changing", [])
            assert rows_of("SELECT * FROM changing", []) == [("7",)]
        finally:
            cursor.execute("DROP TABLE changing")


def test_a_session_that_comes_back_from_the_pool_plans_anew(kept: Sessions) -> None:
    before = session_of_a_statement()
    (session,) = [session for session in kept._places.queue if session]
    again = Session(session.connection)
    assert again.rows_of(WHO, []) == [(before,)]


def test_a_connection_that_breaks_is_no_fault_of_the_statement(kept: Sessions) -> None:
    session_of_a_statement()
    (session,) = [session for session in kept._places.queue if session]
    with socket.socket(fileno=os.dup(session.connection.fileno())) as theirs:
        theirs.shutdown(socket.SHUT_RDWR)
    with pytest.raises(psycopg.OperationalError):
        session.rows_of(WHO, [])

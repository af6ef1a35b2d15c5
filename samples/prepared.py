"""Statements that PostgreSQL plans once for a connection and then only carries out.

For the few that every file of every instrument passes through: planning them costs up to thirty times what
carrying them out does. Everything else goes the way of Django's cursors, which send complete text.

A web server keeps a few sessions of its pool for them. A session that is taken from the pool is first asked
whether it lives, which costs as much as the question. Where all of them wait, as behind rows that somebody
has not committed yet, the request takes one of its own.
"""

from __future__ import annotations

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any

from django.db import OperationalError, connection
from psycopg import Connection, Cursor
from psycopg.pq import TransactionStatus


def rows_of(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """`sql` stays the same from call to call; what changes is in its parameters."""
    if _sessions is not None and not connection.in_atomic_block:
        with connection.wrap_database_errors, _sessions.one() as cursor:
            if cursor is not None:
                return _carried_out(cursor, sql, parameters)
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return _carried_out(Cursor(connection.connection), sql, parameters)


def _carried_out(cursor: Cursor, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    cursor.execute(sql, parameters, prepare=True)
    return cursor.fetchall()


class Sessions:
    """A few of the pool's, each for one statement at a time, which is committed with it.

    Kept is a cursor on each: it remembers how values of each type are written and read.
    """

    MOST = 4  # a statement takes a millisecond or two: more would wait for the same disk
    PATIENCE_S = 0.05

    def __init__(self) -> None:
        # The last one used is the next: an idle session is not passed over for a place that is still empty.
        self._places: LifoQueue[Cursor | None] = LifoQueue()
        for _ in range(self.MOST):
            self._places.put(None)  # taken from the pool when somebody needs it

    @contextmanager
    def one(self) -> Iterator[Cursor | None]:
        """None where none becomes free soon."""
        try:
            cursor = self._places.get(timeout=self.PATIENCE_S)
        except Empty:
            yield None
            return
        try:
            if cursor is not None and _said_something(cursor.connection):
                _give_back(cursor.connection)
                cursor = None
            if cursor is None:
                cursor = Cursor(_taken())
            yield cursor
            if cursor.connection.info.transaction_status != TransactionStatus.IDLE:
                raise OperationalError("The database did not commit. Send it again.")  # no receipt for this
        except BaseException:
            if cursor is not None:
                _give_back(cursor.connection)
                cursor = None
            raise
        finally:
            self._places.put(cursor)


def _taken() -> Connection:
    pool = connection.pool
    pool.open()
    session: Connection = pool.getconn()
    session.autocommit = True  # the pool rolls back what somebody left, and leaves this as they set it
    return session


def _give_back(session: Connection) -> None:
    """The pool looks whether it can still be used."""
    connection.pool.putconn(session)


def _said_something(session: Connection) -> bool:
    """A server that says something unasked says good-bye: it was stopped, or ends this session."""
    poll = select.poll()
    poll.register(session.fileno(), select.POLLIN)
    return bool(poll.poll(0))


_sessions: Sessions | None = None


def keep_sessions() -> None:
    """From now on: for web servers, once they are loaded."""
    global _sessions
    _sessions = Sessions()

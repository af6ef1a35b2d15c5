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
from itertools import count
from queue import Empty, LifoQueue
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from psycopg import Connection, Cursor, errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult


def rows_of(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """`sql` stays the same from call to call; what changes is in its parameters."""
    own = connections[DEFAULT_DB_ALIAS]  # `connection` would be looked up at each use
    if _sessions is not None and not own.in_atomic_block:
        with own.wrap_database_errors, _sessions.one() as session:
            if session is not None:
                return session.rows_of(sql, parameters)
    own.ensure_connection()
    with own.wrap_database_errors:
        return Cursor(own.connection).execute(sql, parameters, prepare=True).fetchall()


class Session:
    """One of the pool's, for one statement at a time, which is committed with it.

    It speaks to the server without a cursor: that looks each time for what it may be asked and never is
    here, and takes several times as long.
    """

    PLANS = 100
    _numbers = count()  # a session that went back to the pool, and was taken again, has plans under others

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._values = Transformer(connection)  # remembers how values of each type are written and read
        self._ear = select.poll()
        self._ear.register(connection.fileno(), select.POLLIN)
        self._plans: dict[tuple[str, tuple[int, ...] | None], bytes] = {}

    def rows_of(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        server, values = self.connection.pgconn, self._values
        written = values.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters))
        plan = self._plans.get((sql, values.types)) or self._planned(sql, values.types)
        try:
            result = self._done(server.exec_prepared(plan, written, values.formats))  # type: ignore[arg-type]
        except errors.Error:
            if self.is_idle():  # perhaps its tables have changed since
                self._forget((sql, values.types))
            raise
        if not self.is_idle():
            raise OperationalError("The database did not commit. Send it again.")  # no receipt for this
        values.set_pgresult(result)
        return values.load_rows(0, result.ntuples, tuple)

    def has_ended(self) -> bool:
        """A server that says something unasked says good-bye: it was stopped, or ends this session."""
        return bool(self._ear.poll(0))

    def is_idle(self) -> bool:
        """Connected, and in no transaction: a statement that only failed leaves it so."""
        return self.connection.pgconn.transaction_status == TransactionStatus.IDLE

    def _planned(self, sql: str, types: tuple[int, ...] | None) -> bytes:
        if len(self._plans) == self.PLANS:
            self._forget(next(iter(self._plans)))
        text, *more = sql.split("%s")
        numbered = text + "".join(f"${number}{part}" for number, part in enumerate(more, 1))
        plan = b"vitrine_%d" % next(self._numbers)
        self._done(self.connection.pgconn.prepare(plan, numbered.encode(), types))
        self._plans[sql, types] = plan
        return plan

    def _forget(self, key: tuple[str, tuple[int, ...] | None]) -> None:
        # Not ALL: psycopg may have made some here too.
        self._done(self.connection.pgconn.exec_(b"DEALLOCATE " + self._plans.pop(key)))

    def _done(self, result: PGresult) -> PGresult:
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return result
        if self.connection.pgconn.status != ConnStatus.OK:
            raise errors.OperationalError(result.get_error_message())
        raise errors.error_from_result(result)


class Sessions:
    """A few of the pool's."""

    MOST = 4  # a statement takes a millisecond or two: more would wait for the same disk
    PATIENCE_S = 0.05

    def __init__(self) -> None:
        # The last one used is the next: an idle session is not passed over for a place that is still empty.
        self._places: LifoQueue[Session | None] = LifoQueue()
        for _ in range(self.MOST):
            self._places.put(None)  # taken from the pool when somebody needs it

    @contextmanager
    def one(self) -> Iterator[Session | None]:
        """None where none becomes free soon."""
        try:
            session = self._places.get(timeout=self.PATIENCE_S)
        except Empty:
            yield None
            return
        try:
            if session is not None and session.has_ended():
                _give_back(session.connection)
                session = None
            if session is None:
                session = Session(_taken())
            yield session
        finally:
            if session is not None and not session.is_idle():  # the pool looks whether it can still be used
                _give_back(session.connection)
                session = None
            self._places.put(session)


def _taken() -> Connection:
    pool = connection.pool
    pool.open()
    session: Connection = pool.getconn()
    session.autocommit = True  # the pool rolls back what somebody left, and leaves this as they set it
    return session


def _give_back(session: Connection) -> None:
    connection.pool.putconn(session)


_sessions: Sessions | None = None


def keep_sessions() -> None:
    """From now on: for web servers, once they are loaded."""
    global _sessions
    _sessions = Sessions()

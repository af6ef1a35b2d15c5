"""Statements that PostgreSQL plans once for a connection and then only carries out.

For the few that every file of every instrument passes through: planning them costs up to thirty times what
carrying them out does. Everything else goes the way of Django's cursors, which send complete text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from psycopg import Cursor


def rows_of(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """`sql` stays the same from call to call; what changes is in its parameters."""
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(sql, parameters, prepare=True)
        return cursor.fetchall()

"""Locks that die with their process: no lease to wait for when a worker is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

LARGEST_KEY = 2**31


@contextmanager
def alone(work: int, row: int = 0) -> Iterator[bool]:
    """Whether nobody else does this kind of work on this row; `work` is a number of the caller's own."""
    key = [work, row % LARGEST_KEY]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)

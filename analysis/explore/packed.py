"""What the statement answers, unpacked: columns travel as bytes and texts with a separator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import dict_row

from analysis.explore.combining import Points, combine, keys
from analysis.methods import Array

SEPARATOR = "\x1f"  # chr(31) in the statement
Column = Array | list[str]
Rows = NDArray[np.intp]


def answer(query: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    connection.ensure_connection()
    # Not Django's cursor: packed columns must travel as bytes, not as hexadecimal text.
    with Cursor(connection.connection, row_factory=dict_row) as cursor:
        row = cursor.execute(query, parameters, binary=True).fetchone()
    assert row is not None  # aggregates always answer
    return row


def points(packed: Mapping[str, Any], name: str) -> Points:
    letters = (packed[f"{name}_origin"] or "").encode()
    comparators = (packed[f"{name}_comparator"] or "").encode()
    return combine(
        keys(ids(packed[f"{name}_sample"]), np.frombuffer(letters, "S2")),
        numbers(packed[f"{name}_value"]),
        numbers(packed[f"{name}_sigma"]),
        np.char.strip(np.frombuffer(comparators, "S2").astype("U2")),
    )


def ids(packed: bytes | None) -> NDArray[np.int64]:
    return np.frombuffer(packed or b"", ">i8").astype(np.int64)


def numbers(packed: bytes | None) -> Array:
    return np.frombuffer(packed or b"", ">f8").astype(np.float64)


def texts(joined: str | None, rows: Rows) -> list[str]:
    if joined is None or not rows.size:
        return []
    words = joined.split(SEPARATOR)
    return [words[row] for row in rows.tolist()]

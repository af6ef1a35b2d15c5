"""Explore: any process factor or property against any other, answered by one SQL statement.

Columns are aggregated inside PostgreSQL as binary, so that a row costs its bytes and no Python object.
Rows are one per sample and origin: values of different origin are never mixed. Replicates of one origin
are combined with their sigmas (weighted mean; its sigma is widened by the Birge ratio when they scatter
more than they admit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import Cursor
from psycopg.rows import dict_row

from analysis.explore.axes import Axis, ExploreError, axes, axis
from analysis.explore.filters import Filters
from analysis.explore.statement import statement

__all__ = ["Axis", "Columns", "ExploreError", "Filters", "axes", "axis", "columns"]

SEPARATOR = "\x1f"  # chr(31) in the statement

EVERYTHING = Filters()
Column = NDArray[np.float64] | list[str]


@dataclass(frozen=True)
class Columns:
    """One row per sample and origin; columns of equal length. Unknown: NaN, or an empty text."""

    x_axis: Axis
    y_axis: Axis
    color_axis: Axis | None
    x: Column
    y: Column
    color: Column | None
    x_sigma: NDArray[np.float64] | None
    y_sigma: NDArray[np.float64] | None
    replicates: NDArray[np.float64]
    code: list[str]
    notation: list[str]
    origin: list[str]
    comparator: list[str]

    def __len__(self) -> int:
        return len(self.code)


def columns(
    user: Any, *, x: str, y: str, color: str | None = None, filters: Filters = EVERYTHING, labels: bool = True
) -> Columns:
    """Raises ExploreError. Only samples of the user's projects are looked at, before anything else."""
    asked = {"x": axis(x, "x"), "y": axis(y, "y")}
    if color:
        asked["color"] = axis(color, "color")
    query, arguments = statement(user, asked, filters, labels)
    connection.ensure_connection()
    # Not Django's cursor: packed columns must travel as bytes, not as hexadecimal text.
    with Cursor(connection.connection, row_factory=dict_row) as cursor:
        cursor.execute(query, arguments, binary=True)
        row = cursor.fetchone()
    assert row is not None  # an aggregate always answers
    count = row["count"]
    return Columns(
        x_axis=asked["x"],
        y_axis=asked["y"],
        color_axis=asked.get("color"),
        x=_column(row, "x", asked["x"], count),
        y=_column(row, "y", asked["y"], count),
        color=_column(row, "color", asked["color"], count) if color else None,
        x_sigma=_numbers(row["x_sigma"]) if "x_sigma" in row else None,
        y_sigma=_numbers(row["y_sigma"]) if "y_sigma" in row else None,
        replicates=_numbers(row["replicates"]),
        code=_texts(row["code"], count),
        notation=_texts(row["notation"], count) if labels else [""] * count,
        origin=_texts(row["origin"], count),
        comparator=_texts(row["comparator"], count),
    )


def _column(row: Mapping[str, Any], name: str, axis: Axis, count: int) -> Column:
    return _numbers(row[name]) if axis.numeric else _texts(row[name], count)


def _numbers(packed: bytes | None) -> NDArray[np.float64]:
    return np.frombuffer(packed or b"", ">f8").astype(np.float64)


def _texts(joined: str | None, count: int) -> list[str]:
    return (joined or "").split(SEPARATOR) if count else []

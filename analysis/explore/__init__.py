"""Explore: any process factor or property against any other, answered by one SQL statement.

Columns are packed inside PostgreSQL as binary, so that a row costs its bytes and no Python object, and are
joined here by sorted keys. Rows are one per sample and origin: values of different origin are never mixed.
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
from analysis.explore.combining import Points, combine, keys
from analysis.explore.filters import Filters
from analysis.explore.statement import statement
from analysis.methods import Array

__all__ = ["Axis", "Columns", "ExploreError", "Filters", "axes", "axis", "columns"]

SEPARATOR = "\x1f"  # chr(31) in the statement
EVERYTHING = Filters()
Column = Array | list[str]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Columns:
    """One row per sample and origin; columns of equal length. Unknown: NaN, or an empty text."""

    x_axis: Axis
    y_axis: Axis
    color_axis: Axis | None
    x: Column
    y: Column
    color: Column | None
    x_sigma: Array | None
    y_sigma: Array | None
    replicates: Array
    code: list[str]
    notation: list[str]
    origin: list[str]
    comparator: list[str]

    def __len__(self) -> int:
        return len(self.code)


def columns(
    user: Any, *, x: str, y: str, color: str | None = None, filters: Filters = EVERYTHING, labels: bool = True
) -> Columns:
    """Raises ExploreError. Only samples of the user's projects have rows, whatever is asked."""
    asked = {"x": axis(x, "x"), "y": axis(y, "y")}
    if color:
        asked["color"] = axis(color, "color")
    packed = _answer(*statement(user, asked, filters, labels))
    points = {name: _points(packed, name) for name, quantity in asked.items() if quantity.kind == "property"}
    samples, found = _joined(_ids(packed["sample"]), points, filters)
    main = found.get("y", found.get("x"))

    def column(name: str) -> Column:
        if name in found:
            return found[name].value
        return _numbers(packed[name])[samples] if asked[name].numeric else _texts(packed[name], samples)

    return Columns(
        x_axis=asked["x"],
        y_axis=asked["y"],
        color_axis=asked.get("color"),
        x=column("x"),
        y=column("y"),
        color=column("color") if color else None,
        x_sigma=found["x"].sigma if "x" in found else None,
        y_sigma=found["y"].sigma if "y" in found else None,
        replicates=main.replicates.astype(float) if main else np.ones(samples.size),
        code=_texts(packed["code"], samples),
        notation=_texts(packed["notation"], samples) if labels else [""] * samples.size,
        origin=main.origin.tolist() if main else [""] * samples.size,
        comparator=main.comparator.tolist() if main else ["="] * samples.size,
    )


def _answer(query: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    connection.ensure_connection()
    # Not Django's cursor: packed columns must travel as bytes, not as hexadecimal text.
    with Cursor(connection.connection, row_factory=dict_row) as cursor:
        row = cursor.execute(query, parameters, binary=True).fetchone()
    assert row is not None  # aggregates always answer
    return row


def _points(packed: Mapping[str, Any], name: str) -> Points:
    letters = (packed[f"{name}_origin"] or "").encode()
    comparators = (packed[f"{name}_comparator"] or "").encode()
    return combine(
        keys(_ids(packed[f"{name}_sample"]), np.frombuffer(letters, "S2")),
        _numbers(packed[f"{name}_value"]),
        _numbers(packed[f"{name}_sigma"]),
        np.char.strip(np.frombuffer(comparators, "S2").astype("U2")),
    )


def _joined(
    ids: NDArray[np.int64], points: Mapping[str, Points], filters: Filters
) -> tuple[Rows, dict[str, Points]]:
    """Rows of the samples, and the points beside them. x and y must exist, a colour may be missing."""
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    needed = [points[name] for name in ("y", "x") if name in points]
    if not needed:
        return order, {}
    key = needed[0].key
    if len(needed) == 2:
        key = np.intersect1d(key, needed[1].key, assume_unique=True)
    key = key[_present(ids, key >> 3)]
    if filters.origins:
        key = key[np.isin(Points.origin_of(key), list(filters.origins))]
    found = {name: each.at(key) for name, each in points.items()}
    return order[np.searchsorted(ids, key >> 3)], found


def _present(among: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of `wanted` stand in the sorted array `among`."""
    if not among.size:
        return np.zeros(wanted.size, bool)
    return among[np.minimum(np.searchsorted(among, wanted), among.size - 1)] == wanted


def _ids(packed: bytes | None) -> NDArray[np.int64]:
    return np.frombuffer(packed or b"", ">i8").astype(np.int64)


def _numbers(packed: bytes | None) -> Array:
    return np.frombuffer(packed or b"", ">f8").astype(np.float64)


def _texts(joined: str | None, rows: Rows) -> list[str]:
    if joined is None or not rows.size:
        return []
    texts = joined.split(SEPARATOR)
    return [texts[row] for row in rows.tolist()]

"""Explore: any process factor or property against any other, answered by one SQL statement.

Columns are packed inside PostgreSQL as binary, so that a row costs its bytes and no Python object, and are
joined here by sorted keys. Rows are one per sample and origin: values of different origin are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.explore.axes import Axis, ExploreError, axes, axis
from analysis.explore.combining import Points
from analysis.explore.filters import Filters
from analysis.explore.packed import Column, Rows, answer, ids, numbers, points, texts
from analysis.explore.statement import statement
from analysis.methods import Array

__all__ = ["Axis", "Columns", "ExploreError", "Filters", "axes", "axis", "columns"]

EVERYTHING = Filters()


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
    packed = answer(*statement(user, asked, filters, labels))
    given = {name: points(packed, name) for name, each in asked.items() if each.kind == "property"}
    samples, found = _joined(ids(packed["sample"]), given, filters)
    main = found.get("y", found.get("x"))

    def column(name: str) -> Column:
        if name in found:
            return found[name].value
        return numbers(packed[name])[samples] if asked[name].numeric else texts(packed[name], samples)

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
        code=texts(packed["code"], samples),
        notation=texts(packed["notation"], samples) if labels else [""] * samples.size,
        origin=main.origin.tolist() if main else [""] * samples.size,
        comparator=main.comparator.tolist() if main else ["="] * samples.size,
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

"""A detector's plane of small-angle scattering: intensity over q in two directions.

A flat detector is not flat in q, so a row of pixels has nearly, but not exactly, one q_y. The axes are the
means of rows and columns where that is within a tenth of a step; where it is not exact, what every pixel has
follows as two datasets of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _sas

NEARLY, EXACTLY = 0.1, 1e-6  # of the distance between two rows
MOST_MISSING = 2  # as many places as pixels: more are no grid


def shape_of(qx: Array, qy: Array) -> tuple[int, int] | None:
    """(rows, columns) of pixels one after the other: one q runs and jumps back, at even distances."""
    for fast in (qx, qy):
        steps = np.diff(fast)
        back = np.flatnonzero(np.sign(steps) == -np.sign(np.median(steps)))
        columns = int(back[0]) + 1 if back.size else fast.size
        if 1 < columns < fast.size and fast.size % columns == 0 and np.all((back + 1) % columns == 0):
            return fast.size // columns, columns
    return None


def with_missing_pixels(qx: Array, qy: Array, *columns: Array) -> list[Array] | None:
    """The same on the grid of all q that occur, NaN where a pixel was left out; None when that is no grid.

    Returns qx, qy and the columns, each (rows, columns).
    """
    across, column = np.unique(qx, return_inverse=True)
    down, row = np.unique(qy, return_inverse=True)
    taken = row * across.size + column
    if across.size * down.size > MOST_MISSING * qx.size or np.unique(taken).size != qx.size:
        return None
    grids = [np.full(across.size * down.size, np.nan) for _ in columns]
    for grid, values in zip(grids, columns, strict=True):
        grid[taken] = values
    return [*np.meshgrid(across, down), *(grid.reshape(down.size, across.size) for grid in grids)]


def datasets(
    qx: Array, qy: Array, intensity: Array, sigma: Array | None, units: tuple[str, str],
    header: dict[str, str], conditions: Mapping[str, Quantity], title: str = "",
) -> list[Dataset]:  # fmt: skip
    """The plane, with rows of q_y; `units` of q and of the intensity. All arrays of one shape (N, M)."""
    if not (np.all(np.isfinite(qx)) and np.all(np.isfinite(qy))):
        raise ReadError("some pixels of the detector have no q. Export the plane again.")
    if _spread(qx, 0) > _spread(qx, 1):
        qx, qy, intensity = qx.T, qy.T, intensity.T
        sigma = None if sigma is None else sigma.T
    sigma_in_common = None if sigma is None else _sas.per_length(sigma, units[1], _sas.INTENSITY_UNIT)[0]
    values, unit = _sas.per_length(intensity, units[1], _sas.INTENSITY_UNIT)
    (qx, q_unit), (qy, _) = (_sas.per_length(q, units[0], _sas.Q_UNIT) for q in (qx, qy))
    rows, columns = qy.mean(axis=1), qx.mean(axis=0)
    off = max(_largest_share(qy - rows[:, None], rows), _largest_share(qx - columns, columns))
    axes = (Axis("q_y", q_unit, rows), Axis("q_x", q_unit, columns))
    if off > NEARLY:
        axes = (
            Axis("Pixel, y", "1", np.arange(len(rows), dtype=np.float64)),
            Axis("Pixel, x", "1", np.arange(len(columns), dtype=np.float64)),
        )
    said = (title, "Intensity", unit, values, sigma_in_common)
    more = [(f"{title} {name}".strip(), name, q_unit, q, None) for name, q in (("q_x", qx), ("q_y", qy))]
    return [
        Dataset(
            Signal(name, part_unit, np.ascontiguousarray(part), errors), axes, header, None, conditions,
            part_title, "saxs",
        )
        for part_title, name, part_unit, part, errors in [said, *(more if off > EXACTLY else [])]
    ]  # fmt: skip


def _spread(values: Array, direction: int) -> float:
    return float(np.ptp(values, axis=direction).mean())


def _largest_share(off: Array, places: Array) -> float:
    step = float(np.abs(np.diff(places)).mean()) if places.size > 1 else 0.0
    return float(np.abs(off).max()) / step if step else 0.0

"""What a page can show of a dataset, however large it is: made once when it is read, kept beside its row.

A curve keeps the lowest and highest of each stretch, so that no peak is lost; a map is averaged to blocks.
Without it, ten million points would be fetched, unpacked and thinned each time that somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measurements.data import Array, Axis, Dataset

FROM_VALUES = 20_000  # smaller datasets are drawn from themselves
CURVE_POINTS = 4000
MAP_SIDE = 400
PICTURE_SIDE = 512
SQUARE_WITHIN = 0.05  # the sides of a picture's pixels differ less than this
STACKED = {"time", "temperature", "frame", "tilt", "scan", "position", "z", "index"}


@dataclass(frozen=True)
class Overview:
    """`axes` indexes into the dataset's axes: one for a curve, two for a map (rows, columns).

    coordinates : for each of them, its values
    values : of a curve at its coordinates; of a map (rows, columns), averaged over blocks and other axes
    """

    axes: tuple[int, ...]
    coordinates: tuple[Array, ...]
    values: Array


def overview(dataset: Dataset) -> Overview | None:
    """None for a dataset with nothing to draw."""
    if not dataset.signal.values.size or not dataset.axes:
        return None
    if len(dataset.axes) == 1:
        x, y = dataset.axes[0].values, dataset.signal.values
        kept = extremes(y, CURVE_POINTS)
        return Overview((0,), (x[kept],), y[kept])
    return _map(dataset)


def packed(shown: Overview) -> bytes:
    """Sizes and axes as int32, then the coordinates as float64, then the values as float32."""
    head = [len(shown.axes), *shown.axes, *(each.size for each in shown.coordinates)]
    with np.errstate(over="ignore"):  # beyond float32 a picture shows a gap
        values = shown.values.astype("<f4").tobytes()
    return (
        np.array(head, "<i4").tobytes()
        + b"".join(c.astype("<f8").tobytes() for c in shown.coordinates)
        + values
    )


def unpacked(content: bytes | memoryview) -> Overview:
    count = int(np.frombuffer(content, "<i4", 1)[0])
    head = np.frombuffer(content, "<i4", 1 + 2 * count)
    axes, sizes = head[1 : 1 + count], head[1 + count :]
    place, coordinates = 4 * head.size, []
    for size in sizes:
        coordinates.append(np.frombuffer(content, "<f8", int(size), place).astype(np.float64))
        place += 8 * int(size)
    values = np.frombuffer(content, "<f4", int(np.prod(sizes)) if count > 1 else int(sizes[0]), place)
    return Overview(
        tuple(int(axis) for axis in axes), tuple(coordinates), values.astype(np.float64).reshape(tuple(sizes))
    )


def extremes(y: Array, most: int) -> NDArray[np.intp]:
    """Indices of the lowest and highest finite value of each stretch, in order; at most `most` of them."""
    if y.size <= most:
        return np.arange(y.size)
    stretches = max(most // 2, 1)
    length = -(-y.size // stretches)
    padded = np.full(stretches * length, np.nan)
    padded[: y.size] = y
    rows = padded.reshape(stretches, length)
    finite = np.isfinite(rows)
    known = finite.any(axis=1)
    low = np.where(finite, rows, np.inf).argmin(axis=1)
    high = np.where(finite, rows, -np.inf).argmax(axis=1)
    start = np.arange(stretches) * length
    return np.unique(np.concatenate([(start + low)[known], (start + high)[known]]))


def _map(dataset: Dataset) -> Overview:
    rows, columns = _shown_axes(dataset.axes)
    others = tuple(axis for axis in range(len(dataset.axes)) if axis not in (rows, columns))
    values = _mean(dataset.signal.values, others) if others else dataset.signal.values
    if _is_picture(dataset.axes[rows], dataset.axes[columns]):
        # Square blocks: otherwise it would be stretched.
        block = -(-max(values.shape) // PICTURE_SIDE)
        sides = tuple(np.append(np.arange(0, size, block), size) for size in values.shape)
    else:
        sides = tuple(_edges(size, MAP_SIDE) for size in values.shape)
    row_edges, column_edges = sides
    values = _blocks(_blocks(values, 0, row_edges), 1, column_edges)
    return Overview(
        (rows, columns),
        (
            _middles(dataset.axes[rows].values, row_edges),
            _middles(dataset.axes[columns].values, column_edges),
        ),
        values,
    )


def _shown_axes(axes: tuple[Axis, ...]) -> tuple[int, int]:
    """A stack of images shows the image; a spectrum image its map, which its first two axes are."""
    if len(axes) > 2 and axes[0].name.lower() in STACKED:
        return len(axes) - 2, len(axes) - 1
    return 0, 1


def _is_picture(rows: Axis, columns: Axis) -> bool:
    """Two lengths of one unit, or two counts of pixels, with the same step."""
    if rows.unit != columns.unit or min(rows.values.size, columns.values.size) < 2:
        return False
    steps = [abs(float(np.median(np.diff(axis.values)))) for axis in (rows, columns)]
    return steps[0] > 0 and abs(steps[1] / steps[0] - 1) < SQUARE_WITHIN


def _edges(size: int, most: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, size, min(size, most) + 1).astype(np.intp))


def _blocks(values: Array, axis: int, edges: NDArray[np.intp]) -> Array:
    if edges.size == values.shape[axis] + 1:
        return values
    finite = np.isfinite(values)
    sums = np.add.reduceat(np.where(finite, values, 0.0), edges[:-1], axis=axis)
    counts = np.add.reduceat(finite.astype(np.float64), edges[:-1], axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        blocks: Array = sums / counts
    return blocks


def _mean(values: Array, axes: tuple[int, ...]) -> Array:
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Array = np.where(finite, values, 0.0).sum(axis=axes) / finite.sum(axis=axes)
    return mean


def _middles(values: Array, edges: NDArray[np.intp]) -> Array:
    return (values[edges[:-1]] + values[edges[1:] - 1]) / 2

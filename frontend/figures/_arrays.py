"""Arrays as Plotly takes them in binary, and fewer points where a screen cannot show them all."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = {"float64": "f8", "float32": "f4", "int32": "i4", "int16": "i2", "uint8": "u1"}


def typed(array: NDArray[Any]) -> dict[str, str]:
    """{"dtype", "bdata"} with base64 of the little-endian bytes; a matrix carries its "shape"."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    spec = {"dtype": DTYPES[array.dtype.name], "bdata": base64.b64encode(little.tobytes()).decode("ascii")}
    if array.ndim > 1:
        spec["shape"] = ", ".join(str(size) for size in array.shape)
    return spec


def extremes(y: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Indices that keep the shape of a line: lowest and highest of every stretch, in order.

    y : (N,) ; returns at most `most` indices, all of them when there are no more.
    NaN is left out unless a whole stretch is NaN.
    """
    if y.size <= most:
        return np.arange(y.size)
    stretches = max(most // 2, 1)
    edges = np.linspace(0, y.size, stretches + 1).astype(int)
    kept = []
    for start, end in pairwise(edges):
        piece = y[start:end]
        if not np.isfinite(piece).any():
            kept.append(start)
            continue
        kept += [start + int(np.nanargmin(piece)), start + int(np.nanargmax(piece))]
    return np.unique(np.asarray(kept, dtype=np.intp))

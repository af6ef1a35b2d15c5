"""Arrays as Plotly takes them in binary, and fewer points where a screen cannot show them all."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from measurements.overview import extremes

__all__ = ["extremes", "typed"]

DTYPES = {"float64": "f8", "float32": "f4", "int32": "i4", "int16": "i2", "uint8": "u1"}


def typed(array: NDArray[Any]) -> dict[str, str]:
    """{"dtype", "bdata"} with base64 of the little-endian bytes; a matrix carries its "shape"."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    spec = {"dtype": DTYPES[array.dtype.name], "bdata": base64.b64encode(little.tobytes()).decode("ascii")}
    if array.ndim > 1:
        spec["shape"] = ", ".join(str(size) for size in array.shape)
    return spec

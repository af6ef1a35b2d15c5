"""Clipped spectra: a detector at its limit says the same number again and again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FLAT = 3  # points in a row at the highest of all numbers; noise does not do that


def flat_tops(y: Array) -> NDArray[np.bool_]:
    """(…) which spectra hold FLAT points in a row that equal the maximum over all of them.

    y : (…, N) over the last axis, raw; what is not finite is passed over
    """
    top = y == np.max(y, where=np.isfinite(y), initial=-np.inf)
    size = y.shape[-1] - FLAT + 1
    if size < 1:
        return np.zeros(y.shape[:-1], dtype=np.bool_)
    return np.asarray(np.all([top[..., n : n + size] for n in range(FLAT)], axis=0).any(axis=-1))

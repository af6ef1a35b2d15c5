"""How far a curve went on its way, not only at its end, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.peaks import MAD_TO_SIGMA

Array = NDArray[np.float64]

SURE = 5.0  # standard deviations; of noise about one window in a million does that
LEAST, SHARE = 3, 20  # points in a window: a twentieth of all, at least three
NEVER = float("inf")


@dataclass(frozen=True)
class Smooth:
    """Means of `width` neighbouring points: at : (N − width + 1,) their mean time; y : the same; sigma : of
    each, from second differences, so that a slow change is not taken for noise."""

    at: Array
    y: Array
    sigma: float
    width: int

    def first_beyond(self, off: Array, limit: float) -> float:
        """When `off`, made of these means, first surely exceeded `limit`; NEVER if it did not."""
        beyond = np.flatnonzero(off > limit + SURE * self.sigma)
        return float(self.at[beyond[0]]) if beyond.size else NEVER


def smooth(times: Array, y: Array) -> Smooth:
    """times, y : (N,), N ≥ 3"""
    width = min(max(LEAST, y.size // SHARE), y.size)
    kernel = np.full(width, 1 / width)
    noise = MAD_TO_SIGMA * float(np.median(np.abs(np.diff(y, 2)))) / np.sqrt(6)
    rounding = 8 * np.finfo(float).eps * float(np.abs(y).max())
    return Smooth(
        np.convolve(times, kernel, mode="valid"),
        np.convolve(y, kernel, mode="valid"),
        max(noise, rounding) / np.sqrt(width),
        width,
    )

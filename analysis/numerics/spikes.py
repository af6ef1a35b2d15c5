"""Cosmic rays: a point that stands far above the same channel of its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.peaks import MAD_TO_SIGMA

Array = NDArray[np.float64]

FAR = 8.0  # of noise this happens once in 10¹⁵ points
REACH = 3  # points on either side; a line of the sample is wider than three points, a cosmic ray is not


def without_spikes(y: Array, axes: tuple[int, ...] = (0,)) -> tuple[Array, int]:
    """Points far above the median of their neighbours along `axes`, at most three in a row, become what the
    neighbours have there.

    y : (…, N) spectra over the last axis. A line that stays is seen by the neighbours, one that they do not
        see is wider; both stay
    Returns the spectra and how many points were replaced. The scale of each channel is the median absolute
    deviation over the map, or that of most channels if it is more.
    """
    neighbours = [_shifted(y, axis, by) for axis in axes if y.shape[axis] > 2 for by in (1, -1)]
    if not neighbours or y.shape[-1] <= 2 * REACH:
        return y, 0
    around = np.median(np.stack(neighbours), axis=0)
    off = y - around
    rest = tuple(range(y.ndim - 1))
    scale = MAD_TO_SIGMA * np.median(np.abs(off), axis=rest, keepdims=True)
    overall = float(np.median(scale))
    if not overall > 0:
        return y, 0
    level = np.median(np.abs(around), axis=rest, keepdims=True)
    # Bright pixels are noisier than the median one: variance grows with the signal.
    growth = np.sqrt(np.maximum(np.abs(around) / np.maximum(level, 1e-300), 1.0))
    far = np.nonzero(off > FAR * np.maximum(scale, overall) * growth)
    beside = _medians(off, far)
    narrow = beside <= off[far] / 2
    spikes = tuple(index[narrow] for index in far)
    cleaned = y.copy()
    cleaned[spikes] = around[spikes] + beside[narrow]
    return cleaned, int(narrow.sum())


def _medians(off: Array, points: tuple[NDArray[np.intp], ...]) -> Array:
    """(P,) of each point and REACH others on either side along the last axis, mirrored at its ends."""
    last = off.shape[-1] - 1
    nearby = np.abs(points[-1][:, None] + np.arange(-REACH, REACH + 1))
    nearby = last - np.abs(last - nearby)
    return np.asarray(np.median(off[(*(index[:, None] for index in points[:-1]), nearby)], axis=1))


def _shifted(y: Array, axis: int, by: int) -> Array:
    """The neighbour on one side; at the edge, the second one on the other side."""
    moved = np.roll(y, by, axis=axis)
    edge, source = (0, 2) if by > 0 else (-1, -3)
    np.moveaxis(moved, axis, 0)[edge] = np.moveaxis(y, axis, 0)[source]
    return moved

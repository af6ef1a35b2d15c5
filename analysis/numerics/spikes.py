"""Cosmic rays: a point that stands far above the same channel of its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.peaks import MAD_TO_SIGMA

Array = NDArray[np.float64]

FAR = 8.0  # of noise this happens once in 10¹⁵ points


def without_spikes(y: Array, axes: tuple[int, ...] = (0,)) -> tuple[Array, int]:
    """Points far above the median of their neighbours along `axes` become that median.

    y : (…, N) spectra over the last axis; a real line is seen by the neighbours too and stays
    Returns the spectra and how many points were replaced. The scale of each channel is the median absolute
    deviation over the map, or that of most channels if it is more.
    """
    neighbours = [_shifted(y, axis, by) for axis in axes if y.shape[axis] > 1 for by in (1, -1)]
    if not neighbours:
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
    spikes = off > FAR * np.maximum(scale, overall) * growth
    return np.where(spikes, around, y), int(spikes.sum())


def _shifted(y: Array, axis: int, by: int) -> Array:
    """The neighbour on one side; at the edge, the one on the other side."""
    moved = np.roll(y, by, axis=axis)
    edge, source = (0, 1) if by > 0 else (-1, -2)
    np.moveaxis(moved, axis, 0)[edge] = np.moveaxis(y, axis, 0)[source]
    return moved

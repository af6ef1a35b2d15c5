"""The response of a photon counter to the pulse itself, on the channels of a decay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FINEST = 8  # of a decay's channel: a response on a finer grid is added up to this


@dataclass(frozen=True)
class Response:
    """The instrument's response on a grid that divides a channel of the decay.

    counts : (L,) normalised to a sum of one
    start : middle of its first channel, on the decay's clock
    step, per_channel : its channels' width; that many make one of the decay's
    """

    counts: Array
    start: float
    step: float
    per_channel: int

    @cached_property
    def center(self) -> float:
        """Of mass."""
        return self.start + self.step * float(self.counts @ np.arange(self.counts.size))

    @cached_property
    def fwhm(self) -> float:
        """Between the half-height points left and right of the maximum, not less than a channel."""
        top = int(np.argmax(self.counts))
        below = self.counts < self.counts[top] / 2
        left = np.flatnonzero(below[:top])
        right = np.flatnonzero(below[top:])
        first = left[-1] if left.size else 0
        last = top + (right[0] if right.size else self.counts.size - 1 - top)
        return float(max(last - first - 1, 1) * self.step)


def resampled(x: Array, counts: Array, step: float) -> Response:
    """A measured response on a grid that divides `step`, its area kept channel by channel.

    x : (L,) middles of its channels, evenly spaced; counts : (L,) without background, none below zero
    Its running total, through a cubic with continuous density (C. de Boor, A Practical Guide to Splines, ch.
    IV), is differenced at the new edges: nothing is lost between points, as sampling would lose it.
    """
    own = float(x[-1] - x[0]) / (x.size - 1)
    per_channel = int(min(max(round(step / own), 1), FINEST))
    new = step / per_channel
    if abs(own - new) <= 1e-6 * new:
        return Response(_sharpened(counts / counts.sum()), float(x[0]), new, per_channel)
    edges = x[0] + own * (np.arange(x.size + 1) - 0.5)
    first, last = edges[0], edges[-1]
    size = int(np.ceil((last - first) / new - 1e-9))
    at = first + new * np.arange(size + 1)
    pieces = np.diff(running_total(counts, (at - first) / own))
    return Response(_sharpened(pieces / pieces.sum()), float(at[0] + new / 2), new, per_channel)


def _sharpened(counts: Array) -> Array:
    """Without the breadth that channels add: b²/12 to the variance by counting into them, and again by
    taking what they hold as spread evenly over them. A twelfth of the second difference takes both away.

    It is moved from channel to channel, at most half of what one holds to either side, so that none falls
    below zero: J. P. Boris, D. L. Book, J. Comput. Phys. 11 (1973) 38.
    """
    padded = np.concatenate([[0.0], counts, [0.0]])
    uphill = np.diff(padded) / 12
    moved = np.clip(uphill, -padded[1:] / 2, padded[:-1] / 2)
    return np.asarray(counts - np.diff(moved))


def running_total(counts: Array, at: Array) -> Array:
    """Counts before `at`, in channels from the first edge; all of them beyond the last. It never falls:
    F. N. Fritsch, R. E. Carlson, SIAM J. Numer. Anal. 17 (1980) 238."""
    total = np.concatenate([[0.0], np.cumsum(counts)])
    inner = np.minimum((counts[1:] + counts[:-1]) / 2, 3 * np.minimum(counts[1:], counts[:-1]))
    density = np.concatenate([[counts[0]], inner, [counts[-1]]])
    at = np.minimum(at, counts.size)
    k = np.minimum(at.astype(np.int64), counts.size - 1)
    f = at - k
    rise = counts[k]
    bend, twist = 3 * rise - 2 * density[k] - density[k + 1], density[k] + density[k + 1] - 2 * rise
    return np.asarray(total[k] + f * (density[k] + f * (bend + f * twist)))

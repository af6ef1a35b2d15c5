"""How well the best of all emissions, whatever its course, explains a decay seen through a response.

Light is never negative. So the smallest weighted sum of squares over all light ≥ 0 on a fine grid of times,
on any constant, is a limit that no lifetimes, no rise, no scattered light, no shift and no broadening of the
response can pass. Where even that limit is far from noise, it is the response that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.counting import non_negative
from analysis.numerics.responses import Response, running_total

Array = NDArray[np.float64]
PER_STEP = (
    2  # sources of light in a channel of the response, or in half a channel of the decay if that is more
)


@dataclass(frozen=True)
class BestLight:
    """chi2 : mean of the squared residuals; residuals : (N,) data − curve, in standard deviations"""

    chi2: float
    residuals: Array


def best_light(t: Array, y: Array, sigma: Array, response: Response) -> BestLight:
    """t : (N,) middles of even channels on the response's clock; y, sigma : (N,). A constant takes part: not
    below zero, or below the lowest y where that is negative, as after a background was subtracted."""
    step = float(t[-1] - t[0]) / (t.size - 1)
    rows = np.vstack([_seen(t, step, response), np.ones(t.size)]) / sigma
    y = y - min(float(y.min()), 0.0)
    light = non_negative(rows @ rows.T, rows @ (y / sigma))
    residuals = y / sigma - light @ rows
    return BestLight(float(np.mean(residuals**2)), residuals)


def _seen(t: Array, step: float, response: Response) -> Array:
    """(M, N) what each channel holds of a flash at each of M times."""
    length = response.counts.size * response.step
    fine = max(response.step, step / 2) / PER_STEP
    peak = response.start + response.step * float(np.argmax(response.counts))
    flashes = np.arange(t[0] - peak, t[-1] - peak + step, fine)
    first_edge = response.start - response.step / 2
    upper = np.clip(t + step / 2 - flashes[:, None] - first_edge, 0.0, length) / response.step
    lower = np.clip(t - step / 2 - flashes[:, None] - first_edge, 0.0, length) / response.step
    return running_total(response.counts, upper) - running_total(response.counts, lower)

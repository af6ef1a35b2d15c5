"""Where absorption begins: the stretches over which absorbance falls with wavelength.

x in nm, strictly increasing; absorbance falls towards the red; a variance of each point. What is laid on a
fall is in edge_tangents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STILL_FALLING = 0.1  # of the steepest slope
RECOVERS, AT_THE_END = 0.5, 0.1  # of it: how far it must flatten before a steeper one, before an end
DERIVATIVE_WINDOWS_NM = (4.0, 8.0, 16.0, 24.0)
SIGNIFICANT, PLAIN, CLEAR = 5.0, 8.0, 40.0  # in σ of the slope
SIGMOID = 1.1346  # 4 w over the width of its slope at half depth, 4 ln(1+√2) w
DROP_IN_SIGMAS = 8.0


@dataclass(frozen=True)
class Fall:
    """A stretch over which absorbance falls. steepest, blue, red : nm, the latter where the slope has come
    down to a tenth; width : nm, of the edge itself, 4 w of a sigmoid 1/(1+exp((λ−λ₀)/w))."""

    steepest: float
    blue: float
    red: float
    width: float
    slope: float

    @property
    def drop(self) -> float:
        """Of the edge itself, without what else falls there."""
        return self.width * abs(self.slope)


def falls(
    x: Array, y: Array, variance: Array, smallest_share: float, from_the_end: bool = False
) -> list[Fall]:
    """Every fall whose drop stands out of the noise and is at least `smallest_share` of the range of y, by
    wavelength. Between it and a steeper one the slope must come down to half of its own.

    from_the_end : also one that is steepest where the scan begins; for a tangent it is none, for nobody saw
        where it is steepest
    """
    grid = np.linspace(x[0], x[-1], x.size)
    step = float(grid[1] - grid[0])
    level, noise = np.interp(grid, x, y), np.sqrt(np.interp(grid, x, variance))
    for window in DERIVATIVE_WINDOWS_NM:
        half = int(np.clip(round(window / step), 2, (x.size - 1) // 4))
        slope, smooth, sigma = _slopes(level, noise, half, step)
        if np.max(-slope / sigma) > CLEAR:
            break
    at = grid[half : grid.size - half]
    lowest = smallest_share * float(smooth.max() - smooth.min())
    found = []
    for place in np.flatnonzero(-slope >= SIGNIFICANT * sigma):
        if not _stands_out(slope, sigma, int(place), from_the_end):
            continue
        # where it falls more steeply, another fall begins
        falling = (slope < STILL_FALLING * slope[place]) & (slope >= slope[place])
        blue, red = _run(falling, int(place))
        width = _width(slope, int(place), step, float(smooth[blue] - smooth[red]))
        fall = Fall(float(at[place]), float(at[blue]), float(at[red]), width, float(slope[place]))
        if fall.drop >= max(lowest, DROP_IN_SIGMAS * float(noise[half + place])):
            found.append(fall)
    return found


def _width(slope: Array, place: int, step: float, drop: float) -> float:
    """From the width of the dip in the slope at half its depth, or from the whole drop where that is less: on
    a background that falls too the drop knows no end."""
    first, last = _run(slope < 0.5 * slope[place], place)
    return min(SIGMOID * (last - first + 1) * step, max(drop / abs(float(slope[place])), step))


def _stands_out(slope: Array, sigma: Array, place: int, from_the_end: bool) -> bool:
    """Whether the slope recovers on both sides before it gets steeper still or the scan ends."""
    here = slope[place]
    for side, may_end in ((slope[:place][::-1], from_the_end), (slope[place + 1 :], False)):
        steeper = np.flatnonzero(side <= here)
        if not steeper.size:
            if may_end:
                continue
            needed = AT_THE_END
        else:
            side, needed = side[: steeper[0]], RECOVERS
        rise = float(side.max() - here) if side.size else 0.0
        if rise < max(needed * -here, PLAIN * sigma[place]):
            return False
    return True


def _run(holds: NDArray[np.bool_], place: int) -> tuple[int, int]:
    """First and last of the unbroken run of True around a place."""
    blue, red = place, place
    while blue > 0 and holds[blue - 1]:
        blue -= 1
    while red < holds.size - 1 and holds[red + 1]:
        red += 1
    return blue, red


def _slopes(y: Array, noise: Array, half: int, step: float) -> tuple[Array, Array, Array]:
    """Slope, mean and σ of the slope of straight lines through 2·half+1 points; 2·half shorter than y."""
    k = np.arange(-half, half + 1.0)
    norm = float(k @ k) * step
    slope = np.convolve(y, k[::-1], mode="valid") / norm
    mean = np.convolve(y, np.full(k.size, 1 / k.size), mode="valid")
    sigma = np.sqrt(np.convolve(noise**2, k[::-1] ** 2, mode="valid")) / norm
    return slope, mean, np.maximum(sigma, 1e-300)


def apart(found: list[Fall], most: int, separation_nm: float) -> list[Fall]:
    """The `most` largest falls that lie further from each other than the separation, by wavelength."""
    kept: list[Fall] = []
    for fall in sorted(found, key=lambda fall: fall.slope):
        if all(abs(fall.steepest - other.steepest) > separation_nm for other in kept):
            kept.append(fall)
    kept.sort(key=lambda fall: -fall.drop)
    return sorted(kept[:most], key=lambda fall: fall.steepest)

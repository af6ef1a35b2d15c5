"""Whether a series of intensities and wavelengths was stable, and whether its curve is what happened.

Used by `_photostability`; not a method itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods.base import Array, Result
from analysis.numerics.losses import NEVER, Loss, time_to
from analysis.numerics.residuals import serial_correlation
from analysis.numerics.smoothing import SURE, Smooth, smooth

ENDURANCE = {  # property, and what an hour is in its unit
    "light": ("stability_laser", 3600.0),
    "water": ("stability_water", 1.0),
    "air": ("stability_ambient", 1 / 24),
    "sonication": ("stability_sonication", 1.0),
}
SERIAL_SIGMAS = 4.0
MAX_MISFIT = 0.1  # of the first intensity, between curve and points at either end
DARK, AGAIN = 0.1, 0.5  # of the intensity beside a gap; of that before it, for one after it
DIP = 0.05  # of the first intensity, between curve and points anywhere


@dataclass(frozen=True)
class Limits:
    retention: float
    shift_nm: float


def darkness(times: Array, y: Array) -> tuple[NDArray[np.bool_], list[str]]:
    """(N,) where the lamp was off, far below what was right before and is right after; and sentences."""
    low = np.concatenate([[False], y < DARK * np.median(y), [False]])
    edges = np.flatnonzero(np.diff(low.astype(int)))
    dark, said = np.zeros(y.size, dtype=bool), []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        before, after = y[max(start - 2, 0) : start], y[stop : stop + 2]
        if before.size < 2 or after.size < 2 or after.min() < AGAIN * before.min():
            continue
        if y[start:stop].max() < DARK * after.min():
            dark[start:stop] = True
            said.append(
                f"From {times[start]:.4g} to {times[stop - 1]:.4g} h hardly any light is left, and right "
                "after as much as before: the lamp was off. That is left out of the course, but not of the "
                "dose."
            )
    return dark, said


def misfits(loss: Loss, times: Array, relative: Array, first: float) -> tuple[float, float]:
    """How far the points at the beginning and at the end are from the curve, of the first intensity; 0 where
    their scatter explains it."""
    off = smooth(times, (relative - loss.curve(times)) / first)
    start, end = (float(abs(off.y[place])) for place in (0, -1))
    return (start if start > SURE * off.sigma else 0.0), (end if end > SURE * off.sigma else 0.0)


def departure(loss: Loss, start: float, end: float) -> list[str]:
    if max(start, end) == 0:
        return []
    where = "beginning" if start >= end else "end"
    then = (
        "the sigma of what is left contains it."
        if max(start, end) <= MAX_MISFIT
        else "so neither what is left nor any time is given. Cut the series where its course changes."
    )
    return [f"At the {where} the {loss.kind} leaves the points by {max(start, end):.2g} of the first; {then}"]


def doubts(loss: Loss) -> list[str]:
    correlation = serial_correlation(loss.residuals)
    if correlation * np.sqrt(loss.residuals.size) <= SERIAL_SIGMAS:
        return []
    return [
        f"Neighbouring points deviate together from the {loss.kind} (correlation {correlation:.2f}): the "
        "lamp drifts or the decay has another shape. The true errors are larger than the sigmas, and how "
        "long it was stable is not decided. A reference measured beside it takes the lamp out."
    ]


def dip(loss: Loss, times: Array, means: Smooth, first: float) -> list[str]:
    fitted = smooth(times, loss.curve(times) / first).y
    if not np.isfinite(means.first_beyond(fitted - means.y, DIP)):
        return []
    lowest = max(float(means.y.min()), 0.0)
    return [f"On the way {lowest:.0%} of the first intensity were left, which the {loss.kind} does not show."]


def excursion(path: Smooth | None, shift: float, limits: Limits) -> list[str]:
    if path is None:
        return []
    away = np.abs(path.y - path.y[0])
    if not np.isfinite(path.first_beyond(away, abs(shift) + limits.shift_nm)):
        return []
    return [
        f"On the way the peak was {away.max():.3g} nm from where it began; the shift from beginning to end "
        "does not show it."
    ]


def endurance(
    losses: list[Loss],
    times: Array,
    means: Smooth,
    moves: tuple[float, float, Smooth | None],
    medium: str,
    limits: Limits,
    trusted: bool,
    notes: dict[str, float | str],
) -> list[Result]:
    """The longest time for which it was stable, by the curve and by what it went through on the way; for what
    still is, a lower bound as sharp as the clock. None where the curve is not what happened.

    moves : how far the wavelength went, its sigma, and its way
    """
    shift, shift_sigma, path = moves
    retained, _ = losses[0].retained()
    step = float(np.median(np.diff(times)))
    ends = []
    if retained < limits.retention:
        ends.append(time_to(losses, limits.retention))
    if abs(shift) > limits.shift_nm:
        moved = float(times[-1]) * limits.shift_nm / abs(shift)
        ends.append((moved, moved * shift_sigma / abs(shift)))
    for way, off, limit in (
        (means, 1 - means.y, 1 - limits.retention),
        *([(path, np.abs(path.y - path.y[0]), limits.shift_nm)] if path is not None else []),
    ):
        if (at := way.first_beyond(off, limit)) < NEVER:
            ends.append((at, way.width * step / 2))
    if not ends and not trusted:
        notes["stable"] = "not decided: the curve does not follow the points"
    else:
        notes["stable"] = "no" if ends else "yes, over the time observed"
    if not trusted or medium not in ENDURANCE:
        return []
    if not ends:
        notes["endurance"] = "a lower bound: it was still stable at the end"
    at, error = min(ends, default=(float(times[-1]), step / 2))
    if at == NEVER:
        return []
    key, per_hour = ENDURANCE[medium]
    return [Result(key, at * per_hour, error * per_hour)]

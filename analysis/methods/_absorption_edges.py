"""The edges of one absorption spectrum, each with the background beyond it.

Shared by the UV-Vis methods; not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.methods._absorbance import Absorbance
from analysis.methods._spectra import HC_EV_NM
from analysis.methods.base import Array, MethodError
from analysis.numerics import absorption_edges, edge_tangents, tails
from analysis.numerics.absorption_edges import Fall
from analysis.numerics.edge_tangents import Baseline
from analysis.numerics.peaks import running_mean

CURVED_SIGMAS = 4.0
FEWEST_BEYOND = 8
EDGE_OF_SCAN = 0.05
MATTERS = 0.005  # of the drop: a background that moves by less under the edge is a constant
SEPARATION_NM = 60.0
BROADEST_EV = 0.35  # a broader fall beside a sharp one is what lies above the edge, not another edge
LIKE_NOISE, LITTLE_LEFT = 1.5, 0.01  # χ², and part of the range, that a power of λ leaves of scattering
LABELS = ("delta", "gamma")  # of two edges, that of higher energy first: by wavelength


@dataclass(frozen=True)
class Edge:
    """One fall with what lies beyond it. y : (N,) the curve on which its tangent is laid."""

    fall: Fall
    base: Baseline
    y: Array
    subtracted: bool
    component: str
    reached: bool


def edges_of(
    data: Absorbance, which: str, background: str, smallest_share: float, from_the_end: bool = False
) -> tuple[list[Edge], list[str]]:
    """One or two edges by ascending wavelength, each with its background.

    from_the_end : where there is no other, one that is steepest where the scan begins
    Raises MethodError where none is there.
    """
    given = data.x, data.y, data.variance, smallest_share
    found = absorption_edges.falls(*given)
    if from_the_end := from_the_end and not found:
        _check_not_scattering(data)
        found = absorption_edges.falls(*given, from_the_end=True)
    found = absorption_edges.apart(found, 2, SEPARATION_NM)
    found = [f for f in found if f.width * HC_EV_NM / f.steepest**2 < BROADEST_EV] or found[-1:]
    if which == "one" and found:
        found = [min(found, key=lambda fall: fall.slope)]
    if not found:
        raise MethodError(
            "No absorption edge inside the window: nowhere does the signal fall with wavelength, steepest"
            " away from both ends, by more than the noise. Widen the scan or the window, or measure more "
            "sample."
        )
    labels = LABELS if len(found) == 2 else ("",)
    warnings = _about_the_end(data, found[-1])
    if from_the_end:
        warnings.append(
            f"No edge lies inside the window: the signal is steepest where it begins, at {data.x[0]:g} nm. "
            "Whether it rises there by absorption and not by scattering, this spectrum cannot tell."
        )
    made: list[Edge] = []
    y = data.y
    subtracted = False
    for place in reversed(range(len(found))):
        fall, label = found[place], labels[place]
        following = made[-1].fall if made else None
        base, reached = _beyond(data, y, fall, following, "auto" if subtracted else background)
        if not made and base.kind == "scattering":  # one curve under everything, so it comes off everywhere
            y, subtracted = y - base(data.x), True
            found = _again(found, absorption_edges.falls(data.x, y, data.variance, smallest_share))
            fall = found[-1]
        made.append(Edge(fall, base, y, subtracted and not made, label, reached))
        if not reached:
            before = f"its end at {data.x[-1]:g} nm" if following is None else "the next edge"
            warnings.append(
                f"There are few points beyond the edge at {fall.steepest:.0f} nm, before {before}, and the "
                "background leans on them."
            )
    return made[::-1], warnings


def under_other_scattering(data: Absorbance, found: list[Edge]) -> list[Edge]:
    """The first of two edges as it would be, had the scattering that was found beyond the second and taken
    off under both been one standard deviation off, along each of its two directions. So far from where it was
    found, that counts."""
    if len(found) != 2 or not found[1].subtracted or found[0].component != LABELS[0]:
        return []
    first, scattered = found[0], found[1].base
    lengths, axes = np.linalg.eigh(scattered.covariance)
    others = []
    for length, axis in zip(lengths, axes.T, strict=True):
        level, power = np.array([scattered.level, scattered.slope]) + np.sqrt(max(length, 0.0)) * axis
        y = first.y - (scattered(data.x, float(level), float(power)) - scattered(data.x))
        base, _ = _beyond(data, y, first.fall, found[1].fall, first.base.kind)
        others.append(replace(first, base=base, y=y))
    return others


def _check_not_scattering(data: Absorbance) -> None:
    """Raises MethodError where a constant and a·λ^(−p) explain the whole scan, within the noise or nearly."""
    towards = -np.log(data.x)
    start = 4.0, float(data.y.min())
    line = tails.fit_tail(towards, data.y, np.ones_like(data.y), data.variance, True, start)
    if line is None:
        return
    left = np.sqrt(line.chi2 / float(np.mean(1 / data.variance)))
    if line.chi2 < LIKE_NOISE or left < LITTLE_LEFT * float(np.ptp(data.y)):
        raise MethodError(
            f"No absorption edge inside the window: λ^−{line.slope:.1f} on a constant, which is scattering, "
            "explains the whole scan. Widen the scan or the window, or measure with less scattering."
        )


def _again(before: list[Fall], after: list[Fall]) -> list[Fall]:
    """The same falls as they look without the scattering; as before where they are not found again."""
    return [
        min(
            (fall for fall in after if abs(fall.steepest - old.steepest) < old.width),
            key=lambda fall: abs(fall.steepest - old.steepest),
            default=old,
        )
        for old in before
    ]


def _about_the_end(data: Absorbance, last: Fall) -> list[str]:
    """A scan that ends while the signal still falls may have cut off the edge that matters."""
    tail = data.x >= max(data.x[-1] - 20, last.steepest + last.width)
    if np.count_nonzero(tail) < 4:
        return []
    line = edge_tangents.baseline(data.x[tail], data.y[tail], data.variance[tail], "line", float(data.x[-1]))
    if line is None or -line.slope < max(
        0.1 * abs(last.slope), CURVED_SIGMAS * np.sqrt(line.covariance[1, 1])
    ):
        return []
    return [
        f"The signal still falls at the end of the scan, {data.x[-1]:g} nm; an edge further to the red would "
        "not be seen. Scan further."
    ]


def _beyond(
    data: Absorbance, y: Array, fall: Fall, following: Fall | None, kind: str
) -> tuple[Baseline, bool]:
    """The background beyond one edge, and whether there are enough points that the edge no longer reaches."""
    gradual = fall.steepest < data.x[0] + EDGE_OF_SCAN * (data.x[-1] - data.x[0])
    for widths in (2.0, 1.25, 0.75):
        until = data.x[-1] if following is None else following.steepest - max(widths, 1.0) * following.width
        start = fall.steepest + widths * fall.width
        chosen = (data.x > (max(start, fall.red) if gradual else start)) & (data.x <= until)
        if np.count_nonzero(chosen) >= FEWEST_BEYOND:
            break
    else:
        widths = 0.0
        if following is not None:  # the curve never rests between them: where it is flattest must do
            chosen = _flattest(data.x, y, fall.steepest, following.steepest)
    if np.count_nonzero(chosen) < 3:
        raise MethodError(
            f"The scan ends at {data.x[-1]:g} nm, too close to the edge at {fall.steepest:.0f} nm to see "
            "what lies beyond it. Scan further to the red."
        )
    if gradual:  # where it ends has to be felt for
        chosen = np.isin(np.arange(y.size), _level_from(y, data.variance, np.flatnonzero(chosen)))
    given = data.x[chosen], y[chosen], data.variance[chosen]
    at = float(data.x[chosen][0])
    base = edge_tangents.baseline(*given, "constant" if kind == "auto" else kind, at)
    if base is None:
        raise MethodError(f"No {kind} background fits beyond the edge; choose another one.")
    if kind == "auto" and widths > 0 and not gradual:
        slopes = _plainly_sloping(given, at, scattering=following is None)
        if slopes is not None and abs(slopes(fall.steepest) - base(fall.steepest)) > MATTERS * fall.drop:
            base = slopes
    return base, widths == 2.0


def _level_from(y: Array, variance: Array, beyond: NDArray[np.int64]) -> NDArray[np.int64]:
    """The points from where on the first third of what is left no longer lies above the rest."""
    while beyond.size > 3 * FEWEST_BEYOND:
        third = beyond.size // 3
        first, rest = y[beyond[:third]], y[beyond[third:]]
        sigma = np.sqrt(
            variance[beyond[:third]].mean() / first.size + variance[beyond[third:]].mean() / rest.size
        )
        if first.mean() - rest.mean() <= sigma:
            break
        beyond = beyond[max(1, third // 4) :]
    return beyond


def _flattest(x: Array, y: Array, blue: float, red: float) -> NDArray[np.bool_]:
    """FEWEST_BEYOND points around the place where the curve falls least between two edges."""
    between = np.flatnonzero((x > blue) & (x < red))
    if between.size <= FEWEST_BEYOND:
        return np.isin(np.arange(x.size), between)
    slope = np.gradient(running_mean(y, 2), x)
    middle = between[FEWEST_BEYOND // 2 : -FEWEST_BEYOND // 2]
    best = int(middle[int(np.argmax(slope[middle]))])
    return np.abs(np.arange(x.size) - best) <= FEWEST_BEYOND // 2


def _plainly_sloping(given: tuple[Array, Array, Array], at: float, scattering: bool) -> Baseline | None:
    line = edge_tangents.baseline(*given, "line", at)
    if line is None or abs(line.slope) < CURVED_SIGMAS * float(np.sqrt(line.covariance[1, 1])):
        return None
    power = edge_tangents.baseline(*given, "scattering", at) if scattering and line.slope < 0 else None
    if power is not None and float(np.sqrt(power.covariance[1, 1])) < 1 and 0 < power.slope < 8:
        return power
    return line

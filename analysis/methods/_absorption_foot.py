"""The foot of an absorption edge: an exponential on a constant, or on scattering.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from analysis.methods._absorbance import Absorbance
from analysis.methods._absorption_edges import edges_of
from analysis.methods._spectra import HC_EV_NM
from analysis.methods.base import Array, MethodError
from analysis.numerics import absorption_edges, peaks, tails
from analysis.numerics.edge_tangents import Baseline

TOP, BOTTOM = 0.1, 1e-3  # of the height of the edge
NOISE_FACTOR, MIN_POINTS = 5.0, 15
EDGE_SHARE = 0.02  # of the points, over which the slope is taken
ROUNDS = 6
SMALLEST_SHARE = 0.1  # of the range of the signal, that an edge must drop by
SCATTERING_POWERS = tuple(
    n / 4 for n in range(16, 3, -1)
)  # of the photon energy: small particles, then larger ones
PLAIN_SIGMAS, SETTLED = 4.0, 0.1  # of the height of the scattering


class Choices(Protocol):
    @property
    def tail_min_ev(self) -> float | None: ...
    @property
    def tail_max_ev(self) -> float | None: ...
    @property
    def background(self) -> str: ...


@dataclass(frozen=True)
class Foot:
    """By falling energy: first is the first point below a tenth of the edge, stop one past the last above
    noise and a thousandth."""

    energy: Array
    y: Array
    variance: Array
    height: float
    background: float
    first: int
    power: float = 0.0

    @property
    def beneath(self) -> Array | None:
        """The course of the scattering, where there is any."""
        return (self.energy / self.energy[0]) ** self.power if self.power else None


Fitted = tuple[Absorbance, Foot, tails.Tail, int]


def on_a_constant(data: Absorbance, choices: Choices) -> Fitted:
    foot = _foot(data, choices)
    return (data, foot, *_fitted(foot, choices))


def on_scattering(measured: Absorbance, choices: Choices) -> list[Fitted]:
    """With every power of the wavelength, best first; nothing where there is no scattering to see."""
    if choices.background == "constant":
        return []
    wanted = choices.background == "scattering"
    try:
        edges, _ = edges_of(measured, "auto", choices.background, SMALLEST_SHARE)
    except MethodError:
        edges = []
    base = edges[-1].base if edges and edges[-1].subtracted else None
    if base is None and not wanted:
        return []
    found: list[Fitted] = []
    for power in SCATTERING_POWERS:
        try:
            found.append(_on_a_power(measured, choices, power, base))
        except MethodError:
            if wanted and power == SCATTERING_POWERS[-1] and not found:
                raise
    found.sort(key=lambda each: each[2].chi2)
    if found and not wanted:
        data, _, tail, _ = found[0]
        if (measured.y - data.y)[0] <= PLAIN_SIGMAS * tail.beneath_sigma:
            return []
    return found


def between(candidates: list[Fitted]) -> float:
    """How far, in meV, fits that explain the data about as well lie from the best, by their likelihood."""
    _, foot, best, _ = candidates[0]
    points = foot.y.size - foot.first
    weights = np.array([np.exp(-points / 2 * (tail.chi2 / best.chi2 - 1)) for _, _, tail, _ in candidates])
    off = np.array([1e3 / tail.slope - 1e3 / best.slope for _, _, tail, _ in candidates])
    return float(np.sqrt(weights @ off**2 / weights.sum()))


def _on_a_power(measured: Absorbance, choices: Choices, power: float, base: Baseline | None) -> Fitted:
    """The spectrum without its scattering, and the fit in which that is as free as the constant."""
    taken = _as_power(measured.x, base, power)
    for _ in range(ROUNDS):
        data = replace(measured, y=measured.y - taken)
        foot = replace(_foot(data, choices), power=power)
        tail, stop = _fitted(foot, choices)
        if foot.beneath is not None:
            taken = taken + tail.beneath * foot.beneath
        if abs(tail.beneath) < SETTLED * tail.beneath_sigma:
            break
    if taken[0] < -PLAIN_SIGMAS * tail.beneath_sigma:
        raise MethodError(
            "Beyond the edge the signal rises towards the red, as no scattering does: up to "
            f"{-taken[0]:.2g} would be added to the spectrum. Correct the baseline, or choose background = "
            "constant."
        )
    return data, foot, tail, stop


def _as_power(x: Array, base: Baseline | None, power: float) -> Array:
    """(N,) a·E^power that, on a constant, follows what lies beyond the edge: to begin with."""
    rises = (x[0] / x) ** power
    beyond = x >= (np.inf if base is None else base.at)
    if base is None or np.count_nonzero(beyond) < MIN_POINTS:
        return np.zeros(x.size)
    height, _ = np.polyfit(rises[beyond], base(x[beyond]), 1)
    return np.asarray(float(height) * rises)


def _foot(data: Absorbance, choices: Choices) -> Foot:
    energy = HC_EV_NM / data.x
    half = max(2, int(EDGE_SHARE * data.x.size))
    smooth = peaks.running_mean(data.y, half)
    edge = _edge(data, np.gradient(smooth, energy))
    beyond = data.y[edge:]
    background = float(np.median(beyond[-max(3, beyond.size // 10) :]))
    height = 2 * (float(smooth[edge]) - background)
    noise = float(np.sqrt(np.median(data.variance)))
    if height < NOISE_FACTOR * noise:
        raise MethodError("No absorption edge stands above the noise; widen the scan or the window.")
    below = np.flatnonzero(smooth[edge:] - background < TOP * height)
    if below.size == 0:
        raise MethodError(
            "The absorption does not fall to a tenth of its edge inside the window; widen the scan."
        )
    first = edge + int(below[0])
    if choices.tail_max_ev is not None:
        first = int(np.count_nonzero(energy > choices.tail_max_ev))
        if first <= edge:
            raise MethodError(
                f"The tail lies below the edge at {energy[edge]:.4g} eV; lower tail_max_ev "
                f"({choices.tail_max_ev:g} eV)."
            )
    return Foot(energy, data.y, data.variance, height, background, first)


def _edge(data: Absorbance, rise: Array) -> int:
    """The index of the steepest point over energy inside a fall that recovers on both sides: scattering,
    which only gets steeper towards the blue, has none."""
    inside = np.zeros(data.x.size, bool)
    for fall in absorption_edges.falls(data.x, data.y, data.variance, SMALLEST_SHARE):
        inside |= (data.x >= fall.blue) & (data.x <= fall.red)
    if not inside.any():
        raise MethodError(
            "No absorption edge inside the window: nowhere is the signal steepest, away from both ends of "
            "the scan, by more than the noise. Scattering alone has none. Widen the scan or the window."
        )
    return int(np.argmax(np.where(inside, rise, -np.inf)))


def _fitted(foot: Foot, choices: Choices) -> tuple[tails.Tail, int]:
    """The low end follows from the fit itself, as in the tail of an emission."""
    quiet = np.maximum(NOISE_FACTOR * np.sqrt(foot.variance), BOTTOM * foot.height)
    if choices.tail_min_ev is not None:
        stop = int(np.count_nonzero(foot.energy >= choices.tail_min_ev))
    else:
        fallen = np.flatnonzero((peaks.running_mean(foot.y, 2) - foot.background < quiet)[foot.first :])
        stop = foot.first + int(fallen[0]) if fallen.size else foot.y.size
    tail = None
    for _ in range(ROUNDS):
        _check_points(foot, stop)
        tail = _fit(foot, stop)
        fallen = np.flatnonzero((tail.exponential(foot.energy) < quiet)[foot.first :])
        moved = foot.first + int(fallen[0]) if fallen.size else foot.y.size
        if choices.tail_min_ev is not None or moved == stop:
            break
        stop = moved
    _check_points(foot, stop)
    return tail if tail is not None else _fit(foot, stop), stop


def _check_points(foot: Foot, stop: int) -> None:
    if stop - foot.first < MIN_POINTS:
        raise MethodError(
            f"{max(stop - foot.first, 0)} points lie in the foot of the edge, below a tenth of it and above "
            f"five times the noise; at least {MIN_POINTS} are needed. Measure in smaller steps, or longer."
        )


def _fit(foot: Foot, stop: int) -> tails.Tail:
    beyond = slice(foot.first, foot.y.size)
    drop = float(foot.energy[foot.first] - foot.energy[stop - 1])
    slope = float(np.clip(np.log(TOP / BOTTOM) / 2 / drop, 1.0, 1e4))
    energy, y = foot.energy[beyond], foot.y[beyond]
    beneath = None if foot.beneath is None else foot.beneath[beyond]
    start = slope, foot.background
    tail = tails.fit_tail(energy, y, np.ones_like(y), foot.variance[beyond], True, start, beneath)
    if tail is None:
        raise MethodError(
            "No exponential fits the foot of the edge; fix the window with tail_min_ev and tail_max_ev."
        )
    return tail

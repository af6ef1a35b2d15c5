"""Where the tail of an emission line begins and ends, and its fit. The working half of `pl_tail`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.methods._gaussian_fits import choose, fit_one_and_two
from analysis.methods._spectra import HC_EV_NM, Spectrum
from analysis.methods.base import Array, Dataset, MethodError
from analysis.numerics import peaks, tails

MIN_POINTS = 15
TOP, BOTTOM = 0.1, 1e-3  # of the maximum
NOISE_FACTOR = 5.0
STRAY_NM = 8.0  # on either side of the second order of the excitation
ROUNDS = 6
TRIMS = 12  # steps in which a shoulder is cut away
DECADE = 2.0  # of a logarithm: what must remain
CURVED, CURVED_SIGMAS, STRAIGHT = 0.25, 4.0, 0.10


@dataclass(frozen=True)
class Flank:
    """One spectrum by rising wavelength, that is by falling energy.

    energy, y, variance : (N,). jacobian : (N,) λ²/hc. peak : its maximum per eV, above the background.
    top : the index of the maximum; first : of the first point below a tenth of it and of the second peak
    end : one past the last point that belongs to this emission
    """

    energy: Array
    y: Array
    variance: Array
    jacobian: Array
    peak: float
    peak_ev: float
    background: float
    top: int
    first: int
    end: int
    second_nm: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """What a person fixed."""

    low_ev: float | None
    high_ev: float | None
    with_constant: bool


@dataclass(frozen=True)
class Window:
    """Points start to stop are the tail; those up to end hold the constant."""

    start: int
    stop: int
    end: int
    ended_by: str

    @property
    def slice(self) -> slice:
        return slice(self.start, self.stop)

    @property
    def size(self) -> int:
        return self.stop - self.start


def flank(data: Spectrum, sample: Dataset, gain: tuple[Array, Array] | None) -> Flank:
    """Raises MethodError where there is no maximum with a red side."""
    factor, var_factor = gain if gain is not None else (np.ones_like(data.y), np.zeros_like(data.y))
    detected = data.y / factor
    variance = factor**2 * tails.noise_variance(detected) + detected**2 * var_factor
    edge = max(3, data.x.size // 20)
    background = min(float(np.median(data.y[:edge])), float(np.median(data.y[-edge:])))
    jacobian = data.x**2 / HC_EV_NM
    smooth = peaks.running_mean(data.y, 2) - background
    per_ev = smooth * jacobian
    top = int(np.argmax(per_ev))
    if smooth[top] < NOISE_FACTOR * float(np.sqrt(variance[top])):
        raise MethodError("No peak stands above the noise; measure longer or narrow the window.")
    below = np.flatnonzero(per_ev[top:] < TOP * per_ev[top])
    if top < 2 or below.size == 0:
        raise MethodError(
            "The emission does not fall to a tenth of its maximum at longer wavelengths inside the window; "
            "widen the scan."
        )
    first = top + int(below[0])
    second_nm = _second_peak(data, float(data.x[top]))
    if second_nm is not None:
        first = max(first, int(np.searchsorted(data.x, second_nm)))
    end, warnings = _before_stray_light(data.x, first, sample)
    energy = HC_EV_NM / data.x
    return Flank(
        energy, data.y, np.asarray(variance), jacobian, float(per_ev[top]), float(energy[top]),
        background, top, first, end, second_nm, warnings,
    )  # fmt: skip


def _second_peak(data: Spectrum, top_nm: float) -> float | None:
    """Where the second of two credible Gaussians lies, if that is on the red side of the maximum."""
    try:
        ((one, two),) = fit_one_and_two(data.x, data.y[None], "auto", False, 5.0, 120.0)
        fit, _, _ = choose(one, two, "auto")
    except MethodError:
        return None
    if fit.peaks == 1 or fit.params[4] <= top_nm:
        return None
    return float(fit.params[4])


def _before_stray_light(x: Array, first: int, sample: Dataset) -> tuple[int, tuple[str, ...]]:
    """The second order of the excitation lies on the constant and would lift it."""
    excitation = sample.conditions.get("excitation_wavelength")
    if excitation is None or excitation.unit != "nm" or isinstance(excitation.value, str):
        return x.size, ()
    line = 2 * excitation.value
    near = np.flatnonzero(np.abs(x - line) <= STRAY_NM)
    if near.size == 0 or near[0] <= first:
        return x.size, ()
    return int(near[0]), (
        f"Nothing above {x[near[0]]:g} nm is used: the second order of the excitation lies at {line:g} nm.",
    )


def factor(energy: Array, power: int) -> Array:
    """Counts per nm of a photon flux E^power·exp(sE) per eV: that times hc/λ² = E²/hc."""
    return np.asarray(energy ** (2 + power) / HC_EV_NM)


def fitted(line: Flank, limits: Limits, power: int) -> tuple[tails.Tail, Window]:
    """The exponential and the points that it was fitted to.

    The low end follows from the fit itself, where it falls to a thousandth of the maximum or to five times
    the noise: a point that is high by chance must not decide whether it belongs.
    """
    start, stop, ended_by = _first_guess(line, limits)
    tail = None
    for _ in range(ROUNDS):
        if stop - start < MIN_POINTS:
            raise _too_few(line, start, stop, ended_by)
        window = Window(start, stop, max(line.end, stop) if limits.with_constant else stop, ended_by)
        tail = _fit(line, window, power, limits.with_constant)
        if limits.low_ev is not None:
            break
        moved, ended_by = _low_end(line, tail, power, start)
        if moved == stop:
            break
        stop = moved
    if tail is None:
        raise _too_few(line, start, stop, ended_by)
    return tail, window


def straightened(line: Flank, limits: Limits) -> tuple[Flank, str]:
    """Where the tail is curved because a shoulder reaches into it, the flank that begins below the shoulder.

    Unchanged where it is straight, where a person fixed the window, or where no decade of it is straight, as
    in the flank of a Gaussian. The sentence says what was left out.
    """
    tail, window = fitted(line, limits, power=2)
    if limits.high_ev is not None or not is_curved(*bend(line, window, tail)):
        return line, ""
    step = max(1, window.size // TRIMS)
    for first in range(window.start + step, window.stop - MIN_POINTS, step):
        lower = replace(line, first=first)
        try:
            tail, window = fitted(lower, limits, power=2)
        except MethodError:
            break
        if tail.slope * float(line.energy[window.start] - line.energy[window.stop - 1]) < DECADE:
            break
        change, sigma = bend(lower, window, tail)
        if abs(change) < max(STRAIGHT, 2 * sigma):
            return lower, (
                f"Only below {line.energy[first]:.4g} eV is the flank exponential; what lies between that "
                "and a tenth of the maximum, such as a shoulder, is left out."
            )
    return line, ""


def bend(line: Flank, window: Window, tail: tails.Tail) -> tuple[float, float]:
    """By which part of itself the slope changes over the window, and the sigma of that."""
    inside = window.slice
    above = np.maximum(line.y[inside] - tail.constant, np.sqrt(line.variance[inside]))
    weight = above**2 / line.variance[inside]
    return tails.curvature(line.energy[inside], logarithm(line, window, tail), weight)


def for_exponential(line: Flank, window: Window, tail: tails.Tail, limits: Limits) -> float | None:
    """ΔBIC of the exponential over the flank of a Gaussian at the maximum, or at the second peak: both have
    as many parameters. Not above zero: the Gaussian fits as well. None where no Gaussian fits.

    In w = −(E − E₀)² a Gaussian is an exponential, so that the same fit serves. Where neither fits within the
    noise, the noise is taken as what the better one leaves.
    """
    inside = slice(window.start, window.end)
    energy, y = line.energy[inside], line.y[inside]
    found = []
    for centre in {line.peak_ev, line.peak_ev if line.second_nm is None else HC_EV_NM / line.second_nm}:
        away = centre - energy
        start = tail.slope / (2 * float(centre - line.energy[window.slice].mean())), tail.constant
        scaled = -away * np.abs(away), y, factor(energy, 2), line.variance[inside]
        fit = tails.fit_tail(*scaled, limits.with_constant, start)
        if fit is not None:
            found.append(fit.chi2)
    if not found:
        return None
    gaussian = min(found)
    points = y.size - (3 if limits.with_constant else 2)
    return points * (gaussian - tail.chi2) / max(1.0, min(gaussian, tail.chi2))


def is_curved(change: float, sigma: float) -> bool:
    return abs(change) > CURVED and abs(change) > CURVED_SIGMAS * sigma


def _first_guess(line: Flank, limits: Limits) -> tuple[int, int, str]:
    start = line.first
    if limits.high_ev is not None:
        start = int(np.count_nonzero(line.energy > limits.high_ev))
        if start <= line.top:
            raise MethodError(
                f"The tail lies below the maximum at {line.peak_ev:.4g} eV; lower tail_max_ev "
                f"({limits.high_ev:g} eV)."
            )
    if limits.low_ev is not None:
        stop = min(int(np.count_nonzero(line.energy >= limits.low_ev)), line.end)
        return start, stop, "fixed"
    smooth = peaks.running_mean(line.y, 2) - line.background
    least = np.maximum(BOTTOM * line.peak / line.jacobian, NOISE_FACTOR * np.sqrt(line.variance))
    fallen = np.flatnonzero(smooth[start : line.end] < least[start : line.end])
    return start, start + int(fallen[0]) if fallen.size else line.end, "noise"


def _fit(line: Flank, window: Window, power: int, with_constant: bool) -> tails.Tail:
    inside = slice(window.start, window.end)
    energy, y = line.energy[inside], line.y[inside]
    drop = float(line.energy[window.start] - line.energy[window.stop - 1])
    falls = max(float(y[0] - line.background), 1e-300) / max(
        float(line.y[window.stop - 1] - line.background), float(np.sqrt(line.variance[window.stop - 1]))
    )
    slope = float(np.clip(np.log(max(falls, 1.5)) / drop, 1.0, 1e4))
    constant = line.background if with_constant else 0.0
    tail = tails.fit_tail(
        energy, y, factor(energy, power), line.variance[inside], with_constant, (slope, constant)
    )
    if tail is None:
        raise MethodError(
            "No exponential fits the red flank. A shoulder or a background may lie in it; fix the window "
            "with tail_min_ev and tail_max_ev."
        )
    return tail


def _low_end(line: Flank, tail: tails.Tail, power: int, start: int) -> tuple[int, str]:
    counts = factor(line.energy, power) * tail.exponential(line.energy)
    quiet = NOISE_FACTOR * np.sqrt(line.variance)
    faint = BOTTOM * line.peak / line.jacobian
    fallen = np.flatnonzero((counts < np.maximum(quiet, faint))[start : line.end])
    if fallen.size == 0:
        return line.end, "end of the scan"
    stop = start + int(fallen[0])
    return stop, "noise" if counts[stop] < quiet[stop] else "a thousandth of the maximum"


def _too_few(line: Flank, start: int, stop: int, ended_by: str) -> MethodError:
    high = line.energy[min(start, line.energy.size - 1)]
    low = line.energy[min(max(stop - 1, start), line.energy.size - 1)]
    remedy = {
        "fixed": "Widen tail_min_ev and tail_max_ev, or measure in smaller steps.",
        "end of the scan": "Extend the scan to longer wavelengths.",
    }.get(ended_by, "Measure longer, or in smaller steps.")
    return MethodError(
        f"{max(stop - start, 0)} points lie in the tail between {low:.4g} and {high:.4g} eV, below a "
        f"tenth of the maximum and above five times the noise; at least {MIN_POINTS} are needed. {remedy}"
    )


def logarithm(line: Flank, window: Window, tail: tails.Tail) -> Array:
    """(n,) ln of what stands above the constant, per eV and E²; noise may not make it the log of nothing."""
    inside = window.slice
    above = np.maximum(line.y[inside] - tail.constant, np.sqrt(line.variance[inside]))
    return np.asarray(np.log(above / factor(line.energy[inside], 2)))


def beyond(line: Flank, window: Window, tail: tails.Tail) -> list[str]:
    """Light behind the tail that neither the exponential nor the constant explains."""
    behind = slice(window.stop, window.end)
    if window.end - window.stop < 5:
        return []
    energy = line.energy[behind]
    excess = line.y[behind] - tail.constant - factor(energy, 2) * tail.exponential(energy)
    sigma = np.sqrt(line.variance[behind] / 5)
    sure = np.convolve(excess, np.full(5, 0.2), mode="valid") / sigma[2:-2]
    at = int(np.argmax(np.abs(sure)))
    if abs(sure[at]) < 6:
        return []
    return [
        f"Near {HC_EV_NM / energy[at + 2]:.0f} nm, behind the tail, the background is not constant; end the "
        "window before it."
    ]

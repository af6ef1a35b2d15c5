"""What a photon counter records of a decay: exponentials convolved with the instrument's response.

A channel holds ∫ over its width, and so does a channel of the response. Both integrals are done exactly, so
that a sub-channel shift t₀, a response on its own grid and a lifetime of less than a channel need no special
care: with E(u) = f twice integrated from 0 (and 0 for u ≤ 0), a width a of the decay's channels and b of the
response's, a response channel adds to a decay channel that lies u later

    K(u) = [E(u + (a+b)/2) − E(u + (a−b)/2) − E(u − (a−b)/2) + E(u − (a+b)/2)] / ab .

Curves are linear convolutions by FFT. Times in any one unit.

D. V. O'Connor, D. Phillips, Time-correlated Single Photon Counting (Academic Press, 1984), ch. 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.responses import Response

Array = NDArray[np.float64]
Kernel = Callable[[Array, float, float, Array], tuple[Array, Array]]
"""(M,) delays, two widths, the shape of a component → (M,) values, derivatives by delay and shape."""
NEAR = 8  # channels after t₀ in which a stretched exponential is too steep for three points
NODES = 48
LARGEST_EXPONENT = 700.0


@dataclass(frozen=True)
class Points:
    """A decay without a response: exp(−u/τ) itself at (N,) delays u, 0 before the first."""

    times: Array
    widths: tuple[float, float] = (0.0, 0.0)

    def delays(self, shift: float) -> Array:
        return self.times - shift

    def convolved(self, kernels: Array) -> Array:
        return kernels


@dataclass(frozen=True)
class Convolver:
    """(N,) channels of a decay, each `step` wide, the first centred at `start`, seen through a response."""

    response: Response
    start: float
    step: float
    points: int

    @property
    def widths(self) -> tuple[float, float]:
        return self.step, self.response.step

    @cached_property
    def _transform(self) -> NDArray[np.complex128]:
        return np.fft.rfft(self.response.counts, self._length)

    @cached_property
    def _length(self) -> int:
        """A wrapped-around end only spoils what comes before the first channel."""
        return _fast(self.points * self.response.per_channel + self.response.counts.size - 1)

    def delays(self, shift: float) -> Array:
        """(M,) from every channel of the response to every channel of the decay, in steps of the response."""
        tail = self.response.counts.size - 1
        first = self.start - self.response.start - tail * self.response.step - shift
        count = self.points * self.response.per_channel + tail
        return first + self.response.step * np.arange(count, dtype=np.float64)

    def convolved(self, kernels: Array) -> Array:
        """(K, M) values at `delays` → (K, N) in the decay's channels."""
        spectrum = np.fft.rfft(kernels, self._length, axis=-1) * self._transform
        whole = np.fft.irfft(spectrum, self._length, axis=-1)
        first = self.response.counts.size - 1
        stop = first + self.points * self.response.per_channel
        return np.asarray(whole[..., first : stop : self.response.per_channel], dtype=np.float64)


Seen = Points | Convolver
Model = Callable[[Array], tuple[Array, Array]]


def decay(seen: Seen, kernel: Kernel, components: int, flash: bool = False) -> Model:
    """The curve Σ aᵢ fᵢ(t − t₀) + b in counts a channel, as it is seen, and its derivatives.

    Parameters (P,): t₀, b, the amplitudes aᵢ, the shape of every component (ln τ, or ln τ and β); last, with
    a flash, the light that takes no time, which is to be compared with a·τ.
    Returns a function to the curve (N,) and the derivatives (P, N).
    """

    def evaluate(params: Array) -> tuple[Array, Array]:
        amplitudes = params[2 : 2 + components]
        shapes = params[2 + components : params.size - flash].reshape(components, -1)
        size = shapes.shape[1]
        delays = seen.delays(float(params[0]))
        kernels = np.zeros((1 + components * (1 + size) + flash, delays.size))
        for i, (amplitude, shape) in enumerate(zip(amplitudes, shapes, strict=True)):
            value, slopes = kernel(delays, *seen.widths, shape)
            kernels[0] -= amplitude * slopes[0]
            kernels[1 + i] = value
            first = 1 + components + i * size
            kernels[first : first + size] = amplitude * slopes[1:]
        if flash:
            kernels[-1], slope = instant(delays, *seen.widths)
            kernels[0] -= params[-1] * slope
        rows = seen.convolved(kernels)
        curve = params[1] + amplitudes @ rows[1 : 1 + components]
        if flash:
            curve = curve + params[-1] * rows[-1]
        return curve, np.concatenate([rows[:1], np.ones((1, rows.shape[1])), rows[1:]])

    return evaluate


def instant(delays: Array, width: float, other: float) -> tuple[Array, Array]:
    """Channel averages of light that takes no time, of area one, and their derivative by the delay, (M,).

    Two channels over each other would broaden the response by 0 to other²/4, as t₀ has it. This has the same
    area, mean and breadth other²/6, which responses are sharpened by, wherever t₀ is: two thirds of a
    quadratic spline and a third of the cubic of R. G. Keys, IEEE Trans. Acoust. 29 (1981) 1153.
    """
    pieces = max(round(width / other), 1)
    value, slope = np.zeros(delays.size), np.zeros(delays.size)
    for piece in range(pieces):
        u = delays / other + piece - (pieces - 1) / 2
        x = np.abs(u)
        spline = np.where(x < 0.5, 0.75 - x**2, np.maximum(1.5 - x, 0.0) ** 2 / 2)
        down = np.where(x < 0.5, -2 * x, -np.maximum(1.5 - x, 0.0))
        far = np.minimum(x, 2.0)
        cubic = np.where(x < 1, (1.5 * x - 2.5) * x**2 + 1, ((2.5 - 0.5 * far) * far - 4) * far + 2)
        fall = np.where(x < 1, (4.5 * x - 5) * x, (5 - 1.5 * far) * far - 4)
        value += (2 * spline + cubic) / 3
        slope += np.sign(u) * (2 * down + np.where(x < 2, fall, 0.0)) / 3
    area = pieces * other
    return value / area, slope / (area * other)


def exponential(delays: Array, width: float, other: float, shape: Array) -> tuple[Array, Array]:
    """Channel averages of exp(−u/τ), u ≥ 0, and their derivatives.

    delays : (M,) ascending; width, other : of the two channels; shape : (1,) ln τ
    Returns (M,) and (2, M): by the delay, by ln τ.
    """
    tau = float(np.exp(shape[0]))
    reach = (width + other) / 2
    value, slopes = np.zeros(delays.size), np.zeros((2, delays.size))
    rising, decaying = np.searchsorted(delays, (-reach, reach))
    near = slice(rising, decaying)
    if rising < decaying:
        value[near], slopes[:, near] = _differenced(delays[near], width, other, _twice_integrated(tau))
    (spread_a, growth_a), (spread_b, growth_b) = _averaged(width / tau), _averaged(other / tau)
    gain = spread_a * spread_b
    tail = slice(decaying, None)
    value[tail] = np.exp(-np.minimum(delays[tail] / tau, LARGEST_EXPONENT)) * gain
    slopes[0, tail] = -value[tail] / tau
    slopes[1, tail] = value[tail] * (delays[tail] / tau - growth_a - growth_b)
    return value, slopes


def _twice_integrated(tau: float) -> Callable[[Array], tuple[Array, Array, Array]]:
    def integrals(u: Array) -> tuple[Array, Array, Array]:
        """E(u), dE/du and dE/d ln τ of the exponential."""
        u = np.maximum(u, 0.0)
        gone = -np.expm1(-np.minimum(u / tau, LARGEST_EXPONENT))
        return tau * u - tau**2 * gone, tau * gone, tau * u * (2 - gone) - 2 * tau**2 * gone

    return integrals


def stretched(delays: Array, width: float, other: float, shape: Array) -> tuple[Array, Array]:
    """Channel averages of exp(−(u/τ)^β), u ≥ 0, and their derivatives.

    shape : (2,) ln τ, β. Returns (M,) and (3, M): by the delay, by ln τ, by β.
    Near u = 0, where it is infinitely steep, by the integrals above; further on by three points that share
    the mean and the variance of the two channels' widths.
    """
    tau, beta = float(np.exp(shape[0])), float(shape[1])
    reach = (width + other) / 2
    value, slopes = np.zeros(delays.size), np.zeros((3, delays.size))
    rising, decaying = np.searchsorted(delays, (-reach, NEAR * width))
    near, tail = slice(rising, decaying), slice(decaying, None)
    if rising < decaying:
        value[near], slopes[:, near] = _differenced(
            delays[near], width, other, _stretched_integrals(tau, beta)
        )
    spread = np.sqrt((width**2 + other**2) / 4)
    for weight, u in ((2 / 3, delays[tail]), (1 / 6, delays[tail] + spread), (1 / 6, delays[tail] - spread)):
        here, by_log = _stretched_terms(u / tau, beta)
        value[tail] += weight * here
        slopes[0, tail] -= weight * here * by_log / np.maximum(u, 1e-9 * tau)
        slopes[1, tail] += weight * here * by_log
        slopes[2, tail] -= weight * here * by_log / beta * np.log(np.maximum(u / tau, 1e-300))
    return value, slopes


def _stretched_terms(ratio: Array, beta: float) -> tuple[Array, Array]:
    """exp(−r^β) and β r^β."""
    power = np.minimum(ratio**beta, LARGEST_EXPONENT)
    return np.exp(-power), beta * power


def _stretched_integrals(tau: float, beta: float) -> Callable[[Array], tuple[Array, ...]]:
    """By Gauss-Legendre quadrature in z, v = u z^p, in which (v/τ)^β and its logarithm are smooth."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    z, weights = (nodes + 1) / 2, weights / 2
    power = 3 / min(beta, 1.0)
    at, jacobian = z**power, power * z ** (power - 1) * weights

    def integrals(u: Array) -> tuple[Array, ...]:
        u = np.maximum(u, 0.0)[:, None]
        ratio = np.maximum(u * at / tau, 1e-300)
        here, by_log = _stretched_terms(ratio, beta)
        once = jacobian * u
        twice = once * u * (1 - at)
        by_beta = -here * by_log / beta * np.log(ratio)
        return (
            (here * twice).sum(axis=1),
            (here * once).sum(axis=1),
            (here * by_log * twice).sum(axis=1),
            (by_beta * twice).sum(axis=1),
        )

    return integrals


def _differenced(
    u: Array, width: float, other: float, integrals: Callable[[Array], tuple[Array, ...]]
) -> tuple[Array, Array]:
    outer, inner = (width + other) / 2, (width - other) / 2
    total = np.zeros(u.size)
    slopes: list[Array] = []
    for sign, at in ((1, outer), (-1, inner), (-1, -inner), (1, -outer)):
        value, *parts = integrals(u + at)
        total += sign * value
        slopes = [sign * part for part in parts] if not slopes else [
            one + sign * part for one, part in zip(slopes, parts, strict=True)
        ]  # fmt: skip
    return total / (width * other), np.array(slopes) / (width * other)


def _averaged(widths: float) -> tuple[float, float]:
    """Mean of exp(−u/τ) over a channel over its value in the middle, and −d ln of that by d ln τ."""
    x = widths / 2
    if x < 1e-4:
        return 1 + x**2 / 6, x**2 / 3
    return float(np.sinh(x) / x), float(x / np.tanh(x) - 1)


def _fast(length: int) -> int:
    """The next length whose FFT is fast: 2ᵃ 3ᵇ 5ᶜ."""
    best = 1 << (length - 1).bit_length()
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            quotient = -(-length // threes)
            best = min(best, threes << (quotient - 1).bit_length())
            threes *= 3
        fives *= 5
    return best

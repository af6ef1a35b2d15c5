"""The engine of `peak_maps` in NumPy: sums in chunks that stay in the second-level cache.

The algebra runs over all rows at once. The search begins in float32 and ends in float64; rows that have
converged leave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from analysis.numerics._triangles import Lower, cholesky, forward, inverted, solve_two
from analysis.numerics.peak_maps import (
    BLOCKS,
    CLOSED_FORM_SIGMA,
    EXACT,
    FINE,
    INSIDE_SIGMAS,
    MAX_DAMPING,
    MAX_ITERATIONS,
    MIXED,
    ROUNDING,
    SHORTEST_SIGMA,
    Array,
    Axis,
    Raw,
)

CHUNK_VALUES = 32_768
BATCH_VALUES = 8_388_608  # of the spectra whose float32 copies are held at once
MAX_ROUGH = 12
NARROW = 0.05  # σ on the axis from −1 to 1
Floats = NDArray[np.floating]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class _Spectra:
    """rows : these rows of them, each with mean 0 and rms 1, as `dtype`"""

    rows: Callable[[Rows], Floats]
    dtype: type


def fit_rows(axis: Axis, y: Floats, level: bool) -> Raw:
    batch = max(1, BATCH_VALUES // axis.t.size)
    parts = [_fit_batch(axis, y[i : i + batch], level) for i in range(0, max(len(y), 1), batch)]
    return Raw(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _fit_batch(axis: Axis, y: Floats, level: bool) -> Raw:
    rows, points = y.shape
    mean, scale, slanted = np.empty(rows), np.empty(rows), np.empty(rows)
    rough = np.empty((rows, points), np.float32)
    for place in _chunks(rows, points):
        part = y[place].astype(np.float64)
        mean[place] = part.mean(axis=1)
        part -= mean[place][:, None]
        scale[place] = np.sqrt(np.einsum("bn,bn->b", part, part) / points)
        part /= scale[place][:, None]
        slanted[place] = part @ axis.t
        rough[place] = part

    def double(rows: Rows) -> Array:
        return np.asarray((y[rows] - mean[rows, None]) / scale[rows, None], dtype=np.float64)

    usable = np.isfinite(scale) & (scale > 0)
    search = _Search(axis, level, slanted, *_start(axis, rough))
    single = _Spectra(lambda rows: rough[rows], np.float32)
    search.run(single, np.flatnonzero(usable), 10 * FINE, 1e-4, MAX_ROUGH)
    search.run(_Spectra(double, np.float64), np.flatnonzero(usable), FINE, EXACT, MAX_ITERATIONS)
    units = np.ones((rows, 5))
    units[:, [0, 3, 4]] = scale[:, None]
    params = search.params * units
    params[:, 3] += mean
    return Raw(params, search.errors * units, search.ssr * scale**2, search.converged, search.iterations)


def _chunks(rows: int, points: int) -> list[slice]:
    size = max(1, CHUNK_VALUES // points)
    return [slice(i, min(i + size, rows)) for i in range(0, rows, size)]


def _start(axis: Axis, y: Floats) -> tuple[Array, Array]:
    """Centre and σ from means of neighbouring points: where they rise above half, and how far around.

    Above the line through both ends, unless an end holds the top and that line would leave a trough.
    """
    points = axis.t.size
    size = max(1, points // BLOCKS)
    count = points // size
    averaging = np.zeros((points, count), np.float32)
    averaging[np.arange(count * size), np.repeat(np.arange(count), size)] = 1 / size
    means = (y @ averaging).astype(np.float64)
    at = (axis.t[: count * size : size] + axis.t[size - 1 : count * size : size]) / 2
    edge = max(1, count // 16)
    left, right = means[:, :edge].mean(axis=1), means[:, -edge:].mean(axis=1)
    above = means - left[:, None] - (right - left)[:, None] * ((at - at[0]) / (at[-1] - at[0]))
    high, low = above.max(axis=1), -above.min(axis=1)
    from_middle = means - np.median(means, axis=1, keepdims=True)
    top = np.abs(from_middle).argmax(axis=1)
    at_end = (top < edge) | (top >= count - edge)
    upright = from_middle[np.arange(len(y)), top] > 0
    cut = at_end & (low > MIXED * high) & (upright | (high > MIXED * low))
    above = np.where(cut[:, None], from_middle, above)
    above[above.max(axis=1) < -above.min(axis=1)] *= -1
    above = np.maximum(above - 0.5 * above.max(axis=1, keepdims=True), 0.0)
    centre = above @ at / above.sum(axis=1)
    width = (above > 0).sum(axis=1) * (size * axis.step)
    return np.where(cut, at[top], centre), np.maximum(width / 2.355, 2 * SHORTEST_SIGMA * axis.step)


@dataclass(frozen=True)
class _Regression:
    """y on 1, t, g, u·g, u²·g: the triangle L of the normal equations L·Lᵀ, and L⁻¹ of their right side."""

    lower: Lower
    right: list[Array]

    @property
    def explained(self) -> Array:
        """What background and Gaussian explain of the sum of squares, without a step."""
        return self.right[0] ** 2 + self.right[1] ** 2 + self.right[2] ** 2

    def step_equations(self) -> tuple[Array, ...]:
        """The height without a step, and what is left for the last two columns: a 2 × 2 system."""
        (p,), (q, r) = self.lower[3][3:], self.lower[4][3:]
        z3, z4 = self.right[3:]
        return self.right[2] / self.lower[2][2], p * p, p * q, q * q + r * r, p * z3, q * z3 + r * z4

    def rows(self, chosen: NDArray[np.bool_]) -> _Regression:
        lower = [[element[chosen] for element in line] for line in self.lower]
        return _Regression(lower, [element[chosen] for element in self.right])


class _Search:
    """Where B searches stand, and their answers as far as they have one. The spectra have mean 0, rms 1."""

    def __init__(self, axis: Axis, level: bool, slanted: Array, centre: Array, sigma: Array) -> None:
        rows = centre.size
        self.axis, self.level, self.slanted = axis, level, slanted
        self.centre, self.sigma = centre, sigma
        self.params, self.errors = np.full((rows, 5), np.nan), np.full((rows, 5), np.nan)
        self.ssr = np.full(rows, np.nan)
        self.converged = np.zeros(rows, dtype=bool)
        self.iterations = np.zeros(rows, np.int64)
        self.degrees = max(axis.t.size - (4 if level else 5), 1)

    def run(self, spectra: _Spectra, live: Rows, small: float, close: float, most: int) -> None:
        """Steps with sums in their dtype, until the square of the next is `small` in standard errors, or the
        last one `close` in σ. Only what float64 finds is an answer."""
        points = self.axis.t.size
        slack = 30 * float(np.finfo(spectra.dtype).eps) * points
        centre, sigma = self.centre[live], self.sigma[live]
        best, before, damping = np.full(live.size, np.inf), np.zeros(live.size), np.zeros(live.size)
        kept = np.full((8, live.size), np.nan)
        for _ in range(most):
            now = self._regression(spectra, live, centre, sigma)
            ssr = np.maximum(points - now.explained, ROUNDING * points)
            better = ssr <= best + slack
            best = np.where(better, ssr, best)
            damping = np.where(better, damping / 8, np.maximum(8 * damping, 0.1))
            kept = np.where(better, np.stack([centre, sigma, *now.step_equations()]), kept)
            self.iterations[live] += 1
            centre, sigma, height, s11, s12, s22, r1, r2 = kept
            free1, free2 = solve_two(s11, s12, s22, r1, r2)
            gain = free1 * r1 + free2 * r2
            near = np.maximum(np.abs(free1), np.abs(free2)) <= close * np.abs(height)
            following = gain * np.minimum(gain / before, 1.0)  # steps shrink by the same factor each time
            settled = better & ((following <= small * best / self.degrees) | near)
            before = np.where(better, gain, 0.0)
            move1, move2 = solve_two(s11 * (1 + damping), s12, s22 * (1 + damping), r1, r2)
            centre = np.clip(centre + sigma * np.clip(move1 / height, -1.5, 1.5), -1.0, 1.0)
            sigma = sigma * np.clip(1 + move2 / height, 0.5, 2.0)
            sigma = np.clip(sigma, SHORTEST_SIGMA * self.axis.step, 4.0)
            if spectra.dtype is np.float64 and settled.any():
                self._answer(live[settled], now.rows(settled), kept[:2, settled], best[settled])
            leaving = settled | (damping > MAX_DAMPING) | ~np.isfinite(centre + sigma)
            self.centre[live], self.sigma[live] = centre, sigma
            stay = ~leaving
            live, centre, sigma = live[stay], centre[stay], sigma[stay]
            best, before, damping, kept = best[stay], before[stay], damping[stay], kept[:, stay]
            if not live.size:
                break

    def _answer(self, rows: Rows, found: _Regression, at: Array, ssr: Array) -> None:
        """The last step is taken without another look at the data: it is far below the errors."""
        inverse = inverted(found.lower)
        beta = [sum(inverse[k][i] * found.right[k] for k in range(i, 5)) for i in range(5)]
        variance = ssr / self.degrees
        error = [np.sqrt(variance * sum(inverse[k][i] ** 2 for k in range(i, 5))) for i in range(5)]
        centre, sigma = at
        height = found.right[2] / found.lower[2][2]
        stretch = sigma / height
        columns = (beta[2], centre + stretch * beta[3], sigma + stretch * beta[4], beta[0], beta[1])
        self.params[rows] = np.stack(columns, axis=1)
        stretch = np.abs(stretch)
        columns = (error[2], stretch * error[3], stretch * error[4], error[0], error[1])
        self.errors[rows] = np.stack(columns, axis=1)
        if self.level:
            self.params[rows, 4] = self.errors[rows, 4] = 0.0
        gain = found.right[3] ** 2 + found.right[4] ** 2
        self.ssr[rows] = np.maximum(ssr - gain, ROUNDING * self.axis.t.size)
        self.converged[rows] = True

    def _regression(self, spectra: _Spectra, live: Rows, centre: Array, sigma: Array) -> _Regression:
        axis = self.axis
        plain, squared, products = self._sums(spectra, live, centre, sigma)
        zero = np.zeros(live.size)
        points = zero + axis.t.size
        m0, m1, m2, m3 = plain
        q0, q1, q2, q3, q4 = squared
        d0, d1, d2 = products
        if self.level:
            with_t = [zero, zero + 1, zero, zero, zero]
            slanted = zero
        else:
            with_t = [zero + axis.t.sum(), zero + axis.t @ axis.t] + [
                centre * below + sigma * above for below, above in ((m0, m1), (m1, m2), (m2, m3))
            ]
            slanted = self.slanted[live]
        gram = [
            [points],
            with_t[:2],
            [m0, with_t[2], q0],
            [m1, with_t[3], q1, q2],
            [m2, with_t[4], q2, q3, q4],
        ]
        right = [zero, slanted, d0, (d1 - centre * d0) / sigma]
        right.append((d2 - 2 * centre * d1 + centre**2 * d0) / sigma**2)
        lower = cholesky(gram)
        return _Regression(lower, forward(lower, right))

    def _sums(self, spectra: _Spectra, live: Rows, centre: Array, sigma: Array) -> tuple[Array, Array, Array]:
        """Σ uᵏg, k = 0…3; Σ uᵏg², k = 0…4; Σ tᵏ·g·y, k = 0…2."""
        axis = self.axis
        powers: Floats = np.stack([axis.t**k for k in range(5)]).astype(spectra.dtype)
        columns = np.ascontiguousarray(powers.T)
        plain, squared = _closed_sums(axis, sigma)
        products = np.empty((3, live.size))
        inside = axis.uniform & (sigma >= CLOSED_FORM_SIGMA * axis.step)
        inside = inside & (np.abs(centre) + INSIDE_SIGMAS * sigma <= 1)
        narrow = ~inside & (sigma < NARROW)
        broad = ~inside & ~narrow
        curvature = -0.5 / sigma**2
        exponent: Floats = np.stack([curvature * centre**2, -2 * curvature * centre, curvature], 1)
        exponent = exponent.astype(spectra.dtype)
        for place in _chunks(live.size, axis.t.size):
            g = exponent[place] @ powers[:3]
            np.exp(g, out=g)
            if (cut := np.flatnonzero(broad[place])).size:
                part = g if cut.size == len(g) else g[cut]
                plain[:, cut + place.start] = (part @ columns[:, :4]).T
                squared[:, cut + place.start] = ((part * part) @ columns).T
            if (cut := np.flatnonzero(narrow[place])).size:
                there = cut + place.start
                u = (axis.t - centre[there, None]) / sigma[there, None]
                plain[:, there], squared[:, there] = _direct_sums(u, g[cut])
            g *= spectra.rows(live[place])
            products[:, place] = (g @ columns[:, :3]).T
        if broad.any():
            at = centre[broad], sigma[broad]
            plain[:, broad], squared[:, broad] = _about(plain[:, broad], *at), _about(squared[:, broad], *at)
        return plain, squared, products


def _closed_sums(axis: Axis, sigma: Array) -> tuple[Array, Array]:
    """On a uniform axis that holds all of the peak, sums are integrals over the step."""
    one = np.sqrt(2 * np.pi) / axis.step * sigma
    two = np.sqrt(np.pi) / axis.step * sigma
    zero = np.zeros_like(sigma)
    return np.stack([one, zero, one, zero]), np.stack([two, zero, two / 2, zero, 0.75 * two])


def _direct_sums(u: Array, g: Floats) -> tuple[Array, Array]:
    """Point by point, for narrow peaks at an end or on an uneven axis."""
    powers, square = [u**k for k in range(5)], g * g
    plain = np.stack([np.einsum("bn,bn->b", power, g) for power in powers[:4]])
    return plain, np.stack([np.einsum("bn,bn->b", power, square) for power in powers])


def _about(moments: Array, centre: Array, sigma: Array) -> Array:
    """Σ uᵏ… from Σ tᵏ…; for narrow peaks these would be small differences of large numbers."""
    rows = [
        sum(comb(k, j) * moments[j] * (-centre) ** (k - j) for j in range(k + 1)) / sigma**k
        for k in range(len(moments))
    ]
    return np.stack(rows)

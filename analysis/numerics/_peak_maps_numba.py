"""The engine of `peak_maps` in numba: one spectrum after another, each in the first-level cache.

On a uniform axis the Gaussian is not computed but continued: g(t+Δ) = g(t)·r(t) and r(t+Δ) = r(t)·q, where Δ
is LANES steps, so that the compiler may do several points at once. Compiled at the first call and kept in
NUMBA_CACHE_DIR. Imported only where numba is installed. All in one file: numba's cache does not notice
changes in another one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

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

LANES = 16
LOOSE = {"reassoc", "contract", "nsz", "arcp"}  # sums in any order; what is not finite stays so
FAST: dict[str, Any] = {"cache": True, "fastmath": LOOSE, "error_model": "numpy", "nogil": True}


def fit_rows(axis: Axis, y: NDArray[np.floating], level: bool) -> Raw:
    if y.dtype not in (np.float32, np.float64):
        y = y.astype(np.float64)
    rows = len(y)
    raw = Raw(
        np.full((rows, 5), np.nan),
        np.full((rows, 5), np.nan),
        np.full(rows, np.nan),
        np.zeros(rows, dtype=bool),
        np.zeros(rows, dtype=np.int64),
    )
    _fit_all(axis.t, axis.step, axis.uniform, np.ascontiguousarray(y), level, *raw)
    return raw


@njit(**FAST)
def _fit_all(
    t: Array,
    step: float,
    uniform: bool,
    given: Any,  # float32 or float64
    level: bool,
    params: Array,
    errors: Array,
    ssrs: Array,
    converged: NDArray[np.bool_],
    iterations: NDArray[np.int64],
) -> None:
    points = t.size
    y, g, ratio = np.empty(points), np.empty(points + 2 * LANES), np.empty(LANES)
    means = np.empty(points // max(1, points // BLOCKS))
    gram, right = np.zeros((5, 5)), np.zeros(5)
    inverse, beta, error = np.zeros((5, 5)), np.zeros(5), np.zeros(5)
    sums = np.empty(9)
    degrees = max(points - (4 if level else 5), 1)
    slack = 30 * 2.2e-16 * points
    all_t, all_t2 = 0.0, 0.0
    for i in range(points):
        all_t += t[i]
        all_t2 += t[i] * t[i]

    for row in range(given.shape[0]):
        mean, scale, slanted = _prepare(given[row], t, y)
        if not (scale > 0 and scale < np.inf):
            continue
        centre, sigma = _start(t, step, y, means)
        best, before, damping = np.inf, 0.0, 0.0
        kept_centre, kept_sigma, height = centre, sigma, 0.0
        s11 = s12 = s22 = r1 = r2 = 0.0
        for _ in range(MAX_ITERATIONS):
            iterations[row] += 1
            d0, d1, d2 = _gaussian_sums(t, step, uniform, y, centre, sigma, g, ratio, sums)
            gram[0, 0], gram[1, 0], gram[1, 1] = points, all_t, all_t2
            gram[2, 0], gram[3, 0], gram[4, 0] = sums[0], sums[1], sums[2]
            gram[2, 1] = centre * sums[0] + sigma * sums[1]
            gram[3, 1] = centre * sums[1] + sigma * sums[2]
            gram[4, 1] = centre * sums[2] + sigma * sums[3]
            gram[2, 2], gram[3, 2], gram[4, 2] = sums[4], sums[5], sums[6]
            gram[3, 3], gram[4, 3], gram[4, 4] = sums[6], sums[7], sums[8]
            right[0], right[1], right[2], right[3], right[4] = 0.0, slanted, d0, d1, d2
            if level:
                gram[1, 0] = gram[2, 1] = gram[3, 1] = gram[4, 1] = right[1] = 0.0
                gram[1, 1] = 1.0
            _factorise(gram, right)
            explained = right[0] ** 2 + right[1] ** 2 + right[2] ** 2
            ssr = max(points - explained, ROUNDING * points)
            better = ssr <= best + slack
            if better:
                best, damping = ssr, damping / 8
                kept_centre, kept_sigma, height = centre, sigma, right[2] / gram[2, 2]
                s11, s12 = gram[3, 3] ** 2, gram[3, 3] * gram[4, 3]
                s22 = gram[4, 3] ** 2 + gram[4, 4] ** 2
                r1, r2 = gram[3, 3] * right[3], gram[4, 3] * right[3] + gram[4, 4] * right[4]
                gain = right[3] ** 2 + right[4] ** 2
                free2 = right[4] / gram[4, 4]
                free1 = (right[3] - gram[4, 3] * free2) / gram[3, 3]
                near = max(abs(free1), abs(free2)) <= EXACT * abs(height)
                following = gain * min(gain / before, 1.0)
                before = gain
                if following <= FINE * best / degrees or near:
                    ssrs[row] = max(best - gain, ROUNDING * points) * scale * scale
                    _answer(
                        gram, right, inverse, beta, error, best / degrees, centre, sigma, mean, scale, level,
                        params[row], errors[row],
                    )  # fmt: skip
                    converged[row] = True
                    break
            else:
                before, damping = 0.0, max(8 * damping, 0.1)
            a11, a22 = s11 * (1 + damping), s22 * (1 + damping)
            determinant = a11 * a22 - s12 * s12
            move1 = (a22 * r1 - s12 * r2) / determinant / height
            move2 = (a11 * r2 - s12 * r1) / determinant / height
            centre = kept_centre + kept_sigma * min(max(move1, -1.5), 1.5)
            centre = min(max(centre, -1.0), 1.0)
            sigma = kept_sigma * min(max(1 + move2, 0.5), 2.0)
            sigma = min(max(sigma, SHORTEST_SIGMA * step), 4.0)
            if damping > MAX_DAMPING or not math.isfinite(move1 + move2):
                break


@njit(**FAST)
def _prepare(given: Any, t: Array, y: Array) -> tuple[float, float, float]:
    """y with mean 0 and rms 1; what the mean and the rms were; Σ t·y."""
    points = t.size
    mean = 0.0
    for i in range(points):
        mean += given[i]
    mean /= points
    square = 0.0
    for i in range(points):
        y[i] = given[i] - mean
        square += y[i] * y[i]
    scale = math.sqrt(square / points)
    over = 1 / scale
    slanted = 0.0
    for i in range(points):
        y[i] *= over
        slanted += t[i] * y[i]
    return mean, scale, slanted


@njit(**FAST)
def _start(t: Array, step: float, y: Array, means: Array) -> tuple[float, float]:
    """As in the engine of NumPy, number by number."""
    count = means.size
    size = max(1, t.size // BLOCKS)
    for k in range(count):
        total = 0.0
        for i in range(k * size, (k + 1) * size):
            total += y[i]
        means[k] = total / size
    edge = max(1, count // 16)
    left, right = 0.0, 0.0
    for k in range(edge):
        left += means[k] / edge
        right += means[count - 1 - k] / edge
    begin, end = t[0] + t[size - 1], t[(count - 1) * size] + t[count * size - 1]
    slope = (right - left) / (end - begin)
    high, low = -np.inf, np.inf
    for k in range(count):
        above = means[k] - left - slope * (t[k * size] + t[(k + 1) * size - 1] - begin)
        high, low = max(high, above), min(low, above)
    cut, top, middle = False, 0, 0.0
    if -low > MIXED * high:
        middle = np.median(means)
        for k in range(count):
            if abs(means[k] - middle) > abs(means[top] - middle):
                top = k
        at_end = top < edge or top >= count - edge
        cut = at_end and (means[top] > middle or high > MIXED * -low)
    if cut:
        left, slope = middle, 0.0
        high = low = means[top] - middle
    sign = -1.0 if high < -low else 1.0
    half = 0.5 * max(high, -low)
    total, moment, wide = 0.0, 0.0, 0
    for k in range(count):
        at = t[k * size] + t[(k + 1) * size - 1]
        above = sign * (means[k] - left - slope * (at - begin)) - half
        if above > 0:
            total += above
            moment += above * 0.5 * at
            wide += 1
    centre = 0.5 * (t[top * size] + t[(top + 1) * size - 1]) if cut else moment / total
    return centre, max(wide * size * step / 2.355, 2 * SHORTEST_SIGMA * step)


@njit(**FAST)
def _gaussian_sums(
    t: Array,
    step: float,
    uniform: bool,
    y: Array,
    centre: float,
    sigma: float,
    g: Array,
    ratio: Array,
    sums: Array,
) -> tuple[float, float, float]:
    """Into `sums` Σ uᵏg, k = 0…3, and Σ uᵏg², k = 0…4; returns Σ uᵏ·g·y, k = 0…2. Over ±INSIDE_SIGMAS."""
    points = t.size
    reach = INSIDE_SIGMAS * sigma
    over = 1 / sigma
    if not uniform:
        for k in range(9):
            sums[k] = 0.0
        d0, d1, d2 = 0.0, 0.0, 0.0
        for i in range(points):
            u = (t[i] - centre) * over
            if abs(u) < INSIDE_SIGMAS:
                value = math.exp(-0.5 * u * u)
                _add(sums, u, value)
                d0 += value * y[i]
                d1 += u * value * y[i]
                d2 += u * u * value * y[i]
        return d0, d1, d2
    first = max(0, math.ceil((centre - reach + 1) / step))
    last = min(points, math.floor((centre + reach + 1) / step) + 1)
    count = max(last - first, 0)
    start, pace = (-1 + first * step - centre) * over, step * over
    long = LANES * pace
    value, follow = math.exp(-0.5 * start * start), math.exp(-pace * (start + 0.5 * pace))
    leap = math.exp(-long * (start + 0.5 * long))
    bend, turn, shrink = math.exp(-pace * pace), math.exp(-long * pace), math.exp(-long * long)
    for i in range(LANES):
        g[i], ratio[i] = value, leap
        value *= follow
        follow *= bend
        leap *= turn
    for block in range(LANES, count, LANES):
        for i in range(LANES):
            g[block + i] = g[block + i - LANES] * ratio[i]
        for i in range(LANES):
            ratio[i] *= shrink
    d0, d1, d2 = 0.0, 0.0, 0.0
    for i in range(count):
        u = start + i * pace
        product = g[i] * y[first + i]
        d0 += product
        d1 += u * product
        d2 += u * u * product
    if abs(centre) + reach <= 1 and sigma >= CLOSED_FORM_SIGMA * step:
        plain, square = math.sqrt(2 * math.pi) * sigma / step, math.sqrt(math.pi) * sigma / step
        sums[0], sums[1], sums[2], sums[3] = plain, 0.0, plain, 0.0
        sums[4], sums[5], sums[6], sums[7], sums[8] = square, 0.0, square / 2, 0.0, 0.75 * square
    else:
        _sum_all(g, start, pace, count, sums)
    return d0, d1, d2


@njit(**FAST)
def _add(sums: Array, u: float, value: float) -> None:
    power = value
    for k in range(4):
        sums[k] += power
        power *= u
    power = value * value
    for k in range(4, 9):
        sums[k] += power
        power *= u


@njit(**FAST)
def _sum_all(g: Array, start: float, pace: float, count: int, sums: Array) -> None:
    m0 = m1 = m2 = m3 = 0.0
    q0 = q1 = q2 = q3 = q4 = 0.0
    for i in range(count):
        u = start + i * pace
        u2 = u * u
        square = g[i] * g[i]
        m0 += g[i]
        m1 += u * g[i]
        m2 += u2 * g[i]
        m3 += u2 * u * g[i]
        q0 += square
        q1 += u * square
        q2 += u2 * square
        q3 += u2 * u * square
        q4 += u2 * u2 * square
    sums[0], sums[1], sums[2], sums[3] = m0, m1, m2, m3
    sums[4], sums[5], sums[6], sums[7], sums[8] = q0, q1, q2, q3, q4


@njit(**FAST)
def _factorise(gram: Array, right: Array) -> None:
    """The lower triangle of `gram` becomes that of its Cholesky factor L, `right` becomes L⁻¹·right."""
    for i in range(5):
        for j in range(i + 1):
            left = gram[i, j]
            for k in range(j):
                left -= gram[i, k] * gram[j, k]
            if i == j:
                gram[i, i] = math.sqrt(max(left, 1e-14 * gram[i, i]))
            else:
                gram[i, j] = left / gram[j, j]
        left = right[i]
        for k in range(i):
            left -= gram[i, k] * right[k]
        right[i] = left / gram[i, i]


@njit(**FAST)
def _answer(
    lower: Array,
    right: Array,
    inverse: Array,
    beta: Array,
    error: Array,
    variance: float,
    centre: float,
    sigma: float,
    mean: float,
    scale: float,
    level: bool,
    params: Array,
    errors: Array,
) -> None:
    for i in range(5):
        inverse[i, i] = 1 / lower[i, i]
        for j in range(i):
            left = 0.0
            for k in range(j, i):
                left -= lower[i, k] * inverse[k, j]
            inverse[i, j] = left / lower[i, i]
    for i in range(5):
        value, spread = 0.0, 0.0
        for k in range(i, 5):
            value += inverse[k, i] * right[k]
            spread += inverse[k, i] ** 2
        beta[i], error[i] = value, math.sqrt(variance * spread)
    stretch = sigma * lower[2, 2] / right[2]
    params[0], params[3], params[4] = beta[2] * scale, beta[0] * scale + mean, beta[1] * scale
    params[1], params[2] = centre + stretch * beta[3], sigma + stretch * beta[4]
    errors[0], errors[3], errors[4] = error[2] * scale, error[0] * scale, error[1] * scale
    errors[1], errors[2] = abs(stretch) * error[3], abs(stretch) * error[4]
    if level:
        params[4] = errors[4] = 0.0

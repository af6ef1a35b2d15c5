"""`least_squares.minimise` for Gaussians on an offset, in numba: the same steps, one spectrum after another.

At thousands of points NumPy spends its time on a matrix of derivatives that here never leaves the cache. All
in one file: numba's cache does not notice changes in another one. Imported only where numba is installed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.numerics.least_squares import MAX_DAMPING, ROUNDING, STEP_IN_SIGMAS_SQUARED, TINY, Array, Minima

REACH = 4.3  # widths w: beyond, exp(−2u²) is below the rounding of float64
ROOT_HALF_PI = math.sqrt(math.pi / 2)
FAST: dict[str, Any] = {
    "cache": True,
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
    "error_model": "numpy",
    "nogil": True,
}


def minimise_gaussians(
    x: Array, y: Array, start: Array, lower: Array, upper: Array, weights: Array | None, max_iterations: int
) -> Minima:
    """As least_squares.minimise with the model of gaussians.gaussian_model."""
    rows, size = start.shape
    found = Minima(
        np.clip(start, lower, upper),
        np.full(rows, np.inf),
        np.zeros(rows, dtype=bool),
        np.zeros((rows, size), dtype=bool),
        np.zeros(rows, dtype=np.int64),
    )
    root = np.ones((1, x.size)) if weights is None else np.sqrt(weights)
    _all_rows(
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        np.ascontiguousarray(lower),
        np.ascontiguousarray(upper),
        root,
        weights is not None,
        max_iterations,
        found.params,
        found.ssr,
        found.converged,
        found.at_bound,
        found.iterations,
    )
    return found


@njit(**FAST)
def _all_rows(
    x: Array,
    y: Array,
    lower: Array,
    upper: Array,
    roots: Array,
    weighted: bool,
    max_iterations: int,
    params: Array,
    ssrs: Array,
    converged: NDArray[np.bool_],
    at_bound: NDArray[np.bool_],
    iterations: NDArray[np.int64],
) -> None:
    size, points = params.shape[1], x.size
    columns, residual = np.empty((size, points)), np.empty(points)
    normal, gradient = np.empty((size, size)), np.empty(size)
    new_normal, new_gradient = np.empty((size, size)), np.empty(size)
    matrix, step, trial, scale = np.empty((size, size)), np.empty(size), np.empty(size), np.empty(size)
    held = np.zeros(size, dtype=np.bool_)
    degrees = max(points - size, 1)
    for row in range(params.shape[0]):
        p, low, high = params[row], lower[row], upper[row]
        root = roots[row if weighted else 0]
        floor = 0.0
        for n in range(points):
            floor += (y[row, n] * root[n]) ** 2
        floor *= ROUNDING
        damping, growth = 1e-2, 2.0
        ssr = _equations(x, y[row], p, root, weighted, columns, residual, normal, gradient)
        for iteration in range(1, max_iterations + 1):
            for i in range(size):
                held[i] = (p[i] <= low[i] and gradient[i] < 0) or (p[i] >= high[i] and gradient[i] > 0)
                step[i] = 0.0
            _step(normal, gradient, held, damping, matrix, scale, step)
            crossing = False
            for i in range(size):
                inside = min(max(p[i] + step[i], low[i]), high[i])
                if inside != p[i] + step[i]:
                    crossing, held[i] = True, True
                trial[i] = inside
            if crossing:  # those stop at their bound, and the others answer to that
                for i in range(size):
                    step[i] = trial[i] - p[i]
                _step(normal, gradient, held, damping, matrix, scale, step)
            bend, downhill = 0.0, 0.0
            for i in range(size):
                trial[i] = min(max(p[i] + step[i], low[i]), high[i])
                step[i] = trial[i] - p[i]
            for i in range(size):
                downhill += step[i] * gradient[i]
                for j in range(size):
                    bend += step[i] * normal[i, j] * step[j]
            new_ssr = _equations(
                x, y[row], trial, root, weighted, columns, residual, new_normal, new_gradient
            )
            small = bend <= STEP_IN_SIGMAS_SQUARED / degrees * ssr and damping < 1.0
            if new_ssr <= ssr:
                gain = min((ssr - new_ssr) / max(2 * downhill - bend, TINY), 1.0)
                damping, growth = damping * max(1 / 9, 1 - (2 * gain - 1) ** 3), 2.0
                ssr = new_ssr
                p[:], normal[:], gradient[:] = trial, new_normal, new_gradient
            else:
                damping, growth = damping * growth, 2 * growth
            settled = small or ssr <= floor
            if settled or damping > MAX_DAMPING or iteration == max_iterations:
                ssrs[row], converged[row], iterations[row] = ssr, settled, iteration
                for i in range(size):
                    outwards = (p[i] <= low[i] and gradient[i] < 0) or (p[i] >= high[i] and gradient[i] > 0)
                    at_bound[row, i] = outwards
                break


@njit(**FAST)
def _equations(
    x: Array,
    y: Array,
    p: Array,
    root: Array,
    weighted: bool,
    columns: Array,
    residual: Array,
    normal: Array,
    gradient: Array,
) -> float:
    """The sum of squares; the products of the derivatives with each other and with the residual."""
    size, points = p.size, x.size
    residual[:] = y - p[0]
    columns[0, :] = 1.0
    for peak in range(1, size, 3):
        centre, width, area = p[peak], p[peak + 1], p[peak + 2]
        over = 1 / width
        per_area = over / ROOT_HALF_PI
        first = np.searchsorted(x, centre - REACH * width)
        last = np.searchsorted(x, centre + REACH * width)
        columns[peak : peak + 3, :first] = 0.0
        columns[peak : peak + 3, last:] = 0.0
        for n in range(first, last):
            u = (x[n] - centre) * over
            shape = math.exp(-2 * u * u) * per_area
            component = shape * area
            residual[n] -= component
            columns[peak, n] = 4 * u * component * over
            columns[peak + 1, n] = (4 * u * u - 1) * component * over
            columns[peak + 2, n] = shape
    if weighted:
        residual *= root
        for i in range(size):
            columns[i] *= root
    total = 0.0
    for n in range(points):
        total += residual[n] * residual[n]
    for i in range(size):
        product = 0.0
        for n in range(points):
            product += columns[i, n] * residual[n]
        gradient[i] = product
        for j in range(i + 1):
            product = 0.0
            for n in range(points):
                product += columns[i, n] * columns[j, n]
            normal[i, j] = normal[j, i] = product
    return total


@njit(**FAST)
def _step(
    normal: Array,
    gradient: Array,
    held: NDArray[np.bool_],
    damping: float,
    matrix: Array,
    scale: Array,
    step: Array,
) -> None:
    """The damped step, scaled by the diagonal; what `held` names keeps the step that stands there already."""
    size = step.size
    for i in range(size):
        scale[i] = math.sqrt(max(normal[i, i], TINY))
    for i in range(size):
        if held[i]:
            continue
        right = gradient[i] / scale[i]
        for j in range(size):
            if held[j]:
                right -= normal[i, j] / scale[i] * step[j]
        step[i] = right
    # Cholesky of the free part, in place: held rows and columns are those of the unit matrix.
    for i in range(size):
        for j in range(i + 1):
            if held[i] or held[j]:
                matrix[i, j] = 1.0 if i == j else 0.0
                continue
            left = normal[i, j] / (scale[i] * scale[j]) + (damping if i == j else 0.0)
            for k in range(j):
                left -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = math.sqrt(max(left, TINY)) if i == j else left / matrix[j, j]
    for i in range(size):
        if held[i]:
            continue
        for k in range(i):
            if not held[k]:
                step[i] -= matrix[i, k] * step[k]
        step[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        if held[i]:
            continue
        for k in range(i + 1, size):
            if not held[k]:
                step[i] -= matrix[k, i] * step[k]
        step[i] /= matrix[i, i]
    for i in range(size):
        if not held[i]:
            step[i] /= scale[i]

"""One or two Gaussians on a shared offset: the curve, its derivatives, and where to start looking.

Origin's "Gauss": y = y0 + Σ A/(w√(π/2))·exp(−2((x−xc)/w)²), so that A is the area and w twice the standard
deviation. A row of parameters is (y0, xc, w, A) or (y0, xc, w, A, xc, w, A).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.compiled import pays
from analysis.numerics.least_squares import Errors, Minima, Model, covariances, minimise

Array = NDArray[np.float64]

ROOT_HALF_PI = float(np.sqrt(np.pi / 2))
EXPLORE, POLISH = 25, 300  # iterations for every start, and for the best of them
LONG = 1024  # points; below, numba gains little
FWHM_PER_WIDTH = float(np.sqrt(2 * np.log(2)))  # 1.177410


def gaussian_model(x: Array) -> Model:
    """The model on a given axis.

    x : (N,)
    Returns a function of (B, 1+3k) parameters giving (B, N) curves and (B, 1+3k, N) derivatives.
    """

    def model(params: Array) -> tuple[Array, Array]:
        rows, size = params.shape
        area = params[:, 3::3, None]
        inverse_width = 1.0 / params[:, 2::3, None]
        u = (x - params[:, 1::3, None]) * inverse_width
        square = u * u
        jacobian = np.empty((rows, size, x.size))
        jacobian[:, 0] = 1.0
        shape = np.exp(-2.0 * square)
        shape *= inverse_width * (1 / ROOT_HALF_PI)
        jacobian[:, 3::3] = shape
        component = shape * area
        curve = params[:, :1] + component.sum(axis=1)
        component *= inverse_width
        jacobian[:, 1::3] = 4.0 * u * component
        jacobian[:, 2::3] = (4.0 * square - 1.0) * component
        return curve, jacobian

    return model


def components(x: Array, params: Array) -> Array:
    """(k, N) the Gaussians of one row of parameters, without the offset."""
    center, width, area = params[1::3, None], params[2::3, None], params[3::3, None]
    return np.asarray(area / (width * ROOT_HALF_PI) * np.exp(-2 * ((x - center) / width) ** 2))


@dataclass(frozen=True)
class Fits:
    """Fits of B spectra by k Gaussians, sorted by centre; shapes as in Minima and Errors."""

    minima: Minima
    errors: Errors

    @property
    def params(self) -> Array:
        return self.minima.params


def fit(
    x: Array,
    y: Array,
    starts: Array,
    *,
    min_width: float = 5.0,
    max_width: float = 120.0,
    weights: Array | None = None,
    engine: str = "auto",
) -> Fits:
    """Least-squares fit of k Gaussians to B spectra on one axis, best of S starts each.

    x : (N,) increasing
    y : (B, N)
    starts : (B, S, 1+3k), k = 1 or 2
    weights : (B, N) 1/σ² up to a factor, or None
    engine : "numpy", "numba", or "auto": numba from LONG points on, where it pays

    Areas are kept ≥ 0, widths within the limits, centres inside the axis. The spectra are scaled to the order
    of one for the arithmetic; the answers are in the units of y.
    """
    rows, several, size = starts.shape
    scale = np.max(np.abs(y), axis=1)
    scale = np.where(scale > 0, scale, 1.0)
    units = np.ones((rows, size))
    units[:, 0] = scale
    units[:, 3::3] = scale[:, None]
    lower, upper = _bounds(x, size, min_width, max_width)
    scaled = y / scale[:, None]
    model = gaussian_model(x)
    compiled = engine == "numba"
    if engine == "auto" and x.size >= LONG:
        compiled = pays("_gaussians_numba", y.size)

    def search(y: Array, starts: Array, weights: Array | None, iterations: int) -> Minima:
        low, high = np.broadcast_to(lower, starts.shape), np.broadcast_to(upper, starts.shape)
        if compiled:
            from analysis.numerics._gaussians_numba import minimise_gaussians

            return minimise_gaussians(x, y, starts, low, high, weights, iterations)
        return minimise(model, y, starts, low, high, weights=weights, max_iterations=iterations)

    tall = np.repeat(np.arange(rows), several)
    tall_weights = None if weights is None else weights[tall]
    tall_starts = (starts / units[:, None, :]).reshape(-1, size)
    best = _best(search(scaled[tall], tall_starts, tall_weights, EXPLORE), rows, several)
    if not best.converged.all():  # only those: a spectrum's answer does not depend on who else is fitted
        late = ~best.converged
        late_weights = None if weights is None else weights[late]
        best = _replaced(best, late, search(scaled[late], best.params[late], late_weights, POLISH))
    ordered = _by_center(best)
    errors = covariances(model, scaled, ordered.params, weights)
    outer = units[:, :, None] * units[:, None, :]
    return Fits(
        Minima(
            ordered.params * units,
            ordered.ssr * scale**2,
            ordered.converged,
            ordered.at_bound,
            ordered.iterations,
        ),
        Errors(errors.classical * outer, errors.sandwich * outer, errors.residuals * scale[:, None]),
    )


def _bounds(x: Array, size: int, min_width: float, max_width: float) -> tuple[Array, Array]:
    lower, upper = np.full(size, -np.inf), np.full(size, np.inf)
    lower[1::3], upper[1::3] = x[0], x[-1]
    lower[2::3], upper[2::3] = min_width, max_width
    lower[3::3] = 0.0
    return lower, upper


def _best(found: Minima, rows: int, several: int) -> Minima:
    """The lowest of the S minima of each spectrum; one that converged wins over an equal one that did not."""
    table = np.where(found.converged, found.ssr, found.ssr * (1 + 1e-9)).reshape(rows, several)
    pick = np.arange(rows) * several + np.argmin(np.where(np.isfinite(table), table, np.inf), axis=1)
    return Minima(
        found.params[pick],
        found.ssr[pick],
        found.converged[pick],
        found.at_bound[pick],
        found.iterations[pick],
    )


def _replaced(found: Minima, rows: NDArray[np.bool_], better: Minima) -> Minima:
    columns = []
    for field in dataclasses.fields(Minima):
        column = getattr(found, field.name).copy()
        column[rows] = getattr(better, field.name)
        columns.append(column)
    return Minima(*columns)


def _by_center(found: Minima) -> Minima:
    """Component I is the one at shorter wavelength."""
    if found.params.shape[1] < 7:
        return found
    swap = (found.params[:, 1] > found.params[:, 4])[:, None]
    other = [0, 4, 5, 6, 1, 2, 3]
    return Minima(
        np.where(swap, found.params[:, other], found.params),
        found.ssr,
        found.converged,
        np.where(swap, found.at_bound[:, other], found.at_bound),
        found.iterations,
    )


def start_one(x: Array, y: Array) -> Array:
    """(B, 4) a start for one Gaussian: highest point of the smoothed spectrum, width from its half height."""
    smooth = smoothed(y)
    edge = edge_points(x)
    offset = np.sort(np.concatenate([y[:, :edge], y[:, -edge:]], axis=1), axis=1)[:, edge]
    top = smooth.argmax(axis=1)
    height = smooth.max(axis=1) - offset
    above = smooth > (offset + height / 2)[:, None]
    full_width = np.maximum(above.mean(axis=1) * (x[-1] - x[0]), 2 * np.diff(x).min())
    width = 0.85 * full_width
    return np.column_stack([offset, x[top], width, height * width * ROOT_HALF_PI])


def starts_two(x: Array, y: Array, one: Array) -> Array:
    """(B, S, 7) starts for two Gaussians from the fit of one.

    Two equals, a narrow one on either side of a broad one, and the largest leftover: of nine starts tried on
    1200 random doublets these four missed the deepest minimum least, 3 times by more than Δχ² = 3.
    """
    offset, center, width, area = one.T
    leftover = smoothed(y - gaussian_model(x)(one)[0])
    far = x[np.argmax(leftover, axis=1)]
    rows = [
        (center - 0.5 * width, 0.5 * width, 0.5 * area, center + 0.5 * width, 0.5 * width, 0.5 * area),
        (center - 0.2 * width, 0.7 * width, 0.3 * area, center + 0.1 * width, 1.3 * width, 0.7 * area),
        (center + 0.2 * width, 0.7 * width, 0.3 * area, center - 0.1 * width, 1.3 * width, 0.7 * area),
        (center, width, area, far, 0.5 * width, 0.1 * area),
    ]
    return np.stack([np.column_stack([offset, *row]) for row in rows], axis=1)


def smoothed(y: Array, points: int = 5) -> Array:
    """(B, N) running mean; the ends repeat the outermost value."""
    half = points // 2
    padded = np.pad(y, ((0, 0), (half, half)), mode="edge")
    total = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    return np.asarray((total[:, points:] - total[:, :-points]) / points)


def edge_points(x: Array) -> int:
    """How many points at each end make up the outer 5 % of the axis."""
    return max(1, -(-x.size // 40))

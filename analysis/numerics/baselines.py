"""What lies under peaks: slow backgrounds that peaks do not pull upwards, for many spectra at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DEGREE = 3
MAX_ROUNDS = 50


def snip(y: Array, half_width: int) -> Array:
    """Statistics-sensitive iterative peak clipping: each point at most the mean of two at equal distance.

    y : (B, N) or (N,), above zero or not; half_width : of the broadest peak, in points
    Returns the same shape. Distances shrink from `half_width` to one, which leaves fewer steps than growing
    ones; counts are clipped as log log √, so that high peaks are not slower than low ones.

    C. G. Ryan et al., Nucl. Instrum. Methods B 34 (1988) 396; M. Morháč, J. Kliman, V. Matoušek, Nucl.
    Instrum. Methods A 401 (1997) 113.
    """
    lowest = np.minimum(y.min(axis=-1, keepdims=True), 0.0)
    squeezed = np.log1p(np.log1p(np.sqrt(y - lowest + 1.0)))
    points = y.shape[-1]
    for away in range(min(half_width, (points - 1) // 2), 0, -1):
        mean = (squeezed[..., : points - 2 * away] + squeezed[..., 2 * away :]) / 2
        inner = squeezed[..., away : points - away]
        squeezed[..., away : points - away] = np.minimum(inner, mean)
    return np.asarray(np.expm1(np.expm1(squeezed)) ** 2 - 1.0 + lowest)


def asymmetric(y: Array, *, stiffness: float = 30.0, share: float = 0.001, pieces: int = 40) -> Array:
    """Asymmetric least squares on penalised splines: points above count `share` of those below.

    y : (B, N), evenly spaced
    stiffness : λ, the weight of squared second differences of the N_k spline coefficients, relative to the
        points for each: the larger, the straighter
    pieces : intervals of the cubic spline; a shorter background than one of them is not followed
    Returns (B, N). Ends after MAX_ROUNDS if points still change sides; they then lie on the line.

    P. H. C. Eilers, B. D. Marx, Statist. Sci. 11 (1996) 89; P. H. C. Eilers, Anal. Chem. 75 (2003) 3631.
    """
    rows, points = y.shape
    pieces = max(1, min(pieces, points // 2))
    basis = _splines(points, pieces)
    bends = np.diff(np.eye(basis.shape[0]), n=2, axis=0)
    penalty = stiffness * points / basis.shape[0] * (bends.T @ bends)
    weights = np.ones_like(y)
    curve = np.zeros_like(y)
    live = np.arange(rows)
    for _ in range(MAX_ROUNDS):
        weighted = weights[live, None, :] * basis
        normal = weighted @ basis.T + penalty
        right = weighted @ y[live, :, None]
        curve[live] = np.linalg.solve(normal, right)[:, :, 0] @ basis
        sides = np.where(y[live] > curve[live], share, 1.0 - share)
        settled = np.all(sides == weights[live], axis=1)
        weights[live] = sides
        live = live[~settled]
        if not live.size:
            break
    return curve


def _splines(points: int, pieces: int) -> Array:
    """(pieces + DEGREE, points) cubic B-splines on even knots, which sum to one at every point."""
    x = np.linspace(0.0, pieces, points)
    x[-1] = np.nextafter(pieces, 0)
    knots = np.arange(-DEGREE, pieces + DEGREE + 1, dtype=np.float64)
    basis = ((x >= knots[:-1, None]) & (x < knots[1:, None])).astype(np.float64)
    for degree in range(1, DEGREE + 1):
        left = (x - knots[: -degree - 1, None]) / degree * basis[:-1]
        right = (knots[degree + 1 :, None] - x) / degree * basis[1:]
        basis = left + right
    return basis

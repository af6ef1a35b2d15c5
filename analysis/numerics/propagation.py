"""How errors of what goes in become errors of what comes out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], ArrayLike]


def linear(function: Function, at: ArrayLike, errors: ArrayLike) -> tuple[Array, Array]:
    """Value (M,) and covariance (M, M) of f, to first order: J C Jᵀ.

    function : (P,) → (M,) or a number
    errors : (P,) standard deviations of independent quantities, or their (P, P) covariance
    J is taken by central differences over a thousandth of each σ. Wrong where f bends within a σ: compare
    `monte_carlo`.

    JCGM 100:2008 (GUM), 5.2.
    """
    x, covariance = _given(at, errors)
    value = np.atleast_1d(np.asarray(function(x), float))
    sigma = np.sqrt(np.diag(covariance))
    steps = np.maximum(1e-3 * sigma, 1e-6 * np.abs(x))
    steps[steps == 0] = 1e-9
    jacobian = np.empty((value.size, x.size))
    for column, step in enumerate(steps):
        above, below = x.copy(), x.copy()
        above[column] += step
        below[column] -= step
        rise = np.asarray(function(above), float) - np.asarray(function(below), float)
        jacobian[:, column] = rise / (above[column] - below[column])
    return value, jacobian @ covariance @ jacobian.T


def monte_carlo(
    function: Function, at: ArrayLike, errors: ArrayLike, *, draws: int = 20_000, seed: int = 1
) -> tuple[Array, Array]:
    """Mean (M,) and covariance (M, M) of f over normal draws of what goes in; the same seed, the same answer.

    JCGM 101:2008 (GUM, supplement 1). Their own error is σ/√draws and σ/√(2 draws).
    """
    x, covariance = _given(at, errors)
    values, vectors = np.linalg.eigh(covariance)  # a covariance may be singular, so no Cholesky
    if values.min() < -1e-9 * max(values.max(), 1e-300):
        raise ValueError("This is no covariance: it has a negative eigenvalue.")
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = x + np.random.default_rng(seed).standard_normal((draws, x.size)) @ root.T
    results = np.array([np.atleast_1d(np.asarray(function(row), float)) for row in drawn])
    return results.mean(axis=0), np.atleast_2d(np.cov(results, rowvar=False))


def _given(at: ArrayLike, errors: ArrayLike) -> tuple[Array, Array]:
    x, given = np.atleast_1d(np.asarray(at, float)), np.atleast_1d(np.asarray(errors, float))
    return x, np.diag(given**2) if given.ndim == 1 else given

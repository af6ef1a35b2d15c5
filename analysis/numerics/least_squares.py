"""Bounded least squares for many small problems at once, and what their minima are worth.

One matrix product and one batched solve advance every spectrum by a step; rows that have converged leave the
batch, so a difficult spectrum does not hold the others back. Nothing here raises on a singular problem: it
comes back as not converged, or with NaN errors, and the method decides what to tell the person.

K. Levenberg, Q. Appl. Math. 2 (1944) 164; D. Marquardt, J. SIAM 11 (1963) 431;
damping after H. B. Nielsen, IMM-REP-1999-05 (DTU).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Model = Callable[[Array], tuple[Array, Array]]
"""(B, P) parameters → (B, N) curve and (B, P, N) derivatives by each parameter."""

CHUNK_VALUES = 131_072  # derivatives held at once: a megabyte stays in the second-level cache
STEP_IN_SIGMAS_SQUARED = 1e-12  # printed areas carry eight digits at an error in the third
ROUNDING = 1e-28  # residual sum of squares over that of the data: an exact fit in float64
MAX_DAMPING = 1e15
TINY = 1e-300


@dataclass(frozen=True)
class Minima:
    """Where B fits ended.

    params : (B, P)
    ssr : (B,) weighted sum of squared residuals
    converged : (B,) the last step was below a millionth of a standard error, and inside the bounds
    at_bound : (B, P) the parameter sits on a limit and the data push it outwards
    iterations : (B,)
    """

    params: Array
    ssr: Array
    converged: NDArray[np.bool_]
    at_bound: NDArray[np.bool_]
    iterations: NDArray[np.int64]


@dataclass(frozen=True)
class Errors:
    """What the minima are worth; NaN where the data do not determine a parameter.

    classical : (B, P, P) covariance s²(JᵀJ)⁻¹, s² = SSR/(N−P): right when the noise is the same everywhere
    sandwich : (B, P, P) covariance right when it is not (HC3)
    residuals : (B, N) data − curve, not weighted
    """

    classical: Array
    sandwich: Array
    residuals: Array


def minimise(
    model: Model,
    y: Array,
    start: Array,
    lower: Array,
    upper: Array,
    *,
    weights: Array | None = None,
    max_iterations: int = 200,
) -> Minima:
    """Levenberg-Marquardt with box bounds for B independent problems.

    y : (B, N); bring it to the order of one, squares of 1e300 are not numbers
    start, lower, upper : (B, P), start is clipped into the bounds
    weights : (B, N) 1/σ² up to a common factor, > 0, or None for equal weights

    A parameter on a bound that is pushed outwards is held for that step; steps are projected into the box.
    """
    rows, points = y.shape
    size = start.shape[1]
    chunk = max(1, CHUNK_VALUES // (points * (size + 1)))
    root = None if weights is None else np.sqrt(weights)
    parts = [
        _minimise_chunk(
            model,
            y[i : i + chunk],
            np.clip(start[i : i + chunk], lower[i : i + chunk], upper[i : i + chunk]),
            lower[i : i + chunk],
            upper[i : i + chunk],
            None if root is None else root[i : i + chunk],
            max_iterations,
        )
        for i in range(0, rows, chunk)
    ]
    if len(parts) == 1:
        return parts[0]
    return Minima(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("params", "ssr", "converged", "at_bound", "iterations")
        )
    )


def _minimise_chunk(
    model: Model, y: Array, p: Array, lower: Array, upper: Array, root: Array | None, max_iterations: int
) -> Minima:
    rows, points = y.shape
    size = p.shape[1]
    done = Minima(
        params=p.copy(),
        ssr=np.full(rows, np.inf),
        converged=np.zeros(rows, dtype=bool),
        at_bound=np.zeros(p.shape, dtype=bool),
        iterations=np.zeros(rows, dtype=np.int64),
    )
    degrees = max(points - size, 1)
    eye = np.eye(size)
    floor = ROUNDING * _dot(y if root is None else y * root, y if root is None else y * root)
    live = np.arange(rows)
    damping = np.full(rows, 1e-2)
    growth = np.full(rows, 2.0)
    ssr, normal, gradient = _normal_equations(model, y, p, root)

    for iteration in range(1, max_iterations + 1):
        held = _pushed_outwards(p, gradient, lower, upper)
        step = _step(normal, gradient, held, np.zeros_like(p), damping, eye)
        free = p + step
        trial = np.minimum(np.maximum(free, lower), upper)
        crossing = trial != free
        if crossing.any():  # those stop at their bound, and the others answer to that
            step = _step(normal, gradient, held | crossing, trial - p, damping, eye)
            trial = np.minimum(np.maximum(p + step, lower), upper)
        step = trial - p
        bend = (normal @ step[:, :, None])[:, :, 0]
        predicted = _dot(step, 2 * gradient - bend)
        trial_ssr, trial_normal, trial_gradient = _normal_equations(model, y, trial, root)
        small = (_dot(step, bend) <= STEP_IN_SIGMAS_SQUARED / degrees * ssr) & (damping < 1.0)
        better = trial_ssr <= ssr  # False for NaN: an impossible step is a refused step
        gain = np.minimum(np.maximum(ssr - trial_ssr, 0.0) / np.maximum(predicted, TINY), 1.0)
        if better.all():
            p, ssr, normal, gradient = trial, trial_ssr, trial_normal, trial_gradient
            damping = damping * np.maximum(1 / 9, 1 - (2 * gain - 1) ** 3)
            growth[:] = 2.0
        else:
            p = np.where(better[:, None], trial, p)
            ssr = np.where(better, trial_ssr, ssr)
            normal = np.where(better[:, None, None], trial_normal, normal)
            gradient = np.where(better[:, None], trial_gradient, gradient)
            damping = damping * np.where(better, np.maximum(1 / 9, 1 - (2 * gain - 1) ** 3), growth)
            growth = np.where(better, 2.0, 2 * growth)
        settled = small | (ssr <= floor)

        leaving = settled | (damping > MAX_DAMPING) | (iteration == max_iterations)
        if leaving.any():
            out = live[leaving]
            done.params[out] = p[leaving]
            done.ssr[out] = ssr[leaving]
            done.converged[out] = settled[leaving]
            done.at_bound[out] = _pushed_outwards(p, gradient, lower, upper)[leaving]
            done.iterations[out] = iteration
            stay = ~leaving
            if not stay.any():
                break
            live, y, p, lower, upper = live[stay], y[stay], p[stay], lower[stay], upper[stay]
            ssr, normal, gradient = ssr[stay], normal[stay], gradient[stay]
            damping, growth, floor = damping[stay], growth[stay], floor[stay]
            root = None if root is None else root[stay]
    return done


def covariances(model: Model, y: Array, params: Array, weights: Array | None = None) -> Errors:
    """Covariances at the minima, as if no bound were there, so that none is ever zero by construction.

    HC3: J. G. MacKinnon, H. White, J. Econometrics 29 (1985) 305.
    """
    curve, jacobian = model(params)
    residuals = y - curve
    root = 1.0 if weights is None else np.sqrt(weights)
    scaled = jacobian if weights is None else jacobian * np.sqrt(weights)[:, None, :]
    weighted = residuals * root
    _, size, points = jacobian.shape
    inverse = _inverse(scaled @ scaled.swapaxes(1, 2))
    rounding = (
        np.finfo(float).eps * np.abs(y * root).max(axis=1)
    ) ** 2  # an exact fit still has these errors
    s2 = _dot(weighted, weighted) / max(points - size, 1) + rounding
    influence = inverse @ scaled  # (B, P, N): how far one point, moved by one, moves each parameter
    leverage = np.einsum("bpn,bpn->bn", scaled, influence)
    alone = np.sqrt(weighted**2 + rounding[:, None]) / np.maximum(1 - leverage, 1e-3)
    moved = influence * alone[:, None, :]
    return Errors(inverse * s2[:, None, None], moved @ moved.swapaxes(1, 2), residuals)


def _normal_equations(model: Model, y: Array, p: Array, root: Array | None) -> tuple[Array, Array, Array]:
    curve, jacobian = model(p)
    residual = y - curve
    if root is not None:
        residual *= root
        jacobian *= root[:, None, :]
    return (
        _dot(residual, residual),
        jacobian @ jacobian.swapaxes(1, 2),
        (jacobian @ residual[:, :, None])[:, :, 0],
    )


def _pushed_outwards(p: Array, gradient: Array, lower: Array, upper: Array) -> NDArray[np.bool_]:
    return np.asarray(((p <= lower) & (gradient < 0)) | ((p >= upper) & (gradient > 0)))


def _step(
    normal: Array, gradient: Array, held: NDArray[np.bool_], moved: Array, damping: Array, eye: Array
) -> Array:
    """The damped step, scaled by the diagonal so that counts and nanometres may live together.

    held : (B, P) parameters whose step is not free but given in `moved`
    """
    scale = np.sqrt(np.maximum(np.diagonal(normal, axis1=1, axis2=2), TINY))
    matrix = normal / (scale[:, :, None] * scale[:, None, :])
    matrix += eye * damping[:, None, None]
    right = gradient / scale
    if held.any():
        given = np.where(held, moved * scale, 0.0)
        free = ~held
        right = np.where(free, right - (matrix @ given[:, :, None])[:, :, 0], given)
        matrix = np.where(free[:, :, None] & free[:, None, :], matrix, eye)
    try:
        return np.linalg.solve(matrix, right[:, :, None])[:, :, 0] / scale
    except np.linalg.LinAlgError:  # some row is singular; the others must not notice
        return np.stack([_solve(*row) for row in zip(matrix, right, held, damping, strict=True)]) / scale


def _solve(matrix: Array, right: Array, held: NDArray[np.bool_], damping: float) -> Array:
    """One row's step; straight downhill where its matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(matrix, right[:, None])[:, 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(right / (1 + np.where(held, 0.0, damping)), dtype=np.float64)


def _inverse(normal: Array) -> Array:
    """Inverse of each normal matrix; NaN where it is singular to working precision."""
    diagonal = np.einsum("bpp->bp", normal)
    usable = np.all(diagonal > 0, axis=1) & np.all(np.isfinite(normal), axis=(1, 2))
    scale = np.sqrt(np.where(usable[:, None], diagonal, 1.0))
    matrix = np.where(usable[:, None, None], normal, np.eye(normal.shape[1]))
    matrix = matrix / (scale[:, :, None] * scale[:, None, :])
    values, vectors = np.linalg.eigh(matrix)
    usable &= values[:, 0] > 1e-13 * values[:, -1]
    values = np.where(usable[:, None], values, np.nan)
    inverse = (vectors / values[:, None, :]) @ vectors.swapaxes(1, 2)
    return inverse / (scale[:, :, None] * scale[:, None, :])


def _dot(a: Array, b: Array) -> Array:
    return np.einsum("bn,bn->b", a, b)

"""How the glass transition of a mixture follows from those of its parts, where that is no straight line.

x is the mass fraction of the second part; temperatures are in kelvin inside, in °C outside.

Fox: 1/T = (1 − x)/T₁ + x/T₂.  Gordon-Taylor: T = [(1 − x)·T₁ + k·x·T₂]/[(1 − x) + k·x]; with k = T₁/T₂ it is
Fox, with k = 1 a straight line.

T. G. Fox, Bull. Am. Phys. Soc. 1 (1956) 123; M. Gordon, J. S. Taylor, J. Appl. Chem. 2 (1952) 493.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.straight_lines import Line, weighted_line

Array = NDArray[np.float64]
ZERO_C = 273.15
LARGEST_C, LEAST_SIGMA_C = 1e5, 1e-12
LEAST_K, MOST_K = 0.02, 50.0
GRID = np.exp(np.linspace(np.log(LEAST_K), np.log(MOST_K), 81))
POLISH, SINGULAR = 2, 1e12
ROUNDS = 60  # of a golden section: to the last digits that χ² can tell
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Mixture:
    """first, second : Tg of the parts alone, °C. chi2 : Σ((T − T̂)/σ)²"""

    first: float
    second: float
    second_sigma: float
    k: float
    k_sigma: float
    chi2: float

    def __call__(self, x: Array) -> Array:
        return np.asarray(((1 - x) * self.first + self.k * x * self.second) / ((1 - x) + self.k * x))


def fox(x: Array, tg_c: Array, sigma_c: Array) -> Mixture | None:
    """1/T is a straight line. None where it reaches no temperature at x = 1, or all x are the same.

    x, tg_c, sigma_c : (N,), N ≥ 3, σ > 0; errors as of `weighted_line`. k is T₁/T₂, with no error of its own
    """
    kelvin = tg_c + ZERO_C
    if np.any(kelvin <= 0) or not _is_plain(x, tg_c, sigma_c):
        return None
    inverse, sigma = 1 / kelvin, sigma_c / kelvin**2
    at_first, at_second = weighted_line(x, inverse, sigma), weighted_line(x - 1, inverse, sigma)
    if at_first is None or at_second is None or min(at_first.intercept, at_second.intercept) <= 0:
        return None
    first, second = 1 / at_first.intercept, 1 / at_second.intercept
    found = Mixture(
        first=first - ZERO_C,
        second=second - ZERO_C,
        second_sigma=at_second.intercept_sigma * second**2,
        k=first / second,
        k_sigma=0.0,
        chi2=0.0,
    )
    residual = (tg_c - found(x)) / sigma_c
    return replace(found, chi2=float(residual @ residual))


def gordon_taylor(x: Array, tg_c: Array, sigma_c: Array) -> Mixture | None:
    """None where the points do not determine k between LEAST_K and MOST_K.

    For a given k the rule is a straight line in k·x/[(1 − x) + k·x], so only k is searched.

    x, tg_c, sigma_c : (N,), N ≥ 4, at four different x, σ > 0; where the points scatter more than σ, the
        errors grow with them
    """
    if not _is_plain(x, tg_c, sigma_c):
        return None

    def line(k: float) -> Line | None:
        return weighted_line(_share(x, k), tg_c, sigma_c)

    def chi2(k: float) -> float:
        found = line(k)
        return np.inf if found is None else found.chi2

    best = int(np.argmin([chi2(k) for k in GRID]))
    if best in (0, GRID.size - 1):
        return None
    k = _golden(chi2, GRID[best - 1], GRID[best + 1])
    inverse: Array | None = None
    for _ in range(POLISH):  # χ² tells k to the root of the rounding only; its slope tells the rest
        found = line(k)
        if found is None:
            return None
        jacobian = _jacobian(x, found, k) / sigma_c
        inverse = _inverse(jacobian @ jacobian.T)
        if inverse is None:
            return None
        residual = (tg_c - found.intercept - found.slope * _share(x, k)) / sigma_c
        k = float(np.clip(k + (inverse @ (jacobian @ residual))[2], k / 2, 2 * k))
    found = line(k)
    if found is None or inverse is None:
        return None
    first, second = found.intercept, found.intercept + found.slope
    grown = max(found.chi2 / max(x.size - 3, 1), 1.0)
    sigma = np.sqrt(np.diag(inverse * grown))
    return Mixture(first, second, float(sigma[1]), k, float(sigma[2]), found.chi2)


def _jacobian(x: Array, found: Line, k: float) -> Array:
    """(3, N) by T₁, T₂ and k."""
    share = _share(x, k)
    return np.stack([1 - share, share, found.slope * share * (1 - share) / k])


def _inverse(information: Array) -> Array | None:
    scale = np.sqrt(np.diag(information))
    if not np.all(scale > 0):
        return None
    scale = np.outer(scale, scale)
    return (
        None if np.linalg.cond(information / scale) > SINGULAR else np.linalg.inv(information / scale) / scale
    )


def _is_plain(x: Array, tg_c: Array, sigma_c: Array) -> bool:
    """Fractions, and numbers whose squares are numbers."""
    small = np.abs(tg_c).max() < LARGEST_C and sigma_c.min() > LEAST_SIGMA_C and sigma_c.max() < LARGEST_C
    return bool(small and x.min() >= 0 and x.max() <= 1)


def _share(x: Array, k: float) -> Array:
    return np.asarray(k * x / ((1 - x) + k * x))


def _golden(function: Callable[[float], float], low: float, high: float) -> float:
    """The minimum between two points around it, in the logarithm of what is searched."""
    a, b = np.log(low), np.log(high)
    for _ in range(ROUNDS):
        left, right = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        if function(float(np.exp(left))) <= function(float(np.exp(right))):
            b = right
        else:
            a = left
    return float(np.exp((a + b) / 2))

"""Rank correlation, and how many of many correlations are to be believed."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
EXACT_UP_TO = 8  # 40 320 permutations


def ranks(values: ArrayLike) -> Array:
    """(N,) ranks from 1; equal values share the mean of theirs."""
    _, place, count = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place].astype(float)


def spearman(x: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """ρ and its two-sided p under independence; NaN where one of them is constant.

    x, y : (N,), N ≥ 3. Up to EXACT_UP_TO points p counts permutations; above, it is Student's t with N−2
    degrees of freedom, too small for few points: a perfect order of four would have p = 0, not 1/12.

    C. Spearman, Am. J. Psychol. 15 (1904) 72; M. G. Kendall, Rank Correlation Methods (1948).
    """
    a, b = _standard(ranks(x)), _standard(ranks(y))
    if a is None or b is None:
        return math.nan, math.nan
    rho = float(np.clip(a @ b, -1.0, 1.0))
    if a.size <= EXACT_UP_TO:
        orders = np.array(list(itertools.permutations(range(b.size))))
        # Sums of the same terms in another order differ in the last bit; those count as equal.
        return rho, float(np.mean(np.abs(b[orders] @ a) >= abs(rho) - 1e-9))
    dof = a.size - 2
    return rho, student_p(rho * math.sqrt(dof / max(1 - rho**2, 1e-300)), dof)


def spearman_sigma(rho: float, count: int) -> float:
    """Standard error of ρ: that of Fisher's z, √((1 + ρ²/2)/(N−3)), through dρ/dz = 1 − ρ². N ≥ 4.

    D. G. Bonett, T. A. Wright, Psychometrika 65 (2000) 23.
    """
    return (1 - rho**2) * math.sqrt((1 + rho**2 / 2) / (count - 3))


def benjamini_hochberg(p: ArrayLike) -> Array:
    """(N,) adjusted p: those below q are a set of which a share q is expected to be chance.

    Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289.
    """
    given = np.asarray(p, float)
    order = np.argsort(given)[::-1]  # the largest first: each is at most what the larger ones are
    scaled = given[order] * given.size / np.arange(given.size, 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum.accumulate(np.minimum(scaled, 1.0))
    return adjusted


def student_p(t: float, dof: float) -> float:
    """Two-sided tail of Student's t: I_x(dof/2, 1/2) at x = dof/(dof + t²)."""
    return incomplete_beta(dof / (dof + t * t), dof / 2, 0.5)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised I_x(a, b), 0 ≤ x ≤ 1, by the continued fraction of Lentz.

    W. H. Press et al., Numerical Recipes (2007), 6.4.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges fast
        return 1 - incomplete_beta(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


def _standard(values: Array) -> Array | None:
    centred = values - values.mean()
    length = math.sqrt(float(centred @ centred))
    return centred / length if length > 0 else None

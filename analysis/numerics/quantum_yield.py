"""Photoluminescence quantum yield from an integrating sphere: the formulas, and how sure they are.

Letters as in the paper: a the empty sphere, b the sample in the sphere but off the beam, c the sample on the
beam; L photons in the laser's band, P photons in the emission's. Everything takes numbers or arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
N = TypeVar("N", float, Array)

ONE_SIGMA = (15.865525, 84.134475)  # percentiles of a normal distribution at ±1 σ
DRAWS = 4000  # the sigma itself is then known to 1 %


def absorptance(l_without: N, l_c: N) -> N:
    """Share of the laser's photons that the sample on the beam absorbs, A = 1 − L_c/L_b.

    l_without : L_b, or L_a where b was not measured; > 0
    """
    return 1 - l_c / l_without


def three_measurements(l_a: N, l_b: N, l_c: N, p_b: N, p_c: N) -> N:
    """Φ = [P_c − (1 − A)·P_b] / (L_a·A): light that first hits the wall and then the sample is taken out.

    p_b, p_c : without what the empty sphere shows in that band

    J. C. de Mello, H. F. Wittmann, R. H. Friend, Adv. Mater. 9 (1997) 230, eqs. 6 and 8.
    """
    share = absorptance(l_b, l_c)
    return (p_c - (1 - share) * p_b) / (l_a * share)


def two_measurements(l_a: N, l_c: N, p_a: N, p_c: N) -> N:
    """Φ = (P_c − P_a) / (L_a − L_c), without the measurement off the beam."""
    return (p_c - p_a) / (l_a - l_c)


def without_reabsorption(phi: N, a: N) -> N:
    """Φ/(1 − a + a·Φ): what one emission yields, if a share `a` of it is absorbed again by the sample.

    T.-S. Ahn et al., Rev. Sci. Instrum. 78 (2007) 086105.
    """
    return phi / (1 - a + a * phi)


def reabsorbed_share(p: N, red: N, p_dilute: N, red_dilute: N) -> N:
    """a = 1 − (P/R)/(P₀/R₀): the blue side that is missing, when both spectra are laid upon each other at
    their red edge, where nothing is absorbed.

    p, red : photons of the sample in the whole band and in the red edge of it; p_dilute, red_dilute : those
    of a dilute sample
    """
    return 1 - (p / red) / (p_dilute / red_dilute)


def band(x: Array, low: float, high: float) -> Array:
    """(N,) weights whose sum with y is the trapezoidal integral over the points from `low` to `high`.

    x : (N,) ascending. All zero where fewer than two points lie inside.
    """
    weights = np.zeros_like(x)
    inside = np.flatnonzero((x >= low) & (x <= high))
    if inside.size > 1:
        steps = np.diff(x[inside]) / 2
        weights[inside[:-1]] += steps
        weights[inside[1:]] += steps
    return weights


def spread(
    functions: Sequence[Callable[[Array], Array]],
    at: Array,
    covariance: Array,
    *,
    draws: int = DRAWS,
    seed: int = 1,
) -> list[float]:
    """The sigma of each function of (K,) integrals with their (K, K) covariance, by parametric bootstrap.

    functions : (K, draws) → (draws,)
    Half the distance between the percentiles at ±1 σ: a quotient has tails that a standard deviation would
    follow into infinity. Integrals are sums of many points, so they are drawn as normal numbers; the same
    seed gives the same sigma.

    B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), ch. 6.
    """
    scale = np.sqrt(np.maximum(np.diag(covariance), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    root = scale[:, None] * vectors * np.sqrt(np.maximum(values, 0))
    drawn = at[:, None] + root @ np.random.default_rng(seed).standard_normal((at.size, draws))
    sigmas = []
    with np.errstate(all="ignore"):
        for function in functions:
            found = function(drawn)
            low, high = np.percentile(found[np.isfinite(found)], ONE_SIGMA) if found.size else (0.0, 0.0)
            sigmas.append(float(high - low) / 2)
    return sigmas

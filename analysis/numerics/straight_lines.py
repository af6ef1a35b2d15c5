"""The weighted straight line, and what it is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Line:
    """y = intercept + slope·x; chi2 is Σ((y−ŷ)/σ)², dof = N−2."""

    slope: float
    intercept: float
    slope_sigma: float
    intercept_sigma: float
    chi2: float
    dof: int


def weighted_line(x: ArrayLike, y: ArrayLike, sigma: ArrayLike) -> Line | None:
    """Least squares with weights 1/σ²; None where all x are the same.

    x, y, sigma : (N,), N ≥ 3, σ > 0. Where the points scatter more than their σ say, the errors grow by
    √(χ²/dof) (R. T. Birge, Phys. Rev. 40 (1932) 207); they never shrink, for σ is what is known.
    """
    x, y, sigma = (np.asarray(given, float) for given in (x, y, sigma))
    weight = (sigma.min() / sigma) ** 2
    weight /= weight.sum()
    centre = float(weight @ x)
    spread = float(weight @ (x - centre) ** 2)
    if spread <= 1e-24 * max(float(np.max(np.abs(x))) ** 2, 1e-300):
        return None
    middle = float(weight @ y)
    slope = float(weight @ ((x - centre) * (y - middle))) / spread
    intercept = middle - slope * centre
    chi2 = float(np.sum(((y - intercept - slope * x) / sigma) ** 2))
    dof = x.size - 2
    total = float(np.sum(1 / sigma**2))
    birge = max(math.sqrt(chi2 / dof), 1.0) if dof > 0 else 1.0
    slope_sigma = birge / math.sqrt(total * spread)
    intercept_sigma = birge * math.sqrt(1 / total + centre**2 / (total * spread))
    return Line(slope, intercept, slope_sigma, intercept_sigma, chi2, dof)

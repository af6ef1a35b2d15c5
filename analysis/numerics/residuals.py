"""Is what a fit leaves over only noise, and the same noise everywhere?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def variance_trend(residuals: Array, curve: Array) -> float:
    """How surely the variance grows with the signal, in standard normal deviates; negative if it falls.

    residuals, curve : (N,)
    The square root of Koenker's studentised form of the Breusch-Pagan statistic, N·R² of the regression of
    the squared residuals on the curve, with the sign of the slope: standard normal when there is no trend.

    T. S. Breusch, A. R. Pagan, Econometrica 47 (1979) 1287; R. Koenker, J. Econometrics 17 (1981) 107.
    """
    squares = (residuals / max(float(np.max(np.abs(residuals))), 1e-300)) ** 2
    squares = squares - squares.mean()
    signal = curve / max(float(np.max(np.abs(curve))), 1e-300)
    signal = signal - signal.mean()
    spread = float(squares @ squares) * float(signal @ signal)
    if spread <= 0:
        return 0.0
    return float(squares @ signal / np.sqrt(spread) * np.sqrt(residuals.size))


def serial_correlation(residuals: Array) -> float:
    """Correlation of neighbouring residuals; about 0 ± 1/√N for noise, towards 1 for a wrong model."""
    scaled = residuals / max(float(np.max(np.abs(residuals))), 1e-300)
    total = float(scaled @ scaled)
    return float(scaled[1:] @ scaled[:-1]) / total if total > 0 else 0.0


def durbin_watson(residuals: Array) -> float:
    """Σ(rₖ₊₁ − rₖ)²/Σr²: about 2 ± 2/√N for noise, towards 0 for a wrong model.

    J. Durbin, G. S. Watson, Biometrika 37 (1950) 409.
    """
    scaled = residuals / max(float(np.max(np.abs(residuals))), 1e-300)
    total = float(scaled @ scaled)
    return float(np.sum(np.diff(scaled) ** 2)) / total if total > 0 else 2.0


def runs(residuals: Array) -> float:
    """How many more runs of one sign there are than noise has, in standard normal deviates.

    A. Wald, J. Wolfowitz, Ann. Math. Statist. 11 (1940) 147.
    """
    above = residuals > 0
    n, ups = above.size, int(above.sum())
    both = 2 * ups * (n - ups)
    if n < 3 or both <= n:
        return 0.0
    found = 1 + int(np.count_nonzero(above[1:] != above[:-1]))
    variance = both * (both - n) / (n**2 * (n - 1))
    return float((found - both / n - 1) / np.sqrt(variance))


def bic(ssr: float, points: int, parameters: int) -> float:
    """Bayesian information criterion of a least-squares fit with unknown variance, up to a constant.

    G. Schwarz, Ann. Statist. 6 (1978) 461.
    """
    return points * float(np.log(max(ssr, 1e-300) / points)) + parameters * float(np.log(points))


def aic(ssr: float, points: int, parameters: int) -> float:
    """Akaike's criterion, same convention. H. Akaike, IEEE Trans. Autom. Control 19 (1974) 716."""
    return points * float(np.log(max(ssr, 1e-300) / points)) + 2 * parameters

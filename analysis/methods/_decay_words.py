"""The words that fits of decays share: how counts vary, what is fitted, what was found.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods.base import Array
from analysis.numerics.decays import Seen

COUNTS = "Poisson counts"


@dataclass(frozen=True)
class Noise:
    """How counts vary: y' = (y + pedestal)/gain are Poisson counts, or have known weights."""

    gain: float = 1.0
    pedestal: float = 0.0
    weights: Array | None = None
    words: str = COUNTS


@dataclass(frozen=True)
class Problem:
    """What is fitted. y : (N,) as measured; t0, background : start, lowest, highest, equal when held.

    amplitude : held at that, or None
    """

    seen: Seen
    y: Array
    noise: Noise
    t0: tuple[float, float, float]
    background: tuple[float, float, float]
    tau: tuple[float, float]
    amplitude: float | None = None
    background_sigma: float = 0.0
    peak_at: int = 0


@dataclass(frozen=True)
class Fit:
    """params : (P,) t₀, b, aᵢ, then ln τᵢ, or ln τ and β; covariance : (P, P). Both in the data's counts.

    components : 0 for the stretched exponential. residuals : (N,) in standard deviations
    flash : light that came with the pulse itself and is no part of params, and its sigma; None where none
        was fitted
    """

    components: int
    params: Array
    covariance: Array
    curve: Array
    residuals: Array
    chi2: float
    bic: float
    converged: bool
    at_bound: NDArray[np.bool_]
    free: int
    deviance: float
    flash: tuple[float, float] | None = None

    @property
    def amplitudes(self) -> Array:
        return self.params[2 : 2 + max(self.components, 1)]

    @property
    def taus(self) -> Array:
        return np.exp(self.params[3:4] if not self.components else self.params[2 + self.components :])

    @property
    def beta(self) -> float:
        return 1.0 if self.components else float(self.params[4])

    def sigma(self, place: int) -> float:
        return float(np.sqrt(self.covariance[place, place]))

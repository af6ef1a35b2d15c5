"""How the channels of a decay vary: counted photons, or averages and differences of them.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.methods._decay_words import Noise
from analysis.methods._decays import Decay, width
from analysis.methods.base import Array, MethodError
from analysis.numerics.counting import non_negative

BINS = 30
OUTLIER = 25.0  # squares this many times the median: a spike, not noise


def noise(decay: Decay, kind: str, background: float, rows: NDArray[np.intp]) -> Noise:
    """For the channels `rows` that are fitted. kind : "auto", "poisson", "sqrt" or "fitted"."""
    if kind == "auto":
        kind = "poisson" if decay.counted else "fitted"
    if kind == "poisson":
        if decay.y[rows].min() < 0:
            raise MethodError(
                f"The lowest channel is {decay.y[rows].min():g}: counts are not below zero, so a background "
                "was subtracted. Choose weights = fitted."
            )
        return Noise()
    if kind == "sqrt":
        signal = np.maximum(decay.y[rows] - background, 1.0)
        return Noise(weights=1 / signal, words="σ = √(signal above the background), at least one count")
    constant, gain = variance_of(decay)
    if gain <= 0 or constant / gain**2 > 1e12:
        weights = np.full(rows.size, 1 / constant)
        return Noise(weights=weights, words=f"fitted: σ = {constant**0.5:.3g} in every channel")
    words = f"fitted: σ² = {constant:.3g} + {gain:.3g}·signal"
    # A channel below what no counts at all would give is held up by a higher pedestal.
    lowest = float(decay.y[rows].min())
    return Noise(gain, max(constant / gain, -lowest), None, words)


def variance_of(decay: Decay) -> tuple[float, float]:
    """(σ₀², g) of σ² = σ₀² + g·signal, from third differences, in which a smooth decay vanishes.

    Around the rise it does not, so that part is left out.
    """
    y = decay.y
    level = (y[:-3] + y[1:-2] + y[2:-1] + y[3:]) / 4
    squares = np.diff(y, 3) ** 2 / 20
    place = np.arange(squares.size)
    rise = int(3 * width(decay) / decay.step) + 5
    calm = (place < decay.before - 5) | (place > decay.peak + rise)
    if calm.sum() < 3 * BINS:
        calm = place > decay.peak
    if calm.sum() < 10:
        calm = place >= 0
    order = np.argsort(level[calm])
    groups = [group for group in np.array_split(order, min(BINS, max(order.size // 5, 1))) if group.size]
    levels = np.array([level[calm][group].mean() for group in groups])
    found = np.array([_clipped_mean(squares[calm][group]) for group in groups])
    sizes = np.array([group.size for group in groups], dtype=float)
    floor = max((1e-6 * float(y.max())) ** 2, 1e-300)
    return _line(np.maximum(levels, 0.0), found, sizes, floor)


def _clipped_mean(squares: Array) -> float:
    median = float(np.median(squares))
    return float(np.minimum(squares, OUTLIER * median).mean()) if median > 0 else float(squares.mean())


def _line(levels: Array, found: Array, sizes: Array, floor: float) -> tuple[float, float]:
    """Both at least zero; weights one over the variance of a variance, which is 2 σ⁴ over their number."""
    terms = np.array([np.ones(levels.size), levels])
    expected = np.full(levels.size, max(float(found.mean()), floor))
    result = np.zeros(2)
    for _ in range(20):
        weights = sizes / expected**2
        result = non_negative((terms * weights) @ terms.T, (terms * weights) @ found)
        expected = np.maximum(result @ terms, floor)
    return max(float(result[0]), floor), float(result[1])

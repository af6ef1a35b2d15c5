"""How well repeated measurements agree, and how much of a scatter is between the things measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Spread:
    """count ≥ 2; sd with N−1, sd_sigma its standard error for normal scatter, sd/√(2(N−1))."""

    count: int
    mean: float
    mean_sigma: float
    sd: float
    sd_sigma: float


def spread(values: ArrayLike) -> Spread:
    given = np.asarray(values, float)
    sd = float(np.std(given, ddof=1))
    return Spread(
        given.size,
        float(given.mean()),
        sd / math.sqrt(given.size),
        sd,
        sd / math.sqrt(2 * (given.size - 1)),
    )


@dataclass(frozen=True)
class Variances:
    """One-way analysis of variance with random groups.

    within_sd, between_sd : standard deviations inside a group and of the groups' true means; the second is 0
        where the groups differ less than their insides say
    icc : share of the variance that lies between the groups, ICC(1); below 0 where they are more alike than
        chance, NaN where nothing differs at all
    """

    groups: int
    count: int
    within_sd: float
    between_sd: float
    icc: float
    icc_sigma: float


def variances(groups: Sequence[ArrayLike]) -> Variances:
    """groups : at least two, each of at least one value, and one of at least two.

    With groups of unequal size, n₀ = (N − Σn²/N)/(k−1) stands for the size. The error of ICC is that of
    R. A. Fisher for large samples, with n₀.

    P. E. Shrout, J. L. Fleiss, Psychol. Bull. 86 (1979) 420; A. Donner, Int. Stat. Rev. 54 (1986) 67.
    """
    given = [np.asarray(group, float) for group in groups]
    sizes = np.array([group.size for group in given], float)
    k, total = len(given), float(sizes.sum())
    means = np.array([group.mean() for group in given])
    grand = float(sizes @ means / total)
    inside = sum(float(np.sum((group - group.mean()) ** 2)) for group in given) / (total - k)
    outside = float(sizes @ (means - grand) ** 2) / (k - 1)
    size = (total - float(sizes @ sizes) / total) / (k - 1)
    whole = outside + (size - 1) * inside
    icc = (outside - inside) / whole if whole > 0 else math.nan
    between = math.sqrt(max((outside - inside) / size, 0.0))
    error = math.nan
    if whole > 0:
        error = (
            (1 - icc) * (1 + (size - 1) * icc) * math.sqrt(2 / (size * max(size - 1, 1e-9) * max(k - 1, 1)))
        )
    return Variances(k, int(total), math.sqrt(inside), between, icc, abs(error))

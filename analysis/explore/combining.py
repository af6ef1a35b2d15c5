"""Replicates of one sample and one origin become one point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods import Array

SMALLEST_SIGMA = 1e-30  # below it, and at zero, a sigma says nothing and cannot be a weight
ORIGINS = np.array(["", "measured", "entered", "published", "simulated", "predicted"])
_INITIALS = np.array([name[:2].encode() for name in ORIGINS[1:]])
_ORDER = np.argsort(_INITIALS)


@dataclass(frozen=True)
class Points:
    """One row per sample and origin, in the order of `key`.

    key : (N,) sample id × 8 + number of the origin, so that equal keys mean same sample and same origin
    sigma : (N,) one sigma, NaN where none can be stated
    """

    key: NDArray[np.int64]
    value: Array
    sigma: Array
    replicates: NDArray[np.int64]
    comparator: NDArray[np.str_]

    @property
    def origin(self) -> NDArray[np.str_]:
        return self.origin_of(self.key)

    @staticmethod
    def origin_of(key: NDArray[np.int64]) -> NDArray[np.str_]:
        return ORIGINS[key & 7]

    def at(self, wanted: NDArray[np.int64]) -> Points:
        """The rows with these keys, in their order; unknown where there is none."""
        if wanted.size == self.key.size and np.array_equal(wanted, self.key):
            return self
        if not self.key.size:
            unknown = np.full(wanted.size, np.nan)
            return Points(wanted, unknown, unknown, np.zeros(wanted.size, int), np.full(wanted.size, ""))
        row = np.minimum(np.searchsorted(self.key, wanted), self.key.size - 1)
        present = self.key[row] == wanted
        return Points(
            wanted,
            np.where(present, self.value[row], np.nan),
            np.where(present, self.sigma[row], np.nan),
            np.where(present, self.replicates[row], 0),
            np.where(present, self.comparator[row], ""),
        )


def keys(sample: NDArray[np.int64], origin: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """origin : (N,) first two letters, as the statement packs them"""
    number = 1 + _ORDER[np.searchsorted(_INITIALS, origin, sorter=_ORDER)]
    return (sample << 3) | number


def combine(key: NDArray[np.int64], value: Array, sigma: Array, comparator: NDArray[np.str_]) -> Points:
    """Combine rows of equal key. A limit is no number: beside one it is left out, and of limits alone the
    tightest speaks for itself; of upper and lower ones, the upper.

    Where every replicate states a sigma: mean weighted by 1/sigma², its sigma widened by the Birge ratio
    √(χ²/(n−1)) when the replicates scatter more than they admit. Otherwise the plain mean with its standard
    error from the scatter, unknown where they do not scatter at all. A single value stays as it is.

    R. T. Birge, Phys. Rev. 40 (1932) 207.
    """
    if np.any(key[1:] < key[:-1]):
        order = np.argsort(key, kind="stable")
        key, value, sigma, comparator = key[order], value[order], sigma[order], comparator[order]
    kept = _without_idle_limits(key, value, comparator)
    key, value, sigma, comparator = key[kept], value[kept], sigma[kept], comparator[kept]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if key.size else np.empty(0, int)
    count = np.diff(np.append(first, key.size))
    points = Points(key[first], value[first], sigma[first], count, comparator[first])
    if not np.any(count > 1):
        return points
    several = np.repeat(count > 1, count)
    means, errors = _means(value[several], sigma[several], count[count > 1])
    points.value[count > 1], points.sigma[count > 1] = means, errors
    points.comparator[np.isin(points.key, key[comparator == "~"])] = "~"
    return points


def _without_idle_limits(
    key: NDArray[np.int64], value: Array, comparator: NDArray[np.str_]
) -> NDArray[np.intp] | slice:
    """The rows that say something: every number, and the tightest limit where there is no number."""
    exact = (comparator == "=") | (comparator == "~")
    if exact.all():
        return slice(None)
    alone = np.flatnonzero(~exact & ~np.isin(key, key[exact]))
    lower = np.char.startswith(comparator[alone], ">")
    tightness = np.where(lower, -value[alone], value[alone])
    inclusive = np.char.endswith(comparator[alone], "=")
    alone = alone[np.lexsort((inclusive, tightness, lower, key[alone]))]
    _, tightest = np.unique(key[alone], return_index=True)
    return np.sort(np.concatenate([np.flatnonzero(exact), alone[tightest]]))


def _means(value: Array, sigma: Array, count: NDArray[np.int64]) -> tuple[Array, Array]:
    """Mean and sigma of consecutive groups of `count` values each, all counts above one."""
    start = np.concatenate([[0], np.cumsum(count)[:-1]])

    def total(numbers: Array) -> Array:
        return np.add.reduceat(numbers, start)

    stated = sigma > SMALLEST_SIGMA
    weighted = np.logical_and.reduceat(stated, start)
    weight = np.where(np.repeat(weighted, count), 1 / np.where(stated, sigma, 1) ** 2, 1.0)
    mean = total(weight * value) / total(weight)
    chi_squared = total(weight * (value - np.repeat(mean, count)) ** 2)
    scatter = chi_squared / (count - 1) / total(weight)
    # Equal replicates show the last digit of an instrument, not that it is never wrong.
    equal = np.maximum.reduceat(value, start) == np.minimum.reduceat(value, start)
    unstated = np.where(equal, np.nan, scatter)
    return mean, np.sqrt(np.where(weighted, np.maximum(scatter, 1 / total(weight)), unstated))

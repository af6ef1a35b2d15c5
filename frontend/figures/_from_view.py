"""Readings of a view as points: one property of every sample against its factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from frontend.figures.base import Numbers, Points, Quantity, Reading, View, Words


def quantity_of(view: View, key: str, otherwise: Quantity) -> Quantity:
    """As the laboratory calls it; `otherwise` where the view says nothing of it."""
    return view.quantities.get(key, otherwise)


def factor_of(view: View, readings: Sequence[Reading], key: str, *, words: bool = False) -> Numbers | Words:
    """(N,) of the samples of these readings; unknown is NaN, or "" for words."""
    found = [view.subjects[reading.subject].factors.get(key) for reading in readings]
    if words:
        return np.array([word if isinstance(word, str) else "" for word in found], dtype=object)
    return np.array(
        [value if isinstance(value, int | float) else np.nan for value in found], dtype=np.float64
    )


def points_of(
    view: View,
    readings: Sequence[Reading],
    y_is: Quantity,
    x: tuple[Numbers | Words, Quantity],
    color: tuple[Numbers | Words, Quantity] | None = None,
) -> Points:
    """One row a reading, in their order."""
    subjects = [view.subjects[reading.subject] for reading in readings]
    return Points(
        x=x[0],
        y=np.array([reading.value for reading in readings], dtype=np.float64),
        sigma=np.array([reading.sigma for reading in readings], dtype=np.float64),
        color=None if color is None else color[0],
        code=[subject.code for subject in subjects],
        notation=[subject.notation for subject in subjects],
        origin=[reading.origin for reading in readings],
        comparator=[reading.comparator for reading in readings],
        source=[reading.source for reading in readings],
        x_is=x[1],
        y_is=y_is,
        color_is=None if color is None else color[1],
    )


def merged(values: Numbers, *, absolute: float = 0.0, relative: float = 0.0) -> Numbers:
    """(N,) each value, or the median of those so close to it that they were meant to be the same: what was
    weighed is 0.0499 where 0.05 was planned. No two that become one are farther apart than that, so that a
    scan in fine steps stays one."""
    result = values.copy()
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    begin = 0
    for end in range(1, order.size + 1):
        least = values[order[begin]]
        if end == order.size or values[order[end]] - least > absolute + relative * abs(least):
            result[order[begin:end]] = np.median(values[order[begin:end]])
            begin = end
    return result

"""Replicates combined by NumPy against the same rules written as slowly as possible."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.explore.combining import ORIGINS, combine, keys

Row = tuple[int, int, float, float]
ROWS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(1, 5),
        st.floats(-1e6, 1e6),
        st.one_of(st.just(math.nan), st.just(0.0), st.floats(1e-3, 1e3)),
    ),
    max_size=30,
)


def slowly(rows: list[Row]) -> dict[tuple[int, int], tuple[float, float]]:
    groups: dict[tuple[int, int], list[tuple[Fraction, float]]] = defaultdict(list)
    for sample, origin, value, sigma in rows:
        groups[sample, origin].append((Fraction(value), sigma))
    found = {}
    for key, group in groups.items():
        if len(group) == 1:
            found[key] = (float(group[0][0]), group[0][1])
            continue
        weighted = all(sigma > 0 for _, sigma in group)
        weights = [1 / Fraction(sigma) ** 2 if weighted else Fraction(1) for _, sigma in group]
        mean = sum(w * v for w, (v, _) in zip(weights, group, strict=True)) / sum(weights)
        chi_squared = sum(w * (v - mean) ** 2 for w, (v, _) in zip(weights, group, strict=True))
        variance = chi_squared / (len(group) - 1) / sum(weights)
        if weighted:
            variance = max(variance, 1 / sum(weights))
        found[key] = (float(mean), math.sqrt(variance))
    return found


@given(ROWS)
def test_fast_and_slow_agree(rows: list[Row]) -> None:
    columns = [np.array(column, float) for column in zip(*rows, strict=True)] or [np.empty(0)] * 4
    sample, origin, value, sigma = columns
    letters = np.array([ORIGINS[int(number)][:2].encode() for number in origin], "S2")
    points = combine(keys(sample.astype(np.int64), letters), value, sigma, np.full(value.size, "="))
    expected = slowly(rows)
    assert len(points.key) == len(expected)
    for row, key in enumerate(points.key.tolist()):
        mean, error = expected[key >> 3, key & 7]
        np.testing.assert_allclose(points.value[row], mean, rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(points.sigma[row], error, rtol=1e-6, atol=1e-6)


def test_every_origin_has_initials_of_its_own() -> None:
    letters = np.array([name[:2].encode() for name in ORIGINS[1:]], "S2")
    assert list(keys(np.zeros(5, np.int64), letters)) == [1, 2, 3, 4, 5]


def test_only_what_is_alone_keeps_its_comparator() -> None:
    key = np.array([9, 17, 17])
    points = combine(key, np.array([0.5, 1, 2]), np.full(3, np.nan), np.array([">", "<", "<"]))
    assert list(points.comparator) == [">", "="]

"""Replicates combined by NumPy against the same rules written as slowly as possible."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.explore.combining import ORIGINS, combine, keys

Row = tuple[int, int, float, float, str]
ROWS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(1, 5),
        st.floats(-1e6, 1e6),
        st.one_of(st.just(math.nan), st.just(0.0), st.floats(1e-3, 1e3)),
        st.sampled_from(["=", "=", "~", "<", "<=", ">", ">="]),
    ),
    max_size=30,
)


def slowly(rows: list[Row]) -> dict[tuple[int, int], tuple[float, float, str]]:
    groups: dict[tuple[int, int], list[tuple[float, float, str]]] = defaultdict(list)
    for sample, origin, *said in rows:
        groups[sample, origin].append(said)
    return {key: spoken(group) for key, group in groups.items()}


def spoken(group: list[tuple[float, float, str]]) -> tuple[float, float, str]:
    """What many rows of one sample and origin say together: a number, its sigma and its comparator."""
    exact = [(Fraction(value), sigma) for value, sigma, sign in group if sign in "=~"]
    if not exact:
        upper = [row for row in group if row[2] in ("<", "<=")]
        return min(upper or group, key=lambda row: (row[0] if upper else -row[0], len(row[2])))
    sign = "~" if any(sign == "~" for _, _, sign in group) else "="
    if len(exact) == 1:
        return float(exact[0][0]), exact[0][1], sign
    weighted = all(sigma > 0 for _, sigma in exact)
    weights = [1 / Fraction(sigma) ** 2 if weighted else Fraction(1) for _, sigma in exact]
    mean = sum(w * v for w, (v, _) in zip(weights, exact, strict=True)) / sum(weights)
    chi_squared = sum(w * (v - mean) ** 2 for w, (v, _) in zip(weights, exact, strict=True))
    variance = chi_squared / (len(exact) - 1) / sum(weights)
    if weighted:
        variance = max(variance, 1 / sum(weights))
    return float(mean), math.sqrt(variance) if len({v for v, _ in exact}) > 1 or weighted else math.nan, sign


@given(ROWS)
def test_fast_and_slow_agree(rows: list[Row]) -> None:
    numbers = [np.array(column, float) for column in zip(*(row[:4] for row in rows), strict=True)]
    sample, origin, value, sigma = numbers or [np.empty(0)] * 4
    letters = np.array([ORIGINS[int(number)][:2].encode() for number in origin], "S2")
    signs = np.array([row[4] for row in rows], "U2")
    points = combine(keys(sample.astype(np.int64), letters), value, sigma, signs)
    expected = slowly(rows)
    assert len(points.key) == len(expected)
    for row, key in enumerate(points.key.tolist()):
        mean, error, sign = expected[key >> 3, key & 7]
        assert points.comparator[row] == sign
        np.testing.assert_allclose(points.value[row], mean, rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(points.sigma[row], error, rtol=1e-6, atol=1e-6)


def test_every_origin_has_initials_of_its_own() -> None:
    letters = np.array([name[:2].encode() for name in ORIGINS[1:]], "S2")
    assert list(keys(np.zeros(5, np.int64), letters)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(0.1, "<"), (0.3, "=")], (0.3, "=")),
        ([(0.1, "<"), (0.3, "="), (0.5, "=")], (0.4, "=")),
        ([(0.1, "<"), (0.3, "="), (0.5, "~")], (0.4, "~")),
        ([(0.5, ">"), (0.7, ">="), (0.6, ">")], (0.7, ">=")),
        ([(0.5, "<="), (0.5, "<"), (0.1, ">")], (0.5, "<")),
    ],
)
def test_a_limit_is_never_averaged(rows: list[tuple[float, str]], said: tuple[float, str]) -> None:
    value, sign = (np.array(column) for column in zip(*rows, strict=True))
    points = combine(np.full(value.size, 17), value, np.full(value.size, np.nan), sign)
    assert (points.value[0], points.comparator[0]) == (pytest.approx(said[0]), said[1])


@pytest.mark.parametrize("values", [[0.7, 0.7], [0.1, 0.1, 0.1]])
def test_equal_replicates_without_a_sigma_have_none(values: list[float]) -> None:
    key, unknown = np.full(len(values), 17), np.full(len(values), np.nan)
    points = combine(key, np.array(values), unknown, np.full(len(values), "="))
    assert np.isnan(points.sigma[0])

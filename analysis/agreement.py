"""When two statements about one quantity cannot both be right. Pure.

A statement is an interval: a number is one point, `upper` ends a range, `<` and `>` leave one side open. Two
intervals that touch agree. Between two that do not, a gap is bridged by what is known of their accuracy: the
combined sigma, and where a statement has no sigma, half a unit of the last digit it was written with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

ROUNDING_ERROR = 1e-9  # of the numbers themselves, so that 0.3 and 0.1 + 0.2 agree


@dataclass(frozen=True)
class Statement:
    """scale: what the number was multiplied with before it was written down (100 for per cent)."""

    value: float
    sigma: float | None = None
    upper: float | None = None
    comparator: str = "="
    scale: float = 1.0

    @property
    def interval(self) -> tuple[float, float]:
        low, high = self.value, self.value if self.upper is None else self.upper
        if self.comparator.startswith("<"):
            return -math.inf, high
        if self.comparator.startswith(">"):
            return low, math.inf
        return min(low, high), max(low, high)

    @property
    def rounding(self) -> float:
        """Half a unit of the last digit. Zeros at the end of a whole number count as written: 290 is ±0.5."""
        exponents = [_last_digit(end * self.scale) for end in (self.value, self.upper) if end is not None]
        return 0.5 * 10.0 ** min(exponents) / self.scale


def gap(ours: Statement, theirs: Statement) -> float:
    """What lies between the two intervals; 0 where they touch."""
    (low, high), (other_low, other_high) = ours.interval, theirs.interval
    return max(low - other_high, other_low - high, 0.0)


def tolerance(ours: Statement, theirs: Statement) -> float:
    sigmas = [each.sigma for each in (ours, theirs) if each.sigma]
    rounded = [each.rounding for each in (ours, theirs) if not each.sigma]
    return math.hypot(*sigmas) + math.fsum(rounded)


def disagree(ours: Statement, theirs: Statement) -> bool:
    size = max(abs(ours.value), abs(theirs.value))
    return gap(ours, theirs) > tolerance(ours, theirs) + ROUNDING_ERROR * size


def disagreeing(statements: Sequence[Statement]) -> set[int]:
    """The positions of those that disagree with at least one other."""
    found: set[int] = set()
    for (i, ours), (j, theirs) in combinations(enumerate(statements), 2):
        if disagree(ours, theirs):
            found |= {i, j}
    return found


def _last_digit(number: float) -> int:
    exponent = Decimal(f"{number:.12g}").normalize().as_tuple().exponent
    assert isinstance(exponent, int)  # the database holds finite numbers only
    return min(exponent, 0)

"""When two published numbers are a conflict, and when they are the same number told twice."""

from __future__ import annotations

import pytest

from analysis.agreement import Statement, disagree, disagreeing, gap


def of(value: float, **more: object) -> Statement:
    return Statement(value, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [
        (of(304, comparator="~"), of(290, comparator="~"), True),  # Tg of one glass in two papers
        (of(290), of(290), False),
        (of(290), of(290.4), False),  # 290 was rounded
        (of(290), of(291), False),  # by half a unit each, at most
        (of(290), of(291.1), True),
        (of(40, sigma=1.0), of(41, sigma=1.0), False),
        (of(40, sigma=1.0), of(42, sigma=1.0), True),
        (of(40, sigma=3.0), of(42), False),
        (of(0.813, scale=100), of(0.81, scale=100), False),
        (of(1.0, scale=100), of(0.97, scale=100), True),  # 100 % and 97 %
        (of(0.1 + 0.2), of(0.3), False),
    ],
)
def test_numbers_disagree_beyond_their_combined_sigma_or_else_their_rounding(
    ours: Statement, theirs: Statement, conflict: bool
) -> None:
    assert disagree(ours, theirs) is conflict
    assert disagree(theirs, ours) is conflict


@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [
        (of(20, comparator="<"), of(12), False),
        (of(20, comparator="<"), of(25), True),
        (of(20, comparator="<="), of(20), False),
        (of(320, comparator=">"), of(250), True),
        (of(320, comparator=">"), of(400, comparator=">"), False),
        (of(320, comparator=">"), of(250, comparator="<"), True),
        (of(110, upper=190), of(150), False),
        (of(110, upper=190), of(200), True),
        (of(110, upper=190), of(180, upper=260), False),
    ],
)
def test_limits_and_ranges_disagree_only_where_nothing_satisfies_both(
    ours: Statement, theirs: Statement, conflict: bool
) -> None:
    assert disagree(ours, theirs) is conflict
    assert disagree(theirs, ours) is conflict


def test_of_three_sources_those_that_agree_with_all_others_are_left_out() -> None:
    wide = of(300, sigma=20.0)
    assert disagreeing([of(290, sigma=1.0), wide, of(304, sigma=1.0)]) == {0, 2}
    assert disagreeing([of(290, sigma=1.0), wide]) == set()


def test_the_gap_between_a_limit_and_a_number_is_what_is_missing() -> None:
    assert gap(of(20, comparator="<"), of(25)) == 5

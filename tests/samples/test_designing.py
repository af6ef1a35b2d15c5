"""Designs on paper: complete, balanced, in an order that a seed repeats, and with a forecast that adds up."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import inf, nan, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samples.designing import (
    DesignError,
    Need,
    arrange,
    cells,
    fraction,
    mill_runs,
    parse_numbers,
    programme_min,
)

LEVELS = {"loading": [0.05, 0.1, 0.25], "temperature": [250.0, 275.0, 300.0], "quench": ["air", "water"]}


def test_a_full_design_holds_every_combination_once() -> None:
    assert len(cells(LEVELS, None, 1)) == len(set(cells(LEVELS, None, 2))) == 18


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**53 - 1),
)
def test_a_fraction_keeps_every_level_balanced_and_repeats_no_cell(
    counts: list[int], share: float, seed: int
) -> None:
    levels = {str(k): list(range(count)) for k, count in enumerate(counts)}
    total, fewest = prod(counts), max(counts)
    if not fewest < total <= 600:
        return
    wanted = fewest + int(share * (total - 1 - fewest))
    chosen = cells(levels, wanted, seed)
    assert len(chosen) == len(set(chosen)) == wanted
    for factor, count in enumerate(counts):
        times = Counter(cell[factor] for cell in chosen)
        assert len(times) == count
        assert max(times.values()) - min(times.values()) <= 1
    assert chosen == cells(levels, wanted, seed)


@pytest.mark.parametrize("seed", range(5))
def test_a_third_of_a_cube_is_a_latin_square(seed: int) -> None:
    """9 of 27: the orthogonal array L9 exists, in which every pair of levels meets exactly once."""
    rows = fraction([3, 3, 3], 9, seed)
    for a, b in combinations(range(3), 2):
        assert len({(row[a], row[b]) for row in rows}) == 9


@pytest.mark.parametrize("wanted", [2, 18 + 1, 0, -3])
def test_a_fraction_that_cannot_be_balanced_is_refused(wanted: int) -> None:
    with pytest.raises(DesignError, match="at least 3 of the 18"):
        cells(LEVELS, wanted, 1)


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [
        ({}, "at least one level"),
        ({"loading": []}, "at least one level"),
        ({"loading": [0.1, 0.1]}, "lists 0.1 twice"),
        ({"loading": [nan]}, "no finite number"),
        ({"loading": [inf]}, "no finite number"),
        ({"loading": list(range(61))}, "61 levels"),
        ({"a": list(range(60)), "b": list(range(60)), "c": list(range(60))}, "too many"),
    ],
)
def test_impossible_levels_get_a_sentence(levels: dict[str, list[float]], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        cells(levels, None, 1)


def test_samples_of_one_run_share_programme_and_replicate_and_fit_the_furnace() -> None:
    slots = arrange(cells(LEVELS, None, 3), replicates=2, programme=[1, 2], capacity=2, seed=3)
    assert [slot.run_order for slot in slots] == list(range(1, 37))
    assert Counter((slot.cell, slot.replicate) for slot in slots) == Counter(
        (cell, replicate) for cell in cells(LEVELS, None, 3) for replicate in (1, 2)
    )
    runs: dict[int | None, list] = {}
    for slot in slots:
        runs.setdefault(slot.block, []).append(slot)
    assert list(runs) == list(range(1, 25))  # 6 programmes, twice, three loadings in two loads
    for members in runs.values():
        assert len(members) <= 2
        assert len({(slot.replicate, *slot.cell[1:]) for slot in members}) == 1


def test_loads_of_a_furnace_are_even() -> None:
    eleven = [(float(i), 300.0) for i in range(11)]
    slots = arrange(eleven, replicates=1, programme=[1], capacity=10, seed=1)
    assert sorted(Counter(slot.block for slot in slots).values()) == [5, 6]


def test_the_order_is_random_and_the_seed_repeats_it() -> None:
    chosen = cells(LEVELS, None, 1)

    def order(seed: int) -> list:
        return [s.cell for s in arrange(chosen, replicates=1, programme=[1], capacity=4, seed=seed)]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(20)}) == 20
    unfired = arrange(chosen, replicates=1, programme=[], capacity=None, seed=1)
    assert {slot.block for slot in unfired} == {None}
    assert [slot.cell for slot in unfired] != chosen


def test_every_sample_comes_first_about_equally_often() -> None:
    """Chi-squared of 4 000 seeded draws over 8 places; 24.3 is exceeded by chance once in a thousand."""
    chosen = [(float(i),) for i in range(8)]
    first = Counter(
        arrange(chosen, replicates=1, programme=[], capacity=None, seed=s)[0].cell for s in range(4000)
    )
    assert sum((first[cell] - 500) ** 2 / 500 for cell in chosen) < 24.3


@pytest.mark.parametrize(("replicates", "capacity"), [(0, 1), (21, 1), (1, 0), (1, -1)])
def test_impossible_runs_get_a_sentence(replicates: int, capacity: int) -> None:
    with pytest.raises(DesignError):
        arrange([(1.0,)], replicates=replicates, programme=[], capacity=capacity, seed=1)


def test_more_than_a_thousand_samples_are_refused() -> None:
    with pytest.raises(DesignError, match="1020 samples"):
        arrange([(float(i),) for i in range(51)], replicates=20, programme=[], capacity=1, seed=1)


def test_the_published_programmes_take_their_published_minutes() -> None:
    assert programme_min(450, 20, 0) == pytest.approx(21.25)
    assert programme_min(350, 20, 0) == pytest.approx(16.25)
    assert programme_min(350, None, 0) is None
    assert programme_min(350, 20, None) is None
    assert programme_min(-196, 10, 5) == pytest.approx(27.1)


def test_the_mill_takes_as_many_mixtures_at_a_time_as_it_has_jars() -> None:
    assert mill_runs([60, 60, 60, 30], 2) == (3, 150)
    assert mill_runs([], 2) == (0, 0)


@pytest.mark.parametrize(
    ("need", "verdict", "short_g"),
    [
        (Need("a", 1.0, 5.0, 3.9, 1, 0), "suffices", 0.0),
        (Need("a", 1.0, 5.0, 4.0, 1, 0), "suffices", 0.0),
        (Need("a", 1.0, 5.0, 4.5, 1, 0), "short", 0.5),
        (Need("a", 1.0, 0.0, 0.0, 1, 1), "not known", 1.0),
        (Need("a", 1.0, 0.0, 0.0, 0, 0), "no lot", 1.0),
        (Need("a", 1.0, 5.0, 0.0, 2, 1), "suffices", 0.0),
    ],
)
def test_a_lot_suffices_after_what_is_promised_or_is_not_known(
    need: Need, verdict: str, short_g: float
) -> None:
    assert need.verdict == verdict
    assert need.short_g == pytest.approx(short_g)


def test_numbers_are_read_as_people_write_them() -> None:
    assert parse_numbers("5, 10;25 %  50%", "Loading") == [5, 10, 25, 50]
    assert parse_numbers("200 to 400 step 25", "T") == [200 + 25 * i for i in range(9)]
    assert parse_numbers("150, 0 to 0.3 by 0.1", "T") == [150, 0, 0.1, 0.2, 0.3]
    assert parse_numbers("", "T") == []


@pytest.mark.parametrize("text", ["many", "1e999", "nan", "1_0", "5 to 1 step 1", "0 to 1 step 0", "=1+1"])
def test_what_is_no_number_gets_a_sentence(text: str) -> None:
    with pytest.raises(DesignError, match="Temperatures: "):
        parse_numbers(text, "Temperatures")


@given(st.text(max_size=80))
def test_any_text_is_numbers_or_gets_a_sentence(text: str) -> None:
    try:
        numbers = parse_numbers(text, "T")
    except DesignError:
        return
    assert all(abs(number) < inf for number in numbers)

"""What a page shows for many values: the same number as Explore, origins apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis import explore
from analysis.models import Publication, Value
from frontend.drawings.sparkline import sparkline
from frontend.formatting import quantity
from frontend.values import combined, shown


@pytest.mark.parametrize(
    "numbers",
    [
        [(0.42, 0.01)],
        [(0.42, 0.01), (0.40, 0.01)],
        [(0.42, 0.01), (0.40, 0.02), (0.55, 0.005)],
        [(0.42, None), (0.40, 0.02)],
        [(0.42, None)],
        [(0.42, None), (0.42, None)],
        [(0.42, None), (0.42, 0.02)],
        [(0.42, 1e-200), (0.40, 0.02)],
    ],
)
def test_the_sample_page_and_explore_show_the_same_number(numbers, alice, composite):
    for value, sigma in numbers:
        Value.objects.create(
            sample=composite, property="plqy", value=value, sigma=sigma, unit="1",
            origin="entered", entered_by=alice, note="sphere",
        )  # fmt: skip
    columns = explore.columns(alice, x="sintering_temperature_c", y="plqy")
    mean, sigma = combined(numbers)
    assert list(columns.y) == pytest.approx([mean])
    assert list(columns.y_sigma) == pytest.approx([math.nan if sigma is None else sigma], nan_ok=True)


@pytest.mark.parametrize(
    "rows",
    [
        [(0.1, "<"), (0.3, "=")],
        [(0.3, "="), (0.5, "~"), (0.9, ">")],
        [(0.1, "<"), (0.05, "<="), (0.2, ">")],
        [(0.5, ">"), (0.7, ">")],
    ],
)
def test_the_sample_page_and_explore_never_average_a_limit(rows, alice, composite):
    for value, sign in rows:
        Value.objects.create(
            sample=composite, property="plqy", value=value, comparator=sign, unit="1",
            origin="entered", entered_by=alice, note="sphere",
        )  # fmt: skip
    (line,) = shown(Value.objects.all())
    columns = explore.columns(alice, x="sintering_temperature_c", y="plqy")
    alone = quantity(columns.y[0], columns.y_sigma[0], "1", comparator=columns.comparator[0], as_percent=True)
    assert str(line.written) == str(alone)
    assert len(line.rows) + len(line.others) == len(rows)
    exact = [value for value, sign in rows if sign in "=~"]
    assert columns.y[0] == pytest.approx(np.mean(exact) if exact else line.source.value)
    assert len(line.rows) == columns.replicates[0] == (len(exact) or 1)


def test_equal_sigmas_give_the_plain_mean_and_sigma_over_root_n():
    mean, sigma = combined([(1.0, 0.2), (1.1, 0.2), (1.2, 0.2), (1.1, 0.2)])
    assert mean == pytest.approx(1.1)
    assert sigma == pytest.approx(0.1)


def test_a_number_is_shown_before_words_and_measured_before_published(alice, composite):
    paper = Publication.objects.create(key="p", title="t")
    common = {"sample": composite, "property": "plqy", "unit": "1"}
    Value.objects.create(**common, text="bright", origin="entered", entered_by=alice, note="n")
    Value.objects.create(**common, value=0.5, origin="published", publication=paper)
    Value.objects.create(**common, value=0.4, sigma=0.1, origin="entered", entered_by=alice, note="n")
    (line,) = shown(Value.objects.all())
    assert line.origin == "entered"
    assert str(line.written).replace("\u202f", " ") == "40 ± 10 %"
    assert len(line.others) == 2


def test_a_sparkline_keeps_the_peak_where_it_is():
    x = np.linspace(500, 800, 301)
    y = np.exp(-(((x - 650) / 20) ** 2))
    svg = sparkline(np.concatenate([x, y]).astype("<f4").tobytes(), 104, 34)
    points = [tuple(map(float, p.split(","))) for p in svg.split('points="')[1].split('"')[0].split()]
    top = min(points, key=lambda point: point[1])
    assert top == pytest.approx((52, 2), abs=0.2)
    assert all(0 <= a <= 104 and 0 <= b <= 34 for a, b in points)


@pytest.mark.parametrize(
    "preview", [b"", b"\x00", b"\x00" * 8, np.full(8, np.nan, "<f4").tobytes(), np.zeros(2, "<f4").tobytes()]
)
def test_a_broken_preview_draws_nothing(preview):
    assert sparkline(preview, 104, 34) == ""

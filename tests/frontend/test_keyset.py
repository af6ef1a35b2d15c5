"""Pages by key: every row once, in order, whichever way one walks, unknown values last."""

from __future__ import annotations

import pytest

from frontend.keyset import page
from samples.models import ProcessFactors, Project, Sample


@pytest.fixture
def rows(project: Project):
    for number in range(23):
        sample = Sample.objects.create(project=project, code=f"S-{number:02}", state="composite")
        loading = None if number % 5 == 0 else round(0.1 * (number % 4), 2)
        ProcessFactors.objects.filter(sample=sample).update(loading_mass_fraction=loading)
    return Sample.objects.select_related("factors")


COLUMN = "factors__loading_mass_fraction"


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["code", COLUMN])
def test_walking_forth_and_back_meets_every_row_once(rows, column, descending):
    forth = []
    found = page(rows, column, descending=descending, size=4)
    assert found.before == ""
    forth += found.rows
    while found.after:
        found = page(rows, column, descending=descending, after=found.after, size=4)
        forth += found.rows
    assert len(forth) == len(set(forth)) == 23
    back = list(reversed(found.rows))
    while found.before:
        found = page(rows, column, descending=descending, before=found.before, size=4)
        back += list(reversed(found.rows))
    assert back == list(reversed(forth))


@pytest.mark.parametrize("descending", [False, True])
def test_unknown_values_come_last_in_either_direction(rows, descending):
    found = page(rows, COLUMN, descending=descending, size=50).rows
    values = [row.factors.loading_mass_fraction for row in found]
    known = [value for value in values if value is not None]
    assert values[len(known) :] == [None] * 5
    assert known == sorted(known, reverse=descending)


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "eyJhIjoxfQ", "é", "WyJhIiwgImIiXQ", "W1tdLCAxXQ", "A" * 4001]
)
def test_a_cursor_that_is_none_begins_at_the_start(rows, cursor):
    assert page(rows, "code", after=cursor, size=3).rows[0].code == "S-00"
    assert page(rows, "code", before=cursor, size=3).rows[0].code == "S-00"


def test_a_cursor_of_another_column_does_not_break_the_page(rows):
    loading = page(rows, COLUMN, size=3).after
    code = page(rows, "code", size=3).after
    assert page(rows, "code", after=loading, size=3) is not None
    assert page(rows, COLUMN, after=code, size=3) is not None

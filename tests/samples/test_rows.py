"""Rows that are made quickly are those that Django makes."""

from __future__ import annotations

from typing import Any

import pytest

from measurements.models import Blob, Measurement, RawFile
from samples.models import Project, Sample
from samples.rows import fresh, loaded

PROJECT = Project(pk=3, slug="glass", name="Glass")
SAMPLE = Sample(pk=5, code="VT-GLASS", project=PROJECT)


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Blob, {"sha256": "ab" * 32, "size": 12}),
        (RawFile, {"filename": "run7.txt", "role": "irf"}),
        (Measurement, {"project": PROJECT, "sample": SAMPLE, "instrument": None, "technique": "pl"}),
        (Measurement, {"conditions": {"gas": "Ar"}, "received_by": None}),
    ],
)
def test_a_fresh_row_is_that_of_its_model(model: Any, values: dict[str, Any]) -> None:
    quick, own = fresh(model, **values), model(**values)
    for row in (quick, own):
        state = row.__dict__.pop("_state")
        row.seen = (state.adding, {**state.fields_cache})
    assert quick.__dict__ == own.__dict__


def test_what_one_row_is_given_another_does_not_see() -> None:
    fresh(Measurement).conditions["gas"] = "Ar"
    assert fresh(Measurement).conditions == {}


def test_a_loaded_row_is_in_the_database_and_knows_what_it_was_not_told() -> None:
    row = loaded(Project, {"id": 3, "slug": "glass"})
    assert (row.pk, row.slug, row._state.adding, row == PROJECT) == (3, "glass", False, True)
    assert "name" in row.get_deferred_fields()

"""Every mark of a view leads to its sample, by the pointer and by the keyboard, and says what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from frontend import figures
from frontend.figures import View
from tests.frontend import (
    pl_views,
    test_figure_absorbance,
    test_figure_colour,
    test_figure_endurance,
    test_figure_trpl,
)
from tests.frontend.views_by_hand import decoded

VIEWS: dict[str, tuple[Callable[[], View], set[str]]] = {
    "view_absorbance": (test_figure_absorbance.array, {"edges", "gaps"}),
    "view_gaussian_trends": (pl_views.array, {"pl_peak_center:I", "pl_peak_fwhm:I", "pl_area_share:II"}),
    "view_halides": (test_figure_colour.series, {"chips"}),
    "view_immersion": (test_figure_endurance.view, {"series", "endurance"}),
    "view_photostability": (test_figure_endurance.view, {"retention"}),
    "view_pl_spectra": (pl_views.array, {"peaks"}),
    "view_trpl": (test_figure_trpl.view, {"lifetimes"}),
    "view_urbach": (pl_views.tails, {"slopes"}),
}


def leading(view: View, key: str) -> list[dict[str, Any]]:
    drawing = figures.get(key).draw(view, {})
    return [trace for trace in drawing.data if len(trace.get("samples", ())) == len(decoded(trace["x"]))]


@pytest.mark.parametrize("key", VIEWS)
def test_each_mark_leads_to_a_sample_of_the_view_and_has_words(key: str) -> None:
    make, meant = VIEWS[key]
    view = make()
    marks = leading(view, key)
    assert {trace["meta"] for trace in marks} == meant
    codes = {subject.code for subject in view.subjects}
    for trace in marks:
        assert set(trace["samples"]) <= codes
        assert len(trace["hovertext"]) == len(trace["samples"])
        assert all(trace["hovertext"])


@pytest.mark.parametrize(
    "key", ["view_absorbance", "view_halides", "view_pl_spectra", "view_trpl", "view_urbach"]
)
def test_each_curve_leads_as_a_whole_to_its_sample(key: str) -> None:
    view = VIEWS[key][0]()
    drawing = figures.get(key).draw(view, {})
    curves = [trace for trace in drawing.data if trace.get("meta") in ("spectrum", "data", "tail")]
    codes = {subject.code for subject in view.subjects}
    assert curves
    assert all(len(trace["samples"]) == 1 and trace["samples"][0] in codes for trace in curves)


@pytest.mark.parametrize("key", VIEWS)
def test_no_trace_has_ids_for_points_that_share_one_would_become_one(key: str) -> None:
    assert not any("ids" in trace for trace in figures.get(key).draw(VIEWS[key][0](), {}).data)


@pytest.mark.parametrize("key", VIEWS)
def test_the_first_column_of_a_table_that_names_samples_is_their_code(key: str) -> None:
    """Enter and click go to what stands in it."""
    view = VIEWS[key][0]()
    first = figures.get(key).draw(view, {}).table[0]
    assert first.name == "sample"
    assert set(first.values) <= {subject.code for subject in view.subjects}

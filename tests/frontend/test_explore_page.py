"""Explore's page and its figure: what they ask, what they answer, and to whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.test import Client

from analysis.models import Publication, Value
from frontend import figures
from frontend.figures.base import Points
from samples.models import Material, Project, Sample, User
from tests.frontend.campaign import grow

FIGURE = "/figures/explore.json"
pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(alice: User, project: Project, cspbi3: Material, zif_glass: Material) -> dict[str, Sample]:
    return grow(alice, project, cspbi3, zif_glass)


def texts(drawing: dict[str, Any]) -> list[str]:
    return [text for trace in drawing["data"] if trace.get("meta") == "cell text" for text in trace["text"]]


def test_nothing_asked_is_the_map_of_pl_quantum_yield(
    alices_browser: Client, campaign: dict[str, Sample]
) -> None:
    drawing = alices_browser.get(FIGURE).json()
    assert "81.3\u202f%" in texts(drawing)
    assert drawing["layout"]["xaxis"]["title"]["text"] == "Sintering temperature (°C)"
    assert drawing["layout"]["yaxis"]["ticktext"] == ["5", "25"]
    page = alices_browser.get("/explore/").content.decode()
    assert 'value="plqy" selected' in page


def test_a_published_cell_names_its_source(alices_browser: Client, campaign: dict[str, Sample]) -> None:
    drawing = alices_browser.get(FIGURE).json()
    assert any(
        "doi:10.1038/s41467-023-43247-6, Fig. 2a" in text
        for row in drawing["data"][0]["hovertext"]
        for text in row
    )


def test_a_map_asked_for_with_the_property_as_colour_is_the_same_map(
    alices_browser: Client, campaign: dict[str, Sample]
) -> None:
    other = {"x": "sintering_temperature_c", "y": "loading_mass_fraction", "color": "plqy", "as": "map"}
    assert alices_browser.get(FIGURE, other).json()["data"] == alices_browser.get(FIGURE).json()["data"]


def test_filters_narrow_what_is_drawn(alices_browser: Client, campaign: dict[str, Sample]) -> None:
    published = alices_browser.get(FIGURE, {"origin": "published"}).json()
    assert texts(published) == ["81.3\u202f%"]
    high = alices_browser.get(FIGURE, {"loading_mass_fraction__gte": "0.2"}).json()
    assert len(texts(high)) == 3
    air = alices_browser.get(FIGURE, {"quench_medium": "air"}).json()
    assert air["empty"] == "No value fits these choices."
    early = alices_browser.get(FIGURE, {"made_until": "2001-01-01"}).json()
    assert early["empty"]


def test_the_call_beside_the_figure_is_the_same_question_to_the_interface(
    alices_browser: Client, campaign: dict[str, Sample]
) -> None:
    call = alices_browser.get(FIGURE, {"origin": "published"}).json()["call"]
    address = call.rpartition("'http://testserver")[2].rstrip("'")
    answer = alices_browser.get(address)
    assert answer.status_code == 200
    assert answer.json()["count"] == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"x": "nonsense", "y": "plqy"}, "no factor or property"),
        ({"loading_mass_fraction__gte": "much"}, "is not a number"),
        ({"made_from": "yesterday"}, "is not a date"),
    ],
)
def test_a_question_that_makes_no_sense_gets_a_sentence(
    alices_browser: Client, campaign: dict[str, Sample], asked: dict[str, str], said: str
) -> None:
    answer = alices_browser.get(FIGURE, asked)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_a_stranger_sees_no_value_no_sample_and_no_count(
    charlies_browser: Client, campaign: dict[str, Sample]
) -> None:
    drawing = charlies_browser.get(FIGURE).json()
    assert drawing["empty"]
    assert charlies_browser.get(FIGURE, {"project": "glass"}).status_code == 404
    assert charlies_browser.get("/explore/", {"project": "glass"}).status_code == 404
    page = charlies_browser.get("/explore/").content.decode()
    assert "liquid nitrogen" not in page
    assert "PL quantum yield" in page  # the question itself is no secret


def test_a_viewer_sees_the_figure(bobs_browser: Client, campaign: dict[str, Sample]) -> None:
    assert "81.3\u202f%" in texts(bobs_browser.get(FIGURE).json())


def test_nobody_sees_it_without_logging_in(client: Client, campaign: dict[str, Sample]) -> None:
    assert client.get(FIGURE).status_code == 302
    assert client.get("/explore/").status_code == 302


def test_ten_times_the_samples_cost_no_more_queries(
    alices_browser: Client,
    alice: User,
    project: Project,
    campaign: dict[str, Sample],
    django_assert_max_num_queries: Any,
) -> None:
    source = Publication.objects.get(key="simulation")
    few = queries(alices_browser)
    twin = next(iter(campaign.values()))
    for number in range(60):
        sample = Sample.objects.create(project=project, code=f"MORE-{number}", state="composite")
        twin.factors.sample = sample  # the row is there since the sample is: this fills it
        twin.factors.save(force_update=True)
        Value.objects.create(
            sample=sample, property="plqy", value=0.5, unit="1", origin="simulated", publication=source
        )
    assert queries(alices_browser) == few


def queries(browser: Client) -> tuple[int, int]:
    from django.core.cache import cache
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for address in (FIGURE, "/explore/"):
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        counts.append(len(seen))
    return counts[0], counts[1]


def test_a_new_figure_file_is_offered_without_another_edit(
    alices_browser: Client, campaign: dict[str, Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(points: Points, options: Any) -> figures.Drawing:
        return figures.Drawing(empty=f"{np.size(points.y)} values, drawn in a new way")

    added = figures.LoadedFigure("rose", figures.Figure("Rose", takes="points", order=9, key="rose"), draw)
    known = dict(figures.registry()) | {"rose": added}
    monkeypatch.setattr(figures, "registry", lambda: known)
    assert 'value="rose"' in alices_browser.get("/explore/").content.decode()
    assert alices_browser.get(FIGURE, {"as": "rose"}).json()["empty"] == "6 values, drawn in a new way"

"""Explore: one row per sample and origin, replicates combined, nothing of other people's projects."""

from __future__ import annotations

import base64
import csv
import io
import json
import struct

import numpy as np
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from analysis import explore
from analysis.models import Publication, Run, Value
from samples.models import Material, Project, Sample, User
from samples.services import create_project, plan_composite


@pytest.fixture
def paper(db: None) -> Publication:
    return Publication.objects.create(
        key="li2023", title="Interfacial alloying", doi="10.1038/s41467-023-43247-6"
    )


def plqy(sample: Sample, value: float, sigma: float | None = None, **fields: object) -> Value:
    source = (
        {"publication": Publication.objects.get(), "origin": "published"} if "origin" not in fields else {}
    )
    return Value.objects.create(
        sample=sample, property="plqy", value=value, sigma=sigma, unit="1", **source | fields
    )


def ask(user: User, **question: object) -> explore.Columns:
    return explore.columns(user, **{"x": "sintering_temperature_c", "y": "plqy", **question})  # type: ignore[arg-type]


def sintered_at(composite: Sample, temperature_c: float, code: str) -> Sample:
    glass, perovskite = composite.preparation.recipe.components.order_by("-mass_fraction")
    return plan_composite(
        user=composite.created_by,
        project=composite.project,
        name="CsPbI3 in glass",
        components=[(perovskite.material, 0.05), (glass.material, 0.95)],
        sintering={"segments": [{"target_c": temperature_c}]},
        quench={"medium": "air"},
        code=code,
    )


def found_by(method: str, sample: Sample, value: float) -> Value:
    """A current value as a run of this method would leave it."""
    now = timezone.now()
    run = Run.objects.create(
        method=method, method_version=1, params={}, identity=f"{method} {sample.pk}", status="done",
        sample=sample, queued_at=now, finished_at=now,
    )  # fmt: skip
    return plqy(sample, value, 0.01, origin="measured", run=run, method=method)


def test_another_method_speaks_for_a_sample_of_which_the_preferred_one_says_nothing(
    alice: User, composite: Sample
) -> None:
    other = sintered_at(composite, 300.0, "VT-OTHER")
    found_by("plqy_reported", composite, 0.5)
    found_by("plqy", other, 0.8)
    assert sorted(ask(alice).y) == pytest.approx([0.5, 0.8])
    found_by("plqy_reported", other, 0.1)
    assert sorted(ask(alice).y) == pytest.approx([0.5, 0.8])
    found_by("plqy", composite, 0.6)
    assert sorted(ask(alice).y) == pytest.approx([0.6, 0.8])


def test_a_point_is_a_sample_with_its_processing_and_its_property(
    alice: User, composite: Sample, paper: Publication
) -> None:
    plqy(composite, 0.813, 0.01)
    found = ask(alice, color="quench_medium")
    assert (list(found.x), list(found.y), found.color) == ([275.0], [0.813], ["liquid_nitrogen"])
    assert (found.code, found.origin) == (["VT-GLASS"], ["published"])
    assert found.y_sigma == pytest.approx([0.01])
    assert found.y_axis.as_percent


def test_replicates_are_weighted_by_their_sigmas(alice: User, composite: Sample, paper: Publication) -> None:
    plqy(composite, 0.80, 0.01)
    plqy(composite, 0.83, 0.03)
    found = ask(alice)
    weights = np.array([1 / 0.01**2, 1 / 0.03**2])
    assert found.y == pytest.approx([(weights * [0.80, 0.83]).sum() / weights.sum()])
    assert found.y_sigma == pytest.approx([weights.sum() ** -0.5])  # they agree: no widening
    assert list(found.replicates) == [2]


def test_replicates_that_disagree_widen_the_sigma(alice: User, composite: Sample, paper: Publication) -> None:
    plqy(composite, 0.70, 0.01)
    plqy(composite, 0.90, 0.01)
    # Two values 20 sigma apart: the mean of two, so the scatter gives |a - b| / 2.
    assert ask(alice).y_sigma == pytest.approx([0.10])


def test_without_sigmas_the_scatter_is_the_sigma(alice: User, composite: Sample, paper: Publication) -> None:
    for value in (0.7, 0.8, 0.9):
        plqy(composite, value)
    found = ask(alice)
    assert found.y == pytest.approx([0.8])
    assert found.y_sigma == pytest.approx([0.1 / 3**0.5])


def test_a_single_value_without_sigma_has_none(alice: User, composite: Sample, paper: Publication) -> None:
    plqy(composite, 0.5, comparator=">", publication=paper, origin="published")
    found = ask(alice)
    assert found.y_sigma is not None
    assert np.isnan(found.y_sigma[0])
    assert found.comparator == [">"]


def test_a_sigma_of_zero_does_not_divide_by_zero(alice: User, composite: Sample, paper: Publication) -> None:
    plqy(composite, 0.7, 0.0)
    plqy(composite, 0.9, 0.1)
    assert ask(alice).y == pytest.approx([0.8])


def test_origins_are_never_mixed(alice: User, composite: Sample, paper: Publication) -> None:
    plqy(composite, 0.80)
    plqy(composite, 0.10, entered_by=alice, origin="entered")
    found = ask(alice)
    assert dict(zip(found.origin, found.y, strict=True)) == pytest.approx(
        {"published": 0.80, "entered": 0.10}
    )


def test_a_superseded_value_is_not_shown(alice: User, composite: Sample, paper: Publication) -> None:
    plqy(composite, 0.80, current=False, publication=paper, origin="published")
    assert len(ask(alice)) == 0


def test_two_properties_meet_in_one_sample_and_one_origin(
    alice: User, composite: Sample, paper: Publication
) -> None:
    plqy(composite, 0.80)
    Value.objects.create(
        sample=composite, property="tg", value=304, unit="°C", publication=paper, origin="published"
    )
    found = ask(alice, x="tg")
    assert (list(found.x), list(found.y)) == ([304.0], [0.80])
    plqy(composite, 0.1, entered_by=alice, origin="entered")
    assert ask(alice, x="tg").origin == ["published"]


def test_factors_alone_plot_every_sample(alice: User, composite: Sample) -> None:
    found = ask(alice, y="loading_mass_fraction")
    assert (list(found.x), list(found.y)) == ([275.0], [0.25])


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        (explore.Filters(), {"VT-GLASS", "HOT"}),
        (explore.Filters(at_least={"sintering_temperature_c": 300}), {"HOT"}),
        (explore.Filters(at_most={"loading_mass_fraction": 0.05}), {"HOT"}),
        (explore.Filters(texts={"quench_medium": ["liquid_nitrogen"]}), {"VT-GLASS"}),
        (explore.Filters(projects=["glass"]), {"VT-GLASS", "HOT"}),
        (explore.Filters(projects=["charlie"]), set()),
        (explore.Filters(origins=["measured"]), set()),
        (explore.Filters(states=["composite"]), {"VT-GLASS", "HOT"}),
    ],
)
def test_filters_leave_out_what_they_say(
    alice: User, composite: Sample, paper: Publication, filters: explore.Filters, codes: set[str]
) -> None:
    hot = sintered_at(composite, 325, "HOT")
    plqy(composite, 0.8)
    plqy(hot, 0.3)
    assert set(ask(alice, filters=filters).code) == codes


def test_charlie_sees_no_point_of_alices(charlie: User, composite: Sample, paper: Publication) -> None:
    plqy(composite, 0.8)
    assert len(ask(charlie)) == 0
    assert len(ask(charlie, filters=explore.Filters(projects=["glass"]))) == 0


def test_one_more_sample_costs_no_more_statements(
    alice: User, composite: Sample, paper: Publication, django_assert_num_queries: object
) -> None:
    plqy(composite, 0.8)
    with django_assert_num_queries(1):  # type: ignore[operator]  # the projects; the columns go past Django
        ask(alice)


# Over REST

URL = "/api/v1/explore/?x=sintering_temperature_c&y=plqy&color=quench_medium"


def test_json_columns_are_typed_arrays_as_plotly_takes_them(
    as_alice: APIClient, composite: Sample, paper: Publication
) -> None:
    plqy(composite, 0.813)
    body = as_alice.get(URL).json()
    column = body["columns"]["y"]
    assert column["dtype"] == "f8"
    assert list(np.frombuffer(base64.b64decode(column["bdata"]), "<f8")) == [0.813]
    assert body["columns"]["sample"] == ["VT-GLASS"]
    assert body["axes"]["x"]["unit"] == "°C"


def test_binary_columns_are_aligned_and_described(
    as_alice: APIClient, composite: Sample, paper: Publication
) -> None:
    plqy(composite, 0.813)
    body = as_alice.get(URL, HTTP_ACCEPT="application/octet-stream").content
    (size,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + size])
    assert (4 + size) % 8 == 0
    numbers = np.frombuffer(body[4 + size :], "<f8").reshape(len(header["numbers"]), header["count"])
    columns = dict(zip([n["name"] for n in header["numbers"]], numbers[:, 0], strict=True))
    assert (columns["x"], columns["y"]) == (275.0, 0.813)
    assert header["texts"]["color"] == ["liquid_nitrogen"]


def test_csv_states_units_and_leaves_unknown_empty(
    as_alice: APIClient, composite: Sample, paper: Publication
) -> None:
    plqy(composite, 0.813)
    answer = as_alice.get(URL, HTTP_ACCEPT="text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert row["x (°C)"] == "275.0"
    assert row["y_sigma"] == ""
    assert row["comparator"] == "="
    assert row["notation"] == "(CsPbI3)0.25(agZIF-62)0.75"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("x=sintering_temperature_c", "y"),
        ("x=nonsense&y=plqy", "x"),
        ("x=sample_id&y=plqy", "x"),
        ("x=sintering_temperature_c&y=plqy:IX", "y"),
        ("x=sintering_temperature_c&y=plqy&loading_mass_fraction__gte=much", "loading_mass_fraction__gte"),
        ("x=sintering_temperature_c&y=plqy&quench_medium__gte=3", "quench_medium"),
        ("x=sintering_temperature_c&y=plqy&made_from=yesterday", "made_from"),
        ("x=sintering_temperature_c&y=plqy&id);DROP TABLE x;--__gte=3", "id);DROP TABLE x;--"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_a_sentence(
    as_alice: APIClient, project: Project, query: str, field: str
) -> None:
    answer = as_alice.get(f"/api/v1/explore/?{query}")
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["error"]["fields"]) == [field]


def test_explore_needs_a_person(db: None) -> None:
    assert APIClient().get(URL).status_code == 401


def test_a_spreadsheet_never_executes_a_code_of_ours(
    alice: User, cspbi3: Material, as_alice: APIClient, paper: Publication
) -> None:
    evil = Sample.objects.create(
        project=create_project(user=alice, name="x", slug="x"), code="A", notation="=cmd()", state="powder"
    )
    plqy(evil, 1.0)
    answer = as_alice.get("/api/v1/explore/?x=plqy&y=plqy", HTTP_ACCEPT="text/csv")
    assert ",'=cmd()" in answer.content.decode()

"""The sample list and the page of a sample."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from analysis.models import Publication, Run, Value
from measurements.models import Blob, Dataset, Measurement
from samples.models import Ingredient, Preparation, ProcessFactors, Sample
from samples.services import plan_composite


def text_of(client: Any, name: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def add_samples(project, count: int, start: int = 0) -> list[Sample]:
    rows = []
    for number in range(start, start + count):
        sample = Sample.objects.create(
            project=project, code=f"N-{number:03}", state="composite", notation="(CsPbI3)0.25(agZIF-62)0.75"
        )
        ProcessFactors.objects.filter(sample=sample).update(
            loading_mass_fraction=(number % 10) / 10,
            sintering_temperature_c=150 + 25 * (number % 9),
            quench_medium="water" if number % 2 else "liquid_nitrogen",
            halide="I" if number % 3 else "Br",
        )
        rows.append(sample)
    return rows


@pytest.fixture
def paper(db: None) -> Publication:
    return Publication.objects.create(
        key="Li2023", title="Interfacial <alloying>", doi="10.1038/s41467-023-43247-6"
    )


def publish(sample: Sample, paper: Publication, key: str = "plqy", value: float | None = 0.813, **more: Any):
    unit = {"plqy": "1", "pl_peak_center": "nm"}[key]
    return Value.objects.create(
        sample=sample, property=key, value=value, unit=unit, origin="published", publication=paper, **more
    )


def measure(sample: Sample, number: int) -> None:
    """A measurement with a picture, a value, and a run that failed."""
    measurement = Measurement.objects.create(
        project=sample.project, sample=sample, technique="pl", status="read", content_key=f"{number:064x}"
    )
    blob = Blob.objects.create(sha256=f"{number:064x}", size=1)
    Dataset.objects.create(
        measurement=measurement, reader="r", reader_version=1, blob=blob, shape=[2], axes=[],
        signal_name="I", signal_unit="counts", preview=b"\x00" * 16,
    )  # fmt: skip
    Run.objects.create(
        measurement=measurement, method="m", method_version=1, identity=f"{number:064x}", status="failed",
        message=f"Reason {number}.", queued_at=timezone.now(),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["samples", "home", "recipes"])
def test_the_number_of_queries_does_not_grow_with_the_list(name, alices_browser, project, composite, paper):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert alices_browser.get(reverse(name)).status_code == 200
        return len(captured)

    for number, sample in enumerate(add_samples(project, 3)):
        publish(sample, paper)
        measure(sample, number)
    few = queries()
    for number, sample in enumerate(add_samples(project, 27, start=3), start=3):
        publish(sample, paper)
        measure(sample, number)
        publish(sample, paper, "pl_peak_center", 690.0, component="I")
    assert queries() == few


def test_the_queries_of_a_sample_page_do_not_grow_with_its_family(alices_browser, project, composite, paper):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert alices_browser.get(reverse("sample", args=[composite.code])).status_code == 200
        return len(captured)

    def child(code: str) -> None:
        made = Preparation.objects.create(project=project)
        Ingredient.objects.create(preparation=made, sample=composite, mass_g=0.01)
        Sample.objects.create(project=project, code=code, state="composite", preparation=made)

    child("CHILD-0")
    publish(composite, paper)
    measure(composite, 0)
    few = queries()
    for number in range(1, 12):
        child(f"CHILD-{number}")
        measure(composite, number)
        publish(composite, paper, value=0.1 * number / 12)
    assert queries() == few


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"quench": "water", "loading_min": "90"}, {"N-009", "N-019", "N-029"}),
        ({"temperature_min": "340"}, {"N-008", "N-017", "N-026"}),
        ({"loading_max": "0", "halide": "Br"}, {"N-000"}),
        ({"search": "N-01 25"}, {f"N-01{n}" for n in range(10)}),
        ({"state": "glass"}, set()),
        ({"made": "planned"}, set()),
        (
            {"loading_min": "many", "temperature_max": "150", "state": "nonsense"},
            {"N-000", "N-009", "N-018", "N-027"},
        ),
    ],
)
def test_filters_in_the_address_decide_what_is_listed(query, expected, alices_browser, project):
    add_samples(project, 30)
    answer = alices_browser.get(reverse("samples"), query)
    assert {row.code for row in answer.context["page"].rows} == expected
    listed = csv.reader(
        b"".join(alices_browser.get(reverse("samples"), query | {"as": "csv"}).streaming_content)
        .decode("utf-8-sig")
        .splitlines()
    )
    assert {row[0] for row in listed} - {"code"} == expected


def test_sorting_follows_the_address_and_pages_by_key(alices_browser, project):
    add_samples(project, 70)
    first = alices_browser.get(reverse("samples"), {"sort": "-loading"}).context["page"]
    loadings = [row.factors.loading_mass_fraction for row in first.rows]
    assert loadings == sorted(loadings, reverse=True)
    second = alices_browser.get(reverse("samples"), {"sort": "-loading", "after": first.after}).context[
        "page"
    ]
    assert len(first.rows) + len(second.rows) == 70
    assert not {row.pk for row in first.rows} & {row.pk for row in second.rows}


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(alices_browser, project):
    Sample.objects.create(project=project, code="X-1", state="powder", name="=HYPERLINK(1)")
    listed = b"".join(alices_browser.get(reverse("samples"), {"as": "csv"}).streaming_content).decode()
    assert "'=HYPERLINK(1)" in listed


def test_an_empty_list_says_what_to_do(alices_browser, project):
    assert "Plan a composite" in text_of(alices_browser, "samples")


def test_the_page_tells_the_steps_in_order_with_their_units(alices_browser, composite):
    page = text_of(alices_browser, "sample", composite.code).replace("\u202f", " ")
    places = [page.index(words) for words in ("60 min", "800 rpm", "275 °C", "liquid nitrogen")]
    assert places == sorted(places)
    assert "(CsPbI<sub>3</sub>)<sub>0.25</sub>" in page
    assert "planned, not made yet" in page
    assert '<svg class="programme"' in page


def test_a_performed_step_shows_its_set_point_where_it_differs(alices_browser, composite):
    planned = composite.preparation.recipe.milling_steps.get()
    composite.preparation.milling_steps.create(order=1, planned=planned, duration_min=90, rpm=800)
    page = text_of(alices_browser, "sample", composite.code).replace("\u202f", " ")
    assert "90 min" in page
    assert "(set 60 min)" in page
    assert "(set 800 rpm)" not in page


def test_a_published_value_names_its_doi_and_place_and_is_marked(alices_browser, composite, paper):
    publish(composite, paper, place="Fig. 2a", comparator=">", inferred=True)
    page = text_of(alices_browser, "sample", composite.code).replace("\u202f", " ")
    assert "https://doi.org/10.1038/s41467-023-43247-6" in page
    assert "Fig. 2a" in page
    assert "&gt; 81.3" in page
    assert 'class="origin published"' in page
    assert "inferred" in page
    assert "Interfacial &lt;alloying&gt;" in page


def test_origins_are_never_mixed_and_the_rest_is_counted(alices_browser, composite, paper, alice):
    publish(composite, paper)
    for number, sigma in ((0.40, 0.01), (0.44, 0.01)):
        Value.objects.create(
            sample=composite,
            property="plqy",
            value=number,
            sigma=sigma,
            unit="1",
            origin="entered",
            entered_by=alice,
            note="sphere",
        )
    page = text_of(alices_browser, "sample", composite.code).replace("\u202f", " ")
    assert "42.0" in page  # the mean of the two entered ones, 2σ apart: Birge widens 0.71 to 2.0
    assert "± 2.0" in page
    assert "1 more" in page


def test_unknown_masses_are_not_recorded_and_never_zero(alices_browser, composite):
    page = text_of(alices_browser, "sample", composite.code)
    assert "not recorded" in page
    assert "0 mg" not in page.replace("\u202f", " ")


def test_names_from_people_are_escaped(alices_browser, project):
    sample = Sample.objects.create(
        project=project, code="X-2", state="powder", name="<b>&", notation="<i>x</i>", notes="<script>"
    )
    page = text_of(alices_browser, "sample", sample.code) + text_of(alices_browser, "samples")
    for markup in ("<b>&", "<i>x", "<script>\n", "<script></"):
        assert markup not in page


def test_a_planned_sample_becomes_made_with_what_is_known(alices_browser, composite):
    alices_browser.post(reverse("sample-made", args=[composite.code]), {"amount_mg": "46"})
    composite.refresh_from_db()
    assert not composite.planned
    assert composite.made_at is None
    assert composite.amount_g == pytest.approx(0.046)


def test_times_are_shown_in_the_readers_zone_with_the_zone_on_hover(alice, alices_browser, composite):
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    Sample.objects.filter(pk=composite.pk).update(planned=False, made_at="2026-11-20T14:05:00Z")
    page = text_of(alices_browser, "sample", composite.code)
    assert ">2026-11-20 23:05</time>" in page
    assert 'title="Asia/Tokyo, UTC+0900"' in page
    assert 'datetime="2026-11-20T14:05:00+00:00"' in page


def test_the_browsers_own_zone_is_used_where_the_person_chose_none(alices_browser, composite):
    alices_browser.cookies["time_zone"] = "Europe/Berlin"
    Sample.objects.filter(pk=composite.pk).update(planned=False, made_at="2026-11-20T14:05:00Z")
    assert ">2026-11-20 15:05</time>" in text_of(alices_browser, "sample", composite.code)


def test_both_versions_of_a_recipe_find_each_other(
    alices_browser, alice, project, composite, cspbi3, zif_glass
):
    again = plan_composite(
        user=alice, project=project, name="CsPbI3 in glass", components=[(cspbi3, 0.1), (zif_glass, 0.9)]
    )
    page = text_of(alices_browser, "recipe", again.preparation.recipe_id)
    assert reverse("recipe", args=[composite.preparation.recipe_id]) in page
    assert again.code in page
    assert composite.code not in page


def enter(client: Any, sample: Sample, **fields: str) -> None:
    known = {
        "subject": "plqy:",
        "comparator": "=",
        "value": "42.1",
        "sigma": "0.9",
        "reason": "Sphere, 3 May",
    }
    client.post(reverse("value-enter", args=[sample.code]), known | fields)


def test_a_value_entered_in_percent_is_stored_as_a_fraction_with_person_and_reason(
    alice, alices_browser, composite
):
    enter(alices_browser, composite)
    value = Value.objects.get()
    assert (value.value, value.sigma, value.unit) == (pytest.approx(0.421), pytest.approx(0.009), "1")
    assert (value.origin, value.entered_by, value.note) == ("entered", alice, "Sphere, 3 May")
    page = text_of(alices_browser, "sample", composite.code).replace("\u202f", " ")
    assert "42.10" in page
    assert 'class="origin entered"' in page


@pytest.mark.parametrize(
    "wrong", [{"reason": " "}, {"value": "bright"}, {"value": "nan"}, {"sigma": "-1"}, {"subject": "charm:"}]
)
def test_a_value_that_cannot_be_is_refused_and_says_so(wrong, alices_browser, composite):
    enter(alices_browser, composite, **wrong)
    assert not Value.objects.exists()
    assert "Nothing was entered." in text_of(alices_browser, "sample", composite.code)


def test_a_viewer_enters_no_value(bobs_browser, composite):
    enter(bobs_browser, composite)
    assert not Value.objects.exists()

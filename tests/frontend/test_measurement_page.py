"""The page of a measurement, its figure, its runs; the list, the inbox and the jobs."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analysis.models import Run, Value
from analysis.services import execute, request_run, request_runs
from frontend.templatetags.vitrine import titled
from measurements.models import Dataset, Measurement
from measurements.services import Incoming, read_measurement, receive
from samples.models import Sample, User
from tests.spectra import spectrum_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def fitted(alice: User, composite: Sample) -> Measurement:
    """A PL spectrum, read and analysed."""
    row = receive(
        user=alice, files=[spectrum_file(name="a<b>.txt")], sample_code=composite.code, technique="pl"
    ).measurement
    return worked_on(row)


def worked_on(row: Measurement) -> Measurement:
    read_measurement(row)
    row.refresh_from_db()
    for run in request_runs(row):
        execute(run.pk)
    return row


def page(browser: Client, row: Measurement, query: str = "") -> str:
    answer = browser.get(f"/measurements/{row.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def names(drawing: dict[str, Any]) -> list[str]:
    return [trace["name"] for trace in drawing["data"]]


def test_who_looks_between_reading_and_runs_looks_again(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row = receive(user=alice, files=[spectrum_file()], sample_code=composite.code, technique="pl").measurement
    read_measurement(row)
    assert not Run.objects.exists(), "they are asked for after the reading's commit"
    assert 'hx-trigger="every 2s"' in page(alices_browser, row)
    Dataset.objects.update(read_at=timezone.now() - timedelta(minutes=5))
    later = page(alices_browser, row)
    assert 'hx-trigger="every 2s"' not in later
    assert "Nothing has run by itself" in later


def test_the_figure_holds_data_fit_components_and_residual(
    alices_browser: Client, fitted: Measurement
) -> None:
    drawing = alices_browser.get(f"/figures/measurements/{fitted.pk}.json").json()
    assert names(drawing) == ["data", "component I", "component II", "fit", "residual"]
    run = Run.objects.get(measurement=fitted, method="pl_gaussians")
    assert alices_browser.get(f"/figures/runs/{run.pk}.json").json()["data"] == drawing["data"]


def test_the_page_shows_values_with_sigma_hash_method_and_why(
    alices_browser: Client, fitted: Measurement
) -> None:
    text = page(alices_browser, fitted)
    assert fitted.files.get().blob.sha256 in text
    assert "pl_gaussians 1" in text
    assert "BIC" in text
    centre = Value.objects.get(measurement=fitted, property="pl_peak_center", component="I")
    assert f"{centre.value:.1f}" in text


def test_a_file_name_is_shown_and_not_obeyed(alices_browser: Client, fitted: Measurement) -> None:
    assert "a&lt;b&gt;.txt" in page(alices_browser, fitted)
    assert "<b>.txt" not in page(alices_browser, fitted)


@pytest.mark.parametrize("who", ["charlies_browser", "client"])
def test_a_stranger_finds_neither_page_nor_figure(
    request: pytest.FixtureRequest, who: str, fitted: Measurement
) -> None:
    browser = request.getfixturevalue(who)
    expected = 302 if who == "client" else 404
    run = Run.objects.filter(measurement=fitted).first()
    assert run is not None
    for address in (
        f"/measurements/{fitted.pk}/",
        f"/figures/measurements/{fitted.pk}.json",
        f"/figures/runs/{run.pk}.json",
    ):
        assert browser.get(address).status_code == expected, address
    for address in (f"/measurements/{fitted.pk}/runs/", f"/measurements/{fitted.pk}/change/"):
        assert browser.post(address, {"method": "pl_gaussians"}).status_code == expected, address


def test_a_stranger_counts_nothing_in_lists_inbox_and_jobs(
    charlies_browser: Client, fitted: Measurement
) -> None:
    assert "VT-GLASS" not in charlies_browser.get("/measurements/").content.decode()
    assert "Nothing was measured yet" in charlies_browser.get("/measurements/").content.decode()
    assert "Nothing has run yet" in charlies_browser.get("/jobs/").content.decode()


def test_a_viewer_looks_but_has_no_form_and_may_not_run(bobs_browser: Client, fitted: Measurement) -> None:
    assert "Run again" not in page(bobs_browser, fitted)
    assert (
        bobs_browser.post(f"/measurements/{fitted.pk}/runs/", {"method": "pl_gaussians"}).status_code == 403
    )


def test_the_form_comes_from_the_declared_parameters(alices_browser: Client, fitted: Measurement) -> None:
    text = page(alices_browser, fitted)
    assert 'name="window_min_nm"' in text
    assert "How many Gaussians; auto decides by BIC." in text


def test_other_parameters_make_another_run_and_the_old_one_stays(
    alices_browser: Client, fitted: Measurement
) -> None:
    answer = alices_browser.post(
        f"/measurements/{fitted.pk}/runs/", {"method": "pl_gaussians", "model": "one"}
    )
    assert answer.status_code == 302
    run = Run.objects.get(status="queued")
    assert run.params["model"] == "one"
    execute(run.pk)
    text = page(alices_browser, fitted)
    assert "superseded" in text
    assert "\u202fσ" in text  # by how much it moved
    older = Run.objects.exclude(pk=run.pk).get(method="pl_gaussians")
    drawing = alices_browser.get(f"/figures/measurements/{fitted.pk}.json?run={older.pk}").json()
    assert "component II" in names(drawing)


def test_a_parameter_beyond_its_limit_is_refused_beside_its_field(
    alices_browser: Client, fitted: Measurement
) -> None:
    before = Run.objects.count()
    answer = alices_browser.post(
        f"/measurements/{fitted.pk}/runs/", {"method": "pl_gaussians", "max_width_nm": "-1"}
    )
    assert answer.status_code == 422
    assert "is at least" in answer.content.decode()
    assert Run.objects.count() == before


def test_the_page_polls_while_a_run_waits_and_stops_when_it_is_done(
    alices_browser: Client, alice: User, fitted: Measurement
) -> None:
    assert "every 2s" not in page(alices_browser, fitted)
    run, _ = request_run(fitted, "pl_gaussians", {"model": "one"}, user=alice)
    assert "every 2s" in page(alices_browser, fitted, "?part=live")
    execute(run.pk)
    assert "every 2s" not in page(alices_browser, fitted, "?part=live")


def test_a_file_that_could_not_be_read_says_why_and_keeps_its_bytes(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row = receive(
        user=alice, files=[Incoming("empty.txt", io.BytesIO(b""))], sample_code=composite.code, technique="pl"
    ).measurement
    read_measurement(row)
    row.refresh_from_db()
    text = page(alices_browser, row)
    assert row.error in text.replace("&quot;", '"').replace("&#x27;", "'")
    assert "Download raw" in text
    assert alices_browser.get(f"/figures/measurements/{row.pk}.json").json()["empty"] == row.error


def test_jobs_group_failures_by_reason_and_try_them_again(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    for seed in (1, 2):
        flat = b"Wavelength (nm)\tIntensity (counts)\n" + b"".join(
            b"%d\t%d\n" % (x, 100 + (x * seed * 7919) % 5) for x in range(550, 801)
        )
        row = receive(
            user=alice,
            files=[Incoming(f"{seed}.txt", io.BytesIO(flat))],
            sample_code=composite.code,
            technique="pl",
        ).measurement
        worked_on(row)
    failed = Run.objects.filter(status="failed", method="pl_gaussians")
    assert failed.count() == 2
    text = alices_browser.get("/jobs/").content.decode()
    assert "All done" in text
    assert text.count(failed[0].message) == 1
    alices_browser.post("/jobs/retry/", {"run": [run.pk for run in failed]})
    assert Run.objects.filter(status="queued").count() == 2
    assert "2 waiting" in alices_browser.get("/jobs/?part=live").content.decode()


def test_a_viewer_cannot_try_again(bobs_browser: Client, alice: User, fitted: Measurement) -> None:
    run = Run.objects.filter(measurement=fitted).first()
    assert run is not None
    Run.objects.filter(pk=run.pk).update(status="failed", message="It failed.")
    bobs_browser.post("/jobs/retry/", {"run": run.pk})
    assert Run.objects.get(pk=run.pk).status == "failed"


def test_the_inbox_suggests_the_sample_named_in_the_file(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    receive(user=alice, files=[spectrum_file(name=f"{composite.code}_300K.txt")])
    text = alices_browser.get("/inbox/").content.decode()
    assert f'value="{composite.code}"' in text
    assert "It came without a sample." in text


def test_many_leave_the_inbox_at_once(alices_browser: Client, alice: User, composite: Sample) -> None:
    rows = [
        receive(user=alice, files=[spectrum_file(seed, f"{seed}.txt")], sample_code="UNKNOWN-9").measurement
        for seed in (1, 2)
    ]
    assert "UNKNOWN-9" in alices_browser.get("/inbox/").content.decode()
    alices_browser.post("/inbox/assign/", {"measurement": [row.pk for row in rows], "sample": composite.code})
    assert set(Measurement.objects.values_list("sample__code", flat=True)) == {composite.code}


def test_a_sample_that_does_not_exist_keeps_it_in_the_inbox(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row = receive(user=alice, files=[spectrum_file()]).measurement
    answer = alices_browser.post(
        "/inbox/assign/", {"only": row.pk, f"sample-{row.pk}": "NOT-THERE"}, follow=True
    )
    assert "There is no sample “NOT-THERE”" in answer.content.decode()
    row.refresh_from_db()
    assert row.sample is None


def test_an_unknown_technique_can_be_said_later(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row = receive(
        user=alice, files=[spectrum_file()], sample_code=composite.code, technique="unknown"
    ).measurement
    assert "What was measured?" in page(alices_browser, row)
    alices_browser.post(f"/measurements/{row.pk}/change/", {"technique": "pl"})
    row.refresh_from_db()
    assert row.technique == "pl"


def test_the_list_filters_and_pages_by_key(alices_browser: Client, alice: User, composite: Sample) -> None:
    for seed in range(55):
        receive(
            user=alice, files=[spectrum_file(seed, f"{seed}.txt")], sample_code=composite.code,
            technique="pl" if seed % 2 else "uvvis",
        )  # fmt: skip
    first = alices_browser.get("/measurements/")
    assert len(first.context["page"].rows) == 50
    second = alices_browser.get("/measurements/", {"after": first.context["page"].after})
    assert len(second.context["page"].rows) == 5
    only = alices_browser.get("/measurements/", {"technique": "pl"})
    assert only.context["count"] == 27


def test_more_rows_cost_no_more_queries(
    alices_browser: Client, alice: User, composite: Sample, fitted: Measurement
) -> None:
    def counted() -> list[int]:
        counts = []
        for address in ("/measurements/", f"/measurements/{fitted.pk}/", "/jobs/", "/inbox/"):
            with CaptureQueriesContext(connection) as seen:
                assert alices_browser.get(address).status_code == 200
            counts.append(len(seen))
        return counts

    receive(user=alice, files=[spectrum_file(90, "90.txt")])
    few = counted()
    for seed in range(91, 96):
        receive(user=alice, files=[spectrum_file(seed, f"{seed}.txt")])
        row = receive(
            user=alice, files=[spectrum_file(seed, f"{seed}.txt")], sample_code=composite.code, technique="pl"
        ).measurement
        worked_on(row)
    for maximum in (90, 91, 92):
        run, _ = request_run(fitted, "pl_gaussians", {"max_width_nm": maximum}, user=alice)
        execute(run.pk)
    assert counted() == few


def test_of_several_raw_files_no_button_hands_over_the_first_as_if_it_were_all(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    files = [spectrum_file(name="scan_25C.txt"), Incoming("notes.txt", io.BytesIO(b"lamp on"))]
    row = receive(user=alice, files=files, sample_code=composite.code, technique="pl").measurement
    text = page(alices_browser, row)
    assert "Download raw" not in text
    assert '<a class="button" href="#files">2 raw files</a>' in text


@pytest.mark.parametrize(
    ("name", "unit", "title"),
    [
        ("wavelength", "nm", "Wavelength (nm)"),
        ("Sample", "1", "Sample"),
        ("Counts", "counts", "Counts"),
        ("q", "1/Å", "q (Å⁻¹)"),
        ("y", "", "y"),
    ],
)
def test_axes_are_named_with_their_units_where_they_have_one(name: str, unit: str, title: str) -> None:
    assert titled(name, unit) == title

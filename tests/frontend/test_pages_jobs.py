"""The queue: what waits, runs and failed, on its page and over REST, for those who may see it."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from analysis.models import Run
from frontend.views.jobs import in_words
from measurements.models import Measurement
from samples.models import Membership, Project, Role, Sample, User
from tests.conftest import api, person
from tests.frontend.conftest import browser

pytestmark = pytest.mark.django_db
numbers = itertools.count(1)


@pytest.fixture
def row(project: Project, composite: Sample) -> Measurement:
    return Measurement.objects.create(
        project=project, sample=composite, status="read", technique="pl", content_key="a" * 64
    )


def run_of(row: Measurement | None, status: str = "queued", **more: object) -> Run:
    now = timezone.now()
    more = {
        "method": "pl_gaussians",
        "method_version": 1,
        "lease_until": now + timedelta(seconds=30) if status == "running" else None,
        "started_at": None if status == "queued" else now - timedelta(seconds=10),
        "finished_at": now if status in ("done", "failed") else None,
        "message": "It did not converge." if status == "failed" else "",
    } | more
    return Run.objects.create(
        measurement=row, status=status, queued_at=now, identity=f"{next(numbers):064x}", **more
    )


def page(client: Client, address: str = "/jobs/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def queue(client: APIClient, address: str = "/api/v1/queue/") -> dict[str, object]:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.json()


def test_an_idle_queue_says_so_and_asks_for_nothing_more(alices_browser: Client, as_alice: APIClient) -> None:
    text = page(alices_browser)
    assert "All done" in text
    assert "hx-trigger" not in text.split('id="jobs"')[1].split(">")[0]
    assert queue(as_alice)["busy"] is False


def test_a_busy_page_asks_again_and_stops_when_all_is_done(alices_browser: Client, row: Measurement) -> None:
    run = run_of(row)
    assert 'hx-trigger="every 2s"' in page(alices_browser)
    Run.objects.filter(pk=run.pk).update(status="cancelled")
    assert "every 2s" not in page(alices_browser, "/jobs/?part=live")


def test_the_sentence_counts_what_runs_waits_and_is_to_be_read(
    alices_browser: Client, row: Measurement, project: Project
) -> None:
    run_of(row, "running")
    for _ in range(3):
        run_of(row)
    Measurement.objects.create(project=project, content_key="b" * 64)
    assert "1 running, 3 waiting, 1 file to be read" in page(alices_browser)


def test_what_waits_is_told_by_lane_and_priority_with_the_oldest(
    as_alice: APIClient, row: Measurement
) -> None:
    long_ago = timezone.now() - timedelta(hours=5)
    run_of(row, priority=0)
    run_of(row, priority=7, requested_at=long_ago)
    run_of(row, priority=7, lane="long")
    fast, slow = queue(as_alice)["lanes"]  # type: ignore[misc]
    assert (fast["lane"], fast["by_priority"]) == ("fast", {"person": 1, "upload": 0, "reanalysis": 1})
    assert (slow["lane"], slow["by_priority"]) == ("long", {"person": 0, "upload": 0, "reanalysis": 1})
    assert queue(as_alice)["oldest_since"] == fast["oldest_since"]
    assert fast["oldest_since"].startswith(f"{long_ago:%Y-%m-%dT%H:%M:%S}")


def test_a_running_method_shows_how_far_it_is(alices_browser: Client, row: Measurement) -> None:
    run_of(row, "running", progress=0.42, progress_note="repetition 5 of 12")
    text = page(alices_browser)
    assert '<progress max="1" value="0.420"' in text
    assert "repetition 5 of 12" in text


def test_the_estimate_is_work_that_waits_over_work_done_lately(as_alice: APIClient, row: Measurement) -> None:
    """Two seconds each by experience; in the last minute 60 ended, so two are worked on at a time."""
    now = timezone.now()
    for _ in range(60):
        run_of(row, "done", duration_s=2.0, started_at=now - timedelta(seconds=60))
    for _ in range(240):
        run_of(row)
    assert queue(as_alice)["about_s"] == pytest.approx(240, rel=0.1)
    assert "about 4 minutes" in page(browser(User.objects.get(username="alice")))


def test_nothing_done_lately_means_one_after_the_other(as_alice: APIClient, row: Measurement) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    run_of(row, "done", duration_s=30.0, started_at=yesterday, finished_at=yesterday)
    for _ in range(4):
        run_of(row)
    assert queue(as_alice)["about_s"] == pytest.approx(120)


def test_how_long_an_unknown_method_takes_is_not_invented(as_alice: APIClient, row: Measurement) -> None:
    run_of(row, method="never_run_before")
    assert queue(as_alice)["about_s"] is None
    assert "1 waiting" in page(browser(User.objects.get(username="alice")))


def test_work_of_others_lengthens_the_time_and_not_the_count(
    as_alice: APIClient, row: Measurement, charlie: User
) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    run_of(row, "done", duration_s=10.0, started_at=yesterday, finished_at=yesterday)
    run_of(row, priority=3)
    elsewhere = Measurement.objects.create(
        project=Project.objects.get(slug="charlie"), status="read", content_key="c" * 64
    )
    for priority in (0, 3, 7):  # the last is less urgent than hers
        run_of(elsewhere, priority=priority)
    found = queue(as_alice)
    assert (found["waiting"], found["about_s"]) == (1, pytest.approx(30))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (61, "about a minute"),
        (240, "about 4 minutes"),
        (5400, "about 90 minutes"),
        (10800, "about 3 hours"),
        (86400 * 4, "about 4 days"),
    ],
)
def test_times_are_told_as_exactly_as_they_are_known(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_the_last_hour_counts_what_ended_in_it(as_alice: APIClient, row: Measurement) -> None:
    run_of(row, "done")
    run_of(row, "failed", method="other")
    run_of(row, "done", finished_at=timezone.now() - timedelta(minutes=61))
    assert queue(as_alice)["last_hour"] == {"done": 1, "failed": 1}


def test_failures_that_differ_in_numbers_only_are_one_reason_and_tried_again_together(
    alices_browser: Client, as_alice: APIClient, row: Measurement
) -> None:
    for number in range(3):
        run_of(row, "failed", message=f"Line {number} is broken; export it again.", method=f"m{number}")
    Run.objects.update(method="pl_gaussians", requested_at=timezone.now())
    (reason,) = queue(as_alice)["failures"]  # type: ignore[misc]
    assert (reason["what"], reason["count"]) == ("run", 3)
    text = page(alices_browser)
    assert text.count("export it again.") >= 1
    assert "Try all again" in text
    assert alices_browser.get("/").content.decode().count("export it again.") == 1


def test_a_failure_that_was_answered_since_is_no_failure_any_more(
    as_alice: APIClient, row: Measurement
) -> None:
    run_of(row, "failed", requested_at=timezone.now() - timedelta(hours=1))
    run_of(row, "done")
    assert queue(as_alice)["failures"] == []


def test_unreadable_files_of_one_reason_are_handed_to_the_readers_again(
    alices_browser: Client, project: Project
) -> None:
    for number in range(3):
        Measurement.objects.create(
            project=project,
            status="failed",
            error=f"Line {number}: expected a number.",
            content_key=f"{number:064x}",
        )
    assert "Try all again" in page(alices_browser)
    alices_browser.post("/jobs/retry/", {"what": "file", "reason": "Line #: expected a number."})
    assert set(Measurement.objects.values_list("status", flat=True)) == {"received"}


def test_a_viewer_cannot_hand_files_to_the_readers_again(bobs_browser: Client, project: Project) -> None:
    Measurement.objects.create(project=project, status="failed", error="Broken.", content_key="d" * 64)
    assert "Try again" not in page(bobs_browser)
    bobs_browser.post("/jobs/retry/", {"what": "file", "reason": "Broken."})
    assert Measurement.objects.get().status == "failed"


def test_a_waiting_run_is_cancelled_at_once_and_a_running_one_within_seconds(
    alices_browser: Client, row: Measurement
) -> None:
    waiting, running = run_of(row), run_of(row, "running", method="other")
    text = page(alices_browser)
    for run in (waiting, running):
        assert f'aria-label="Cancel run {run.pk}"' in text
        alices_browser.post(f"/jobs/{run.pk}/cancel/")
        run.refresh_from_db()
    assert waiting.status == "cancelled"
    assert (running.status, running.cancel_asked_at is not None) == ("running", True)
    assert "ends within seconds" in page(alices_browser)


def test_a_run_over_values_stands_in_the_queue_and_can_be_cancelled(
    alices_browser: Client, project: Project, composite: Sample
) -> None:
    for over in ({"project": project}, {"sample": composite}):
        run = run_of(None, method="over_values", **over)
        text = page(alices_browser)
        assert "its values" in text
        assert f"Cancel run {run.pk}" in text
        alices_browser.post(f"/jobs/{run.pk}/cancel/")
        run.refresh_from_db()
        assert run.status == "cancelled"


def test_a_viewer_cancels_nothing(bobs_browser: Client, row: Measurement) -> None:
    run = run_of(row)
    assert "Cancel run" not in page(bobs_browser)
    assert bobs_browser.post(f"/jobs/{run.pk}/cancel/").status_code == 403
    run.refresh_from_db()
    assert run.status == "queued"


def test_a_stranger_counts_and_cancels_nothing(
    as_charlie: APIClient, charlie: User, row: Measurement
) -> None:
    run = run_of(row)
    run_of(row, "failed", method="other")
    found = queue(as_charlie)
    assert (found["waiting"], found["failures"], found["last_hour"]) == (0, [], {"done": 0, "failed": 0})
    assert browser(charlie).post(f"/jobs/{run.pk}/cancel/").status_code == 404
    assert as_charlie.get("/api/v1/queue/?project=glass").status_code == 404


def test_runs_of_an_embargoed_sample_are_not_counted_for_a_fellow_member(
    row: Measurement, project: Project, composite: Sample
) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    run_of(row)
    assert queue(api(dora))["waiting"] == 1
    Sample.objects.filter(pk=composite.pk).update(embargoed_until=timezone.now().date() + timedelta(days=9))
    assert queue(api(dora))["waiting"] == 0


def test_the_page_asks_as_many_questions_for_many_runs_as_for_one(
    alices_browser: Client, row: Measurement, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def asked() -> int:
        with django_assert_max_num_queries(30) as captured:
            page(alices_browser)
        return len(captured)

    run_of(row)
    run_of(row, "running", method="other")
    run_of(row, "failed", method="third")
    before = asked()
    for number in range(30):
        run_of(row, priority=3)
        run_of(row, "running", method=f"m{number}")
        run_of(row, "failed", method=f"f{number}", message=f"Reason {'x' * number}.")
    assert asked() == before

"""Managers see what is outdated, have it asked again, and read what came of it; nobody else does."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from rest_framework.test import APIClient

from analysis import services
from analysis.models import Notice, Reanalysis, Run, Value
from analysis.services.schedule import TASK, nightly
from measurements.models import Measurement
from samples.models import Membership, Project, Role, Sample, User
from tests.analysis.conftest import Measured, measured
from tests.analysis.test_reanalysis import execute_all, fitted, raise_version, shifted
from tests.conftest import person

__all__ = ["measured"]


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def old(measured: Measured) -> Run:
    return fitted(measured())


@pytest.fixture
def done(old: Run, project: Project, alice: User, monkeypatch: pytest.MonkeyPatch) -> Reanalysis:
    """Every peak moved by 2 nm."""
    raise_version(monkeypatch, shifted(2.0))
    campaign = services.begin(project, user=alice, trigger="person")
    assert campaign is not None
    execute_all()
    services.finish_campaigns()
    campaign.refresh_from_db()
    return campaign


def test_a_manager_sees_what_is_outdated_and_has_it_asked_again(
    old: Run, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(alice)
    assert "Nothing is outdated" in client.get("/reanalysis/").content.decode()
    raise_version(monkeypatch)
    assert "Ask again" in client.get("/reanalysis/").content.decode()
    answer = client.post("/reanalysis/begin/", {"project": "glass", "method": old.method})
    campaign = Reanalysis.objects.get()
    assert answer["Location"] == f"/reanalysis/{campaign.pk}/"
    assert (campaign.asked_by, campaign.found) == (alice, 1)
    client.post("/reanalysis/begin/", {"project": "glass", "method": old.method})
    assert Reanalysis.objects.count() == 1


def test_a_campaign_is_paused_and_resumed_on_its_page(
    old: Run, project: Project, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_version(monkeypatch)
    campaign = services.begin(project)
    assert campaign is not None
    client = browser(alice)
    client.post(f"/reanalysis/{campaign.pk}/pause/")
    page = client.get(f"/reanalysis/{campaign.pk}/").content.decode()
    assert f'action="/reanalysis/{campaign.pk}/resume/"' in page
    client.post(f"/reanalysis/{campaign.pk}/resume/")
    assert "Pause" in client.get(f"/reanalysis/{campaign.pk}/?part=live").content.decode()


def test_the_report_names_what_moved_and_leads_to_both_runs(done: Reanalysis, old: Run, alice: User) -> None:
    page = browser(alice).get(f"/reanalysis/{done.pk}/").content.decode()
    new = done.runs.get()
    assert "VT-GLASS" in page
    assert f"/runs/{new.pk}/compare/?with={old.pk}" in page


def test_all_changes_come_as_csv(done: Reanalysis, old: Run, alice: User) -> None:
    answer = browser(alice).get(f"/reanalysis/{done.pk}/changes.csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("sample,measurement,property")
    assert len(lines) == 1 + old.values.count()
    peak = next(line for line in lines if ",pl_peak_center,I," in line).split(",")
    assert float(peak[9]) - float(peak[6]) == pytest.approx(2.0)
    assert float(peak[11]) > 1


def test_contributors_and_strangers_see_no_campaign(
    done: Reanalysis, project: Project, charlie: User
) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    assert browser(dora).get("/reanalysis/").status_code == 403
    for user in (dora, charlie):
        assert browser(user).get(f"/reanalysis/{done.pk}/").status_code == 404
        assert browser(user).post("/reanalysis/begin/", {"project": "glass"}).status_code in (403, 404)


def test_a_plan_and_a_campaign_over_rest(
    old: Run, as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_version(monkeypatch)
    address = "/api/v1/reanalyses/"
    plan = as_alice.post(address, {"dry_run": True}, format="json").json()
    assert plan["runs"] == 1
    assert plan["planned"][0]["reason"] == "version"
    assert as_bob.post(address, {"project": "glass"}, format="json").status_code == 403
    assert as_charlie.post(address, {"project": "glass"}, format="json").status_code == 400
    assert as_charlie.post(address, {"dry_run": True}, format="json").json()["runs"] == 0
    assert as_alice.post(address, {"method": "alchemy"}, format="json").status_code == 400
    answer = as_alice.post(address, {"method": old.method, "reason": "New baseline"}, format="json")
    assert answer.status_code == 202
    (begun,) = answer.json()["begun"]
    assert (begun["project"], begun["found"], begun["reason"]) == ("glass", 1, "New baseline")
    assert as_alice.post(address, {}, format="json").json()["begun"] == []
    assert as_alice.post(f"{address}{begun['id']}/pause/").json()["state"] == "paused"
    assert as_alice.post(f"{address}{begun['id']}/resume/").json()["state"] == "running"
    assert as_bob.get(address).json()["results"] == []


def test_two_runs_stand_side_by_side_in_units_of_sigma(
    done: Reanalysis, old: Run, alice: User, as_bob: APIClient
) -> None:
    new = done.runs.get()
    page = browser(alice).get(f"/runs/{new.pk}/compare/").content.decode()
    assert f"Run {old.pk}" in page
    pairs = as_bob.get(f"/api/v1/runs/{new.pk}/compare/?with={old.pk}").json()
    assert (pairs["old"], pairs["new"]) == (old.pk, new.pk)
    peak = next(p for p in pairs["values"] if (p["property"], p["component"]) == ("pl_peak_center", "I"))
    sigma = Value.objects.get(run=old, property="pl_peak_center", component="I").sigma
    assert peak["difference"] == pytest.approx(2.0)
    assert peak["sigmas"] == pytest.approx(2.0 / sigma)  # both sigmas are the same here
    width = next(p for p in pairs["values"] if (p["property"], p["component"]) == ("pl_peak_width", "I"))
    assert width["sigmas"] == 0
    turned = as_bob.get(f"/api/v1/runs/{old.pk}/compare/?with={new.pk}").json()
    assert turned == pairs


def test_both_fits_are_drawn_over_the_data(done: Reanalysis, old: Run, alice: User) -> None:
    new = done.runs.get()
    drawn = browser(alice).get(f"/figures/runs/{new.pk}/compare.json?with={old.pk}").json()
    names = [line["name"] for line in drawn["data"]]
    assert {"data", f"fit of run {old.pk}", f"fit of run {new.pk}"} <= set(names)
    assert drawn["layout"]["yaxis"]["type"] == "linear"
    Measurement.objects.update(technique="trpl")
    decay = browser(alice).get(f"/figures/runs/{new.pk}/compare.json?with={old.pk}").json()
    assert decay["layout"]["yaxis"]["type"] == "log", "decays are compared as they are drawn elsewhere"


def test_runs_of_different_measurements_are_not_compared(
    measured: Measured, as_alice: APIClient, alice: User
) -> None:
    one, two = fitted(measured(1)), fitted(measured(2))
    assert as_alice.get(f"/api/v1/runs/{one.pk}/compare/?with={two.pk}").status_code == 400
    assert browser(alice).get(f"/runs/{one.pk}/compare/?with={two.pk}").status_code == 404
    assert browser(alice).get(f"/figures/runs/{one.pk}/compare.json?with={two.pk}").status_code == 404
    assert "nothing to compare" in browser(alice).get(f"/runs/{one.pk}/compare/").content.decode()


def test_the_measurement_s_page_leads_to_the_comparison(done: Reanalysis, old: Run, alice: User) -> None:
    page = browser(alice).get(f"/measurements/{old.measurement_id}/").content.decode()
    assert f"/runs/{old.pk}/compare/?with={done.runs.get().pk}" in page


def test_only_an_operator_changes_the_schedule_and_managers_read_it(alice: User, project: Project) -> None:
    wanted = {"enabled": "on", "at": "04:15", "day": "1"}
    assert browser(alice).post("/reanalysis/schedule/", wanted).status_code == 403
    operator = User.objects.create_superuser("operator", "o@example.org", "a long enough password")
    assert browser(operator).post("/reanalysis/schedule/", wanted).status_code == 302
    row = PeriodicTask.objects.get(task=TASK)
    assert (row.crontab.hour, row.crontab.minute, row.crontab.day_of_week) == ("4", "15", "1")
    told = "Everything outdated is asked again every Monday at 04:15 UTC."
    assert told in browser(alice).get("/reanalysis/").content.decode()
    browser(operator).post("/reanalysis/schedule/", {"at": "04:15", "day": ""})
    assert not PeriodicTask.objects.get(task=TASK).enabled
    assert browser(operator).post("/reanalysis/schedule/", {"at": "teatime"}).status_code == 302
    assert not nightly().enabled


def test_a_fresh_installation_reanalyses_every_night(db: None) -> None:
    PeriodicTask.objects.all().delete()  # other tests may have emptied the tables, or not
    import_module("analysis.migrations.0008_nightly_reanalysis_is_a_row").add(apps, None)
    assert str(nightly()) == "Everything outdated is asked again every day at 02:30 UTC."


def test_an_embargo_hides_from_the_report_what_it_hides_elsewhere(
    done: Reanalysis, project: Project, composite: Sample, alice: User
) -> None:
    """A manager sees all of their project; one who is no manager any more sees no report at all."""
    soon = timezone.now().date() + timedelta(days=30)
    Sample.objects.filter(pk=composite.pk).update(embargoed_until=soon)
    assert "VT-GLASS" in browser(alice).get(f"/reanalysis/{done.pk}/").content.decode()
    Membership.objects.filter(user=alice).update(role=Role.CONTRIBUTOR)
    assert browser(alice).get(f"/reanalysis/{done.pk}/").status_code == 404


def test_a_measurement_that_left_the_project_is_not_named_in_its_report(
    done: Reanalysis, old: Run, alice: User, charlie: User
) -> None:
    theirs = Project.objects.get(slug="charlie")
    moved = Sample.objects.create(project=theirs, code="CH-1", state="powder")
    Measurement.objects.filter(pk=old.measurement_id).update(project=theirs, sample=moved)
    Value.objects.filter(measurement=old.measurement_id).update(sample=moved)
    page = browser(alice).get(f"/reanalysis/{done.pk}/").content.decode()
    assert "CH-1" not in page
    lines = b"".join(browser(alice).get(f"/reanalysis/{done.pk}/changes.csv").streaming_content)  # type: ignore[attr-defined]
    assert b"CH-1" not in lines


def test_the_count_of_unread_notices_stands_on_every_page_until_they_are_read(
    done: Reanalysis, alice: User
) -> None:
    client = browser(alice)
    assert "Notices, 1 unread" in client.get("/samples/").content.decode()
    notice = Notice.objects.get(user=alice)
    assert notice.text in client.get("/notices/").content.decode()
    assert client.post(f"/notices/{notice.pk}/read/")["Location"] == f"/reanalysis/{done.pk}/"
    assert "unread" not in client.get("/samples/").content.decode()


def test_who_is_no_member_any_more_reads_no_notice_of_the_project(done: Reanalysis, alice: User) -> None:
    Membership.objects.filter(user=alice).delete()
    client = browser(alice)
    page = client.get("/notices/").content.decode()
    assert "Glass composites" not in page
    assert "unread" not in page
    assert client.post(f"/notices/{Notice.objects.get(user=alice).pk}/read/").status_code == 404


def test_notices_over_rest_are_one_s_own(done: Reanalysis, as_alice: APIClient, as_bob: APIClient) -> None:
    (notice,) = as_alice.get("/api/v1/notices/?unread=true").json()["results"]
    assert as_bob.get("/api/v1/notices/").json()["results"] == []
    assert as_bob.post(f"/api/v1/notices/{notice['id']}/read/").status_code == 404
    assert as_alice.post(f"/api/v1/notices/{notice['id']}/read/").json()["read_at"]
    assert as_alice.get("/api/v1/notices/?unread=true").json()["results"] == []
    assert as_alice.post("/api/v1/notices/read/").status_code == 204

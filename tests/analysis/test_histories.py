"""Who changed conflicts, rules of the inbox, default parameters and the schedule, as other things tell it."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.test import Client
from django_celery_beat.models import PeriodicTask
from rest_framework.test import APIClient

from analysis.models import Conflict
from analysis.services.conflicts import decide, propose
from analysis.services.parameters import set_defaults
from analysis.services.schedule import TASK, Nightly, set_nightly
from measurements.models import InboxRule
from samples import auditing
from samples.models import Project, User

HISTORY = "/api/v1/{}/{}/history/"


def entries(client: APIClient, noun: str, key: object) -> list[dict[str, Any]]:
    answer = client.get(HISTORY.format(noun, key))
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def changes(entry: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {change["field"]: (change["before"], change["after"]) for change in entry["changes"]}


def conflict_of(project: Project, user: User) -> Conflict:
    return propose(user=user, project=project, title="Two glass transitions", category="tension")


def test_a_conflict_tells_who_decided_it_and_what_was_decided_before(
    project: Project, alice: User, as_bob: APIClient, as_charlie: APIClient
) -> None:
    row = conflict_of(project, alice)
    for words in ("The first is right.", "The second is right."):
        with auditing.because("", alice):
            decide(conflict=row, user=alice, decision=words)
    newest, *_, made = entries(as_bob, "conflicts", row.pk)
    assert (newest["by"], newest["action"]) == ("alice", "update")
    assert changes(newest) == {"decision": ("The first is right.", "The second is right.")}
    assert changes(made)["title"] == (None, "Two glass transitions")
    assert as_charlie.get(HISTORY.format("conflicts", row.pk)).status_code == 404


def test_the_page_of_a_conflict_unfolds_its_history(project: Project, alice: User, client: Client) -> None:
    row = conflict_of(project, alice)
    client.force_login(alice)
    assert f'hx-get="/conflicts/{row.pk}/history/"' in client.get(f"/conflicts/{row.pk}/").content.decode()
    assert "Two glass transitions" in client.get(f"/conflicts/{row.pk}/history/").content.decode()


def test_a_rule_of_the_inbox_tells_who_switched_it_off_there_and_in_its_project(
    project: Project, alice: User, as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient
) -> None:
    rule = InboxRule.objects.create(project=project, pattern="{sample}_*.txt", created_by=alice)
    answer = as_alice.patch(f"/api/v1/inbox-rules/{rule.pk}/", {"enabled": False}, format="json")
    assert answer.status_code == 200, answer.content
    newest = entries(as_bob, "inbox-rules", rule.pk)[0]
    assert (newest["by"], newest["via"]) == ("alice", f"PATCH /api/v1/inbox-rules/{rule.pk}/")
    assert changes(newest) == {"enabled": (True, False)}
    of_project = entries(as_bob, "projects", project.slug)
    told = next(entry for entry in of_project if entry["kind"] == "inbox rule")
    assert (told["of"], changes(told)) == ("{sample}_*.txt", changes(newest))
    assert as_charlie.get(HISTORY.format("inbox-rules", rule.pk)).status_code == 404


def test_default_parameters_tell_each_parameter_from_and_to(
    project: Project, alice: User, as_bob: APIClient
) -> None:
    for width_nm in (6.0, 7.0):
        set_defaults(project=project, user=alice, method="pl_gaussians", params={"min_width_nm": width_nm})
    told = [entry for entry in entries(as_bob, "projects", project.slug) if entry["of"] == "pl_gaussians"]
    assert [changes(entry).get("params.min_width_nm") for entry in told] == [(6.0, 7.0), (None, 6.0)]
    assert set(changes(told[0])) == {"params.min_width_nm"}


def test_the_schedule_tells_what_people_set_and_not_each_of_its_starts(
    alice: User, project: Project, as_alice: APIClient, as_charlie: APIClient
) -> None:
    alice.is_staff = True
    alice.save()
    with auditing.because("", alice):
        set_nightly(Nightly(True, time(2, 30)), alice)
        set_nightly(Nightly(True, time(4, 15)), alice)
    row = PeriodicTask.objects.get(task=TASK)
    before = entries(as_alice, "schedules", row.pk)
    assert before[0]["by"] == "alice"
    assert "15 4 * * *" in changes(before[0])["crontab"][1]
    PeriodicTask.objects.filter(pk=row.pk).update(total_run_count=7)
    assert entries(as_alice, "schedules", row.pk) == before
    assert as_charlie.get(HISTORY.format("schedules", row.pk)).status_code == 404

"""The audit trail: who changed what, from where and why, also behind the back of the application."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from samples import auditing
from samples.history import Entry, history_of
from samples.models import Material, Membership, Project, Role, Sample, ShareLink, User
from tests.conftest import person
from tests.test_embargo import embargo


def newest(thing: object, user: User) -> Entry:
    return history_of(thing, user)[0]  # type: ignore[arg-type]


def told(entry: Entry) -> list[tuple[str, object, object, str]]:
    return [(change.field, change.before, change.after, change.unit) for change in entry.changes]


def test_a_change_is_told_from_and_to_with_its_unit(composite: Sample, alice: User) -> None:
    with auditing.because("Weighed again on the better balance", alice):
        composite.amount_g = 0.2
        composite.save()
        composite.amount_g = 0.198
        composite.save()
    entry = newest(composite, alice)
    assert told(entry) == [("amount_g", 0.2, 0.198, "g")]
    assert (entry.by, entry.reason) == ("alice", "Weighed again on the better balance")


def test_choices_and_references_are_told_in_words(composite: Sample, alice: User, cspbi3: Material) -> None:
    composite.state, composite.material = "powder", cspbi3
    composite.save()
    assert told(newest(composite, alice)) == [
        ("state", "Composite", "Powder", ""),
        ("material", None, "CsPbI3", ""),
    ]


def test_a_raw_update_is_recorded_too(composite: Sample, alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE samples_sample SET notes = 'forged' WHERE id = %s", [composite.pk])
    entry = newest(composite, alice)
    assert told(entry) == [("notes", None, "forged", "")]
    assert (entry.by, entry.via, entry.reason) == (None, "", "")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE samples_sampleevent SET notes = 'forged'", "DELETE FROM samples_sampleevent"],
)
def test_events_cannot_be_changed_or_removed(composite: Sample, alice: User, statement: str) -> None:
    before = history_of(composite, alice)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert history_of(composite, alice) == before


def test_the_steps_and_components_of_a_recipe_are_in_its_history(composite: Sample, alice: User) -> None:
    assert composite.preparation is not None
    recipe = composite.preparation.recipe
    entries = history_of(recipe, alice)
    kinds = {entry.kind for entry in entries}
    assert {"recipe", "component", "milling", "sintering", "furnace segment", "quench"} <= kinds
    component = next(entry for entry in entries if entry.kind == "component")
    assert ("mass_fraction", None, 0.75, "") in told(component)
    assert component.of == "agZIF-62"
    segment = next(entry for entry in entries if entry.kind == "furnace segment")
    assert ("target_c", None, 275.0, "°C") in told(segment)
    assert ("ramp_c_per_min", None, 20.0, "°C/min") in told(segment)


def test_a_weigh_out_that_was_removed_is_still_told(composite: Sample, alice: User) -> None:
    preparation = composite.preparation
    assert preparation is not None
    preparation.ingredients.all().delete()
    entries = [entry for entry in history_of(preparation, alice) if entry.kind == "ingredient"]
    assert [entry.action for entry in entries].count("delete") == 2


def test_a_members_new_role_is_in_the_history_of_the_project(
    project: Project, bob: User, alice: User
) -> None:
    member = Membership.objects.get(user=bob)
    member.role = Role.MANAGER
    member.save()
    entry = newest(project, alice)
    assert (entry.of, told(entry)) == ("bob", [("role", "Viewer", "Manager", "")])


def test_a_page_tells_who_and_from_where(composite: Sample, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    client.post(f"/samples/{composite.code}/made/", {"amount_mg": "200"})
    entry = newest(composite, alice)
    assert (entry.by, entry.via) == ("alice", f"POST /samples/{composite.code}/made/")


def test_a_token_tells_whose_it_is(composite: Sample, alice: User, project: Project) -> None:
    """Its person is known only after the middleware is through."""
    client = APIClient()
    credentials = client.post("/api/v1/auth/login/", HTTP_AUTHORIZATION=_basic("alice"))
    client.credentials(HTTP_AUTHORIZATION=f"Token {credentials.json()['token']}")
    answer = client.post(f"/api/v1/samples/{composite.code}/void/", {"reason": "Spilled."}, format="json")
    assert answer.status_code == 200, answer.content
    entry = newest(composite, alice)
    assert (entry.by, entry.reason) == ("alice", "Spilled.")
    assert entry.via == f"POST /api/v1/samples/{composite.code}/void/"


def _basic(name: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{name}:a long enough password".encode()).decode()


def test_a_task_and_a_command_name_themselves(composite: Sample, alice: User) -> None:
    class Task:
        name = "samples.tasks.tidy"

    auditing._task_begins("1", Task())
    Sample.objects.filter(pk=composite.pk).update(notes="tidied")
    auditing._task_ends("1")
    assert newest(composite, alice).via == "task samples.tasks.tidy"
    command = auditing.name_command(["manage.py", "demo"])
    assert command is not None
    with auditing.because("For the tour.", alice):
        Sample.objects.filter(pk=composite.pk).update(notes="demo")
    command.__exit__(None, None, None)
    entry = newest(composite, alice)
    assert (entry.via, entry.by, entry.reason) == ("command demo", "alice", "For the tour.")


def test_a_command_stays_named_as_long_as_its_process_lives() -> None:
    """In a process of its own, where nothing but the module holds on to the context."""
    told = subprocess.run(
        [sys.executable, "-m", "django", "shell", "--no-imports", "-c", WHAT_IS_TOLD],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(told.stdout) == {"command": "shell"}


WHAT_IS_TOLD = """
import gc; gc.collect()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("WITH one AS (SELECT 1) SELECT current_setting('pghistory.context_metadata', true)")
    print(cursor.fetchone()[0])
"""


def test_a_digest_is_in_no_history(composite: Sample, alice: User) -> None:
    from django.utils import timezone

    ShareLink.objects.create(
        sample=composite, digest="d" * 64, created_by=alice, expires_at=timezone.now(), note="for a referee"
    )
    assert "dddd" not in str(history_of(composite, alice))


def test_a_parent_under_an_embargo_stays_unnamed(composite: Sample, project: Project, alice: User) -> None:
    from samples.models import Ingredient, Preparation

    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    made = Preparation.objects.create(project=project)
    Ingredient.objects.create(preparation=made, sample=composite, mass_g=0.01)
    embargo(composite)
    assert "VT-GLASS" in str(history_of(made, alice))
    assert "VT-GLASS" not in str(history_of(made, dora))


def test_the_number_of_queries_does_not_grow_with_the_history(
    composite: Sample, alice: User, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        Sample.objects.filter(pk=composite.pk).update(notes=str(number))
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert len(history_of(composite, alice)) == 31

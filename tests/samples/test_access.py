"""Invitations, links to one sample, voiding and correcting: who may, once, until when, and why."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from samples.history import history_of
from samples.models import (
    Ingredient,
    Invitation,
    Membership,
    Preparation,
    ProcessFactors,
    Project,
    Role,
    Sample,
    ShareLink,
    User,
)
from samples.services import access, correcting, create_project, invitation_mail, voiding
from tests.conftest import person
from tests.test_embargo import embargo

HOSTILE_TOKENS = ["", "x", "a" * 43, "a" * 100_000, "é" * 43, "\0" * 43, "../../etc/passwd", None, 7, ["a"]]
NO_REASON = ["", "   ", "\u200b\u200b", "\u202e", "\n\t", None, 7]


def role_of(user: User, project: Project) -> int | None:
    return Membership.objects.filter(user=user, project=project).values_list("role", flat=True).first()


# Invitations


def test_whoever_was_invited_joins_once_with_the_role_that_was_meant(project: Project, alice: User) -> None:
    row, token = access.invite(project=project, email="Ada@Example.org", role=Role.CONTRIBUTOR, user=alice)
    ada, second = person("ada"), person("second")
    access.accept(token, ada)
    assert role_of(ada, project) == Role.CONTRIBUTOR
    with pytest.raises(access.SpentError):
        access.accept(token, second)
    assert role_of(second, project) is None
    row.refresh_from_db()
    assert (row.email, row.accepted_by) == ("ada@example.org", ada)


def test_the_database_holds_only_the_digest(project: Project, alice: User) -> None:
    row, token = access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    row.refresh_from_db()
    assert token not in str(Invitation.objects.values().get(pk=row.pk))
    assert row.digest == access.digest_of(token)


@pytest.mark.parametrize("days", [15, 365])
def test_an_invitation_that_is_too_old_lets_nobody_in(project: Project, alice: User, days: int) -> None:
    row, token = access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    Invitation.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=days))
    with pytest.raises(access.SpentError):
        access.accept(token, person("ada"))


def test_a_revoked_invitation_lets_nobody_in_and_cannot_be_revoked_twice(
    project: Project, alice: User
) -> None:
    row, token = access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    access.revoke_invitation(row, alice)
    with pytest.raises(access.SpentError):
        access.accept(token, person("ada"))
    with pytest.raises(ValidationError, match="revoked already"):
        access.revoke_invitation(row, alice)


def test_the_invitation_of_somebody_who_no_longer_manages_is_spent(project: Project, alice: User) -> None:
    _, token = access.invite(project=project, email="ada@example.org", role=Role.MANAGER, user=alice)
    Membership.objects.filter(user=alice).update(role=Role.CONTRIBUTOR)
    with pytest.raises(access.SpentError):
        access.accept(token, person("ada"))


@pytest.mark.parametrize("token", HOSTILE_TOKENS)
def test_a_hostile_token_opens_nothing(project: Project, alice: User, token: object) -> None:
    access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    with pytest.raises(access.SpentError):
        access.accept(token, person("ada"))
    assert access.shared_sample(token) is None


def test_accepting_never_lowers_a_role(project: Project, alice: User) -> None:
    _, token = access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    access.accept(token, alice)
    assert role_of(alice, project) == Role.MANAGER


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "\u202eada@example.org\0"}, ""),
        ({"email": "ada@example.org\r\nBcc: eve@example.org"}, "email"),
        ({"email": None}, "email"),
        ({"role": 31}, "role"),
        ({"role": -1}, "role"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"days": True}, "days"),
        ({"days": float("nan")}, "days"),
    ],
)
def test_a_wrong_invitation_is_refused_with_a_sentence(
    project: Project, alice: User, given: dict[str, object], field: str
) -> None:
    asked = {"email": "ada@example.org", "role": Role.VIEWER, **given}
    if not field:  # what cannot be seen is taken off
        assert access.invite(project=project, user=alice, **asked)[0].email == "ada@example.org"  # type: ignore[arg-type]
        return
    with pytest.raises(ValidationError) as refused:
        access.invite(project=project, user=alice, **asked)  # type: ignore[arg-type]
    assert field in refused.value.message_dict
    assert not Invitation.objects.exists()


def test_only_managers_invite_and_revoke(project: Project, alice: User, bob: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CONTRIBUTOR)
    with pytest.raises(PermissionDenied):
        access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=bob)
    row, _ = access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    with pytest.raises(PermissionDenied):
        access.revoke_invitation(row, bob)


def test_a_member_is_not_invited_again(project: Project, alice: User, bob: User) -> None:
    with pytest.raises(ValidationError, match="member already"):
        access.invite(project=project, email="BOB@example.org", role=Role.VIEWER, user=alice)


def test_the_letter_goes_out_where_there_is_a_mail_server_and_not_into_a_log(
    project: Project, alice: User, settings: object
) -> None:
    Project.objects.filter(pk=project.pk).update(name="Two\r\nBcc: eve@example.org")
    project.refresh_from_db()
    row, _ = access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    assert invitation_mail.send(row, "https://lab.example/invitations/secret/")
    assert mail.outbox[0].to == ["ada@example.org"]
    assert "\n" not in mail.outbox[0].subject
    assert "/invitations/secret/" in mail.outbox[0].body
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"  # type: ignore[attr-defined]
    assert not invitation_mail.send(row, "https://lab.example/invitations/secret/")


@pytest.mark.django_db(transaction=True)
def test_of_twelve_at_once_one_gets_in() -> None:
    alice = person("alice")
    project = create_project(user=alice, name="Glass composites", slug="glass")
    _, token = access.invite(project=project, email="ada@example.org", role=Role.VIEWER, user=alice)
    people = [person(f"p{number}") for number in range(12)]
    start, joined = threading.Barrier(len(people)), []

    def join(user: User) -> None:
        try:
            start.wait(timeout=20)
            access.accept(token, user)
            joined.append(user)
        except access.SpentError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(joined) == 1
    assert Membership.objects.filter(project=project).count() == 2


def test_invitations_over_rest(project: Project, as_alice: APIClient, as_bob: APIClient) -> None:
    address = f"/api/v1/projects/{project.slug}/invitations/"
    made = as_alice.post(address, {"email": "ada@example.org", "role": "contributor"}, format="json")
    assert made.status_code == 201, made.content
    token = made.json()["url"].rstrip("/").rpartition("/")[2]
    listed = as_alice.get(address).json()
    assert [row["email"] for row in listed] == ["ada@example.org"]
    assert "url" not in listed[0]
    assert token not in as_alice.get(address).content.decode()
    assert as_bob.get(address).json() == []
    assert as_bob.post(address, {"email": "x@example.org"}, format="json").status_code == 403
    ada = APIClient()
    ada.force_authenticate(person("ada"))
    joined = ada.post("/api/v1/invitations/accept/", {"token": token}, format="json")
    assert joined.json()["role"] == "contributor"
    again = ada.post("/api/v1/invitations/accept/", {"token": token}, format="json")
    assert again.status_code == 400
    assert "spent" in again.json()["error"]["message"]
    refused = as_alice.post(address, {"email": "nobody", "role": "king"}, format="json")
    assert set(refused.json()["error"]["fields"]) == {"email", "role"}
    second = as_alice.post(address, {"email": "eve@example.org"}, format="json").json()
    assert as_bob.delete(f"/api/v1/invitations/{second['id']}/").status_code == 404
    assert as_alice.delete(f"/api/v1/invitations/{second['id']}/").status_code == 204


# Links


def test_a_link_shows_its_sample_until_it_expires_or_is_revoked(composite: Sample, alice: User) -> None:
    row, token = access.share(sample=composite, user=alice, note="for the referee")
    assert access.shared_sample(token) == row
    ShareLink.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert access.shared_sample(token) is None
    ShareLink.objects.filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(days=1))
    access.revoke_link(row, alice)
    assert access.shared_sample(token) is None


def test_the_link_of_somebody_who_left_shows_nothing(composite: Sample, alice: User) -> None:
    _, token = access.share(sample=composite, user=alice)
    Membership.objects.filter(user=alice).delete()
    assert access.shared_sample(token) is None


def test_a_link_ends_when_its_maker_no_longer_sees_the_sample(composite: Sample, project: Project) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    _, token = access.share(sample=composite, user=dora)
    embargo(composite)
    assert access.shared_sample(token) is None


def test_a_viewer_shares_nothing(composite: Sample, bob: User, as_bob: APIClient) -> None:
    with pytest.raises(PermissionDenied):
        access.share(sample=composite, user=bob)
    assert as_bob.post(f"/api/v1/samples/{composite.code}/share-links/", {}).status_code == 403


def test_links_over_rest(composite: Sample, as_alice: APIClient) -> None:
    address = f"/api/v1/samples/{composite.code}/share-links/"
    made = as_alice.post(address, {"note": "referee", "days": 7}, format="json").json()
    assert "/shared/" in made["url"]
    assert "url" not in as_alice.get(address).json()[0]
    assert as_alice.delete(f"/api/v1/share-links/{made['id']}/").status_code == 204
    assert as_alice.get(address).json()[0]["revoked_at"]
    assert as_alice.post(address, {"days": 10**9}, format="json").status_code == 400


@pytest.mark.parametrize("embargoed", [False, True])
def test_who_sees_a_sample_is_told_as_it_is_decided(
    composite: Sample, project: Project, bob: User, embargoed: bool
) -> None:
    for number, role in enumerate((Role.CONTRIBUTOR, Role.MANAGER)):
        Membership.objects.create(project=project, user=person(f"p{number}"), role=role)
    Membership.objects.create(project=project, user=person("gone"), role=Role.MANAGER)
    User.objects.filter(username="gone").update(is_active=False)
    if embargoed:
        embargo(composite)
    told = {member.user.username for member in access.who_sees(composite)}
    decided = {
        user.username
        for user in User.objects.all()
        if Sample.objects.visible_to(user).filter(pk=composite.pk).exists()
    }
    assert told == decided
    assert ("bob" in told) is not embargoed


# Voiding


def test_a_void_sample_leaves_lists_and_stays_at_its_address(
    composite: Sample, alice: User, as_alice: APIClient
) -> None:
    voiding.void(composite, reason="Spilled.", user=alice)
    assert as_alice.get("/api/v1/samples/").json()["results"] == []
    found = as_alice.get("/api/v1/samples/", {"void": "true"}).json()["results"]
    assert [row["void_reason"] for row in found] == ["Spilled."]
    assert as_alice.get(f"/api/v1/samples/{composite.code}/").status_code == 200
    voiding.unvoid(composite, reason="It was another one.", user=alice)
    assert len(as_alice.get("/api/v1/samples/").json()["results"]) == 1
    assert [entry.reason for entry in history_of(composite, alice)][:2] == ["It was another one.", "Spilled."]


def test_what_hangs_on_it_is_said_first(composite: Sample, project: Project, alice: User) -> None:
    assert voiding.consequences(composite, alice).sentence() == ""
    made = Preparation.objects.create(project=project)
    Ingredient.objects.create(preparation=made, sample=composite, mass_g=0.01)
    Sample.objects.create(project=project, code="CHILD", state="powder", preparation=made)
    assert "1 sample was made from it and stays" in voiding.consequences(composite, alice).sentence()


@pytest.mark.parametrize("reason", NO_REASON)
def test_voiding_needs_a_reason_that_can_be_read(composite: Sample, alice: User, reason: object) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        voiding.void(composite, reason=reason, user=alice)  # type: ignore[arg-type]
    composite.refresh_from_db()
    assert composite.voided_at is None


def test_only_its_maker_and_managers_void(composite: Sample, project: Project, alice: User) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    with pytest.raises(PermissionDenied):
        voiding.void(composite, reason="Mine!", user=dora)
    Sample.objects.filter(pk=composite.pk).update(created_by=dora)
    composite.refresh_from_db()
    voiding.void(composite, reason="Spilled.", user=dora)
    with pytest.raises(ValidationError, match="void already"):
        voiding.void(composite, reason="Again.", user=alice)


def test_a_maker_who_left_voids_nothing(composite: Sample, charlie: User) -> None:
    Sample.objects.filter(pk=composite.pk).update(created_by=charlie)
    composite.refresh_from_db()
    with pytest.raises(PermissionDenied):
        voiding.void(composite, reason="Revenge.", user=charlie)


# Correcting


def made(sample: Sample) -> Sample:
    Sample.objects.filter(pk=sample.pk).update(planned=False)
    sample.refresh_from_db()
    return sample


def test_correcting_a_made_sample_needs_a_reason_and_a_plan_needs_none(
    composite: Sample, alice: User
) -> None:
    correcting.correct(composite, {"name": "first try"}, user=alice)
    with pytest.raises(ValidationError, match="Say why"):
        correcting.correct(made(composite), {"name": "second try"}, user=alice)
    correcting.correct(composite, {"name": "second try"}, user=alice, reason="Misread my own hand.")
    entry = history_of(composite, alice)[0]
    assert (entry.reason, entry.by) == ("Misread my own hand.", "alice")
    assert [(c.field, c.before, c.after) for c in entry.changes] == [("name", "first try", "second try")]


def test_a_correction_that_changes_nothing_asks_for_nothing(composite: Sample, alice: User) -> None:
    before = len(history_of(made(composite), alice))
    correcting.correct(composite, {"name": composite.name}, user=alice)
    assert len(history_of(composite, alice)) == before


@pytest.mark.parametrize(
    "changes",
    [{"state": "molten"}, {"name": "x" * 161}, {"mass_left_g": 3.0}, {"code": "OTHER"}, {"id": 7}],
)
def test_an_impossible_correction_leaves_everything_as_it_was(
    composite: Sample, alice: User, changes: dict[str, object]
) -> None:
    before = Sample.objects.values().get(pk=composite.pk)
    with pytest.raises(ValidationError):
        correcting.correct(composite, changes, user=alice, reason="because")
    assert Sample.objects.values().get(pk=composite.pk) == before


def test_only_its_maker_and_managers_decide_an_embargo(
    composite: Sample, project: Project, alice: User, as_alice: APIClient
) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    until = timezone.now().date() + timedelta(days=90)
    with pytest.raises(PermissionDenied):
        correcting.correct(composite, {"embargoed_until": until}, user=dora, reason="Hide it")
    answer = as_alice.patch(
        f"/api/v1/samples/{composite.code}/", {"embargoed_until": str(until)}, format="json"
    )
    assert answer.json()["embargoed_until"] == str(until)
    assert not Sample.objects.visible_to(dora).exists()


def test_a_viewer_corrects_nothing(composite: Sample, as_bob: APIClient) -> None:
    answer = as_bob.patch(f"/api/v1/samples/{composite.code}/", {"name": "mine"}, format="json")
    assert answer.status_code == 403
    assert "ask a manager" in answer.json()["error"]["message"]


def test_the_factors_outlive_a_correction(composite: Sample, alice: User) -> None:
    before = ProcessFactors.objects.get(sample=composite).sintering_temperature_c
    correcting.correct(composite, {"notes": "pale"}, user=alice)
    assert ProcessFactors.objects.get(sample=composite).sintering_temperature_c == before == 275


def test_the_history_over_rest(composite: Sample, alice: User, as_alice: APIClient) -> None:
    correcting.correct(made(composite), {"state": "sintered"}, user=alice, reason="XRD says so.")
    first = as_alice.get(f"/api/v1/samples/{composite.code}/history/").json()["results"][0]
    assert first["reason"] == "XRD says so."
    assert first["changes"] == [
        {"field": "state", "label": "state", "unit": "", "before": "Composite", "after": "Sintered"}
    ]
    for noun, key in (("recipes", composite.preparation.recipe_id), ("projects", "glass")):  # type: ignore[union-attr]
        assert as_alice.get(f"/api/v1/{noun}/{key}/history/").json()["results"]
    assert as_alice.get("/api/v1/recipes/%F0%9F%92%A5/history/").status_code == 404
    assert as_alice.get(f"/api/v1/recipes/{'9' * 40}/history/").status_code == 404

"""Logging in, the first administrator, projects and their members, instruments and tokens."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.views.defaults import server_error
from knox.models import AuthToken

from measurements.models import Instrument
from samples.models import Membership, Project, Role, User

FIRST = {
    "username": "ada",
    "email": "",
    "password1": "a cabinet of glass",
    "password2": "a cabinet of glass",
    "project": "First project",
}


@pytest.mark.parametrize("name", ["home", "login"])
def test_while_nobody_exists_every_door_leads_to_the_first_administrator(name, client, db):
    assert client.get(reverse(name)).url == reverse("welcome")


def test_the_first_person_administers_and_manages_and_closes_the_door(client, db):
    assert client.post(reverse("welcome"), FIRST).url == reverse("home")
    ada = User.objects.get()
    assert ada.is_superuser
    assert Membership.objects.get(user=ada).role == Role.MANAGER
    assert client.get(reverse("home")).status_code == 200
    stranger = Client()
    assert stranger.get(reverse("welcome")).url == reverse("login")
    assert stranger.post(reverse("welcome"), FIRST | {"username": "eve"}).url == reverse("login")
    assert User.objects.count() == 1


def test_a_weak_first_password_is_refused(client, db):
    answer = client.post(reverse("welcome"), FIRST | {"password1": "12345", "password2": "12345"})
    assert answer.status_code == 422
    assert not User.objects.exists()
    assert not Project.objects.exists()


def test_an_empty_project_offers_three_ways_to_begin(alices_browser, project):
    page = alices_browser.get(reverse("home")).content.decode()
    for way in ("Plan a composite", "Upload", "manage.py demo"):
        assert way in page


def test_wrong_passwords_lock_the_name_for_a_while(alice, client, settings):
    settings.AXES_FAILURE_LIMIT = 3
    wrong = {"username": "alice", "password": "wrong"}
    assert client.post(reverse("login"), wrong).status_code == 200
    for _ in range(3):
        answer = client.post(reverse("login"), wrong)
    assert answer.status_code == 429
    page = answer.content.decode().replace("\u202f", " ")
    assert "Locked for a while" in page
    assert "opens again in 15 min" in page


def test_a_person_logs_in_and_out(alice, client):
    answer = client.post(reverse("login"), {"username": "alice", "password": "a long enough password"})
    assert answer.url == reverse("home")
    assert client.post(reverse("logout")).url == reverse("login")
    assert client.get(reverse("home")).url.startswith(reverse("login"))


def test_a_forgotten_password_is_reset_by_a_link_that_works_once(alice, client):
    client.post(reverse("password_reset"), {"email": alice.email})
    (letter,) = mail.outbox
    assert letter.subject == "A new password for Vitrine"
    address = next(word for word in letter.body.split() if word.startswith("http"))
    form = client.get(address, follow=True)
    path = form.redirect_chain[-1][0]
    new = {"new_password1": "something else entirely", "new_password2": "something else entirely"}
    assert client.post(path, new).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("something else entirely")
    assert "This link is spent" in Client().get(address, follow=True).content.decode()


@pytest.mark.parametrize("name", ["password_reset", "password_reset_done", "password_reset_complete"])
def test_password_pages_are_ours_and_not_those_of_the_administration(name, client, alice):
    page = client.get(reverse(name)).content.decode()
    assert "wordmark" in page
    assert "Django" not in page


def test_the_password_can_be_changed(alice, alices_browser):
    new = {
        "old_password": "a long enough password",
        "new_password1": "quite another one",
        "new_password2": "quite another one",
    }
    answer = alices_browser.post(reverse("password_change"), new, follow=True)
    assert "Password changed" in answer.content.decode()


def test_whoever_makes_a_project_manages_it(bob, bobs_browser):
    answer = bobs_browser.post(reverse("project-create"), {"name": "New ground: β"}, follow=True)
    assert answer.status_code == 200
    made = Project.objects.get(name="New ground: β")
    assert Membership.objects.get(project=made, user=bob).role == Role.MANAGER


@pytest.mark.parametrize(("name", "slug"), [("Glass", "glass-2"), ("New", "new-2"), ("All", "all-2")])
def test_two_projects_of_one_name_have_two_addresses(name, slug, alices_browser, project):
    alices_browser.post(reverse("project-create"), {"name": name})
    assert Project.objects.get(name=name).slug == slug


def test_a_manager_adds_changes_and_removes_members(alices_browser, project, charlie):
    address = reverse("project", args=[project.slug])
    alices_browser.post(address, {"username": "charlie", "role": Role.VIEWER})
    member = Membership.objects.get(project=project, user=charlie)
    one = reverse("membership", args=[project.slug, member.pk])
    alices_browser.post(one, {"role": Role.CONTRIBUTOR})
    member.refresh_from_db()
    assert member.role == Role.CONTRIBUTOR
    alices_browser.post(one, {"remove": "yes"})
    assert not Membership.objects.filter(pk=member.pk).exists()


@pytest.mark.parametrize("act", [{"remove": "yes"}, {"role": Role.VIEWER}])
def test_the_last_manager_stays(act, alice, alices_browser, project):
    member = Membership.objects.get(project=project, user=alice)
    answer = alices_browser.post(reverse("membership", args=[project.slug, member.pk]), act, follow=True)
    assert "is the only manager" in answer.content.decode()
    member.refresh_from_db()
    assert member.role == Role.MANAGER


def test_a_membership_of_another_project_cannot_be_changed_from_here(alices_browser, project, charlie):
    theirs = Membership.objects.get(user=charlie)
    address = reverse("membership", args=[project.slug, theirs.pk])
    assert alices_browser.post(address, {"remove": "yes"}).status_code == 404
    assert Membership.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize("name", ["nobody", "bob"])
def test_who_does_not_exist_or_is_a_member_already_is_not_added(name, alices_browser, bob, project):
    answer = alices_browser.post(
        reverse("project", args=[project.slug]), {"username": name, "role": Role.MANAGER}
    )
    assert answer.status_code == 422
    assert Membership.objects.get(user=bob).role == Role.VIEWER


def test_a_token_is_shown_once_and_only_its_hash_is_kept(alices_browser, project):
    alices_browser.post(reverse("instrument-create"), {"project": project.pk, "name": "FLS-1"})
    instrument = Instrument.objects.get()
    answer = alices_browser.post(reverse("instrument-token", args=[instrument.pk]))
    token = answer.context["token"]
    assert token in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    page = alices_browser.get(reverse("instrument", args=[instrument.pk])).content.decode()
    assert token not in page
    stored = AuthToken.objects.get()
    assert token not in (stored.digest, stored.token_key)
    revoke = reverse("instrument-token-revoke", args=[instrument.pk, stored.token_key])
    alices_browser.post(revoke)
    assert not AuthToken.objects.exists()


def test_the_agent_comes_with_address_and_token_and_its_token_works(alices_browser, project, client):
    alices_browser.post(reverse("instrument-create"), {"project": project.pk, "name": "FLS-1"})
    instrument = Instrument.objects.get()
    answer = alices_browser.post(reverse("instrument-agent", args=[instrument.pk]))
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    program: dict = {"__name__": "vitrine_agent"}
    exec(compile(answer.content, "vitrine_agent.py", "exec"), program)  # noqa: S102
    assert program["SERVER"] == "http://testserver"
    sent = client.put(
        "/api/v1/uploads/run7.txt",
        b"1 2\n3 4\n",
        content_type="application/octet-stream",
        headers={"Authorization": f"Token {program['TOKEN']}"},
    )
    assert sent.status_code == 201
    assert sent.json()["instrument"] == "FLS-1"


def test_an_unknown_time_zone_is_refused(alice, alices_browser):
    answer = alices_browser.post(reverse("account"), {"time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert "is not a known time zone" in answer.content.decode()
    alices_browser.post(reverse("account"), {"time_zone": "Europe/Berlin"})
    alice.refresh_from_db()
    assert alice.time_zone == "Europe/Berlin"


def test_the_account_form_changes_nobodys_rights(bob, bobs_browser):
    bobs_browser.post(reverse("account"), {"is_superuser": "on", "is_staff": "on", "username": "root"})
    bob.refresh_from_db()
    assert not bob.is_superuser
    assert bob.username == "bob"


def test_a_theme_that_is_none_never_reaches_the_page(alices_browser):
    alices_browser.cookies["theme"] = 'dark"><b'
    assert 'dark"' not in alices_browser.get(reverse("samples")).content.decode().split("<head>")[0]
    alices_browser.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in alices_browser.get(reverse("samples")).content.decode()


def test_instruments_cannot_log_in_with_a_password(client, alices_browser, project):
    alices_browser.post(reverse("instrument-create"), {"project": project.pk, "name": "FLS-1"})
    account = Instrument.objects.get().account
    assert not account.has_usable_password()
    for password in ("", "!", account.password):
        client.post(reverse("login"), {"username": account.username, "password": password})
        assert client.get(reverse("home")).status_code == 302


def test_a_form_without_its_token_is_explained_and_changes_nothing(alice):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("login"), {"username": "alice", "password": "a long enough password"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()


def test_an_error_of_ours_is_said_without_needing_the_database(rf):
    answer = server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "it was not you" in answer.content.decode()


@pytest.mark.parametrize("address", ["/", "/accounts/login/"])
def test_pages_allow_scripts_from_here_only(address, alices_browser):
    policy = alices_browser.get(address, follow=True).headers["Content-Security-Policy"]
    (scripts,) = [part for part in policy.split("; ") if part.startswith("script-src")]
    assert "'self'" in scripts
    assert "unsafe" not in scripts
    assert "http" not in scripts


def test_a_contributor_makes_neither_instruments_nor_tokens(alice, alices_browser, project, client):
    """A token outlives the membership of whoever made it."""
    alices_browser.post(reverse("instrument-create"), {"project": project.pk, "name": "FLS-1"})
    instrument = Instrument.objects.get()
    dora = User.objects.create_user("dora", "dora@example.org", "a long enough password")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    client.force_login(dora)
    assert client.get(reverse("instrument-create")).status_code == 403
    for name in ("instrument-token", "instrument-agent"):
        assert client.post(reverse(name, args=[instrument.pk])).status_code == 403
    page = client.get(reverse("instrument", args=[instrument.pk])).content.decode()
    assert "Make a token" not in page
    assert "Download the agent" not in page
    assert not AuthToken.objects.exists()

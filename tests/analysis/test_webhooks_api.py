"""Webhooks over REST and on their pages: for managers, with a secret that is shown once."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from analysis import outgoing, services
from analysis.models import Delivery, Webhook
from samples.models import Membership, Project, Role, User
from tests.conftest import api, person
from tests.frontend.conftest import browser

URL = "http://127.0.0.1:9/hook"
LIST = "/api/v1/webhooks/"


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def hook(project: Project, alice: User) -> Webhook:
    return Webhook.objects.create(project=project, url=URL, secret="vwh_secret", made_by=alice)


@pytest.fixture
def dora(project: Project) -> User:
    user = person("dora")
    Membership.objects.create(project=project, user=user, role=Role.CONTRIBUTOR)
    return user


def test_the_secret_is_told_once(as_alice: APIClient, project: Project) -> None:
    made = as_alice.post(LIST, {"project": "glass", "url": URL, "events": ["run.done"]}, format="json")
    assert made.status_code == 201, made.json()
    secret = Webhook.objects.get().secret
    assert made.json()["secret"] == secret
    for address in (LIST, f"{LIST}{made.json()['id']}/", f"{LIST}{made.json()['id']}/deliveries/"):
        assert secret not in as_alice.get(address).content.decode()


def test_secrets_are_long_and_differ(as_alice: APIClient, project: Project) -> None:
    for _ in range(2):
        as_alice.post(LIST, {"project": "glass", "url": URL}, format="json")
    first, second = Webhook.objects.values_list("secret", flat=True)
    assert first != second
    assert len(first) > 40


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"url": "https://169.254.169.254/latest/meta-data/"}, "url"),
        ({"url": "ftp://example.org/"}, "url"),
        ({"events": ["value.made"]}, "events"),
        ({"project": "charlie"}, "project"),
        ({"project": "nowhere"}, "project"),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    as_alice: APIClient, project: Project, charlie: User, said: dict[str, object], field: str
) -> None:
    answer = as_alice.post(LIST, {"project": "glass", "url": URL} | said, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not Webhook.objects.exists()


def test_members_who_do_not_manage_add_and_see_none(dora: User, bob: User, hook: Webhook) -> None:
    for user in (dora, bob):
        client = api(user)
        assert client.post(LIST, {"project": "glass", "url": URL}, format="json").status_code == 403
        assert client.get(LIST).json()["results"] == []
        for address in (f"{LIST}{hook.pk}/", f"{LIST}{hook.pk}/deliveries/"):
            assert client.get(address).status_code == 404
        assert client.patch(f"{LIST}{hook.pk}/", {"enabled": False}, format="json").status_code == 404
        assert browser(user).get("/projects/glass/webhooks/").status_code == 403
    hook.refresh_from_db()
    assert hook.enabled


def test_it_is_switched_off_changed_and_removed(as_alice: APIClient, hook: Webhook) -> None:
    address = f"{LIST}{hook.pk}/"
    answer = as_alice.patch(address, {"enabled": False, "events": ["run.failed", "run.done"]}, format="json")
    assert (answer.json()["enabled"], answer.json()["events"]) == (False, ["run.done", "run.failed"])
    assert as_alice.patch(address, {"url": "http://127.0.0.1:10/"}, format="json").json()["url"] == URL
    assert as_alice.delete(address).status_code == 204
    assert not Webhook.objects.exists()


def test_a_message_is_sent_again_over_rest_unless_it_is_off(as_alice: APIClient, hook: Webhook) -> None:
    row = Delivery.objects.create(webhook=hook, event="run.done", body={"id": "x"}, state="given_up")
    address = f"{LIST}{hook.pk}/deliveries/{row.pk}/again/"
    assert as_alice.post(address).json()["state"] == "waiting"
    assert Delivery.objects.count() == 2
    as_alice.patch(f"{LIST}{hook.pk}/", {"enabled": False}, format="json")
    assert as_alice.post(address).status_code == 400
    assert as_alice.get(f"{LIST}{hook.pk}/deliveries/").json()[0]["body"] == {"id": "x"}


def test_a_message_of_another_webhook_is_not_found(as_alice: APIClient, hook: Webhook, charlie: User) -> None:
    elsewhere = Project.objects.get(slug="charlie")
    his = Webhook.objects.create(project=elsewhere, url=URL, secret="s", made_by=charlie)
    row = Delivery.objects.create(webhook=his, event="run.done", body={})
    assert as_alice.post(f"{LIST}{hook.pk}/deliveries/{row.pk}/again/").status_code == 404
    page = browser(User.objects.get(username="alice"))
    assert page.post(f"/projects/glass/webhooks/{hook.pk}/deliveries/{row.pk}/again/").status_code == 404
    assert page.get(f"/projects/glass/webhooks/{his.pk}/").status_code == 404


def test_a_manager_adds_one_on_the_page_and_sees_the_secret_this_once(alice: User, project: Project) -> None:
    client: Client = browser(alice)
    assert "/projects/glass/webhooks/" in client.get("/projects/glass/").content.decode()
    assert "Nobody is told yet" in client.get("/projects/glass/webhooks/").content.decode()
    answer = client.post("/projects/glass/webhooks/", {"url": URL, "events": ["run.done"]})
    made = Webhook.objects.get()
    assert made.events == ["run.done"]
    assert made.secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert made.secret not in client.get("/projects/glass/webhooks/").content.decode()


def test_a_renewed_secret_is_told_once_and_signs_what_is_sent_from_then_on(
    as_alice: APIClient, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    Delivery.objects.create(webhook=hook, event="run.done", body={"id": "x"})
    answer = as_alice.post(f"{LIST}{hook.pk}/secret/")
    assert answer.status_code == 200, answer.content
    secret = answer.json()["secret"]
    assert len(secret) > 40
    assert secret not in as_alice.get(f"{LIST}{hook.pk}/").content.decode()
    sent: list[tuple[bytes, str]] = []

    def post(url: str, body: bytes, headers: dict[str, str], *, allow: object) -> int:
        sent.append((body, headers["Vitrine-Signature"]))
        return 204

    monkeypatch.setattr(outgoing, "post", post)
    assert services.deliver(hook) == 1
    ((body, signature),) = sent
    moment, digest = signature.removeprefix("t=").split(",v1=")
    assert digest == hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def test_a_manager_renews_the_secret_on_the_page_and_nobody_else_does(
    alice: User, dora: User, hook: Webhook
) -> None:
    address = f"/projects/glass/webhooks/{hook.pk}/secret/"
    assert browser(dora).post(address).status_code == 403
    assert api(dora).post(f"{LIST}{hook.pk}/secret/").status_code == 404
    hook.refresh_from_db()
    assert hook.secret == "vwh_secret"
    answer = browser(alice).post(address)
    hook.refresh_from_db()
    assert hook.secret != "vwh_secret"
    assert hook.secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert browser(alice).get(address).status_code == 405


def test_the_page_says_what_is_wrong_with_an_address(alice: User, project: Project) -> None:
    answer = browser(alice).post("/projects/glass/webhooks/", {"url": "https://10.0.0.1/"})
    assert answer.status_code == 422
    assert "inside a private network" in answer.content.decode()


def test_the_page_lists_messages_and_switches(alice: User, hook: Webhook) -> None:
    client = browser(alice)
    address = f"/projects/glass/webhooks/{hook.pk}/"
    assert "No message yet" in client.get(address).content.decode()
    row = Delivery.objects.create(
        webhook=hook,
        event="run.done",
        body={"run": {"id": 5}},
        state="given_up",
        attempts=9,
        answer="500 Oops",
    )
    text = client.get(address).content.decode()
    assert "500 Oops" in text
    assert "given up" in text
    client.post(f"{address}deliveries/{row.pk}/again/")
    assert Delivery.objects.filter(state="waiting").count() == 1
    client.post(f"{address}change/", {"off": "yes"})
    hook.refresh_from_db()
    assert not hook.enabled
    client.post(f"{address}deliveries/{row.pk}/again/")
    assert Delivery.objects.count() == 2
    client.post(f"{address}change/", {"remove": "yes"})
    assert not Webhook.objects.exists()

"""Webhooks: told of what happened and of nothing more, signed, tried again, never lost and never twice."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from analysis import services, tasks
from analysis.models import Delivery, Reanalysis, Run, Webhook
from analysis.services import claiming, executing, webhooks
from measurements.models import Measurement
from measurements.services import Incoming, read_measurement, receive
from samples.models import Project, Sample, User
from tests.analysis.conftest import Measured
from tests.analysis.receiver import Receiver, documented, is_from_vitrine, listening

METHOD = "pl_descriptors"
Happened = Callable[..., Measurement]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW = ["127.0.0.0/8"]
    with listening() as heard:
        yield heard


@pytest.fixture
def hook(receiver: Receiver, project: Project, alice: User) -> Webhook:
    return webhooks.add_webhook(project=project, user=alice, url=receiver.url)


@pytest.fixture
def happened(project: Project, composite: Sample) -> Happened:
    """A file was read, without the work of reading one."""

    def happen(seed: int = 1) -> Measurement:
        row = Measurement.objects.create(
            project=project, sample=composite, status="read", content_key=f"{seed:064x}"
        )
        webhooks.tell_of_measurement(row)
        return row

    return happen


def hour_passes() -> None:
    """For everything that waits."""
    Delivery.objects.update(not_before=timezone.now() - timedelta(hours=1))
    Webhook.objects.update(resting_until=None)


def events() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("event", flat=True))


def test_a_finished_run_is_told_with_keys_and_addresses_and_nothing_else(
    hook: Webhook, receiver: Receiver, measured: Measured, settings: Settings
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://vitrine.example.org"]
    measurement = measured()
    Delivery.objects.all().delete()
    run, _ = services.request_run(measurement, METHOD)
    services.execute(run.pk)
    assert services.deliver(hook) == 1
    (message,) = receiver.messages
    assert message.pop("id")
    assert message.pop("at")
    assert message == {
        "event": "run.done",
        "project": "glass",
        "run": {
            "id": run.pk,
            "method": METHOD,
            "method_version": run.method_version,
            "status": "done",
            "address": f"https://vitrine.example.org/api/v1/runs/{run.pk}/",
        },
        "measurement": {
            "id": measurement.pk,
            "address": f"https://vitrine.example.org/api/v1/measurements/{measurement.pk}/",
        },
    }


def test_a_receiver_can_check_the_signature_and_notice_a_changed_or_an_old_message(
    hook: Webhook, receiver: Receiver, happened: Happened
) -> None:
    happened()
    services.deliver(hook)
    headers, body = receiver.heard[0]
    signature = headers["Vitrine-Signature"]
    assert is_from_vitrine(hook.secret, signature, body)
    assert not is_from_vitrine(hook.secret, signature, body.replace(b"read", b"reed"))
    assert not is_from_vitrine("another secret", signature, body)
    an_hour_ago = int(time.time()) - 3600
    assert not is_from_vitrine(hook.secret, webhooks.signature(hook.secret, body, an_hour_ago), body)
    moved = signature.replace(signature.split(",")[0], f"t={int(time.time()) + 1}")
    assert not is_from_vitrine(hook.secret, moved, body)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_makes_the_same_signature(tmp_path: Path) -> None:
    body = webhooks.written({"event": "run.done", "id": "é"})
    (tmp_path / "body.json").write_bytes(body)
    at, v1 = (part.split("=")[1] for part in webhooks.signature("a secret", body, 1795183512).split(","))
    command = ["sh", "-c", documented("sh", "openssl")]
    env = {"PATH": os.environ["PATH"], "T": at, "SECRET": "a secret"}
    answer = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert answer.stdout.split()[0] == v1


def test_a_file_is_told_as_read_or_as_unreadable(
    hook: Webhook, measured: Measured, alice: User, composite: Sample
) -> None:
    measured()
    nonsense = Incoming("run.spc", io.BytesIO(b"no spectrum at all"))
    bad = receive(user=alice, files=[nonsense], sample_code=composite.code)
    read_measurement(bad.measurement)
    assert Measurement.objects.get(pk=bad.measurement.pk).status == "failed"
    assert events() == ["measurement.read", "measurement.failed"]
    assert "run.spc" not in json.dumps([row.body for row in Delivery.objects.all()])


def test_a_failed_run_and_a_reanalysis_are_told(hook: Webhook, measured: Measured, project: Project) -> None:
    run, _ = services.request_run(measured(), METHOD)
    claimed = claiming.claim(run.pk)
    assert claimed is not None
    executing.fail(claimed, "It did not converge.", 0.1)
    Reanalysis.objects.create(trigger="person", project=project)
    assert services.finish_campaigns() == 1
    assert events() == ["measurement.read", "run.failed", "reanalysis.done"]
    assert "converge" not in json.dumps(Delivery.objects.filter(event="run.failed").get().body)


def test_a_run_that_killed_its_workers_is_told_once(hook: Webhook, measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    Run.objects.filter(pk=run.pk).update(
        status="running", attempts=3, lease_until=timezone.now() - timedelta(seconds=9)
    )
    services.sweep()
    services.sweep()
    assert events() == ["measurement.read", "run.failed"]


def test_a_worker_that_lost_its_lease_tells_nobody(hook: Webhook, measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    slow = claiming.claim(run.pk)
    assert slow is not None
    Run.objects.filter(pk=run.pk).update(attempts=2)
    executing.fail(slow, "Too late.", None)
    assert events() == ["measurement.read"]


def test_of_an_embargoed_sample_nothing_is_told(hook: Webhook, measured: Measured, composite: Sample) -> None:
    tomorrow = timezone.now().date() + timedelta(days=2)
    Sample.objects.filter(pk=composite.pk).update(embargoed_until=tomorrow)
    run, _ = services.request_run(measured(), METHOD)
    services.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "done"
    assert events() == []


def test_a_verification_is_told_to_nobody(hook: Webhook, measured: Measured) -> None:
    first, _ = services.request_run(measured(), METHOD)
    services.execute(first.pk)
    Run.objects.filter(pk=first.pk).update(verifies=first)
    webhooks.tell_of_runs([first.pk])
    assert events() == ["measurement.read", "run.done"]


def test_another_project_hears_nothing(
    receiver: Receiver, happened: Happened, charlie: User, hook: Webhook
) -> None:
    elsewhere = Project.objects.get(slug="charlie")
    his = webhooks.add_webhook(project=elsewhere, user=charlie, url=receiver.url)
    happened()
    assert not his.deliveries.exists()
    assert hook.deliveries.exists()


def test_only_the_events_that_were_asked_for_are_told(hook: Webhook, measured: Measured) -> None:
    Webhook.objects.update(events=["run.done"])
    run, _ = services.request_run(measured(), METHOD)
    services.execute(run.pk)
    assert events() == ["run.done"]


def test_what_is_rolled_back_was_never_told(hook: Webhook, measured: Measured) -> None:
    run, _ = services.request_run(measured(), METHOD)
    claimed = claiming.claim(run.pk)
    assert claimed is not None

    with transaction.atomic():
        executing.fail(claimed, "It did not converge.", None)
        transaction.set_rollback(True)
    assert events() == ["measurement.read"]


def test_a_switched_off_webhook_is_told_nothing(
    hook: Webhook, receiver: Receiver, happened: Happened
) -> None:
    happened(seed=1)
    webhooks.switch(hook, on=False)
    happened(seed=2)
    assert services.deliver(hook) == 0
    assert len(events()) == 1
    webhooks.switch(hook, on=True)
    assert services.deliver(hook) == 1
    assert len(receiver.heard) == 1


def test_a_refusal_is_tried_again_later_and_later_with_the_same_id(
    hook: Webhook, receiver: Receiver, happened: Happened
) -> None:
    receiver.status = 503
    happened()
    pauses = []
    for _ in range(3):
        services.deliver(hook)
        row = Delivery.objects.get()
        pauses.append((row.not_before - timezone.now()).total_seconds())
        assert row.answer == "503 Service Unavailable"
        assert services.deliver(hook) == 0  # not before its time
        hour_passes()
    assert pauses == [pytest.approx(s, abs=5) for s in (30, 60, 120)]
    receiver.status = 204
    assert services.deliver(hook) == 1
    assert Delivery.objects.get().state == "taken"
    assert len({message["id"] for message in receiver.messages}) == 1
    assert len(receiver.heard) == 4


def test_after_a_day_it_is_given_up(hook: Webhook, receiver: Receiver, happened: Happened) -> None:
    receiver.status = 500
    happened()
    Delivery.objects.update(made_at=timezone.now() - timedelta(hours=23), attempts=11)
    services.deliver(hook)
    row = Delivery.objects.get()
    assert (row.state, row.answer) == ("given_up", "500 Internal Server Error")


def test_one_refused_message_does_not_hold_up_the_next(
    hook: Webhook, receiver: Receiver, happened: Happened
) -> None:
    receiver.status = 400
    happened(seed=1)
    services.deliver(hook)
    receiver.status = 200
    happened(seed=2)
    assert services.deliver(hook) == 1
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["waiting", "taken"]


def test_a_dead_server_is_asked_once_and_not_for_every_message(hook: Webhook, happened: Happened) -> None:
    Webhook.objects.update(url="http://127.0.0.1:9/")
    for seed in (1, 2, 3):
        happened(seed=seed)
    services.deliver(hook)
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert "could not be reached" in Delivery.objects.get(attempts=1).answer
    assert services.sweep_deliveries() == 0
    services.deliver(hook)
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_what_nobody_sent_within_a_day_is_given_up_by_the_sweep(hook: Webhook, happened: Happened) -> None:
    happened()
    webhooks.switch(hook, on=False)
    Delivery.objects.update(made_at=timezone.now() - timedelta(hours=25))
    services.sweep_deliveries()
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("given_up", 0)
    assert "never sent" in row.answer


def test_a_worker_killed_between_the_row_and_the_delivery_loses_nothing(
    hook: Webhook,
    receiver: Receiver,
    happened: Happened,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    happened()  # its message to the broker is lost: nothing in a test runs on commit
    sent: list[int] = []
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda args, **_: sent.append(args[0]))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        assert services.sweep_deliveries() == 1
    assert sent == [hook.pk]
    tasks.deliver(hook.pk)
    assert [message["event"] for message in receiver.messages] == ["measurement.read"]


def test_a_worker_killed_while_it_delivers_leaves_a_message_that_is_sent_again(
    hook: Webhook, receiver: Receiver, happened: Happened
) -> None:
    happened()
    assert webhooks._claim(hook.pk) is not None  # and there it dies
    assert services.deliver(hook) == 0
    Delivery.objects.update(not_before=timezone.now())  # a minute later
    assert services.sweep_deliveries() == 1
    assert services.deliver(hook) == 1
    assert len(receiver.heard) == 1


def test_a_taken_message_is_not_sent_twice_however_often_the_task_comes(
    hook: Webhook, receiver: Receiver, happened: Happened
) -> None:
    happened()
    for _ in range(5):
        tasks.deliver(hook.pk)
    assert len(receiver.heard) == 1


def test_sending_again_repeats_the_message_under_its_id_and_keeps_the_record(
    hook: Webhook, receiver: Receiver, happened: Happened
) -> None:
    receiver.status = 500
    happened()
    services.deliver(hook)
    first = Delivery.objects.get()
    receiver.status = 200
    again = webhooks.send_again(first)
    services.deliver(hook)
    first.refresh_from_db()
    again.refresh_from_db()
    assert (first.answer, again.state) == ("500 Internal Server Error", "taken")
    assert len({message["id"] for message in receiver.messages}) == 1


def test_an_address_that_has_become_private_since_is_not_called(
    hook: Webhook, receiver: Receiver, happened: Happened, settings: Settings
) -> None:
    happened()
    settings.WEBHOOK_ALLOW = []
    services.deliver(hook)
    assert receiver.heard == []
    assert "an operator can allow" in Delivery.objects.get().answer


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://10.0.0.1/", "https://localhost/x", "nonsense"])
def test_hostile_addresses_are_refused_when_they_are_added(url: str, project: Project, alice: User) -> None:
    with pytest.raises(ValidationError):
        webhooks.add_webhook(project=project, user=alice, url=url)
    assert not Webhook.objects.exists()


def test_what_became_of_a_message_is_forgotten_after_a_month(hook: Webhook, happened: Happened) -> None:
    happened(seed=1)
    happened(seed=2)
    services.deliver(hook)
    oldest = Delivery.objects.earliest("pk")
    Delivery.objects.filter(pk=oldest.pk).update(made_at=timezone.now() - timedelta(days=31))
    assert services.forget_old_deliveries() == 1
    assert not Delivery.objects.filter(pk=oldest.pk).exists()
    assert Delivery.objects.count() == 1

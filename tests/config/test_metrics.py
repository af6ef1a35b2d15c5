"""What `/metrics` tells, to whom, and what it never tells."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from analysis.models import Delivery, Run, Webhook
from config import metrics
from measurements.models import Blob, Measurement
from samples.models import Project, Sample, User

pytestmark = pytest.mark.django_db
Labels = frozenset[tuple[str, str]]


@pytest.fixture(autouse=True)
def _counted_anew(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(metrics, "KEPT_S", 0.0)
    monkeypatch.setitem(metrics._kept, "until", 0.0)
    settings.METRICS_NETWORKS = ["127.0.0.0/8", "::1/128"]
    settings.METRICS_TOKEN = ""


def told(client: Client) -> dict[tuple[str, Labels], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, Labels]:
    return name, frozenset(labels.items())


@pytest.fixture
def work(project: Project, composite: Sample, alice: User) -> Measurement:
    row = Measurement.objects.create(
        project=project, sample=composite, status="read", technique="pl", content_key="a" * 64
    )
    Measurement.objects.create(project=project, status="failed", error="Broken.", content_key="b" * 64)
    now = timezone.now()
    common = {"measurement": row, "method": "pl_gaussians", "method_version": 1, "queued_at": now}
    waiting = now - timedelta(seconds=90)
    Run.objects.create(**common, identity="1" * 64, status="queued", requested_at=waiting)
    for number, duration_s in ((2, 1.5), (3, 2.5)):
        Run.objects.create(**common, identity=f"{number}" * 64, status="done", duration_s=duration_s)
    Run.objects.create(**common, identity="4" * 64, status="failed", lane="long", message="No.")
    Blob.objects.create(sha256="a" * 64, size=1000)
    Blob.objects.create(sha256="b" * 64, size=500, damaged_at=now, damage="is missing")
    hook = Webhook.objects.create(
        project=project, url="https://hook.example.org/", secret="s3cret", made_by=alice
    )
    Delivery.objects.create(webhook=hook, event="run.done", body={}, state="given_up")
    return row


def test_the_rows_are_counted_at_the_moment_of_asking(client: Client, work: Measurement) -> None:
    found = told(client)
    method = {"method": "pl_gaussians"}
    assert found[of("vitrine_runs", lane="fast", status="queued", **method)] == 1
    assert found[of("vitrine_runs", lane="fast", status="done", **method)] == 2
    assert found[of("vitrine_runs", lane="long", status="failed", **method)] == 1
    assert found[of("vitrine_run_seconds_count", **method)] == 2
    assert found[of("vitrine_run_seconds_sum", **method)] == 4.0
    assert found[of("vitrine_oldest_waiting_run_seconds", lane="fast")] == pytest.approx(90, abs=10)
    assert found[of("vitrine_oldest_waiting_run_seconds", lane="long")] == 0
    assert found[of("vitrine_measurements", status="failed", technique="unknown")] == 1
    assert found[of("vitrine_stored_bytes")] == 1500
    assert found[of("vitrine_damaged_files")] == 1
    assert found[of("vitrine_webhook_deliveries", event="run.done", state="given_up")] == 1
    assert found[of("vitrine_broker_up")] == found[of("vitrine_database_up")] == 1
    Run.objects.filter(status="queued").delete()
    assert of("vitrine_runs", lane="fast", status="queued", **method) not in told(client)


def test_uploads_are_counted_in_bytes(client: Client, work: Measurement) -> None:
    blob = Blob.objects.get(sha256="a" * 64)
    for name in ("one.txt", "two.txt"):
        work.files.create(blob=blob, filename=name)
    found = told(client)
    assert found[of("vitrine_uploaded_files")] == 2
    assert found[of("vitrine_uploaded_bytes")] == 2000


def test_requests_are_timed_by_the_pattern_of_their_address_and_status(client: Client, alice: User) -> None:
    ok = of("vitrine_request_seconds_count", method="GET", route="healthz", status="200")
    missing = of("vitrine_request_seconds_count", method="GET", route="(no such page)", status="404")
    before = told(client)
    for _ in range(3):
        client.get("/healthz")
    client.get("/no/such/page/1")
    client.get("/no/such/page/2")
    after = told(client)
    assert after[ok] - before.get(ok, 0) == 3
    assert after[missing] - before.get(missing, 0) == 2


def test_bytes_of_requests_are_counted_by_address(client: Client) -> None:
    key = of("vitrine_request_bytes_total", method="POST", route="accounts/login/")
    before = told(client).get(key, 0)
    client.post("/accounts/login/", b"x" * 1234, content_type="text/plain")
    assert told(client)[key] - before == 1234


def test_an_invented_method_makes_no_label_of_its_own(client: Client) -> None:
    client.generic("INVENTED", "/healthz")
    assert of("vitrine_request_seconds_count", method="other", route="healthz", status="200") in told(client)


def test_no_name_of_a_sample_project_or_person_is_told(
    client: Client, work: Measurement, alice: User
) -> None:
    client.force_login(alice)
    client.get("/samples/VT-GLASS/")
    client.get("/projects/glass/")
    text = client.get("/metrics").content.decode()
    for secret in ("VT-GLASS", "glass", "alice", "s3cret", "hook.example.org", "Broken"):
        assert secret not in text
    assert 'route="samples/<str:code>/"' in text


def test_other_processes_of_the_same_server_are_counted_too(client: Client) -> None:
    """As granian's do: children of one parent, which share the folder of that parent."""
    program = (
        "from prometheus_client import Histogram; labels = ('method', 'route', 'status');"
        f"h = Histogram('vitrine_request_seconds', 'x', labels, buckets={metrics.BUCKETS_S});"
        "[h.labels('GET', 'from/another/process/', 200).observe(0.2) for _ in range(5)]"
    )
    told(client)  # so that the folder is there
    subprocess.run([sys.executable, "-c", program], check=True)  # inherits PROMETHEUS_MULTIPROC_DIR
    key = of("vitrine_request_seconds_count", method="GET", route="from/another/process/", status="200")
    assert told(client)[key] == 5


def test_strangers_are_refused_with_a_sentence(client: Client) -> None:
    answer = client.get("/metrics", REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 403
    assert b"VITRINE_METRICS_TOKEN" in answer.content
    assert b"vitrine_runs" not in answer.content


@pytest.mark.parametrize("header", metrics.FORWARDED)
def test_what_came_through_a_proxy_on_this_machine_is_not_taken_for_this_machine(
    client: Client, header: str
) -> None:
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_being_logged_in_opens_nothing(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 403


def test_the_token_opens_it_from_anywhere_and_a_wrong_one_does_not(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "0123456789abcdef"
    for said, status in [
        ("Bearer 0123456789abcdef", 200),
        ("Bearer wrong", 403),
        ("Bearer ", 403),
        ("", 403),
    ]:
        answer = client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": said})
        assert answer.status_code == status, said


def test_no_token_is_not_an_empty_token(client: Client) -> None:
    answer = client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": "Bearer "})
    assert answer.status_code == 403


def test_a_network_may_be_allowed(client: Client, settings: Settings) -> None:
    settings.METRICS_NETWORKS = ["192.0.2.0/24"]
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.get("/metrics").status_code == 403


def test_two_questions_within_seconds_count_the_rows_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "KEPT_S", 5.0)
    asked: list[float] = []
    rows = metrics._rows
    monkeypatch.setattr(metrics, "_rows", lambda sql: asked.append(time.monotonic()) or rows(sql))
    told(client)
    once = len(asked)
    told(client)
    assert len(asked) == once > 0


def test_every_metric_has_a_help_text_and_a_unit_prometheus_knows(client: Client, work: Measurement) -> None:
    text = client.get("/metrics").content.decode()
    ours = set(re.findall(r"# TYPE (vitrine_\w+) ", text))
    assert ours == set(re.findall(r"# HELP (vitrine_\w+) \S", text))
    assert len(ours) >= 15

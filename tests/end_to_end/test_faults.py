"""Everything that can die is killed in the middle of its work, for real.

Afterwards nothing is lost, nothing is there twice, nothing runs for ever, and uploads are still taken.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from django.db import connection
from django.db.models import Count

from analysis import services, tasks
from analysis.models import Run, Value
from analysis.querysets import lapsed
from config import embedded
from measurements.models import Blob, Measurement
from measurements.services import issue_token, read_measurement, receive
from measurements.store import store
from samples.models import Sample, User
from tests.end_to_end.conftest import Site, eventually, kill_group
from tests.misbehaving import at_large, poisonous_file
from tests.spectra import as_text, published_spectrum, spectrum_file

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
APP = "tests.misbehaving_worker"


@pytest.fixture(autouse=True)
def misbehaving() -> Iterator[None]:
    with at_large():
        yield


@pytest.fixture
def spectra(site: Site, alice: User, composite: Sample) -> list[Measurement]:
    """Read already; nothing has been asked of them but what the test asks."""
    found = []
    for seed in (1, 2, 3, 4):
        receipt = receive(
            user=alice, files=[spectrum_file(seed)], sample_code=composite.code, technique="unknown"
        )
        read_measurement(receipt.measurement)
        found.append(receipt.measurement)
    Measurement.objects.update(technique="pl")
    return [Measurement.objects.get(pk=each.pk) for each in found]


def asked(measurement: Measurement, method: str = "pl_gaussians", **params: object) -> Run:
    return services.request_run(measurement, method, params)[0]


def ended(runs: list[Run]) -> bool:
    open_ones = Run.objects.filter(pk__in=[run.pk for run in runs], status__in=["queued", "running"])
    return not open_ones.exists()


def states(runs: list[Run]) -> list[str]:
    return [Run.objects.get(pk=run.pk).status for run in runs]


def running(site: Site, count: int = 1) -> None:
    eventually(lambda: Run.objects.filter(status="running").count() >= count, 40, "runs to start", site)


def half_a_minute_later() -> None:
    """The leases of the dead lapse; the living renew theirs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_run SET lease_until = statement_timestamp() - interval '1 s'"
            " WHERE status = 'running'"
        )
    services.sweep()


def family(pid: int) -> list[int]:
    """A process and everything below it, the oldest first."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found = [pid]
    for each in found:
        found += sorted(children.get(each, []))
    return found


def is_sound(site: Site, alice: User, composite: Sample) -> None:
    """What must hold after every fault."""
    assert not Run.objects.filter(lapsed(), status="running").exists(), "a run without a worker"
    twice = (
        Value.objects.filter(current=True)
        .values("measurement", "method", "property", "component")
        .annotate(count=Count("pk"))
        .filter(count__gt=1)
    )
    assert not twice.exists()
    for blob in Blob.objects.all():
        assert store().examine(blob.sha256, blob.size) == "", "a stored file was lost"
    address = site.web()
    status, _ = upload(address, alice, composite, seed=99)
    assert status == 201


def upload(address: str, alice: User, composite: Sample, seed: int) -> tuple[int, int]:
    answer = requests.post(
        f"{address}/api/v1/measurements/",
        headers={"Authorization": f"Token {issue_token(alice)[1]}"},
        data={"sample": composite.code, "technique": "pl"},
        files={"file": ("spectrum.txt", as_text(*published_spectrum(seed)))},
        timeout=20,
    )
    return answer.status_code, answer.json()["id"]


def test_a_killed_pool_process_takes_its_computation_with_it_and_loses_nothing(
    site: Site, spectra: list[Measurement], alice: User, composite: Sample
) -> None:
    runs = [asked(each, "fragile", nap_s=2.5 + place / 10) for place, each in enumerate(spectra[:2])]
    worker = site.worker(APP)
    running(site, 2)
    eventually(lambda: len(family(worker.pid)) >= 3, 20, "the computing process")
    _, pool, computing = family(worker.pid)[:3]
    os.kill(pool, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{computing}").exists(), 10, "the computing process to die too")
    half_a_minute_later()
    eventually(lambda: ended(runs), 60, "the runs to end", site)
    assert states(runs) == ["done", "done"]
    assert {run.attempts for run in Run.objects.filter(method="fragile")} == {2}
    is_sound(site, alice, composite)


def test_a_killed_worker_leaves_a_batch_that_another_finishes(
    site: Site, spectra: list[Measurement], alice: User, composite: Sample
) -> None:
    runs = [asked(each, "fragile", nap_s=2.0) for each in spectra]
    worker = site.worker(APP)
    running(site, 4)
    kill_group(worker, signal.SIGKILL)
    worker.wait()
    half_a_minute_later()
    site.worker(APP)
    eventually(lambda: ended(runs), 90, "the runs to end", site)
    assert states(runs) == ["done"] * 4
    is_sound(site, alice, composite)


@pytest.mark.full
def test_a_database_backend_that_is_killed_costs_no_result(
    site: Site, spectra: list[Measurement], alice: User, composite: Sample
) -> None:
    runs = [asked(each, "fragile", nap_s=1.5) for each in spectra[:2]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()
    site.worker(APP)
    site.scheduler()
    running(site, 2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_start > %s"
            " AND datname = current_database() AND pid <> pg_backend_pid()",
            [before],  # those of the worker: the test's own must live on
        )
    # At once, where the worker can tell that only its connection is gone; else when the lease has ended.
    eventually(lambda: ended(runs), 120, "the runs to end", site)
    assert states(runs) == ["done", "done"]
    assert {run.attempts for run in Run.objects.filter(method="fragile")} <= {1, 2}
    is_sound(site, alice, composite)


def test_a_task_delivered_five_times_does_its_work_once(
    site: Site, spectra: list[Measurement], alice: User, composite: Sample
) -> None:
    runs = [asked(each) for each in spectra]
    for _ in range(5):
        tasks.execute_batch.delay()
        for run in runs:
            tasks.execute.delay(run.pk)
    workers = [site.worker(APP), site.worker(APP)]
    eventually(lambda: ended(runs), 60, "the runs to end", site)
    # Until all the messages are gone: the late ones must find nothing to do.
    eventually(lambda: site.said().count(" succeeded in ") >= 1, 30, "messages to be worked off")
    time.sleep(3)
    assert states(runs) == ["done"] * 4
    assert {run.attempts for run in Run.objects.filter(method="pl_gaussians")} == {1}
    values = Value.objects.filter(run__in=runs)
    assert values.count() == values.values("run", "property", "component").distinct().count()
    assert all(worker.poll() is None for worker in workers)
    is_sound(site, alice, composite)


@pytest.mark.full
@pytest.mark.parametrize("how", ["segfault", "memory", "endless"])
def test_a_method_that_misbehaves_ends_its_own_run_and_no_other(
    site: Site, spectra: list[Measurement], alice: User, composite: Sample, how: str
) -> None:
    receipt = receive(user=alice, files=[poisonous_file()], sample_code=composite.code, technique="unknown")
    read_measurement(receipt.measurement)
    poisoned = asked(receipt.measurement, "fragile", how=how)
    healthy = [asked(each, "fragile", how=how) for each in spectra]
    worker = site.worker(APP)
    eventually(lambda: ended([poisoned, *healthy]), 90, "the runs to end", site)
    assert states(healthy) == ["done"] * 4
    assert states([poisoned]) == ["failed"]
    assert Run.objects.get(pk=poisoned.pk).message.endswith(".")
    assert worker.poll() is None
    is_sound(site, alice, composite)


@dataclass
class Broker:
    """A Valkey of the test's own, to be killed and started again on the same folder."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        address, child = embedded.broker(self.folder, self.folder)
        self.process = subprocess.Popen(child.command, stdout=subprocess.DEVNULL)
        eventually(child.ready, 20, "the broker")
        return address

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def broker() -> Iterator[Broker]:
    folder = Path(tempfile.mkdtemp(prefix="vitrine-broker-"))  # a short path: it holds a socket
    broker = Broker(folder)
    yield broker
    with contextlib.suppress(AssertionError):
        broker.kill()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_broker_killed_in_the_middle_of_a_run_costs_only_time(
    site: Site, spectra: list[Measurement], alice: User, composite: Sample, broker: Broker
) -> None:
    address = broker.start()
    web = site.web(REDIS_URL=address)
    runs = [asked(each, "fragile", nap_s=2.0) for each in spectra[:2]]
    site.worker(APP, REDIS_URL=address)
    site.scheduler(REDIS_URL=address)  # its first sweep finds the runs, of which this broker was never told
    running(site, 2)
    broker.kill()
    began = time.monotonic()
    status, uploaded = upload(web, alice, composite, seed=7)
    assert status == 201
    assert time.monotonic() - began < 10, "the upload waited for a broker that is dead"
    Measurement.objects.filter(pk=uploaded).update(received_at="2026-01-01T00:00Z")
    eventually(lambda: ended(runs), 30, "the runs that were computing to end", site)
    assert states(runs) == ["done", "done"]
    broker.start()
    eventually(
        lambda: Value.objects.filter(measurement=uploaded, method="pl_gaussians", current=True).exists(),
        90,
        "what was uploaded meanwhile to be analysed",
        site,
    )
    is_sound(site, alice, composite)


def test_asking_while_the_broker_is_down_takes_less_than_a_second(
    spectra: list[Measurement], monkeypatch: pytest.MonkeyPatch
) -> None:
    from celery import current_app

    monkeypatch.setattr(current_app.conf, "broker_url", "redis+socket:///nowhere/at/all.sock")
    monkeypatch.setattr(current_app.conf, "broker_read_url", "redis+socket:///nowhere/at/all.sock")
    began = time.monotonic()
    runs = [asked(each) for each in spectra]
    assert time.monotonic() - began < 1.0 * len(runs)
    assert states(runs) == ["queued"] * 4

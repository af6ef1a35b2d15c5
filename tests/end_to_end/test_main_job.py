"""Upload a raw spectrum over HTTP, a worker fits it, the values are there; and what happens when one dies."""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import urllib.request
import uuid
from typing import Any

import pytest
from django.db import transaction

from analysis.models import Run, Value
from measurements.models import Measurement
from samples.models import Sample
from tests.end_to_end.conftest import Site, eventually, kill_group
from tests.spectra import PUBLISHED, as_text, published_spectrum

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def call(url: str, *, data: bytes | None = None, **headers: str) -> Any:
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.load(answer)


def token(address: str) -> str:
    basic = base64.b64encode(b"alice:a long enough password").decode()
    return call(f"{address}/api/v1/auth/login/", data=b"", Authorization=f"Basic {basic}")[1]["token"]


def upload(address: str, key: str, spectrum: bytes, sample: str) -> Any:
    boundary = uuid.uuid4().hex
    parts = [
        ('name="sample"', sample.encode()),
        ('name="technique"', b"pl"),
        ('name="file"; filename="spectrum.txt"', spectrum),
    ]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {what}\r\n\r\n".encode() + content + b"\r\n"
        for what, content in parts
    )
    body += f"--{boundary}--\r\n".encode()
    return call(
        f"{address}/api/v1/measurements/",
        data=body,
        Authorization=f"Token {key}",
        Content_Type=f"multipart/form-data; boundary={boundary}",
    )


def test_an_instrument_uploads_a_spectrum_and_a_worker_fits_it(site: Site, composite: Sample) -> None:
    address, spectrum = site.web(), as_text(*published_spectrum())
    site.worker()
    key = token(address)
    status, receipt = upload(address, key, spectrum, composite.code)
    assert status == 201
    assert receipt["files"][0]["sha256"] == hashlib.sha256(spectrum).hexdigest()

    def fit() -> dict[tuple[str, str], dict[str, Any]]:
        url = f"{address}/api/v1/values/?measurement={receipt['id']}&method=pl_gaussians&current=true"
        found = call(url, Authorization=f"Token {key}")[1]["results"]
        return {(value["property"], value["component"]): value for value in found}

    values = eventually(fit, 30, "values of the fit", site)
    for quantity, (published, standard_error) in PUBLISHED.items():
        assert values[quantity]["value"] == pytest.approx(published, abs=4 * standard_error), quantity
    status, again = upload(address, key, spectrum, composite.code)
    assert (status, again["id"]) == (200, receipt["id"])


def test_a_killed_worker_leaves_no_run_running_and_loses_nothing(site: Site, composite: Sample) -> None:
    address, spectrum = site.web(), as_text(*published_spectrum())
    worker = site.worker()
    # Holding the measurement's row keeps the run in its last step for as long as we like.
    key = token(address)
    receipt = upload(address, key, spectrum, composite.code)[1]
    measurement = Measurement.objects.get(pk=receipt["id"])
    eventually(lambda: Value.objects.filter(measurement=measurement).exists(), 30, "first fit", site)
    eventually(
        lambda: not Run.objects.filter(status__in=["queued", "running"]).exists(), 30, "first runs to end"
    )
    with transaction.atomic():
        Measurement.objects.select_for_update(no_key=True).get(pk=measurement.pk)
        question = {"method": "pl_gaussians", "measurements": [measurement.pk], "params": {"model": "one"}}
        call(
            f"{address}/api/v1/runs/",
            data=json.dumps(question).encode(),
            Authorization=f"Token {key}",
            Content_Type="application/json",
        )
        eventually(lambda: Run.objects.filter(status="running").exists(), 20, "the run to start", site)
        kill_group(worker, signal.SIGKILL)
        worker.wait()
    run = Run.objects.get(params__model="one")
    assert run.status == "running"
    Run.objects.filter(pk=run.pk).update(lease_until=run.started_at)  # half a minute passes
    site.worker()
    site.scheduler()

    def ended() -> bool:
        run.refresh_from_db()
        return run.status in ("done", "failed")

    eventually(ended, 60, "the sweep to take the run over", site)
    assert (run.status, run.attempts) == ("done", 2)
    current = Value.objects.filter(measurement=measurement, method="pl_gaussians", current=True)
    assert set(current.values_list("run", flat=True)) == {run.pk}
    stored = site.files / receipt["files"][0]["sha256"][:2]
    assert any(path.read_bytes() == spectrum for path in stored.rglob("*") if path.is_file())


def test_an_upload_is_taken_while_the_broker_is_down_and_read_when_it_is_back(
    site: Site, composite: Sample
) -> None:
    without_broker = site.web(REDIS_URL=f"unix://{site.files.parent}/nobody-listens-here.sock")
    key = token(without_broker)
    status, receipt = upload(without_broker, key, as_text(*published_spectrum()), composite.code)
    assert status == 201
    Measurement.objects.update(received_at="2026-01-01T00:00Z")
    site.worker()
    site.scheduler()
    eventually(
        lambda: Value.objects.filter(measurement=receipt["id"]).exists(),
        60,
        "the sweep to find the file",
        site,
    )

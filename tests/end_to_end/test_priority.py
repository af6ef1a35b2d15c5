"""Ten thousand runs wait, and a file that is uploaded meanwhile does not."""

from __future__ import annotations

import secrets

import pytest
from django.utils import timezone

from analysis import services
from analysis.models import Run, RunInput, Value
from analysis.services.waking import FAST, wake
from measurements.models import Measurement
from measurements.services import read_measurement, receive
from samples.models import Sample, User
from tests.end_to_end.conftest import Site, eventually
from tests.spectra import spectrum_file

pytestmark = [pytest.mark.full, pytest.mark.live, pytest.mark.django_db(transaction=True)]
WAITING = 10_000


def reanalysed_later(measurement: Measurement, count: int) -> None:
    """Runs as a reanalysis makes them, each a question of its own."""
    first, _ = services.request_run(measurement, "pl_gaussians")
    datasets = list(first.inputs.values_list("role", "dataset"))
    now = timezone.now()
    runs = Run.objects.bulk_create(
        Run(
            measurement=measurement,
            method=first.method,
            method_version=first.method_version,
            params=first.params,
            identity=secrets.token_hex(32),
            trigger="schedule",
            lane=FAST,
            priority=Run.Priority.REANALYSIS,
            requested_at=now,
            queued_at=now,
        )
        for _ in range(count)
    )
    RunInput.objects.bulk_create(
        RunInput(run=run, role=role, dataset_id=dataset) for run in runs for role, dataset in datasets
    )


def test_an_upload_is_read_and_analysed_while_ten_thousand_runs_wait(
    site: Site, alice: User, composite: Sample
) -> None:
    def given(seed: int) -> Measurement:
        files = [spectrum_file(seed)]
        return receive(user=alice, files=files, sample_code=composite.code, technique="pl").measurement

    old = given(1)
    read_measurement(old)
    reanalysed_later(old, WAITING)
    waiting = Run.objects.filter(status="queued", priority=Run.Priority.REANALYSIS)
    site.worker()
    wake(FAST)
    eventually(lambda: waiting.count() < WAITING, 60, "the worker to begin", site)
    new = given(2)
    eventually(
        lambda: Value.objects.filter(measurement=new, method="pl_gaussians", current=True).exists(),
        60,
        "the upload to be analysed",
        site,
    )
    assert waiting.count() > WAITING / 2, "the upload waited for its turn behind them"

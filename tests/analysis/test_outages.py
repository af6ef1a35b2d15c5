"""The raw files out of reach for a while: everything waits, and nothing is answered with a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from analysis import services
from analysis.models import QuickInput, Run
from analysis.services import storing
from measurements.models import Measurement
from measurements.services import read_measurement, receive
from measurements.store import BlobStore, StoreFullError, StoreUnavailableError
from samples.models import Sample, User
from tests.analysis.conftest import Measured
from tests.spectra import spectrum_file

Outage = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def outage(settings: Settings) -> Outage:
    folder = Path(settings.RAW_FILES_DIR)

    @contextmanager
    def unmounted() -> Iterator[None]:
        away = folder.rename(folder.with_name("unmounted"))
        try:
            yield
        finally:
            away.rename(folder)

    return unmounted


def state(run: Run) -> tuple[str, int, str]:
    run.refresh_from_db()
    return run.status, run.attempts, run.message


def test_a_run_waits_for_its_file_and_is_answered_afterwards(measured: Measured, outage: Outage) -> None:
    run, _ = services.request_run(measured(), "pl_gaussians")
    QuickInput.objects.all().delete()
    with outage():
        services.execute_batch()
        assert state(run) == ("queued", 0, "")
    services.execute_batch()
    assert state(run)[0] == "done"


def test_a_run_waits_while_no_copy_of_its_file_fits_on_the_disk(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = services.request_run(measured(), "pl_gaussians")
    QuickInput.objects.all().delete()
    with monkeypatch.context() as meanwhile:

        def full(*_: object) -> AbstractContextManager[Path]:
            raise StoreFullError("The disk is full.")

        meanwhile.setattr(BlobStore, "local", full)
        services.execute_batch()
        assert state(run) == ("queued", 0, "")
    services.execute_batch()
    assert state(run)[0] == "done"


def test_a_run_whose_result_cannot_be_stored_waits(
    measured: Measured, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = services.request_run(measured(), "pl_gaussians")
    store_curves = storing.store_curves
    with outage(), monkeypatch.context() as meanwhile:

        def unplugged(*_: object) -> object:
            raise StoreUnavailableError("Unplugged.")

        meanwhile.setattr(storing, "store_curves", unplugged)
        services.execute_batch()
        assert state(run) == ("queued", 0, "")
    assert storing.store_curves is store_curves
    services.execute_batch()
    assert state(run)[0] == "done"


def test_a_file_that_alone_is_missing_fails_its_run_at_once(measured: Measured, settings: Settings) -> None:
    kept, lost = measured(1), measured(2)
    runs = [services.request_run(each, "pl_gaussians")[0] for each in (kept, lost)]
    QuickInput.objects.all().delete()
    sha256 = lost.datasets.get().blob.sha256
    (Path(settings.RAW_FILES_DIR) / sha256[:2] / sha256[2:4] / sha256).unlink()
    services.execute_batch()
    assert [state(run)[0] for run in runs] == ["done", "failed"]
    assert "restore" in state(runs[1])[2]


def test_reading_waits_and_the_outage_counts_as_no_attempt(
    alice: User, composite: Sample, outage: Outage
) -> None:
    measurement: Measurement = receive(
        user=alice, files=[spectrum_file(1)], sample_code=composite.code, technique="pl"
    ).measurement
    with outage():
        for _ in range(5):
            read_measurement(measurement)
            measurement.refresh_from_db()
            assert (measurement.status, measurement.attempts, measurement.error) == ("received", 0, "")
    read_measurement(measurement)
    measurement.refresh_from_db()
    assert measurement.status == "read"

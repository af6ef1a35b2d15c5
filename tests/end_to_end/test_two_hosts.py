"""Two workers that share nothing but the database, the broker and an S3 storage, as on two hosts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from analysis import services
from analysis.curves import load_curves
from analysis.models import Artifact, QuickInput, Run, Value
from measurements.models import Measurement
from measurements.services import receive
from samples.models import Sample, User
from tests.end_to_end.conftest import Site, eventually, kill_group
from tests.measurements.s3 import bucket
from tests.spectra import spectrum_file

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
METHOD = "pl_gaussians"


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Iterator[str]:
    with bucket() as url:
        settings.STORAGE_URL = url
        settings.SCRATCH_DIR = tmp_path / "here"
        yield url


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.mark.full
def test_what_one_worker_stores_another_reads_into_a_cache_of_its_own(
    site: Site, storage: str, alice: User, composite: Sample, tmp_path: Path
) -> None:
    def worker(name: str):  # type: ignore[no-untyped-def]
        return site.worker(VITRINE_STORAGE_URL=storage, VITRINE_SCRATCH=str(tmp_path / name))

    def upload(seed: int) -> Measurement:
        file = spectrum_file(seed)
        return receive(user=alice, files=[file], sample_code=composite.code, technique="pl").measurement

    def analysed(measurements: list[Measurement], **params: str) -> bool:
        services.sweep()  # the scheduler's part: a killed worker may take a message with it
        done = Run.objects.filter(method=METHOD, status="done", measurement__in=measurements)
        return done.filter(**{f"params__{key}": value for key, value in params.items()}).count() == len(
            measurements
        )

    early = [upload(seed) for seed in (1, 2, 3)]
    first = worker("first")
    eventually(lambda: analysed(early), 150, "the first worker to read and analyse", site)
    kill_group(first, signal.SIGKILL)
    first.wait()

    QuickInput.objects.all().delete()  # so that the files themselves must be read again
    worker("second")
    for measurement in early:
        services.request_run(Measurement.objects.get(pk=measurement.pk), METHOD, {"model": "one"})
    eventually(lambda: analysed(early, model="one"), 150, "the second worker to analyse", site)
    assert files_in(tmp_path / "first"), "the first worker has a cache"
    assert files_in(tmp_path / "second"), "the second worker has a cache"

    worker("third")  # beside the second: they share the work, and nobody does any twice
    late = [upload(seed) for seed in range(4, 10)]
    eventually(lambda: analysed(late), 150, "both workers to share the work", site)
    assert set(Run.objects.filter(measurement__in=late).values_list("attempts", flat=True)) == {1}
    current = Value.objects.filter(method=METHOD, current=True, property="pl_offset")
    assert current.count() == len(early) + len(late)
    assert all(load_curves(artifact) for artifact in Artifact.objects.all())

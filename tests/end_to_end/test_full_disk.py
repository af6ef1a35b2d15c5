"""A disk that is really full: a small one of the test's own, in memory."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from analysis import services
from analysis.models import Artifact, Value
from measurements.models import Measurement
from measurements.services import Incoming, Receipt, read_measurement, receive
from measurements.store import StoreFullError, store
from samples.models import Sample, User
from tests.spectra import spectrum_file

pytestmark = [pytest.mark.full, pytest.mark.django_db]
DISK_BYTES = 2 * 1024**2
PIECE_BYTES = 64 * 1024


@pytest.fixture(autouse=True)
def small_disk(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The raw files lie on it."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"Only who may mount a disk can fill one: {made.stderr.strip()}")
    settings.RAW_FILES_DIR, settings.MIN_FREE_BYTES = folder / "files", 0
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, left_bytes: int = 0) -> Path:
    """What some other program has written, to the last byte or nearly so."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))
    os.truncate(filler, filler.stat().st_size - left_bytes)
    assert shutil.disk_usage(folder).free == left_bytes
    return filler


def left_behind(folder: Path) -> list[Path]:
    return [path for path in (folder / "files").rglob("*") if path.is_file()]


def test_an_upload_that_does_not_fit_is_refused_and_leaves_no_byte(
    small_disk: Path, as_alice: APIClient, composite: Sample
) -> None:
    def send(size: int) -> tuple[int, str]:
        file = io.BytesIO(b"x" * size)
        file.name = "scan.txt"
        answer = as_alice.post(
            "/api/v1/measurements/", {"sample": composite.code, "file": file}, format="multipart"
        )
        return answer.status_code, str(answer.json()["error"])

    status, sentence = send(2 * DISK_BYTES)
    assert status == 507
    assert "disk of the raw files is full" in sentence
    assert not Measurement.objects.exists()
    assert left_behind(small_disk) == []
    assert send(DISK_BYTES // 4) == (201, "")
    assert len(left_behind(small_disk)) == 1


def test_a_disk_that_fills_up_while_bytes_come_is_said_and_the_file_comes_again(
    small_disk: Path, alice: User, composite: Sample
) -> None:
    class Slow(io.BytesIO):
        """In the middle of it somebody else takes what is left."""

        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() and not (small_disk / "filler").exists():
                fill(small_disk)
            return super().read(min(size or PIECE_BYTES, PIECE_BYTES))

    data = b"y" * (DISK_BYTES // 2)
    assert len(data) > 2 * PIECE_BYTES

    def send() -> Receipt:
        return receive(user=alice, files=[Incoming("run7.txt", Slow(data))], sample_code=composite.code)

    with pytest.raises(StoreFullError, match="disk of the raw files is full"):
        send()
    assert not Measurement.objects.exists()
    assert left_behind(small_disk) == []
    (small_disk / "filler").write_bytes(b"")
    (kept,) = send().files
    assert store().examine(kept.blob.sha256, len(data)) == ""


@pytest.mark.parametrize("left_bytes", [0, 4096, 16_384], ids=["at once", "closing it", "flushing it"])
def test_a_run_whose_curves_find_no_room_gives_no_value_and_is_done_when_there_is_some(
    small_disk: Path, alice: User, composite: Sample, left_bytes: int
) -> None:
    receipt = receive(user=alice, files=[spectrum_file(1)], sample_code=composite.code, technique="pl")
    read_measurement(receipt.measurement)
    measurement = Measurement.objects.get()
    run, _ = services.request_run(measurement, "pl_gaussians")
    kept = set(store().hashes())
    filler = fill(small_disk, left_bytes)
    work()
    run.refresh_from_db()
    assert (run.status, "full" in run.message) == ("failed", True)
    assert not Value.objects.exists()
    assert not Artifact.objects.exists()
    filler.unlink()
    assert set(store().hashes()) == kept
    assert services.request_run(measurement, "pl_gaussians")[0] == run
    work()
    run.refresh_from_db()
    assert run.status == "done"
    assert store().verify(Artifact.objects.get(run=run).blob.sha256)


def work() -> None:
    while services.execute_batch():
        pass

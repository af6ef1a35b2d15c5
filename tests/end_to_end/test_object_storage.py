"""The whole journey over S3: web, worker and backup share no disk, only the storage."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from measurements.models import Blob, Dataset, Measurement
from measurements.store import BlobStore
from measurements.store.objects import ObjectStore
from samples.models import Sample
from tests.end_to_end.conftest import ROOT, Site, eventually
from tests.end_to_end.test_main_job import token, upload
from tests.measurements.s3 import bucket
from tests.spectra import as_text, published_spectrum

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def url() -> Iterator[str]:
    with bucket() as address:
        yield address


def everything_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def test_from_upload_to_backup_without_a_shared_disk(
    site: Site, composite: Sample, url: str, tmp_path: Path
) -> None:
    content = as_text(*published_spectrum())
    sha256 = hashlib.sha256(content).hexdigest()
    at_web, at_worker = tmp_path / "web's disk", tmp_path / "worker's disk"
    address = site.web(VITRINE_STORAGE_URL=url, VITRINE_SCRATCH=str(at_web))
    site.start(
        "celery", "-A", "config", "worker", "--concurrency", "1", "--loglevel", "INFO",
        VITRINE_STORAGE_URL=url, VITRINE_SCRATCH=str(at_worker),
    )  # fmt: skip
    key = token(address)
    status, receipt = upload(address, key, content, composite.code)
    assert status == 201
    assert receipt["files"][0]["sha256"] == sha256
    eventually(
        lambda: Measurement.objects.get(pk=receipt["id"]).status == Measurement.Status.READ,
        60,
        "the worker reads it",
        site,
    )
    # The worker wrote a dataset that the web server now hands out; neither has it on its own disk for good.
    dataset = Dataset.objects.get(measurement=receipt["id"])
    authorised = {"Authorization": f"Token {key}"}

    def get(path: str, **headers: str) -> bytes:
        request = urllib.request.Request(f"{address}/api/v1/{path}", headers=authorised | headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            body: bytes = answer.read()
        return body

    assert get(f"files/{receipt['files'][0]['id']}/content/") == content
    assert get(f"datasets/{dataset.pk}/data/?as=nexus").startswith(b"\x89HDF")
    assert b'"signal"' in get(f"datasets/{dataset.pk}/data/?as=json")
    files = ObjectStore(url, tmp_path / "test's disk")
    stored = {blob.sha256: files.examine(blob.sha256, blob.size) for blob in Blob.objects.all()}
    assert stored.keys() >= {sha256, dataset.blob.sha256}
    assert set(stored.values()) == {""}
    assert not any(path.name == sha256 for path in everything_in(at_web)), "uploaded, and gone from here"
    assert not (tmp_path / "files").exists(), "nobody used the folder"

    # Backed up from the storage, and good for a restore into a folder.
    environment = site.environment | {"VITRINE_STORAGE_URL": url, "VITRINE_SCRATCH": str(tmp_path / "third")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "backup", str(tmp_path / "backups")],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    kept = BlobStore(tmp_path / "backups" / "files")
    assert set(kept.hashes()) >= stored.keys()
    assert kept.open(sha256).read() == content

"""What `/readyz` says to whoever watches the servers."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from measurements.models import Blob

pytestmark = pytest.mark.django_db


def test_all_is_well(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "files": "ok", "broker": "ok", "fixity": "ok"}


def test_without_room_for_an_upload_it_is_not_ready(client: Client, settings: Settings) -> None:
    settings.MIN_FREE_BYTES = 10**18
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "must stay free (VITRINE_MIN_FREE_BYTES)" in answer.json()["files"]


def test_a_storage_that_does_not_answer_makes_it_not_ready(client: Client, settings: Settings) -> None:
    settings.STORAGE_URL = "s3://a:b@bucket?endpoint_url=http://127.0.0.1:9&region_name=x"
    settings.SCRATCH_DIR = settings.RAW_FILES_DIR
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "S3 storage does not do its part" in answer.json()["files"]


def test_damaged_files_are_told_and_do_not_stop_the_server(client: Client) -> None:
    Blob.objects.create(sha256="a" * 64, size=1, damaged_at=timezone.now(), damage="is missing")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["fixity"] == "1 stored files are damaged; see the Storage page"

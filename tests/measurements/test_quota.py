"""A project may keep so many bytes of raw files, and each file counts once."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from measurements.models import Measurement
from measurements.services import Incoming, Receipt, batches, quota, receive
from measurements.services.attachments import Subject, attach
from measurements.store import Pending, QuotaError, store
from samples.models import Project, Sample, User

KB = b"x" * 1000


def test_what_would_pass_the_limit_is_refused_with_a_sentence_and_leaves_no_row(
    given: Callable[..., Receipt], project: Project
) -> None:
    quota.set_quota(project, 2500)
    given(KB + b"1")
    given(KB + b"2")
    with pytest.raises(QuotaError, match=r"may keep 2.5 kB of files and has 2 kB, so these 1 kB"):
        given(KB + b"3")
    assert Measurement.objects.count() == 2
    given(b"small enough")


def test_the_same_bytes_count_once_and_may_come_again_when_all_is_full(
    given: Callable[..., Receipt], project: Project
) -> None:
    quota.set_quota(project, 1500)
    given(KB)
    given(KB, technique="pl")
    given(KB, sample_code="VT-UNKNOWN")
    assert quota.used_bytes(project) == 1000
    assert quota.room_left(project) == 500


def test_another_project_s_files_do_not_count(
    given: Callable[..., Receipt], project: Project, charlies: Sample
) -> None:
    quota.set_quota(charlies.project, 10)
    given(KB)
    assert quota.used_bytes(charlies.project) == 0
    assert quota.room_left(project) is None


def test_a_limit_can_be_taken_away(given: Callable[..., Receipt], project: Project) -> None:
    quota.set_quota(project, 10)
    with pytest.raises(QuotaError):
        given(KB)
    quota.set_quota(project, None)
    given(KB)


@pytest.mark.django_db(transaction=True)
def test_a_count_that_is_remembered_still_stops_at_the_limit(
    given: Callable[..., Receipt], project: Project
) -> None:
    quota.set_quota(project, 3500)
    for n in range(3):
        given(KB + b"%d" % n)
    with pytest.raises(QuotaError, match="has 3 kB"):
        given(KB + b"3")


@pytest.mark.django_db(transaction=True)
def test_two_uploads_in_the_same_moment_cannot_pass_the_limit_together(
    given: Callable[..., Receipt], project: Project
) -> None:
    quota.set_quota(project, 2500)
    given(KB + b"0")  # since then the count is remembered
    with ThreadPoolExecutor(1) as elsewhere, ExitStack() as first:
        first.enter_context(transaction.atomic())
        given(KB + b"1")  # recorded, not committed
        second = elsewhere.submit(_on_its_own_connection, given, KB + b"2")
        while not second.done() and not _somebody_waits():
            time.sleep(0.01)
        first.close()
        with pytest.raises(QuotaError, match="has 2 kB, so these 1 kB were not taken"):
            second.result(timeout=10)
    assert quota.used_bytes(project) == 2002


def _on_its_own_connection(given: Callable[..., Receipt], data: bytes) -> Receipt:
    try:
        return given(data)
    finally:
        connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_over_rest_it_is_413_and_says_what_to_do(
    as_alice: APIClient, project: Project, composite: Sample
) -> None:
    quota.set_quota(project, 100)
    file = io.BytesIO(KB)
    file.name = "scan.txt"
    answer = as_alice.post(
        "/api/v1/measurements/", {"sample": composite.code, "file": file}, format="multipart"
    )
    assert answer.status_code == 413, answer.content
    assert b"ask the operator to raise the project" in answer.content


def test_what_is_announced_to_pass_the_limit_is_refused_before_its_bytes(
    alice: User, composite: Sample, project: Project
) -> None:
    class Untouched:
        def read(self, size: int, /) -> bytes:
            raise AssertionError("a byte was read")

    quota.set_quota(project, 100)
    file = Incoming("scan.txt", Untouched(), size_bytes=1000)
    with pytest.raises(QuotaError, match="these 1 kB were not taken"):
        receive(user=alice, files=[file], sample_code=composite.code)


def pending(data: bytes) -> Pending:
    upload = store().begin()
    upload.write(data)
    return upload


MANIFEST = b"sample,technique,file\nVT-GLASS,pl,a.txt\n"


def test_the_files_of_a_batch_count_and_are_refused_before_they_are_kept(
    alice: User, project: Project, composite: Sample
) -> None:
    batch = batches.open_batch(user=alice, project=project, name="m.csv", upload=pending(MANIFEST))
    assert quota.used_bytes(project) == len(MANIFEST)
    quota.set_quota(project, 1500)
    batches.add_file(batch, "a.txt", pending(KB))
    assert quota.used_bytes(project) == len(MANIFEST) + 1000
    kept = set(store().hashes())
    with pytest.raises(QuotaError, match="these 1 kB were not taken"):
        batches.add_file(batch, "b.txt", pending(KB + b"2"))
    assert set(store().hashes()) == kept
    assert batch.files.count() == 1
    batches.add_file(batch, "the same.txt", pending(KB))
    batches.commit(batch, alice)
    assert Measurement.objects.get(sample=composite).files.get().blob.size == 1000
    assert quota.used_bytes(project) == len(MANIFEST) + 1000


def test_a_batch_in_one_archive_is_refused_as_a_whole(alice: User, project: Project) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", MANIFEST)
        archive.writestr("a.txt", KB)
    quota.set_quota(project, 1200)
    with pytest.raises(QuotaError, match="were not taken"):
        batches.open_batch(user=alice, project=project, name="a.zip", upload=pending(out.getvalue()))
    assert list(store().hashes()) == []
    quota.set_quota(project, 1000 + len(out.getvalue()))
    batches.open_batch(user=alice, project=project, name="a.zip", upload=pending(out.getvalue()))
    assert quota.room_left(project) == 0
    batches.open_batch(user=alice, project=project, name="again.zip", upload=pending(out.getvalue()))


@pytest.mark.django_db(transaction=True)
def test_what_is_attached_counts_and_is_refused_before_it_is_kept(
    given: Callable[..., Receipt], alice: User, composite: Sample, project: Project
) -> None:
    quota.set_quota(project, 2500)
    given(KB)
    assert composite.preparation is not None
    attach(user=alice, subject=Subject(sample=composite), name="a", stream=io.BytesIO(KB + b"a"))
    attach(user=alice, subject=Subject(preparation=composite.preparation), name="b", stream=io.BytesIO(KB))
    assert quota.used_bytes(project) == 2001
    with pytest.raises(QuotaError, match="has 2 kB"):
        attach(user=alice, subject=Subject(sample=composite), name="c", stream=io.BytesIO(KB + b"c"))
    assert len(list(store().hashes())) == 2
    with pytest.raises(QuotaError, match="has 2 kB"):
        given(KB + b"3")

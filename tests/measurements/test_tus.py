"""Resumable uploads, tus 1.0: what every request and every refusal of the protocol does."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from measurements.models import Measurement, Upload
from measurements.services import quota, uploading
from measurements.store import partial, store
from measurements.tasks import sweep_uploads
from samples.models import Membership, Project, Role, Sample, User
from tests.conftest import api
from tests.measurements.conftest import TEXT

URL = "/api/v1/uploads/"
PIECE = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}
SHA256 = hashlib.sha256(TEXT).hexdigest()


def encoded(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def begin(client: APIClient, size: int = len(TEXT), **said: str) -> Any:
    known = {"filename": "run7.txt", **said}
    headers = VERSION | {"Upload-Length": str(size), "Upload-Metadata": encoded(**known)}
    return client.post(URL, headers=headers)


def begun(client: APIClient, size: int = len(TEXT), **said: str) -> str:
    answer = begin(client, size, **said)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"]).removeprefix("http://testserver")


def patch(client: APIClient, url: str, offset: int, data: bytes, **headers: str) -> Any:
    return client.patch(
        url, data, content_type=PIECE, headers=VERSION | {"Upload-Offset": str(offset), **headers}
    )


def offset(client: APIClient, url: str) -> int:
    answer = client.head(url, headers=VERSION)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return int(answer["Upload-Offset"])


def parts() -> list[Path]:
    return list((store().scratch / "partial").glob("*"))


def checksum(data: bytes, name: str = "sha1") -> dict[str, str]:
    digest = hashlib.new(name, data).digest()
    return {"Upload-Checksum": f"{name} {base64.b64encode(digest).decode()}"}


def test_options_tells_what_the_server_can_to_anybody() -> None:
    answer = APIClient().options(URL)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "checksum", "termination", "expiration",
    }  # fmt: skip
    assert int(answer["Tus-Max-Size"]) > 10**9
    assert set(answer["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256", "md5"}


def test_a_file_in_three_pieces_becomes_one_measurement(as_alice: APIClient, composite: Sample) -> None:
    url = begun(as_alice, sample="VT-GLASS", technique="pl", role="sample", filetype="text/plain")
    for start in range(0, len(TEXT), 1000):
        assert offset(as_alice, url) == start
        answer = patch(as_alice, url, start, TEXT[start : start + 1000])
        assert (answer.status_code, answer.content) == (204, b"")
        assert int(answer["Upload-Offset"]) == min(start + 1000, len(TEXT))
        assert "Upload-Expires" in answer
    row = Measurement.objects.get()
    assert answer["Vitrine-Measurement"] == f"/api/v1/measurements/{row.pk}/"
    receipt = as_alice.get(url).json()["receipt"]
    assert (receipt["id"], receipt["sample"], receipt["technique"]) == (row.pk, "VT-GLASS", "pl")
    (kept,) = receipt["files"]
    assert (kept["filename"], kept["role"], kept["sha256"]) == ("run7.txt", "sample", SHA256)
    assert store().verify(SHA256)
    assert parts() == []


def test_the_receipt_is_the_one_that_a_form_gets(as_alice: APIClient, composite: Sample) -> None:
    url = begun(
        as_alice, sample="VT-GLASS", acquired_at="2026-05-04T10:00:00+02:00", conditions='{"slit_nm": 2}'
    )
    patch(as_alice, url, 0, TEXT)
    receipt = as_alice.get(url).json()["receipt"]
    again = as_alice.put(
        "/api/v1/uploads/run7.txt?sample=VT-GLASS", TEXT, content_type="application/octet-stream"
    )
    assert (again.status_code, again.json()) == (200, receipt)
    assert (receipt["acquired_at"], receipt["conditions"]) == ("2026-05-04T08:00:00Z", {"slit_nm": 2})


def test_creation_may_bring_the_first_piece_and_the_whole_file(as_alice: APIClient, project: Project) -> None:
    headers = VERSION | {"Upload-Length": str(len(TEXT)), "Upload-Metadata": encoded(filename="a.txt")}
    first = as_alice.post(URL, TEXT[:100], content_type=PIECE, headers=headers)
    assert (first.status_code, first["Upload-Offset"]) == (201, "100")
    assert first.json()["receipt"] is None
    whole = as_alice.post(URL, TEXT, content_type=PIECE, headers=headers)
    assert whole.json()["receipt"]["files"][0]["sha256"] == SHA256


def test_an_empty_file_is_whole_at_once(as_alice: APIClient, project: Project) -> None:
    answer = begin(as_alice, 0)
    assert answer.json()["receipt"]["files"][0]["sha256"] == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("name", ["sha1", "sha256", "md5"])
def test_a_piece_with_its_checksum_is_taken(as_alice: APIClient, project: Project, name: str) -> None:
    url = begun(as_alice)
    assert patch(as_alice, url, 0, TEXT, **checksum(TEXT, name)).status_code == 204
    assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256


def test_nothing_is_kept_of_a_piece_that_its_checksum_does_not_fit(
    as_alice: APIClient, project: Project
) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:500])
    answer = patch(as_alice, url, 500, b"!" * 300, **checksum(TEXT[500:800]))
    assert (answer.status_code, offset(as_alice, url)) == (460, 500)
    assert patch(as_alice, url, 500, TEXT[500:], **checksum(TEXT[500:])).status_code == 204
    assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256


@pytest.mark.parametrize("header", ["crc32 AAAA", "sha1 !!!!", "sha1"])
def test_a_checksum_that_is_none_is_refused(as_alice: APIClient, project: Project, header: str) -> None:
    url = begun(as_alice)
    answer = patch(as_alice, url, 0, TEXT, **{"Upload-Checksum": header})
    assert answer.status_code in (400, 460)
    assert offset(as_alice, url) == 0


@pytest.mark.parametrize("wrong", [0, 499, 501, 10**17])
def test_a_piece_that_begins_elsewhere_is_refused_with_409(
    as_alice: APIClient, project: Project, wrong: int
) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:500])
    answer = patch(as_alice, url, wrong, TEXT[500:])
    assert answer.status_code == 409
    assert "goes on at byte 500" in answer.json()["error"]["message"]
    assert offset(as_alice, url) == 500


@pytest.mark.parametrize("version", [{}, {"Tus-Resumable": "0.2.2"}])
def test_another_version_is_refused_with_412(
    as_alice: APIClient, project: Project, version: dict[str, str]
) -> None:
    url = begun(as_alice)
    for call in (as_alice.head, as_alice.patch, as_alice.delete):
        answer = call(url, headers=version)
        assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
    assert as_alice.post(URL, headers=version).status_code == 412
    assert Upload.objects.count() == 1


def test_more_bytes_than_one_file_may_have_are_refused_with_413(
    as_alice: APIClient, project: Project, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    assert begin(as_alice, 1001).status_code == 413
    assert (Upload.objects.count(), parts()) == (0, [])


def test_more_bytes_than_announced_are_refused_with_413(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice, 100)
    assert patch(as_alice, url, 0, TEXT).status_code == 413
    assert offset(as_alice, url) == 0


def test_another_content_type_is_refused_with_415(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    answer = as_alice.patch(
        url, TEXT, content_type="application/octet-stream", headers=VERSION | {"Upload-Offset": "0"}
    )
    assert (answer.status_code, offset(as_alice, url)) == (415, 0)


@pytest.mark.parametrize("length", [None, "", "-1", "many", "9" * 30])
def test_an_upload_without_a_length_is_refused(
    as_alice: APIClient, project: Project, length: str | None
) -> None:
    headers = VERSION | ({"Upload-Length": length} if length is not None else {})
    assert as_alice.post(URL, headers=headers).status_code == 400


def test_a_full_disk_is_answered_before_a_byte_is_sent(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it would only be full once the uploads on their way have come."""
    free = store().least_free_bytes + 3 * len(TEXT)
    monkeypatch.setattr(type(store()), "free_bytes", lambda self: free)
    begun(as_alice)
    begun(as_alice)
    begun(as_alice)
    answer = begin(as_alice)
    assert (answer.status_code, len(parts())) == (507, 3)
    assert "must stay free" in answer.json()["error"]["message"]


def test_one_person_cannot_promise_everybodys_room_away(
    as_alice: APIClient, as_charlie: APIClient, project: Project, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    urls = [begun(as_alice, 1000) for _ in range(uploading.PROMISES_AT_MOST)]
    answer = begin(as_alice, 1)
    assert (answer.status_code, len(parts())) == (429, uploading.PROMISES_AT_MOST)
    assert "Finish them or delete them" in answer.json()["error"]["message"]
    assert urls[0].split("/")[-2] in answer.json()["error"]["message"]
    assert begin(as_charlie, 1000).status_code == 201
    as_alice.delete(urls[0], headers=VERSION)
    assert begin(as_alice, 1).status_code == 201


def test_one_person_cannot_begin_uploads_without_end(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "UNFINISHED_AT_MOST", 2)
    begun(as_alice)
    url = begun(as_alice)
    assert begin(as_alice).status_code == 429
    patch(as_alice, url, 0, TEXT)
    assert begin(as_alice).status_code == 201


def test_what_is_on_its_way_counts_against_the_quota(as_alice: APIClient, project: Project) -> None:
    quota.set_quota(project, 2500)
    url = begun(as_alice, 1000, project="glass")
    begun(as_alice, 1000, project="glass")
    answer = begin(as_alice, 1000, project="glass")
    assert answer.status_code == 413
    assert "Glass composites may keep" in answer.json()["error"]["message"]
    as_alice.delete(url, headers=VERSION)
    assert begin(as_alice, 1000, project="glass").status_code == 201


def test_a_promise_without_a_byte_lasts_an_hour(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    left = Upload.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    patch(as_alice, url, 0, TEXT[:1])
    assert Upload.objects.get().expires_at - timezone.now() > timedelta(days=6)


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"technique": "palmistry"}, "technique", "not one of the choices"),
        ({"acquired_at": "2026-05-04T10:00:00"}, "acquired_at", "with its zone"),
        ({"conditions": "[1]"}, "conditions", "Conditions are a JSON object"),
        ({"project": "charlie"}, "project", "no project “charlie” into which you may write"),
        ({"filename": "a\0b"}, "Upload-Metadata", "holds what is no text"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_byte_is_sent(
    as_alice: APIClient, project: Project, charlie: User, said: dict[str, str], field: str, sentence: str
) -> None:
    answer = begin(as_alice, **said)
    assert (answer.status_code, Upload.objects.count()) == (400, 0)
    assert sentence in answer.json()["error"]["fields"][field]


@pytest.mark.parametrize("header", ["filename !", "filename YQ==,sample /w==", "x" * 70_000])
def test_metadata_that_cannot_be_read_is_refused(as_alice: APIClient, project: Project, header: str) -> None:
    answer = as_alice.post(URL, headers=VERSION | {"Upload-Length": "1", "Upload-Metadata": header})
    assert answer.status_code == 400


def test_a_viewer_is_refused_before_a_byte_is_sent(as_bob: APIClient, composite: Sample) -> None:
    answer = begin(as_bob, sample="VT-GLASS")
    assert answer.status_code == 403
    assert "may look at VT-GLASS but not add to it" in answer.json()["error"]["message"]
    assert parts() == []


def test_who_lost_the_right_while_uploading_is_told_and_the_bytes_stay(
    alice: User, project: Project, composite: Sample
) -> None:
    carol = User.objects.create_user("carol", "c@example.org", "a long enough password")
    role = Membership.objects.create(project=project, user=carol, role=Role.CONTRIBUTOR)
    client = api(carol)
    url = begun(client, sample="VT-GLASS")
    Membership.objects.filter(pk=role.pk).update(role=Role.VIEWER)
    assert patch(client, url, 0, TEXT).status_code == 403
    assert (Measurement.objects.count(), offset(client, url)) == (0, len(TEXT))
    sweep_uploads()
    assert Measurement.objects.count() == 0
    Membership.objects.filter(pk=role.pk).update(role=Role.CONTRIBUTOR)
    assert client.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256


def test_an_upload_does_not_exist_for_others(
    as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, project: Project
) -> None:
    url = begun(as_alice)
    for client in (as_bob, as_charlie):
        assert client.get(url).status_code == 404
        assert client.head(url, headers=VERSION).status_code == 404
        assert patch(client, url, 0, TEXT).status_code == 404
        assert client.delete(url, headers=VERSION).status_code == 404
    assert APIClient().head(url, headers=VERSION).status_code == 401
    assert offset(as_alice, url) == 0


def test_an_upload_that_is_terminated_is_gone(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:500])
    assert as_alice.delete(url, headers=VERSION).status_code == 204
    assert as_alice.head(url, headers=VERSION).status_code == 404
    assert (parts(), Measurement.objects.count()) == ([], 0)


def test_terminating_a_whole_upload_leaves_the_measurement(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT)
    assert as_alice.delete(url, headers=VERSION).status_code == 204
    assert store().verify(Measurement.objects.get().files.get().blob.sha256)


def test_a_client_that_knows_only_post_can_say_patch(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    headers = VERSION | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert as_alice.post(url, TEXT, content_type=PIECE, headers=headers).status_code == 204
    assert as_alice.get(url).json()["receipt"] is not None


def test_a_browser_session_needs_its_csrf_token_for_every_change(alice: User, project: Project) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    assert begin(client).status_code == 403
    url = begun(api(alice))
    assert patch(client, url, 0, TEXT).status_code == 403
    assert client.delete(url, headers=VERSION).status_code == 403
    smuggled = VERSION | {"X-HTTP-Method-Override": "DELETE"}
    assert client.post(url, headers=smuggled).status_code == 403
    client.cookies["csrftoken"] = secret = "a" * 32
    assert patch(client, url, 0, TEXT, **{"X-CSRFToken": secret}).status_code == 204


# --- what a crash, a hung client or time leave behind ------------------------------------------------------


def test_bytes_that_were_never_acknowledged_are_sent_again(as_alice: APIClient, project: Project) -> None:
    """A server killed after writing and before the row: HEAD tells of none of it, and nothing is doubled."""
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:500])
    with parts()[0].open("ab") as file:
        file.write(b"written, and not acknowledged")
    forget_hashes()
    assert offset(as_alice, url) == 500
    assert patch(as_alice, url, 500, TEXT[500:]).status_code == 204
    assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256


def forget_hashes() -> None:
    """As a new process would."""
    partial._remembered.clear()


def test_only_what_this_process_has_not_hashed_is_read_again(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counting(fd: int, size: int, at: int) -> bytes:
        data = original(fd, size, at)
        if at or size <= len(TEXT):  # not the head that readers look at
            read.append(len(data))
        return data

    original = os.pread
    monkeypatch.setattr(partial.os, "pread", counting)
    for restarted, expected in ((False, 0), (True, len(TEXT))):
        url = begun(as_alice, sample=f"restarted-{restarted}")
        patch(as_alice, url, 0, TEXT[:500])
        if restarted:
            forget_hashes()
        read.clear()
        patch(as_alice, url, 500, TEXT[500:])
        assert sum(read) == expected
        assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256


def test_the_offset_is_told_only_after_the_bytes_are_flushed(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(as_alice)
    told: list[int] = []

    def flush(self: partial.Partial) -> None:
        told.append(Upload.objects.get().received_bytes)
        original(self)

    original = partial.Partial.flush
    monkeypatch.setattr(partial.Partial, "flush", flush)
    patch(as_alice, url, 0, TEXT[:500])
    assert told == [0]
    assert offset(as_alice, url) == 500

    def fail(self: partial.Partial) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(partial.Partial, "flush", fail)
    as_alice.raise_request_exception = False
    assert patch(as_alice, url, 500, TEXT[500:]).status_code >= 500
    assert offset(as_alice, url) == 500


def test_two_pieces_at_once_are_refused_with_423(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    with uploading._writing(Upload.objects.get()):
        assert patch(as_alice, url, 0, TEXT).status_code == 423
        assert offset(as_alice, url) == 0
    assert patch(as_alice, url, 0, TEXT).status_code == 204


def test_a_request_that_hangs_gives_way_and_writes_nothing_afterwards(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(as_alice)
    upload = Upload.objects.get()
    monkeypatch.setattr(uploading, "ACKNOWLEDGE_EVERY_S", -1)

    class Hanging:
        """Its second piece comes when somebody else has gone on."""

        pieces = iter([TEXT[:500], b"?" * 500])

        def read(self, size: int, /) -> bytes:
            piece = next(self.pieces)
            if piece[:1] == b"?":
                Upload.objects.update(active_at=timezone.now() - timedelta(minutes=1))
                assert patch(as_alice, url, 0, TEXT).status_code in (204, 409)
                start = offset(as_alice, url)
                if start < len(TEXT):
                    assert patch(as_alice, url, start, TEXT[start:]).status_code in (204, 423)
            return piece

    with pytest.raises((uploading.LockedError, uploading.GoneError)):
        uploading.append(upload, 0, Hanging())
    assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256


def test_a_whole_file_whose_server_was_killed_before_the_receipt_is_finished(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whoever asks, or by the sweep."""
    with monkeypatch.context() as killed:
        killed.setattr(uploading, "finish", lambda upload: None)
        for name in ("asked.txt", "swept.txt"):
            url = begun(as_alice, filename=name, sample=name)
            patch(as_alice, url, 0, TEXT)
    assert Measurement.objects.count() == 0
    assert as_alice.get(url).json()["receipt"]["files"][0]["filename"] == "swept.txt"
    sweep_uploads()
    names = Measurement.objects.values_list("files__filename", flat=True)
    assert sorted(names) == ["asked.txt", "swept.txt"]
    assert parts() == []
    sweep_uploads()
    assert Measurement.objects.count() == 2


def test_an_upload_that_nobody_goes_on_with_expires_with_410(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:500])
    assert timedelta(days=6) < Upload.objects.get().expires_at - timezone.now() < timedelta(days=8)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert as_alice.head(url, headers=VERSION).status_code == 410
    sweep_uploads()
    assert parts() == []
    assert patch(as_alice, url, 500, TEXT[500:]).status_code == 410
    Upload.objects.update(expires_at=timezone.now() - timedelta(days=31))
    sweep_uploads()
    assert as_alice.head(url, headers=VERSION).status_code == 404


def test_the_sweep_leaves_what_is_going_on(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:500])
    os.utime(parts()[0], (0, 0))
    sweep_uploads()
    store().sweep()
    assert patch(as_alice, url, 500, TEXT[500:]).status_code == 204


def test_a_part_without_a_row_is_swept_once_nobody_can_be_about_to_write_the_row(
    as_alice: APIClient, project: Project
) -> None:
    partial.create_partial(store(), str(uuid.uuid4()))
    sweep_uploads()
    assert len(parts()) == 1
    os.utime(parts()[0], (time.time() - 3700,) * 2)
    sweep_uploads()
    assert parts() == []


@pytest.mark.parametrize("sent", [500, len(TEXT)])
@pytest.mark.parametrize("lost", [lambda path: os.truncate(path, 100), Path.unlink])
def test_an_upload_whose_bytes_are_gone_from_the_disk_is_begun_anew(
    as_alice: APIClient,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    lost: Callable[[Path], None],
    sent: int,
) -> None:
    """410 and not 503, which a client would repeat for ever."""
    url = begun(as_alice)
    with monkeypatch.context() as killed:
        killed.setattr(uploading, "finish", lambda upload: None)
        patch(as_alice, url, 0, TEXT[:sent])
    lost(parts()[0])
    forget_hashes()
    answer = patch(as_alice, url, sent, TEXT[sent:])
    assert answer.status_code == 410
    assert "Begin this upload anew" in answer.json()["error"]["message"]
    assert as_alice.head(url, headers=VERSION).status_code == 410
    sweep_uploads()
    assert Measurement.objects.count() == 0


def test_a_folder_that_is_not_mounted_costs_no_upload(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:500])
    folder = store().scratch / "partial"
    folder.rename(folder.with_name("elsewhere"))
    assert patch(as_alice, url, 500, TEXT[500:]).status_code == 503
    folder.with_name("elsewhere").rename(folder)
    assert patch(as_alice, url, 500, TEXT[500:]).status_code == 204


def test_the_same_bytes_at_once_by_two_ways_are_one_measurement(
    as_alice: APIClient, composite: Sample, given: Callable[..., Any]
) -> None:
    url = begun(as_alice, sample="VT-GLASS")
    receipt = given()
    patch(as_alice, url, 0, TEXT)
    assert as_alice.get(url).json()["receipt"]["id"] == receipt.measurement.pk

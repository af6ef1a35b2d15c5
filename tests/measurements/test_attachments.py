"""Photos, logs and files on samples and steps: kept by their hash, shown only when they are pictures."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from measurements.models import Attachment, Blob
from measurements.services import Subject, attach, attach_log, void_attachment
from measurements.store import store
from samples.models import Preparation, Sample, User
from samples.services import performing

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
HTML = b"<html><script>alert(1)</script></html>"


@pytest.fixture
def preparation(composite: Sample) -> Preparation:
    assert composite.preparation is not None
    return composite.preparation


def log_text(shift_c: float = 6.0) -> bytes:
    """25 → 281 °C at 20 °C/min, 10 min there, 40 °C/min down."""
    peak = 275 + shift_c
    up, down = (peak - 25) / 20, (peak - 25) / 40
    minutes = np.arange(0, up + 10 + down, 0.05)
    values = np.interp(minutes, [0, up, up + 10, up + 10 + down], [25, peak, peak, 25])
    rows = "\n".join(f"{m:.4f}\t{v:.4f}" for m, v in zip(minutes, values, strict=True))
    return f"Time (min)\tTemperature (°C)\n{rows}\n".encode()


def photo(user: User, subject: Subject, content: bytes = PNG, name: str = "boat.png") -> Attachment:
    return attach(user=user, subject=subject, name=name, stream=io.BytesIO(content))


def test_bytes_are_kept_under_their_hash(alice: User, composite: Sample) -> None:
    row = photo(alice, Subject(sample=composite))
    assert row.blob.sha256 == hashlib.sha256(PNG).hexdigest()
    assert store().open(row.blob.sha256).read() == PNG
    assert (row.kind, row.media_type) == ("photo", "image/png")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (HTML, ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", ""),
        (b"GIF89a" + b"\0" * 20, ""),
    ],
)
def test_a_picture_is_one_by_its_bytes_whatever_its_name(
    alice: User, composite: Sample, content: bytes, media_type: str
) -> None:
    assert photo(alice, Subject(sample=composite), content).media_type == media_type


def test_a_photo_may_be_there_before_the_step_and_stays_when_it_is_undone(
    alice: User, preparation: Preparation
) -> None:
    row = photo(alice, Subject(preparation=preparation, step="milling-1"))
    performing.perform(user=alice, preparation=preparation, key="milling-1", said={}, at=None)
    performing.undo(user=alice, preparation=preparation, key="milling-1", reason="wrong day")
    row.refresh_from_db()
    assert row.step == "milling-1"


@pytest.mark.parametrize("step", ["milling-9", "stirring-1", "milling", "milling-1; drop"])
def test_a_step_that_is_not_on_the_sheet_takes_nothing(
    alice: User, preparation: Preparation, step: str
) -> None:
    with pytest.raises(ValidationError):
        photo(alice, Subject(preparation=preparation, step=step))
    assert not Attachment.objects.exists()


def test_nothing_is_attached_to_nothing_or_to_both(
    alice: User, composite: Sample, preparation: Preparation
) -> None:
    for subject in (Subject(), Subject(sample=composite, preparation=preparation)):
        with pytest.raises(ValidationError, match="one of them"):
            photo(alice, subject)
    blob = Blob.objects.create(sha256="0" * 64, size=1)
    for wrong in (
        {},
        {"sample": composite, "preparation": preparation},
        {"sample": composite, "step_kind": "milling", "step_order": 1},
        {"preparation": preparation, "step_kind": "milling"},
        {"sample": composite, "media_type": "text/html"},
        {"preparation": preparation, "kind": "furnace_log", "step_kind": "milling", "step_order": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Attachment.objects.create(blob=blob, filename="x", **wrong)


def test_an_empty_file_is_refused(alice: User, composite: Sample) -> None:
    with pytest.raises(ValidationError, match="is empty"):
        photo(alice, Subject(sample=composite), b"")


def test_withdrawing_keeps_the_bytes_and_needs_a_reason(alice: User, composite: Sample) -> None:
    row = photo(alice, Subject(sample=composite))
    with pytest.raises(ValidationError, match="Say why"):
        void_attachment(user=alice, attachment=row, reason=" ")
    void_attachment(user=alice, attachment=row, reason="somebody's lunch")
    assert not Attachment.objects.in_use().exists()
    assert store().verify(row.blob.sha256)


# Furnace logs


def logged(user: User, preparation: Preparation, content: bytes, step: str = "sintering-2") -> Attachment:
    return attach_log(
        user=user, preparation=preparation, step=step, name="furnace.txt", stream=io.BytesIO(content)
    )


def test_a_log_gives_the_programme_as_it_ran_and_the_plan_stays(
    alice: User, composite: Sample, preparation: Preparation
) -> None:
    performing.perform(user=alice, preparation=preparation, key="sintering-2", said={}, at=None)
    row = logged(alice, preparation, log_text())
    assert row.reading["peak_c"] == pytest.approx(281, abs=0.01)
    assert row.reading["hold_min"] == pytest.approx(10, abs=0.05)
    assert row.reading["cooling_c_per_min"] == pytest.approx(40, rel=1e-3)
    minutes, values = np.frombuffer(bytes(row.preview or b""), "<f4").reshape(2, -1)
    assert values.max() == pytest.approx(281, abs=0.01)
    assert np.all(np.diff(minutes) > 0)
    place = performing.place(preparation, "sintering-2")
    assert [s.target_c for s in place.planned.segments.all()] == [275]
    assert place.performed.segments.first().target_c == pytest.approx(281, abs=0.01)
    factors = Sample.objects.get(pk=composite.pk).factors
    assert factors.sintering_temperature_c == pytest.approx(281, abs=0.01)
    assert factors.sintering_ramp_c_per_min == pytest.approx(20, rel=1e-3)
    assert factors.sintering_hold_min == pytest.approx(10, abs=0.05)
    assert factors.sintering_gas == "Ar"  # a log knows no gas


def test_a_log_of_a_quench_gives_its_rate(alice: User, composite: Sample, preparation: Preparation) -> None:
    performing.perform(user=alice, preparation=preparation, key="quench-3", said={}, at=None)
    logged(alice, preparation, log_text(), "quench-3")
    assert preparation.quench_steps.get().rate_c_per_min == pytest.approx(40, rel=1e-3)
    assert Sample.objects.get(pk=composite.pk).factors.quench_rate_c_per_min == pytest.approx(40, rel=1e-3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (HTML, "no rows of numbers"),
        (b"\0\1\2" * 99, "binary"),
        (b"Time (min)\tTemperature (C)\n0\t20\n1\t30\n", "at least 4"),
        (b"Time (fortnights)\tT\n0\t20\n1\t30\n2\t40\n3\t50\n", "fortnights"),
    ],
)
def test_what_is_no_log_is_refused_and_not_attached(
    alice: User, preparation: Preparation, content: bytes, sentence: str
) -> None:
    performing.perform(user=alice, preparation=preparation, key="sintering-2", said={}, at=None)
    with pytest.raises(ValidationError, match=sentence):
        logged(alice, preparation, content)
    assert not Attachment.objects.exists()
    assert not preparation.sintering_steps.get().segments.exists()


def test_a_log_belongs_to_a_step_that_was_recorded(alice: User, preparation: Preparation) -> None:
    with pytest.raises(ValidationError, match="as done first"):
        logged(alice, preparation, log_text())
    performing.perform(user=alice, preparation=preparation, key="milling-1", said={}, at=None)
    with pytest.raises(ValidationError, match="sintering or quench"):
        logged(alice, preparation, log_text(), "milling-1")


# Over REST


def send(client: APIClient, content: bytes = PNG, name: str = "boat.png", **said: object) -> tuple[int, dict]:
    answer = client.post("/api/v1/attachments/", {"file": SimpleUploadedFile(name, content), **said})
    return answer.status_code, answer.json()


def test_a_file_comes_back_as_it_was_sent_and_never_as_a_page(as_alice: APIClient, composite: Sample) -> None:
    status, body = send(as_alice, HTML, "page.html", sample=composite.code, note="a page")
    assert status == 201, body
    assert body["sha256"] == hashlib.sha256(HTML).hexdigest()
    answer = as_alice.get(f"/api/v1/attachments/{body['id']}/content/")
    assert b"".join(answer.streaming_content) == HTML
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["ETag"] == f'"{body["sha256"]}"'
    assert as_alice.get(f"/api/v1/attachments/{body['id']}/picture/").status_code == 404


def test_a_picture_is_shown_as_the_picture_it_is(as_alice: APIClient, composite: Sample) -> None:
    _, body = send(as_alice, PNG, "evil.html", sample=composite.code)
    answer = as_alice.get(f"/api/v1/attachments/{body['id']}/picture/")
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_who_sees_the_sample_sees_what_is_attached_and_nobody_else(
    as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, composite: Sample
) -> None:
    _, body = send(as_alice, sample=composite.code)
    pk = body["id"]
    assert as_bob.get(f"/api/v1/attachments/{pk}/content/").status_code == 200
    assert send(as_bob, sample=composite.code)[0] == 403
    assert as_bob.post(f"/api/v1/attachments/{pk}/withdraw/", {"reason": "no"}).status_code == 403
    for path in ("", "content/", "picture/"):
        assert as_charlie.get(f"/api/v1/attachments/{pk}/{path}").status_code == 404
    assert as_charlie.get("/api/v1/attachments/").json()["results"] == []
    assert send(as_charlie, sample=composite.code)[0] == 400
    assert send(as_charlie, preparation=composite.preparation_id)[0] == 400
    assert as_alice.post(f"/api/v1/attachments/{pk}/withdraw/", {"reason": "wrong"}).status_code == 200
    assert as_alice.get("/api/v1/attachments/").json()["results"] == []


def test_a_log_over_rest(as_alice: APIClient, alice: User, preparation: Preparation) -> None:
    performing.perform(user=alice, preparation=preparation, key="sintering-2", said={}, at=None)
    said = {"preparation": preparation.pk, "step": "sintering-2", "furnace_log": "true"}
    status, body = send(as_alice, log_text(), "log.txt", **said)
    assert status == 201, body
    assert body["reading"]["peak_c"] == pytest.approx(281, abs=0.01)
    status, body = send(as_alice, HTML, "log.txt", **said)
    assert status == 400
    assert "log.txt" in body["error"]["message"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"sample": "NOBODY"},
        {"preparation": "0"},
        {"preparation": "x"},
        {"sample": "VT-GLASS", "step": "milling-1"},
    ],
)
def test_an_attachment_of_nothing_is_refused(as_alice: APIClient, composite: Sample, said: dict) -> None:
    status, body = send(as_alice, **said)
    assert status == 400
    assert body["error"]["message"]


def test_a_name_that_lies_is_only_text(as_alice: APIClient, composite: Sample) -> None:
    name = "../../etc/\u202egnp.exe"
    status, body = send(as_alice, b"MZ", name, sample=composite.code)
    assert status == 201
    answer = as_alice.get(f"/api/v1/attachments/{body['id']}/content/")
    assert "\u202e" not in answer["Content-Disposition"]
    assert "/" not in answer["Content-Disposition"].partition("filename*")[0].partition("filename=")[2]

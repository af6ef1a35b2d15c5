from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import ClientHandler
from knox.models import AuthToken
from pytest_django import Settings
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient

from measurements.models import Measurement
from measurements.serializers import ReceiptSerializer
from measurements.services import Receipt, add_instrument, issue_token
from measurements.store import StoreFullError, StoreUnavailableError, store
from samples.models import Project, Sample, User
from tests.measurements.conftest import TEXT

URL = "/api/v1/measurements/"


def file(content: bytes = TEXT, name: str = "run7.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_the_receipt_has_the_hash_of_the_bytes(as_alice: APIClient, composite: Sample) -> None:
    answer = as_alice.post(URL, {"sample": composite.code, "technique": "pl", "file": file()})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["sample"], body["technique"], body["status"]) == ("VT-GLASS", "pl", "received")
    assert body["warnings"] == []
    (kept,) = body["files"]
    assert kept["filename"] == "run7.txt"
    assert (kept["size"], kept["sha256"]) == (len(TEXT), hashlib.sha256(TEXT).hexdigest())
    assert store().verify(kept["sha256"])
    assert list(store().incoming.iterdir()) == []


def test_the_same_bytes_again_answer_200_and_the_same_body(as_alice: APIClient, composite: Sample) -> None:
    form = {"sample": composite.code, "technique": "pl"}
    first = as_alice.post(URL, {**form, "file": file()})
    again = as_alice.post(URL, {**form, "file": file()})
    assert again.status_code == 200
    assert again.json() == first.json()


def test_a_receipt_says_what_its_description_says(as_alice: APIClient, composite: Sample) -> None:
    form = {"sample": composite.code, "file": file(), "acquired_at": "2026-05-04T10:00:00+02:00"}
    body = as_alice.post(URL, form).json()
    row = Measurement.objects.get()
    row.warnings = []  # type: ignore[attr-defined]
    assert body == json.loads(JSONRenderer().render(ReceiptSerializer(row).data))


def test_an_upload_costs_few_queries(
    as_alice: APIClient, composite: Sample, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(9):  # two of them open and close the test's own savepoint
        as_alice.post(URL, {"sample": composite.code, "file": file()})


def test_an_unknown_sample_is_taken_into_the_inbox(as_alice: APIClient, project: Project) -> None:
    answer = as_alice.post(URL, {"sample": "VT-WRONG", "file": file()})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["sample"], body["claimed_code"], body["project"]) == (None, "VT-WRONG", "glass")
    assert "waits in the inbox of Glass composites" in body["warnings"][0]


def test_a_sample_that_one_may_not_see_looks_exactly_like_an_unknown_one(
    as_alice: APIClient, project: Project, charlies: Sample
) -> None:
    hidden = as_alice.post(URL, {"sample": charlies.code, "file": file()}).json()
    unknown = as_alice.post(URL, {"sample": "CH-9", "file": file()}).json()
    for body in (hidden, unknown):
        assert body["project"] == "glass"
        assert len(body["warnings"]) == 1
    assert hidden["warnings"][0].replace("CH-1", "CH-9") == unknown["warnings"][0]


def test_several_files_with_roles_are_one_measurement(as_alice: APIClient, composite: Sample) -> None:
    files = [file(TEXT, "sample.txt"), file(TEXT + b"900\t1\n", "blank.txt")]
    form = {"sample": composite.code, "file": files, "role": ["sample", "blank"]}
    body = as_alice.post(URL, form).json()
    assert [(kept["filename"], kept["role"]) for kept in body["files"]] == [
        ("sample.txt", "sample"),
        ("blank.txt", "blank"),
    ]


def test_everything_known_about_a_measurement_is_kept(as_alice: APIClient, composite: Sample) -> None:
    form = {
        "sample": composite.code,
        "acquired_at": "2026-05-04T10:00:00+02:00",
        "conditions": '{"slit_nm": 2}',
        "origin": "simulated",
        "file": file(),
    }
    body = as_alice.post(URL, form).json()
    assert body["acquired_at"] == "2026-05-04T08:00:00Z"
    assert (body["conditions"], body["origin"]) == ({"slit_nm": 2}, "simulated")


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({}, "file", "No file came with the request."),
        ({"file": "not a file"}, "file", "not a file"),
        ({"technique": "palmistry", "file": file()}, "technique", "not one of the choices"),
        ({"acquired_at": "2026-05-04T10:00:00", "file": file()}, "acquired_at", "with its zone"),
        ({"acquired_at": "yesterday", "file": file()}, "acquired_at", "write times as"),
        ({"conditions": "{", "file": file()}, "conditions", "This is not JSON"),
        ({"conditions": "[1]", "file": file()}, "conditions", "Conditions are a JSON object"),
        ({"conditions": '{"a": NaN}', "file": file()}, "conditions", "NaN is not a number in JSON"),
        ({"conditions": '{"a": 1e999}', "file": file()}, "conditions", "not JSON"),
        ({"conditions": '{"a": "\\u0000"}', "file": file()}, "conditions", "not text"),
        ({"conditions": '{"a": "\\ud800"}', "file": file()}, "conditions", "not text"),
        ({"conditions": "[" * 100_000, "file": file()}, "conditions", "not JSON"),
        ({"role": ["a", "b"], "file": file()}, "role", "1 file came with 2 roles"),
        ({"project": "charlie", "file": file()}, "project", "no project “charlie” into which you may write"),
        ({"origin": "invented", "file": file()}, "origin", "not one of the choices"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_and_leaves_nothing(
    as_alice: APIClient, project: Project, charlie: User, form: dict[str, Any], field: str, sentence: str
) -> None:
    if isinstance(form.get("file"), SimpleUploadedFile):
        form["file"].seek(0)
    answer = as_alice.post(URL, form)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["fields"][field]
    assert Measurement.objects.count() == 0
    assert not store().incoming.exists() or list(store().incoming.iterdir()) == []


def test_a_json_body_is_told_to_be_a_form(as_alice: APIClient) -> None:
    answer = as_alice.post(URL, {"sample": "VT-GLASS"}, format="json")
    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["error"]["message"]


def test_a_viewer_may_not_upload_to_a_sample_that_they_see(as_bob: APIClient, composite: Sample) -> None:
    answer = as_bob.post(URL, {"sample": composite.code, "file": file()})
    assert answer.status_code == 403
    assert "may look at VT-GLASS but not add to it" in answer.json()["error"]["message"]
    assert Measurement.objects.count() == 0


def test_a_stranger_gets_401_before_their_bytes_are_read(client: Any, composite: Sample) -> None:
    answer = APIClient().post(URL, {"sample": composite.code, "file": file()})
    assert answer.status_code == 401
    assert not store().incoming.exists()


def test_a_file_larger_than_allowed_is_refused_with_413(
    as_alice: APIClient, composite: Sample, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    answer = as_alice.post(URL, {"sample": composite.code, "file": file()})
    assert answer.status_code == 413
    assert "the most that one file may have here" in answer.json()["error"]["message"]
    assert list(store().incoming.iterdir()) == []


def test_an_upload_that_says_at_once_that_it_is_too_large_is_not_read(
    as_alice: APIClient, composite: Sample, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    answer = as_alice.post(URL, {"sample": composite.code, "file": file(b"0" * 2_000_000)})
    assert answer.status_code == 413
    assert "The upload has 2 MB" in answer.json()["error"]["message"]
    assert not store().incoming.exists()


@pytest.mark.parametrize(
    ("error", "status"), [(StoreFullError("Full."), 507), (StoreUnavailableError("Read-only."), 503)]
)
def test_a_disk_that_takes_nothing_is_answered_in_words(
    as_alice: APIClient, composite: Sample, monkeypatch: Any, error: Exception, status: int
) -> None:
    def refuse(self: Any) -> None:
        raise error

    monkeypatch.setattr("measurements.store.Pending.keep", refuse)
    answer = as_alice.post(URL, {"sample": composite.code, "file": file()})
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, str(error))
    assert Measurement.objects.count() == 0


HOSTILE_NAMES = [
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "<script>alert(1)</script>.txt",
    "\"quoted\" 'names'; x=1.txt",
    "invoice\u202etxt.exe",
    "Grüße 測定.txt",
    "%00%0d%0aSet-Cookie: a=b.txt",
    "..",
    "a" * 400 + ".txt",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_file_name_is_only_ever_text(as_alice: APIClient, composite: Sample, name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    body = (
        f'--XX\r\nContent-Disposition: form-data; name="sample"\r\n\r\n{composite.code}\r\n'
        f'--XX\r\nContent-Disposition: form-data; name="file"; filename="{escaped}"\r\n\r\n'
    ).encode() + TEXT + b"\r\n--XX--\r\n"  # fmt: skip
    answer = as_alice.post(URL, body, content_type="multipart/form-data; boundary=XX")
    assert answer.status_code == 201, answer.content
    (kept,) = answer.json()["files"]
    shown = as_alice.get(f"/api/v1/files/{kept['id']}/content/")
    assert b"".join(shown.streaming_content) == TEXT
    disposition = shown["Content-Disposition"]
    assert disposition.startswith("attachment; filename=")
    assert disposition.isascii()
    assert disposition.isprintable()
    assert not {"/", "\\", "<"} & set(disposition.partition("filename*=")[2])
    everything = [path for path in store().root.parent.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(store().root) for path in everything)


def test_a_body_that_breaks_off_is_not_taken(as_alice: APIClient, composite: Sample) -> None:
    body = b'--XX\r\nContent-Disposition: form-data; name="file"; filename="cut.txt"\r\n\r\n' + TEXT[:100]
    answer = as_alice.post(URL, body, content_type="multipart/form-data; boundary=XX")
    assert answer.status_code == 400
    assert Measurement.objects.count() == 0
    assert list(store().incoming.iterdir()) == []


def test_an_instruments_token_uploads_and_is_named_in_the_measurement(
    project: Project, composite: Sample
) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    _, token = issue_token(instrument.account)
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    body = client.post(URL, {"sample": composite.code, "file": file()}).json()
    assert (body["instrument"], body["sample"]) == ("FLS 1000", "VT-GLASS")
    assert AuthToken.objects.get().digest != token
    AuthToken.objects.all().delete()
    assert client.post(URL, {"sample": composite.code, "file": file()}).status_code == 401


def test_a_browser_session_uploads_with_its_csrf_token(alice: User, composite: Sample) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(URL, {"sample": composite.code, "file": file()}).status_code == 403
    assert not list(store().incoming.glob("*"))
    client.get("/accounts/login/")
    client.cookies["csrftoken"] = secret = "a" * 32
    answer = client.post(URL, {"sample": composite.code, "file": file()}, HTTP_X_CSRFTOKEN=secret)
    assert answer.status_code == 201, answer.content


class Endless(io.RawIOBase):
    """A request body that is made as it is read."""

    def __init__(self, before: bytes, size: int, after: bytes) -> None:
        self.parts = [before, size, after]
        self.length = len(before) + size + len(after)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        for index, part in enumerate(self.parts):
            if isinstance(part, int) and part:
                given = b"\x17" * min(size, part)
                self.parts[index] = part - len(given)
                return given
            if isinstance(part, bytes) and part:
                self.parts[index] = part[size:]
                return part[:size]
        return b""


def test_memory_stays_flat_while_64_mb_come_in(alice: User, composite: Sample) -> None:
    _, token = AuthToken.objects.create(alice)
    before = (
        f'--XX\r\nContent-Disposition: form-data; name="sample"\r\n\r\n{composite.code}\r\n'
        '--XX\r\nContent-Disposition: form-data; name="file"; filename="map.bin"\r\n\r\n'
    ).encode()  # fmt: skip
    body = Endless(before, 64 * 1024**2, b"\r\n--XX--\r\n")
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": URL, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.input": body, "CONTENT_LENGTH": str(body.length), "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "multipart/form-data; boundary=XX", "HTTP_AUTHORIZATION": f"Token {token}",
    }  # fmt: skip
    handler = ClientHandler()
    handler(environ | {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})  # what is imported once
    tracemalloc.start()
    response = handler(environ)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert response.status_code == 201
    assert json.loads(response.content)["files"][0]["size"] == 64 * 1024**2
    assert peak < 16 * 1024**2


def test_measurements_are_listed_by_sample_technique_status_project_and_instrument(
    as_alice: APIClient, given: Callable[..., Receipt], project: Project, composite: Sample
) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    first = given(technique="pl").measurement.pk
    second = given(
        TEXT + b"900\t1\n", technique="xrd", sample_code=None, instrument=instrument
    ).measurement.pk

    def listed(query: str) -> list[int]:
        body = as_alice.get(f"{URL}?{query}").json()
        assert {"next", "previous", "results"} == body.keys()
        return [row["id"] for row in body["results"]]

    assert listed("") == [second, first]
    assert listed("sample=VT-GLASS") == [first]
    assert listed("technique=xrd") == [second]
    assert listed("technique=xrd&technique=pl") == [second, first]
    assert listed("status=read") == []
    assert listed("project=glass") == [second, first]
    assert listed("instrument=FLS 1000") == [second]
    assert listed("inbox=true") == [second]
    assert listed(f"sha256={hashlib.sha256(TEXT).hexdigest()}") == [first]


def test_pages_follow_one_another_by_cursor(as_alice: APIClient, given: Callable[..., Receipt]) -> None:
    pks = [given(TEXT + b"%d\t1\n" % n).measurement.pk for n in range(900, 903)]
    page = as_alice.get(f"{URL}?page_size=2").json()
    rest = as_alice.get(page["next"]).json()
    assert [row["id"] for row in page["results"] + rest["results"]] == pks[::-1]


def test_a_list_costs_the_same_queries_however_long_it_is(
    as_alice: APIClient, given: Callable[..., Receipt], django_assert_num_queries: Any
) -> None:
    given()
    with django_assert_num_queries(3):
        as_alice.get(URL)
    given(TEXT + b"900\t1\n")
    given(TEXT + b"901\t1\n")
    with django_assert_num_queries(3):
        as_alice.get(URL)


def test_a_measurement_leaves_the_inbox_by_patch_and_by_post(
    as_alice: APIClient, given: Callable[..., Receipt], composite: Sample
) -> None:
    for number, ask in enumerate((as_alice.patch, as_alice.post)):
        pk = given(TEXT + b"%d\t1\n" % (900 + number), sample_code="VT-WRONG").measurement.pk
        url = f"{URL}{pk}/" if ask == as_alice.patch else f"{URL}{pk}/assign/"
        answer = ask(url, {"sample": composite.code}, format="json")
        assert answer.status_code == 200, answer.content
        assert answer.json()["sample"] == "VT-GLASS"


def test_what_cannot_be_assigned_is_answered_in_words(
    as_alice: APIClient, as_bob: APIClient, given: Callable[..., Receipt], composite: Sample
) -> None:
    pk = given(sample_code=None).measurement.pk
    unknown = as_alice.patch(f"{URL}{pk}/", {"sample": "VT-WRONG"}, format="json")
    assert unknown.status_code == 400
    assert "There is no sample “VT-WRONG”" in unknown.json()["error"]["fields"]["sample"]
    assert as_bob.patch(f"{URL}{pk}/", {"sample": composite.code}, format="json").status_code == 403


def test_a_change_of_which_half_is_refused_changes_nothing(
    as_alice: APIClient, given: Callable[..., Receipt], composite: Sample
) -> None:
    given(sample_code=composite.code, technique="xrd")
    waiting = given(sample_code=None, technique="pl").measurement
    answer = as_alice.patch(
        f"{URL}{waiting.pk}/", {"sample": composite.code, "technique": "xrd"}, format="json"
    )
    assert answer.status_code == 400, answer.content
    waiting.refresh_from_db()
    assert (waiting.sample, waiting.technique) == (None, "pl")


def test_techniques_and_formats_are_listed(as_alice: APIClient) -> None:
    techniques = as_alice.get("/api/v1/techniques/").json()["results"]
    assert {"key": "pl", "label": "Photoluminescence"} in techniques
    formats = {row["key"]: row for row in as_alice.get("/api/v1/formats/").json()["results"]}
    assert formats["fluoracle"]["techniques"] == ["pl", "trpl"]
    assert formats["delimited_text"]["version"] >= 1

"""PUT: the file is the body of the request."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test.client import ClientHandler
from django.utils import timezone
from knox.models import AuthToken
from pytest_django import Settings
from rest_framework.test import APIClient

from measurements.api.raw import Body
from measurements.models import Measurement, RawFile
from measurements.services import Receipt, add_instrument, issue_token
from measurements.store import store
from samples.models import Membership, Project, Role, Sample, User
from tests.measurements.conftest import TEXT
from tests.measurements.test_upload_api import HOSTILE_NAMES, Endless

URL = "/api/v1/uploads/"
SHA256 = hashlib.sha256(TEXT).hexdigest()


def put(
    client: APIClient, name: str = "run7.txt", body: bytes = TEXT, query: str = "", **headers: Any
) -> Any:
    address = f"{URL}{quote(name)}{query}"
    return client.put(address, body, content_type="application/octet-stream", headers=headers)


def nothing_was_kept() -> bool:
    incoming = store().incoming
    return Measurement.objects.count() == 0 and (not incoming.exists() or not list(incoming.iterdir()))


def test_the_receipt_is_that_of_a_form(
    as_alice: APIClient, composite: Sample, given: Callable[..., Receipt]
) -> None:
    answer = put(as_alice, query=f"?sample={composite.code}&technique=pl&role=sample")
    assert answer.status_code == 201, answer.content
    (kept,) = answer.json()["files"]
    assert (kept["filename"], kept["role"], kept["size"], kept["sha256"]) == (
        "run7.txt", "sample", len(TEXT), SHA256,
    )  # fmt: skip
    assert store().verify(SHA256)
    form = {"sample": composite.code, "technique": "pl", "role": "sample", "file": io.BytesIO(TEXT)}
    again = as_alice.post("/api/v1/measurements/", form)
    assert (again.status_code, again.json()) == (200, answer.json())
    assert nothing_waits()


def nothing_waits() -> bool:
    return list(store().incoming.iterdir()) == []


def test_the_same_bytes_again_answer_200(as_alice: APIClient, composite: Sample) -> None:
    first = put(as_alice, query=f"?sample={composite.code}")
    again = put(as_alice, query=f"?sample={composite.code}")
    assert (again.status_code, again.json()) == (200, first.json())


def test_everything_known_about_a_measurement_is_kept(as_alice: APIClient, composite: Sample) -> None:
    known = quote('{"slit_nm": 2}')
    query = f"?sample=VT-GLASS&acquired_at=2026-05-04T10:00:00%2B02:00&conditions={known}&origin=simulated"
    body = put(as_alice, query=query).json()
    assert body["acquired_at"] == "2026-05-04T08:00:00Z"
    assert (body["conditions"], body["origin"]) == ({"slit_nm": 2}, "simulated")


@pytest.mark.parametrize("value", [2**70, json.loads("[" * 300 + "]" * 300)], ids=["long", "deep"])
def test_what_little_json_holds_comes_back_in_the_receipt(alice: User, composite: Sample, value: Any) -> None:
    query = f"sample={composite.code}&conditions={quote(json.dumps({'dose': value}))}"
    for status in (201, 200):
        answer = sent(alice, io.BytesIO(TEXT), str(len(TEXT)), query)
        assert answer.status_code == status
        assert json.loads(answer.content)["conditions"] == {"dose": value}


def digests(content: bytes) -> list[dict[str, str]]:
    digest = hashlib.sha256(content).digest()
    encoded = base64.b64encode(digest).decode()
    return [
        {"Repr-Digest": f"sha-256=:{encoded}:"},
        {"Content-Digest": f"sha-512=:AAAA:, sha-256=:{encoded}:"},
        {"X-Content-SHA256": digest.hex().upper()},
    ]


@pytest.mark.parametrize("headers", digests(TEXT))
def test_bytes_with_the_announced_digest_are_taken(
    as_alice: APIClient, project: Project, headers: dict[str, str]
) -> None:
    assert put(as_alice, **headers).status_code == 201


@pytest.mark.parametrize("headers", digests(TEXT + b"!"))
def test_bytes_with_another_digest_are_refused_and_nothing_is_kept(
    as_alice: APIClient, project: Project, headers: dict[str, str]
) -> None:
    answer = put(as_alice, **headers)
    assert answer.status_code == 400
    assert "not with the one that was announced" in answer.json()["error"]["message"]
    assert nothing_was_kept()
    assert not store().path(SHA256).exists()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "headers",
    [
        {"Repr-Digest": "sha-256=:!:"},
        {"Repr-Digest": "sha-256=:ä:"},
        {"Repr-Digest": ""},
        {"Content-Digest": "sha-256=:AAAA:"},
        {"X-Content-SHA256": "12"},
        {"X-Content-SHA256": ""},
    ],
)
def test_a_digest_that_is_none_is_refused_before_the_bytes_are_read(
    as_alice: APIClient, project: Project, headers: dict[str, str]
) -> None:
    answer = put(as_alice, **headers)
    assert (answer.status_code, "This is no SHA-256" in answer.json()["error"]["message"]) == (400, True)
    assert not store().incoming.exists()


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "1/pdata/1/1r", "a?b#c.txt"])
def test_a_hostile_name_is_only_ever_text(as_alice: APIClient, project: Project, name: str) -> None:
    if "\0" in name or "%00" in name:
        name = name.replace("%00", "%01")  # NUL is refused at the door, for every request
    answer = put(as_alice, name)
    assert answer.status_code == 201, answer.content
    kept = RawFile.objects.get()
    assert kept.filename == (name if len(name) <= 255 else kept.filename)
    assert len(kept.filename) <= 255
    everything = [path for path in store().scratch.parent.rglob("*") if path.is_file()]
    assert [path.name for path in everything] == [SHA256]


def test_an_empty_file_is_a_file(alice: User, project: Project) -> None:
    body = json.loads(sent(alice, io.BytesIO(), "0").content)
    assert (body["files"][0]["size"], body["files"][0]["sha256"]) == (0, hashlib.sha256(b"").hexdigest())


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("?sampel=VT-GLASS", "sampel", "This is not known here; known are sample, technique"),
        ("?technique=palmistry", "technique", "not one of the choices"),
        ("?acquired_at=2026-05-04T10:00:00", "acquired_at", "with its zone"),
        ("?conditions=[1]", "conditions", "Conditions are a JSON object"),
        ("?project=charlie", "project", "no project “charlie” into which you may write"),
        ("?role=" + "r" * 41, "role", "no more than 40 characters"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_before_its_bytes_are_read(
    as_alice: APIClient, project: Project, charlie: User, query: str, field: str, sentence: str
) -> None:
    answer = put(as_alice, query=query)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["fields"][field]
    assert not store().incoming.exists()


def test_a_stranger_gets_401_before_their_bytes_are_read(composite: Sample) -> None:
    assert put(APIClient()).status_code == 401
    wrong = APIClient(HTTP_AUTHORIZATION="Token " + "0" * 64)
    assert put(wrong).status_code == 401
    assert not store().incoming.exists()


def test_an_expired_token_and_one_of_a_former_member_open_nothing(alice: User, composite: Sample) -> None:
    row, token = issue_token(alice)
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    assert put(client).status_code == 201
    AuthToken.objects.filter(pk=row.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    assert put(client).status_code == 401
    AuthToken.objects.filter(pk=row.pk).update(expiry=None)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert put(client).status_code == 401


def test_a_browser_session_needs_its_csrf_token(alice: User, composite: Sample) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    assert put(client).status_code == 403
    assert nothing_was_kept()
    client.cookies["csrftoken"] = secret = "a" * 32
    assert put(client, **{"X-CSRFToken": secret}).status_code == 201


def test_a_file_larger_than_allowed_is_refused_unread(
    as_alice: APIClient, project: Project, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = len(TEXT) - 1
    answer = put(as_alice)
    assert (answer.status_code, "are taken here" in answer.json()["error"]["message"]) == (413, True)
    assert not store().incoming.exists()


def sent(user: User, body: Any, length: str | None, query: str = "", **more: str) -> Any:
    _, token = issue_token(user)
    environ = {
        "REQUEST_METHOD": "PUT", "PATH_INFO": f"{URL}map.bin", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": body, "wsgi.url_scheme": "http", "HTTP_AUTHORIZATION": f"Token {token}",
        "QUERY_STRING": query, **more,
    }  # fmt: skip
    return ClientHandler()(environ | ({"CONTENT_LENGTH": length} if length is not None else {}))


class Leaving(io.BytesIO):
    """A client that is gone after what it has sent."""

    def read(self, size: int | None = -1, /) -> bytes:
        if data := super().read(size):
            return data
        raise ConnectionResetError


@pytest.mark.parametrize("body", [io.BytesIO, Leaving])
def test_a_body_that_breaks_off_is_not_taken(alice: User, project: Project, body: Any) -> None:
    answer = sent(alice, body(TEXT[:100]), str(len(TEXT)))
    assert (answer.status_code, b"broke off before its end" in answer.content) == (400, True)
    assert nothing_was_kept()


def test_bytes_beyond_the_announced_length_belong_to_the_next_request(alice: User, project: Project) -> None:
    answer = sent(alice, io.BytesIO(TEXT + b"GET / HTTP/1.1"), str(len(TEXT)))
    assert json.loads(answer.content)["files"][0]["sha256"] == SHA256


@pytest.mark.parametrize(
    ("meta", "size", "asked"),
    [
        ({"wsgi.input_terminated": True}, len(TEXT), [None]),
        ({"wsgi.input_terminated": True}, len(TEXT) - 1, [len(TEXT) - 1, 1]),  # memory stays flat
        ({}, len(TEXT), [len(TEXT)]),  # where it ends nobody says: the next request may follow
    ],
)
def test_a_body_is_read_as_a_whole_where_it_is_small_and_ends_by_itself(
    meta: dict[str, Any], size: int, asked: list[int | None]
) -> None:
    stream, found = io.BytesIO(TEXT), []

    class Request:
        META = meta

        def read(self, size: int | None = None) -> bytes:
            found.append(size)
            return stream.read(size)

    body = Body(Request(), len(TEXT))
    assert b"".join(iter(lambda: body.read(size), b"")) == TEXT
    assert found == asked


@pytest.mark.parametrize(
    ("length", "more"), [(None, {}), ("", {}), ("twelve", {}), ("5", {"HTTP_TRANSFER_ENCODING": "chunked"})]
)
def test_a_body_of_unknown_length_is_refused(
    alice: User, project: Project, length: str | None, more: dict[str, str]
) -> None:
    assert sent(alice, io.BytesIO(TEXT), length, **more).status_code == 411
    assert nothing_was_kept()


def test_memory_stays_flat_while_64_mb_come_in(alice: User, composite: Sample) -> None:
    sent(alice, io.BytesIO(TEXT), str(len(TEXT)))  # what is imported once
    body = Endless(b"", 64 * 1024**2, b"")
    tracemalloc.start()
    answer = sent(alice, body, str(body.length))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert json.loads(answer.content)["files"][0]["size"] == 64 * 1024**2
    assert peak < 16 * 1024**2


@pytest.fixture
def everyone(alice: User, bob: User, charlie: User, project: Project, composite: Sample) -> dict[str, User]:
    """Members in every role, an instrument of the project and one of another."""
    carol = User.objects.create_user("carol", "c@example.org", "a long enough password")
    Membership.objects.create(project=project, user=carol, role=Role.CONTRIBUTOR)
    inside = add_instrument(project=project, name="FLS 1000").account
    outside = add_instrument(project=Project.objects.get(slug="charlie"), name="D8").account
    return {
        "alice": alice,
        "bob": bob,
        "carol": carol,
        "charlie": charlie,
        "inside": inside,
        "outside": outside,
    }


WHO = ("alice", "bob", "carol", "charlie", "inside", "outside")


@pytest.mark.parametrize("state", ["as it is", "under embargo", "void"])
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(
    "query", ["", "?sample=VT-GLASS", "?sample=VT-GLASS&project=charlie", "?sample=CH-1"]
)
def test_put_and_form_grant_the_same_to_everybody(
    everyone: dict[str, User], charlies: Sample, composite: Sample, who: str, state: str, query: str
) -> None:
    if state == "under embargo":
        composite.embargoed_until = datetime(2999, 1, 1, tzinfo=UTC).date()
    elif state == "void":
        composite.voided_at, composite.void_reason = timezone.now(), "spilled"
    composite.save()
    _, token = issue_token(everyone[who])
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    fields = dict(pair.split("=") for pair in query[1:].split("&") if pair)
    form = client.post("/api/v1/measurements/", {**fields, "file": io.BytesIO(TEXT + b"900\t1\n")})
    raw = put(client, query=query)
    assert raw.status_code == form.status_code
    assert placed(raw) == placed(form)
    if state == "void":
        assert raw.json().get("sample") != composite.code


def placed(answer: Any) -> Any:
    body = answer.json()
    return body.get("error") or [
        body[key] for key in ("sample", "claimed_code", "project", "technique", "instrument", "warnings")
    ]


def test_an_upload_with_a_token_costs_few_queries(
    alice: User, composite: Sample, django_assert_max_num_queries: Any
) -> None:
    _, token = issue_token(alice)
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    put(client, query="?sample=VT-GLASS")
    with django_assert_max_num_queries(4):
        assert put(client, body=TEXT + b"900\t1\n", query="?sample=VT-GLASS").status_code == 201

"""Uploads with a token pass fewer rooms, and lose nothing that they need on the way."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError
from django.test import RequestFactory

from config.short_way import MIDDLEWARE, Door, PlainWay, ShortWay, is_upload
from measurements.models import Measurement
from measurements.services import issue_token
from samples.models import Sample, User
from tests.measurements.conftest import TEXT

UPLOAD = "/api/v1/uploads/run7.txt"

# A request closes the connection at its end, which a test inside a transaction would not survive.
pytestmark = pytest.mark.django_db(transaction=True)


class Refuses:
    """Stands where the pages are."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        raise AssertionError("this way leads to the pages")


def environ_of(token: str, address: str = UPLOAD, host: str = "localhost", **more: str) -> dict[str, Any]:
    environ = RequestFactory(headers={"Host": host, "Authorization": f"Token {token}", **more})._base_environ(
        REQUEST_METHOD="PUT", CONTENT_LENGTH=str(len(TEXT)), CONTENT_TYPE="text/plain"
    )
    path, _, query = address.partition("?")
    return environ | {"PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO(TEXT)}


def sent(door: Door, environ: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    said: list[Any] = []
    answer = door(environ, lambda status, headers: said.extend([status, dict(headers)]))
    assert isinstance(answer, list), "in one piece, and nothing of it is left to be closed"
    (body,) = answer
    return int(said[0][:3]), said[1], json.loads(body)


def put(
    token: str, address: str = UPLOAD, host: str = "localhost", **more: str
) -> tuple[int, dict[str, str], Any]:
    return sent(Door(Refuses(), ShortWay()), environ_of(token, address, host, **more))


@pytest.fixture
def token(alice: User) -> str:
    return issue_token(alice)[1]


def test_a_file_arrives_with_a_receipt_and_its_request_has_a_name(composite: Sample, token: str) -> None:
    status, headers, receipt = put(token, f"{UPLOAD}?sample={composite.code}", **{"X-Request-ID": "mine-1"})
    assert status == 201, receipt
    assert receipt["sample"] == composite.code
    assert Measurement.objects.get().pk == receipt["id"]
    assert headers["X-Request-ID"] == "mine-1"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "query", ["", "&technique=pl", "&technique=palmistry", "&sampel=x", "&project=nobody"]
)
def test_the_plain_way_answers_as_the_short_way_does(composite: Sample, token: str, query: str) -> None:
    address = f"{UPLOAD}?sample={composite.code}{query}"
    plain = sent(Door(Refuses(), Refuses()), environ_of(token, address))
    long = Door(Refuses(), ShortWay())
    long._plain = lambda environ: None  # type: ignore[assignment]
    short = sent(long, environ_of(token, address))
    assert (plain[0], short[0]) in [(201, 200), (400, 400)]  # the same bytes came before
    assert plain[2] == short[2]
    assert {**plain[1], "X-Request-ID": ""} == {**short[1], "X-Request-ID": ""}


def test_the_plain_way_takes_no_byte_beyond_what_was_announced(composite: Sample, token: str) -> None:
    environ = environ_of(token, f"{UPLOAD}?sample={composite.code}")
    environ["wsgi.input"] = io.BytesIO(TEXT + b"PUT / HTTP/1.1")
    status, _, receipt = sent(Door(Refuses(), Refuses()), environ)
    assert (status, receipt["files"][0]["size"]) == (201, len(TEXT))


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (f"{UPLOAD}?sample=NOBODY", "localhost"),
        (UPLOAD, "localhost"),
        (f"{UPLOAD}?sample=VT-GLASS", "evil.example"),
        (f"{UPLOAD}?sample=VT-GLASS&role=%00", "localhost"),
        (f"{UPLOAD}?sample=VT-GLASS&role=\x01", "localhost"),
        ("/api/v1/uploads/ä.txt?sample=VT-GLASS", "localhost"),
        ("/api/v1/uploads/6b1f0e9e-2f0e-4a53-9f3c-1d2e3f4a5b6c/?sample=VT-GLASS", "localhost"),
        ("/api/v1/uploads/?sample=VT-GLASS", "localhost"),
        (f"{UPLOAD}?sample=VT-GLASS{'&role=' * settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}", "localhost"),
    ],
)
def test_what_is_not_plain_is_left_to_the_others_unread(
    composite: Sample, token: str, address: str, host: str
) -> None:
    assert composite.code == "VT-GLASS"
    environ = environ_of(token, address, host)
    assert PlainWay()(environ) is None
    assert environ["wsgi.input"].tell() == 0


def test_a_plain_file_is_counted_and_named_as_every_request(
    composite: Sample, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counted: list[Any] = []

    class Counts:
        def labels(self, *labels: Any) -> Counts:
            counted.append(labels)
            return self

        def observe(self, seconds: float) -> None: ...

        def inc(self, size: int) -> None:
            counted.append(size)

    monkeypatch.setattr("config.metrics._requests", lambda: (Counts(), Counts()))
    address = f"{UPLOAD}?sample={composite.code}"
    with caplog.at_level("INFO", "vitrine.requests"):
        sent(Door(Refuses(), Refuses()), environ_of(token, address, **{"X-Request-ID": "mine-2"}))
    route = "api/v1/uploads/<path:filename>"
    assert counted == [("PUT", route, 201), ("PUT", route), len(TEXT)]
    (line,) = [record for record in caplog.records if record.name == "vitrine.requests"]
    assert (line.route, line.status) == (route, 201)  # type: ignore[attr-defined]


def test_a_surprise_is_answered_with_a_sentence_and_logged(
    composite: Sample, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("measurements.api.raw.receive", breaks)
    environ = environ_of(token, f"{UPLOAD}?sample={composite.code}")
    status, headers, said = sent(Door(Refuses(), Refuses()), environ)
    assert (status, "Send it again" in said["error"]["message"]) == (500, True)
    assert headers["X-Request-ID"]
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


def test_a_database_that_is_silent_is_asked_once_and_said(
    composite: Sample, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def silent(sql: str, parameters: Any) -> None:
        asked.append(parameters)
        raise OperationalError("connection refused")

    monkeypatch.setattr("measurements.services.senders.rows_of", silent)
    environ = environ_of(token, f"{UPLOAD}?sample={composite.code}")
    status, headers, said = sent(Door(Refuses(), Refuses()), environ)
    assert (status, "send it again" in said["error"]["message"], len(asked)) == (503, True, 1)
    assert headers["X-Request-ID"]
    assert environ["wsgi.input"].tell() == 0


def test_a_database_that_falls_silent_before_the_row_is_said_too(
    composite: Sample, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(sql: str, parameters: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("measurements.services.recording.rows_of", silent)
    status, _, said = sent(Door(Refuses(), Refuses()), environ_of(token, f"{UPLOAD}?sample={composite.code}"))
    assert (status, "keep what you sent" in said["error"]["message"]) == (503, True)


@pytest.mark.parametrize(("query", "asked"), [("?sample=VT-GLASS", "senders.rows_of"), ("", "placing.match")])
def test_the_way_of_every_view_says_it_of_a_silent_database(
    composite: Sample, token: str, monkeypatch: pytest.MonkeyPatch, query: str, asked: str
) -> None:
    def silent(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(f"measurements.services.{asked}", silent)
    door = Door(Refuses(), ShortWay())
    door._plain = lambda environ: None  # type: ignore[assignment]
    status, headers, said = sent(door, environ_of(token, f"{UPLOAD}{query}"))
    assert (status, headers["Content-Type"]) == (503, "application/json")
    assert "Try again in a minute" in said["error"]["message"]


def test_a_file_of_no_known_sample_comes_this_way_too(composite: Sample, token: str) -> None:
    status, _, receipt = put(token, f"{UPLOAD}?sample=NOBODY")
    assert (status, receipt["sample"]) == (201, None)
    assert Measurement.objects.get().claimed_code == "NOBODY"


def test_a_token_that_nobody_issued_is_refused(composite: Sample) -> None:
    status, _, said = put("0" * 64, f"{UPLOAD}?sample={composite.code}")
    assert status == 401
    assert said["error"]["message"]
    assert not Measurement.objects.exists()


def test_a_host_that_is_not_ours_and_a_nul_are_refused(composite: Sample, token: str) -> None:
    status, _, _ = put_text(token, host="evil.example")
    assert status == 400
    status, _, said = put(token, f"{UPLOAD}?sample=%00")
    assert (status, "NUL" in said["error"]["message"]) == (400, True)
    assert not Measurement.objects.exists()


def put_text(token: str, host: str) -> tuple[int, Any, Any]:
    try:
        return put(token, host=host)
    except json.JSONDecodeError:  # Django's own page about hosts
        return 400, {}, ""


@pytest.mark.parametrize(
    ("method", "path", "authorization", "short"),
    [
        ("PUT", UPLOAD, "Token abc", True),
        ("PUT", UPLOAD, "token abc", True),
        ("PUT", UPLOAD, "Basic abc", False),
        ("PUT", UPLOAD, "", False),  # a person's session
        ("PUT", "/samples/", "Token abc", False),
        ("POST", "/api/v1/uploads/", "Token abc", False),
    ],
)
def test_only_a_put_of_a_file_with_a_token_goes_this_way(
    method: str, path: str, authorization: str, short: bool
) -> None:
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_AUTHORIZATION": authorization}
    assert is_upload(environ) is short


def test_what_it_passes_is_part_of_the_long_way_in_the_same_order() -> None:
    assert [each for each in settings.MIDDLEWARE if each in MIDDLEWARE] == list(MIDDLEWARE)
    assert isinstance(ShortWay(), WSGIHandler)

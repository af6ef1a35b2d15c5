"""Uploads with a token pass fewer rooms, and lose nothing that they need on the way."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from config.short_way import MIDDLEWARE, Door, ShortWay, is_upload
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


def put(
    token: str, address: str = UPLOAD, host: str = "localhost", **more: str
) -> tuple[int, dict[str, str], Any]:
    environ = RequestFactory(headers={"Host": host, "Authorization": f"Token {token}", **more})._base_environ(
        REQUEST_METHOD="PUT", CONTENT_LENGTH=str(len(TEXT)), CONTENT_TYPE="text/plain"
    )
    path, _, query = address.partition("?")
    environ |= {"PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO(TEXT)}
    said: list[Any] = []
    door = Door(Refuses(), ShortWay())
    answer = door(environ, lambda status, headers: said.extend([status, dict(headers)]))
    assert isinstance(answer, list), "in one piece, and nothing of it is left to be closed"
    (body,) = answer
    return int(said[0][:3]), said[1], json.loads(body)


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

"""Lines of the log: each says what it is about, none says a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from config import logs
from config.celery import be_about_nothing, say_what_it_is_about, say_who_asked
from config.supervisor import Supervisor
from measurements.tasks import read
from samples import tracing


class Lines:
    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def lines_of(formatter: logging.Formatter) -> Iterator[Lines]:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(formatter)
    loggers = [logging.getLogger(), logging.getLogger("vitrine.requests")]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.INFO)
    yield Lines(handler.stream)
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def in_json() -> Iterator[Lines]:
    yield from lines_of(logs.JsonFormatter())


@pytest.fixture
def in_text() -> Iterator[Lines]:
    yield from lines_of(logs.TextFormatter("%(levelname)s %(name)s%(about)s: %(message)s"))


def test_a_request_has_a_name_in_its_lines_and_in_its_answer(client: Client, in_json: Lines) -> None:
    answer = client.get("/healthz")
    name = answer["X-Request-ID"]
    assert len(name) == 32
    line = in_json.objects[-1]
    assert (line["request_id"], line["route"], line["status"]) == (name, "healthz", 200)
    assert line["message"] == "GET healthz"
    assert line["duration_ms"] >= 0


def test_two_requests_have_two_names(client: Client) -> None:
    assert client.get("/healthz")["X-Request-ID"] != client.get("/healthz")["X-Request-ID"]


def test_the_name_that_a_proxy_gave_is_kept(client: Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": "proxy-7.2_a"})
    assert answer["X-Request-ID"] == "proxy-7.2_a"


@pytest.mark.parametrize("said", ["", "a b", "x" * 65, 'a"b', "é", "a\tb", "<script>"])
def test_a_name_that_is_not_plain_and_short_is_replaced(client: Client, said: str) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": said})["X-Request-ID"]
    assert given != said
    assert tracing.REQUEST_ID.fullmatch(given)


def test_after_a_request_nothing_is_left_of_it(client: Client) -> None:
    client.get("/healthz")
    assert tracing.current() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/metrics", "/no/such/page/", "/api/v1/samples/"])
def test_what_django_says_of_a_refused_request_names_it_too(
    client: Client, in_json: Lines, address: str
) -> None:
    answer = client.get(address, REMOTE_ADDR="192.0.2.7")
    assert answer.status_code >= 400
    warned = [line for line in in_json.objects if line["logger"] == "django.request"]
    assert [line["request_id"] for line in warned] == [answer["X-Request-ID"]]


@pytest.mark.django_db
def test_the_address_that_is_a_key_is_in_no_line(client: Client, in_json: Lines) -> None:
    for address in (
        "/shared/tokentokentoken/",
        "/invitations/tokentokentoken/",
        "/shared/tokentokentoken/no",
    ):
        client.get(address)
    assert "route" in in_json.text
    assert "tokentokentoken" not in in_json.text


@pytest.mark.parametrize(
    "said",
    [
        "Authorization: Token 0123456789abcdef",
        "Authorization: Bearer 0123456789abcdef",
        "postgresql://vitrine:0123456789abcdef@postgres/vitrine",
        "redis://:0123456789abcdef@redis:6379/0",
        "password=0123456789abcdef",
        '{"password": "0123456789abcdef"}',
        "{'new_password1': '0123456789abcdef'}",
        "SECRET_KEY = '0123456789abcdef'",
        "GET /shared/0123456789abcdef/figure.json",
        "Not Found: /invitations/0123456789abcdef/",
        "/accounts/reset/MQ/0123456789abcdef/",
        "Vitrine-Signature: t=0123456789abcdef",
        "Cookie: sessionid=0123456789abcdef",
        "the secret vwh_0123456789abcdef",
        "https://bucket?aws_secret_access_key=0123456789abcdef&region_name=x",
    ],
)
def test_what_looks_like_a_secret_is_cut_out(said: str, in_json: Lines, in_text: Lines) -> None:
    logging.getLogger("x").warning("Before. %s", said)
    for lines in (in_json, in_text):
        assert "Before." in lines.text
        assert "0123456789abcdef" not in lines.text


def test_a_secret_in_a_traceback_is_cut_out_too(in_json: Lines) -> None:
    try:
        raise RuntimeError("postgresql://vitrine:hunter2hunter2@postgres does not answer")
    except RuntimeError:
        logging.getLogger("x").exception("It failed")
    assert "RuntimeError" in in_json.objects[0]["error"]
    assert "hunter2" not in in_json.text


@pytest.mark.parametrize(
    "said", ["Run 12 (pl_gaussians 3 of 7): token of the tokens", "a password is too short", "3 basic facts"]
)
def test_plain_words_stay_as_they_are(said: str) -> None:
    assert logs.scrubbed(said) == said


def test_a_line_says_the_run_it_is_about_inside_and_not_after(in_json: Lines, in_text: Lines) -> None:
    with tracing.about(request_id="r1"), tracing.about(run=12):
        logging.getLogger("x").info("It converged")
    logging.getLogger("x").info("Something else")
    first, second = in_json.objects
    assert (first["run"], first["request_id"]) == (12, "r1")
    assert "run" not in second
    assert in_text.text.splitlines() == [
        "INFO x [request_id=r1 run=12]: It converged",
        "INFO x: Something else",
    ]


def test_a_line_of_several_lines_stays_one_object(in_json: Lines) -> None:
    logging.getLogger("x").warning("one\ntwo")
    assert in_json.objects[0]["message"] == "one\ntwo"


def test_whole_objects_that_came_as_extra_are_left_out(in_json: Lines) -> None:
    logging.getLogger("x").warning("Odd", extra={"request": {"token": "abc"}, "status": 404})
    assert "request" not in in_json.objects[0]
    assert in_json.objects[0]["status"] == 404


def test_lines_of_a_task_name_it_its_row_and_the_request_that_asked_for_it(in_json: Lines) -> None:
    headers: dict[str, Any] = {}
    with tracing.about(request_id="r7"):
        say_who_asked(headers=headers)
    read.push_request(id="t1", **headers)
    try:
        say_what_it_is_about(task=read, task_id="t1", args=(12,))
        logging.getLogger("x").info("Reading")
        be_about_nothing()
        logging.getLogger("x").info("Idle")
    finally:
        read.pop_request()
    first, second = in_json.objects
    assert first["task"] == "measurements.tasks.read"
    assert (first["task_id"], first["measurement"], first["request_id"]) == ("t1", 12, "r7")
    assert "task" not in second


def test_what_other_programs_say_becomes_json_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_LOG", "json")
    out = io.StringIO()
    supervisor = Supervisor(out=out)
    supervisor.say("database system is ready", "database")
    supervisor.say('{"at": "2026-11-20T09:00:00+00:00", "message": "ours"}', "web")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["logger"], first["message"]) == ("database", "database system is ready")
    assert second["message"] == "ours"

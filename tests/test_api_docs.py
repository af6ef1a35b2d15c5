"""Every example of docs/api.md, sent in its order, answers with the status and the keys that it shows."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analysis.models import Run
from analysis.services import execute, request_runs
from measurements.models import Measurement
from measurements.services import read_measurement
from samples.models import Sample
from tests.conftest import ROOT
from tests.spectra import spectrum_file

PAGE = ROOT / "docs" / "api.md"
CALL = re.compile(
    r"```curl\n(?P<call>.*?)```\n+```(?P<kind>\w+) (?P<status>\d{3})\n(?P<shown>.*?)```", re.DOTALL
)
REMEMBERED = re.compile(r"# then (\w+) is its (\S+)")
BASE = "https://vitrine.example.org"


@dataclass(frozen=True)
class Example:
    """One call as it stands on the page, the answer shown beneath it, and what later calls take from it."""

    line: int
    call: str
    kind: str
    status: int
    shown: str

    @property
    def remembered(self) -> dict[str, str]:
        return dict(REMEMBERED.findall(self.call))


def examples() -> list[Example]:
    page = PAGE.read_text(encoding="utf-8")
    return [
        Example(
            page[: found.start()].count("\n") + 1,
            found["call"],
            found["kind"],
            int(found["status"]),
            found["shown"],
        )
        for found in CALL.finditer(page)
    ]


@dataclass
class Curl:
    """As much of curl as the page uses, spoken to Django's test client."""

    client: Client
    files: dict[str, bytes]
    known: dict[str, str]

    def run(self, call: str) -> Any:
        text = "\n".join(line for line in call.splitlines() if not line.startswith("#"))
        for name, value in self.known.items():
            text = re.sub(rf"\${name}\b", value, text)
        words = iter(shlex.split(text.replace("\\\n", " ")))
        assert next(words) == "curl"
        method, headers, url, form = "", {}, "", []
        data: str | bytes = ""
        for word in words:
            if word in ("-X", "--request"):
                method = next(words)
            elif word in ("-H", "--header"):
                name, _, value = next(words).partition(": ")
                headers[name] = value
            elif word in ("-u", "--user"):
                headers["Authorization"] = basic(next(words))
            elif word in ("-d", "--data", "--json"):
                data = next(words)
            elif word in ("-T", "--upload-file"):
                method, data = "PUT", self.files[next(words)]
            elif word == "--data-binary":
                data = self.files[next(words).removeprefix("@")]
            elif word in ("-I", "--head"):
                method = "HEAD"
            elif word in ("-F", "--form"):
                form.append(next(words))
            elif word in ("-o", "--output"):
                next(words)
            else:
                assert word.startswith(BASE), f"{word} is no option known to this test and no address"
                url = word.removeprefix(BASE)
        method = method or ("POST" if data or form else "GET")
        assert "$" not in url + str(data), f"Nothing earlier says what {url} {data} takes"
        if form:
            return self.client.generic(method, url, *multipart(form, self.files), headers=headers)
        kind = headers.pop("Content-Type", "application/json")
        return self.client.generic(method, url, data, kind, headers=headers)


def basic(user: str) -> str:
    from base64 import b64encode

    return f"Basic {b64encode(user.encode()).decode()}"


def multipart(form: list[str], files: dict[str, bytes]) -> tuple[bytes, str]:
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    fields = {}
    for part in form:
        name, _, value = part.partition("=")
        file = value.removeprefix("@")
        fields[name] = SimpleUploadedFile(file, files[file]) if value.startswith("@") else value
    return encode_multipart(BOUNDARY, fields), MULTIPART_CONTENT


def picked(answer: Any, path: str) -> str:
    for step in path.split("."):
        answer = answer[int(step)] if step.isdigit() else answer[step]
    return str(answer)


def missing(shown: Any, answer: Any, at: str = "answer") -> list[str]:
    """Keys that the page shows and the answer has not, and values of another kind."""
    if isinstance(shown, dict):
        if not isinstance(answer, dict):
            return [f"{at} is no object"]
        return [
            fault
            for key, value in shown.items()
            for fault in (missing(value, answer[key], f"{at}.{key}") if key in answer else [f"{at}.{key}"])
        ]
    if isinstance(shown, list):
        if not isinstance(answer, list) or len(answer) < len(shown):
            return [f"{at} has fewer parts"]
        return [fault for i, part in enumerate(shown) for fault in missing(part, answer[i], f"{at}.{i}")]
    kind = float if isinstance(shown, int) and not isinstance(shown, bool) else type(shown)
    same = isinstance(answer, (kind, int)) if kind is float else isinstance(answer, kind)
    return [] if same else [f"{at} is {answer!r}, shown as {shown!r}"]


def as_a_worker_would() -> None:
    for measurement in Measurement.objects.filter(status="received"):
        read_measurement(measurement)
        measurement.refresh_from_db()
        request_runs(measurement, "upload")
    for run in Run.objects.filter(status="queued"):
        execute(run.pk)


@pytest.mark.django_db
def test_every_example_answers_as_shown(client: Client, composite: Sample) -> None:
    spectrum = spectrum_file(1)
    files = {
        "spectrum.txt": spectrum.stream.read(),  # type: ignore[union-attr, call-arg]
        "note.txt": b"550 1\n551 2\n",
        "samples.csv": b"code,state,amount [g]\nVT-NEW,powder,0.5\n",
        "manifest.csv": b"sample,technique,file,temperature_c\n"
        b"VT-NEW,pl,spectrum.txt,25\nVT-NOPE,pl,other.txt,\n",
    }
    curl = Curl(client, files, {"VITRINE": BASE})
    for example in examples():
        answer = curl.run(example.call)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        where = f"docs/api.md, line {example.line}"
        assert answer.status_code == example.status, f"{where}: {answer.status_code} {body[:600]!r}"
        if example.kind == "json":
            told = json.loads(body)
            assert missing(json.loads(example.shown), told) == [], f"{where}: {body[:1500]!r}"
            curl.known |= {name: picked(told, path) for name, path in example.remembered.items()}
        else:
            wanted = example.shown.strip().encode()
            head = "".join(f"{name}: {value}\n" for name, value in answer.items())
            assert wanted in body or wanted in head.encode(), f"{where}: {head}{body[:300]!r}"
        as_a_worker_would()


def test_no_example_of_the_page_is_left_out() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("```curl") == len(examples()) > 30


def test_a_key_that_the_answer_lacks_is_found() -> None:
    assert missing({"a": [{"b": 1}]}, {"a": [{"c": 1}]}) == ["answer.a.0.b"]
    assert missing({"a": 1}, {"a": "1"}) == ["answer.a is '1', shown as 1"]
    assert missing({"a": 1.5, "b": None}, {"a": 2, "b": None, "c": 3}) == []

"""Import and export over REST: who may, what is answered, what a filter takes along."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from samples.models import Project, Sample

pytestmark = pytest.mark.django_db
ONE = b"code,state\nVT-A,powder\n"


def send(client: APIClient, content: bytes = ONE, *, dry_run: bool = False, **more: Any) -> Any:
    body = {"project": "glass", "file": SimpleUploadedFile("samples.csv", content)} | more
    return client.post(f"/api/v1/import/{'?dry_run=true' if dry_run else ''}", body, format="multipart")


def names(answer: Any) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(answer.content)).namelist()


def test_a_contributor_imports(as_alice: APIClient, project: Project) -> None:
    assert send(as_alice, dry_run=True).json() == {
        "dry_run": True,
        "saved": False,
        "counts": {"samples": 1},
        "problems": [],
        "problem_count": 0,
    }
    assert send(as_alice).status_code == 201
    assert Sample.objects.get().created_by == project.members.get()


def test_a_wrong_file_answers_422_and_where(as_alice: APIClient, project: Project) -> None:
    answer = send(as_alice, b"code,state\nVT-A,powder\n=cmd,powder\n")
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["cell"] == "A3"
    assert answer.json()["error"]["message"].startswith("Nothing was saved. samples A3:")
    assert not Sample.objects.exists()


def test_a_viewer_may_export_and_not_import(as_bob: APIClient, composite: Sample) -> None:
    refused = send(as_bob)
    assert refused.status_code == 403
    assert "ask one of its managers" in refused.json()["error"]["message"]
    answer = as_bob.get("/api/v1/export/", {"project": "glass", "as": "json"})
    assert [row["code"] for row in json.loads(answer.content)["tables"]["samples"]] == ["VT-GLASS"]


def test_a_project_of_others_does_not_exist(as_charlie: APIClient, composite: Sample) -> None:
    assert send(as_charlie).status_code == 404
    assert as_charlie.get("/api/v1/export/", {"project": "glass"}).status_code == 404


def test_what_is_under_an_embargo_stays_out(as_bob: APIClient, composite: Sample) -> None:
    Sample.objects.update(embargoed_until="2999-01-01")
    answer = as_bob.get("/api/v1/export/", {"project": "glass", "as": "json"})
    tables = json.loads(answer.content)["tables"]
    assert (tables["samples"], tables["preparations"], tables["ingredients"]) == ([], [], [])


def test_a_filter_takes_the_parents_along(as_alice: APIClient, project: Project) -> None:
    rows = {
        "preparations": [{"preparation": "p"}],
        "samples": [
            {"code": "CHILD", "state": "composite", "preparation": "p"},
            {"code": "PARENT", "state": "glass"},
            {"code": "STRANGER", "state": "glass"},
        ],
        "ingredients": [{"preparation": "p", "sample": "PARENT", "mass_g": 1}],
    }
    content = json.dumps({"tables": rows}).encode()
    assert send(as_alice, file=SimpleUploadedFile("t.json", content)).status_code == 201
    answer = as_alice.get("/api/v1/export/", {"project": "glass", "as": "json", "code": "CHILD"})
    assert [row["code"] for row in json.loads(answer.content)["tables"]["samples"]] == ["CHILD", "PARENT"]


@pytest.mark.parametrize(
    ("query", "media_type"),
    [
        ({"as": "csv"}, "application/zip"),
        ({"as": "csv", "table": "samples"}, "text/csv"),
        ({"as": "xlsx"}, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ({"as": "arrow"}, "application/vnd.apache.arrow.stream"),
        ({"as": "json"}, "application/json"),
    ],
)
def test_every_format_is_a_file(
    as_alice: APIClient, composite: Sample, query: dict[str, str], media_type: str
) -> None:
    answer = as_alice.get("/api/v1/export/", {"project": "glass"} | query)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith(media_type)
    assert answer["Content-Disposition"].startswith("attachment; filename=")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"project": "gl\0ass"},
        {"project": "glass", "as": "exe"},
        {"project": "glass", "table": "users"},
        {"project": "glass", "colour": "red"},
        {"project": "glass", "sintering_temperature_c__gte": "warm"},
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_400(
    as_alice: APIClient, project: Project, query: dict[str, str]
) -> None:
    answer = as_alice.get("/api/v1/export/", query)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_the_template_is_a_spreadsheet(as_alice: APIClient) -> None:
    answer = as_alice.get("/api/v1/import/template/")
    assert "xl/workbook.xml" in names(answer)


def test_a_file_is_needed(as_alice: APIClient, project: Project) -> None:
    assert as_alice.post("/api/v1/import/", {"project": "glass"}, format="multipart").status_code == 400

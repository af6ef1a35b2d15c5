"""The whole published campaign enters through the public import, leaves, and enters again, identical."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from analysis.models import Publication, Value
from samples.models import Ingredient, Material, Preparation, Project, Recipe, Sample
from tests.frontend.campaign_tables import tables

pytestmark = pytest.mark.django_db


def send(client: APIClient, content: bytes, name: str, *, dry_run: bool = False) -> Any:
    body = {"project": "glass", "file": SimpleUploadedFile(name, content)}
    return client.post(f"/api/v1/import/?dry_run={str(dry_run).lower()}", body, format="multipart")


def export(client: APIClient, key: str) -> bytes:
    answer = client.get("/api/v1/export/", {"project": "glass", "as": key})
    assert answer.status_code == 200
    return answer.getvalue()


def emptied() -> None:
    with pgtrigger.ignore():
        for model in (Value, Publication, Ingredient, Sample, Preparation, Recipe, Material):
            model._default_manager.all().delete()
    assert not Sample.objects.exists()


@pytest.fixture
def campaign(as_alice: APIClient, project: Project) -> bytes:
    content = json.dumps({"tables": tables()}).encode()
    answer = send(as_alice, content, "campaign.json")
    assert answer.status_code == 201, answer.json()["problems"][:5]
    return export(as_alice, "json")


def test_all_129_published_samples_enter(campaign: bytes, reference: Path) -> None:
    published = json.loads((reference / "reference" / "campaign.json").read_text())["samples"]
    assert {sample["id"] for sample in published} == set(Sample.objects.values_list("code", flat=True))
    assert len(published) == 129


def test_what_was_made_of_what_enters_with_them(campaign: bytes, reference: Path) -> None:
    published = json.loads((reference / "reference" / "campaign.json").read_text())["samples"]
    wanted = {
        (sample["id"], parent["sample"] if isinstance(parent, dict) else parent)
        for sample in published
        for parent in sample["parents"]
    }
    known = set(Sample.objects.values_list("code", flat=True))
    edges = Ingredient.objects.filter(sample__isnull=False)
    found = set(edges.values_list("preparation__samples__code", "sample__code"))
    assert {edge for edge in wanted if edge[1] in known} <= found
    assert len(found) > 100


@pytest.mark.parametrize("key", ["csv", "xlsx", "json", "eln"])
def test_the_campaign_leaves_and_enters_again_identical(
    key: str, campaign: bytes, as_alice: APIClient
) -> None:
    content = export(as_alice, key)
    emptied()
    name = "campaign.zip" if key == "csv" else f"campaign.{key}"
    assert send(as_alice, content, name, dry_run=True).json()["problems"] == []
    answer = send(as_alice, content, name)
    assert answer.status_code == 201, answer.json()["problems"][:5]
    assert export(as_alice, "json") == campaign
    assert Sample.objects.filter(factors__sintering_temperature_c=275).exists()


def test_a_single_spoilt_cell_keeps_the_whole_campaign_out(as_alice: APIClient, project: Project) -> None:
    of_tables = tables()
    of_tables["ingredients"][70]["mass_g"] = -1
    answer = send(as_alice, json.dumps({"tables": of_tables}).encode(), "campaign.json")
    assert answer.status_code == 422
    assert [problem["cell"] for problem in answer.json()["problems"]] == ["row 71, mass_g"]
    assert not Sample.objects.exists()
    assert not Material.objects.exists()


def test_the_spreadsheet_opens_with_every_sheet(campaign: bytes, as_alice: APIClient) -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(export(as_alice, "xlsx")), read_only=True)
    assert {"samples", "recipes", "steps", "segments", "ingredients", "values"} <= set(book.sheetnames)
    assert len(list(book["samples"].iter_rows())) == 130

"""The import page: check first, then one click; and exports from the list and the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from samples.models import Project, Sample, User
from samples.services import voiding

pytestmark = pytest.mark.django_db
ONE = b"code,state\nVT-A,powder\n"


@pytest.fixture(autouse=True)
def _imports_in_a_folder_of_their_own(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def check(browser: Client, content: bytes = ONE, project: str = "glass") -> str:
    file = SimpleUploadedFile("samples.csv", content)
    return browser.post("/import/", {"project": project, "file": file}).content.decode()


def ticket(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_checked_file_is_imported_with_one_click(alices_browser: Client, project: Project) -> None:
    page = check(alices_browser)
    assert "can be imported" in page
    assert "Import 1 sample" in page
    assert not Sample.objects.exists()
    answer = alices_browser.post("/import/", {"ticket": ticket(page), "project": "glass"}, follow=True)
    assert "Imported 1 sample from samples.csv" in answer.content.decode()
    assert Sample.objects.get().code == "VT-A"


def test_a_wrong_file_lists_cell_and_remedy(alices_browser: Client, project: Project) -> None:
    page = check(alices_browser, b"code,state\n<b>,powder\n")
    assert "1 thing to put right" in page
    assert "A code starts with a letter" in page
    assert "<b>" not in page
    assert 'name="ticket"' not in page


def test_a_file_of_somebody_else_cannot_be_claimed(
    alices_browser: Client, charlies_browser: Client, project: Project
) -> None:
    stolen = ticket(check(alices_browser))
    answer = charlies_browser.post("/import/", {"ticket": stolen, "project": "charlie"}, follow=True)
    assert "choose it again" in answer.content.decode()
    assert not Sample.objects.exists()


def test_a_viewer_is_told_that_there_is_nowhere_to_import_to(bobs_browser: Client) -> None:
    assert "no project that you may write to" in bobs_browser.get("/import/").content.decode()
    file = SimpleUploadedFile("samples.csv", ONE)
    bobs_browser.post("/import/", {"project": "glass", "file": file})
    assert bobs_browser.post("/import/", {"ticket": "x", "project": "glass"}).status_code == 403
    assert not Sample.objects.exists()


def test_the_list_exports_what_it_shows(alices_browser: Client, composite: Sample) -> None:
    page = alices_browser.get("/samples/?state=composite").content.decode()
    assert "/export/?state=composite&amp;as=xlsx" in page
    assert alices_browser.get("/export/?as=json&state=composite").json()["tables"]["samples"]
    assert alices_browser.get("/export/?as=json&state=glass").json()["tables"]["samples"] == []


def test_a_void_sample_is_exported_only_where_the_list_shows_it(
    alices_browser: Client, project: Project, alice: User
) -> None:
    Sample.objects.create(project=project, code="KEPT", state="powder")
    void = Sample.objects.create(project=project, code="VOIDED", state="powder")
    voiding.void(void, reason="Mislabelled jar.", user=alice)

    def codes(query: str) -> list[str]:
        rows = alices_browser.get(f"/export/?as=json{query}").json()["tables"]["samples"]
        return [row["code"] for row in rows]

    assert codes("") == codes("&state=powder") == ["KEPT"]
    assert codes("&void=only") == ["VOIDED"]


def test_a_viewer_exports_the_whole_project_from_its_page(bobs_browser: Client, composite: Sample) -> None:
    page = bobs_browser.get("/projects/glass/").content.decode()
    assert "as=xlsx" in page
    answer = bobs_browser.get("/export/?project=glass&as=csv&whole=yes")
    assert answer["Content-Type"] == "application/zip"


def test_the_template_can_be_had(alices_browser: Client) -> None:
    answer = alices_browser.get("/import/template/")
    assert answer["Content-Disposition"] == 'attachment; filename="vitrine-template.xlsx"'

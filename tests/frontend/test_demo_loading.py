"""Loading the demo where it was not, not yet whole, or must not be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from frontend.demo import loading, sending
from measurements.models import Measurement
from measurements.services import receive
from samples.models import Project, Sample, User
from tests.frontend.demo_world import MEASUREMENTS, run


@pytest.fixture
def data_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_an_interrupted_load_is_completed_by_the_next(
    db: None, data_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    sent: list[str] = []

    def dying(**arguments: Any) -> Any:
        if len(sent) == 5:
            raise KeyboardInterrupt
        sent.append(arguments["sample_code"])
        return receive(**arguments)

    monkeypatch.setattr(sending, "receive", dying)
    with pytest.raises(KeyboardInterrupt):
        loading.load_demo()
    assert not loading.marker().exists()
    monkeypatch.undo()
    loading.load_demo()
    assert Measurement.objects.count() == MEASUREMENTS


def test_if_new_does_nothing_once_the_demo_was_here(db: None, data_folder: Path):
    assert "password" in run("--if-new")
    loading.marker().unlink()  # as if its first load had been interrupted
    run("--remove", "--yes")
    assert run("--if-new") == ""
    assert not loading.password_file().exists(), "nobody is offered a login that is gone"
    assert not Project.objects.filter(slug="demo").exists()


def test_without_if_new_a_removed_demo_comes_back(db: None, data_folder: Path):
    loading.marker().touch()
    run()
    assert Project.objects.get(slug="demo").samples.count() == 129


def test_a_project_of_people_at_the_address_demo_is_not_the_demo(alice: User, data_folder: Path):
    theirs = Project.objects.create(name="Our demonstrator", slug="demo")
    with pytest.raises(CommandError, match="not the demo"):
        run("--remove", "--yes")
    with pytest.raises(CommandError, match="not the demo"):
        run()
    theirs.refresh_from_db()


def test_a_person_called_demo_keeps_their_account(db: None, data_folder: Path, project: Project):
    person = User.objects.create_user("demo", password="something of their own")
    project.memberships.create(user=person)
    with pytest.raises(CommandError, match="needs that name"):
        run()
    person.refresh_from_db()
    assert person.check_password("something of their own")
    assert not Sample.objects.filter(code="NC-050-275").exists()

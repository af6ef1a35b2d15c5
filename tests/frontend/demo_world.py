"""The demo, loaded once for a whole file of tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from frontend.demo.loading import load_demo
from samples.models import Project
from tests.conftest import QUICK_HASHERS

HALIDES, ENDURANCE = 5, 4
MEASUREMENTS = 90 + HALIDES + ENDURANCE + 27 + 10 + 8


def run(*arguments: str) -> str:
    """What the command `demo` says."""
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def demo_world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Its data folder. Every test of the file sees its rows from then on, whether it asks for them or not."""
    folder = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(
            DATA_DIR=folder, RAW_FILES_DIR=folder / "files", PASSWORD_HASHERS=QUICK_HASHERS
        ):
            load_demo()
        yield folder
        transaction.set_rollback(True)


@pytest.fixture
def demo(db: None, demo_world: Path, settings: Settings, tmp_path: Path) -> Project:
    """As if it had just been loaded: what a test does to rows and files is its own."""
    settings.DATA_DIR = tmp_path
    shutil.copytree(demo_world, tmp_path, copy_function=os.link, dirs_exist_ok=True)
    return Project.objects.get(slug="demo")

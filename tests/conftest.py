"""Known people: Alice manages the project, Bob may look at it, Charlie has a project of his own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from samples.models import Material, Membership, Project, Role, Sample, User
from samples.services import create_project, plan_composite

ROOT = Path(__file__).resolve().parent.parent
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of published facts and real files, which is not part of the project."""
    folder = Path(os.environ.get("VITRINE_REFERENCE") or ROOT.parent / "shared")
    folder = folder if folder.is_absolute() else ROOT / folder
    if not (folder / "reference").is_dir():
        missing = f"There is no reference folder at {folder}; set VITRINE_REFERENCE to run this test."
        if os.environ.get("VITRINE_STRICT"):
            pytest.fail(missing)
        pytest.skip(missing)
    return folder


@pytest.fixture(autouse=True)
def _files_in_a_folder_of_their_own(settings: Settings, tmp_path: Path) -> None:
    settings.RAW_FILES_DIR = tmp_path / "files"
    settings.PASSWORD_HASHERS = QUICK_HASHERS
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def person(name: str) -> User:
    return User.objects.create_user(name, f"{name}@example.org", "a long enough password")


@pytest.fixture
def alice(db: None) -> User:
    return person("alice")


@pytest.fixture
def project(alice: User) -> Project:
    return create_project(user=alice, name="Glass composites", slug="glass")


@pytest.fixture
def bob(project: Project) -> User:
    """Invited to look."""
    user = person("bob")
    Membership.objects.create(project=project, user=user, role=Role.VIEWER)
    return user


@pytest.fixture
def charlie(db: None) -> User:
    user = person("charlie")
    create_project(user=user, name="Charlie's own", slug="charlie")
    return user


@pytest.fixture
def cspbi3(project: Project) -> Material:
    return Material.objects.create(
        project=project,
        name="CsPbI3",
        kind=Material.Kind.PEROVSKITE,
        formula="CsPbI3",
        molar_mass_g_per_mol=720.82,
        density_g_per_cm3=5.019,
    )


@pytest.fixture
def zif_glass(project: Project) -> Material:
    return Material.objects.create(
        project=project,
        name="agZIF-62",
        kind=Material.Kind.GLASS,
        formula="Zn(C3H3N2)1.95(C7H5N2)0.05",
        molar_mass_g_per_mol=202.03,
    )


@pytest.fixture
def composite(alice: User, project: Project, cspbi3: Material, zif_glass: Material) -> Sample:
    """(CsPbI3)0.25(agZIF-62)0.75, milled for an hour, sintered at 275 °C, quenched in liquid nitrogen."""
    return plan_composite(
        user=alice,
        project=project,
        name="CsPbI3 in glass",
        components=[(cspbi3, 0.25), (zif_glass, 0.75)],
        milling={"rpm": 800, "duration_min": 60, "ball_mass_g": 16, "powder_mass_g": 0.2},
        sintering={"segments": [{"target_c": 275, "ramp_c_per_min": 20, "hold_min": 0, "gas": "Ar"}]},
        quench={"medium": "liquid_nitrogen"},
        code="VT-GLASS",
    )


def api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    return api(alice)


@pytest.fixture
def as_bob(bob: User) -> APIClient:
    return api(bob)


@pytest.fixture
def as_charlie(charlie: User) -> APIClient:
    return api(charlie)

"""Writing the demo campaign into the database, and sending its simulated spectra through the real upload."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings
from django.db import transaction

from analysis.models import Value
from frontend.demo import rows
from frontend.demo.campaign import Campaign, load
from frontend.demo.sending import SPECTROMETER, SPHERE, USERNAME, send
from measurements.services import add_instrument
from samples.models import Project, Sample, User
from samples.services import create_project, derive_factors

SLUG = "demo"
PASSWORD_BYTES = 9


class DemoError(Exception):
    """The demo cannot be loaded or removed; the sentence says what is in the way."""


def marker() -> Path:
    """Its presence says that the demo was here once, so that nobody gets it back unasked."""
    return Path(settings.DATA_DIR) / "demo_was_here"


def demo_project() -> Project | None:
    """The demo's project, or None. A project of the same address that people made is not it."""
    project = Project.objects.filter(slug=SLUG).first()
    if project is None:
        return None
    if project.samples.filter(code="NC-050-275").exists():
        return project
    raise DemoError(
        f"The address “{SLUG}” belongs to the project “{project.name}”, which is not the demo. "
        "Give it another address, then load the demo."
    )


def load_demo() -> Project:
    """Load what is missing. A second call changes nothing; one after an interruption completes the first."""
    project = demo_project() or _write_rows(load())
    _let_in()
    _write_conflicts(project, load())
    send(project, load())
    marker().touch()
    return project


def password_file() -> Path:
    return Path(settings.DATA_DIR) / "demo_password"


def password() -> str:
    """The demo password of this installation: in a file of its owner, made on first use."""
    path = password_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(PASSWORD_BYTES))
    return path.read_text().strip()


@transaction.atomic
def _write_rows(campaign: Campaign) -> Project:
    _refuse_taken_codes(campaign)
    user = _user()
    project = create_project(user=user, **campaign.project)
    add_instrument(project=project, name=SPECTROMETER, model="Edinburgh FLS series, simulated")
    add_instrument(project=project, name=SPHERE, model="Edinburgh FS5 with integrating sphere, simulated")
    materials = rows.materials(project, campaign)
    recipes = rows.recipes(project, user, campaign, materials)
    samples = rows.samples(project, user, campaign, materials, recipes)
    derive_factors(samples.values())
    sources = rows.sources(campaign)
    Value.objects.bulk_create(rows.published(campaign, samples, sources))
    Value.objects.bulk_create(rows.simulated_plqy(campaign, samples, sources))
    return project


@transaction.atomic
def _write_conflicts(project: Project, campaign: Campaign) -> None:
    rows.conflicts(project, campaign, rows.sources(campaign))


def _refuse_taken_codes(campaign: Campaign) -> None:
    taken = Sample.objects.filter(code__in=[sample.code for sample in campaign.samples])
    if codes := sorted(taken.values_list("code", flat=True)[:3]):
        raise DemoError(
            f"There are samples with codes of the demo already ({', '.join(codes)}); rename them first."
        )


def _user() -> User:
    user = User.objects.filter(username=USERNAME).first()
    if user is None:
        user = User(username=USERNAME, first_name="Demo")
    elif user.is_active and user.memberships.exists():
        raise DemoError(f"Somebody works here under the name “{USERNAME}”; the demo's login needs that name.")
    user.is_active = True
    user.set_password(password())
    user.save()
    return user


def _let_in() -> None:
    """The login that is printed works, also when the file of the password was lost since."""
    user = User.objects.get(username=USERNAME)
    if not user.check_password(password()):
        user.set_password(password())
        user.save(update_fields=["password"])

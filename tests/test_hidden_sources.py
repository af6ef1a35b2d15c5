"""A run sheet that Dora may write on, with an ingredient from a sample that she may not see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from samples.models import Ingredient, Material, Membership, Preparation, Project, Role, Sample, User
from tests.conftest import api, person
from tests.frontend.conftest import browser

WHEN = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+")  # 12:00:03.75 is no mass


@pytest.fixture
def dora(project: Project) -> User:
    user = person("dora")
    Membership.objects.create(project=project, user=user, role=Role.CONTRIBUTOR)
    return user


@pytest.fixture(params=["another project", "embargo"])
def secret(request: pytest.FixtureRequest, project: Project, charlie: User) -> Sample:
    """10 g of something, 4 g of which went into the preparation below."""
    hidden_by_project = request.param == "another project"
    owner = Project.objects.get(slug="charlie") if hidden_by_project else project
    return Sample.objects.create(
        project=owner,
        code="SECRET-1",
        state="powder",
        material=Material.objects.create(project=owner, name="Secretium", kind="precursor", formula="Au"),
        amount_g=10,
        mass_left_g=6.125,
        embargoed_until=None if hidden_by_project else timezone.now().date() + timedelta(days=30),
    )


@pytest.fixture
def weighed(project: Project, secret: Sample) -> Ingredient:
    return Ingredient.objects.create(
        preparation=Preparation.objects.create(project=project),
        sample=secret,
        planned_mass_g=3.75,
        mass_g=3.875,
        mass_sigma_g=0.0625,
        weighed_at=timezone.now(),
    )


def left_g(sample: Sample) -> float | None:
    return Sample.objects.get(pk=sample.pk).mass_left_g


@pytest.mark.parametrize("path", ["", "take-back/"])
def test_nobody_draws_down_or_fills_up_what_they_may_not_see(
    dora: User, weighed: Ingredient, secret: Sample, path: str
) -> None:
    at = f"preparations/{weighed.preparation_id}/ingredients/{weighed.pk}/{path}"
    said = {"reason": "typo", "mass_g": 500.0, "mass_mg": "500000"}
    for answer in (
        api(dora).post(f"/api/v1/{at}", said, format="json"),
        browser(dora).post(f"/{at}", said),
    ):
        assert answer.status_code == 403
        for fact in ("SECRET-1", "Secretium", "6.125", "3.875"):
            assert fact not in answer.content.decode()
    weighed.refresh_from_db()
    assert (left_g(secret), weighed.mass_g) == (6.125, 3.875)


def test_those_who_may_write_to_both_weigh_as_ever(alice: User, weighed: Ingredient, secret: Sample) -> None:
    Membership.objects.get_or_create(project=secret.project, user=alice, defaults={"role": Role.CONTRIBUTOR})
    at = f"/api/v1/preparations/{weighed.preparation_id}/ingredients/{weighed.pk}/"
    assert api(alice).post(at, {"mass_g": 2.875, "reason": "typo"}, format="json").status_code == 200
    assert left_g(secret) == 7.125


@pytest.mark.parametrize("room", ["", "numbers/"])
def test_a_sheet_names_no_sample_that_its_reader_may_not_see(
    dora: User, weighed: Ingredient, secret: Sample, room: str
) -> None:
    at = f"preparations/{weighed.preparation_id}/"
    told = api(dora).get(f"/api/v1/{at}")
    typed = {f"ingredient-{weighed.pk}": "1"}
    page = browser(dora).get(f"/{at}{room}", typed)
    assert (told.status_code, page.status_code) == (200, 200)
    for text in (told.content.decode(), page.content.decode()):
        text = WHEN.sub("", text)
        for fact in ("SECRET-1", "Secretium", "6.125", "3.875", "3875", "3.75", "3750", "0.0625", "62.5"):
            assert fact not in text, fact
    assert told.json()["ingredients"] == [
        {
            "id": weighed.pk,
            "material": None,
            "sample": "(hidden)",
            "planned_mass_g": None,
            "mass_g": None,
            "mass_sigma_g": None,
            "weighed_at": None,
            "deviations": [],
        }
    ]


def test_who_may_see_the_sample_reads_it_on_the_sheet(
    alice: User, weighed: Ingredient, secret: Sample
) -> None:
    Membership.objects.get_or_create(project=secret.project, user=alice, defaults={"role": Role.VIEWER})
    at = f"preparations/{weighed.preparation_id}/"
    (row,) = api(alice).get(f"/api/v1/{at}").json()["ingredients"]
    assert (row["sample"], row["material"], row["mass_g"]) == ("SECRET-1", "Secretium", 3.875)
    page = browser(alice).get(f"/{at}").content.decode()
    assert "SECRET-1" in page
    assert "Secretium" in page


def test_who_may_only_look_at_a_source_draws_nothing_from_it(
    dora: User, weighed: Ingredient, secret: Sample
) -> None:
    Membership.objects.update_or_create(project=secret.project, user=dora, defaults={"role": Role.VIEWER})
    Membership.objects.get_or_create(
        project=weighed.preparation.project, user=dora, defaults={"role": Role.CONTRIBUTOR}
    )
    Sample.objects.filter(pk=secret.pk).update(embargoed_until=None)
    question = {"ingredient": weighed.pk, "mass_g": 1.0, "reason": "typo"}
    assert api(dora).post("/api/v1/weigh-outs/", question, format="json").status_code == 403
    assert left_g(secret) == 6.125

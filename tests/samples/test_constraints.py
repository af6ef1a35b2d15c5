"""What the laboratory could not have done is not saved, whoever writes to the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from samples.models import (
    Component,
    FurnaceSegment,
    Ingredient,
    Material,
    Milling,
    Preparation,
    Project,
    Quench,
    Recipe,
    Sample,
    Sintering,
    User,
)
from samples.services import plan_composite


@pytest.fixture
def recipe(project: Project) -> Recipe:
    return Recipe.objects.create(project=project, name="any")


IMPOSSIBLE: dict[str, Callable[[Recipe, Material], object]] = {
    "component_mass_fraction_between_0_and_1": lambda r, m: Component(
        recipe=r, material=m, mass_fraction=1.2
    ),
    "milling_planned_or_performed": lambda r, m: Milling(order=1),
    "milling_rpm_above_zero": lambda r, m: Milling(recipe=r, order=1, rpm=-800),
    "milling_duration_min_above_zero": lambda r, m: Milling(recipe=r, order=1, duration_min=0),
    "furnacesegment_ramp_c_per_min_above_zero": lambda r, m: FurnaceSegment(
        sintering=Sintering.objects.create(recipe=r, order=1), order=1, target_c=275, ramp_c_per_min=-20
    ),
    "furnacesegment_target_c_possible": lambda r, m: FurnaceSegment(
        sintering=Sintering.objects.create(recipe=r, order=1), order=1, target_c=-300
    ),
    "quench_medium_known": lambda r, m: Quench(recipe=r, order=1, medium="lava"),
    "quench_delay_s_possible": lambda r, m: Quench(recipe=r, order=1, medium="air", delay_s=-1),
    "sample_code_printable": lambda r, m: Sample(project=r.project, code="a\u202eb", state="powder"),
    "sample_state_known": lambda r, m: Sample(project=r.project, code="A", state="plasma"),
    "sample_amount_g_possible": lambda r, m: Sample(project=r.project, code="A", state="powder", amount_g=-1),
    "ingredient_from_a_sample_or_a_material": lambda r, m: Ingredient(
        preparation=Preparation.objects.create(project=r.project)
    ),
    "ingredient_mass_g_above_zero": lambda r, m: Ingredient(
        preparation=Preparation.objects.create(project=r.project), material=m, mass_g=0
    ),
    "ingredient_sigma_only_with_mass": lambda r, m: Ingredient(
        preparation=Preparation.objects.create(project=r.project), material=m, mass_sigma_g=0.001
    ),
    "material_kind_known": lambda r, m: Material(project=r.project, name="x", kind="cheese"),
}


@pytest.mark.parametrize("constraint", IMPOSSIBLE)
def test_the_database_itself_refuses(constraint: str, recipe: Recipe, cspbi3: Material) -> None:
    impossible = IMPOSSIBLE[constraint](recipe, cspbi3)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        impossible.save()  # type: ignore[attr-defined]


def test_not_a_number_is_no_mass(project: Project, cspbi3: Material) -> None:
    preparation = Preparation.objects.create(project=project)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ingredient.objects.create(preparation=preparation, material=cspbi3, mass_g=float("nan"))


def test_fractions_that_do_not_add_up_are_refused_with_their_sum(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    with pytest.raises(ValidationError, match=r"add up to 0\.95; they must add up to 1"):
        plan_composite(user=alice, project=project, name="x", components=[(cspbi3, 0.25), (zif_glass, 0.7)])
    assert not Recipe.objects.exists()


def test_a_material_of_another_project_is_refused(alice: User, cspbi3: Material, charlie: User) -> None:
    theirs = charlie.projects.get()
    with pytest.raises(ValidationError, match="another project"):
        plan_composite(user=charlie, project=theirs, name="x", components=[(cspbi3, 1.0)])


def test_a_refused_plan_leaves_nothing_half_saved(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    with pytest.raises(ValidationError, match="above zero"):
        plan_composite(
            user=alice,
            project=project,
            name="x",
            components=[(cspbi3, 0.25), (zif_glass, 0.75)],
            sintering={"segments": [{"target_c": 275, "ramp_c_per_min": -20}]},
        )
    assert not Recipe.objects.exists()
    assert not Sample.objects.exists()

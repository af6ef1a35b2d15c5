"""Recipes: what can be written, what is frozen, what a preparation of one plans, what differs between two."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from samples.ancestry import planned_steps
from samples.models import Component, FurnaceSegment, Material, Project, Recipe, Sample, User
from samples.services import change_recipe, plan_composite, prepare, save_recipe
from samples.services.recipes import Change, diff
from samples.step_kinds import as_written

STEPS: list[dict[str, Any]] = [
    {"kind": "milling", "rpm": 400.0, "duration_min": 30.0, "ball_mass_g": 16.0, "powder_mass_g": 0.4},
    {"kind": "washing", "solvent": "DMF", "cycles": 3},
    {"kind": "milling", "rpm": 800.0, "duration_min": 60.0},
    {"kind": "pressing", "pressure_mpa": 250.0, "notes": "13 mm die"},
    {
        "kind": "sintering",
        "equipment": "tube furnace",
        "segments": [
            {"target_c": 275.0, "ramp_c_per_min": 20.0, "hold_min": 0.0, "gas": "Ar", "flow_ml_min": 100.0},
            {"target_c": 120.0},
        ],
    },
    {"kind": "quench", "medium": "liquid_nitrogen", "delay_s": 2.0},
]


@pytest.fixture
def write(alice: User, project: Project, cspbi3: Material, zif_glass: Material) -> Any:
    def _write(**changes: Any) -> Recipe:
        plan: dict[str, Any] = {
            "user": alice,
            "project": project,
            "name": "Quarter",
            "components": [(cspbi3, 0.25), (zif_glass, 0.75)],
            "steps": STEPS,
        }
        return save_recipe(**plan | changes)

    return _write


def test_steps_of_any_kind_and_number_keep_their_order_and_every_value(write: Any) -> None:
    assert [as_written(step) for step in planned_steps(write())] == STEPS


def test_the_same_name_again_is_the_next_version(write: Any) -> None:
    first = write()
    second = write(derived_from=first)
    assert (first.version, second.version, second.derived_from) == (1, 2, first)
    assert write(name="Half").version == 1


# What is weighed


def test_mole_fractions_are_kept_as_stated_and_weighed_as_mass(
    write: Any, cspbi3: Material, zif_glass: Material
) -> None:
    recipe = write(components=[(cspbi3, 0.0854), (zif_glass, 0.9146)], basis="mole")
    of_perovskite = recipe.components.get(material=cspbi3)
    assert of_perovskite.basis == "mole"
    assert of_perovskite.stated_fraction == 0.0854
    assert of_perovskite.mass_fraction == pytest.approx(0.25, abs=2e-4)
    assert sum(c.mass_fraction for c in recipe.components.all()) == pytest.approx(1)


def test_volume_fractions_need_densities_and_the_sentence_names_the_material(
    write: Any, cspbi3: Material, zif_glass: Material
) -> None:
    components = [(cspbi3, 0.1), (zif_glass, 0.9)]
    with pytest.raises(ValidationError, match="density of “agZIF-62” is not known"):
        write(components=components, basis="volume")
    Material.objects.filter(pk=zif_glass.pk).update(density_g_per_cm3=1.6)
    zif_glass.refresh_from_db()
    recipe = write(components=components, basis="volume")
    # 0.1 cm³ × 5.019 against 0.9 cm³ × 1.6
    assert recipe.components.get(material=cspbi3).mass_fraction == pytest.approx(0.5019 / (0.5019 + 1.44))


@pytest.mark.parametrize(
    ("fractions", "basis", "sentence"),
    [
        ((1.2, -0.2), "mass", "cannot be 1.2"),
        ((0.25, 0.7), "mass", "add up to 0.95"),
        ((float("nan"), 1.0), "mass", "cannot be nan"),
        ((float("inf"), 0.0), "mass", "cannot be inf"),
        ((0.25, 0.7), "mole", "mole fractions add up to 0.95"),
        ((0.25, 0.75), "weight", "is none of them"),
    ],
)
def test_fractions_that_cannot_be_weighed_are_refused_and_nothing_is_saved(
    write: Any, cspbi3: Material, zif_glass: Material, fractions: Any, basis: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        write(components=list(zip((cspbi3, zif_glass), fractions, strict=True)), basis=basis)
    assert not Recipe.objects.exists()


def test_steps_alone_are_a_recipe_and_nothing_at_all_is_none(write: Any, alice: User) -> None:
    sample = prepare(user=alice, recipe=write(components=[]), batch_mass_g=0.2)
    assert (sample.notation, sample.state) == ("", "sintered")
    assert not sample.preparation.ingredients.exists()
    with pytest.raises(ValidationError, match="at least one component"):
        write(components=[], steps=[])


# What is done


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ({"kind": "frying"}, "no kind that is known here"),
        ({}, "no kind that is known here"),
        ("milling", "must be an object"),
        ({"kind": "milling", "rpm": -800}, "the speed cannot be -800; it must be above zero in rpm"),
        ({"kind": "milling", "rpm": float("nan")}, "the speed cannot be nan"),
        ({"kind": "milling", "rpm": float("inf")}, "the speed cannot be inf"),
        ({"kind": "milling", "rpm": 1e300}, "Step 1, milling"),
        ({"kind": "milling", "rpm": "800"}, "the speed must be a number in rpm"),
        ({"kind": "milling", "rpm": True}, "the speed must be a number in rpm"),
        ({"kind": "milling", "cycles": 2.5}, "whole number"),
        ({"kind": "milling", "speed": 800}, "has no “speed”; it may say mill, rpm"),
        ({"kind": "milling", "id": 1}, "has no “id”"),
        ({"kind": "milling", "mill": "x" * 81}, "Step 1, milling"),
        ({"kind": "milling", "inferred": ["recipe_id"]}, "inferred lists names of its own fields"),
        ({"kind": "milling", "segments": [{"target_c": 1}]}, "only a sintering has segments"),
        ({"kind": "quench"}, "give the medium"),
        ({"kind": "milling", "inferred": 3}, "inferred lists names of its own fields"),
        ({"kind": "quench", "medium": ["air"]}, "must be one of liquid_nitrogen"),
        ({"kind": "quench", "medium": "lava"}, "must be one of liquid_nitrogen"),
        ({"kind": "sintering"}, "at least one target temperature"),
        ({"kind": "sintering", "segments": "hot"}, "Step 1, sintering"),
        ({"kind": "sintering", "segments": [{"hold_min": 5}]}, "segment 1: give the target"),
        (
            {"kind": "sintering", "segments": [{"target_c": 275, "ramp_c_per_min": -20}]},
            "segment 1: the ramp cannot be -20; it must be above zero",
        ),
        ({"kind": "sintering", "segments": [{"target_c": -300}]}, "it must be -273.15 to 3000 in °C"),
        ({"kind": "sintering", "segments": [{"target_c": 5}] * 101}, "101 segments are too many"),
        ({"kind": "washing", "notes": "a\x00b"}, "Step 1, washing"),
    ],
)
def test_a_step_that_nobody_could_do_is_refused_with_its_place_and_field(
    write: Any, step: Any, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        write(steps=[step])
    assert not Recipe.objects.exists()


def test_ten_thousand_steps_are_refused_before_any_is_read(write: Any) -> None:
    with pytest.raises(ValidationError, match="10000 steps are too many"):
        write(steps=[{"kind": "washing"}] * 10_000)


def test_a_name_of_spaces_is_no_name(write: Any) -> None:
    with pytest.raises(ValidationError):
        write(name="   ")


# Frozen when used


def test_an_unused_recipe_can_be_written_anew(write: Any, cspbi3: Material, zif_glass: Material) -> None:
    recipe = write()
    change_recipe(recipe=recipe, components=[(cspbi3, 0.5), (zif_glass, 0.5)], steps=STEPS[:1], notes="less")
    recipe.refresh_from_db()
    assert (recipe.version, recipe.notes) == (1, "less")
    assert [c.mass_fraction for c in recipe.components.all()] == [0.5, 0.5]
    assert [as_written(step) for step in planned_steps(recipe)] == STEPS[:1]


def test_a_refused_change_leaves_the_recipe_as_it_was(write: Any, cspbi3: Material) -> None:
    recipe = write()
    with pytest.raises(ValidationError):
        change_recipe(recipe=recipe, components=[(cspbi3, 0.5)], steps=[])
    assert recipe.components.count() == 2
    assert len(planned_steps(Recipe.objects.get())) == len(STEPS)


def test_a_used_recipe_is_changed_by_no_service(write: Any, alice: User, cspbi3: Material) -> None:
    recipe = write()
    prepare(user=alice, recipe=recipe)
    with pytest.raises(
        ValidationError, match="Quarter v1 is in use, so it cannot change; save a new version"
    ):
        change_recipe(recipe=recipe, components=[(cspbi3, 1.0)], steps=[])
    assert recipe.components.count() == 2


@pytest.mark.parametrize(
    "touch",
    [
        lambda r: r.components.update(mass_fraction=0.5),
        lambda r: r.components.all().delete(),
        lambda r: Component.objects.create(
            recipe=r, material=r.project.materials.get(name="Z"), mass_fraction=0.1
        ),
        lambda r: r.milling_steps.update(rpm=1),
        lambda r: r.milling_steps.all().delete(),
        lambda r: r.quench_steps.update(medium="air"),
        lambda r: r.otherstep_steps.update(notes="x"),
        lambda r: r.sintering_steps.update(equipment="x"),
        lambda r: FurnaceSegment.objects.filter(sintering__recipe=r).update(target_c=900),
        lambda r: FurnaceSegment.objects.filter(sintering__recipe=r).delete(),
        lambda r: FurnaceSegment.objects.create(sintering=r.sintering_steps.get(), order=9, target_c=900),
        lambda r: Recipe.objects.filter(pk=r.pk).update(notes="x"),
        lambda r: Recipe.objects.filter(pk=r.pk).update(name="x"),
        lambda r: Recipe.objects.filter(pk=r.pk).update(frozen_at=None),
        lambda r: Recipe.objects.get(pk=r.pk).delete(),
    ],
)
def test_the_database_itself_keeps_a_used_recipe_as_it_was(write: Any, alice: User, touch: Any) -> None:
    recipe = write()
    Material.objects.create(project=recipe.project, name="Z", kind="other")
    with transaction.atomic():
        touch(recipe)
        transaction.set_rollback(True)  # while unused, every one of these is allowed
    prepare(user=alice, recipe=recipe)
    with pytest.raises((IntegrityError, ProtectedError)), transaction.atomic():
        touch(recipe)


def test_the_steps_of_a_preparation_stay_open(write: Any, alice: User) -> None:
    sample = prepare(user=alice, recipe=write())
    step = sample.preparation.milling_steps.create(order=1, rpm=790)
    step.rpm = 795
    step.save()
    step.delete()


# Carried out


def test_a_preparation_plans_its_weigh_outs_and_its_sample_and_freezes_the_recipe(
    write: Any, alice: User
) -> None:
    recipe = write()
    sample = prepare(user=alice, recipe=recipe, code="VT-Q1", batch_mass_g=0.4)
    recipe.refresh_from_db()
    assert recipe.frozen_at is not None
    assert (sample.code, sample.planned, sample.state) == ("VT-Q1", True, "composite")
    assert sample.notation == "(CsPbI3)0.25(agZIF-62)0.75"
    planned = {i.material.name: i.planned_mass_g for i in sample.preparation.ingredients.all()}
    assert planned == {"CsPbI3": pytest.approx(0.1), "agZIF-62": pytest.approx(0.3)}
    assert all(i.mass_g is None for i in sample.preparation.ingredients.all())
    assert sample.factors.sintering_temperature_c == 275
    assert sample.factors.milling_duration_min == 90


def test_a_batch_of_unknown_mass_plans_unknown_masses(write: Any, alice: User) -> None:
    sample = prepare(user=alice, recipe=write())
    assert [i.planned_mass_g for i in sample.preparation.ingredients.all()] == [None, None]


@pytest.mark.parametrize("mass_g", [0, -1.0, float("nan"), float("inf")])
def test_a_batch_that_weighs_nothing_is_refused_and_the_recipe_stays_open(
    write: Any, alice: User, mass_g: float
) -> None:
    recipe = write()
    with pytest.raises(ValidationError, match="A batch cannot weigh"):
        prepare(user=alice, recipe=recipe, batch_mass_g=mass_g)
    recipe.refresh_from_db()
    assert recipe.frozen_at is None
    assert not Sample.objects.exists()


def test_the_empty_end_of_a_series_weighs_only_the_glass(
    write: Any, alice: User, cspbi3: Material, zif_glass: Material
) -> None:
    recipe = write(components=[(cspbi3, 0.0), (zif_glass, 1.0)], steps=[])
    sample = prepare(user=alice, recipe=recipe, batch_mass_g=0.2)
    assert sample.notation == "agZIF-62"
    assert [i.planned_mass_g for i in sample.preparation.ingredients.all()] == [0.2]
    assert sample.factors.loading_mass_fraction == 0


def test_planning_a_composite_is_saving_a_recipe_and_preparing_it(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    sample = plan_composite(
        user=alice,
        project=project,
        name="x",
        components=[(cspbi3, 0.25), (zif_glass, 0.75)],
        milling={"rpm": 800, "duration_min": None},
    )
    assert sample.preparation.recipe.frozen_at is not None
    assert [as_written(s) for s in planned_steps(sample.preparation.recipe)] == [
        {"kind": "milling", "rpm": 800}
    ]


# What differs


def test_a_recipe_does_not_differ_from_its_twin(write: Any) -> None:
    assert diff(write(), write()) == []


def test_what_was_changed_added_and_removed_is_told_with_units(
    write: Any, cspbi3: Material, zif_glass: Material
) -> None:
    before = write()
    steps = [
        STEPS[0],
        STEPS[2] | {"rpm": 700.0},
        STEPS[3],
        {"kind": "drying", "temperature_c": 60.0},
        STEPS[4] | {"segments": [{**STEPS[4]["segments"][0], "target_c": 300.0}]},
        {"kind": "quench", "medium": "air"},
    ]
    after = write(components=[(cspbi3, 0.3), (zif_glass, 0.7)], steps=steps)
    changes = diff(before, after)
    assert Change("changed", "component CsPbI3", "mass_fraction", "Mass fraction", 0.25, 0.3, "1") in changes
    assert Change("removed", "step 2, washing", "", "", "solvent DMF, cycles 3", None) in changes
    assert Change("changed", "step 2, milling", "rpm", "Speed", 800.0, 700.0, "rpm") in changes
    assert Change("added", "step 4, drying", "", "", None, "temperature 60 °C") in changes
    assert (
        Change("changed", "step 5, sintering, segment 1", "target_c", "Target", 275.0, 300.0, "°C") in changes
    )
    assert Change("removed", "step 5, sintering, segment 2", "", "", "target 120 °C", None) in changes
    assert Change("removed", "step 6, quench", "delay_s", "Delay", 2.0, None, "s") in changes
    assert len(changes) == 9


def test_the_difference_backwards_swaps_added_and_removed(write: Any) -> None:
    a, b = write(), write(steps=STEPS[:2])
    there, back = diff(a, b), diff(b, a)
    swap = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [(swap[c.how], c.after, c.before) for c in there] == [(c.how, c.before, c.after) for c in back]


@pytest.mark.django_db(transaction=True)
def test_people_who_save_the_same_name_at_once_get_a_version_each(
    alice: User, project: Project, cspbi3: Material
) -> None:
    def save(_: int) -> int:
        try:
            return save_recipe(user=alice, project=project, name="Race", components=[(cspbi3, 1.0)]).version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(save, range(8))) == list(range(1, 9))


@pytest.mark.django_db(transaction=True)
def test_a_recipe_that_is_being_used_is_not_changed_in_the_same_moment(
    alice: User, project: Project, cspbi3: Material
) -> None:
    recipe = save_recipe(user=alice, project=project, name="Race", components=[(cspbi3, 1.0)])

    def change() -> str:
        try:
            change_recipe(recipe=recipe, components=[(cspbi3, 0.999)])
        except ValidationError as error:
            return " ".join(error.messages)
        finally:
            connection.close()
        return "changed"

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            prepare(user=alice, recipe=Recipe.objects.get())
            changing = other.submit(change)
            time.sleep(0.3)  # it waits for this transaction
            assert not changing.done()
        assert "in use, so it cannot change" in changing.result(timeout=10)
    assert Recipe.objects.get().components.get().mass_fraction == 1.0

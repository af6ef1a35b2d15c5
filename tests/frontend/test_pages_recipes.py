"""Recipes in the browser: written, changed, compared, made again."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from samples.ancestry import planned_steps
from samples.models import Material, Recipe, Sample
from samples.services import prepare, save_recipe
from samples.step_kinds import KINDS, as_written


@pytest.fixture
def fields(project: Any, cspbi3: Material, zif_glass: Material) -> dict[str, Any]:
    return {
        "project": project.slug,
        "name": "Quarter",
        "basis": "mass",
        "component-0-material": cspbi3.pk,
        "component-0-percent": "25",
        "component-1-material": zif_glass.pk,
        "component-1-percent": "75",
        "step-0-kind": "milling",
        "step-0-rpm": "400",
        "step-1-kind": "washing",
        "step-1-solvent": "DMF",
        "step-1-cycles": "3",
        "step-2-kind": "milling",
        "step-2-duration_min": "60",
        "step-2-notes": "second milling",
        "step-3-kind": "sintering",
        "step-3-segment-0-target_c": "450",
        "step-3-segment-0-ramp_c_per_min": "20",
        "step-3-segment-0-pressure_kpa": "101.3",
        "step-3-segment-1-target_c": "25",
        "step-4-kind": "quench",
        "step-4-medium": "liquid_nitrogen",
    }


@pytest.fixture
def recipe(alice: Any, project: Any, cspbi3: Material, zif_glass: Material) -> Recipe:
    return save_recipe(
        user=alice,
        project=project,
        name="Quarter",
        components=[(cspbi3, 0.25), (zif_glass, 0.75)],
        steps=[
            {"kind": "milling", "ball_mass_g": 16, "powder_mass_g": 0.4, "duration_min": 60},
            {"kind": "sintering", "segments": [{"target_c": 350, "ramp_c_per_min": 20, "hold_min": 0}]},
        ],
    )


def test_a_recipe_of_many_steps_is_saved_in_their_order(alices_browser: Any, fields: dict[str, Any]) -> None:
    answer = alices_browser.post(reverse("recipe-new"), fields, follow=True)
    assert answer.status_code == 200
    recipe = Recipe.objects.get()
    assert [as_written(step) for step in planned_steps(recipe)] == [
        {"kind": "milling", "rpm": 400},
        {"kind": "washing", "solvent": "DMF", "cycles": 3},
        {"kind": "milling", "duration_min": 60, "notes": "second milling"},
        {
            "kind": "sintering",
            "segments": [
                {"target_c": 450, "ramp_c_per_min": 20, "pressure_kpa": 101.3},
                {"target_c": 25},
            ],
        },
        {"kind": "quench", "medium": "liquid_nitrogen"},
    ]
    assert recipe.frozen_at is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"component-0-percent": "120"}, "cannot be 1.2"),
        ({"component-1-percent": "70"}, "add up to 0.95"),
        ({"component-1-percent": "nan"}, "cannot be nan"),
        ({"component-1-percent": "much"}, "must be a number, not “much”"),
        ({"component-1-percent": ""}, "say how much agZIF-62"),
        ({"component-1-material": ""}, "choose its material"),
        ({"component-1-material": "Cs(Pb"}, "choose its material"),
        ({"basis": "volume"}, "density of “agZIF-62” is not known"),
        ({"basis": "weight"}, "not one of the available choices"),
        ({"name": ""}, "required"),
        ({"step-0-rpm": "-1"}, "the speed cannot be -1"),
        ({"step-0-rpm": "1e999"}, "the speed cannot be inf"),
        ({"step-0-rpm": "fast"}, "the speed must be a number, not “fast”"),
        ({"step-0-kind": "frying"}, "no kind that is known"),
        ({"step-3-segment-0-ramp_c_per_min": "-20"}, "segment 1: the ramp cannot be -20"),
        ({"step-3-segment-0-target_c": ""}, "segment 1: give the target"),
        ({"step-4-medium": ""}, "give the medium"),
        ({"step-1-cycles": "2.5"}, "whole number"),
        ({f"step-{n}-kind": "washing" for n in range(80)}, "at most 24 components and 60 steps"),
        ({f"step-3-segment-{n}-target_c": "5" for n in range(120)}, "at most 100 segments"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence_and_nothing_is_lost(
    alices_browser: Any, fields: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    answer = alices_browser.post(reverse("recipe-new"), fields | change)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert not Recipe.objects.exists()
    if "at most" not in sentence:
        assert 'value="101.3"' in page
        assert "second milling" in page


def test_ten_thousand_fields_are_refused_before_they_are_read(
    alices_browser: Any, fields: dict[str, Any]
) -> None:
    alices_browser.raise_request_exception = False
    answer = alices_browser.post(
        reverse("recipe-new"), fields | {f"step-{n}-kind": "washing" for n in range(10_000)}
    )
    assert answer.status_code == 400
    assert not Recipe.objects.exists()


def test_an_unused_recipe_is_changed_in_place_and_the_page_says_so_before(
    alices_browser: Any, recipe: Recipe, fields: dict[str, Any]
) -> None:
    url = reverse("recipe-edit", args=[recipe.pk])
    assert "saving changes it" in alices_browser.get(url).content.decode()
    alices_browser.post(url, fields)
    assert Recipe.objects.get().milling_steps.count() == 2


def test_a_used_recipe_gets_a_next_version_and_the_page_says_so_before(
    alices_browser: Any, alice: Any, recipe: Recipe, fields: dict[str, Any]
) -> None:
    prepare(user=alice, recipe=recipe)
    url = reverse("recipe-edit", args=[recipe.pk])
    page = alices_browser.get(url).content.decode()
    assert "v1 is in use and stays as it is." in page
    assert "makes v2" in page
    alices_browser.post(url, fields)
    second = Recipe.objects.get(version=2)
    assert second.derived_from == recipe
    assert recipe.milling_steps.count() == 1


def test_make_it_with_begins_as_the_recipe_and_may_get_another_name(
    alices_browser: Any, recipe: Recipe, fields: dict[str, Any]
) -> None:
    url = f"{reverse('recipe-new')}?from={recipe.pk}"
    page = alices_browser.get(url).content.decode()
    assert 'name="step-0-ball_mass_g" id="id_step-0-ball_mass_g"' in page
    assert 'value="350"' in page
    alices_browser.post(url, fields | {"name": "Quarter, hotter"})
    made = Recipe.objects.get(name="Quarter, hotter")
    assert (made.version, made.derived_from) == (1, recipe)


def test_make_it_again_plans_a_sample_of_the_same_recipe(alices_browser: Any, recipe: Recipe) -> None:
    url = reverse("recipe-prepare", args=[recipe.pk])
    alices_browser.post(url, {"batch_mass_g": "0.4", "code": "VT-AGAIN"})
    sample = Sample.objects.get()
    assert (sample.code, sample.planned, sample.preparation.recipe) == ("VT-AGAIN", True, recipe)
    masses = sorted(i.planned_mass_g for i in sample.preparation.ingredients.all())
    assert masses == pytest.approx([0.1, 0.3])


@pytest.mark.parametrize("mass", ["-1", "0", "nan", "heavy"])
def test_a_batch_that_weighs_nothing_is_refused_on_the_page(
    alices_browser: Any, recipe: Recipe, mass: str
) -> None:
    url = reverse("recipe-prepare", args=[recipe.pk])
    page = alices_browser.post(url, {"batch_mass_g": mass}, follow=True).content.decode()
    assert "atch" in page
    assert not Sample.objects.exists()


def test_a_recipes_page_says_what_follows_from_its_numbers(alices_browser: Any, recipe: Recipe) -> None:
    page = alices_browser.get(reverse("recipe", args=[recipe.pk])).content.decode().replace("\u202f", " ")
    assert "<dt>Ball-to-powder ratio</dt><dd>40</dd>" in page
    assert "<dt>Programme</dt><dd>16.25 min from 25 °C</dd>" in page
    assert "8.544 % CsPbI3" in page
    assert "0.851; octahedral factor 0.541" in page
    assert "density of “agZIF-62” is not known" in page


def test_mixed_halides_and_linkers_are_estimated_and_questioned(
    alices_browser: Any, alice: Any, project: Any, cspbi3: Material
) -> None:
    def material(name: str, formula: str, **more: Any) -> Material:
        return Material.objects.create(project=project, name=name, kind="perovskite", formula=formula, **more)

    alloy = material("Mixed", "CsPb(I,Br)3")
    bromide = material("CsPbBr3", "CsPbBr3")
    glass = material("Glass", "Zn(Im)1.95(bIm)0.05", linker_x_feed=0.0154, linker_x_product=0.05)
    recipe = save_recipe(
        user=alice, project=project, name="Mix", components=[(alloy, 0.2), (glass, 0.8)], steps=[]
    )
    url = reverse("recipe", args=[recipe.pk])
    page = alices_browser.get(url).content.decode().replace("\u202f", " ")
    assert "Off-stoichiometric: the feed holds 0.77 %" in page
    assert "The ratio of I to Br is not stated" in page
    assert "0.851 to 0.862" in page
    assert "lattice of CsPbBr3; enter the density" in page
    Material.objects.filter(pk=bromide.pk).update(density_g_per_cm3=4.86)
    # (579.82 / 0.602214 / 4.86)^⅓ = 5.830 Å against 6.201 Å of the iodide
    assert "pseudo-cubic a = 5.83 to 6.201 Å" in alices_browser.get(url).content.decode().replace(
        "\u202f", " "
    )


def test_the_printed_feed_of_linkers_is_told_as_x(alices_browser: Any, alice: Any, project: Any) -> None:
    parts = [("Imidazole", "C3H4N2", 891 / 903), ("Benzimidazole", "C7H6N2", 12 / 903)]
    components = [
        (Material.objects.create(project=project, name=name, kind="precursor", formula=formula), share)
        for name, formula, share in parts
    ]
    recipe = save_recipe(user=alice, project=project, name="ZIF-62", components=components)
    page = alices_browser.get(reverse("recipe", args=[recipe.pk])).content.decode().replace("\u202f", " ")
    assert "0.77 % benzimidazole among the linkers, x = 0.0154" in page


def test_two_versions_are_compared_with_units(
    alices_browser: Any, alice: Any, recipe: Recipe, cspbi3: Material, zif_glass: Material
) -> None:
    second = save_recipe(
        user=alice,
        project=recipe.project,
        name="Quarter",
        components=[(cspbi3, 0.3), (zif_glass, 0.7)],
        steps=[{"kind": "quench", "medium": "air"}],
    )
    page = alices_browser.get(reverse("recipe-diff", args=[recipe.pk, second.pk])).content.decode()
    for said in ("25\u202f%", "30\u202f%", "Step 1, milling", "Step 1, quench", ", removed", ", added"):
        assert said in page
    same = alices_browser.get(reverse("recipe-diff", args=[recipe.pk, recipe.pk])).content.decode()
    assert "They are the same." in same


def test_every_kind_of_step_can_be_placed_and_saved(alices_browser: Any, fields: dict[str, Any]) -> None:
    needed = {"quench": {"medium": "air"}, "sintering": {"segment-0-target_c": "300"}}
    wanted = {name: value for name, value in fields.items() if not name.startswith("step-")}
    for place, key in enumerate(KINDS):
        wanted[f"step-{place}-kind"] = key
        wanted |= {f"step-{place}-{name}": value for name, value in needed.get(key, {}).items()}
    page = alices_browser.get(reverse("recipe-new")).content.decode()
    assert all(f'data-blank-step="{key}"' in page for key in KINDS)
    assert alices_browser.post(reverse("recipe-new"), wanted).status_code == 302
    assert [as_written(step)["kind"] for step in planned_steps(Recipe.objects.get())] == list(KINDS)


def test_a_viewer_may_look_and_compare_but_not_write(
    bobs_browser: Any, recipe: Recipe, fields: dict[str, Any]
) -> None:
    page = bobs_browser.get(reverse("recipe", args=[recipe.pk])).content.decode()
    assert "Make it again" not in page
    assert bobs_browser.get(reverse("recipe-diff", args=[recipe.pk, recipe.pk])).status_code == 200
    assert bobs_browser.post(reverse("recipe-edit", args=[recipe.pk]), fields).status_code == 403
    assert bobs_browser.post(reverse("recipe-prepare", args=[recipe.pk])).status_code == 403
    assert not Sample.objects.exists()


def test_a_recipe_of_others_begins_nothing(charlies_browser: Any, recipe: Recipe) -> None:
    for name, args in (("recipe-edit", [recipe.pk]), ("recipe-diff", [recipe.pk, recipe.pk])):
        assert charlies_browser.get(reverse(name, args=args)).status_code == 404
    assert charlies_browser.get(f"{reverse('recipe-new')}?from={recipe.pk}").status_code == 404


def test_a_recipe_that_the_plan_cannot_hold_is_repeated_in_the_editor(
    alices_browser: Any, alice: Any, recipe: Recipe, cspbi3: Material
) -> None:
    plan = reverse("sample-plan")
    assert alices_browser.get(plan, {"recipe": recipe.pk}).status_code == 200
    washed = save_recipe(
        user=alice,
        project=recipe.project,
        name="Washed",
        components=[(cspbi3, 1.0)],
        steps=[{"kind": "washing", "solvent": "DMF"}],
    )
    answer = alices_browser.get(plan, {"recipe": washed.pk})
    assert answer["Location"] == f"{reverse('recipe-new')}?from={washed.pk}"


def test_a_materials_page_questions_its_feed_and_estimates_its_lattice(
    alices_browser: Any, project: Any, cspbi3: Material
) -> None:
    def page(**material: Any) -> str:
        row = Material.objects.create(project=project, **material)
        answer = alices_browser.get(reverse("material", args=[row.pk]))
        return str(answer.content.decode().replace("\u202f", " "))

    glass = page(name="Glass", kind="glass", formula="", linker_x_feed=0.0154, linker_x_product=0.05)
    assert "the feed holds 0.77 %" in glass
    page(name="Bromide", kind="perovskite", formula="CsPbBr3", density_g_per_cm3=4.86)
    mixed = page(name="Mixed", kind="perovskite", formula="CsPb(I0.5Br0.5)3")
    # halfway between 6.2013 Å and 5.8295 Å
    assert "pseudo-cubic a = 6.015 Å, from the densities of CsPbI3 and CsPbBr3" in mixed
    assert "<dt>Tolerance factor</dt><dd>0.856" in mixed

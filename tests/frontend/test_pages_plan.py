"""Planning a composite in the browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from samples.models import Material, Recipe, Sample


@pytest.fixture
def fields(project, cspbi3, zif_glass):
    return {
        "project": project.slug,
        "name": "Quarter",
        "component-TOTAL_FORMS": 3,
        "component-INITIAL_FORMS": 0,
        "component-0-material": cspbi3.pk,
        "component-0-percent": "25",
        "component-1-material": zif_glass.pk,
        "component-1-percent": "75",
        "mill": "on",
        "duration_min": "60",
        "rpm": "800",
        "sinter": "on",
        "segment-TOTAL_FORMS": 2,
        "segment-INITIAL_FORMS": 0,
        "segment-0-target_c": "275",
        "segment-0-ramp_c_per_min": "20",
        "segment-0-hold_min": "10",
        "segment-0-gas": "Ar",
        "quench": "liquid_nitrogen",
    }


def test_a_plan_becomes_a_sample_with_its_recipe(alices_browser, fields):
    answer = alices_browser.post(reverse("sample-plan"), fields, follow=True)
    sample = Sample.objects.get()
    assert answer.redirect_chain == [(reverse("sample", args=[sample.code]), 302)]
    assert f"{sample.code} is planned" in answer.content.decode()
    assert sample.planned
    assert sample.notation == "(CsPbI3)0.25(agZIF-62)0.75"
    recipe = sample.preparation.recipe
    assert sorted(component.mass_fraction for component in recipe.components.all()) == [0.25, 0.75]
    (segment,) = recipe.sintering_steps.get().segments.all()
    assert (segment.target_c, segment.ramp_c_per_min, segment.hold_min, segment.gas) == (275, 20, 10, "Ar")
    assert recipe.milling_steps.get().duration_min == 60
    assert recipe.quench_steps.get().rate_c_per_min is None
    assert sample.factors.sintering_temperature_c == 275


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"component-1-percent": "70"}, "add up to 95"),
        ({"component-1-percent": ""}, "Say how much agZIF-62"),
        ({"component-0-material": ""}, "Choose the material of this fraction"),
        ({"segment-0-target_c": ""}, "Give the temperature this segment goes to"),
        ({"segment-0-target_c": "-300"}, "-273.15"),
        ({"segment-0-ramp_c_per_min": "0"}, "above zero"),
        ({"segment-0-ramp_c_per_min": "fast"}, "Enter a number"),
        ({"code": "two words"}, "A code starts with a letter or digit"),
        ({"code": "plan"}, "is the address of this page"),
        ({"name": ""}, "required"),
        ({"rpm": "nan"}, "Enter a number"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence_and_nothing_is_lost(
    change, sentence, alices_browser, fields
):
    answer = alices_browser.post(reverse("sample-plan"), fields | change)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="800"' in page or "rpm" in change
    assert not Sample.objects.exists()
    assert not Recipe.objects.exists()


def test_a_code_that_is_taken_is_refused_beside_its_field(alices_browser, composite, fields):
    page = alices_browser.post(reverse("sample-plan"), fields | {"code": composite.code}).content.decode()
    assert f"There is a sample {composite.code} already" in page


def test_steps_that_are_not_ticked_are_not_planned(alices_browser, fields):
    for name in ("mill", "sinter", "quench"):
        fields.pop(name)
    alices_browser.post(reverse("sample-plan"), fields)
    sample = Sample.objects.get()
    recipe = sample.preparation.recipe
    assert sample.state == "mixture"
    assert not recipe.milling_steps.exists()
    assert not recipe.sintering_steps.exists()


def test_make_again_begins_with_the_recipe_as_it_was(alices_browser, composite):
    recipe = composite.preparation.recipe
    answer = alices_browser.get(reverse("sample-plan"), {"recipe": recipe.pk})
    assert answer.context["form"]["name"].value() == "CsPbI3 in glass"
    assert [form["percent"].value() for form in answer.context["components"].forms] == ["25", "75"]
    assert [form["target_c"].value() for form in answer.context["segments"].forms] == ["275"]
    assert answer.context["form"]["rpm"].value() == "800"


def test_a_component_of_another_project_cannot_be_chosen(alices_browser, fields, charlie):
    theirs = Material.objects.create(
        project=charlie.memberships.get().project, name="Secret", kind=Material.Kind.GLASS
    )
    answer = alices_browser.post(reverse("sample-plan"), fields | {"component-1-material": theirs.pk})
    assert answer.status_code == 422
    assert "Secret" not in answer.content.decode()


def test_a_viewer_is_told_where_to_begin(bobs_browser):
    assert (
        "There is no project that you may add to" in bobs_browser.get(reverse("sample-plan")).content.decode()
    )


def test_a_new_material_gets_its_molar_mass_from_its_formula(alices_browser, project):
    fields = {"project": project.pk, "name": "Caesium iodide", "kind": "precursor", "formula": "CsI"}
    assert alices_browser.post(reverse("material-create"), fields).status_code == 302
    assert Material.objects.get(name="Caesium iodide").molar_mass_g_per_mol == pytest.approx(259.81, abs=0.01)


def test_a_formula_that_is_none_is_explained(alices_browser, project):
    fields = {"project": project.pk, "name": "Nonsense", "kind": "precursor", "formula": "Xx2"}
    page = alices_browser.post(reverse("material-create"), fields).content.decode()
    assert "Xx" in page
    assert not Material.objects.filter(name="Nonsense").exists()


def test_a_material_cannot_be_put_into_a_project_that_is_only_seen(bobs_browser, project):
    fields = {"project": project.pk, "name": "Mine", "kind": "glass"}
    assert bobs_browser.post(reverse("material-create"), fields).status_code == 422
    assert not Material.objects.filter(name="Mine").exists()


def test_a_formula_whose_halides_do_not_add_up_is_questioned_when_it_is_written(alices_browser, project):
    fields = {"project": project.pk, "name": "Odd", "kind": "perovskite", "formula": "CsPbI2.5Br0.6"}
    page = alices_browser.post(reverse("material-create"), fields, follow=True).content.decode()
    assert "The halides of CsPbI2.5Br0.6 add up to 3.1, not to 3" in page

"""Arrays of planned samples: forecast before, created at once, withdrawn as long as nothing is made."""

from __future__ import annotations

import time
from typing import Any

import pypdfium2
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from samples.identity import misread
from samples.models import Design, Ingredient, Material, Preparation, Project, Recipe, Sample, User
from samples.notation import parse
from samples.services.designs import (
    coverage,
    create_design,
    forecast,
    read_array,
    standing,
    weighing_rows,
    withdraw,
)
from samples.weighing_table import as_csv, as_pdf

SAID: dict[str, Any] = {
    "perovskite": ["CsPbI3"],
    "glass": ["agZIF-62"],
    "loading_mass_fraction": [0.05, 0.1, 0.25],
    "sintering_temperature_c": [250, 275, 300],
    "quench_medium": ["liquid_nitrogen"],
    "milling_duration_min": [60],
    "milling_speed_rpm": 800,
    "batch_mass_g": 0.2,
    "ramp_c_per_min": 20,
    "hold_min": 0,
    "gas": "Ar",
    "furnace_capacity": 3,
    "seed": 7,
}


@pytest.fixture
def made(alice: User, project: Project, cspbi3: Material, zif_glass: Material) -> Design:
    return create_design(user=alice, array=read_array(project, SAID), name="Campaign")


def test_a_forecast_says_grams_hours_and_lots_and_creates_nothing(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    Sample.objects.create(project=project, code="L1", state="powder", material=cspbi3, mass_left_g=0.2)
    Sample.objects.create(project=project, code="L2", state="glass", material=zif_glass, mass_left_g=5)
    found = forecast(read_array(project, SAID), alice)
    assert (found.samples, found.furnace_runs, found.mill_runs, found.mill_h) == (9, 3, 9, 9)
    assert found.furnace_h == pytest.approx((11.25 + 12.5 + 13.75) / 60)
    assert found.mass_g == pytest.approx(1.8)
    perovskite, glass = found.needs
    assert perovskite.needed_g == pytest.approx(0.2 * 3 * 0.4)
    assert glass.needed_g == pytest.approx(0.2 * 3 * 2.6)
    assert (perovskite.verdict, glass.verdict) == ("short", "suffices")
    assert perovskite.short_g == pytest.approx(0.04)
    assert "CsPbI3 is short by 40 mg." in found.warnings
    assert not Design.objects.exists()
    assert not Recipe.objects.exists()


def test_what_other_plans_are_to_take_is_not_promised_twice(
    made: Design, alice: User, project: Project, cspbi3: Material
) -> None:
    Sample.objects.create(project=project, code="L1", state="powder", material=cspbi3, mass_left_g=0.3)
    need = forecast(read_array(project, SAID), alice).needs[0]
    assert need.promised_g == pytest.approx(0.24)
    assert need.verdict == "short"
    withdraw(user=alice, design=made)
    assert forecast(read_array(project, SAID), alice).needs[0].verdict == "suffices"


def test_an_undecided_programme_has_no_hours(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    found = forecast(read_array(project, SAID | {"hold_min": None}), alice)
    assert found.furnace_h is None
    assert "Furnace time is not known: give ramp and hold." in found.warnings


def test_a_design_creates_every_sample_with_its_plan(made: Design) -> None:
    samples = list(Sample.objects.filter(preparation__design=made).select_related("factors"))
    assert len(samples) == 9
    assert all(sample.planned and not misread(sample.code) for sample in samples)
    points = {(s.factors.loading_mass_fraction, s.factors.sintering_temperature_c) for s in samples}
    assert points == {(x, t) for x in (0.05, 0.1, 0.25) for t in (250, 275, 300)}
    assert {s.factors.milling_duration_min for s in samples} == {60}
    assert {s.factors.quench_medium for s in samples} == {"liquid_nitrogen"}
    for sample in samples:
        assert parse(sample.notation).loading == sample.factors.loading_mass_fraction
        assert sample.state == "composite"
    preparations = Preparation.objects.filter(design=made)
    assert sorted(p.run_order for p in preparations) == list(range(1, 10))
    assert {p.block for p in preparations} == {1, 2, 3}
    assert all(p.recipe is not None and p.recipe.frozen_at for p in preparations)
    planned = Ingredient.objects.filter(preparation__design=made)
    assert sum(row.planned_mass_g or 0 for row in planned) == pytest.approx(1.8)
    assert {row.mass_g for row in planned} == {None}
    assert Recipe.objects.get(name="Campaign: 25 %, 275 °C").version == 1


def test_the_stored_design_draws_the_same_array_again(made: Design, project: Project) -> None:
    again = read_array(project, made.levels)
    assert made.seed == 7
    orders = Preparation.objects.filter(design=made).order_by("run_order")
    drawn = [f"Campaign: {100 * slot.cell[2]:g} %, {slot.cell[4]:g} °C" for slot in again.slots()]
    assert [p.recipe.name for p in orders if p.recipe] == drawn


def test_ninety_samples_take_under_three_seconds_and_few_statements(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    grid = {
        "loading_mass_fraction": [i / 20 for i in range(1, 11)],
        "sintering_temperature_c": [200 + 25 * i for i in range(9)],
    }
    begun = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        create_design(user=alice, array=read_array(project, SAID | grid), name="Ninety")
    assert time.perf_counter() - begun < 3
    assert len(queries) < 60
    assert Sample.objects.count() == 90
    assert Recipe.objects.count() == 90


def test_codes_that_somebody_takes_in_the_same_moment_are_drawn_again(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sample.objects.create(project=project, code="VT-AAAAAA", state="powder")
    fresh = [f"VT-{i}" for i in range(9)]
    falls = iter([[*fresh[:8], "VT-AAAAAA"], fresh])
    monkeypatch.setattr("samples.services.designs.creating.new_codes", lambda count: next(falls))
    create_design(user=alice, array=read_array(project, SAID), name="Campaign")
    assert set(Sample.objects.filter(planned=True).values_list("code", flat=True)) == set(fresh)
    assert Design.objects.count() == 1


def test_replicates_share_a_recipe_and_no_furnace_run(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    design = create_design(user=alice, array=read_array(project, SAID | {"replicates": 2}), name="Twice")
    preparations = Preparation.objects.filter(design=design)
    assert (preparations.count(), Recipe.objects.count()) == (18, 9)
    pairs = preparations.values_list("recipe", "block")
    assert len(set(pairs)) == 18


def test_a_fraction_of_two_perovskites_two_glasses_and_two_mills(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    Material.objects.create(project=project, name="CsPbBr3", kind="perovskite", formula="CsPbBr3")
    Material.objects.create(project=project, name="agZIF-4", kind="glass")
    said = SAID | {
        "perovskite": ["CsPbI3", "CsPbBr3"],
        "glass": ["agZIF-62", "agZIF-4"],
        "milling_duration_min": [30, 60],
        "cells": 12,
    }
    create_design(user=alice, array=read_array(project, said), name="Fraction")
    samples = Sample.objects.select_related("factors")
    assert samples.count() == 12
    assert samples.filter(factors__perovskite="CsPbBr3").count() == 6
    assert samples.filter(factors__sintering_temperature_c=250).count() == 4


def test_pure_glass_and_pure_perovskite_are_samples_too(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    said = SAID | {"loading_mass_fraction": [0, 1], "sintering_temperature_c": [275]}
    create_design(user=alice, array=read_array(project, said), name="Ends")
    ends = {s.notation: s.state for s in Sample.objects.all()}
    assert ends == {"CsPbI3": "sintered", "agZIF-62": "sintered"}
    assert Ingredient.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"loading_mass_fraction": [1.2]}, "between 0 and 1"),
        ({"loading_mass_fraction": [float("nan")]}, "between 0 and 1"),
        ({"loading_mass_fraction": ["0.1"]}, "between 0 and 1"),
        ({"loading_mass_fraction": [True]}, "between 0 and 1"),
        ({"loading_mass_fraction": []}, "at least one"),
        ({"loading_mass_fraction": [0.1, 0.1]}, "lists 0.1 twice"),
        ({"loading_mass_fraction": 0.1}, "must be a list"),
        ({"sintering_temperature_c": [-300]}, "Temperatures"),
        ({"sintering_temperature_c": [1e9]}, "Temperatures"),
        ({"sintering_temperature_c": "300"}, "must be a list"),
        ({"sintering_temperature_c": []}, "quench needs a furnace"),
        ({"ramp_c_per_min": -20}, "ramp cannot be -20"),
        ({"hold_min": float("inf")}, "hold cannot be inf"),
        ({"quench_medium": ["coffee"]}, "must be one of"),
        ({"milling_duration_min": [-1]}, "Milling times"),
        ({"perovskite": []}, "choose at least one material"),
        ({"perovskite": ["PbI\u202e2"]}, "has no material"),
        ({"perovskite": ["agZIF-62"]}, "as perovskite and as glass"),
        ({"batch_mass_g": 0}, "grams above zero"),
        ({"batch_mass_g": float("nan")}, "grams above zero"),
        ({"batch_mass_g": "0.2"}, "grams above zero"),
        ({"replicates": 0}, "whole one from 1 to 20"),
        ({"replicates": 1.5}, "whole one from 1 to 20"),
        ({"replicates": True}, "whole one from 1 to 20"),
        ({"furnace_capacity": 10**9}, "whole one from 1 to 1000"),
        ({"seed": -1}, "whole one from 0"),
        ({"cells": 2}, "at least 3 of the 9"),
        ({"cells": 10}, "fewer than all"),
        ({"price": 3}, "has no “price”"),
        ({"project": "glass"}, "has no “project”"),
    ],
)
def test_an_impossible_array_gets_a_sentence_and_saves_nothing(
    alice: User,
    project: Project,
    cspbi3: Material,
    zif_glass: Material,
    changes: dict[str, Any],
    sentence: str,
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        create_design(user=alice, array=read_array(project, SAID | changes), name="Never")
    assert not Design.objects.exists()
    assert not Sample.objects.exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "1 to 80"),
        ("x" * 81, "1 to 80"),
        ("a\u200bb", "U[+]200B"),
        ("\u202eab", "U[+]202E"),
        ("Campaign", "already"),
    ],
)
def test_a_design_has_a_name_one_can_see_and_no_other_has(
    made: Design, alice: User, project: Project, name: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        create_design(user=alice, array=read_array(project, SAID), name=name)
    assert Sample.objects.count() == 9


def test_a_design_of_which_nothing_is_made_is_withdrawn_and_its_codes_stay(made: Design, alice: User) -> None:
    assert withdraw(user=alice, design=made) == 9
    assert standing(made) == {"samples": 9, "made": 0, "begun": 0, "withdrawn": 9}
    assert Sample.objects.first().void_reason == "The design “Campaign” was withdrawn by alice."


@pytest.mark.parametrize("begun", ["made", "weighed", "started"])
def test_a_design_that_is_begun_stays(made: Design, alice: User, begun: str) -> None:
    sample = Sample.objects.filter(preparation__design=made)[0]
    if begun == "made":
        Sample.objects.filter(pk=sample.pk).update(planned=False)
    elif begun == "weighed":
        Ingredient.objects.filter(preparation=sample.preparation).update(mass_g=0.01)
    else:
        Preparation.objects.filter(pk=sample.preparation_id).update(started_at="2026-11-20T10:00Z")
    with pytest.raises(ValidationError, match="1 of its samples is begun"):
        withdraw(user=alice, design=made)
    assert not Sample.objects.exclude(voided_at=None).exists()


def test_the_map_shows_what_is_made_planned_and_asked(
    made: Design, alice: User, charlie: User, project: Project
) -> None:
    point = Sample.objects.filter(factors__loading_mass_fraction=0.1, factors__sintering_temperature_c=275)
    point.update(planned=False)
    asked = read_array(project, SAID | {"sintering_temperature_c": [275, 325]}).slots()
    found = coverage(project, alice, asked)
    assert found.loadings == [0.05, 0.1, 0.25]
    assert found.temperatures == [250, 275, 300, 325]
    spots = [(s.made, s.planned, s.asked) for s in found.rows[1]]
    assert spots == [(0, 1, 0), (1, 0, 1), (0, 1, 0), (0, 0, 1)]
    assert coverage(project, charlie).rows == []


def test_a_map_of_many_levels_says_what_it_left_out(
    alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> None:
    said = SAID | {"sintering_temperature_c": [200 + i for i in range(20)]}
    create_design(user=alice, array=read_array(project, said), name="Many")
    found = coverage(project, alice)
    assert (len(found.temperatures), found.left_out) == (16, 12)


def test_the_weighing_table_adds_up_and_stands_in_the_order_of_making(made: Design, alice: User) -> None:
    materials, rows = weighing_rows(made, alice)
    assert materials == ["CsPbI3", "agZIF-62"]
    assert [row.run_order for row in rows] == list(range(1, 10))
    assert sum(mass or 0 for row in rows for mass in row.masses_g.values()) == pytest.approx(1.8)
    assert all(row.temperature_c and row.quench == "Liquid nitrogen" for row in rows)


def test_a_table_holds_no_formula_and_its_paper_shows_every_row() -> None:
    rows = [[f"VT-{i}", "=cmd|'/c calc'!A0", None, "γ <b>&amp;"] for i in range(60)]
    text = as_csv(["Code", "a", "b", "c"], rows)
    assert "'=cmd" in text
    assert ",=cmd" not in text
    pdf = pypdfium2.PdfDocument(as_pdf("Campaign", "seed 7", ["Code", "a", "b", "c"], rows))
    assert len(pdf) > 1
    words = "".join(page.get_textpage().get_text_range() for page in pdf)
    assert all(f"VT-{i}" in words for i in range(60))
    assert "γ<b>&amp;" in "".join(words.split())

"""Process factors say what the ancestry says: as-run before set point, unknown as unknown."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from samples.ancestry import lineage
from samples.models import (
    FurnaceSegment,
    Ingredient,
    Material,
    Milling,
    Preparation,
    Project,
    Quench,
    Sample,
    Sintering,
)
from samples.services import derive_factors, rederive


def made(project: Project, code: str, *parents: tuple[Sample, float | None], **fields: object) -> Sample:
    preparation = Preparation.objects.create(project=project)
    for parent, mass_g in parents:
        Ingredient.objects.create(preparation=preparation, sample=parent, mass_g=mass_g)
    return Sample.objects.create(
        project=project, code=code, preparation=preparation, **{"state": "composite", **fields}
    )


@pytest.fixture
def powder(project: Project, cspbi3: Material) -> Sample:
    return Sample.objects.create(project=project, code="CSPBI3-1", state="powder", material=cspbi3)


@pytest.fixture
def glass(project: Project, zif_glass: Material) -> Sample:
    return Sample.objects.create(project=project, code="GLASS-7", state="glass", material=zif_glass)


def test_a_plan_gives_its_set_points(composite: Sample) -> None:
    factors = composite.factors
    assert factors.loading_mass_fraction == 0.25
    assert factors.milling_duration_min == 60
    assert factors.ball_to_powder_ratio == pytest.approx(80)
    assert factors.sintering_temperature_c == 275
    assert factors.sintering_ramp_c_per_min == 20
    assert factors.quench_medium == "liquid_nitrogen"
    assert factors.halide == "I"


def test_a_quarter_by_mass_is_8_54_mole_percent(composite: Sample) -> None:
    assert composite.factors.loading_mole_fraction == pytest.approx(0.0854, abs=5e-5)


def test_without_the_glass_density_the_volume_fraction_is_unknown(composite: Sample) -> None:
    assert composite.factors.loading_volume_fraction is None


def test_what_was_weighed_beats_what_was_planned(composite: Sample, powder: Sample, glass: Sample) -> None:
    Ingredient.objects.filter(preparation=composite.preparation).delete()
    for parent, mass_g in ((powder, 0.060), (glass, 0.140)):
        Ingredient.objects.create(preparation=composite.preparation, sample=parent, mass_g=mass_g)
    derive_factors([composite])
    composite.factors.refresh_from_db()
    assert composite.factors.loading_mass_fraction == pytest.approx(0.30)
    assert composite.factors.glass_batch == "GLASS-7"


def test_what_the_furnace_did_beats_the_set_point_and_gaps_fall_back_to_it(composite: Sample) -> None:
    plan = composite.preparation.recipe.sintering_steps.get()
    run = Sintering.objects.create(preparation=composite.preparation, order=2, planned=plan)
    FurnaceSegment.objects.create(sintering=run, order=1, target_c=281.5)
    planned_milling = composite.preparation.recipe.milling_steps.get()
    Milling.objects.create(
        preparation=composite.preparation, order=1, planned=planned_milling, duration_min=45
    )
    derive_factors([composite])
    composite.factors.refresh_from_db()
    assert composite.factors.sintering_temperature_c == 281.5
    assert composite.factors.milling_duration_min == 45
    assert composite.factors.milling_speed_rpm == 800  # not recorded as run: the set point


def test_history_reaches_through_the_mixture_but_not_into_the_pure_components(
    project: Project, powder: Sample, glass: Sample
) -> None:
    synthesis = Preparation.objects.create(project=project)
    Milling.objects.create(preparation=synthesis, order=1, duration_min=600)
    Sample.objects.filter(pk=powder.pk).update(preparation=synthesis)
    mixture = made(project, "MIX", (powder, 0.05), (glass, 0.15), state="mixture")
    Milling.objects.create(preparation=mixture.preparation, order=1, duration_min=60)
    sintered = made(project, "SINTERED", (mixture, None))
    step = Sintering.objects.create(preparation=sintered.preparation, order=1)
    FurnaceSegment.objects.create(sintering=step, order=1, target_c=300)
    Quench.objects.create(preparation=sintered.preparation, order=2, medium="air")
    derive_factors([sintered])
    assert sintered.factors.milling_duration_min == 60
    assert sintered.factors.loading_mass_fraction == pytest.approx(0.25)
    assert sintered.factors.sintering_temperature_c == 300
    assert sintered.factors.quench_medium == "air"


def test_unknown_masses_leave_what_the_label_says(project: Project, powder: Sample, glass: Sample) -> None:
    sample = made(project, "OLD", (powder, None), (glass, None), notation="(CsPbI3)0.40(agZIF-62)0.60")
    derive_factors([sample])
    assert sample.factors.loading_mass_fraction == 0.40
    assert sample.factors.milling_duration_min is None


def test_a_changed_parent_changes_every_descendant(project: Project, powder: Sample, glass: Sample) -> None:
    mixture = made(project, "MIX", (powder, 0.05), (glass, 0.15), state="mixture")
    child = made(project, "CHILD", (mixture, None))
    rederive([mixture])
    mixture.preparation.ingredients.filter(sample=powder).update(mass_g=0.15)
    rederive([mixture])
    child = Sample.objects.get(pk=child.pk)
    assert child.factors.loading_mass_fraction == pytest.approx(0.5)


def test_the_number_of_queries_does_not_grow_with_the_ancestry(
    project: Project, powder: Sample, glass: Sample
) -> None:
    def chain(length: int) -> Sample:
        sample = made(project, f"C{length}-0", (powder, 0.05), (glass, 0.15), state="mixture")
        for step in range(1, length):
            sample = made(project, f"C{length}-{step}", (sample, None))
        return sample

    counts = []
    for length in (3, 30):
        last = chain(length)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            derive_factors([last])
        counts.append(len(queries))
        assert last.factors.loading_mass_fraction == pytest.approx(0.25)
    assert counts[0] == counts[1]


def test_lineage_tells_grams_and_says_where_they_are_unknown(
    project: Project, powder: Sample, glass: Sample
) -> None:
    mixture = made(project, "MIX", (powder, 0.05), (glass, 0.15), state="mixture")
    child = made(project, "CHILD", (mixture, None))
    found = lineage(mixture)
    assert {s.code for s in found.ancestors} == {"CSPBI3-1", "GLASS-7"}
    assert found.descendants == [child]
    grams = {(edge.parent.code, edge.child.code): edge.mass_g for edge in found.edges}
    assert grams == {("CSPBI3-1", "MIX"): 0.05, ("GLASS-7", "MIX"): 0.15, ("MIX", "CHILD"): None}

"""A recipe is carried out: planned and performed stand side by side, and nothing impossible is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from samples.models import Ingredient, Material, Preparation, Project, Sample, Sintering, User
from samples.services import performing, stock
from samples.services.performing import Part, Portion

AT = datetime(2026, 5, 4, 10, tzinfo=UTC)
SEGMENT = {"target_c": 281.5, "ramp_c_per_min": 19.0, "hold_min": 2.0}


@pytest.fixture
def preparation(composite: Sample) -> Preparation:
    assert composite.preparation is not None
    return composite.preparation


@pytest.fixture
def bottle(project: Project, cspbi3: Material) -> Sample:
    return Sample.objects.create(
        project=project, code="LOT-1", state="powder", material=cspbi3, amount_g=1, mass_left_g=1
    )


def done(user: User, preparation: Preparation, key: str, said: dict, **more: object) -> object:
    options = {"at": AT, **more}
    return performing.perform(user=user, preparation=preparation, key=key, said=said, **options)  # type: ignore[arg-type]


def everything(user: User, preparation: Preparation) -> None:
    done(user, preparation, "milling-1", {"duration_min": 62.0})
    done(user, preparation, "sintering-2", {"segments": [SEGMENT]})
    done(user, preparation, "quench-3", {"rate_c_per_min": 300.0})


def test_a_sheet_has_every_planned_step_in_order(preparation: Preparation) -> None:
    assert [place.key for place in performing.sheet(preparation)] == ["milling-1", "sintering-2", "quench-3"]
    assert all(place.performed is None for place in performing.sheet(preparation))


def test_a_performed_step_points_at_the_planned_one_and_both_stay(
    alice: User, preparation: Preparation
) -> None:
    row = done(alice, preparation, "milling-1", {"duration_min": 62.0})
    place = performing.place(preparation, "milling-1")
    assert place.performed == row
    assert row.planned == place.planned  # type: ignore[attr-defined]
    assert (place.planned.duration_min, place.performed.duration_min) == (60, 62)
    preparation.refresh_from_db()
    assert preparation.started_at is not None


def test_as_run_values_win_and_what_is_still_to_be_done_keeps_its_set_point(
    alice: User, composite: Sample, preparation: Preparation
) -> None:
    done(alice, preparation, "milling-1", {"duration_min": 62.0})
    factors = Sample.objects.get(pk=composite.pk).factors
    assert factors.milling_duration_min == 62
    assert factors.milling_speed_rpm == 800
    assert factors.sintering_temperature_c == 275  # not fired yet: the plan
    assert factors.ball_to_powder_ratio == pytest.approx(80)
    done(alice, preparation, "sintering-2", {"segments": [SEGMENT]})
    factors = Sample.objects.get(pk=composite.pk).factors
    assert factors.sintering_temperature_c == 281.5
    assert factors.sintering_gas == "Ar"  # not recorded as run
    assert factors.quench_medium == "liquid_nitrogen"


def test_deviations_have_size_sign_and_unit(alice: User, preparation: Preparation) -> None:
    everything(alice, preparation)
    told = [
        (d.label, d.difference, d.unit)
        for place in performing.sheet(preparation)
        for d in performing.deviations(place)
    ]
    assert told == [
        ("Duration", 2.0, "min"),
        ("Segment 1, target", 6.5, "°C"),
        ("Segment 1, ramp", -1.0, "°C/min"),
        ("Segment 1, hold", 2.0, "min"),
    ]


def test_a_mass_within_the_balance_is_no_deviation_to_point_at(
    alice: User, preparation: Preparation, bottle: Sample
) -> None:
    row = preparation.ingredients.earliest("pk")
    Ingredient.objects.filter(pk=row.pk).update(planned_mass_g=0.05)
    row = performing.weigh(user=alice, ingredient=row, mass_g=0.0501, sigma_g=0.0001, sample=bottle)
    row.refresh_from_db()
    (found,) = performing.deviations(row)
    assert found.difference == pytest.approx(0.0001)
    assert not found.significant


def test_a_weigh_out_takes_from_the_lot_and_taking_it_back_returns_it(
    alice: User, preparation: Preparation, bottle: Sample
) -> None:
    row = preparation.ingredients.earliest("pk")
    assert list(performing.candidates(row, alice)) == [bottle]
    performing.weigh(user=alice, ingredient=row, mass_g=0.05, sigma_g=0.0001, sample=bottle)
    bottle.refresh_from_db()
    assert bottle.mass_left_g == pytest.approx(0.95)
    row.refresh_from_db()
    assert (row.sample, row.material) == (bottle, None)
    performing.take_back(user=alice, ingredient=row, reason="wrong boat")
    bottle.refresh_from_db()
    row.refresh_from_db()
    assert bottle.mass_left_g == pytest.approx(1)
    assert row.mass_g is None
    assert row.sample == bottle


def test_an_overdraw_is_refused_and_the_lot_not_chosen(
    alice: User, preparation: Preparation, bottle: Sample
) -> None:
    row = preparation.ingredients.earliest("pk")
    with pytest.raises(stock.OverdrawError):
        performing.weigh(user=alice, ingredient=row, mass_g=1.5, sample=bottle)
    row.refresh_from_db()
    assert row.sample is None


def test_another_material_is_not_weighed_in_its_place(
    alice: User, preparation: Preparation, project: Project, zif_glass: Material
) -> None:
    glass = Sample.objects.create(project=project, code="GLASS-7", state="glass", material=zif_glass)
    with pytest.raises(ValidationError, match="is not CsPbI3"):
        performing.weigh(
            user=alice, ingredient=preparation.ingredients.earliest("pk"), mass_g=0.1, sample=glass
        )


def test_what_is_made_from_a_preparation_cannot_go_into_it(
    alice: User, composite: Sample, preparation: Preparation, cspbi3: Material
) -> None:
    Sample.objects.filter(pk=composite.pk).update(planned=False, material=cspbi3)
    composite.refresh_from_db()
    with pytest.raises(ValidationError, match="made from this preparation"):
        performing.weigh(
            user=alice, ingredient=preparation.ingredients.earliest("pk"), mass_g=0.1, sample=composite
        )


def test_a_correction_needs_a_reason(alice: User, preparation: Preparation) -> None:
    done(alice, preparation, "milling-1", {"duration_min": 62.0})
    with pytest.raises(ValidationError, match="say why"):
        done(alice, preparation, "milling-1", {"duration_min": 26.0})
    done(alice, preparation, "milling-1", {"duration_min": 26.0}, reason="typed the wrong way round")
    assert preparation.milling_steps.get().duration_min == 26


def test_a_record_can_be_taken_back_with_a_reason_only(
    alice: User, composite: Sample, preparation: Preparation
) -> None:
    done(alice, preparation, "sintering-2", {"segments": [SEGMENT]})
    with pytest.raises(ValidationError, match="Say why"):
        performing.undo(user=alice, preparation=preparation, key="sintering-2", reason=" ")
    performing.undo(user=alice, preparation=preparation, key="sintering-2", reason="other furnace")
    assert not Sintering.objects.filter(preparation=preparation).exists()
    assert Sample.objects.get(pk=composite.pk).factors.sintering_temperature_c == 275
    with pytest.raises(ValidationError, match="nothing to take back"):
        performing.undo(user=alice, preparation=preparation, key="sintering-2", reason="again")


@pytest.mark.parametrize(
    ("key", "said", "sentence"),
    [
        ("milling-1", {"duration_min": -5.0}, "cannot be -5"),
        ("milling-1", {"duration_min": float("nan")}, "cannot be nan"),
        ("milling-1", {"duration_min": float("inf")}, "cannot be inf"),
        ("milling-1", {"rpm": "fast"}, "must be a number"),
        ("milling-1", {"temperature_c": 5.0}, "has no “temperature_c”"),
        ("milling-1", {"segments": [SEGMENT]}, "only a sintering"),
        ("sintering-2", {"segments": [{"ramp_c_per_min": 20.0}]}, "target is missing"),
        ("sintering-2", {"segments": [{"target_c": 99999.0}]}, "cannot be 99999"),
        ("sintering-2", {"segments": ["hot"]}, "must be an object"),
        ("quench-3", {"medium": "lava"}, "must be one of"),
        ("milling-9", {}, "no step “milling-9”"),
    ],
)
def test_what_the_laboratory_cannot_have_done_is_refused_and_nothing_is_kept(
    alice: User, preparation: Preparation, key: str, said: dict, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        done(alice, preparation, key, said)
    assert all(place.performed is None for place in performing.sheet(preparation))
    preparation.refresh_from_db()
    assert preparation.started_at is None


def test_a_step_cannot_have_been_done_tomorrow(alice: User, preparation: Preparation) -> None:
    with pytest.raises(ValidationError, match="future"):
        done(alice, preparation, "milling-1", {}, at=timezone.now() + timedelta(days=1))


def test_half_a_programme_is_not_recorded_as_the_whole(alice: User, preparation: Preparation) -> None:
    with pytest.raises(ValidationError, match="every segment, or of none"):
        done(alice, preparation, "sintering-2", {"segments": [{"target_c": 100.0}, {}]})


def test_a_step_that_nobody_planned_stands_behind_the_others(alice: User, preparation: Preparation) -> None:
    everything(alice, preparation)
    performing.add_step(
        user=alice, preparation=preparation, kind="drying", said={"temperature_c": 80.0}, at=None
    )
    last = performing.sheet(preparation)[-1]
    assert (last.key, last.planned, last.performed.performed_at) == ("otherstep-4", None, None)


def test_finishing_makes_the_samples_with_date_and_amount(
    alice: User, composite: Sample, preparation: Preparation
) -> None:
    everything(alice, preparation)
    performing.finish(user=alice, preparation=preparation, at=AT, amounts_g={"VT-GLASS": 0.19})
    sample = Sample.objects.get(pk=composite.pk)
    assert (sample.planned, sample.made_at, sample.amount_g, sample.mass_left_g) == (False, AT, 0.19, 0.19)
    assert sample.factors.quench_rate_c_per_min == 300
    assert sample.factors.quenched_at == AT
    preparation.refresh_from_db()
    assert (preparation.performed_at, preparation.performed_by) == (AT, alice)
    with pytest.raises(ValidationError, match="finished already"):
        performing.finish(user=alice, preparation=preparation, at=AT)


def test_steps_without_a_record_must_have_been_left_out_on_purpose(
    alice: User, composite: Sample, preparation: Preparation
) -> None:
    done(alice, preparation, "milling-1", {"duration_min": 62.0})
    with pytest.raises(ValidationError, match="Not recorded yet: sintering, quench"):
        performing.finish(user=alice, preparation=preparation, at=AT)
    performing.finish(user=alice, preparation=preparation, at=AT, left_out=True)
    factors = Sample.objects.get(pk=composite.pk).factors
    assert factors.sintering_temperature_c is None  # it was never fired


def test_more_cannot_come_out_than_went_in(alice: User, preparation: Preparation, composite: Sample) -> None:
    for row, mass_g in zip(preparation.ingredients.all(), (0.05, 0.15), strict=True):
        performing.weigh(user=alice, ingredient=row, mass_g=mass_g)
    everything(alice, preparation)
    with pytest.raises(ValidationError, match=r"250 mg cannot have come out: 200 mg went in"):
        performing.finish(user=alice, preparation=preparation, at=AT, amounts_g={"VT-GLASS": 0.25})
    performing.finish(user=alice, preparation=preparation, at=AT, amounts_g={"VT-GLASS": 0.12})
    with pytest.raises(ValidationError, match="cannot have come out"):
        performing.split(user=alice, preparation=preparation, portions=[Portion(amount_g=0.1)])
    (sibling,) = performing.split(
        user=alice, preparation=preparation, portions=[Portion(code="VT-GLASS-b", amount_g=0.07)]
    )
    assert sibling.preparation == preparation
    assert (sibling.notation, sibling.mass_left_g) == (composite.notation, 0.07)
    assert sibling.factors.sintering_temperature_c == 281.5


def test_with_unknown_masses_nothing_is_said_about_the_yield(preparation: Preparation) -> None:
    assert performing.yield_limit_g(preparation) is None


def test_pooling_takes_grams_from_every_parent(
    alice: User, project: Project, bottle: Sample, zif_glass: Material
) -> None:
    glass = Sample.objects.create(
        project=project, code="GLASS-7", state="glass", material=zif_glass, amount_g=1, mass_left_g=1
    )
    mixture = performing.pool(
        user=alice,
        project=project,
        parts=[Part(bottle, 0.25, 0.001), Part(glass, 0.75)],
        code="MIX-1",
        at=AT,
        amount_g=0.99,
    )
    bottle.refresh_from_db()
    assert bottle.mass_left_g == pytest.approx(0.75)
    assert mixture.factors.loading_mass_fraction == pytest.approx(0.25)
    assert mixture.made_at == AT
    with pytest.raises(stock.OverdrawError):
        performing.pool(user=alice, project=project, parts=[Part(bottle, 0.9)], code="MIX-2")
    assert not Sample.objects.filter(code="MIX-2").exists()
    with pytest.raises(ValidationError, match="stands twice"):
        performing.pool(user=alice, project=project, parts=[Part(bottle, 0.1), Part(bottle, 0.1)])

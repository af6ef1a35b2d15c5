"""How much is left: nobody takes what is not there, and what is unknown stays unknown."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from samples.models import Ingredient, Location, Material, Preparation, Project, Sample, StockEntry, User
from samples.services import stock
from tests.conftest import person


def bottle(project: Project, code: str = "LOT-1", amount_g: float | None = 20.0, **more: object) -> Sample:
    return Sample.objects.create(
        project=project, code=code, state="powder", amount_g=amount_g, mass_left_g=amount_g, **more
    )


def use(lot: Sample) -> Ingredient:
    """A preparation that is to take from the lot."""
    return Ingredient.objects.create(preparation=Preparation.objects.create(project=lot.project), sample=lot)


def left_g(sample: Sample) -> float | None:
    return Sample.objects.get(pk=sample.pk).mass_left_g


@pytest.fixture
def lot(project: Project) -> Sample:
    return bottle(project)


@pytest.mark.django_db(transaction=True)
def test_of_fifty_weigh_outs_at_once_of_1_g_from_20_g_exactly_twenty_succeed(project: Project) -> None:
    lot = bottle(project)
    ingredients = [use(lot) for _ in range(50)]
    alice = User.objects.get(username="alice")

    def weigh(ingredient: Ingredient) -> bool:
        try:
            stock.weigh_out(ingredient=ingredient, mass_g=1.0, user=alice)
        except stock.OverdrawError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(max_workers=16) as people:
        outcomes = list(people.map(weigh, ingredients))
    assert sum(outcomes) == 20
    assert left_g(lot) == 0
    assert Ingredient.objects.filter(mass_g=1.0).count() == 20
    assert Ingredient.objects.filter(mass_g=None).count() == 30


@pytest.mark.django_db(transaction=True)
def test_what_two_people_dispose_and_weigh_at_once_is_taken_once(project: Project) -> None:
    lot, alice = bottle(project, amount_g=1.0), User.objects.get(username="alice")

    def take(which: int) -> bool:
        try:
            if which % 2:
                stock.lose(lot, 1.0, "spilled", alice)
            else:
                stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice)
        except stock.OverdrawError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(max_workers=8) as people:
        assert sum(people.map(take, range(8))) == 1
    assert left_g(lot) == 0


@pytest.mark.django_db(transaction=True)
def test_the_first_known_amount_waits_for_a_weigh_out_that_is_being_saved(project: Project) -> None:
    lot, alice = bottle(project, amount_g=None), User.objects.get(username="alice")
    ingredient = use(lot)

    def state() -> None:
        try:
            stock.set_amount(Sample.objects.get(pk=lot.pk), 10.0, alice)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as people:
        with transaction.atomic():
            stock.weigh_out(ingredient=ingredient, mass_g=4.0, user=alice)
            stated = people.submit(state)
            wait([stated], timeout=1)
            assert not stated.done(), "it did not wait"
        stated.result(timeout=20)
    assert left_g(lot) == 6


def test_an_overdraw_is_refused_with_what_is_left(lot: Sample, alice: User) -> None:
    ingredient = use(lot)
    with pytest.raises(stock.OverdrawError, match=r"20\.5 g of LOT-1 cannot be taken: 20 g are left"):
        stock.weigh_out(ingredient=ingredient, mass_g=20.5, user=alice)
    ingredient.refresh_from_db()
    assert (left_g(lot), ingredient.mass_g) == (20, None)


def test_a_weigh_out_is_taken_and_remembers_who_and_how_exactly(lot: Sample, alice: User) -> None:
    ingredient = stock.weigh_out(ingredient=use(lot), mass_g=0.05, sigma_g=1e-5, user=alice)
    ingredient.refresh_from_db()
    assert left_g(lot) == 19.95
    assert (ingredient.mass_g, ingredient.mass_sigma_g, ingredient.weighed_by) == (0.05, 1e-5, alice)
    assert ingredient.weighed_at is not None


def test_dust_does_not_refuse_the_last_gram(project: Project, alice: User) -> None:
    lot = bottle(project, amount_g=20.0)
    for _ in range(200):  # 20 − 200 × 0.1 in binary fractions leaves −1.1e-13
        stock.lose(lot, 0.1, "one of two hundred", alice)
    assert left_g(lot) == 0


def test_a_milligram_more_than_there_is_is_no_dust(project: Project, alice: User) -> None:
    with pytest.raises(stock.OverdrawError):
        stock.lose(bottle(project, amount_g=1.0), 1.000001, "too much", alice)


def test_correcting_a_weigh_out_returns_the_old_grams_first(lot: Sample, alice: User) -> None:
    ingredient = stock.weigh_out(ingredient=use(lot), mass_g=15.0, user=alice)
    stock.weigh_out(ingredient=ingredient, mass_g=18.0, user=alice, reason="read the wrong line")
    assert left_g(lot) == 2
    stock.weigh_out(ingredient=ingredient, mass_g=1.0, user=alice, reason="and again")
    assert left_g(lot) == 19
    with pytest.raises(stock.OverdrawError):
        stock.weigh_out(ingredient=ingredient, mass_g=20.1, user=alice, reason="no")
    assert left_g(lot) == 19


def test_a_correction_needs_a_reason(lot: Sample, alice: User) -> None:
    ingredient = stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice)
    with pytest.raises(ValidationError, match="Say why"):
        stock.weigh_out(ingredient=ingredient, mass_g=2.0, user=alice, reason=" ")
    assert left_g(lot) == 19


def test_an_unknown_amount_stays_unknown(project: Project, alice: User) -> None:
    lot = bottle(project, amount_g=None)
    stock.weigh_out(ingredient=use(lot), mass_g=5.0, user=alice)
    entry = stock.lose(lot, 0.5, "spilled", alice)
    assert (left_g(lot), entry.left_g) == (None, None)


def test_the_first_known_amount_counts_what_is_gone_already(project: Project, alice: User) -> None:
    lot = bottle(project, amount_g=None)
    stock.weigh_out(ingredient=use(lot), mass_g=5.0, user=alice)
    with pytest.raises(stock.OverdrawError, match="gone already"):
        stock.set_amount(lot, 4.0, alice)
    stock.set_amount(lot, 8.0, alice)
    lot.refresh_from_db()
    assert (lot.amount_g, lot.mass_left_g) == (8, 3)
    with pytest.raises(ValidationError, match="recount"):
        stock.set_amount(lot, 9.0, alice)


def test_a_recount_needs_a_reason_and_replaces_what_was_believed(lot: Sample, alice: User) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        stock.recount(lot, 19.0, "  ", alice)
    entry = stock.recount(lot, 19.0, "moisture", alice, sigma_g=0.01)
    assert left_g(lot) == 19
    assert (entry.kind, entry.mass_g, entry.left_g, entry.by) == ("recount", 19, 19, alice)


def test_correcting_what_a_recount_has_seen_leaves_the_count_alone(lot: Sample, alice: User) -> None:
    ingredient = stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice)
    stock.recount(lot, 18.5, "yearly count", alice)
    stock.weigh_out(ingredient=ingredient, mass_g=1.5, at=ingredient.weighed_at, user=alice, reason="typo")
    assert left_g(lot) == 18.5


@pytest.mark.parametrize("disposed_g", [None, 19.0])
def test_an_emptied_bottle_stays_empty_whatever_is_corrected_later(
    lot: Sample, alice: User, disposed_g: float | None
) -> None:
    ingredient = stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice)
    before, late = timezone.now(), use(lot)
    stock.dispose(lot, disposed_g, "expired", alice)
    stock.weigh_out(ingredient=late, mass_g=2.0, user=alice, at=before)
    assert left_g(lot) == 0
    stock.take_back(ingredient=ingredient, user=alice, reason="another bottle")
    assert left_g(lot) == 0


def test_disposing_of_a_part_is_no_recount(lot: Sample, alice: User) -> None:
    ingredient = stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice)
    stock.dispose(lot, 9.0, "half of it was wet", alice)
    stock.take_back(ingredient=ingredient, user=alice, reason="another bottle")
    assert left_g(lot) == 11


def test_disposing_of_an_unknown_rest_leaves_nothing(project: Project, alice: User) -> None:
    lot = bottle(project, amount_g=None)
    entry = stock.dispose(lot, None, "expired", alice, waste_stream="Pb solid waste")
    assert (entry.mass_g, entry.left_g, left_g(lot)) == (None, 0, 0)
    with pytest.raises(stock.OverdrawError):
        stock.dispose(lot, None, "twice", alice)


@pytest.mark.parametrize("mass_g", [0.0, -1.0, math.nan, math.inf, 1e300, 1e-10])
def test_what_no_balance_shows_is_refused_with_a_sentence(lot: Sample, alice: User, mass_g: float) -> None:
    for act in (
        lambda: stock.weigh_out(ingredient=use(lot), mass_g=mass_g, user=alice),
        lambda: stock.lose(lot, mass_g, "why", alice),
        lambda: stock.dispose(lot, mass_g, "why", alice),
    ):
        with pytest.raises(ValidationError, match="mass must be"):
            act()
    assert left_g(lot) == 20
    assert not StockEntry.objects.exists()


def test_a_weigh_out_of_tomorrow_is_refused(lot: Sample, alice: User) -> None:
    with pytest.raises(ValidationError, match="future"):
        stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice, at=timezone.now() + timedelta(days=1))


def test_nothing_is_weighed_from_a_void_sample(project: Project, alice: User) -> None:
    lot = bottle(project, voided_at=timezone.now(), void_reason="wrong label")
    with pytest.raises(ValidationError, match="void"):
        stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice)


def test_nothing_is_weighed_from_a_sample_that_is_only_planned(project: Project, alice: User) -> None:
    lot = bottle(project, amount_g=None, planned=True)
    with pytest.raises(ValidationError, match="LOT-1 is not made yet"):
        stock.weigh_out(ingredient=use(lot), mass_g=1.0, user=alice)
    assert not Ingredient.objects.filter(mass_g__isnull=False).exists()


def test_the_factors_follow_a_corrected_weigh_out(
    project: Project, alice: User, cspbi3: Material, zif_glass: Material
) -> None:
    preparation = Preparation.objects.create(project=project)
    parts = [
        Ingredient.objects.create(preparation=preparation, sample=bottle(project, code, material=material))
        for code, material in (("LOT-P", cspbi3), ("LOT-G", zif_glass))
    ]
    child = Sample.objects.create(project=project, code="MIX", state="mixture", preparation=preparation)
    stock.weigh_out(ingredient=parts[0], mass_g=0.05, user=alice)
    stock.weigh_out(ingredient=parts[1], mass_g=0.15, user=alice)
    child.refresh_from_db()
    assert child.factors.loading_mass_fraction == pytest.approx(0.25, abs=1e-12)
    stock.weigh_out(ingredient=parts[0], mass_g=0.15, user=alice, reason="digits swapped")
    child.factors.refresh_from_db()
    assert child.factors.loading_mass_fraction == pytest.approx(0.5, abs=1e-12)


# Places


def slot(project: Project, name: str = "A1") -> Location:
    room, _ = Location.objects.get_or_create(project=project, kind="room", name="Lab", path="Lab")
    return Location.objects.create(project=project, kind="slot", parent=room, name=name, path=f"Lab / {name}")


def test_a_slot_holds_one_thing(project: Project, alice: User) -> None:
    place = slot(project)
    stock.put(bottle(project, "LOT-1"), place, alice)
    second = bottle(project, "LOT-2")
    with pytest.raises(ValidationError, match="holds LOT-1 already"):
        stock.put(second, place, alice)
    second.refresh_from_db()
    assert second.place is None
    stock.put(second, slot(project, "A2"), alice)
    assert Sample.objects.get(code="LOT-2").location == "Lab / A2"


def test_a_room_holds_many_things(project: Project, alice: User) -> None:
    room = Location.objects.create(project=project, kind="room", name="Lab", path="Lab")
    for number in range(3):
        stock.put(bottle(project, f"LOT-{number}"), room, alice)
    assert room.samples.count() == 3


def test_nothing_is_put_into_another_projects_room(lot: Sample, alice: User) -> None:
    stranger = person("dora")
    other = Project.objects.create(name="Other", slug="other")
    room = Location.objects.create(project=other, kind="room", name="Lab", path="Lab")
    with pytest.raises(ValidationError, match="another project"):
        stock.put(lot, room, stranger)


# No circles


def made_from(parent: Sample, code: str) -> Sample:
    ingredient = use(parent)
    return Sample.objects.create(
        project=parent.project, code=code, state="mixture", preparation=ingredient.preparation
    )


def test_the_database_refuses_an_ingredient_that_closes_a_circle(lot: Sample) -> None:
    child = made_from(lot, "CHILD")
    grandchild = made_from(child, "GRANDCHILD")
    for sample in (child, grandchild):
        with pytest.raises(IntegrityError, match="made from itself"), transaction.atomic():
            Ingredient.objects.create(preparation=child.preparation, sample=sample)


def test_the_database_refuses_an_origin_that_closes_a_circle(lot: Sample) -> None:
    grandchild = made_from(made_from(lot, "CHILD"), "GRANDCHILD")
    lot.preparation = grandchild.preparation
    with pytest.raises(IntegrityError, match="made from itself"), transaction.atomic():
        lot.save()


def test_a_diamond_is_no_circle(lot: Sample) -> None:
    left, right = made_from(lot, "LEFT"), made_from(lot, "RIGHT")
    joined = made_from(left, "JOINED")
    Ingredient.objects.create(preparation=joined.preparation, sample=right)
    assert joined.preparation is not None
    assert joined.preparation.ingredients.count() == 2

"""Weigh-outs of a run sheet: from which sample, and how much."""

from __future__ import annotations

from datetime import datetime

import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from samples.ancestry import descendants
from samples.models import Ingredient, Preparation, Sample, User
from samples.querysets import SampleQuerySet
from samples.services import stock
from samples.services.deriving import rederive
from samples.services.performing.steps import begin, check_moment, lock


def candidates(ingredient: Ingredient, user: User) -> SampleQuerySet:
    """Samples that the ingredient may come from: of its material, made, not void, not empty."""
    material_id = ingredient.material_id or (ingredient.sample.material_id if ingredient.sample else None)
    rows = Sample.objects.open_to(user).filter(
        project=ingredient.preparation.project_id, planned=False, voided_at=None
    )
    own = rows.filter(pk=ingredient.sample_id)
    if material_id is None:
        return own
    return rows.filter(material=material_id).exclude(mass_left_g=0) | own


def hidden_sources(preparation: Preparation, user: User) -> set[int]:
    """Keys of the samples that go in and that the user may not see: of another project, or under an embargo.
    A sheet tells neither what they are nor how much of them was weighed."""
    sources = {row.sample_id for row in preparation.ingredients.all() if row.sample_id is not None}
    return sources - set(Sample.objects.visible_to(user).filter(pk__in=sources).values_list("pk", flat=True))


@transaction.atomic
def weigh(
    *,
    user: User,
    ingredient: Ingredient,
    mass_g: float,
    sigma_g: float | None = None,
    sample: Sample | None = None,
    at: datetime | None = None,
    reason: str = "",
) -> Ingredient:
    """Record a weigh-out, from `sample` where one is named. To take from another sample than the first time,
    take the first weigh-out back.

    Raises ValidationError, its OverdrawError when the sample has less, or PermissionDenied when the user may
    not take from it; then nothing is saved.
    """
    held = lock(ingredient.preparation)
    row = Ingredient.objects.select_related("sample", "material").get(pk=ingredient.pk)
    _must_be_open(row, user)
    if sample is not None and sample.pk != row.sample_id:
        _choose(row, sample, held)
        _must_be_open(row, user)
    begin(held)
    return stock.weigh_out(
        ingredient=row, mass_g=mass_g, sigma_g=sigma_g, user=user, at=check_moment(at), reason=reason
    )


@transaction.atomic
def take_back(*, user: User, ingredient: Ingredient, reason: str) -> Ingredient:
    """Undo a weigh-out: its grams return, and its mass is unknown again.

    Raises ValidationError, or PermissionDenied when the user may not take from the sample either.
    """
    lock(ingredient.preparation)
    _must_be_open(ingredient, user)
    return stock.take_back(ingredient=ingredient, user=user, reason=reason)


def _must_be_open(row: Ingredient, user: User) -> None:
    """A preparation may use what its own readers may not see: another project's, or under an embargo."""
    if row.sample_id is not None and not Sample.objects.open_to(user).filter(pk=row.sample_id).exists():
        raise PermissionDenied("You may not weigh from this sample or give back to it; ask its project.")


def _choose(row: Ingredient, sample: Sample, preparation: Preparation) -> None:
    if row.mass_g is not None:
        raise ValidationError(
            f"{stock.grams(row.mass_g)} were weighed already from "
            f"{row.sample.code if row.sample else 'an unknown lot'}. Take that weigh-out back first."
        )
    if sample.project_id != preparation.project_id:
        raise ValidationError(f"{sample.code} belongs to another project; weigh from a sample of this one.")
    if sample.planned:
        raise ValidationError(f"{sample.code} is not made yet, so nothing can be weighed from it.")
    wanted = row.material or (row.sample.material if row.sample else None)
    if wanted is not None and sample.material_id != wanted.pk:
        raise ValidationError(f"{sample.code} is not {wanted}; choose a lot of {wanted}.")
    if sample.pk in {made.pk for made in descendants(preparation.samples.all())}:
        raise ValidationError(f"{sample.code} is made from this preparation, so it cannot go into it.")
    row.sample, row.material = sample, None
    row.full_clean()
    with pghistory.context(lot=sample.code):
        row.save(update_fields=["sample", "material"])
    rederive(preparation.samples.all())

"""Several samples from one preparation, and one from several parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from samples.models import Ingredient, Preparation, Project, Sample, User
from samples.models.steps import OtherStep
from samples.services import stock
from samples.services.codes import new_code
from samples.services.deriving import rederive
from samples.services.performing.finishing import check_yield
from samples.services.performing.steps import check_moment, lock
from samples.services.recipe_steps import save_checked

MOST_PORTIONS = 100
MOST_PARTS = 50


@dataclass(frozen=True)
class Portion:
    """One of several samples from a preparation; `amount_g` None: not weighed."""

    code: str = ""
    amount_g: float | None = None
    name: str = ""


@dataclass(frozen=True)
class Part:
    """How much of a sample goes into a mixture; None: not weighed."""

    sample: Sample
    mass_g: float | None
    sigma_g: float | None = None


@transaction.atomic
def split(*, user: User, preparation: Preparation, portions: Sequence[Portion]) -> list[Sample]:
    """More samples from one preparation, like the first of them. Together they cannot weigh more than what
    went in, where that is known."""
    held = lock(preparation)
    if not 0 < len(portions) <= MOST_PORTIONS:
        raise ValidationError(f"Give between one and {MOST_PORTIONS} portions.")
    siblings = list(held.samples.filter(voided_at=None).order_by("pk"))
    if not siblings:
        raise ValidationError("This preparation has no sample to take a portion of.")
    first = siblings[0]
    for portion in portions:
        if portion.amount_g is not None:
            stock.check_mass(portion.amount_g)
    if first.planned and any(portion.amount_g is not None for portion in portions):
        raise ValidationError("The samples are not made yet. Amounts come when the preparation is finished.")
    check_yield(held, sum(portion.amount_g or 0.0 for portion in portions), siblings)
    made = []
    for portion in portions:
        sample = Sample(
            project=held.project,
            code=portion.code.strip() or new_code(),
            name=portion.name.strip(),
            notation=first.notation,
            state=first.state,
            material=first.material,
            preparation=held,
            planned=first.planned,
            made_at=first.made_at,
            embargoed_until=first.embargoed_until,
            created_by=user,
        )
        save_checked(sample, sample.code)
        if portion.amount_g is not None:
            stock.set_amount(sample, portion.amount_g, user)
        made.append(sample)
    rederive(made)
    return made


@transaction.atomic
def pool(
    *,
    user: User,
    project: Project,
    parts: Sequence[Part],
    code: str = "",
    name: str = "",
    state: str = "mixture",
    at: datetime | None = None,
    amount_g: float | None = None,
    notes: str = "",
) -> Sample:
    """One sample from several: their grams are taken, and the mixing is its history."""
    if not 0 < len(parts) <= MOST_PARTS:
        raise ValidationError(f"Name between one and {MOST_PARTS} samples to mix.")
    if len({part.sample.pk for part in parts}) < len(parts):
        raise ValidationError("A sample stands twice among the parts; add its grams together.")
    moment = check_moment(at)
    preparation = Preparation.objects.create(
        project=project, performed_at=moment, performed_by=user, notes=notes.strip()
    )
    for part in sorted(
        parts, key=lambda part: part.sample.pk
    ):  # one order for all: no two wait for each other
        _take(part, preparation, user, moment)
    OtherStep.objects.create(
        preparation=preparation, order=1, kind=OtherStep.Kind.MIXING, performed_at=moment
    )
    materials = {part.sample.material_id for part in parts}
    sample = Sample(
        project=project,
        code=code.strip() or new_code(),
        name=name.strip(),
        notation=_common({part.sample.notation for part in parts}),
        state=state,
        material=parts[0].sample.material if len(materials) == 1 else None,
        preparation=preparation,
        made_at=moment,
        embargoed_until=max((day for part in parts if (day := part.sample.embargoed_until)), default=None),
        created_by=user,
    )
    save_checked(sample, sample.code)
    if amount_g is not None:
        stock.check_mass(amount_g)
        check_yield(preparation, amount_g, [])
        stock.set_amount(sample, amount_g, user)
    rederive([sample])
    return sample


def _take(part: Part, preparation: Preparation, user: User, at: datetime | None) -> None:
    if part.sample.project_id != preparation.project_id:
        raise ValidationError(f"{part.sample.code} belongs to another project; mix samples of one project.")
    if part.sample.planned:
        raise ValidationError(f"{part.sample.code} is not made yet, so it cannot be mixed.")
    if part.sample.voided_at is not None:
        raise ValidationError(f"{part.sample.code} is void; mix another sample.")
    row = Ingredient.objects.create(preparation=preparation, sample=part.sample)
    if part.mass_g is not None:
        stock.weigh_out(ingredient=row, mass_g=part.mass_g, sigma_g=part.sigma_g, user=user, at=at)


def _common(notations: set[str]) -> str:
    """What all are called, or nothing."""
    return notations.pop() if len(notations) == 1 else ""

"""The end of a run sheet: its samples are made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from samples.models import Preparation, Sample, User
from samples.services import stock
from samples.services.deriving import rederive
from samples.services.performing.sheet import sheet
from samples.services.performing.steps import check_moment, lock

GAIN = 0.005  # of what went in: moisture, and balances that disagree


@transaction.atomic
def finish(
    *,
    user: User,
    preparation: Preparation,
    at: datetime | None,
    amounts_g: Mapping[str, float | None] | None = None,
    left_out: bool = False,
) -> list[Sample]:
    """The preparation is done and its samples are made.

    at : when; None: not recorded
    amounts_g : how much of each sample there is, by code; left out or None: not weighed
    left_out : whether steps without a record were left out on purpose
    """
    held = lock(preparation)
    if held.performed_at is not None:
        raise ValidationError("This preparation is finished already.")
    missing = [line for line in sheet(held) if line.performed is None]
    if missing and not left_out:
        names = ", ".join(line.kind.word.lower() for line in missing)
        raise ValidationError(
            f"Not recorded yet: {names}. Record what was done, or confirm that it was left out."
        )
    samples = list(held.samples.filter(voided_at=None).select_for_update(of=("self",)))
    if not any(sample.planned for sample in samples):
        raise ValidationError("Every sample of this preparation is made already.")
    amounts = _amounts(samples, amounts_g or {})
    check_yield(held, sum(amounts.values()), samples)
    moment = check_moment(at)
    for sample in samples:
        if sample.planned:
            sample.planned, sample.made_at = False, moment
            sample.save(update_fields=["planned", "made_at"])
        if sample.code in amounts:
            stock.set_amount(sample, amounts[sample.code], user)
    held.performed_at, held.performed_by = moment, user
    held.save(update_fields=["performed_at", "performed_by"])
    rederive(samples)
    return samples


def yield_limit_g(preparation: Preparation) -> float | None:
    """The most that can have come out: what went in, its uncertainty (3 sigma) and half a percent.

    None while any mass that went in is unknown.
    """
    rows = list(preparation.ingredients.all())
    if not rows or any(row.mass_g is None for row in rows):
        return None
    total = sum(row.mass_g or 0.0 for row in rows)
    spread = sum((row.mass_sigma_g or 0.0) ** 2 for row in rows) ** 0.5
    return total * (1 + GAIN) + 3 * spread


def check_yield(preparation: Preparation, new_g: float, samples: list[Sample]) -> None:
    limit_g = yield_limit_g(preparation)
    known_g = sum(sample.amount_g or 0.0 for sample in samples)
    if limit_g is not None and new_g + known_g > limit_g:
        raise ValidationError(
            f"{stock.grams(new_g + known_g)} cannot have come out: {stock.grams(limit_g / (1 + GAIN))} went "
            "in. Check the amounts and the weigh-outs."
        )


def _amounts(samples: list[Sample], said: Mapping[str, float | None]) -> dict[str, float]:
    codes = {sample.code for sample in samples}
    unknown = [code for code in said if code not in codes]
    if unknown:
        raise ValidationError(f"“{unknown[0][:40]}” is no sample of this preparation.")
    known = {code: mass_g for code, mass_g in said.items() if mass_g is not None}
    for mass_g in known.values():
        stock.check_mass(mass_g)
    return known

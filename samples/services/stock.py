"""How much of a sample is left: weigh-outs, recounts, losses, disposals, and the place it stands in.

`Sample.mass_left_g` is changed by one conditional UPDATE, so that two people cannot take the same gram. It
is kept in whole nanograms: the UPDATE rounds, so that the dust of binary fractions (0.3 − 0.1) neither grows
nor refuses the last gram. An unknown amount stays unknown whatever is taken from it.

A recount is the truth from its moment on: weigh-outs from before it are in what it found, so entering or
correcting one of them later leaves the amount alone. So is a disposal of all that was left.

The sample's row is locked before its amount or its ledger is read: an unknown amount is not updated, and
without the lock its first known amount would not wait for the weigh-outs that are being saved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import isfinite

import pghistory
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import DecimalField, F, Q, Sum
from django.db.models.functions import Cast, Greatest
from django.utils import timezone

from samples.models import Ingredient, Location, Sample, StockEntry, User
from samples.models.limits import LARGEST
from samples.services.deriving import rederive

NANOGRAM_G = 1e-9
DUST_G = NANOGRAM_G / 2
COUNTED = Q(kind=StockEntry.Kind.RECOUNT) | Q(kind=StockEntry.Kind.DISPOSAL, left_g=0)
IN_NANOGRAMS = DecimalField(max_digits=120, decimal_places=9)


class OverdrawError(ValidationError):
    """More was to be taken than there is; nothing was taken."""


@transaction.atomic
def weigh_out(
    *,
    ingredient: Ingredient,
    mass_g: float,
    sigma_g: float | None = None,
    user: User,
    at: datetime | None = None,
    reason: str = "",
) -> Ingredient:
    """Record how much of an ingredient was really weighed, and take it from the sample it came from.

    A second weigh-out of the same ingredient corrects the first: its grams go back before the new ones are
    taken, and `reason` says why. Raises OverdrawError when the parent's known amount does not suffice.
    """
    check_mass(mass_g)
    check_sigma(sigma_g)
    at = _not_in_the_future(at)
    row = Ingredient.objects.select_for_update(of=("self",)).select_related("sample").get(pk=ingredient.pk)
    before_g = row.mass_g
    if before_g is not None and (before_g, row.mass_sigma_g) != (mass_g, sigma_g):
        reason = _needs(reason, "Say why the weigh-out is corrected.")
    if row.sample is not None:
        source = _locked(row.sample)
        if source.voided_at is not None:
            raise ValidationError(f"{source.code} is void; weigh from another sample.")
        if source.planned:
            raise ValidationError(
                f"{source.code} is not made yet, so nothing can be weighed from it; finish it first."
            )
        returned_g = 0.0 if before_g is None or _counted_since(source, row.weighed_at) else before_g
        taken_g = 0.0 if _counted_since(source, at) else mass_g
        _take(source, taken_g - returned_g, wanted_g=mass_g)
    row.mass_g, row.mass_sigma_g, row.weighed_at, row.weighed_by = mass_g, sigma_g, at, user
    with pghistory.context(**({"reason": reason} if reason else {})):
        row.save(update_fields=["mass_g", "mass_sigma_g", "weighed_at", "weighed_by"])
    rederive(Sample.objects.filter(preparation=row.preparation_id))
    for name in ("mass_g", "mass_sigma_g", "weighed_at", "weighed_by"):
        setattr(ingredient, name, getattr(row, name))
    return ingredient


@transaction.atomic
def take_back(*, ingredient: Ingredient, user: User, reason: str) -> Ingredient:
    """Undo a weigh-out: its grams return to where they came from, and its mass is not recorded again."""
    reason = _needs(reason, "Say why the weigh-out is taken back.")
    row = Ingredient.objects.select_for_update(of=("self",)).select_related("sample").get(pk=ingredient.pk)
    if row.mass_g is None:
        raise ValidationError("Nothing was weighed out yet, so there is nothing to take back.")
    if row.sample is not None:
        _locked(row.sample)
        if not _counted_since(row.sample, row.weighed_at):
            _take(row.sample, -row.mass_g, wanted_g=0.0)
    row.mass_g = row.mass_sigma_g = row.weighed_at = row.weighed_by = None
    with pghistory.context(reason=reason):
        row.save(update_fields=["mass_g", "mass_sigma_g", "weighed_at", "weighed_by"])
    rederive(Sample.objects.filter(preparation=row.preparation_id))
    return row


@transaction.atomic
def set_amount(sample: Sample, mass_g: float, user: User) -> Sample:
    """The first known amount of a sample, as made or bought; what was weighed out already is taken off.

    An amount that is known already is not overwritten: a `recount` follows it, with a reason.
    """
    check_mass(mass_g)
    row = _locked(sample)
    if row.amount_g is not None or row.mass_left_g is not None:
        raise ValidationError(
            f"The amount of {row.code} is recorded already; recount it if it holds something else."
        )
    left_g = round(mass_g - _gone_g(row), 9)
    if left_g < -DUST_G:
        raise OverdrawError(
            f"{grams(mass_g - left_g)} of {row.code} are gone already, more than {grams(mass_g)}; "
            "correct the weigh-outs first."
        )
    _write(sample, amount_g=mass_g, mass_left_g=max(left_g, 0.0))
    return sample


@transaction.atomic
def recount(
    sample: Sample, mass_g: float, reason: str, user: User, *, sigma_g: float | None = None
) -> StockEntry:
    """What was found when somebody weighed the rest: it replaces what the ledger believed."""
    check_mass(mass_g, least_g=0.0)
    check_sigma(sigma_g)
    reason = _needs(reason, "Say why it was recounted.")
    _locked(sample)
    mass_g = round(mass_g, 9)
    _write(sample, mass_left_g=mass_g)
    return _entry(sample, "recount", mass_g, mass_g, reason, user, sigma_g=sigma_g)


@transaction.atomic
def lose(
    sample: Sample, mass_g: float, reason: str, user: User, *, sigma_g: float | None = None
) -> StockEntry:
    """Spilled, stuck to the jar, gone with the wind."""
    check_mass(mass_g)
    check_sigma(sigma_g)
    reason = _needs(reason, "Say how it was lost.")
    left_g = _take(sample, mass_g, wanted_g=mass_g)
    return _entry(sample, "loss", mass_g, left_g, reason, user, sigma_g=sigma_g)


@transaction.atomic
def dispose(
    sample: Sample,
    mass_g: float | None,
    reason: str,
    user: User,
    *,
    waste_stream: str = "",
    sigma_g: float | None = None,
) -> StockEntry:
    """Thrown away on purpose, into a waste stream. No mass means all that is left, known or not."""
    check_sigma(sigma_g)
    reason = _needs(reason, "Say why it was disposed of.")
    left_g: float | None = 0.0
    if mass_g is None:
        row = _locked(sample)
        if row.mass_left_g == 0:
            raise OverdrawError(f"Nothing is left of {row.code}.")
        mass_g = row.mass_left_g
        _write(sample, mass_left_g=0.0)
    else:
        check_mass(mass_g)
        left_g = _take(sample, mass_g, wanted_g=mass_g)
    return _entry(
        sample,
        "disposal",
        mass_g,
        left_g,
        reason,
        user,
        sigma_g=sigma_g,
        waste_stream=waste_stream.strip(),
    )


def enter(
    sample: Sample,
    kind: str,
    mass_g: float | None,
    reason: str,
    user: User,
    *,
    sigma_g: float | None = None,
    waste_stream: str = "",
) -> StockEntry:
    """One of the three by its name, for forms and scripts."""
    if kind == "disposal":
        return dispose(sample, mass_g, reason, user, waste_stream=waste_stream, sigma_g=sigma_g)
    if mass_g is None:
        raise ValidationError("Give the mass in grams.")
    act = recount if kind == "recount" else lose
    return act(sample, mass_g, reason, user, sigma_g=sigma_g)


def put(sample: Sample, place: Location | None, user: User) -> Sample:
    """Put a sample in a place, or nowhere. A slot holds one thing: the database refuses a second."""
    if place is not None and place.project_id != sample.project_id:
        raise ValidationError("That place belongs to another project; choose one of this project.")
    try:
        with transaction.atomic():
            _write(sample, place_id=place.pk if place else None)
    except IntegrityError as error:
        if "sample_one_thing_a_slot" not in str(error):
            raise
        holder = Sample.objects.visible_to(user).filter(place=place).first()
        occupant = holder.code if holder else "another sample"
        raise ValidationError(f"{place} holds {occupant} already; a slot holds one thing.") from None
    return sample


def check_mass(mass_g: float, least_g: float = NANOGRAM_G) -> None:
    if not isfinite(mass_g) or mass_g > LARGEST:
        raise ValidationError("The mass must be a number in grams.")
    if mass_g < least_g:
        raise ValidationError(
            "The mass must be above zero; leave it empty when it is not known."
            if least_g
            else "The mass must be zero or more."
        )


def check_sigma(sigma_g: float | None) -> None:
    if sigma_g is not None and not (isfinite(sigma_g) and 0 <= sigma_g <= LARGEST):
        raise ValidationError("The uncertainty of the mass must be zero or more, in grams; one sigma.")


def grams(mass_g: float) -> str:
    """`19 g`, `45.2 mg`: a mass in a sentence."""
    if 0 < abs(mass_g) < 1:
        return f"{mass_g * 1000:.6g} mg"
    return f"{mass_g:.9g} g"


def _take(sample: Sample, mass_g: float, *, wanted_g: float) -> float | None:
    """Take (or give back, when negative) in one conditional UPDATE; what is left, None when unknown."""
    _locked(sample)
    if mass_g:
        enough = Q(mass_left_g__isnull=True) | Q(mass_left_g__gte=mass_g - DUST_G)
        rest = Greatest(Cast(F("mass_left_g") - mass_g, IN_NANOGRAMS), Cast(0, IN_NANOGRAMS))
        # GREATEST ignores NULL, and an unknown amount must stay unknown.
        known = Sample.objects.filter(enough, pk=sample.pk, mass_left_g__isnull=False)
        if not known.update(mass_left_g=rest):
            _refuse_unless_unknown(sample, wanted_g)
    sample.mass_left_g = Sample.objects.values_list("mass_left_g", flat=True).get(pk=sample.pk)
    return sample.mass_left_g


def _refuse_unless_unknown(sample: Sample, wanted_g: float) -> None:
    left_g = Sample.objects.values_list("mass_left_g", flat=True).get(pk=sample.pk)
    if left_g is not None:
        raise OverdrawError(
            f"{grams(wanted_g)} of {sample.code} cannot be taken: {grams(left_g)} are left. "
            "Recount it if there is more."
        )


def _counted_since(sample: Sample, moment: datetime | None) -> bool:
    """Whether a recount, or a disposal of all, already saw what was done at that moment."""
    return moment is not None and StockEntry.objects.filter(COUNTED, sample=sample, at__gt=moment).exists()


def _gone_g(sample: Sample) -> float:
    weighed = Ingredient.objects.filter(sample=sample).aggregate(total=Sum("mass_g"))["total"]
    entered = StockEntry.objects.filter(sample=sample).aggregate(total=Sum("mass_g"))["total"]
    return (weighed or 0.0) + (entered or 0.0)


def _locked(sample: Sample) -> Sample:
    """Locked as an UPDATE locks it; others may plan to take from it meanwhile."""
    return Sample.objects.select_for_update(of=("self",), no_key=True).get(pk=sample.pk)


def _write(sample: Sample, **columns: float | int | None) -> None:
    Sample.objects.filter(pk=sample.pk).update(**columns)
    for name, content in columns.items():
        setattr(sample, name, content)


def _entry(
    sample: Sample,
    kind: str,
    mass_g: float | None,
    left_g: float | None,
    reason: str,
    user: User,
    *,
    sigma_g: float | None = None,
    waste_stream: str = "",
) -> StockEntry:
    entry = StockEntry(
        sample=sample,
        kind=kind,
        mass_g=mass_g,
        mass_sigma_g=sigma_g,
        left_g=left_g,
        reason=reason,
        waste_stream=waste_stream,
        at=timezone.now(),
        by=user,
    )
    entry.full_clean(exclude=["sample", "by"])
    entry.save()
    return entry


def _needs(reason: str, sentence: str) -> str:
    if not reason.strip():
        raise ValidationError(sentence)
    return reason.strip()


def _not_in_the_future(at: datetime | None) -> datetime:
    now = timezone.now()
    if at is not None and at > now + timedelta(minutes=5):
        raise ValidationError("The time of a weigh-out cannot lie in the future.")
    return at or now

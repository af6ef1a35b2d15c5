"""Codes that no other sample has, and samples by their codes (see `samples.identity` for the letters)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models.functions import Upper

from samples.identity import LETTERS, PREFIX, complete, misread, neighbours
from samples.models import Sample, User
from samples.querysets import SampleQuerySet

ATTEMPTS = 8
MOST_NEIGHBOURS_SOUGHT = 20  # codes of one list for which the nearest existing one is looked up

__all__ = [
    "LETTERS",
    "Found",
    "find",
    "nearest",
    "new_code",
    "new_codes",
    "one",
    "save_with_code",
    "took_a_code",
]


def new_code(prefix: str = PREFIX) -> str:
    return new_codes(1, prefix)[0]


def new_codes(count: int, prefix: str = PREFIX) -> list[str]:
    """Codes that no sample has at this moment (`save_with_code` also wins simultaneous saves)."""
    fresh: set[str] = set()
    while len(fresh) < count:
        drawn = {complete(secrets.choice, prefix) for _ in range(count - len(fresh))}
        taken = Sample.objects.filter(code__in=drawn).values_list("code", flat=True)
        fresh |= drawn - set(taken)
    return sorted(fresh, key=lambda _: secrets.randbits(64))


def save_with_code(sample: Sample) -> Sample:
    """Checks and saves. Without a code it gets a new one, drawn again where somebody took it meanwhile."""
    if sample.code:
        sample.full_clean()
        sample.save()
        return sample
    for attempt in range(ATTEMPTS):
        sample.code = new_code()
        sample.full_clean(validate_unique=False)
        try:
            with transaction.atomic():
                sample.save(force_insert=True)
        except IntegrityError as error:
            if attempt + 1 == ATTEMPTS or not took_a_code(error):
                raise
        else:
            break
    return sample


def took_a_code(error: IntegrityError) -> bool:
    """Whether somebody saved a sample under the same code in the same moment."""
    return "samples_sample_code" in str(error)


@dataclass
class Found:
    """What became of a list of codes. What one may not see is not found, like what does not exist."""

    samples: list[Sample] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)  # (code as given, sentence)


def find(codes: Sequence[str], user: User) -> Found:
    """The visible samples with these codes, in the order of the list, and a sentence for each other code."""
    by_code = _visible(codes, user)
    found = Found(samples=list(dict.fromkeys(by_code[code] for code in codes if code in by_code)))
    missing = [code for code in codes if code not in by_code]
    guesses = nearest(missing[:MOST_NEIGHBOURS_SOUGHT], user)
    for code in missing:
        wrong = misread(code) or f"There is no sample {code} in your projects."
        near = guesses.get(code)
        found.missing.append((code, f"{wrong} Did you mean {' or '.join(near)}?" if near else wrong))
    return found


def one(code: str, user: User) -> Sample | None:
    return _visible([code], user).get(code)


def nearest(codes: Sequence[str], user: User) -> dict[str, list[str]]:
    """For each code, the visible existing ones that are one slip away."""
    slips = {code: neighbours(code) for code in codes}
    known = _seen(user).annotate(upper=Upper("code"))
    wanted = set().union(*slips.values())
    existing = set(known.filter(upper__in=wanted).values_list("code", flat=True)) if wanted else set()
    return {
        code: sorted(found for found in existing if found.upper() in near)[:3] for code, near in slips.items()
    }


def _visible(codes: Sequence[str], user: User) -> dict[str, Sample]:
    """By code as given; upper and lower case are one where that is not ambiguous."""
    exact = {sample.code: sample for sample in _seen(user).filter(code__in=codes)}
    loose = [code for code in codes if code not in exact]
    if not loose:
        return exact
    same: dict[str, list[Sample]] = {}
    others = _seen(user).annotate(upper=Upper("code")).filter(upper__in=[code.upper() for code in loose])
    for sample in others:
        same.setdefault(sample.code.upper(), []).append(sample)
    for code in loose:
        if len(same.get(code.upper(), [])) == 1:
            exact[code] = same[code.upper()][0]
    return exact


def _seen(user: User) -> SampleQuerySet:
    return Sample.objects.visible_to(user).select_related("project")

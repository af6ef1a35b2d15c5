"""What the rules of a project find in the names and headers of files. Looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Upper

from measurements.models import InboxRule, Instrument, Measurement
from measurements.naming import Pattern
from measurements.services.suggesting import said_in_conditions
from samples.models import Project, Sample, User


@dataclass(frozen=True)
class Match:
    rule: InboxRule
    sample: Sample


def match(
    *,
    user: User,
    project: Project,
    instrument: Instrument | None,
    names: Sequence[str],
    header: Mapping[str, Any] | None = None,
) -> Match | None:
    """The sample that the rules of `project` agree on, among those that `user` may see. Two that disagree
    decide nothing."""
    rules = InboxRule.objects.filter(Q(instrument=None) | Q(instrument=instrument), project=project)
    return agreed(
        list(rules.filter(enabled=True).order_by("pk")), names, header or {}, samples_for(project, user)
    )


def agreed(
    rules: Iterable[InboxRule], names: Sequence[str], header: Mapping[str, Any], samples: QuerySet
) -> Match | None:
    found: list[Match] = []
    for rule in rules:
        sample = sample_in(rule, texts_of(rule, names, header), samples)
        if sample is not None:
            found.append(Match(rule, sample))
    return found[0] if len({each.sample for each in found}) == 1 else None


def sample_in(rule: InboxRule, texts: Sequence[str], samples: QuerySet) -> Sample | None:
    """The one sample that the texts name: of what fits the pattern, the longest that is a code."""
    candidates = [pattern(rule.pattern).codes(text) for text in texts]
    every = {code.upper() for codes in candidates for code in codes}
    if not every:
        return None
    known = {sample.upper: sample for sample in samples.filter(upper__in=every)}
    named = {
        known[first]
        for codes in candidates
        if (first := next((code.upper() for code in codes if code.upper() in known), None))
    }
    return named.pop() if len(named) == 1 else None


def texts_of(rule: InboxRule, names: Sequence[str], header: Mapping[str, Any]) -> list[str]:
    if rule.source == InboxRule.Source.FILENAME:
        return list(names)
    wanted = _line_name(rule.header_key)
    return [str(text) for key, text in header.items() if _line_name(key) == wanted]


def _line_name(key: str) -> str:
    return key.strip().rstrip(":").strip().casefold()


def lines_of(row: Measurement, header: Mapping[str, Any]) -> dict[str, Any]:
    """The header, and the name of the sample as the reader understood it."""
    said = said_in_conditions(row)
    return {**({"sample_name": said} if said else {}), **header}


def samples_for(project: Project, user: User) -> QuerySet[Sample]:
    """What the rule may find: samples of its project. An instrument delivers to those under an embargo too,
    as it does by code: in the inbox the files would lie before everybody's eyes."""
    is_instrument = Instrument.objects.filter(account=user).exists()
    seen = Sample.objects.despite_embargo(user) if is_instrument else Sample.objects.visible_to(user)
    return (
        seen.filter(project=project, voided_at=None).select_related("project").annotate(upper=Upper("code"))
    )


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    return Pattern(text)

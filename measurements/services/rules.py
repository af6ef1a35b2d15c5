"""Rules that give files of the inbox their sample, as a manager wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from measurements.models import InboxRule, Measurement
from measurements.services.matching import (
    Match,
    agreed,
    lines_of,
    match,
    pattern,
    sample_in,
    samples_for,
    texts_of,
)
from measurements.services.moving import locked, put, refuse_a_second
from measurements.services.receiving import RefusedError
from measurements.services.suggesting import headers_of
from samples.auditing import because
from samples.models import Project, Role, Sample, User

MOST_LOOKED_AT = 200  # measurements that a preview tries, newest first
MOST_AT_ONCE = 1000
FIELDS = ("instrument", "source", "header_key", "pattern", "technique", "enabled")


@dataclass(frozen=True)
class Trial:
    """What a rule would make of one measurement: a sample, or a sentence why not."""

    measurement: Measurement
    text: str
    sample: Sample | None
    sentence: str


def save_rule(rule: InboxRule, user: User) -> InboxRule:
    """New or changed. Raises ValidationError with sentences by field, or PermissionDenied."""
    must_manage(rule.project, user)
    if rule.instrument is not None and rule.instrument.project_id != rule.project_id:
        raise ValidationError({"instrument": f"{rule.instrument} is not an instrument of {rule.project}."})
    rule.header_key = rule.header_key.strip() if rule.source == InboxRule.Source.HEADER else ""
    if rule.source == InboxRule.Source.HEADER and not rule.header_key:
        raise ValidationError({"header_key": "Name the line of the header, such as Sample."})
    rule.pattern = rule.pattern.strip()
    rule.full_clean(exclude=["created_by"])
    if rule.pk is None:
        rule.created_by = user
    with because("", user), transaction.atomic():
        rule.save()
    return rule


def must_manage(project: Project, user: User) -> None:
    if not Project.objects.with_role(user, Role.MANAGER).filter(pk=project.pk).exists():
        raise PermissionDenied(f"Only managers of {project} make the rules of its inbox; ask one of them.")


def apply_to(row: Measurement) -> bool:
    """On a locked row of the inbox, in the name of the one who sent it. Whether it got a sample."""
    if row.sample is not None or row.received_by is None:
        return False
    names = list(row.files.values_list("filename", flat=True))
    found = match(
        user=row.received_by,
        project=row.project,
        instrument=row.instrument,
        names=names,
        header=lines_of(row, headers_of([row]).get(row.pk, {})),
    )
    return _obey(row, found, by=None)


def apply_now(project: Project, user: User) -> int:
    """All rules on everything that waits for a sample there; how many got one."""
    must_manage(project, user)
    rules = list(InboxRule.objects.filter(project=project, enabled=True).order_by("pk"))
    samples = samples_for(project, user)
    done = 0
    waiting = _waiting(project, user)[:MOST_AT_ONCE]
    headers = headers_of(waiting)
    for row in waiting:
        mine = [rule for rule in rules if rule.instrument_id in (None, row.instrument_id)]
        names = [file.filename for file in row.files.all()]
        found = agreed(mine, names, lines_of(row, headers.get(row.pk, {})), samples)
        if found is not None:
            with transaction.atomic():
                done += _obey(locked(row, user), found, by=user)
    return done


def trial(rule: InboxRule, user: User) -> list[Trial]:
    """What this rule alone would make of what waits for a sample now. Changes nothing."""
    must_manage(rule.project, user)
    samples = samples_for(rule.project, user)
    waiting = list(_waiting(rule.project, user)[:MOST_LOOKED_AT])
    headers = headers_of(waiting) if rule.source == InboxRule.Source.HEADER else {}
    tried = []
    for row in waiting:
        if rule.instrument_id not in (None, row.instrument_id):
            continue
        texts = texts_of(
            rule, [file.filename for file in row.files.all()], lines_of(row, headers.get(row.pk, {}))
        )
        tried.append(_tried(rule, row, texts, samples))
    return tried


def _tried(rule: InboxRule, row: Measurement, texts: Sequence[str], samples: QuerySet) -> Trial:
    shown = ", ".join(texts)[:200]
    if not texts:
        return Trial(row, "", None, "The file has no such line.")
    codes = [code for text in texts for code in pattern(rule.pattern).codes(text)]
    found = sample_in(rule, texts, samples)
    if found is None and not codes:
        return Trial(row, shown, None, "The pattern does not fit.")
    if found is None:
        return Trial(row, shown, None, f"There is no sample “{codes[0]}” in the project.")
    if row.claimed_code and row.claimed_code.casefold() != found.code.casefold():
        return Trial(row, shown, None, f"It came for “{row.claimed_code}”: a person decides.")
    return Trial(row, shown, found, "")


def _obey(row: Measurement, found: Match | None, *, by: User | None) -> bool:
    """A rule never decides against the code with which a file came, and leaves twins to a person."""
    if found is None or row.sample is not None:
        return False
    if row.claimed_code and row.claimed_code.casefold() != found.sample.code.casefold():
        return False
    before = row.technique
    if found.rule.technique and row.technique == "unknown":
        row.technique = found.rule.technique
    try:
        with transaction.atomic():
            put(row, found.sample, by=by, rule=found.rule)
            if row.technique != before:
                refuse_a_second(row)
                row.save(update_fields=["technique"])
    except RefusedError:
        row.sample, row.technique = None, before
        return False
    return True


def _waiting(project: Project, user: User) -> QuerySet[Measurement]:
    rows = Measurement.objects.open_to(user).without_sample().filter(project=project)
    return rows.select_related("project", "instrument").prefetch_related("files").order_by("-pk")

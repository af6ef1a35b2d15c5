"""Sources that disagree: found, kept side by side, and decided by a person. Nothing is ever deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from analysis import properties
from analysis.agreement import Statement, disagreeing
from analysis.models import Conflict, Publication, Value
from samples.models import Project, Sample, User
from samples.querysets import MANAGER

LONGEST_CODE = 60


@transaction.atomic
def propose(
    *,
    user: User,
    project: Project,
    title: str,
    category: str,
    code: str = "",
    detail: str = "",
    suggestion: str = "",
    values: Collection[Value] = (),
    publications: Collection[Publication] = (),
) -> Conflict:
    """A conflict that a person has seen."""
    if not Project.objects.open_to(user).filter(pk=project.pk).exists():
        raise PermissionDenied("You may look at this project but not write to it; ask its manager for that.")
    if category not in Conflict.Category.values:
        known = ", ".join(Conflict.Category.values)
        raise ValidationError({"category": f"There is no category “{category}”; known: {known}."})
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # one code after the other
    strangers = [value.pk for value in values if _project_of(value) != project.pk]
    if strangers:
        raise ValidationError({"values": f"Value {strangers[0]} belongs to another project."})
    row = Conflict(
        project=project,
        code=code.strip() or _free_code(project),
        category=category,
        title=title.strip(),
        detail=detail.strip(),
        suggestion=suggestion.strip(),
    )
    row.full_clean()
    row.save()
    row.values.set(values)
    row.publications.set({*publications, *_publications_of(values)})
    return row


@transaction.atomic
def decide(*, conflict: Conflict, user: User, decision: str, value: Value | None = None) -> Conflict:
    """A manager's words, and where there is one the value to believe. All values stay as they are: what
    should leave the figures is rejected, with its own reason. A later decision replaces the words; the
    history keeps the earlier ones."""
    if not Project.objects.with_role(user, MANAGER).filter(pk=conflict.project_id).exists():
        raise PermissionDenied(
            "Conflicts are decided by the managers of the project; tell them what you think."
        )
    if not decision.strip():
        raise ValidationError(
            {"decision": "Say what is decided and why: the words stay beside the conflict."}
        )
    if value is not None and not conflict.values.filter(pk=value.pk).exists():
        raise ValidationError({"value": "Choose one of the values of this conflict, or none."})
    row = Conflict.objects.select_for_update(of=("self",)).get(pk=conflict.pk)
    row.decision, row.decided_value = decision.strip(), value
    row.decided_by, row.decided_at = user, timezone.now()
    row.save()
    return row


@transaction.atomic
def find_conflicts(sample: Sample, property_key: str, component: str = "") -> Conflict | None:
    """The open conflict of what publications state about one quantity of a sample, proposed if it is new.

    Found again, nothing changes; a further source that disagrees joins it while it is open, and is a new
    conflict when it was decided without that source.
    """
    Sample.objects.select_for_update(no_key=True).get(pk=sample.pk)
    stated = Value.objects.filter(
        sample=sample,
        property=property_key,
        component=component,
        origin=Value.Origin.PUBLISHED,
        current=True,
        value__isnull=False,
    )
    values = list(stated.select_related("publication").order_by("pk"))
    apart = [values[place] for place in sorted(disagreeing([_statement(value) for value in values]))]
    if not apart:
        return None
    about_it = Conflict.objects.filter(values__in=stated).distinct().prefetch_related("values").order_by("pk")
    for row in about_it:
        if {value.pk for value in apart} <= {value.pk for value in row.values.all()}:
            return row
    still_open = [row for row in about_it if row.category == row.Category.VALUES and row.decided_at is None]
    last = still_open[-1] if still_open else None
    if last is None:
        last = Conflict.objects.create(
            project_id=sample.project_id,
            code=_code(sample, property_key, component),
            category=Conflict.Category.VALUES,
            title=_title(sample, property_key, component),
            detail="Found by comparison: these statements lie further apart than their combined sigma, or "
            "than their last digits where no sigma is given.",
        )
    last.values.add(*apart)
    last.publications.add(*_publications_of(apart))
    return last


def find_all_conflicts(project: Project | None = None) -> list[Conflict]:
    """The same over everything that two publications, or two places of one, state."""
    stated = Value.objects.filter(
        origin=Value.Origin.PUBLISHED, current=True, value__isnull=False, sample__isnull=False
    )
    if project is not None:
        stated = stated.filter(sample__project=project)
    several = (
        stated.order_by().values("sample", "property", "component").annotate(n=Count("pk")).filter(n__gt=1)
    )
    found = []
    for row in several:
        sample = Sample.objects.get(pk=row["sample"])
        found.append(find_conflicts(sample, row["property"], row["component"]))
    return [conflict for conflict in found if conflict is not None]


def _statement(value: Value) -> Statement:
    assert value.value is not None  # the query left words out
    declared = properties.all().get(value.property)
    return Statement(
        value.value,
        value.sigma,
        value.upper,
        value.comparator,
        scale=100.0 if declared is not None and declared.as_percent else 1.0,
    )


def _publications_of(values: Iterable[Value]) -> set[Publication]:
    return {value.publication for value in values if value.publication is not None}


def _project_of(value: Value) -> int | None:
    if value.sample is not None:
        return value.sample.project_id
    return value.measurement.project_id if value.measurement is not None else value.project_id


def _code(sample: Sample, property_key: str, component: str) -> str:
    """Such as `VT-7K3M2:tg`; a second one of the same quantity is `VT-7K3M2:tg-2`."""
    code = ":".join(filter(None, [sample.code, property_key, component]))
    if len(code) > LONGEST_CODE - 4:
        code = f"{code[: LONGEST_CODE - 15]}:{hashlib.sha256(code.encode()).hexdigest()[:10]}"
    taken = set(Conflict.objects.filter(project=sample.project_id).values_list("code", flat=True))
    later = (f"{code}-{n}" for n in range(2, len(taken) + 3))
    return next(free for free in (code, *later) if free not in taken)


def _free_code(project: Project) -> str:
    taken = set(Conflict.objects.filter(project=project).values_list("code", flat=True))
    return next(code for code in (f"X-{n}" for n in range(1, len(taken) + 2)) if code not in taken)


def _title(sample: Sample, property_key: str, component: str) -> str:
    declared = properties.all().get(property_key)
    label = declared.label if declared else property_key
    return f"{' '.join(filter(None, [label, component]))} of {sample.code}"

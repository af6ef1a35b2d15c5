"""Which values are current: decided here and nowhere else.

Of one method, the values of the newest version, asked for last, are current. What a person rejected is not,
and nothing takes its place: neither an older version nor another component steps forward unseen. When the
question is answered anew, the new value has not been judged yet and is current.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from analysis.models import Run, Value
from analysis.services.changed import note_changed, note_entered
from measurements.models import Measurement
from samples.models import Project, Sample

Subject = Measurement | Sample | Project


def answering(runs: Iterable[Run]) -> Run | None:
    """Of the runs of one method on one subject, the one whose values count; `_decide` asks the database."""
    done = [run for run in runs if run.status == Run.Status.DONE and run.verifies_id is None]
    return max(done, key=lambda run: (run.method_version, run.requested_at, run.pk), default=None)


@transaction.atomic
def decide_current(subject: Subject, method: str) -> None:
    """The values of the newest method version, asked for last, are current; all others stay readable.

    `subject`: the measurement that was analysed, or for a method over values their sample or project.
    """
    if isinstance(subject, Measurement):
        decide_current_of([subject.pk], [method])
        return
    # One decision at a time for a subject: two runs of it may finish together.
    type(subject).objects.select_for_update(no_key=True).get(pk=subject.pk)
    link = "sample" if isinstance(subject, Sample) else "project"
    _decide(Value.objects.filter(**{link: subject}, measurement=None, method=method), link)


@transaction.atomic
def decide_current_of(measurement_ids: Collection[int], methods: Collection[str]) -> None:
    """The same for all pairs of many measurements and methods at once, in a fixed number of statements."""
    locked = Measurement.objects.select_for_update(no_key=True).filter(pk__in=measurement_ids).order_by("pk")
    void = [pk for pk, status in locked.values_list("pk", "status") if status == Measurement.Status.VOID]
    values = Value.objects.filter(measurement__in=measurement_ids, method__in=methods)
    values.filter(measurement__in=void, current=True).update(current=False)
    _decide(values.exclude(measurement__in=void), "measurement")


def make_way(measurement_ids: Collection[int], method: str) -> set[int]:
    """The runs whose values count, of measurements that are locked: what they supersede is current no more.

    For runs that are done and whose values are about to be written, so that each is written once, as what it
    is; afterwards `note_changed` wants to know.
    """
    last = Run.objects.filter(
        measurement__in=measurement_ids, method=method, status=Run.Status.DONE, verifies=None
    ).exclude(measurement__status=Measurement.Status.VOID)
    newest = last.order_by("measurement_id", "-method_version", "-requested_at", "-pk").distinct(
        "measurement_id"
    )
    winners = set(newest.values_list("pk", flat=True))
    values = Value.objects.filter(measurement__in=measurement_ids, method=method, run__isnull=False)
    values.filter(current=True).exclude(run__in=winners).update(current=False)
    return winners


def _decide(values: QuerySet[Value], link: str) -> None:
    """First out, then in: two current values of one kind may not exist, not even for a moment."""
    answered = Run.objects.filter(method=OuterRef("method"), status=Run.Status.DONE, verifies=None)
    if link != "measurement":
        # Its inputs are not what they were: a refusal is an answer too, and nothing older stands in for it.
        finished = [Run.Status.DONE, Run.Status.FAILED]
        answered = Run.objects.filter(method=OuterRef("method"), status__in=finished, verifies=None, stale="")
    last = answered.filter(**{link: OuterRef(link)}).order_by("-method_version", "-requested_at", "-pk")
    judged = values.filter(run__isnull=False).annotate(
        winner=Coalesce(
            Subquery(last.values("pk")[:1]), 0
        )  # of none, NULL would equal nothing and differ from nothing
    )
    counts = Q(run=F("winner"), rejected=False)
    gone = judged.filter(current=True).exclude(counts).update(current=False)
    if judged.filter(counts, current=False).update(current=True) + gone:
        note_changed(values)


@transaction.atomic
def decide_reviewed(value: Value) -> None:
    """Its last review has been written: it leaves what is current, or may come back."""
    subject = _subject(value)
    # The subject first, as everywhere: whoever decides holds it before any of its values.
    type(subject).objects.select_for_update(no_key=True).get(pk=subject.pk)
    last = value.reviews.order_by("-pk").first()
    rejected = last is not None and last.verdict == last.Verdict.REJECTED
    same = Value.objects.filter(pk=value.pk)
    if rejected:
        same.update(rejected=True, current=False)
    else:
        same.update(rejected=False)
    note_changed(same)
    if value.run_id is not None:
        decide_current(subject, value.method)
    elif value.entered_by_id is not None:
        _decide_entered(value.sample_id, value.property, value.component, value.entered_by_id)
    else:
        _decide_published(same)


def _subject(value: Value) -> Subject:
    subject = value.measurement or value.sample or value.project
    assert subject is not None  # a constraint of the table
    return subject


def supersede_earlier(value: Value) -> None:
    """A person who enters a number again corrects it: their earlier ones stay readable, no longer current.

    To be called in the transaction that saves `value`, and before it is saved.
    """
    Sample.objects.select_for_update(no_key=True).get(pk=value.sample_id)  # one correction after the other
    note_entered(value)
    Value.objects.filter(
        sample=value.sample,
        property=value.property,
        component=value.component,
        origin=Value.Origin.ENTERED,
        entered_by=value.entered_by,
        current=True,
    ).update(current=False)


@transaction.atomic
def follow(measurement: Measurement) -> None:
    """Its sample has changed, or whether it counts at all. No number changes and nothing is computed again:
    no method asks which sample its datasets are of."""
    row = Measurement.objects.select_for_update(no_key=True).get(pk=measurement.pk)
    values = Value.objects.filter(measurement=row)
    before = {(v.sample_id, v.property, v.component, v.entered_by_id) for v in _entered(values)}
    note_changed(values)  # of the sample that it leaves
    values.update(sample=row.sample_id)
    note_changed(values)
    methods = values.exclude(method="").order_by().values_list("method", flat=True).distinct()
    decide_current_of([row.pk], list(methods))
    _decide_published(values.filter(publication__isnull=False))
    after = {(v.sample_id, v.property, v.component, v.entered_by_id) for v in _entered(values)}
    for subject in sorted(before | after, key=str):
        _decide_entered(*subject)


def _decide_published(values: QuerySet[Value]) -> None:
    """Every statement of a publication counts, unless its measurement is void or somebody rejected it."""
    counts = Q(rejected=False) & ~Q(measurement__status=Measurement.Status.VOID)
    values.filter(counts, current=False).update(current=True)
    values.filter(current=True).exclude(counts).update(current=False)


def _entered(values: QuerySet[Value]) -> list[Value]:
    return list(values.filter(entered_by__isnull=False))


def _decide_entered(sample_id: int | None, property_key: str, component: str, person_id: int | None) -> None:
    """Of what one person entered for one quantity of a sample, the last counts, unless it was rejected."""
    if sample_id is None:
        return
    Sample.objects.select_for_update(no_key=True).get(pk=sample_id)
    entered = Value.objects.filter(
        sample=sample_id,
        property=property_key,
        component=component,
        origin=Value.Origin.ENTERED,
        entered_by=person_id,
    )
    counting = entered.exclude(measurement__status=Measurement.Status.VOID)
    last = counting.order_by("-pk").first()
    entered.filter(current=True).exclude(pk=last.pk if last else None).update(current=False)
    if last is not None and not last.current and not last.rejected:
        Value.objects.filter(pk=last.pk).update(current=True)

"""Which values are current: decided here and nowhere else."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from analysis.models import Run, Value
from measurements.models import Measurement
from samples.models import Sample


@transaction.atomic
def decide_current(measurement: Measurement, method: str) -> None:
    """The values of the newest method version, asked for last, are current; all others stay readable."""
    # One decision at a time for a measurement: two runs of it may finish together.
    row = Measurement.objects.select_for_update(no_key=True).get(pk=measurement.pk)
    of_method = Value.objects.filter(measurement=measurement, method=method)
    if row.status == Measurement.Status.VOID:
        of_method.filter(current=True).update(current=False)
        return
    done = Run.objects.filter(measurement=measurement, method=method, status=Run.Status.DONE)
    winner = done.order_by("-method_version", "-requested_at", "-pk").first()
    if winner is None:
        return
    of_method.filter(current=True).exclude(run=winner).update(current=False)
    of_method.filter(current=False, run=winner).update(current=True)


def supersede_earlier(value: Value) -> None:
    """A person who enters a number again corrects it: their earlier ones stay readable, no longer current.

    To be called in the transaction that saves `value`, and before it is saved.
    """
    Sample.objects.select_for_update(no_key=True).get(pk=value.sample_id)  # one correction after the other
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
    values.update(sample=row.sample_id)
    for method in values.exclude(method="").order_by().values_list("method", flat=True).distinct():
        decide_current(row, method)
    values.filter(publication__isnull=False).update(current=row.status != Measurement.Status.VOID)
    after = {(v.sample_id, v.property, v.component, v.entered_by_id) for v in _entered(values)}
    for subject in sorted(before | after, key=str):
        _decide_entered(*subject)


def _entered(values: QuerySet[Value]) -> list[Value]:
    return list(values.filter(entered_by__isnull=False))


def _decide_entered(sample_id: int | None, property_key: str, component: str, person_id: int) -> None:
    """Of what one person entered for one quantity of a sample, the last counts."""
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
    if last is not None and not last.current:
        Value.objects.filter(pk=last.pk).update(current=True)

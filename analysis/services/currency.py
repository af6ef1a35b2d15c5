"""Which values are current: decided here and nowhere else."""

from __future__ import annotations

from django.db import transaction

from analysis.models import Run, Value
from measurements.models import Measurement
from samples.models import Sample


@transaction.atomic
def decide_current(measurement: Measurement, method: str) -> None:
    """The values of the newest method version, asked for last, are current; all others stay readable."""
    # One decision at a time for a measurement: two runs of it may finish together.
    Measurement.objects.select_for_update(no_key=True).get(pk=measurement.pk)
    done = Run.objects.filter(measurement=measurement, method=method, status=Run.Status.DONE)
    winner = done.order_by("-method_version", "-requested_at", "-pk").first()
    if winner is None:
        return
    of_method = Value.objects.filter(measurement=measurement, method=method)
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

"""Ends what a dead worker left, and tells the workers of work whose message was lost."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from analysis.models import ChangedValues, Run
from analysis.services.waking import wake, work_waits
from analysis.services.webhooks import tell_of_runs
from measurements.services import requeue_forgotten
from samples.queueing import enqueue

MAX_ATTEMPTS = 3


def sweep() -> dict[str, int]:
    """May run at any time, in several places, and twice."""
    from analysis import tasks  # they call services

    abandoned = Run.objects.abandoned()
    cancelled = abandoned.filter(cancel_asked_at__isnull=False).update(
        status=Run.Status.CANCELLED,
        finished_at=Now(),
        lease_until=None,
        message="It was cancelled by a person.",
    )
    given_up = _give_up()
    # By itself, in case it was the one that killed its worker.
    again = abandoned.update(status=Run.Status.QUEUED, queued_at=Now(), lease_until=None, alone=True)
    if ChangedValues.objects.exists():
        enqueue(tasks.derive)
    lanes = [lane for lane in Run.Lane.values if work_waits(lane)]
    for lane in lanes:
        wake(lane)
    return {
        "cancelled": cancelled,
        "given up": given_up,
        "queued again": again,
        "lanes woken": len(lanes),
        "files queued again": requeue_forgotten(),
    }


@transaction.atomic
def _give_up() -> int:
    deadly = Run.objects.abandoned().filter(attempts__gte=MAX_ATTEMPTS)
    lost = list(deadly.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Run.objects.filter(pk__in=lost).update(
        status=Run.Status.FAILED,
        finished_at=Now(),
        lease_until=None,
        message=f"The worker died {MAX_ATTEMPTS} times while running it, probably for want of memory. "
        "The file is safe; try other parameters, or a worker with more memory.",
    )
    tell_of_runs(lost)
    return len(lost)

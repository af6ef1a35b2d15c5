"""A person asks for the end of a run."""

from __future__ import annotations

from django.db.models.functions import Now

from analysis.models import Run


def cancel(run: Run) -> Run:
    """A waiting run is cancelled at once; of one that is running the process is ended within seconds.

    What has finished stays as it is, and so does a fast run that finishes first.
    """
    waiting = Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED)
    cancelled = waiting.update(
        status=Run.Status.CANCELLED,
        cancel_asked_at=Now(),
        finished_at=Now(),
        message="It was cancelled by a person.",
    )
    if not cancelled:
        Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING).update(cancel_asked_at=Now())
    run.refresh_from_db()
    return run

"""Executing a run: claimed by UPDATE, held under a lease, finished by UPDATE. Twice does no harm."""

from __future__ import annotations

import logging
import platform
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from analysis import methods
from analysis.curves import store_curves
from analysis.models import Artifact, Run, Value
from analysis.querysets import RunQuerySet
from analysis.services.currency import decide_current
from analysis.services.requesting import queue, request_run
from measurements.models import Measurement
from measurements.services import load, requeue_forgotten
from samples.queueing import broker_is_idle

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEW_EVERY_S = 8.0
MAX_ATTEMPTS = 3
FORGOTTEN_AFTER_S = 60.0
LIBRARIES = ("numpy", "h5py", "Django")


def execute(run_pk: int) -> None:
    """Run it if nobody else has it. A refusal of the method is a result: failed, with its sentence."""
    run = claim(run_pk)
    if run is None:
        return
    loaded = methods.get(run.method)
    if loaded.method.version != run.method_version:
        _overtaken(run, loaded.method.version)
        return
    started = time.perf_counter()
    try:
        with lease(run):
            params = methods.parse_params(loaded, run.params)
            inputs = run.inputs.select_related("dataset__blob")
            outcome = loaded.run({given.role: load(given.dataset) for given in inputs}, params)
            methods.check_outcome(loaded, outcome)
            finish(run, loaded, outcome, time.perf_counter() - started)
    except methods.MethodError as refusal:
        fail(run, str(refusal), time.perf_counter() - started)
    except SoftTimeLimitExceeded:
        fail(run, f"It took longer than the {loaded.method.time_limit_s} s this method is given.", None)
    except Exception as error:  # the task's outer edge: recorded for the person, re-raised for us
        fail(
            run,
            f"The method itself failed ({type(error).__name__}: {error}). The data are safe; please report "
            "it, and run it again when it is mended.",
            None,
        )
        raise


def claim(run_pk: int) -> Run | None:
    """The run, now running and ours; None when somebody else has it or it is finished."""
    now = timezone.now()
    mine = Run.objects.filter(pk=run_pk).claimable()
    if not mine.update(
        status=Run.Status.RUNNING,
        started_at=now,
        lease_until=now + LEASE,
        attempts=F("attempts") + 1,
        host=socket.gethostname()[:120],
    ):
        return None
    return Run.objects.select_related("measurement__sample").get(pk=run_pk)


@contextmanager
def lease(run: Run) -> Iterator[None]:
    """Renews the lease from a thread while the method computes, so that the sweep knows we are alive."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_EVERY_S):
            ours(run).update(lease_until=timezone.now() + LEASE)
        connection.close()

    heart = threading.Thread(target=renew, daemon=True, name=f"lease of run {run.pk}")
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def ours(run: Run) -> RunQuerySet:
    """The row while it is still ours: a worker that lost its lease changes nothing any more."""
    return Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, attempts=run.attempts)


def finish(run: Run, loaded: methods.LoadedMethod, outcome: methods.Outcome, duration_s: float) -> None:
    """Values, curves and state in one transaction; nothing of it if another worker has taken the run over."""
    curves = store_curves(outcome.curves)
    with transaction.atomic():
        if not ours(run).update(
            status=Run.Status.DONE,
            finished_at=timezone.now(),
            lease_until=None,
            duration_s=duration_s,
            libraries={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
            warnings=list(outcome.warnings),
            notes=dict(outcome.notes),
            message="",
        ):
            return
        # As it is now: it may have got another sample while the method computed.
        measurement = Measurement.objects.select_for_update(no_key=True).get(pk=run.measurement_id)
        Value.objects.bulk_create(
            Value(
                run=run,
                measurement=measurement,
                sample_id=measurement.sample_id,
                method=run.method,
                property=result.property,
                component=result.component,
                value=result.value,
                sigma=result.sigma,
                unit=loaded.method.property(result.property).unit,
                origin=measurement.origin,
                current=False,
            )
            for result in outcome.values
        )
        if curves is not None:
            Artifact.objects.create(run=run, blob=curves, names=[curve.name for curve in outcome.curves])
        decide_current(measurement, run.method)


def fail(run: Run, sentence: str, duration_s: float | None) -> None:
    ours(run).update(
        status=Run.Status.FAILED,
        finished_at=timezone.now(),
        lease_until=None,
        duration_s=duration_s,
        message=sentence[:2000] or "The method gave no reason.",
    )


def _overtaken(run: Run, newest: int) -> None:
    """Asked of one version, met by another: the question is put again to the version that is here."""
    if run.method_version < newest:
        request_run(run.measurement, run.method, run.params, trigger=Run.Trigger.SUPERSESSION)
    ours(run).update(
        status=Run.Status.CANCELLED,
        finished_at=timezone.now(),
        lease_until=None,
        message=f"It was asked of version {run.method_version}; this worker has version {newest}.",
    )


def sweep() -> dict[str, int]:
    """Ends what a killed worker left behind and queues again what a lost message forgot."""
    given_up = (
        Run.objects.abandoned()
        .filter(attempts__gte=MAX_ATTEMPTS)
        .update(
            status=Run.Status.FAILED,
            finished_at=timezone.now(),
            lease_until=None,
            message=f"The worker died {MAX_ATTEMPTS} times while running it, probably for want of memory. "
            "The file is safe; try other parameters, or a worker with more memory.",
        )
    )
    again = list(Run.objects.abandoned())
    if broker_is_idle():
        again += Run.objects.forgotten_for(FORGOTTEN_AFTER_S)
    for run in again:
        still = Run.objects.filter(pk=run.pk).claimable()
        if still.update(status=Run.Status.QUEUED, queued_at=timezone.now(), lease_until=None):
            queue(run)
    return {"given up": given_up, "queued again": len(again), "files queued again": requeue_forgotten()}

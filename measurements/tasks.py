"""Tasks fetch the row and call the service."""

import time

from celery import shared_task

from samples.queueing import enqueue

SOFT_LIMIT_S, HARD_LIMIT_S = 120, 150
TOGETHER_S = 10
FIXITY_SLICE_S = 300  # of every hour: 150 GB at 500 MB/s


@shared_task(ignore_result=True, soft_time_limit=SOFT_LIMIT_S, time_limit=HARD_LIMIT_S)
def read(*measurement_ids: int) -> None:
    """One, or a few that arrived together: what one of them does to its reader is not the others' fault."""
    from measurements.models import Measurement
    from measurements.services import read_measurement

    mistakes: list[Exception] = []
    begun = time.monotonic()
    for pk in measurement_ids:
        if time.monotonic() - begun > TOGETHER_S:  # the limits are meant for one file
            enqueue(read, pk)
            continue
        try:
            read_measurement(Measurement.objects.get(pk=pk))
        except Exception as mistake:
            mistakes.append(mistake)
    if mistakes:
        raise mistakes[0]


@shared_task(ignore_result=True)
def sweep_store() -> None:
    from measurements.services.orphans import set_orphans_aside
    from measurements.store import store

    store().sweep()
    set_orphans_aside()


@shared_task(ignore_result=True)
def check_fixity() -> None:
    from measurements.services.fixity import check_fixity

    check_fixity(budget_s=FIXITY_SLICE_S)


@shared_task(ignore_result=True, soft_time_limit=SOFT_LIMIT_S, time_limit=HARD_LIMIT_S)
def sweep_uploads() -> None:
    from measurements.services.uploading import sweep_uploads

    sweep_uploads()


@shared_task(ignore_result=True, soft_time_limit=SOFT_LIMIT_S, time_limit=HARD_LIMIT_S)
def reread_failed() -> None:
    from measurements.services import reread_failed

    reread_failed()


@shared_task(ignore_result=True, soft_time_limit=1800, time_limit=1830)
def record_batch(batch_id: int) -> None:
    from measurements.models import Batch
    from measurements.services import batches

    batches.record_batch(Batch.objects.select_related("created_by", "project").get(pk=batch_id))


@shared_task(ignore_result=True, soft_time_limit=SOFT_LIMIT_S, time_limit=HARD_LIMIT_S)
def sweep_batches() -> None:
    from measurements.services import batches

    batches.requeue_batches()

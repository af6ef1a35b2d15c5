"""Tasks fetch the row and call the service."""

from celery import shared_task

SOFT_LIMIT_S, HARD_LIMIT_S = 120, 150
FIXITY_SLICE_S = 300  # of every hour: 150 GB at 500 MB/s


@shared_task(ignore_result=True, soft_time_limit=SOFT_LIMIT_S, time_limit=HARD_LIMIT_S)
def read(measurement_id: int) -> None:
    from measurements.models import Measurement
    from measurements.services import read_measurement

    read_measurement(Measurement.objects.get(pk=measurement_id))


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

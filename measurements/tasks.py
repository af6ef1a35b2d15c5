"""Tasks fetch the row and call the service."""

from celery import shared_task

SOFT_LIMIT_S, HARD_LIMIT_S = 120, 150


@shared_task(ignore_result=True, soft_time_limit=SOFT_LIMIT_S, time_limit=HARD_LIMIT_S)
def read(measurement_id: int) -> None:
    from measurements.models import Measurement
    from measurements.services import read_measurement

    read_measurement(Measurement.objects.get(pk=measurement_id))


@shared_task(ignore_result=True, time_limit=HARD_LIMIT_S)
def sweep_store() -> None:
    from measurements.store import store

    store().sweep()

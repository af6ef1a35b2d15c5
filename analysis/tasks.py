"""Tasks fetch the row and call the service."""

from celery import shared_task

from analysis import services


@shared_task(ignore_result=True)
def execute(run_pk: int) -> None:
    services.execute(run_pk)


@shared_task(ignore_result=True)
def sweep() -> None:
    services.sweep()


@shared_task(ignore_result=True)
def reanalyse_outdated() -> None:
    services.reanalyse()

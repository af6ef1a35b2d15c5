"""Tasks fetch the row and call the service."""

from celery import shared_task

from analysis import services
from analysis.models import Webhook
from measurements.models import Instrument

LONGEST_S = 24 * 3600  # the methods' own limits are kept by the services


@shared_task(ignore_result=True)
def execute(run_pk: int) -> None:
    services.execute(run_pk)


@shared_task(ignore_result=True)
def execute_batch() -> None:
    services.execute_batch()


@shared_task(ignore_result=True, soft_time_limit=LONGEST_S, time_limit=LONGEST_S + 60)
def execute_long() -> None:
    services.execute_long()


@shared_task(ignore_result=True)
def sweep() -> None:
    services.sweep()


@shared_task(ignore_result=True)
def derive() -> None:
    services.derive()


@shared_task(ignore_result=True)
def derive_all() -> None:
    services.note_all()


@shared_task(ignore_result=True)
def reanalyse_outdated() -> None:
    services.reanalyse()


@shared_task(ignore_result=True)
def finish_campaigns() -> None:
    services.finish_campaigns()


@shared_task(ignore_result=True)
def mail_notices() -> None:
    services.mail_notices()


@shared_task(ignore_result=True)
def deliver(webhook_pk: int) -> None:
    for hook in Webhook.objects.filter(pk=webhook_pk):  # it may have been removed meanwhile
        services.deliver(hook)


@shared_task(ignore_result=True)
def sweep_deliveries() -> None:
    services.sweep_deliveries()


@shared_task(ignore_result=True)
def forget_old_deliveries() -> None:
    services.forget_old_deliveries()


@shared_task(ignore_result=True, soft_time_limit=3600, time_limit=3660)
def recalibrate(instrument_pk: int | None = None) -> None:
    """Of one instrument; every night of all, for a message may be lost."""
    services.recalibrate(Instrument.objects.get(pk=instrument_pk) if instrument_pk else None)

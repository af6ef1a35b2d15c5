"""Telling other programs of results: written down with the result, delivered by a task, signed.

`tell_…` are called inside the transaction that makes something so: either both are recorded or neither. A
message holds keys and addresses, never a number, a code of a sample or a sentence; whoever wants those asks
the address, with a token of their own. Of samples under an embargo nothing is told.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils import timezone

from analysis import outgoing
from analysis.models import Delivery, Reanalysis, Run, Webhook
from measurements.models import Measurement
from samples.models import Project, Sample, User
from samples.queueing import enqueue, send

log = logging.getLogger(__name__)

EVENTS = {
    "run.done": "A run has ended, and its values are there",
    "run.failed": "A run has failed",
    "measurement.read": "A file was read",
    "measurement.failed": "A file could not be read",
    "reanalysis.done": "A reanalysis has ended",
}
MOST_PER_PROJECT = 20
LEASE = timedelta(seconds=60)  # longer than any attempt can take
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=30), timedelta(hours=3)
GIVEN_UP_AFTER = timedelta(days=1)
KEPT_FOR = timedelta(days=30)
BUDGET_S = 20.0  # of one task; what is left then has a task of its own


def add_webhook(*, project: Project, user: User, url: str, events: Iterable[str] = ()) -> Webhook:
    """With a new secret. Raises ValidationError, with a sentence that says what is wrong with the address."""
    wanted = sorted(set(events))
    unknown = set(wanted) - set(EVENTS)
    if unknown:
        known = ", ".join(EVENTS)
        raise ValidationError({"events": f"There is no event “{min(unknown)}”. There are: {known}."})
    url = url.strip()
    try:
        outgoing.checked(outgoing.parsed(url), settings.WEBHOOK_ALLOW)
    except (outgoing.RefusedAddressError, outgoing.UnreachableError) as error:
        raise ValidationError({"url": str(error)}) from None
    if project.webhooks.count() >= MOST_PER_PROJECT:
        raise ValidationError(
            {"url": f"A project has at most {MOST_PER_PROJECT} webhooks; remove one first."}
        )
    return Webhook.objects.create(project=project, url=url, events=wanted, secret=_new_secret(), made_by=user)


def renew_secret(hook: Webhook) -> Webhook:
    """From now on every message is signed with a new one, also those that wait or are sent again."""
    hook.secret = _new_secret()
    hook.save(update_fields=["secret"])
    return hook


def _new_secret() -> str:
    return f"vwh_{secrets.token_urlsafe(32)}"


def tell_of_runs(keys: Collection[int]) -> None:
    """Of runs that have just ended, well or not. Verifications give no values, so nobody is told of them."""
    if not keys or not _anybody_listens():
        return
    hidden = Sample.objects.under_embargo().order_by().values("pk")
    project = Coalesce("measurement__project", "sample__project", "project")
    rows = (
        Run.objects.filter(pk__in=keys, verifies=None, status__in=[Run.Status.DONE, Run.Status.FAILED])
        .exclude(measurement__sample__in=hidden)
        .exclude(sample__in=hidden)
        .order_by("pk")
        .annotate(of_project=project)
    )
    _write_down((run.of_project, f"run.{run.status}", _of_run(run)) for run in rows)


def tell_of_measurement(measurement: Measurement) -> None:
    """Of one that was just read, or could not be."""
    row = (
        Measurement.objects.filter(pk=measurement.pk)
        .exclude(sample__in=Sample.objects.under_embargo().order_by().values("pk"))
        .first()
        if _anybody_listens()
        else None
    )
    if row is not None and row.status in (Measurement.Status.READ, Measurement.Status.FAILED):
        _write_down([(row.project_id, f"measurement.{row.status}", {"measurement": _measurement(row.pk)})])


def tell_of_reanalysis(campaign: Reanalysis) -> None:
    if campaign.project_id is not None:
        _write_down([(campaign.project_id, "reanalysis.done", {"reanalysis": {"id": campaign.pk}})])


def _anybody_listens() -> bool:
    return Webhook.objects.filter(enabled=True).exists()


def _of_run(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = {
        "run": {
            "id": run.pk,
            "method": run.method,
            "method_version": run.method_version,
            "status": run.status,
            "address": _address("run-detail", run.pk),
        }
    }
    return told | ({"measurement": _measurement(run.measurement_id)} if run.measurement_id else {})


def _measurement(pk: int) -> dict[str, Any]:
    return {"id": pk, "address": _address("measurement-detail", pk)}


def _address(name: str, pk: int) -> str:
    site = settings.CSRF_TRUSTED_ORIGINS[0] if settings.CSRF_TRUSTED_ORIGINS else ""
    return f"{site}{reverse(name, args=[pk])}"


def _write_down(told: Iterable[tuple[int, str, Mapping[str, Any]]]) -> None:
    events = list(told)
    hooks: dict[int, list[Webhook]] = {}
    wanted = {project for project, _, _ in events}
    for hook in Webhook.objects.filter(enabled=True, project__in=wanted).select_related("project"):
        hooks.setdefault(hook.project_id, []).append(hook)
    now = timezone.now().isoformat(timespec="seconds")
    rows = [
        Delivery(
            webhook=hook,
            event=event,
            body={"id": str(uuid.uuid4()), "event": event, "at": now, "project": hook.project.slug, **body},
        )
        for project, event, body in events
        for hook in hooks.get(project, [])
        if not hook.events or event in hook.events
    ]
    Delivery.objects.bulk_create(rows, batch_size=1000)
    _wake({row.webhook_id for row in rows})


def _wake(hooks: Iterable[int]) -> None:
    from analysis import tasks

    for pk in sorted(hooks):
        enqueue(tasks.deliver, pk)


def deliver(hook: Webhook) -> int:
    """Send what is due, one after the other; how many were taken. May run twice, and be killed in between:
    a message may then come twice, with the same `id`."""
    from analysis import tasks

    taken, end = 0, time.monotonic() + BUDGET_S
    while (delivery := _claim(hook.pk)) is not None:
        taken += _attempt(delivery)
        if time.monotonic() > end:
            send(tasks.deliver, hook.pk)
            break
    return taken


@transaction.atomic
def _claim(hook_pk: int) -> Delivery | None:
    """The next that is due, ours for as long as an attempt can take."""
    awake = Q(webhook__resting_until=None) | Q(webhook__resting_until__lte=Now())
    due = Delivery.objects.filter(
        awake, webhook=hook_pk, webhook__enabled=True, state=Delivery.State.WAITING, not_before__lte=Now()
    )
    row = (
        due.select_for_update(skip_locked=True, of=("self",))
        .select_related("webhook")
        .order_by("not_before", "pk")
        .first()
    )
    if row is not None:
        Delivery.objects.filter(pk=row.pk).update(
            attempts=F("attempts") + 1, tried_at=Now(), not_before=Now() + LEASE
        )
        row.attempts += 1
    return row


def _attempt(delivery: Delivery) -> bool:
    """Whether it was taken. A server that answers has refused this one message; one that cannot be reached
    would refuse all of them, so it is left alone for a while."""
    mine = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.State.WAITING)
    body = written(delivery.body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Vitrine",
        "Vitrine-Event": delivery.event,
        "Vitrine-Delivery": str(delivery.pk),
        "Vitrine-Signature": signature(delivery.webhook.secret, body, int(time.time())),
    }
    try:
        status = outgoing.post(delivery.webhook.url, body, headers, allow=settings.WEBHOOK_ALLOW)
        answer, reached = outgoing.in_words(status), True
    except (outgoing.RefusedAddressError, outgoing.UnreachableError) as error:
        status, answer, reached = 0, str(error), False
    if 200 <= status < 300:
        return bool(mine.update(state=Delivery.State.TAKEN, answer=answer))
    log.info("Webhook %s did not take delivery %s: %s", delivery.webhook_id, delivery.pk, answer)
    pause = min(FIRST_BACKOFF * 2 ** (delivery.attempts - 1), LONGEST_BACKOFF)
    too_late = timezone.now() + pause > delivery.made_at + GIVEN_UP_AFTER
    state = Delivery.State.GIVEN_UP if too_late else Delivery.State.WAITING
    mine.update(state=state, answer=answer[:300], not_before=Now() + pause)
    if not reached:
        Webhook.objects.filter(pk=delivery.webhook_id).update(resting_until=Now() + pause)
    return False


def written(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=…,v1=…`: HMAC-SHA256 over the moment, a dot, and the body as it is sent."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def send_again(delivery: Delivery) -> Delivery:
    """A new delivery of the same message, with the same `id`; what became of the first stays on record."""
    if not delivery.webhook.enabled:
        raise ValidationError("The webhook is switched off. Switch it on, then send the message again.")
    with transaction.atomic():
        Webhook.objects.filter(pk=delivery.webhook_id).update(resting_until=None)
        again = Delivery.objects.create(webhook=delivery.webhook, event=delivery.event, body=delivery.body)
        _wake([delivery.webhook_id])
    return again


def switch(hook: Webhook, *, on: bool) -> None:
    """Off, nothing is sent and nothing is written down for it."""
    hook.enabled, hook.resting_until = on, None
    hook.save(update_fields=["enabled", "resting_until"])
    if on:
        _wake([hook.pk])


def sweep_deliveries() -> int:
    """Wake what a lost message or a killed worker left, and give up what is too old; how many were woken."""
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    too_old = waiting.filter(made_at__lt=timezone.now() - GIVEN_UP_AFTER)
    too_old.filter(answer="").update(answer="It was never sent: the webhook was switched off, or rested.")
    too_old.update(state=Delivery.State.GIVEN_UP)
    awake = Q(webhook__resting_until=None) | Q(webhook__resting_until__lte=Now())
    due = waiting.filter(awake, webhook__enabled=True, not_before__lte=Now())
    hooks = set(due.order_by().values_list("webhook", flat=True).distinct())
    _wake(hooks)
    return len(hooks)


def forget_old_deliveries() -> int:
    old = Delivery.objects.exclude(state=Delivery.State.WAITING).filter(made_at__lt=timezone.now() - KEPT_FOR)
    return old.delete()[0]

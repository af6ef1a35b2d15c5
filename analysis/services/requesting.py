"""Asking for a run. The same question is the same run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from analysis import methods
from analysis.models import Run, RunInput
from analysis.services.choosing import chosen_for, missing, recorded, said_about
from analysis.services.currency import decide_current
from analysis.services.inputs import datasets_of, methods_for, named_input, own_inputs, stated, why_not
from analysis.services.parameters import wanted_by
from analysis.services.waking import FAST, LONG, wake
from measurements.models import Dataset, Measurement
from samples.models import User


class NothingToRunError(Exception):
    """The measurement cannot be analysed yet, in a sentence."""


def identity(
    method: str,
    version: int,
    params: Mapping[str, Any],
    measurement_pk: int,
    inputs: Mapping[str, Dataset],
) -> str:
    """SHA-256 over everything that decides the result: content of the inputs, readers, what senders said of
    them, method, parameters."""
    question = {
        "method": [method, version],
        "params": dict(params),
        "measurement": measurement_pk,
        "inputs": {
            role: [dataset.blob.sha256, dataset.reader, dataset.reader_version]
            for role, dataset in inputs.items()
        },
    }
    if said := {role: words for role, dataset in inputs.items() if (words := stated(dataset))}:
        question["conditions"] = said
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()


def request_runs(measurement: Measurement, trigger: str = "upload") -> list[Run]:
    """Every registered method that fits the measurement's technique, with its default parameters; without
    those that wait for a calibration, or for a person."""
    if measurement.status != Measurement.Status.READ:
        return []
    asked = []
    for loaded in methods_for(measurement):
        if not loaded.method.on_upload:
            continue
        with suppress(NothingToRunError):
            asked.append(request_run(measurement, loaded.key, trigger=trigger)[0])
    return asked


@transaction.atomic
def request_run(
    measurement: Measurement,
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    user: User | None = None,
    trigger: str = "person",
    inputs: Mapping[str, Measurement] | None = None,
) -> tuple[Run, bool]:
    """The run that answers this question, and whether it is new. An unfinished or done run is not repeated;
    one that failed is tried again when somebody asks again.

    Raises KeyError (no such method), methods.ParamsError and NothingToRunError, each with a sentence.
    """
    loaded = methods.get(method)
    settled = methods.canonical_params(loaded, wanted_by(measurement.project_id, loaded) | dict(params or {}))
    named = inputs or {}
    own = own_inputs(loaded, list(datasets_of([measurement])))
    chosen = chosen_for(loaded, measurement, {*named, *own})
    others = {role: calibration.measurement for role, calibration in chosen.items()} | {**named}
    datasets = inputs_of(loaded, measurement, others, own)
    now = timezone.now()
    run, created = Run.objects.get_or_create(
        identity=identity(method, loaded.method.version, settled, measurement.pk, datasets),
        defaults={
            "measurement": measurement,
            "method": method,
            "method_version": loaded.method.version,
            "params": settled,
            "trigger": trigger,
            "lane": lane_of(loaded),
            "priority": priority_of(trigger),
            "requested_by": user,
            "requested_at": now,
            "queued_at": now,
            "warnings": said_about(measurement, chosen),
        },
    )
    if created:
        RunInput.objects.bulk_create(
            RunInput(run=run, dataset=d, role=role, calibration=chosen.get(role), conditions=stated(d))
            for role, d in datasets.items()
        )
        queue(run)
        return run, True
    recorded(run, chosen)
    if trigger in ("person", "calibration"):
        _ask_again(run, trigger)
    return run, created


def queue(run: Run) -> None:
    wake(run.lane)


def lane_of(loaded: methods.LoadedMethod) -> str:
    return LONG if loaded.is_long else FAST


def priority_of(trigger: str) -> int:
    named = {str(Run.Trigger.PERSON): Run.Priority.PERSON, str(Run.Trigger.UPLOAD): Run.Priority.UPLOAD}
    return int(named.get(trigger, Run.Priority.REANALYSIS))  # type: ignore[call-overload]


def _ask_again(run: Run, trigger: str) -> None:
    """A finished answer becomes current; a failed one is tried again; one that waits may get ahead."""
    now = timezone.now()
    priority = Least(F("priority"), priority_of(trigger))
    Run.objects.filter(pk=run.pk).update(requested_at=now, priority=priority)
    failed = Run.objects.filter(pk=run.pk, status__in=[Run.Status.FAILED, Run.Status.CANCELLED])
    if failed.update(
        status=Run.Status.QUEUED,
        queued_at=now,
        attempts=0,
        message="",
        cancel_asked_at=None,
    ):
        queue(run)
    else:
        decide_current(run.over, run.method)
    run.refresh_from_db()


def inputs_of(
    loaded: methods.LoadedMethod,
    measurement: Measurement,
    others: Mapping[str, Measurement],
    own: Mapping[str, Dataset] | None = None,
) -> dict[str, Dataset]:
    roles = {role.key: role for role in loaded.method.accepts}
    unknown = set(others) - set(roles)
    if unknown:
        known = ", ".join(roles)
        raise NothingToRunError(
            f"{loaded.method.title} takes no input “{min(unknown)}”; its inputs are: {known}."
        )
    chosen = own_inputs(loaded, datasets_of([measurement])) if own is None else dict(own)
    for key, source in others.items():
        found = named_input(roles[key], source)
        if found is not None:
            chosen[key] = found
        elif roles[key].required:
            raise NothingToRunError(why_not(loaded, roles[key], source))
    for key, role in roles.items():
        if key in chosen or not role.required:
            continue
        if role.calibration:
            raise NothingToRunError(missing(loaded, role, measurement))
        raise NothingToRunError(why_not(loaded, role, measurement))
    return chosen

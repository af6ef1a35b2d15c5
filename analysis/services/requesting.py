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
    """SHA-256 over everything that decides the result: content of the inputs, readers, method, parameters."""
    question = {
        "method": [method, version],
        "params": dict(params),
        "measurement": measurement_pk,
        "inputs": {
            role: [dataset.blob.sha256, dataset.reader, dataset.reader_version]
            for role, dataset in inputs.items()
        },
    }
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()


def request_runs(measurement: Measurement, trigger: str = "upload") -> list[Run]:
    """Every registered method that fits the measurement's technique, with its default parameters; without
    those that wait for a calibration."""
    if measurement.status != Measurement.Status.READ:
        return []
    asked = []
    for loaded in methods.for_technique(measurement.technique):
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
    chosen = chosen_for(loaded, measurement, named)
    datasets = _inputs(loaded, measurement, {role: c.measurement for role, c in chosen.items()} | {**named})
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
            RunInput(run=run, dataset=d, role=role, calibration=chosen.get(role))
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


def _inputs(
    loaded: methods.LoadedMethod, measurement: Measurement, others: Mapping[str, Measurement]
) -> dict[str, Dataset]:
    roles = {role.key: role for role in loaded.method.accepts}
    unknown = set(others) - set(roles)
    if unknown:
        known = ", ".join(roles)
        raise NothingToRunError(
            f"{loaded.method.title} takes no input “{min(unknown)}”; its inputs are: {known}."
        )
    main = loaded.method.accepts[0].key
    chosen: dict[str, Dataset] = {}
    for key, role in roles.items():
        source = others.get(key, measurement if key == main else None)
        dataset = None if source is None else _first_dataset(source)
        if dataset is not None:
            chosen[key] = dataset
        elif role.required and role.calibration and source is None:
            raise NothingToRunError(missing(loaded, role, measurement))
        elif role.required:
            raise NothingToRunError(
                f"{loaded.method.title} needs a dataset for “{key}”, and measurement "
                f"{(source or measurement).pk} has none: its file is not read yet, or could not be."
            )
    return chosen


def _first_dataset(measurement: Measurement) -> Dataset | None:
    datasets = Dataset.objects.filter(measurement=measurement, current=True)
    return datasets.select_related("blob").order_by("number").first()

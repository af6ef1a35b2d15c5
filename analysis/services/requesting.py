"""Asking for a run. The same question is the same run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from analysis import methods
from analysis.models import Run, RunInput
from analysis.services.currency import decide_current
from measurements.models import Dataset, Measurement
from samples.models import User
from samples.queueing import enqueue


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
    """Every registered method that fits the measurement's technique, with its default parameters."""
    if measurement.status != Measurement.Status.READ:
        return []
    fitting = methods.for_technique(measurement.technique)
    return [request_run(measurement, loaded.key, trigger=trigger)[0] for loaded in fitting]


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
    settled = methods.canonical_params(loaded, params or {})
    datasets = _inputs(loaded, measurement, inputs or {})
    now = timezone.now()
    run, created = Run.objects.get_or_create(
        identity=identity(method, loaded.method.version, settled, measurement.pk, datasets),
        defaults={
            "measurement": measurement,
            "method": method,
            "method_version": loaded.method.version,
            "params": settled,
            "trigger": trigger,
            "requested_by": user,
            "requested_at": now,
            "queued_at": now,
        },
    )
    if created:
        RunInput.objects.bulk_create(RunInput(run=run, dataset=d, role=role) for role, d in datasets.items())
        queue(run)
    elif trigger == "person":
        _ask_again(run)
    return run, created


def queue(run: Run) -> None:
    from analysis.tasks import execute

    limit_s = methods.get(run.method).method.time_limit_s
    enqueue(execute, run.pk, soft_time_limit=limit_s, time_limit=limit_s + 15)


def _ask_again(run: Run) -> None:
    """A finished answer becomes the current one; a failed one is tried again."""
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(requested_at=now)
    failed = Run.objects.filter(pk=run.pk, status__in=[Run.Status.FAILED, Run.Status.CANCELLED])
    if failed.update(status=Run.Status.QUEUED, queued_at=now, attempts=0, message=""):
        queue(run)
    else:
        decide_current(run.measurement, run.method)
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
        elif role.required:
            raise NothingToRunError(
                f"{loaded.method.title} needs a dataset for “{key}”, and measurement "
                f"{(source or measurement).pk} has none: its file is not read yet, or could not be."
            )
    return chosen


def _first_dataset(measurement: Measurement) -> Dataset | None:
    datasets = Dataset.objects.filter(measurement=measurement, current=True)
    return datasets.select_related("blob").order_by("number").first()

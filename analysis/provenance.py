"""Where a value comes from, back to the bytes. `analysis.prov_json` says the same in W3C PROV.

What the reader may not see, such as a blank of an embargoed sample, is named by its hash and no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from analysis.models import Conflict, Run, RunInput, Value
from analysis.services.verifying import verifications
from measurements.models import Dataset, Measurement, RawFile


def provenance(value: Value, user: Any) -> dict[str, Any]:
    return {
        "value": _value(value)
        | {
            "text": value.text,
            "inferred": value.inferred,
            "doubtful": value.doubtful,
            "sample": value.sample.code if value.sample else None,
            "measurement": value.measurement_id,
            "project": value.project.slug if value.project else None,
        },
        "run": _run(value.run, user) if value.run else None,
        "publication": _publication(value),
        "entered": {"by": value.entered_by.username, "at": value.created_at, "reason": value.note}
        if value.entered_by
        else None,
        "history": [_version(each, value) for each in versions(value)],
        "reviews": [
            {"verdict": review.verdict, "reason": review.reason, "by": review.by.username, "at": review.at}
            for review in value.reviews.select_related("by")
        ],
        "conflicts": [
            {"id": row.pk, "code": row.code, "title": row.title, "decision": row.decision or None}
            for row in Conflict.objects.visible_to(user).filter(values=value)
        ],
    }


def versions(value: Value) -> QuerySet[Value]:
    """Everything the same source ever said of the same quantity, the first one first. What a run gave is
    followed through all runs of its method; what a person entered through their corrections."""
    same = Value.objects.filter(property=value.property, component=value.component).select_related("run")
    if value.run_id is not None:
        subject = {"measurement": value.measurement_id}
        if value.measurement_id is None:
            subject |= {"sample": value.sample_id, "project": value.project_id}
        same = same.filter(method=value.method, run__isnull=False, **subject)
        return same.order_by("run__method_version", "run__requested_at", "run")
    if value.entered_by_id is not None:
        return same.filter(sample=value.sample_id, entered_by=value.entered_by_id).order_by("pk")
    return same.filter(pk=value.pk)


def with_inputs(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Everything that the provenance of many runs needs, in a fixed number of queries."""
    return runs.select_related("requested_by", "artifact__blob").prefetch_related(
        "inputs__dataset__blob",
        "inputs__dataset__measurement__files__blob",
        "inputs__calibration",
        "value_inputs__value__sample",
    )


def visible_measurements(runs: Iterable[Run], user: Any) -> set[int]:
    """Of those that the runs read, what the user may see."""
    read = {given.dataset.measurement_id for run in runs for given in run.inputs.all()}
    seen = Measurement.objects.visible_to(user).filter(pk__in=read)
    return set(seen.values_list("pk", flat=True))


def visible_values(runs: Iterable[Run], user: Any) -> set[int]:
    read = {given.value_id for run in runs for given in run.value_inputs.all()}
    return set(Value.objects.visible_to(user).filter(pk__in=read).values_list("pk", flat=True))


def files_of(dataset: Dataset) -> list[RawFile]:
    """The file that gave the dataset; where that is not recorded, all files of the measurement."""
    files = sorted(dataset.measurement.files.all(), key=lambda file: file.pk)
    return [file for file in files if dataset.file_id in (None, file.pk)]


def _value(value: Value) -> dict[str, Any]:
    return {
        "id": value.pk,
        "property": value.property,
        "component": value.component,
        "value": value.value,
        "sigma": value.sigma,
        "upper": value.upper,
        "comparator": value.comparator,
        "unit": value.unit,
        "origin": value.origin,
        "current": value.current,
        "rejected": value.rejected,
        "created_at": value.created_at,
    }


def _version(value: Value, this: Value) -> dict[str, Any]:
    return _value(value) | {
        "run": value.run_id,
        "method_version": value.run.method_version if value.run else None,
        "this": value.pk == this.pk,
    }


def _run(of: Run, user: Any) -> dict[str, Any]:
    run = with_inputs(Run.objects.all()).get(pk=of.pk)
    seen, values = visible_measurements([run], user), visible_values([run], user)
    artifact = getattr(run, "artifact", None)
    return {
        "id": run.pk,
        "identity": run.identity,
        "method": run.method,
        "method_version": run.method_version,
        "params": run.params,
        "libraries": run.libraries,
        "host": run.host,
        "trigger": run.trigger,
        "asked_by": run.requested_by.username if run.requested_by else None,
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_s": run.duration_s,
        "warnings": run.warnings,
        "stale": run.stale or None,
        "supersedes": run.supersedes_id,
        "inputs": [_input(given, given.dataset.measurement_id in seen) for given in run.inputs.all()],
        "values_read": [
            _value(given.value) | {"sample": given.value.sample.code if given.value.sample else None}
            for given in run.value_inputs.all()
            if given.value_id in values
        ],
        "values_hidden": sum(given.value_id not in values for given in run.value_inputs.all()),
        "curves": {"sha256": artifact.blob.sha256, "names": artifact.names, "member": artifact.member}
        if artifact
        else None,
        "verifications": verifications([run])[run.pk],
    }


def _input(given: RunInput, seen: bool) -> dict[str, Any]:
    dataset = given.dataset
    told = {
        "role": given.role,
        "dataset_sha256": dataset.blob.sha256,
        "reader": dataset.reader,
        "reader_version": dataset.reader_version,
        "hidden": not seen,
    }
    if not seen:
        return told | {"dataset": None, "measurement": None, "calibration": None, "files": []}
    return told | {
        "dataset": dataset.pk,
        "measurement": dataset.measurement_id,
        "calibration": _calibration(given),
        "conditions": given.conditions,
        "files": [
            {
                "id": file.pk,
                "filename": file.filename,
                "sha256": file.blob.sha256,
                "size": file.blob.size,
                "role": file.role,
                "received_at": file.received_at,
            }
            for file in files_of(dataset)
        ],
    }


def _calibration(given: RunInput) -> dict[str, Any] | None:
    chosen = given.calibration
    if chosen is None:
        return None
    return {
        "id": chosen.pk,
        "kind": chosen.kind,
        "valid_from": chosen.valid_from,
        "valid_until": chosen.valid_until,
        "withdrawn_at": chosen.withdrawn_at,
        "withdraw_reason": chosen.withdraw_reason,
    }


def _publication(value: Value) -> dict[str, Any] | None:
    source = value.publication
    if source is None:
        return None
    return {
        "key": source.key,
        "title": source.title,
        "journal": source.journal,
        "doi": source.doi,
        "place": value.place,
        "inferred": value.inferred,
        "doubtful": value.doubtful,
        "extracted_by": value.extracted_by.username if value.extracted_by else None,
        "note": value.note,
    }

"""Where a value comes from, back to the bytes."""

from __future__ import annotations

from typing import Any

from analysis.models import Run, Value
from measurements.models import RawFile


def provenance(value: Value) -> dict[str, Any]:
    return {
        "value": {
            "id": value.pk,
            "property": value.property,
            "component": value.component,
            "value": value.value,
            "sigma": value.sigma,
            "unit": value.unit,
            "origin": value.origin,
            "current": value.current,
        },
        "run": _run(value.run) if value.run else None,
        "publication": _publication(value),
        "entered": {"by": value.entered_by.username, "at": value.created_at, "reason": value.note}
        if value.entered_by
        else None,
    }


def _run(run: Run) -> dict[str, Any]:
    inputs = run.inputs.select_related("dataset__blob", "dataset__measurement")
    return {
        "id": run.pk,
        "identity": run.identity,
        "method": run.method,
        "method_version": run.method_version,
        "params": run.params,
        "libraries": run.libraries,
        "host": run.host,
        "started_at": run.started_at,
        "duration_s": run.duration_s,
        "inputs": [
            {
                "role": given.role,
                "dataset_sha256": given.dataset.blob.sha256,
                "reader": given.dataset.reader,
                "reader_version": given.dataset.reader_version,
                "measurement": given.dataset.measurement_id,
                "files": [
                    {"id": file.pk, "filename": file.filename, "sha256": file.blob.sha256, "role": file.role}
                    for file in RawFile.objects.filter(
                        measurement=given.dataset.measurement_id
                    ).select_related("blob")
                ],
            }
            for given in inputs
        ],
    }


def _publication(value: Value) -> dict[str, Any] | None:
    source = value.publication
    if source is None:
        return None
    return {"title": source.title, "doi": source.doi, "place": value.place, "inferred": value.inferred}

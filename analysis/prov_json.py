"""Provenance as W3C PROV, written as PROV-JSON (https://www.w3.org/submissions/prov-json/).

Raw file → reading → dataset → run → value; a value that superseded another is its revision, a published one
has the publication as primary source, and reviews and verifications are activities that used the value.
In PROV-JSON a revision is a derivation of type prov:Revision.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from analysis.models import Run, RunInput, Value
from analysis.provenance import files_of, versions, visible_measurements, visible_values, with_inputs

PREFIXES = {"vitrine": "urn:vitrine:", "sha256": "urn:sha256:"}
NO_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
Attributes = dict[str, Any]


def document(values: Iterable[Value], user: Any, *, history: bool = True) -> dict[str, Any]:
    """One document for all of these values and, through the values that runs read, for what stands behind.

    history : with the values that each superseded, their reviews and verifications
    """
    graph = _Graph()
    waiting, told = {value.pk: value for value in values}, set[int]()
    while waiting:
        if history:
            for value in list(waiting.values()):
                waiting |= {each.pk: each for each in versions(value) if each.pk not in told}
        told |= set(waiting)
        waiting = {pk: value for pk, value in _told(graph, waiting, user, history).items() if pk not in told}
    return graph.document()


def _told(graph: _Graph, values: dict[int, Value], user: Any, history: bool) -> dict[int, Value]:
    """Writes these values with their runs; gives the values that those runs read."""
    rows = Value.objects.filter(pk__in=values).select_related(
        "publication", "entered_by", "extracted_by", "sample"
    )
    runs = {run.pk: run for run in with_inputs(Run.objects.filter(values__in=values).distinct())}
    files, read = visible_measurements(runs.values(), user), visible_values(runs.values(), user)
    for run in runs.values():
        _run(graph, run, files, read)
    for value in rows.order_by("pk"):
        _value(graph, value, runs.get(value.run_id or 0))
        if history:
            _revisions(graph, value)
            _reviews(graph, value)
    if history:
        for repeat in Run.objects.filter(verifies__in=runs).select_related("verifies"):
            _verification(graph, repeat)
    return {
        given.value_id: given.value
        for run in runs.values()
        for given in run.value_inputs.all()
        if given.value_id in read
    }


class _Graph:
    def __init__(self) -> None:
        self.sections: dict[str, dict[str, Attributes]] = {}

    def put(self, section: str, name: str, **attributes: Any) -> str:
        self.sections.setdefault(section, {})[name] = _attributes(attributes)
        return name

    def relate(self, section: str, **attributes: Any) -> None:
        """Once: what two values have in common is not said twice."""
        rows = self.sections.setdefault(section, {})
        row = _attributes(attributes)
        if row not in rows.values():
            rows[f"_:{section}{len(rows) + 1}"] = row

    def document(self) -> dict[str, Any]:
        return {"prefix": PREFIXES, **self.sections}


def _attributes(given: dict[str, Any]) -> Attributes:
    """`prov_role` becomes `prov:role`, other words are Vitrine's; None is left out."""
    written: Attributes = {}
    for name, value in given.items():
        if value is None or value == "":
            continue
        if name.startswith("prov_"):
            written[f"prov:{name.removeprefix('prov_')}"] = value
        else:
            written[f"vitrine:{name}"] = _literal(value)
    return written


def _literal(value: Any) -> Any:
    if isinstance(value, bool):
        return {"$": str(value).lower(), "type": "xsd:boolean"}
    if isinstance(value, int):
        return {"$": str(value), "type": "xsd:integer"}
    if isinstance(value, float):
        return {"$": repr(value), "type": "xsd:double"}
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(value)


def _type(name: str) -> dict[str, str]:
    return {"$": name, "type": "prov:QUALIFIED_NAME"}


def _name(*parts: object) -> str:
    return "vitrine:" + "-".join(NO_NAME.sub("_", str(part)) for part in parts)


def _person(graph: _Graph, user: Any) -> str:
    return graph.put("agent", _name("person", user.username), prov_type=_type("prov:Person"))


def _software(graph: _Graph, kind: str, name: str, version: object) -> str:
    return graph.put(
        "agent",
        _name(kind, name, version),
        prov_type=_type("prov:SoftwareAgent"),
        prov_label=f"{name} {version}",
        version=str(version),
    )


def _run(graph: _Graph, run: Run, files: set[int], read: set[int]) -> None:
    activity = graph.put(
        "activity",
        _name("run", run.identity),
        prov_type=_type("vitrine:Run"),
        prov_label=f"{run.method} {run.method_version}",
        prov_startTime=run.started_at and run.started_at.isoformat(),
        prov_endTime=run.finished_at and run.finished_at.isoformat(),
        method=run.method,
        method_version=run.method_version,
        parameters=run.params,
        libraries=run.libraries,
        host=run.host,
        duration_s=run.duration_s,
    )
    method = _software(graph, "method", run.method, run.method_version)
    graph.relate("wasAssociatedWith", prov_activity=activity, prov_agent=method)
    if run.requested_by is not None:
        graph.relate("wasAssociatedWith", prov_activity=activity, prov_agent=_person(graph, run.requested_by))
    for given in run.inputs.all():
        dataset = _dataset(graph, given, given.dataset.measurement_id in files)
        graph.relate("used", prov_activity=activity, prov_entity=dataset, prov_role=given.role)
    for value in run.value_inputs.all():
        if value.value_id in read:
            graph.relate("used", prov_activity=activity, prov_entity=_name("value", value.value_id))
    artifact = getattr(run, "artifact", None)
    if artifact is not None:
        curves = graph.put(
            "entity",
            _name("curves", run.identity),
            prov_type=_type("vitrine:Curves"),
            sha256=artifact.blob.sha256,
            names=artifact.names,
        )
        graph.relate("wasGeneratedBy", prov_entity=curves, prov_activity=activity)


def _dataset_name(given: RunInput) -> str:
    dataset = given.dataset
    return _name("dataset", dataset.blob.sha256, dataset.reader, dataset.reader_version)


def _dataset(graph: _Graph, given: RunInput, seen: bool) -> str:
    dataset = given.dataset
    calibration = given.calibration if seen else None
    entity = graph.put(
        "entity",
        _dataset_name(given),
        prov_type=_type("vitrine:Dataset"),
        sha256=dataset.blob.sha256,
        measurement=dataset.measurement_id if seen else None,
        calibration=calibration.kind if calibration else None,
    )
    if not seen:
        return entity
    reading = graph.put(
        "activity",
        _name("reading", dataset.blob.sha256, dataset.reader, dataset.reader_version),
        prov_type=_type("vitrine:Reading"),
        prov_label=f"{dataset.reader} {dataset.reader_version}",
    )
    reader = _software(graph, "reader", dataset.reader, dataset.reader_version)
    graph.relate("wasAssociatedWith", prov_activity=reading, prov_agent=reader)
    graph.relate("wasGeneratedBy", prov_entity=entity, prov_activity=reading)
    for file in files_of(dataset):
        raw = graph.put(
            "entity",
            f"sha256:{file.blob.sha256}",
            prov_type=_type("vitrine:RawFile"),
            prov_label=file.filename,
            size_bytes=file.blob.size,
        )
        graph.relate("used", prov_activity=reading, prov_entity=raw)
        graph.relate("wasDerivedFrom", prov_generatedEntity=entity, prov_usedEntity=raw)
    return entity


def _value(graph: _Graph, value: Value, run: Run | None) -> None:
    entity = graph.put(
        "entity",
        _name("value", value.pk),
        prov_type=_type("vitrine:Value"),
        prov_label=" ".join(filter(None, [value.property, value.component])),
        property=value.property,
        component=value.component,
        value=value.value,
        sigma=value.sigma,
        upper=value.upper,
        unit=value.unit,
        comparator=value.comparator,
        text=value.text,
        origin=value.origin,
        current=value.current,
        rejected=value.rejected,
        sample=value.sample.code if value.sample else None,
    )
    if run is not None:
        activity = _name("run", run.identity)
        graph.relate("wasGeneratedBy", prov_entity=entity, prov_activity=activity)
        for given in run.inputs.all():
            graph.relate("wasDerivedFrom", prov_generatedEntity=entity, prov_usedEntity=_dataset_name(given))
    if value.publication is not None:
        source = graph.put(
            "entity",
            _name("publication", value.publication.key),
            prov_type=_type("vitrine:Publication"),
            prov_label=value.publication.title,
            doi=value.publication.doi,
        )
        graph.relate(
            "wasDerivedFrom",
            prov_generatedEntity=entity,
            prov_usedEntity=source,
            prov_type=_type("prov:PrimarySource"),
            place=value.place,
        )
    for person in (value.entered_by, value.extracted_by):
        if person is not None:
            graph.relate("wasAttributedTo", prov_entity=entity, prov_agent=_person(graph, person))


def _revisions(graph: _Graph, value: Value) -> None:
    """Each is a revision of the one before it."""
    before = None
    for each in versions(value):
        if each.pk == value.pk and before is not None:
            graph.relate(
                "wasDerivedFrom",
                prov_generatedEntity=_name("value", each.pk),
                prov_usedEntity=_name("value", before.pk),
                prov_type=_type("prov:Revision"),
            )
        before = each


def _reviews(graph: _Graph, value: Value) -> None:
    for review in value.reviews.select_related("by"):
        activity = graph.put(
            "activity",
            _name("review", review.pk),
            prov_type=_type("vitrine:Review"),
            prov_label=review.get_verdict_display(),
            prov_endTime=review.at.isoformat(),
            reason=review.reason,
        )
        graph.relate("used", prov_activity=activity, prov_entity=_name("value", value.pk))
        graph.relate("wasAssociatedWith", prov_activity=activity, prov_agent=_person(graph, review.by))


def _verification(graph: _Graph, repeat: Run) -> None:
    assert repeat.verifies is not None
    activity = graph.put(
        "activity",
        _name("run", repeat.identity),
        prov_type=_type("vitrine:Verification"),
        prov_endTime=repeat.finished_at and repeat.finished_at.isoformat(),
        same=repeat.notes.get("same"),
        verdict=repeat.verdict or repeat.message,
    )
    graph.relate(
        "wasInformedBy", prov_informed=activity, prov_informant=_name("run", repeat.verifies.identity)
    )
